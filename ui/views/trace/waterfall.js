import { ticks, timeToX } from '../../canvas/scale.js';
import { barArea, tickGap } from '../../canvas/waterfall-layout.js';
import { Flag } from '../../model/columns.js';
import { label } from '../../model/text.js';
import { formatDuration } from '../../model/time.js';
import { html, useEffect, useRef, useState } from '../html.js';
import { WaterfallView } from './waterfall-view.js';

/** @import { TraceState } from './state.js' */

/**
 * @param {{ state: TraceState, grid: { current: HTMLElement | null } }} props
 */
export function Waterfall({ state, grid }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const body = useRef(/** @type {HTMLElement | null} */ (null));
  const [view, setView] = useState(/** @type {WaterfallView | null} */ (null));

  useEffect(() => {
    if (grid.current === null || canvas.current === null || body.current === null) return undefined;
    const created = new WaterfallView(state, { scroller: grid.current, canvas: canvas.current, body: body.current });
    setView(created);
    // The keys work from the first moment on.
    grid.current.focus({ preventScroll: true });
    return () => created.dispose();
  }, [state]);

  return html`<section class="waterfall" aria-label="Waterfall">
    ${view === null ? html`<div class="wf-head"></div>` : html`<${Ruler} state=${state} view=${view} />`}
    <div class="wf-scroll" ref=${grid} role="treegrid" tabindex="0" aria-label="Spans of the trace" aria-colcount="3" aria-rowcount=${state.visibility.count}>
      <canvas ref=${canvas} class="wf-canvas" aria-hidden="true"></canvas>
      <div ref=${body} class="wf-rows" role="rowgroup"></div>
    </div>
    ${view === null ? null : html`<${Divider} view=${view} /><${HoverTip} state=${state} view=${view} />`}
  </section>`;
}

/** @param {{ state: TraceState, view: WaterfallView }} props */
function Ruler({ state, view }) {
  const { width, nameWidth } = view.layout.value;
  const range = state.range.value;
  const area = barArea({ width, nameWidth });
  const marks = width === 0 ? [] : ticks(range, area.width, tickGap(area.width));
  return html`<div class="wf-head" aria-hidden="true">
    <span class="wf-head-name" style=${{ width: `${nameWidth}px` }}>Span</span>
    ${marks.map((time) => {
      const x = area.left + timeToX(range, area.width, time);
      const last = x > width - 50;
      return html`<span class=${last ? 'wf-tick last' : 'wf-tick'} style=${last ? { right: `${width - x}px` } : { left: `${x}px` }} key=${time}>${tickText(time - state.whole.from)}</span>`;
    })}
  </div>`;
}

/** @param {number} time */
function tickText(time) {
  return time === 0 ? '0' : formatDuration(time);
}

/** @param {{ view: WaterfallView }} props */
function Divider({ view }) {
  const { width, nameWidth } = view.layout.value;
  const [dragging, setDragging] = useState(false);
  /** @param {PointerEvent} event */
  const press = (event) => {
    /** @type {HTMLElement} */ (event.currentTarget).setPointerCapture(event.pointerId);
    setDragging(true);
  };
  /** @param {PointerEvent} event */
  const move = (event) => {
    if (dragging) view.setNameWidth(event.clientX - view.scroller.getBoundingClientRect().left);
  };
  /** @param {KeyboardEvent} event */
  const key = (event) => {
    if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
    event.preventDefault();
    event.stopPropagation();
    view.setNameWidth(nameWidth + (event.key === 'ArrowLeft' ? -16 : 16));
  };
  return html`<div class=${dragging ? 'wf-divider dragging' : 'wf-divider'} role="separator" tabindex="0" aria-orientation="vertical" aria-label="Width of the names"
    aria-valuenow=${width === 0 ? 0 : Math.round((nameWidth / width) * 100)} aria-valuemin="0" aria-valuemax="100" style=${{ left: `${nameWidth - 1}px` }}
    onPointerDown=${press} onPointerMove=${move} onPointerUp=${() => setDragging(false)} onPointerCancel=${() => setDragging(false)} onKeyDown=${key}></div>`;
}

/** The full name of what is under the pointer. @param {{ state: TraceState, view: WaterfallView }} props */
function HoverTip({ state, view }) {
  const hover = view.hover.value;
  if (hover === null) return null;
  const { columns } = state;
  const { row, x, y } = hover;
  const { width } = view.layout.value;
  const below = y < 120;
  const place = {
    [x > width / 2 ? 'right' : 'left']: `${(x > width / 2 ? width - x : x) + 14}px`,
    [below ? 'top' : 'bottom']: below ? `${y + 46}px` : `calc(100% - ${y + 18}px)`,
  };
  const flags = columns.flags[row];
  return html`<div class="tip" style=${place} aria-hidden="true">
    <strong><bdi>${label(columns.nameOf(row), 160) || '(no name)'}</bdi></strong>
    <span><bdi>${label(columns.serviceOf(row), 80) || '(no service)'}</bdi></span>
    <span class="muted">${formatDuration(columns.duration[row])}, from ${formatDuration(columns.start[row] - columns.begin)}</span>
    ${columns.isError(row) ? html`<span class="error-text">Error</span>` : null}
    ${!columns.isError(row) && state.visibility.collapsed[row] === 1 && columns.hiddenErrors[row] > 0 ? html`<span class="error-text">Hides errors</span>` : null}
    ${flags & Flag.missingParent ? html`<span class="warning-text">Its parent is missing</span>` : null}
    ${flags & Flag.clockSkew ? html`<span class="warning-text">Starts before its parent</span>` : null}
    ${flags & Flag.cutCircle ? html`<span class="warning-text">Cut out of a circle of parents</span>` : null}
  </div>`;
}
