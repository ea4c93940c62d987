// OTLP/JSON requests for tests, and traces of a shop made of them.

/** @typedef {{ key: string, value: any }} KeyValue */

/**
 * @typedef {object} SpanDraft
 * @property {string} service
 * @property {string} name
 * @property {string} traceId
 * @property {string} spanId
 * @property {string} [parent]
 * @property {number} [kind]
 * @property {bigint} start unix nanoseconds
 * @property {number} duration nanoseconds
 * @property {boolean} [error]
 * @property {string} [message]
 * @property {Record<string, any>} [attributes]
 * @property {{ name: string, at?: number, attributes?: Record<string, any> }[]} [events]
 * @property {{ traceId: string, spanId: string, attributes?: Record<string, any> }[]} [links]
 * @property {Record<string, any>} [resource]
 */

/** @param {any} value @returns {any} */
export function anyValue(value) {
  if (value === null) return {};
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'bigint') return { intValue: String(value) };
  if (typeof value === 'number') return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  if (value instanceof Uint8Array) return { bytesValue: Buffer.from(value).toString('base64') };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } };
  return { kvlistValue: { values: keyValues(value) } };
}

/** @param {Record<string, any>} [attributes] @returns {KeyValue[]} */
export function keyValues(attributes = {}) {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: anyValue(value) }));
}

/** @param {SpanDraft} draft */
function otlpSpan(draft) {
  return {
    traceId: draft.traceId,
    spanId: draft.spanId,
    ...(draft.parent === undefined ? {} : { parentSpanId: draft.parent }),
    name: draft.name,
    kind: draft.kind ?? 1,
    startTimeUnixNano: String(draft.start),
    endTimeUnixNano: String(draft.start + BigInt(Math.round(draft.duration))),
    attributes: keyValues(draft.attributes),
    events: (draft.events ?? []).map((event) => ({
      timeUnixNano: String(draft.start + BigInt(Math.round(event.at ?? 0))),
      name: event.name,
      attributes: keyValues(event.attributes),
    })),
    links: (draft.links ?? []).map((link) => ({ traceId: link.traceId, spanId: link.spanId, attributes: keyValues(link.attributes) })),
    status: draft.error ? { code: 2, message: draft.message ?? '' } : {},
  };
}

/**
 * One request for each 4,000 spans.
 * @param {SpanDraft[]} drafts
 */
export function* requests(drafts) {
  for (let from = 0; from < drafts.length; from += 4000) {
    /** @type {Map<string, { resource: Record<string, any>, spans: any[] }>} */
    const byService = new Map();
    for (const draft of drafts.slice(from, from + 4000)) {
      const group = byService.get(draft.service) ?? { resource: draft.resource ?? {}, spans: [] };
      group.spans.push(otlpSpan(draft));
      byService.set(draft.service, group);
    }
    yield {
      resourceSpans: [...byService].map(([service, { resource, spans }]) => ({
        resource: { attributes: keyValues({ 'service.name': service, 'host.name': 'node-a1', 'service.version': '2.4.1', ...resource }) },
        scopeSpans: [{ scope: { name: 'shop-instrumentation', version: '1.0.0' }, spans }],
      })),
    };
  }
}

/** A small generator of repeatable numbers in [0, 1). @param {number} seed */
export function random(seed) {
  // Mixed first, so that neighbouring seeds do not begin alike.
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** @param {number} value @param {number} digits */
export function hexId(value, digits) {
  return value.toString(16).padStart(digits, '0').slice(-digits);
}

/** @typedef {{ traceId: string, spanId: string, service: string, version: string, type: string, message: string, text: string }} LogDraft an exception that is sent as a log record */

/** @param {LogDraft} draft */
export function logRequest({ traceId, spanId, service, version, type, message, text }) {
  const attributes = keyValues({ 'exception.type': type, 'exception.message': message, 'exception.stacktrace': text });
  const record = { traceId, spanId, timeUnixNano: String(BigInt(Date.now()) * 1_000_000n), severityNumber: 17, attributes };
  return { resourceLogs: [{ resource: { attributes: keyValues({ 'service.name': service, 'service.version': version }) }, scopeLogs: [{ logRecords: [record] }] }] };
}
