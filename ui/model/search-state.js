// What is searched for. The whole of it is in the URL, so that a search can be sent to a colleague.

import { parseConditions } from './conditions.js';
import { durationParameter, parseDuration } from './time.js';

/** The time ranges on offer; `all` is everything that is kept. */
export const presets = Object.freeze([
  { id: '15m', label: 'Last 15 minutes', seconds: 15 * 60 },
  { id: '1h', label: 'Last hour', seconds: 3600 },
  { id: '6h', label: 'Last 6 hours', seconds: 6 * 3600 },
  { id: '24h', label: 'Last 24 hours', seconds: 24 * 3600 },
  { id: '7d', label: 'Last 7 days', seconds: 7 * 86_400 },
]);

export const kinds = Object.freeze(['server', 'client', 'producer', 'consumer', 'internal', 'unspecified']);
export const statuses = Object.freeze(['error', 'ok', 'unset']);
export const pageSizes = Object.freeze([20, 50, 100, 500]);

/**
 * @typedef {object} SearchState
 * @property {string} service
 * @property {string} name
 * @property {string} kind
 * @property {string} status
 * @property {string} minDuration as typed
 * @property {string} maxDuration as typed
 * @property {string} attributes as typed
 * @property {string} range a preset's id, `all`, or `custom`
 * @property {string} start RFC 3339, with range `custom`
 * @property {string} end RFC 3339, with range `custom`
 * @property {number} limit
 */

/** @type {Readonly<SearchState>} */
export const everything = Object.freeze({
  service: '',
  name: '',
  kind: '',
  status: '',
  minDuration: '',
  maxDuration: '',
  attributes: '',
  range: 'all',
  start: '',
  end: '',
  limit: pageSizes[0],
});

/** @type {ReadonlyArray<readonly [keyof SearchState & string, string]>} */
const textFields = [
  ['service', 'service'],
  ['name', 'name'],
  ['kind', 'kind'],
  ['status', 'status'],
  ['minDuration', 'min_duration'],
  ['maxDuration', 'max_duration'],
  ['attributes', 'attr'],
];

/**
 * @param {string} query the URL's query, with or without its question mark
 * @returns {SearchState}
 */
export function readSearch(query) {
  const parameters = new URLSearchParams(query);
  /** @type {Record<string, string | number>} */
  const state = { ...everything };
  for (const [field, parameter] of textFields) {
    state[field] = parameters.getAll(parameter).join(' ').trim();
  }
  const limit = Number(parameters.get('limit'));
  if (Number.isInteger(limit) && limit >= 1 && limit <= 1000) state.limit = limit;
  const range = parameters.get('range');
  if (range !== null && presets.some((preset) => preset.id === range)) state.range = range;
  const start = parameters.get('start') ?? '';
  const end = parameters.get('end') ?? '';
  if (start !== '' || end !== '') Object.assign(state, { range: 'custom', start, end });
  return /** @type {SearchState} */ (/** @type {unknown} */ (state));
}

/**
 * The page's URL for a search; what is at its default is left out.
 * @param {SearchState} state
 */
export function searchUrl(state) {
  const parameters = new URLSearchParams();
  for (const [field, parameter] of textFields) {
    const value = String(state[field]).trim();
    if (value !== '') parameters.set(parameter, value);
  }
  if (state.range === 'custom') {
    if (state.start !== '') parameters.set('start', state.start);
    if (state.end !== '') parameters.set('end', state.end);
  } else if (state.range !== 'all') {
    parameters.set('range', state.range);
  }
  if (state.limit !== everything.limit) parameters.set('limit', String(state.limit));
  const query = parameters.toString();
  return query === '' ? '/search' : `/search?${query}`;
}

/**
 * What is wrong with a search, by field. The server checks again; this saves the round trip.
 * @param {SearchState} state
 * @returns {Partial<Record<keyof SearchState, string>>}
 */
export function searchErrors(state) {
  /** @type {Partial<Record<keyof SearchState, string>>} */
  const errors = {};
  for (const field of /** @type {const} */ (['minDuration', 'maxDuration'])) {
    if (state[field].trim() !== '' && parseDuration(state[field]) === null) {
      errors[field] = 'Write a number and a unit, such as 250ms, 1.5s or 2m.';
    }
  }
  const least = parseDuration(state.minDuration);
  const most = parseDuration(state.maxDuration);
  if (least !== null && most !== null && least > most) {
    errors.maxDuration = 'The longest duration is below the shortest.';
  }
  const parsed = parseConditions(state.attributes);
  if (parsed.error !== null) errors.attributes = parsed.error;
  if (state.range === 'custom' && Date.parse(state.start) > Date.parse(state.end)) {
    errors.end = 'The end lies before the start.';
  }
  return errors;
}

/**
 * The parameters of `GET /api/v1/search`. `nowMs` is taken once for a search and kept for its further
 * pages, so that a relative range does not move under the cursor.
 *
 * @param {SearchState} state
 * @param {number} nowMs
 * @param {string | null} [cursor]
 */
export function searchParameters(state, nowMs, cursor = null) {
  const parameters = new URLSearchParams();
  for (const field of /** @type {const} */ (['service', 'name', 'kind', 'status'])) {
    if (state[field] !== '') parameters.set(field, state[field]);
  }
  if (state.minDuration !== '') parameters.set('min_duration', durationParameter(state.minDuration));
  if (state.maxDuration !== '') parameters.set('max_duration', durationParameter(state.maxDuration));
  for (const condition of parseConditions(state.attributes).conditions ?? []) parameters.append('attr', condition);
  const preset = presets.find((candidate) => candidate.id === state.range);
  if (preset !== undefined) parameters.set('start', `${BigInt(nowMs - preset.seconds * 1000) * 1_000_000n}`);
  if (state.range === 'custom' && state.start !== '') parameters.set('start', state.start);
  if (state.range === 'custom' && state.end !== '') parameters.set('end', state.end);
  parameters.set('limit', String(state.limit));
  if (cursor !== null) parameters.set('cursor', cursor);
  return parameters;
}

/** @param {SearchState} state */
export function isUnfiltered(state) {
  return searchUrl({ ...state, limit: everything.limit }) === '/search';
}

/**
 * How many conditions are set, for the closed form on a phone.
 * @param {SearchState} state
 */
export function conditionCount(state) {
  const set = textFields.filter(([field]) => field !== 'attributes' && state[field] !== '').length;
  const attributes = parseConditions(state.attributes).conditions?.length ?? 1;
  return set + attributes + (state.range === 'all' ? 0 : 1);
}
