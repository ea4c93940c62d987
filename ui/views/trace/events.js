import { textOf } from '../../model/attributes.js';
import { formatDuration } from '../../model/time.js';
import { Instant, Outside } from '../bits.js';
import { html, useState } from '../html.js';
import { Icon } from '../icons.js';
import { AttributeTable, FoldedText, Section } from './attributes.js';
import { RawStack, Stack } from './stack.js';

/** @import { SpanEvent } from '../../api/types.js' */

const EVENTS_AT_FIRST = 50;

/** @param {SpanEvent} event */
export function isException(event) {
  return event.name === 'exception' || (event.exception ?? null) !== null || event.attributes.some(({ key }) => key === 'exception.type' || key === 'exception.message' || key === 'exception.stacktrace');
}

/** What went wrong, before everything else. @param {{ events: SpanEvent[], service: string }} props */
export function Exceptions({ events, service }) {
  const [most, setMost] = useState(5);
  if (events.length === 0) return null;
  return html`<div class="exceptions">
    ${events.slice(0, most).map((event, at) => html`<${Exception} event=${event} service=${service} key=${at} />`)}
    ${events.length > most ? html`<button type="button" class="link-button" onClick=${() => setMost(events.length)}>Show all ${events.length} exceptions</button>` : null}
  </div>`;
}

/** @param {{ event: SpanEvent, service: string }} props */
function Exception({ event, service }) {
  const type = textOf(event.attributes, 'exception.type') ?? '';
  const message = textOf(event.attributes, 'exception.message') ?? '';
  const stack = textOf(event.attributes, 'exception.stacktrace') ?? '';
  const escaped = textOf(event.attributes, 'exception.escaped');
  // An exception that came as a log record brings what was logged with it.
  const logged = textOf(event.attributes, 'log.body') ?? '';
  return html`<section class="exception" aria-label="Exception">
    <header><${Icon} name="error" /><h3><${Outside} text=${type} limit=${200} fallback="Exception" /></h3>
      ${escaped === 'true' ? html`<span class="badge">escaped the span</span>` : null}</header>
    ${message === '' ? null : html`<${FoldedText} text=${message} className="exception-message" />`}
    ${logged === '' || logged === message ? null : html`<p class="muted">Logged as:</p><${FoldedText} text=${logged} className="exception-message" />`}
    ${stackOf(event, { type, message, service }, stack)}
  </section>`;
}

/**
 * @param {SpanEvent} event
 * @param {{ type: string, message: string, service: string }} exception
 * @param {string} text
 */
function stackOf(event, exception, text) {
  const resolved = event.exception?.stack ?? null;
  if (resolved !== null) return html`<${Stack} stack=${resolved} exception=${exception} />`;
  return text === '' ? html`<p class="muted">No stack trace was sent.</p>` : html`<${RawStack} text=${text} />`;
}

/** @param {{ events: SpanEvent[], dropped: number, spanStart: bigint }} props */
export function Events({ events, dropped, spanStart }) {
  const [most, setMost] = useState(EVENTS_AT_FIRST);
  if (events.length === 0 && dropped === 0) return null;
  return html`<${Section} title="Events" count=${events.length} dropped=${dropped} open=${events.length <= 20}>
    <ol class="events">${events.slice(0, most).map((event, at) => {
      const time = BigInt(event.time_unix_nano);
      return html`<li key=${at} class=${isException(event) ? 'event failed' : 'event'}>
        <div class="event-head"><strong><${Outside} text=${event.name} limit=${200} fallback="(no name)" /></strong>
          <span class="muted" title="After the start of the span">${time < spanStart ? '' : '+'}${formatDuration(Number(time - spanStart))}</span></div>
        <div class="muted event-time"><${Instant} unixNano=${time} /></div>
        ${
          event.attributes.length === 0 && event.dropped_attributes_count === 0
            ? null
            : html`<${AttributeTable} title="Attributes" place="event" attributes=${event.attributes} dropped=${event.dropped_attributes_count} open=${!isException(event)} />`
        }
      </li>`;
    })}</ol>
    ${events.length > most ? html`<button type="button" class="link-button" onClick=${() => setMost(most * 4)}>Show more of ${events.length} events</button>` : null}
  <//>`;
}
