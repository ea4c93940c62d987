import { Loading } from './bits.js';
import { html, useEffect, useState } from './html.js';
import { Problem } from './problem.js';

/**
 * A page whose modules are loaded when it is shown.
 * @param {{ load: () => Promise<() => any> }} props `load` is the same function at every render
 */
export function Later({ load }) {
  const [page, setPage] = useState(/** @type {{ view: () => any } | null} */ (null));
  const [error, setError] = useState(/** @type {unknown} */ (null));
  useEffect(() => {
    let isShown = true;
    load().then(
      (view) => isShown && setPage({ view }),
      (failure) => isShown && setError(failure),
    );
    return () => {
      isShown = false;
    };
  }, [load]);
  if (error !== null) {
    // The modules of a page that was loaded before the server changed are gone.
    return html`<main class="page narrow"><${Problem} error=${error} subject="page" retry=${() => window.location.reload()} /></main>`;
  }
  return page === null ? html`<main class="page"><${Loading} label="Loading the page…" /></main>` : html`<${page.view} />`;
}
