import { filterAttributes, valueText } from '../../model/attributes.js';
import { conditionFor } from '../../model/conditions.js';
import { everything, searchUrl } from '../../model/search-state.js';
import { counted, formatCount, visible } from '../../model/text.js';
import { CopyButton, Outside } from '../bits.js';
import { html, useState } from '../html.js';
import { Icon } from '../icons.js';

/** @import { Attribute } from '../../api/types.js' */

const FOLDED_CHARACTERS = 400;
const FOLDED_LINES = 8;
/** How much more each press shows: a megabyte at once would stall the page. */
const UNFOLD_STEP = 50_000;
const MOST_ROWS = 200;
const FILTER_FROM = 8;

/**
 * @param {{ title: string, count: number, dropped: number, open: boolean, children?: any }} props
 */
export function Section({ title, count, dropped, open, children }) {
  return html`<details class="section" open=${open}>
    <summary><${Icon} name="right" /><h3>${title}</h3><span class="section-count">${formatCount(count)}</span>
      ${dropped > 0 ? html`<span class="badge warning" title="Left out by the SDK, at its limit"><${Icon} name="warning" />${formatCount(dropped)} dropped</span>` : null}
    </summary>
    <div class="section-body">${children}</div>
  </details>`;
}

/**
 * @param {{ title: string, place: 'span' | 'resource' | 'event' | 'scope' | null, attributes: Attribute[], dropped: number,
 *   notes?: { name: string, value: string }[], open: boolean }} props
 */
export function AttributeTable({ title, place, attributes, dropped, notes = [], open }) {
  const [filter, setFilter] = useState('');
  const [most, setMost] = useState(MOST_ROWS);
  const matching = filterAttributes(attributes, filter);
  const shown = matching.slice(0, most);
  return html`<${Section} title=${title} count=${attributes.length + notes.length} dropped=${dropped} open=${open}>
    ${notes.map((note) => html`<p class="section-note" key=${note.name}><span class="muted">${note.name}</span> <code class="breaks"><${Outside} text=${note.value.slice(0, 1000)} /></code></p>`)}
    ${
      attributes.length >= FILTER_FROM
        ? html`<input type="text" class="attribute-filter" value=${filter} placeholder=${`Filter ${counted(attributes.length, 'attribute')}`} aria-label=${`Filter ${title.toLowerCase()}`}
            autocomplete="off" spellcheck=${false} onInput=${(/** @type {Event} */ event) => setFilter(/** @type {HTMLInputElement} */ (event.target).value)} />`
        : null
    }
    ${attributes.length + notes.length === 0 ? html`<p class="muted">None.</p>` : null}
    ${attributes.length > 0 && matching.length === 0 ? html`<p class="muted">No attribute has this in its name or value.</p>` : null}
    ${shown.length === 0 ? null : html`<dl class="attributes">${shown.map((attribute, at) => html`<${AttributeRow} attribute=${attribute} place=${place} key=${`${at} ${attribute.key}`} />`)}</dl>`}
    ${
      matching.length > shown.length
        ? html`<button type="button" class="link-button" onClick=${() => setMost(most * 5)}>Show more of ${formatCount(matching.length)}</button>`
        : null
    }
  <//>`;
}

/** @param {{ attribute: Attribute, place: 'span' | 'resource' | 'event' | 'scope' | null }} props */
function AttributeRow({ attribute, place }) {
  const text = valueText(attribute);
  const condition = place === null ? null : conditionFor(place, attribute.key, attribute.type, text);
  return html`<div class="attribute">
    <dt><${Outside} text=${attribute.key} limit=${300} fallback="(empty name)" /></dt>
    <dd>
      <${FoldedText} text=${text} className=${`value ${attribute.type}`} />
      <span class="attribute-tools">
        <span class="type" title="The type that was sent">${attribute.type}</span>
        <${CopyButton} text=${text} label="Copy the value" />
        ${condition === null ? null : html`<a class="icon-button small" href=${searchUrl({ ...everything, attributes: condition })} title="Find traces with this value" aria-label="Find traces with this value"><${Icon} name="search" /></a>`}
      </span>
    </dd>
  </div>`;
}

/**
 * A text of any length: its beginning at first, more of it on demand.
 * @param {{ text: string, className: string, lines?: number }} props
 */
export function FoldedText({ text, className, lines = FOLDED_LINES }) {
  const [limit, setLimit] = useState(0);
  const folded = foldedLength(text, lines);
  const length = Math.max(limit, folded);
  const rest = text.length - length;
  const all = rest <= UNFOLD_STEP;
  return html`<div class="folded">
    ${text === '' ? html`<span class="absent">empty</span>` : html`<pre class=${className} dir="auto">${visible(text.slice(0, length))}${rest > 0 ? '…' : ''}</pre>`}
    ${
      rest > 0
        ? html`<button type="button" class="link-button" onClick=${() => setLimit(all ? text.length : length + UNFOLD_STEP)}>
            ${all ? 'Show all' : 'Show more'} (${formatCount(text.length)} characters)
          </button>`
        : null
    }
    ${rest <= 0 && length > folded ? html`<button type="button" class="link-button" onClick=${() => setLimit(0)}>Show less</button>` : null}
  </div>`;
}

/**
 * @param {string} text
 * @param {number} lines
 */
function foldedLength(text, lines) {
  let at = -1;
  for (let line = 0; line < lines; line++) {
    at = text.indexOf('\n', at + 1);
    if (at < 0 || at > FOLDED_CHARACTERS * lines) break;
  }
  const byLines = at < 0 ? text.length : at;
  const most = lines > FOLDED_LINES ? FOLDED_CHARACTERS * 10 : FOLDED_CHARACTERS;
  // A fold that hides a few words costs more than it saves.
  const length = Math.min(byLines, most);
  return text.length - length < 80 ? text.length : length;
}
