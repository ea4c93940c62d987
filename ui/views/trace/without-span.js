import * as api from '../../api/index.js';
import { parseTraceId } from '../../model/ids.js';
import { counted } from '../../model/text.js';
import { Instant, Notice, Outside, ServiceDot } from '../bits.js';
import { html, useEffect, useState } from '../html.js';
import { Icon } from '../icons.js';
import { Exceptions } from './events.js';

/** @import { EventWithoutSpan } from '../../api/types.js' */

/** @typedef {{ phase: 'loading' } | { phase: 'failed', error: unknown } | { phase: 'there', events: EventWithoutSpan[], truncated: boolean }} Found */

/**
 * Exceptions that came as log records, while their span did not.
 * @param {string} traceId
 * @returns {Found}
 */
function useEventsWithoutSpan(traceId) {
  const [found, setFound] = useState(/** @type {Found} */ ({ phase: 'loading' }));
  useEffect(() => {
    const controller = new AbortController();
    setFound({ phase: 'loading' });
    api.eventsWithoutSpan(parseTraceId(traceId) ?? traceId, controller.signal).then(
      ({ events, truncated }) => setFound({ phase: 'there', events, truncated }),
      (error) => {
        if (!api.isAbort(error)) setFound({ phase: 'failed', error });
      },
    );
    return () => controller.abort();
  }, [traceId]);
  return found;
}

/** Beside the spans of a trace; nothing where there is none. @param {{ traceId: string }} props */
export function WithoutSpan({ traceId }) {
  const found = useEventsWithoutSpan(traceId);
  if (found.phase === 'failed') return html`<${Notice} tone="warning">Whether exceptions came as log records without their span is not known: the server did not answer.<//>`;
  if (found.phase === 'loading' || found.events.length === 0) return null;
  return html`<details class="fold without-span">
    <summary><${Icon} name="right" />${counted(found.events.length, 'exception')} from log records, of spans that are not here</summary>
    <${Entries} found=${found} />
  </details>`;
}

/**
 * A trace of which no span is here: its exceptions, or, where there is none either, `children`.
 * @param {{ traceId: string, children?: any }} props
 */
export function TraceWithoutSpans({ traceId, children }) {
  const found = useEventsWithoutSpan(traceId);
  if (found.phase === 'loading') return null;
  if (found.phase === 'failed' || found.events.length === 0) return children;
  return html`<section class="without-span">
    <h1>Only exceptions are here of this trace</h1>
    <p>They came as log records. The spans they name did not arrive, yet or ever: they may still be on their way, may not have been sampled, or go to another collector.</p>
    <p class="muted">Trace <code class="trace-id">${traceId}</code></p>
    <${Entries} found=${found} />
  </section>`;
}

/** @param {{ found: { events: EventWithoutSpan[], truncated: boolean } }} props */
function Entries({ found }) {
  return html`<ol class="events">${found.events.map(
    (event, at) => html`<li key=${at} class="event failed">
      <div class="event-head"><span><${ServiceDot} service=${event.service} /> <${Outside} text=${event.service} limit=${100} fallback="(no service)" /></span>
        <span class="muted">${event.span_id === null ? 'names no span' : html`span <code>${event.span_id}</code>`}</span></div>
      <div class="muted event-time"><${Instant} unixNano=${BigInt(event.time_unix_nano)} /></div>
      <${Exceptions} events=${[event]} service=${event.service} />
    </li>`,
  )}</ol>
  ${found.truncated ? html`<p class="muted">There are more: the first are here.</p>` : null}`;
}
