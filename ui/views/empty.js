import * as api from '../api/index.js';
import { endpoints, snippets } from '../model/snippets.js';
import { Notice } from './bits.js';
import { html, useEffect, useState } from './html.js';
import { SnippetTabs } from './snippet-tabs.js';

/** @import { Status } from '../api/types.js' */

const ASK_EVERY_MS = 2000;

/**
 * What a newcomer sees: how to send the first span. It gives way by itself when that span arrives.
 *
 * @param {{ status: Status, onFirstSpan: () => void }} props
 */
export function EmptyState({ status, onFirstSpan }) {
  const reachable = useFirstSpan(onFirstSpan);
  const all = snippets(endpoints(status.listeners, window.location.hostname));
  return html`<section class="empty" aria-labelledby="empty-title">
    <p class="waiting" role="status"><span class="pulse" aria-hidden="true"></span>${reachable ? 'Waiting for the first span' : 'The server does not answer; still trying'}</p>
    <h1 id="empty-title">Send your first span</h1>
    <p class="muted lead">Backtrail is running and has received nothing yet. Point a service at it, and this page shows the trace as soon as it arrives.</p>
    <dl class="listeners">${status.listeners
      .filter((listener) => listener.name !== 'web')
      .map((listener) => html`<div key=${listener.name + listener.address}><dt>${listenerNames[listener.name] ?? listener.name}</dt><dd><code>${listener.address}</code></dd></div>`)}</dl>
    ${
      all.length === 0
        ? html`<${Notice} tone="warning">No listener takes spans: all of them are turned off in the configuration.<//>`
        : html`<${SnippetTabs} snippets=${all} label="Language" />`
    }
  </section>`;
}

/** @type {Record<string, string>} */
const listenerNames = { 'otlp-http': 'OTLP over HTTP', 'otlp-grpc': 'OTLP over gRPC', 'jaeger-http': 'Jaeger Thrift over HTTP' };

/**
 * Asks until there is a span.
 * @param {() => void} onFirstSpan
 * @returns {boolean} whether the server answers
 */
function useFirstSpan(onFirstSpan) {
  const [reachable, setReachable] = useState(true);
  useEffect(() => {
    const controller = new AbortController();
    let timer = 0;
    const ask = async () => {
      try {
        const { spans } = await api.status(controller.signal);
        setReachable(true);
        if (spans > 0) {
          onFirstSpan();
          return;
        }
      } catch (error) {
        if (api.isAbort(error)) return;
        setReachable(false);
      }
      timer = window.setTimeout(ask, ASK_EVERY_MS);
    };
    timer = window.setTimeout(ask, ASK_EVERY_MS);
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, []);
  return reachable;
}
