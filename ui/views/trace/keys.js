import { panRange, zoomRange } from '../../canvas/scale.js';
import { html, useEffect, useRef } from '../html.js';
import { Icon } from '../icons.js';

/** @import { TraceState } from './state.js' */

/** @type {ReadonlyArray<readonly [string, string]>} */
const keys = [
  ['↑ ↓', 'Move to the span above or below'],
  ['PgUp, PgDn', 'Move by a screen'],
  ['Home, End', 'First or last span'],
  ['→', 'Expand; then move to the first child'],
  ['←', 'Collapse; then move to the parent'],
  ['Enter', 'Open the detail of the span'],
  ['w', 'Widen the detail, or narrow it'],
  ['Escape', 'Close the detail, or clear the find'],
  ['/', 'Find in this trace'],
  ['n, N', 'Next or previous match'],
  ['e, E', 'Next or previous error'],
  ['c, x', 'Collapse all, expand all'],
  ['+, −', 'Zoom in, zoom out'],
  ['Shift ← →', 'Move the time in view'],
  ['f, 0', 'Zoom to the span, show the whole time'],
  ['?', 'This list'],
];

/** @param {EventTarget | null} target */
function isTyping(target) {
  return target instanceof Element && target.closest('input, textarea, select, [contenteditable]') !== null;
}

/**
 * The keys that hold wherever the focus is on a trace page. Those that move between rows belong to the
 * treegrid, see `TreeGrid`.
 *
 * @param {KeyboardEvent} event
 * @param {TraceState} state
 * @param {{ findBox: HTMLInputElement | null, grid: HTMLElement | null }} places
 */
export function pressKey(event, state, { findBox, grid }) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || state.helpOpen.peek()) return;
  if (event.key === 'Escape') {
    if (state.detailOpen.peek()) {
      state.close();
      grid?.focus();
    } else if (state.findText.peek() !== '') {
      state.findText.value = '';
    } else {
      return;
    }
    event.preventDefault();
    return;
  }
  if (isTyping(event.target)) return;
  const action = actionOf(event, state, findBox);
  if (action === null) return;
  event.preventDefault();
  action();
}

/**
 * @param {KeyboardEvent} event
 * @param {TraceState} state
 * @param {HTMLInputElement | null} findBox
 * @returns {(() => void) | null}
 */
function actionOf(event, state, findBox) {
  const zoom = (/** @type {number} */ factor) => () => {
    const { from, to } = state.range.peek();
    state.range.value = zoomRange({ from, to }, state.whole, factor, (from + to) / 2);
  };
  const pan = (/** @type {number} */ share) => () => {
    const range = state.range.peek();
    state.range.value = panRange(range, state.whole, (range.to - range.from) * share);
  };
  switch (event.key) {
    case '/':
      return () => {
        findBox?.focus();
        findBox?.select();
      };
    case 'n':
      return () => state.goToMatch(1);
    case 'N':
      return () => state.goToMatch(-1);
    case 'e':
      return () => state.goToError(1);
    case 'E':
      return () => state.goToError(-1);
    case 'c':
      return () => state.collapseAll();
    case 'x':
      return () => state.expandAll();
    case 'w':
      return state.detailOpen.peek() ? () => (state.detailWide.value = !state.detailWide.peek()) : null;
    case 'f':
      return () => state.zoomToSpan(state.active.peek());
    case '0':
      return () => state.zoomTo(state.whole);
    case '+':
    case '=':
      return zoom(1 / 1.5);
    case '-':
    case '_':
      return zoom(1.5);
    case 'ArrowLeft':
      return event.shiftKey ? pan(-0.2) : null;
    case 'ArrowRight':
      return event.shiftKey ? pan(0.2) : null;
    case '?':
      return () => (state.helpOpen.value = true);
    default:
      return null;
  }
}

/** @param {{ onClose: () => void }} props */
export function KeysDialog({ onClose }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  /** @param {MouseEvent} event */
  const clickBeside = (event) => {
    if (event.target === dialog.current) onClose();
  };
  return html`<dialog ref=${dialog} class="keys-dialog" aria-labelledby="keys-title" onClose=${onClose} onClick=${clickBeside}>
    <div class="dialog-head"><h2 id="keys-title">Keys</h2>
      <button type="button" class="icon-button" aria-label="Close" onClick=${onClose}><${Icon} name="close" /></button></div>
    <dl class="keys">${keys.map(([key, does]) => html`<div key=${key}><dt><kbd>${key}</kbd></dt><dd>${does}</dd></div>`)}</dl>
  </dialog>`;
}
