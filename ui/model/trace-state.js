// What of a trace page is in its URL.

import { parseSpanId } from './ids.js';

/**
 * @typedef {object} TraceView
 * @property {string | null} span the span whose detail is open
 * @property {boolean} wide whether the detail has most of the window
 * @property {string} find
 * @property {{ from: number, to: number } | null} range the time in view, in nanoseconds from the start
 * @property {'all' | string[]} closed the collapsed spans
 */

/** More than this many collapsed spans are not named in a URL. */
export const CLOSED_LIMIT = 40;

/**
 * @param {string} query
 * @returns {TraceView}
 */
export function readTraceView(query) {
  const parameters = new URLSearchParams(query);
  const from = Number(parameters.get('from') ?? Number.NaN);
  const to = Number(parameters.get('to') ?? Number.NaN);
  const closed = parameters.get('closed') ?? '';
  return {
    span: parseSpanId(parameters.get('span') ?? ''),
    wide: parameters.get('wide') === '1',
    find: parameters.get('find') ?? '',
    range: Number.isFinite(from) && Number.isFinite(to) && from < to ? { from, to } : null,
    closed: closed === 'all' ? 'all' : closed.split(',').filter((id) => parseSpanId(id) !== null).slice(0, CLOSED_LIMIT),
  };
}

/**
 * @param {string} traceId
 * @param {TraceView} view
 */
export function traceViewUrl(traceId, view) {
  const parameters = new URLSearchParams();
  if (view.span !== null) parameters.set('span', view.span);
  if (view.wide) parameters.set('wide', '1');
  if (view.find !== '') parameters.set('find', view.find);
  if (view.range !== null) {
    parameters.set('from', String(Math.round(view.range.from)));
    parameters.set('to', String(Math.round(view.range.to)));
  }
  if (view.closed === 'all') parameters.set('closed', 'all');
  else if (view.closed.length > 0) parameters.set('closed', view.closed.join(','));
  const query = parameters.toString().replaceAll('%2C', ',');
  return `/trace/${traceId}${query === '' ? '' : `?${query}`}`;
}
