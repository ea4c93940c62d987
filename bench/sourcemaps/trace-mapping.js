// The contestant @jridgewell/trace-mapping. Usage: node trace-mapping.js MAP POSITIONS ROUNDS COMPARED
// Prints the figures in JSON, as bench/src/sourcemaps/task.rs has them. Times are of all threads of the process.

import { readFileSync } from "node:fs";
import { TraceMap, decodedMappings, originalPositionFor } from "@jridgewell/trace-mapping";

const [, , mapFile, positionsFile, rounds, compared] = process.argv;
const json = readFileSync(mapFile, "utf8");
const raw = readFileSync(positionsFile);
const positions = new Uint32Array(raw.buffer, raw.byteOffset, raw.byteLength / 4);
const before = process.memoryUsage().rss;

function cpuNanoseconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

function fastest(work) {
  let best = Infinity;
  for (let round = 0; round < Number(rounds); round += 1) {
    const start = cpuNanoseconds();
    work();
    best = Math.min(best, cpuNanoseconds() - start);
  }
  return best;
}

let map;
const parse = fastest(() => {
  map = new TraceMap(json);
  decodedMappings(map);
});
const resident = process.memoryUsage().rss;
let found;
const lookups = fastest(() => {
  for (let at = 0; at < positions.length; at += 2) {
    found = originalPositionFor(map, { line: positions[at] + 1, column: positions[at + 1] });
  }
});
const answers = [];
for (let at = 0; at < positions.length && answers.length < Number(compared); at += 2) {
  found = originalPositionFor(map, { line: positions[at] + 1, column: positions[at + 1] });
  answers.push(found.source === null ? null : [found.line - 1, found.column]);
}
console.log(
  JSON.stringify({
    parse_ns: parse,
    lookup_ns: lookups / (positions.length / 2),
    resident_bytes: Math.max(0, resident - before),
    answers,
  }),
);
