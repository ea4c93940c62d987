// Stands in for the server while it is being built: the API of docs/api.md over spans in memory.

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const ui = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const types = { '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.html': 'text/html; charset=utf-8' };
const kinds = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];
const statuses = ['unset', 'ok', 'error'];

/** @param {any} value @returns {any} */
function typed(value = {}) {
  if ('stringValue' in value) return { type: 'string', value: value.stringValue };
  if ('boolValue' in value) return { type: 'bool', value: value.boolValue };
  if ('intValue' in value) return { type: 'int', value: String(value.intValue) };
  if ('doubleValue' in value) return { type: 'double', value: value.doubleValue };
  if ('bytesValue' in value) return { type: 'bytes', value: value.bytesValue };
  if ('arrayValue' in value) return { type: 'array', value: value.arrayValue.values.map(typed) };
  if ('kvlistValue' in value) return { type: 'map', value: attributes(value.kvlistValue.values) };
  return { type: 'empty', value: null };
}

/** @param {any[]} list */
function attributes(list = []) {
  return list.map(({ key, value }) => ({ key, ...typed(value) }));
}

export async function startMock() {
  /** @type {Map<string, any[]>} */
  const traces = new Map();
  let count = 0;

  const take = (/** @type {any} */ body) => {
    for (const { resource, scopeSpans } of body.resourceSpans) {
      const service = resource.attributes.find((/** @type {any} */ a) => a.key === 'service.name')?.value.stringValue ?? '';
      for (const { scope, spans } of scopeSpans) {
        for (const span of spans) {
          const list = traces.get(span.traceId) ?? [];
          list.push({ ...span, service, resource, scope, start: BigInt(span.startTimeUnixNano), end: BigInt(span.endTimeUnixNano) });
          traces.set(span.traceId, list);
          count++;
        }
      }
    }
  };

  const summary = (/** @type {string} */ id, /** @type {any[]} */ spans, /** @type {number} */ matched) => {
    const ids = new Set(spans.map((span) => span.spanId));
    const first = spans.reduce((a, b) => (b.start < a.start ? b : a));
    const end = spans.reduce((a, b) => (b.end > a ? b.end : a), first.end);
    const root = spans.find((span) => !span.parentSpanId) ?? first;
    const services = new Map();
    for (const span of spans) {
      const share = services.get(span.service) ?? { name: span.service, spans: 0, errors: 0 };
      share.spans++;
      if (span.status.code === 2) share.errors++;
      services.set(span.service, share);
    }
    return {
      trace_id: id, root_service: root.service, root_name: root.name, start_unix_nano: String(first.start), duration_nano: Number(end - first.start),
      span_count: spans.length, error_count: spans.filter((span) => span.status.code === 2).length, matched_spans: matched,
      incomplete: spans.some((span) => span.parentSpanId && !ids.has(span.parentSpanId)), services: [...services.values()],
    };
  };

  const skeleton = (/** @type {string} */ id) => {
    const spans = traces.get(id) ?? [];
    const byId = new Map(spans.map((span) => [span.spanId, span]));
    const children = new Map();
    const roots = [];
    for (const span of spans) {
      const parent = byId.get(span.parentSpanId);
      if (parent === undefined || parent === span) roots.push(span);
      else if (children.has(parent)) children.get(parent).push(span);
      else children.set(parent, [span]);
    }
    const order = (/** @type {any[]} */ list) => list.sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
    const first = spans.reduce((a, b) => (b.start < a ? b.start : a), spans[0].start);
    const end = spans.reduce((a, b) => (b.end > a ? b.end : a), spans[0].end);
    const services = new Map();
    const names = new Map();
    const idOf = (/** @type {Map<string, number>} */ map, /** @type {string} */ key) => (map.has(key) ? /** @type {number} */ (map.get(key)) : (map.set(key, map.size), map.size - 1));
    /** @type {any} */
    const columns = { span_id: [], parent: [], start_offset_nano: [], duration_nano: [], service: [], name: [], kind: [], status: [], event_count: [], flags: [] };
    const stack = order(roots).reverse().map((span) => ({ span, parent: -1 }));
    let next;
    while ((next = stack.pop())) {
      const { span, parent } = next;
      const row = columns.span_id.length;
      columns.span_id.push(span.spanId);
      columns.parent.push(parent);
      columns.start_offset_nano.push(Number(span.start - first));
      columns.duration_nano.push(Number(span.end - span.start));
      columns.service.push(idOf(services, span.service));
      columns.name.push(idOf(names, span.name));
      columns.kind.push(span.kind);
      columns.status.push(span.status.code ?? 0);
      columns.event_count.push(span.events.length);
      columns.flags.push((span.parentSpanId && parent < 0 ? 1 : 0) | (span.events.some((/** @type {any} */ e) => e.name === 'exception') ? 4 : 0) |
        (parent >= 0 && Number(span.start - first) < columns.start_offset_nano[parent] ? 8 : 0));
      for (const child of order(children.get(span) ?? []).reverse()) stack.push({ span: child, parent: row });
    }
    return { trace_id: id, start_unix_nano: String(first), duration_nano: Number(end - first), span_count: spans.length,
      incomplete: columns.flags.some((/** @type {number} */ f) => f & 1), repeats: 0, services: [...services.keys()], names: [...names.keys()], columns };
  };

  const detail = (/** @type {any} */ span) => ({
    trace_id: span.traceId, span_id: span.spanId, parent_span_id: span.parentSpanId || null, service: span.service, name: span.name,
    kind: kinds[span.kind], status: statuses[span.status.code ?? 0], status_message: span.status.message ?? '', start_unix_nano: String(span.start),
    end_unix_nano: String(span.end), duration_nano: Number(span.end - span.start), trace_state: '', flags: 0,
    attributes: attributes(span.attributes), dropped_attributes_count: 0,
    events: span.events.map((/** @type {any} */ e) => ({ time_unix_nano: e.timeUnixNano, name: e.name, attributes: attributes(e.attributes), dropped_attributes_count: 0 })),
    dropped_events_count: 0,
    links: span.links.map((/** @type {any} */ l) => ({ trace_id: l.traceId, span_id: l.spanId, trace_state: '', flags: 0, attributes: attributes(l.attributes), dropped_attributes_count: 0 })),
    dropped_links_count: 0, resource: { attributes: attributes(span.resource.attributes), dropped_attributes_count: 0, schema_url: '' },
    scope: { name: span.scope.name, version: span.scope.version, attributes: [], dropped_attributes_count: 0, schema_url: '' },
  });

  const search = (/** @type {URLSearchParams} */ query) => {
    const nanos = (/** @type {string | null} */ text) => (text === null ? null : BigInt(text.replace('ns', '')));
    const time = (/** @type {string | null} */ text) => (text === null ? null : /^\d+$/.test(text) ? BigInt(text) : BigInt(Date.parse(text)) * 1000000n);
    const [min, max, start, end] = [nanos(query.get('min_duration')), nanos(query.get('max_duration')), time(query.get('start')), time(query.get('end'))];
    const matches = (/** @type {any} */ span) =>
      (!query.has('service') || span.service === query.get('service')) && (!query.has('name') || span.name === query.get('name')) &&
      (!query.has('kind') || kinds[span.kind] === query.get('kind')) && (!query.has('status') || statuses[span.status.code ?? 0] === query.get('status')) &&
      (min === null || span.end - span.start >= min) && (max === null || span.end - span.start <= max) &&
      (start === null || span.start >= start) && (end === null || span.start <= end) &&
      query.getAll('attr').every((condition) => {
        const [, key, , value] = /** @type {string[]} */ (/^([^=<>!]+)(=|!=|<=?|>=?)(.*)$/.exec(condition) ?? []);
        return span.attributes.some((/** @type {any} */ a) => a.key === key.replace(/^span\./, '') && String(Object.values(a.value)[0]) === value.replaceAll('"', ''));
      });
    const found = [];
    for (const [id, spans] of traces) {
      const matched = spans.filter(matches).length;
      if (matched > 0) found.push(summary(id, spans, matched));
    }
    found.sort((a, b) => (BigInt(b.start_unix_nano) > BigInt(a.start_unix_nano) ? 1 : -1));
    const from = Number(query.get('cursor') ?? 0);
    const limit = Number(query.get('limit') ?? 20);
    return { traces: found.slice(from, from + limit), next_cursor: from + limit < found.length ? String(from + limit) : null, truncated: false };
  };

  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const send = (/** @type {number} */ status, /** @type {any} */ body) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    const fail = (/** @type {number} */ status, /** @type {string} */ code, /** @type {string} */ message) => send(status, { error: { code, message } });
    const path = url.pathname;
    if (request.method === 'POST') {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      take(JSON.parse(Buffer.concat(chunks).toString()));
      return send(200, {});
    }
    const all = () => [...traces.values()].flat();
    if (path === '/api/v1/status') {
      return send(200, { version: '0.0.0', spans: count, oldest_start_unix_nano: null, newest_start_unix_nano: null, listeners: [
        { name: 'otlp-grpc', address: '127.0.0.1:4317' }, { name: 'otlp-http', address: '127.0.0.1:4318' }, { name: 'jaeger-http', address: '127.0.0.1:14268' }, { name: 'web', address: '127.0.0.1:16686' } ] });
    }
    if (path === '/api/v1/services') return send(200, { services: [...new Set(all().map((span) => span.service))].sort() });
    if (path === '/api/v1/operations') {
      const wanted = url.searchParams.get('service');
      return send(200, { operations: [...new Set(all().filter((s) => wanted === null || s.service === wanted).map((s) => `${s.name}\n${kinds[s.kind]}`))].sort().map((t) => ({ name: t.split('\n')[0], kind: t.split('\n')[1] })) });
    }
    if (path === '/api/v1/search') return send(200, search(url.searchParams));
    const trace = /^\/api\/v1\/traces\/([0-9a-f]{32})\/(skeleton|spans\/([0-9a-f]{16}))$/.exec(path);
    if (trace !== null) {
      if (!traces.has(trace[1])) return fail(404, 'not_found', `no trace ${trace[1]}`);
      if (trace[2] === 'skeleton') return send(200, skeleton(trace[1]));
      return send(200, { spans: traces.get(trace[1])?.filter((span) => span.spanId === trace[3]).map(detail) });
    }
    if (path.startsWith('/api/')) return fail(400, 'invalid_argument', `can't understand ${path}`);
    const asset = path.startsWith('/assets/mock/') ? normalize(path.slice('/assets/mock/'.length)) : 'index.html';
    if (!path.startsWith('/assets/') && extname(path) !== '') {
      response.writeHead(404);
      return response.end();
    }
    try {
      const bytes = await readFile(join(ui, asset));
      response.writeHead(200, { 'content-type': types[/** @type {keyof typeof types} */ (extname(asset))] ?? 'text/plain', 'content-security-policy': "default-src 'self'", 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' });
      response.end(asset === 'index.html' ? bytes.toString().replaceAll('__ASSETS__', '/assets/mock') : bytes);
    } catch {
      response.writeHead(404);
      response.end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return { web: `http://127.0.0.1:${port}`, otlp: `http://127.0.0.1:${port}/v1/traces`, stop: async () => void server.close() };
}
