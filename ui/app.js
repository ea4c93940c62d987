// The page starts here: it shows the view that the URL names.

import { html, render, useEffect } from './views/html.js';
import { followLink, route } from './views/router.js';
import { Later } from './views/later.js';
import { LoginPage } from './views/login.js';
import { SearchPage } from './views/search/page.js';
import { loadSession, mustSignIn } from './views/session.js';
import { Shell } from './views/shell.js';
import { TracePage } from './views/trace/page.js';
import { UnknownPage } from './views/unknown.js';

function App() {
  const { value } = route;
  const locked = mustSignIn.value;
  useEffect(() => {
    if (locked) return;
    if (value.page === 'search') document.title = 'Search · Backtrail';
    if (value.page === 'sourcemaps') document.title = 'Source maps · Backtrail';
    if (value.page === 'unknown') document.title = 'Not found · Backtrail';
  }, [value.page, locked]);
  if (locked) return html`<${Shell} fixed=${false} locked=${true}><${LoginPage} /><//>`;
  return html`<${Shell} fixed=${value.page === 'trace'}>
    ${value.page === 'search' ? html`<${SearchPage} />` : null}
    ${value.page === 'trace' ? html`<${TracePage} traceId=${value.traceId} key=${value.traceId} />` : null}
    ${value.page === 'sourcemaps' ? html`<${Later} load=${sourceMapsPage} />` : null}
    ${value.page === 'unknown' ? html`<${UnknownPage} path=${value.path} />` : null}
  <//>`;
}

/** Loaded when it is asked for: who looks for a trace does not wait for it. */
const sourceMapsPage = async () => (await import('./views/sourcemaps/page.js')).SourceMapsPage;

document.addEventListener('click', followLink);

const root = document.getElementById('app');
if (root === null) throw new Error('index.html has lost its #app');
void loadSession();
render(/** @type {any} */ (html`<${App} />`), root);
