// Which page is shown, from the URL alone.

import { computed, signal } from './html.js';

export const location = signal({ path: window.location.pathname, query: window.location.search });

/** How the page that is shown was come to: `back` is the browser's back or forward. */
export let arrivedBy = /** @type {'load' | 'link' | 'back'} */ ('load');

window.addEventListener('popstate', () => {
  arrivedBy = 'back';
  read();
});

function read() {
  const { pathname, search } = window.location;
  const now = location.peek();
  if (now.path !== pathname || now.query !== search) location.value = { path: pathname, query: search };
}

/**
 * @param {string} url
 * @param {{ replace?: boolean }} [options]
 */
export function navigate(url, { replace = false } = {}) {
  arrivedBy = 'link';
  if (replace) history.replaceState(null, '', url);
  else history.pushState({ fromSearch: routeOf(location.peek().path).page === 'search' }, '', url);
  read();
  if (!replace) window.scrollTo(0, 0);
}

/** Whether the browser's "back" leads to the search that this page was opened from. */
export function backIsSearch() {
  return history.state?.fromSearch === true;
}

/**
 * Changes the URL to say what is on the screen already; no view is asked to follow.
 * @param {string} url
 */
export function describe(url) {
  history.replaceState(history.state, '', url);
  location.peek().query = window.location.search;
}

/**
 * Makes links of the page change the view instead of loading the page again. Links with a target, a
 * download or a modifier key stay the browser's.
 * @param {MouseEvent} event
 */
export function followLink(event) {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  if (link === null || link.target !== '' || link.hasAttribute('download') || link.origin !== window.location.origin) return;
  if (link.pathname.startsWith('/api/')) return;
  event.preventDefault();
  navigate(link.pathname + link.search);
}

/**
 * @typedef {{ page: 'search' } | { page: 'sourcemaps' } | { page: 'trace', traceId: string } | { page: 'unknown', path: string }} Route
 */

/**
 * @param {string} path
 * @returns {Route}
 */
export function routeOf(path) {
  if (path === '/' || path === '/search') return { page: 'search' };
  if (path === '/sourcemaps') return { page: 'sourcemaps' };
  const trace = /^\/trace\/([^/]+)\/?$/.exec(path);
  if (trace !== null) return { page: 'trace', traceId: decoded(trace[1]) };
  return { page: 'unknown', path };
}

/** @param {string} part */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a stray percent sign: shown as it was typed
  }
}

export const route = computed(() => routeOf(location.value.path));
