// Skeletons for unit tests, written as a tree.

import { TraceColumns } from '../../model/columns.js';

/**
 * @typedef {object} Draft
 * @property {string} [name]
 * @property {string} [service]
 * @property {number} [at]
 * @property {number} [for]
 * @property {boolean} [error]
 * @property {number} [flags]
 * @property {Draft[]} [children]
 */

/**
 * @param {Draft[]} roots
 * @returns {import('../../api/types.js').Skeleton}
 */
export function skeletonOf(roots) {
  /** @type {string[]} */
  const services = [];
  /** @type {string[]} */
  const names = [];
  const columns = {
    span_id: /** @type {string[]} */ ([]),
    parent: /** @type {number[]} */ ([]),
    start_offset_nano: /** @type {number[]} */ ([]),
    duration_nano: /** @type {number[]} */ ([]),
    service: /** @type {number[]} */ ([]),
    name: /** @type {number[]} */ ([]),
    kind: /** @type {number[]} */ ([]),
    status: /** @type {number[]} */ ([]),
    event_count: /** @type {number[]} */ ([]),
    flags: /** @type {number[]} */ ([]),
  };
  const idIn = (/** @type {string[]} */ list, /** @type {string} */ text) => (list.includes(text) ? list.indexOf(text) : list.push(text) - 1);
  /** @type {{ draft: Draft, parent: number }[]} */
  const waiting = roots.map((draft) => ({ draft, parent: -1 })).reverse();
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { draft, parent } = next;
    const row = columns.span_id.length;
    columns.span_id.push((row + 1).toString(16).padStart(16, '0'));
    columns.parent.push(parent);
    columns.start_offset_nano.push(draft.at ?? 0);
    columns.duration_nano.push(draft.for ?? 100);
    columns.service.push(idIn(services, draft.service ?? 'shop'));
    columns.name.push(idIn(names, draft.name ?? `span ${row}`));
    columns.kind.push(1);
    columns.status.push(draft.error ? 2 : 0);
    columns.event_count.push(0);
    columns.flags.push(draft.flags ?? 0);
    for (const child of [...(draft.children ?? [])].reverse()) waiting.push({ draft: child, parent: row });
  }
  return {
    trace_id: '463ac35c9f6413ad48485a3953bb6124',
    start_unix_nano: '1760000000000000000',
    duration_nano: 0,
    span_count: columns.span_id.length,
    incomplete: false,
    repeats: 0,
    services,
    names,
    columns,
  };
}

/** @param {Draft[]} roots */
export function traceOf(roots) {
  return new TraceColumns(skeletonOf(roots));
}

/** A root and two children, the first of which has two of its own: rows 0, 1, 2, 3, 4. */
export function family() {
  return traceOf([
    { name: 'root', for: 1000, children: [
      { name: 'first', at: 100, for: 400, service: 'cart', children: [{ name: 'leaf', at: 120 }, { name: 'failed leaf', at: 250, error: true }] },
      { name: 'second', at: 600, for: 300 },
    ] },
  ]);
}
