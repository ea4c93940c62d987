// Serves dist, and nothing else.

import fs from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';

const TYPES = { '.html': 'text/html', '.js': 'text/javascript' };

const server = http.createServer(async (request, response) => {
  // Only names: the build has no folders.
  const name = request.url === '/' ? 'index.html' : path.basename(request.url);
  const type = TYPES[path.extname(name)];
  const content = type && (await fs.readFile(path.join('dist', name)).catch(() => undefined));
  response.writeHead(content ? 200 : 404, { 'content-type': `${type ?? 'text/plain'}; charset=utf-8` });
  response.end(content);
});
server.listen(Number(process.env.PORT ?? 8080), '127.0.0.1', () => {
  console.log(`the page listens on http://127.0.0.1:${server.address().port}`);
});
