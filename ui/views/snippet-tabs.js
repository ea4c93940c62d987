import { CopyButton } from './bits.js';
import { html, useId, useRef, useState } from './html.js';

/** @import { Snippet } from '../model/snippets.js' */

/**
 * The same thing said in several languages, one at a time.
 * @param {{ snippets: Snippet[], label: string }} props at least one snippet
 */
export function SnippetTabs({ snippets, label }) {
  const [chosen, setChosen] = useState(snippets[0].id);
  const tabs = useRef(/** @type {HTMLDivElement | null} */ (null));
  const id = useId();
  const snippet = snippets.find((candidate) => candidate.id === chosen) ?? snippets[0];

  /** @param {KeyboardEvent} event */
  const key = (event) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const at = (snippets.indexOf(snippet) + step + snippets.length) % snippets.length;
    setChosen(snippets[at].id);
    /** @type {HTMLElement | undefined} */ (tabs.current?.children[at])?.focus();
  };
  return html`<div class="snippets">
    <div class="tabs" role="tablist" aria-label=${label} ref=${tabs} onKeyDown=${key}>
      ${snippets.map(
        (one) => html`<button type="button" role="tab" id=${`${id}-${one.id}`} aria-selected=${one.id === snippet.id} aria-controls=${id} tabindex=${one.id === snippet.id ? 0 : -1}
          onClick=${() => setChosen(one.id)} key=${one.id}>${one.title}</button>`,
      )}
    </div>
    <div class="snippet" role="tabpanel" id=${id} aria-labelledby=${`${id}-${snippet.id}`}>
      <div class="snippet-head"><p class="muted">${snippet.note}</p><${CopyButton} text=${snippet.code} label="Copy the code" caption="Copy" key=${snippet.id} /></div>
      <pre class="code-block" tabindex="0">${snippet.code}</pre>
    </div>
  </div>`;
}
