// A menu of files to download: the same spans in each format that other tools read.

import { html, useRef } from './html.js';
import { Icon } from './icons.js';

/** @import { ExportFormat } from '../api/types.js' */

/** @type {{ format: ExportFormat, label: string, hint: string }[]} */
const formats = [
  { format: 'otlp', label: 'OTLP JSON', hint: 'Everything, as it was sent' },
  { format: 'jaeger', label: 'Jaeger JSON', hint: 'For the page and the API of Jaeger' },
  { format: 'zipkin', label: 'Zipkin JSON', hint: 'For the page and the API of Zipkin' },
];

/** @param {{ title: string, urlOf: (format: ExportFormat) => string }} props */
export function Downloads({ title, urlOf }) {
  const menu = useRef(/** @type {HTMLDetailsElement | null} */ (null));
  const close = () => {
    if (menu.current !== null) menu.current.open = false;
  };
  /** @param {KeyboardEvent} event */
  const onKeyDown = (event) => {
    if (event.key !== 'Escape' || menu.current?.open !== true) return;
    event.stopPropagation();
    close();
    menu.current.querySelector('summary')?.focus();
  };
  /** @param {FocusEvent} event */
  const onFocusOut = (event) => {
    // A press on what can't be focused leaves without a target; the menu stays while the window itself is left.
    if (document.hasFocus() && !menu.current?.contains(/** @type {Node | null} */ (event.relatedTarget))) close();
  };
  return html`<details class="downloads" ref=${menu} onKeyDown=${onKeyDown} onFocusOut=${onFocusOut}>
    <summary class="button quiet" title=${title}><${Icon} name="download" /><span>Download</span></summary>
    <ul>
      ${formats.map(
        ({ format, label, hint }) => html`<li key=${format}>
          <a href=${urlOf(format)} download onClick=${close}>${label}<span class="muted">${hint}</span></a>
        </li>`,
      )}
    </ul>
  </details>`;
}
