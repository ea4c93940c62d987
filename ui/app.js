// The page starts here: it shows the view that the URL names.

import { html, render, useEffect } from './views/html.js';
import { followLink, route } from './views/router.js';
import { SearchPage } from './views/search/page.js';
import { Shell } from './views/shell.js';
import { TracePage } from './views/trace/page.js';
import { UnknownPage } from './views/unknown.js';

function App() {
  const { value } = route;
  useEffect(() => {
    if (value.page === 'search') document.title = 'Search · Backtrail';
    if (value.page === 'unknown') document.title = 'Not found · Backtrail';
  }, [value.page]);
  return html`<${Shell} fixed=${value.page === 'trace'}>
    ${value.page === 'search' ? html`<${SearchPage} />` : null}
    ${value.page === 'trace' ? html`<${TracePage} traceId=${value.traceId} key=${value.traceId} />` : null}
    ${value.page === 'unknown' ? html`<${UnknownPage} path=${value.path} />` : null}
  <//>`;
}

document.addEventListener('click', followLink);

const root = document.getElementById('app');
if (root === null) throw new Error('index.html has lost its #app');
render(/** @type {any} */ (html`<${App} />`), root);
