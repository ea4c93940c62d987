import * as api from '../../api/index.js';
import { kindNames } from '../../model/columns.js';
import { counted, visible } from '../../model/text.js';
import { formatDuration } from '../../model/time.js';
import { CopyButton, Instant, Loading, Notice, Outside, ServiceDot } from '../bits.js';
import { html, useEffect, useRef, useState } from '../html.js';
import { Icon } from '../icons.js';
import { Problem } from '../problem.js';
import { AttributeTable, Section } from './attributes.js';
import { Events, Exceptions, isException } from './events.js';

/**
 * @import { SpanDetail, SpanLink } from '../../api/types.js'
 * @import { TraceColumns } from '../../model/columns.js'
 * @import { TraceState } from './state.js'
 */

/** Holding an arrow key down must not ask for every span that is passed. */
const FETCH_AFTER_MS = 80;
const DETAILS_KEPT = 50;

/** @typedef {{ row: number, spans: SpanDetail[] | null, error: unknown }} Loaded */

/**
 * The detail of the selected span, fetched when it is asked for.
 *
 * @param {{ state: TraceState, row: number, grid: { current: HTMLElement | null } }} props
 */
export function SpanPanel({ state, row, grid }) {
  const { columns } = state;
  const [loaded, setLoaded] = useState(/** @type {Loaded} */ ({ row: -1, spans: null, error: null }));
  const [attempt, setAttempt] = useState(0);
  const cache = useRef(/** @type {Map<string, SpanDetail[]>} */ (new Map()));
  const panel = useRef(/** @type {HTMLElement | null} */ (null));
  const spanId = columns.spanIds[row];

  useEffect(() => {
    const known = cache.current.get(spanId);
    if (known !== undefined) {
      setLoaded({ row, spans: known, error: null });
      return undefined;
    }
    const controller = new AbortController();
    const timer = setTimeout(async () => {
      try {
        const { spans } = await api.span(columns.traceId, spanId, controller.signal);
        keep(cache.current, spanId, spans);
        setLoaded({ row, spans, error: null });
      } catch (error) {
        if (!api.isAbort(error)) setLoaded({ row, spans: null, error });
      }
    }, FETCH_AFTER_MS);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [spanId, row, attempt]);

  useEffect(() => {
    if (panel.current !== null) panel.current.scrollTop = 0;
  }, [row]);

  const close = () => {
    state.close();
    grid.current?.focus();
  };
  const current = loaded.row === row ? loaded : null;
  const wide = state.detailWide.value;
  const widen = wide ? 'Narrow the detail' : 'Widen the detail';
  return html`<aside class=${wide ? 'span-panel wide' : 'span-panel'} aria-label="Span detail">
    <header class="panel-head">
      <div class="panel-title">
        <span class="panel-service"><${ServiceDot} service=${columns.serviceOf(row)} /><${Outside} text=${columns.serviceOf(row)} limit=${120} fallback="(no service)" /></span>
        <h2><${Outside} text=${columns.nameOf(row)} limit=${300} fallback="(no name)" /></h2>
      </div>
      <button type="button" class="icon-button widen" title=${`${widen} (w)`} aria-label=${widen} onClick=${() => (state.detailWide.value = !wide)}><${Icon} name=${wide ? 'narrow' : 'widen'} /></button>
      <button type="button" class="icon-button" title="Close (Escape)" aria-label="Close the detail" onClick=${close}><${Icon} name="close" /></button>
    </header>
    <div class="panel-body" ref=${panel} tabindex="0" role="region" aria-label="Attributes and events">
      ${current === null ? html`<${Loading} label="Loading the span…" />` : null}
      ${current !== null && current.error !== null ? html`<${Problem} error=${current.error} subject="span" retry=${() => setAttempt(attempt + 1)} />` : null}
      ${current !== null && current.spans !== null ? html`<${Details} state=${state} row=${row} spans=${current.spans} key=${row} />` : null}
    </div>
  </aside>`;
}

/**
 * @param {Map<string, SpanDetail[]>} cache
 * @param {string} spanId
 * @param {SpanDetail[]} spans
 */
function keep(cache, spanId, spans) {
  if (cache.size >= DETAILS_KEPT) {
    const oldest = cache.keys().next().value;
    if (oldest !== undefined) cache.delete(oldest);
  }
  cache.set(spanId, spans);
}

/**
 * Two spans may bear one id; the one of this row is shown, chosen by what the skeleton knows of it.
 *
 * @param {SpanDetail[]} spans
 * @param {TraceColumns} columns
 * @param {number} row
 */
export function detailOfRow(spans, columns, row) {
  const start = columns.startUnixNano + BigInt(Math.round(columns.start[row]));
  const matches = (/** @type {SpanDetail} */ span) =>
    Number(span.service === columns.serviceOf(row)) +
    Number(span.name === columns.nameOf(row)) +
    Number(span.kind === kindNames[columns.kind[row]]) +
    Number(span.duration_nano === columns.duration[row]) +
    Number(BigInt(span.start_unix_nano) === start);
  return spans.reduce((best, span) => (matches(span) > matches(best) ? span : best));
}

/** @param {{ state: TraceState, row: number, spans: SpanDetail[] }} props */
function Details({ state, row, spans }) {
  if (spans.length === 0) return html`<${Notice} tone="warning">The server has no detail of this span.<//>`;
  const { columns } = state;
  const span = detailOfRow(spans, columns, row);
  const exceptions = span.events.filter(isException);
  return html`<div class="span-detail">
    <${Exceptions} events=${exceptions} service=${span.service} />
    <dl class="facts compact">
      <div><dt>Duration</dt><dd class="strong">${formatDuration(span.duration_nano)}</dd></div>
      <div><dt>Begins at</dt><dd>${formatDuration(columns.start[row] - columns.begin)}</dd></div>
      <div><dt>Kind</dt><dd>${span.kind}</dd></div>
      <div><dt>Status</dt><dd><span class=${`status ${span.status}`}>${span.status === 'error' ? html`<${Icon} name="error" />` : null}${span.status}</span></dd></div>
      <div class="wide"><dt>Start</dt><dd><${Instant} unixNano=${BigInt(span.start_unix_nano)} /></dd></div>
      <div class="wide"><dt>Span</dt><dd><code>${span.span_id}</code><${CopyButton} text=${span.span_id} label="Copy the span id" /></dd></div>
      ${span.parent_span_id === null ? null : html`<div class="wide"><dt>Parent</dt><dd><${Parent} state=${state} row=${row} spanId=${span.parent_span_id} /></dd></div>`}
      ${span.trace_state === '' ? null : html`<div class="wide"><dt>Trace state</dt><dd><code class="breaks">${visible(span.trace_state)}</code></dd></div>`}
    </dl>
    ${spans.length > 1 ? html`<${Notice} tone="info">${counted(spans.length, 'span')} of this trace bear this id; this is the one of the selected row.<//>` : null}
    ${
      span.status_message !== '' && exceptions.length === 0
        ? html`<${Notice} tone=${span.status === 'error' ? 'error' : 'info'}><span class="breaks">${visible(span.status_message.slice(0, 2000))}</span><//>`
        : null
    }
    <${AttributeTable} title="Attributes" place="span" attributes=${span.attributes} dropped=${span.dropped_attributes_count} open=${true} />
    <${Events} events=${span.events} dropped=${span.dropped_events_count} spanStart=${BigInt(span.start_unix_nano)} />
    <${Links} links=${span.links} dropped=${span.dropped_links_count} />
    <${AttributeTable} title="Resource" place="resource" attributes=${span.resource.attributes} dropped=${span.resource.dropped_attributes_count}
      notes=${span.resource.schema_url === '' ? [] : [{ name: 'schema', value: span.resource.schema_url }]} open=${false} />
    <${AttributeTable} title="Scope" place="scope" attributes=${span.scope.attributes} dropped=${span.scope.dropped_attributes_count}
      notes=${[
        { name: 'name', value: span.scope.name },
        { name: 'version', value: span.scope.version },
        { name: 'schema', value: span.scope.schema_url },
      ].filter((note) => note.value !== '')} open=${false} />
  </div>`;
}

/** @param {{ state: TraceState, row: number, spanId: string }} props */
function Parent({ state, row, spanId }) {
  const parent = state.columns.parent[row];
  if (parent < 0) return html`<code>${spanId}</code> <span class="badge warning"><${Icon} name="warning" />not in this trace</span>`;
  return html`<button type="button" class="link-button" onClick=${() => state.open(parent)} title="Go to the parent">
    <code>${spanId}</code><span class="muted ellipsis"><${Outside} text=${state.columns.nameOf(parent)} limit=${80} /></span>
  </button>`;
}

/** @param {{ links: SpanLink[], dropped: number }} props */
function Links({ links, dropped }) {
  if (links.length === 0 && dropped === 0) return null;
  return html`<${Section} title="Links" count=${links.length} dropped=${dropped} open=${true}>
    <ul class="links">${links.map(
      (link) => html`<li>
        <a href=${`/trace/${link.trace_id}?span=${link.span_id}`}><${Icon} name="link" /><code>${link.trace_id}</code></a>
        <span class="muted">span <code>${link.span_id}</code></span>
        ${link.attributes.length === 0 ? null : html`<${AttributeTable} title="Attributes" place=${null} attributes=${link.attributes} dropped=${link.dropped_attributes_count} open=${false} />`}
      </li>`,
    )}</ul>
  <//>`;
}
