import * as api from '../../api/index.js';
import { TraceColumns } from '../../model/columns.js';
import { parseTraceId } from '../../model/ids.js';
import { label } from '../../model/text.js';
import { readTraceView } from '../../model/trace-state.js';
import { Loading } from '../bits.js';
import { effect, html, useEffect, useRef, useState } from '../html.js';
import { Problem } from '../problem.js';
import { describe, location } from '../router.js';
import { SpanPanel } from './panel.js';
import { TraceHeader } from './header.js';
import { KeysDialog, pressKey } from './keys.js';
import { Overview } from './overview.js';
import { TraceState } from './state.js';
import { Toolbar } from './toolbar.js';
import { Waterfall } from './waterfall.js';
import { TraceWithoutSpans } from './without-span.js';

/** Browsers refuse to be told a new URL at every step of a drag. */
const URL_FOLLOWS_AFTER_MS = 200;

/** @typedef {{ phase: 'loading' } | { phase: 'failed', error: unknown } | { phase: 'open', state: TraceState }} Opening */

/** @param {{ traceId: string }} props */
export function TracePage({ traceId }) {
  const [opening, setOpening] = useState(/** @type {Opening} */ ({ phase: 'loading' }));
  const [attempt, setAttempt] = useState(0);

  useEffect(() => {
    const controller = new AbortController();
    setOpening({ phase: 'loading' });
    document.title = 'Trace · Backtrail';
    api.skeleton(parseTraceId(traceId) ?? traceId, controller.signal).then(
      (skeleton) => {
        const columns = new TraceColumns(skeleton);
        const state = new TraceState(columns, readTraceView(location.peek().query));
        document.title = `${label(columns.nameOf(columns.root), 80)} · Backtrail`;
        setOpening({ phase: 'open', state });
      },
      (error) => {
        if (!api.isAbort(error)) setOpening({ phase: 'failed', error });
      },
    );
    return () => controller.abort();
  }, [traceId, attempt]);

  if (opening.phase === 'loading') return html`<main class="page"><${Loading} label="Opening the trace…" /></main>`;
  if (opening.phase === 'failed') {
    const problem = html`<${Problem} error=${opening.error} subject="trace" retry=${() => setAttempt(attempt + 1)}>
      <a class="button" href="/search">Search traces</a>
    <//>`;
    const isMissing = opening.error instanceof api.ApiError && opening.error.status === 404;
    return html`<main class="page narrow">${isMissing ? html`<${TraceWithoutSpans} traceId=${traceId} key=${attempt}>${problem}<//>` : problem}</main>`;
  }
  return html`<${OpenTrace} state=${opening.state} onReload=${() => setAttempt(attempt + 1)} />`;
}

/** @param {{ state: TraceState, onReload: () => void }} props */
function OpenTrace({ state, onReload }) {
  const findBox = useRef(/** @type {HTMLInputElement | null} */ (null));
  const grid = useRef(/** @type {HTMLElement | null} */ (null));
  useUrl(state);

  useEffect(() => {
    const press = (/** @type {KeyboardEvent} */ event) => pressKey(event, state, { findBox: findBox.current, grid: grid.current });
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, [state]);

  const detailRow = state.detailOpen.value ? state.active.value : -1;
  return html`<main class=${detailRow >= 0 ? 'trace-page with-detail' : 'trace-page'}>
    <${TraceHeader} state=${state} onReload=${onReload} />
    <${Overview} state=${state} />
    <${Toolbar} state=${state} findBox=${findBox} grid=${grid} />
    <div class="trace-body">
      <${Waterfall} state=${state} grid=${grid} />
      ${detailRow >= 0 ? html`<${SpanPanel} state=${state} row=${detailRow} grid=${grid} />` : null}
    </div>
    ${state.helpOpen.value ? html`<${KeysDialog} onClose=${() => (state.helpOpen.value = false)} />` : null}
  </main>`;
}

/** Keeps the URL true to what is shown, and what is shown true to a URL that was gone to. @param {TraceState} state */
function useUrl(state) {
  const opened = useRef(location.value);
  const current = location.value;
  useEffect(() => {
    if (current === opened.current) return;
    opened.current = current;
    state.apply(readTraceView(current.query));
  }, [current]);
  useEffect(() => {
    let timer = 0;
    let shown = '';
    const stop = effect(() => {
      const url = state.url();
      clearTimeout(timer);
      // The first run describes what the URL said anyway, in its canonical form.
      timer = window.setTimeout(() => {
        if (url !== shown) describe(url);
        shown = url;
      }, URL_FOLLOWS_AFTER_MS);
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [state]);
}
