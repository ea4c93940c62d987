// The public API, one function a call. The page uses nothing else of the server.

import { getJson, sendJson } from './client.js';

/** @import { ExportFormat, Operation, SearchAnswer, Session, Skeleton, SpanDetail, Status } from './types.js' */

export { ApiError, isAbort, onSignInNeeded } from './client.js';

const root = '/api/v1';

/** @param {AbortSignal} [signal] */
export function services(signal) {
  return /** @type {Promise<{ services: string[] }>} */ (getJson(`${root}/services`, signal));
}

/**
 * @param {string} service empty for the operations of all services
 * @param {AbortSignal} [signal]
 */
export function operations(service, signal) {
  const query = service === '' ? '' : `?service=${encodeURIComponent(service)}`;
  return /** @type {Promise<{ operations: Operation[] }>} */ (getJson(`${root}/operations${query}`, signal));
}

/**
 * @param {URLSearchParams} parameters see `searchParameters` in model/search-state.js
 * @param {AbortSignal} [signal]
 */
export function search(parameters, signal) {
  return /** @type {Promise<SearchAnswer>} */ (getJson(`${root}/search?${parameters}`, signal));
}

/**
 * @param {string} traceId
 * @param {AbortSignal} [signal]
 */
export function skeleton(traceId, signal) {
  return /** @type {Promise<Skeleton>} */ (getJson(`${root}/traces/${encodeURIComponent(traceId)}/skeleton`, signal));
}

/**
 * @param {string} traceId
 * @param {string} spanId
 * @param {AbortSignal} [signal]
 */
export function span(traceId, spanId, signal) {
  const path = `${root}/traces/${encodeURIComponent(traceId)}/spans/${encodeURIComponent(spanId)}`;
  return /** @type {Promise<{ spans: SpanDetail[] }>} */ (getJson(path, signal));
}

/** @param {AbortSignal} [signal] */
export function status(signal) {
  return /** @type {Promise<Status>} */ (getJson(`${root}/status`, signal));
}

/** Whether reading needs a token, and of which token this browser's session is. */
export function session() {
  return /** @type {Promise<Session>} */ (sendJson('GET', `${root}/session`));
}

/**
 * Begins a session: the browser keeps it in a cookie that scripts can't see.
 * @param {string} token
 */
export function signIn(token) {
  return /** @type {Promise<Session>} */ (sendJson('POST', `${root}/session`, { token }));
}

export function signOut() {
  return /** @type {Promise<Session>} */ (sendJson('DELETE', `${root}/session`));
}

/**
 * Where a whole trace is, as a file.
 * @param {string} traceId
 * @param {ExportFormat} format
 */
export function traceFile(traceId, format) {
  return `${root}/traces/${encodeURIComponent(traceId)}?format=${format}&download=1`;
}

/**
 * Where the traces are that a search finds, as a file.
 * @param {URLSearchParams} parameters those of `search`
 * @param {ExportFormat} format
 */
export function searchFile(parameters, format) {
  return `${root}/export?${parameters}&format=${format}&download=1`;
}
