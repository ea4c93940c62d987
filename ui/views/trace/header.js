import * as api from '../../api/index.js';
import { counted, formatCount } from '../../model/text.js';
import { formatDuration } from '../../model/time.js';
import { CopyButton, Instant, Notice, Outside, ServiceDot } from '../bits.js';
import { Downloads } from '../downloads.js';
import { html, useState } from '../html.js';
import { Icon } from '../icons.js';
import { backIsSearch } from '../router.js';
import { WithoutSpan } from './without-span.js';

/**
 * @import { ExportFormat } from '../../api/types.js'
 * @import { TraceState } from './state.js'
 */

const MOST_CHIPS = 12;

/** @param {{ state: TraceState, onReload: () => void }} props */
export function TraceHeader({ state, onReload }) {
  const { columns } = state;
  return html`<header class="trace-header">
    <div class="trace-heading">
      <a class="icon-button" href="/search" onClick=${back} title="Back to the search" aria-label="Back to the search"><${Icon} name="left" /></a>
      <h1>
        <${ServiceDot} service=${columns.serviceOf(columns.root)} />
        <span class="heading-service"><${Outside} text=${columns.serviceOf(columns.root)} limit=${120} fallback="(no service)" /></span>
        <span class="heading-name"><${Outside} text=${columns.nameOf(columns.root)} limit=${300} fallback="(no name)" /></span>
      </h1>
      <div class="trace-actions">
        <${Downloads} title="Download this trace" urlOf=${(/** @type {ExportFormat} */ format) => api.traceFile(columns.traceId, format)} />
      </div>
    </div>
    <dl class="facts">
      <div class="fact-id"><dt>Trace</dt><dd><code class="trace-id">${columns.traceId}</code><${CopyButton} text=${columns.traceId} label="Copy the trace id" /></dd></div>
      <div><dt>Start</dt><dd><${Instant} unixNano=${columns.startUnixNano + BigInt(Math.round(columns.begin))} /></dd></div>
      <div><dt>Duration</dt><dd class="strong">${formatDuration(columns.end - columns.begin)}</dd></div>
      <div><dt>Spans</dt><dd>${formatCount(columns.count)}</dd></div>
      <div><dt>Errors</dt><dd class=${columns.errorCount > 0 ? 'error-text' : ''}>${formatCount(columns.errorCount)}</dd></div>
      <div><dt>Services</dt><dd>${formatCount(columns.services.length)}</dd></div>
      <div><dt>Depth</dt><dd>${formatCount(columns.maxDepth + 1)}</dd></div>
    </dl>
    <${ServiceChips} state=${state} />
    <${TraceNotices} state=${state} onReload=${onReload} />
    <${WithoutSpan} traceId=${columns.traceId} />
  </header>`;
}

/** Goes back to the list that one came from; a trace opened by its link goes to an empty search. @param {MouseEvent} event */
function back(event) {
  if (!backIsSearch() || event.metaKey || event.ctrlKey) return;
  event.preventDefault();
  history.back();
}

/** A press on a service finds its spans. @param {{ state: TraceState }} props */
function ServiceChips({ state }) {
  const { columns } = state;
  const [all, setAll] = useState(false);
  const order = columns.services
    .map((name, id) => ({ name, spans: columns.serviceSpans[id], errors: columns.serviceErrors[id] }))
    .sort((a, b) => b.spans - a.spans);
  const shown = all ? order : order.slice(0, MOST_CHIPS);
  const sought = state.findText.value;
  return html`<div class="chips service-chips" role="group" aria-label="Services: find their spans">
    ${shown.map(({ name, spans, errors }) => {
      const on = name !== '' && sought === name;
      return html`<button type="button" key=${name} class=${errors > 0 ? 'chip has-errors' : 'chip'} aria-pressed=${on}
        title=${`${counted(spans, 'span')}${errors > 0 ? `, ${counted(errors, 'error')}` : ''}`} onClick=${() => (state.findText.value = on ? '' : name)}>
        <${ServiceDot} service=${name} /><${Outside} text=${name} limit=${60} fallback="(no service)" />
        <span class="chip-count">${formatCount(spans)}</span>
        ${errors > 0 ? html`<span class="chip-errors"><${Icon} name="error" />${formatCount(errors)}</span>` : null}
      </button>`;
    })}
    ${
      order.length > MOST_CHIPS
        ? html`<button type="button" class="chip" aria-expanded=${all} onClick=${() => setAll(!all)}>${all ? 'Fewer' : `+${order.length - MOST_CHIPS} more`}</button>`
        : null
    }
  </div>`;
}

/** @param {{ state: TraceState, onReload: () => void }} props */
function TraceNotices({ state, onReload }) {
  const { columns } = state;
  const notes = [];
  if (columns.truncated) {
    notes.push(
      html`<${Notice} tone="warning" key="truncated">This trace has more spans than the server gives at once: the earliest <strong>${formatCount(columns.count)}</strong> are here,
        and counts are of these.<//>`,
    );
  }
  if (columns.missingParents > 0) {
    notes.push(
      html`<${Notice} tone="warning" key="parents"><strong>${counted(columns.missingParents, 'span')}</strong>${' '}
        ${columns.missingParents === 1 ? 'names a parent that is' : 'name parents that are'} not here: still on the way, not sampled, or never sent.
        ${columns.missingParents === 1 ? ' It is' : ' They are'} shown at the top level and marked.${' '}
        <button type="button" class="link-button" onClick=${onReload}>Look again</button><//>`,
    );
  }
  if (columns.clockSkews > 0) {
    notes.push(
      html`<${Notice} tone="warning" key="skew"><strong>${counted(columns.clockSkews, 'span')}</strong>${' '}
        ${columns.clockSkews === 1 ? 'starts' : 'start'} before the parent: the clocks of two machines disagree. Times are shown as they were sent.<//>`,
    );
  }
  if (columns.cutCircles > 0) {
    notes.push(html`<${Notice} tone="warning" key="circle">Parents led in a circle in ${counted(columns.cutCircles, 'place')}; the circle was cut there.<//>`);
  }
  if (columns.sharedIds > 0) {
    notes.push(html`<${Notice} tone="info" key="shared">${counted(columns.sharedIds, 'span')} ${columns.sharedIds === 1 ? 'shares' : 'share'} an id with another span.<//>`);
  }
  if (columns.repeats > 0) {
    notes.push(html`<${Notice} tone="info" key="repeats">${counted(columns.repeats, 'identical repeat')} of spans ${columns.repeats === 1 ? 'was' : 'were'} left out.<//>`);
  }
  if (notes.length <= 1) return html`<div class="notices">${notes}</div>`;
  return html`<details class="notices">
    <summary><${Icon} name="warning" />${formatCount(notes.length)} remarks on this trace</summary>${notes}</details>`;
}
