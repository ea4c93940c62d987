import { ApiError } from '../api/index.js';
import { visible } from '../model/text.js';
import { html, useEffect, useState } from './html.js';
import { Icon } from './icons.js';

/**
 * What happened, and what to do about it.
 * @param {unknown} error
 * @param {string} subject
 * @returns {{ title: string, text: string, advice: string }}
 */
export function explain(error, subject) {
  if (!(error instanceof ApiError)) {
    const text = error instanceof Error ? error.message : String(error);
    return { title: 'The page itself failed', text, advice: 'Load the page again. If it happens again, please report it with the text above.' };
  }
  if (error.status === 0) {
    return {
      title: 'The server does not answer',
      text: 'Backtrail could not be reached from this page.',
      advice: 'Check that the backtrail process is running and that this address is still its own, then try again.',
    };
  }
  if (error.status === 401) {
    return { title: 'The server asks for a token', text: error.message, advice: 'Load the page again to sign in.' };
  }
  if (error.status === 403) {
    return { title: 'This is not allowed', text: error.message, advice: 'Changing and deleting need a token with the scope admin: sign out, and in again with such a one.' };
  }
  if (error.status === 404 && subject === 'trace') {
    return {
      title: 'No such trace',
      text: error.message,
      advice:
        'It may not have arrived yet (SDKs send in batches, every few seconds), may not have been sampled, or may be older than what is kept. Check that all 32 digits of the id were copied.',
    };
  }
  if (error.status === 404) {
    return { title: 'Not found', text: error.message, advice: 'It may have been removed by retention since the page was opened.' };
  }
  if (error.status === 400) {
    return { title: 'The server did not accept this request', text: error.message, advice: 'Change the value that is named above and try again.' };
  }
  if (error.status === 429 || error.status === 503) {
    const wait = error.retryAfterS === null ? 'in a moment' : `in ${error.retryAfterS} s`;
    return { title: 'The server is overloaded', text: error.message, advice: `Try again ${wait}, or search a shorter time range.` };
  }
  return { title: `The server failed (${error.status})`, text: error.message, advice: 'Its own log says more. Then try again.' };
}

/**
 * @param {{ error: unknown, subject: string, retry?: () => void, children?: any }} props
 */
export function Problem({ error, subject, retry, children }) {
  const { title, text, advice } = explain(error, subject);
  const waitS = error instanceof ApiError ? error.retryAfterS : null;
  return html`<section class="problem" role="alert">
    <span class="problem-icon"><${Icon} name="error" /></span>
    <div>
      <h2>${title}</h2>
      <p class="problem-text">${visible(text)}</p>
      <p>${advice}</p>
      <div class="button-row">
        ${retry === undefined ? null : html`<${RetryButton} retry=${retry} waitS=${waitS} key=${waitS} />`}
        ${children}
      </div>
    </div>
  </section>`;
}

/**
 * Not pressed by itself: a page that retries on its own keeps an overloaded server overloaded.
 * @param {{ retry: () => void, waitS: number | null }} props
 */
function RetryButton({ retry, waitS }) {
  const [left, setLeft] = useState(Math.min(waitS ?? 0, 60));
  useEffect(() => {
    if (left <= 0) return undefined;
    const timer = setTimeout(() => setLeft(left - 1), 1000);
    return () => clearTimeout(timer);
  }, [left]);
  return html`<button type="button" class="button primary" onClick=${retry} disabled=${left > 0}>
    <${Icon} name="refresh" /><span>${left > 0 ? `Try again in ${left} s` : 'Try again'}</span>
  </button>`;
}
