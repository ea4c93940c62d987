/** @import { TraceColumns } from './columns.js' */

/**
 * @typedef {object} Matches
 * @property {Int32Array} rows the matching spans, in order
 * @property {Uint8Array} marked 1 for each span that matches
 */

/**
 * The spans whose name, service or id holds `text`. Names are compared once each, not once a span.
 *
 * @param {TraceColumns} columns
 * @param {string} text
 * @returns {Matches | null} null when there is nothing to look for
 */
export function findSpans(columns, text) {
  const wanted = text.trim().toLowerCase();
  if (wanted === '') return null;
  const inName = columns.names.map((name) => name.toLowerCase().includes(wanted));
  const inService = columns.services.map((service) => service.toLowerCase().includes(wanted));
  const couldBeId = /^[0-9a-f]{4,16}$/.test(wanted);

  const marked = new Uint8Array(columns.count);
  const rows = new Int32Array(columns.count);
  let found = 0;
  for (let row = 0; row < columns.count; row++) {
    const matches =
      inName[columns.name[row]] ||
      inService[columns.service[row]] ||
      (couldBeId && columns.spanIds[row].includes(wanted));
    if (!matches) continue;
    marked[row] = 1;
    rows[found++] = row;
  }
  return { rows: rows.slice(0, found), marked };
}

/**
 * The match after (or before) `row`, going round at the ends.
 *
 * @param {Int32Array} rows ascending
 * @param {number} row −1 for none yet
 * @param {1 | -1} direction
 * @returns {number} a span, or −1 when nothing matches
 */
export function nextMatch(rows, row, direction) {
  if (rows.length === 0) return -1;
  const at = lowerBound(rows, direction === 1 ? row + 1 : row);
  if (direction === 1) return rows[at === rows.length ? 0 : at];
  return rows[at === 0 ? rows.length - 1 : at - 1];
}

/**
 * The next span with an error, going round at the ends.
 *
 * @param {TraceColumns} columns
 * @param {number} row
 * @param {1 | -1} direction
 */
export function nextError(columns, row, direction) {
  const { count } = columns;
  let at = row < 0 && direction === -1 ? 0 : row;
  for (let step = 0; step < count; step++) {
    at = (at + direction + count) % count;
    if (columns.isError(at)) return at;
  }
  return -1;
}

/**
 * The first index whose value is at least `value`.
 * @param {Int32Array} sorted
 * @param {number} value
 */
export function lowerBound(sorted, value) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
