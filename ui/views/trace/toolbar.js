import { formatCount } from '../../model/text.js';
import { lowerBound } from '../../model/find.js';
import { html } from '../html.js';
import { Icon } from '../icons.js';

/** @import { TraceState } from './state.js' */

/**
 * @param {{ state: TraceState, findBox: { current: HTMLInputElement | null }, grid: { current: HTMLElement | null } }} props
 */
export function Toolbar({ state, findBox, grid }) {
  const { columns } = state;
  const matches = state.matches.value;
  const none = matches === null || matches.rows.length === 0;
  /** @param {KeyboardEvent} event */
  const press = (event) => {
    if (event.key === 'Enter') {
      event.preventDefault();
      state.goToMatch(event.shiftKey ? -1 : 1);
    } else if (event.key === 'Escape') {
      event.stopPropagation();
      state.findText.value = '';
      grid.current?.focus();
    } else if (event.key === 'ArrowDown') {
      event.preventDefault();
      grid.current?.focus();
    }
  };
  return html`<div class="toolbar" role="group" aria-label="Trace tools">
    <div class="find" role="search" aria-label="Find in this trace">
      <${Icon} name="search" />
      <input ref=${findBox} type="text" name="find" value=${state.findText.value} placeholder="Find name, service or span id" aria-label="Find in this trace"
        autocomplete="off" autocapitalize="off" spellcheck=${false} onKeyDown=${press}
        onInput=${(/** @type {Event} */ event) => (state.findText.value = /** @type {HTMLInputElement} */ (event.target).value)} />
      <span class="find-count" role="status">${matchCount(state)}</span>
      <button type="button" class="icon-button small" title="Previous match (N)" aria-label="Previous match" disabled=${none} onClick=${() => state.goToMatch(-1)}><${Icon} name="up" /></button>
      <button type="button" class="icon-button small" title="Next match (n)" aria-label="Next match" disabled=${none} onClick=${() => state.goToMatch(1)}><${Icon} name="down" /></button>
    </div>
    <button type="button" class="button quiet danger" disabled=${columns.errorCount === 0} title="Next error (e)" aria-label="Next error" onClick=${() => state.goToError(1)}>
      <${Icon} name="error" /><span>Next error</span>
    </button>
    <span class="toolbar-gap"></span>
    ${
      state.zoomed.value
        ? html`<button type="button" class="button quiet" title="Show the whole time (0)" onClick=${() => state.zoomTo(state.whole)}><${Icon} name="fit" /><span>Reset zoom</span></button>`
        : null
    }
    <button type="button" class="button quiet" title="Collapse all (c)" aria-label="Collapse all" onClick=${() => state.collapseAll()}><${Icon} name="collapse" /><span>Collapse all</span></button>
    <button type="button" class="button quiet" title="Expand all (x)" aria-label="Expand all" onClick=${() => state.expandAll()}><${Icon} name="expand" /><span>Expand all</span></button>
    <button type="button" class="icon-button" title="Keys (?)" aria-label="Keys" onClick=${() => (state.helpOpen.value = true)}><${Icon} name="keyboard" /></button>
  </div>`;
}

/** @param {TraceState} state */
function matchCount(state) {
  const matches = state.matches.value;
  if (matches === null) return '';
  const { rows, marked } = matches;
  if (rows.length === 0) return 'none';
  const active = state.active.value;
  return active >= 0 && marked[active] === 1
    ? `${formatCount(lowerBound(rows, active) + 1)} of ${formatCount(rows.length)}`
    : formatCount(rows.length);
}
