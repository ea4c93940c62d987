// Uploads as Sentry's clients make them: a bundle of files, cut into chunks, made one by the server.

import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

/**
 * @param {string} web the server's address
 * @param {{ files: Record<string, Buffer>, project: string, organization?: string, release?: string, dist?: string, token?: string }} upload files by their paths below `~/`
 */
export async function upload(web, { files, project, organization = 'acme', release, dist, token = 'any-word' }) {
  const bytes = bundleOf(files, { org: organization, project, release, dist });
  const checksum = createHash('sha1').update(bytes).digest('hex');
  const at = `${web}/api/0/organizations/${encodeURIComponent(organization)}`;
  const headers = { authorization: `Bearer ${token}` };
  const form = new FormData();
  form.append('file', new Blob([bytes]), checksum);
  await answerOf(fetch(`${at}/chunk-upload/`, { method: 'POST', headers, body: form }));
  const assembled = await answerOf(
    fetch(`${at}/artifactbundle/assemble/`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ checksum, chunks: [checksum], projects: [project], version: release, dist }),
    }),
  );
  const { state, detail } = JSON.parse(assembled);
  if (state !== 'ok') throw new Error(`the server did not take the upload: ${state}, ${detail}`);
}

/** @param {Promise<Response>} request */
async function answerOf(request) {
  const response = await request;
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.url}: ${response.status} ${text}`);
  return text;
}

/**
 * `SYSB`, the format's number, and a zip with a manifest.
 * @param {Record<string, Buffer>} files
 * @param {{ org: string, project: string, release: string | undefined, dist: string | undefined }} of
 */
function bundleOf(files, of) {
  const listed = Object.keys(files).map((path) => [`files/_/_/${path}`, { type: path.endsWith('.map') ? 'source_map' : 'minified_source', url: `~/${path}`, headers: {} }]);
  const manifest = Buffer.from(JSON.stringify({ ...of, files: Object.fromEntries(listed) }));
  const entries = Object.entries(files).map(([path, bytes]) => ({ path: `files/_/_/${path}`, bytes }));
  return Buffer.concat([Buffer.from('SYSB\x02\x00\x00\x00', 'latin1'), zipOf([...entries, { path: 'manifest.json', bytes: manifest }])]);
}

/** Nothing is compressed. @param {{ path: string, bytes: Buffer }[]} entries */
function zipOf(entries) {
  /** @type {Buffer[]} */
  const bodies = [];
  /** @type {Buffer[]} */
  const directory = [];
  let at = 0;
  for (const { path, bytes } of entries) {
    const name = Buffer.from(path);
    const facts = Buffer.alloc(26);
    facts.writeUInt16LE(20, 0); // the version that is needed
    facts.writeUInt16LE(0x21, 8); // 1 January 1980
    facts.writeUInt32LE(crc32(bytes), 10);
    facts.writeUInt32LE(bytes.length, 14);
    facts.writeUInt32LE(bytes.length, 18);
    facts.writeUInt16LE(name.length, 22);
    bodies.push(Buffer.from('PK\x03\x04', 'latin1'), facts, name, bytes);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(at, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), facts, rest, name);
    at += 30 + name.length + bytes.length;
  }
  const length = directory.reduce((sum, part) => sum + part.length, 0);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(length, 8);
  end.writeUInt32LE(at, 12);
  return Buffer.concat([...bodies, ...directory, Buffer.from('PK\x05\x06', 'latin1'), end]);
}
