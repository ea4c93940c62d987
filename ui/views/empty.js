import * as api from '../api/index.js';
import { endpoints, snippets } from '../model/snippets.js';
import { CopyButton, Notice } from './bits.js';
import { html, useEffect, useRef, useState } from './html.js';

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
  const [chosen, setChosen] = useState(all[0]?.id ?? '');
  const tabs = useRef(/** @type {HTMLDivElement | null} */ (null));
  const snippet = all.find((candidate) => candidate.id === chosen) ?? all[0];

  /** @param {KeyboardEvent} event */
  const key = (event) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const at = (all.findIndex((candidate) => candidate.id === snippet?.id) + step + all.length) % all.length;
    setChosen(all[at].id);
    /** @type {HTMLElement | undefined} */ (tabs.current?.children[at])?.focus();
  };

  return html`<section class="empty" aria-labelledby="empty-title">
    <p class="waiting" role="status"><span class="pulse" aria-hidden="true"></span>${reachable ? 'Waiting for the first span' : 'The server does not answer; still trying'}</p>
    <h1 id="empty-title">Send your first span</h1>
    <p class="muted lead">Backtrail is running and has received nothing yet. Point a service at it, and this page shows the trace as soon as it arrives.</p>
    <dl class="listeners">${status.listeners
      .filter((listener) => listener.name !== 'web')
      .map((listener) => html`<div key=${listener.name + listener.address}><dt>${listenerNames[listener.name] ?? listener.name}</dt><dd><code>${listener.address}</code></dd></div>`)}</dl>
    ${
      snippet === undefined
        ? html`<${Notice} tone="warning">No listener takes spans: all of them are turned off in the configuration.<//>`
        : html`<div class="snippets">
            <div class="tabs" role="tablist" aria-label="Language" ref=${tabs} onKeyDown=${key}>
              ${all.map(
                ({ id, title }) => html`<button type="button" role="tab" id=${`tab-${id}`} aria-selected=${id === snippet.id} aria-controls="snippet" tabindex=${id === snippet.id ? 0 : -1}
                  onClick=${() => setChosen(id)} key=${id}>${title}</button>`,
              )}
            </div>
            <div class="snippet" role="tabpanel" id="snippet" aria-labelledby=${`tab-${snippet.id}`}>
              <div class="snippet-head"><p class="muted">${snippet.note}</p><${CopyButton} text=${snippet.code} label="Copy the code" caption="Copy" key=${snippet.id} /></div>
              <pre class="code-block" tabindex="0">${snippet.code}</pre>
            </div>
          </div>`
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
