import * as api from '../../api/index.js';
import { reserveColors } from '../../model/palette.js';
import { isUnfiltered, readSearch, searchErrors, searchParameters, searchUrl } from '../../model/search-state.js';
import { EmptyState } from '../empty.js';
import { html, useEffect, useMemo, useRef, useState } from '../html.js';
import { Problem } from '../problem.js';
import { arrivedBy, location, navigate } from '../router.js';
import { SearchForm } from './form.js';
import { Results } from './results.js';

/**
 * @import { Status, TraceSummary } from '../../api/types.js'
 * @import { SearchState } from '../../model/search-state.js'
 */

/**
 * @typedef {object} Found
 * @property {SearchState} state the search that these are the answer to
 * @property {number} nowMs when it was asked
 * @property {TraceSummary[]} traces
 * @property {string | null} cursor
 * @property {boolean} truncated
 */

/** @typedef {{ phase: 'loading', found: Found | null } | { phase: 'done', found: Found } | { phase: 'failed', error: unknown, found: Found | null }} Search */

/**
 * The list that was shown last: going back to it from a trace shows it at once and at the same place.
 * @type {{ query: string, found: Found, scrollTop: number } | null}
 */
let left = null;

export function SearchPage() {
  const { query } = location.value;
  const state = useMemo(() => readSearch(query), [query]);
  const returned = useRef(arrivedBy === 'back' && left !== null && left.query === searchUrl(readSearch(query)).slice('/search'.length) ? left : null);
  const [search, setSearch] = useState(
    /** @type {Search} */ (returned.current === null ? { phase: 'loading', found: null } : { phase: 'done', found: returned.current.found }),
  );
  const shown = useRef(search);
  shown.current = search;
  const [moreError, setMoreError] = useState(/** @type {unknown} */ (null));
  const [loadingMore, setLoadingMore] = useState(false);
  const [status, setStatus] = useState(/** @type {Status | null} */ (null));
  const [attempt, setAttempt] = useState(0);
  const running = useRef(/** @type {AbortController | null} */ (null));
  const errors = searchErrors(state);
  const valid = Object.keys(errors).length === 0;

  useEffect(() => {
    const controller = new AbortController();
    running.current = controller;
    setMoreError(null);
    setLoadingMore(false);
    if (!valid || returned.current !== null) {
      window.scrollTo(0, returned.current?.scrollTop ?? 0);
      returned.current = null;
      return () => controller.abort();
    }
    setSearch((before) => ({ phase: 'loading', found: before.found }));
    const nowMs = Date.now();
    api.search(searchParameters(state, nowMs), controller.signal).then(
      async (answer) => {
        for (const trace of answer.traces) reserveColors(trace.services.map((service) => service.name));
        // Only an empty answer raises the question whether there is anything at all.
        if (answer.traces.length === 0) setStatus(await statusOrNull(controller.signal));
        setSearch({ phase: 'done', found: { state, nowMs, traces: answer.traces, cursor: answer.next_cursor, truncated: answer.truncated } });
      },
      (error) => {
        if (!api.isAbort(error)) setSearch({ phase: 'failed', error, found: null });
      },
    );
    return () => controller.abort();
  }, [state, attempt]);

  useEffect(
    () => () => {
      const { found } = shown.current;
      left = found === null ? null : { query: searchUrl(found.state).slice('/search'.length), found, scrollTop: window.scrollY };
    },
    [],
  );

  const loadMore = async () => {
    const { found } = search;
    const signal = running.current?.signal;
    if (found === null || found.cursor === null || loadingMore) return;
    setLoadingMore(true);
    setMoreError(null);
    try {
      const answer = await api.search(searchParameters(found.state, found.nowMs, found.cursor), signal);
      for (const trace of answer.traces) reserveColors(trace.services.map((service) => service.name));
      const traces = [...found.traces, ...answer.traces];
      setSearch({ phase: 'done', found: { ...found, traces, cursor: answer.next_cursor, truncated: answer.truncated } });
    } catch (error) {
      if (!api.isAbort(error)) setMoreError(error);
    }
    setLoadingMore(false);
  };

  const again = () => setAttempt(attempt + 1);
  /** @param {SearchState} wanted */
  const submit = (wanted) => {
    const url = searchUrl(wanted);
    if (url === searchUrl(state)) again();
    else navigate(url);
  };

  const nothingYet = search.phase === 'done' && search.found.traces.length === 0 && status?.spans === 0 && isUnfiltered(state);
  if (nothingYet && status !== null) {
    return html`<main class="page"><${EmptyState} status=${status} onFirstSpan=${again} /></main>`;
  }
  return html`<main class="page search-page">
    <h1 class="visually-hidden">Search traces</h1>
    <${SearchForm} state=${state} busy=${search.phase === 'loading'} onSearch=${submit} />
    <div class="search-results" aria-busy=${search.phase === 'loading'}>
      ${valid && search.phase === 'failed' ? html`<${Problem} error=${search.error} subject="search" retry=${again} />` : null}
      ${
        valid && search.phase !== 'failed'
          ? html`<${Results} found=${search.found} busy=${search.phase === 'loading'} loadingMore=${loadingMore} onMore=${loadMore} onSearch=${submit} />`
          : null
      }
      ${moreError === null ? null : html`<${Problem} error=${moreError} subject="search" retry=${loadMore} />`}
      ${valid ? null : html`<p class="muted center">Correct the search to see its results.</p>`}
    </div>
  </main>`;
}

/** @param {AbortSignal} signal */
async function statusOrNull(signal) {
  try {
    return await api.status(signal);
  } catch {
    return null; // the search was answered: "nothing found" is shown instead of the empty state
  }
}
