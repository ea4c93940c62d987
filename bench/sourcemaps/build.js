// Makes the two bundles that are measured: TypeScript's compiler (a map of 14 MB, a source of 9 MB) and React's DOM library.
// Usage: node build.js FOLDER

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const folder = process.argv[2];
const entry = join(folder, "react.entry.js");
writeFileSync(entry, 'export * from "react-dom/client";\n');
const options = {
  bundle: true,
  minify: true,
  sourcemap: "external",
  logLevel: "error",
  nodePaths: [join(import.meta.dirname, "node_modules")],
};
await build({
  ...options,
  platform: "node",
  entryPoints: [join(import.meta.dirname, "node_modules/typescript/lib/typescript.js")],
  outfile: join(folder, "typescript.js"),
});
await build({
  ...options,
  entryPoints: [entry],
  outfile: join(folder, "react.js"),
});
