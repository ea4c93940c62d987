import { visible } from '../model/text.js';
import { html } from './html.js';

/** @param {{ path: string }} props */
export function UnknownPage({ path }) {
  return html`<main class="page narrow">
    <h1>There is no page here</h1>
    <p class="muted">Nothing is at <code>${visible(path)}</code>. Traces are at <code>/trace/</code> and their id.</p>
    <p><a class="button primary" href="/search">Search traces</a></p>
  </main>`;
}
