// The public API, one function a call. The page uses nothing else of the server.

import { change, getJson, sendJson } from './client.js';

/** @import { BundleFile, EventWithoutSpan, ExportFormat, Needs, Operation, Organization, Project, Release, SearchAnswer, Session, Skeleton, SpanDetail, Status, StoredBundle } from './types.js' */

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

/**
 * Exceptions that came as log records, while their span did not.
 * @param {string} traceId
 * @param {AbortSignal} [signal]
 */
export function eventsWithoutSpan(traceId, signal) {
  return /** @type {Promise<{ events: EventWithoutSpan[], truncated: boolean }>} */ (getJson(`${root}/traces/${encodeURIComponent(traceId)}/events-without-span`, signal));
}

/** @param {AbortSignal} [signal] */
export function status(signal) {
  return /** @type {Promise<Status>} */ (getJson(`${root}/status`, signal));
}

/** What the frames of the last day needed. @param {AbortSignal} [signal] */
export function sourceMapNeeds(signal) {
  return /** @type {Promise<Needs>} */ (getJson(`${root}/sourcemaps/needs`, signal));
}

const organizationsRoot = `${root}/sourcemaps/organizations`;

/** @param {AbortSignal} [signal] */
export function organizations(signal) {
  return /** @type {Promise<{ organizations: Organization[], next_cursor: string | null }>} */ (getJson(`${organizationsRoot}?limit=1000`, signal));
}

/**
 * @param {string} organization
 * @param {AbortSignal} [signal]
 */
export function projects(organization, signal) {
  return /** @type {Promise<{ projects: Project[], next_cursor: string | null }>} */ (getJson(`${organizationsRoot}/${encodeURIComponent(organization)}/projects?limit=1000`, signal));
}

/**
 * @param {string} organization
 * @param {string | null} cursor
 * @param {AbortSignal} [signal]
 */
export function releases(organization, cursor, signal) {
  const from = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
  return /** @type {Promise<{ releases: Release[], next_cursor: string | null }>} */ (getJson(`${organizationsRoot}/${encodeURIComponent(organization)}/releases?limit=50${from}`, signal));
}

/**
 * @param {string} organization
 * @param {string} version
 * @param {AbortSignal} [signal]
 */
export function releaseBundles(organization, version, signal) {
  return /** @type {Promise<{ bundles: StoredBundle[], next_cursor: string | null }>} */ (getJson(`${organizationsRoot}/${encodeURIComponent(organization)}/bundles?limit=100&release=${encodeURIComponent(version)}`, signal));
}

/**
 * @param {string} organization
 * @param {string} id
 * @param {AbortSignal} [signal]
 */
export function bundleFiles(organization, id, signal) {
  return /** @type {Promise<{ files: BundleFile[], truncated: boolean }>} */ (getJson(`${organizationsRoot}/${encodeURIComponent(organization)}/bundles/${encodeURIComponent(id)}`, signal));
}

/**
 * Has a project's maps serve a service, or no longer.
 * @param {string} organization
 * @param {string} project
 * @param {string} service
 * @param {boolean} serves
 */
export function serve(organization, project, service, serves) {
  const path = `${organizationsRoot}/${encodeURIComponent(organization)}/projects/${encodeURIComponent(project)}/services/${encodeURIComponent(service)}`;
  return /** @type {Promise<Project>} */ (change(serves ? 'PUT' : 'DELETE', path));
}

/**
 * @param {string} organization
 * @param {string} version
 */
export function deleteRelease(organization, version) {
  return change('DELETE', `${organizationsRoot}/${encodeURIComponent(organization)}/releases/${encodeURIComponent(version)}`);
}

/**
 * @param {string} organization
 * @param {string} id
 */
export function deleteBundle(organization, id) {
  return change('DELETE', `${organizationsRoot}/${encodeURIComponent(organization)}/bundles/${encodeURIComponent(id)}`);
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
