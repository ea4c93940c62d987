/**
 * Why a request gave no answer. `status` is 0 when the server could not be reached at all.
 */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {string} code the server's own code, or `unreachable` / `bad_answer`
   * @param {string} message
   * @param {number | null} retryAfterS
   */
  constructor(status, code, message, retryAfterS = null) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.retryAfterS = retryAfterS;
  }
}

/** @type {() => void} */
let signInNeeded = () => {};

/**
 * Has `listener` called whenever the server asks for a token.
 * @param {() => void} listener
 */
export function onSignInNeeded(listener) {
  signInNeeded = listener;
}

/** @param {unknown} error */
export function isAbort(error) {
  return error instanceof DOMException && error.name === 'AbortError';
}

/**
 * @param {Response} response
 * @returns {Promise<ApiError>}
 */
async function errorOf(response) {
  const retryAfter = Number.parseInt(response.headers.get('retry-after') ?? '', 10);
  const retryAfterS = Number.isFinite(retryAfter) ? retryAfter : null;
  try {
    const { error } = await response.json();
    return new ApiError(response.status, String(error.code), String(error.message), retryAfterS);
  } catch {
    // A proxy in front of the server answers with pages of its own.
    return new ApiError(response.status, 'bad_answer', `the server answered with status ${response.status}`, retryAfterS);
  }
}

/**
 * @template T
 * @param {string} path
 * @param {AbortSignal} [signal]
 * @returns {Promise<T>}
 */
export function getJson(path, signal) {
  return withSignIn(sendJson('GET', path, undefined, signal));
}

/**
 * @template T
 * @param {'PUT' | 'DELETE'} method
 * @param {string} path
 * @returns {Promise<T>}
 */
export function change(method, path) {
  return withSignIn(sendJson(method, path));
}

/**
 * @template T
 * @param {Promise<T>} answer
 * @returns {Promise<T>}
 */
async function withSignIn(answer) {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) signInNeeded();
    throw error;
  }
}

/**
 * @template T
 * @param {'GET' | 'POST' | 'PUT' | 'DELETE'} method
 * @param {string} path
 * @param {unknown} [body]
 * @param {AbortSignal} [signal]
 * @returns {Promise<T>}
 */
export async function sendJson(method, path, body, signal) {
  /** @type {RequestInit} */
  const request = { method, signal: signal ?? null, headers: { accept: 'application/json' } };
  if (body !== undefined) {
    request.headers = { accept: 'application/json', 'content-type': 'application/json' };
    request.body = JSON.stringify(body);
  }
  /** @type {Response} */
  let response;
  try {
    response = await fetch(path, request);
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ApiError(0, 'unreachable', 'the server does not answer');
  }
  if (!response.ok) throw await errorOf(response);
  try {
    return await response.json();
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ApiError(response.status, 'bad_answer', 'the answer broke off or is not JSON');
  }
}
