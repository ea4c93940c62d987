import * as api from '../../api/index.js';
import { formatAge, formatDuration } from '../../model/time.js';
import { counted, formatCount } from '../../model/text.js';
import { everything, isUnfiltered, searchParameters } from '../../model/search-state.js';
import { Instant, Loading, Notice, Outside, ServiceDot } from '../bits.js';
import { Downloads } from '../downloads.js';
import { html } from '../html.js';
import { Icon } from '../icons.js';
import { Scatter } from './scatter.js';

/**
 * @import { ExportFormat, TraceSummary } from '../../api/types.js'
 * @import { SearchState } from '../../model/search-state.js'
 * @import { Found } from './page.js'
 */

const MOST_SERVICES = 6;

/**
 * @param {{ found: Found | null, busy: boolean, loadingMore: boolean, onMore: () => void, onSearch: (state: SearchState) => void }} props
 */
export function Results({ found, busy, loadingMore, onMore, onSearch }) {
  if (found === null) return html`<${Loading} label="Searching…" />`;
  const { traces, cursor, truncated, nowMs, state } = found;
  if (traces.length === 0 && cursor === null) return html`<${NothingFound} state=${state} onSearch=${onSearch} />`;
  const longest = traces.reduce((most, trace) => Math.max(most, trace.duration_nano), 0);
  const narrow = (/** @type {number} */ fromMs, /** @type {number} */ toMs) =>
    onSearch({ ...state, range: 'custom', start: new Date(fromMs).toISOString(), end: new Date(toMs).toISOString() });
  /** @param {ExportFormat} format */
  const fileOf = (format) => api.searchFile(searchParameters({ ...state, limit: Math.max(traces.length, 1) }, nowMs), format);

  return html`<div class=${busy ? 'results stale' : 'results'}>
    ${traces.length > 0 ? html`<${Scatter} traces=${traces} onRange=${narrow} />` : null}
    <div class="results-head" aria-live="polite">
      <h2>${counted(traces.length, 'trace')}${cursor === null ? '' : ' so far'}</h2>
      <span class="muted">newest first</span>
      <${Downloads} title="Download the traces that this search finds" urlOf=${fileOf} />
    </div>
    ${
      truncated
        ? html`<${Notice} tone="warning">The search met its limit of time before it had looked at everything.${' '}
            ${cursor === null ? 'Narrow it to see the rest.' : '“Load more” goes on where it stopped.'}<//>`
        : null
    }
    <ol class="trace-list">${traces.map((trace) => html`<${TraceItem} trace=${trace} longest=${longest} nowMs=${nowMs} key=${trace.trace_id} />`)}</ol>
    ${
      cursor === null
        ? html`<p class="muted center end-of-list">That is all.</p>`
        : html`<div class="center"><button type="button" class="button" onClick=${onMore} disabled=${loadingMore}>
            ${loadingMore ? 'Loading…' : 'Load more'}
          </button></div>`
    }
  </div>`;
}

/** @param {{ trace: TraceSummary, longest: number, nowMs: number }} props */
function TraceItem({ trace, longest, nowMs }) {
  const start = BigInt(trace.start_unix_nano);
  const age = formatAge(start, nowMs);
  const share = longest === 0 ? 0 : (trace.duration_nano / longest) * 100;
  const services = [...trace.services].sort((a, b) => b.errors - a.errors || b.spans - a.spans);
  const rest = services.slice(MOST_SERVICES);
  return html`<li class="trace-item">
    <a class="trace-link" href=${`/trace/${trace.trace_id}`}>
      <span class="trace-title">
        <${ServiceDot} service=${trace.root_service} />
        <span class="trace-service"><${Outside} text=${trace.root_service} limit=${120} fallback="(no service)" /></span>
        <span class="trace-name"><${Outside} text=${trace.root_name} limit=${200} fallback="(no name)" /></span>
      </span>
      <span class="trace-duration">${formatDuration(trace.duration_nano)}</span>
      <span class="trace-bar" aria-hidden="true"><span class=${trace.error_count > 0 ? 'bar error' : 'bar'} style=${{ width: `${Math.max(share, 0.4)}%` }}></span></span>
      <span class="trace-foot"><span class="trace-facts">
        ${age === null ? null : html`<span>${age}</span>`}
        <${Instant} unixNano=${start} />
        <span>${trace.truncated ? 'over ' : ''}${counted(trace.span_count, 'span')}</span>
        ${trace.matched_spans < trace.span_count ? html`<span>${formatCount(trace.matched_spans)} matching</span>` : null}
        ${trace.error_count > 0 ? html`<span class="badge error"><${Icon} name="error" />${counted(trace.error_count, 'error')}</span>` : null}
        ${
          trace.incomplete
            ? html`<span class="badge warning" title="A span names a parent that has not arrived"><${Icon} name="warning" />Incomplete</span>`
            : null
        }
      </span>
      <span class="chips">
        ${services.slice(0, MOST_SERVICES).map(
          (service) => html`<span class=${service.errors > 0 ? 'chip has-errors' : 'chip'} key=${service.name}>
            <${ServiceDot} service=${service.name} /><${Outside} text=${service.name} limit=${60} fallback="(no service)" />
            <span class="chip-count">${formatCount(service.spans)}</span>
            ${service.errors > 0 ? html`<span class="chip-errors" title=${counted(service.errors, 'error')}><${Icon} name="error" />${formatCount(service.errors)}</span>` : null}
          </span>`,
        )}
        ${rest.length > 0 ? html`<span class="chip" title=${rest.slice(0, 40).map((service) => service.name).join(', ')}>+${rest.length} more</span>` : null}
      </span></span>
    </a>
  </li>`;
}

/** @param {{ state: SearchState, onSearch: (state: SearchState) => void }} props */
function NothingFound({ state, onSearch }) {
  const timed = state.range !== 'all';
  return html`<section class="nothing">
    <h2>No trace matches</h2>
    <p class="muted">${
      isUnfiltered(state)
        ? 'Nothing that is kept can be shown.'
        : 'All conditions must hold on one and the same span. Service and operation match whole names, upper and lower case apart.'
    }</p>
    <div class="button-row center">
      ${timed ? html`<button type="button" class="button primary" onClick=${() => onSearch({ ...state, range: 'all', start: '', end: '' })}>Search all times</button>` : null}
      ${isUnfiltered(state) ? null : html`<button type="button" class="button" onClick=${() => onSearch({ ...everything })}>Clear the search</button>`}
    </div>
  </section>`;
}
