// Line icons, drawn here: 16 × 16, in the colour of the text around them.

import { html } from './html.js';

const paths = {
  search: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9Zm3.4 7.9 3.1 3.1',
  copy: 'M5.5 5.5h7v8h-7zM10.5 5.5v-3h-7v8h2',
  check: 'm3 8.5 3.2 3.2L13 4.8',
  close: 'm4 4 8 8m0-8-8 8',
  up: 'm4 10 4-4 4 4',
  down: 'm4 6 4 4 4-4',
  left: 'm10 3.5-4.5 4.5 4.5 4.5',
  right: 'm6 3.5 4.5 4.5-4.5 4.5',
  sun: 'M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6ZM8 1.5v1.2m0 10.6v1.2M1.5 8h1.2m10.6 0h1.2M3.4 3.4l.9.9m7.4 7.4.9.9m0-9.2-.9.9m-7.4 7.4-.9.9',
  moon: 'M13 9.6A5.6 5.6 0 0 1 6.4 3a5.6 5.6 0 1 0 6.6 6.6Z',
  system: 'M2 3h12v8H2zM6 13.5h4M8 11v2.5',
  clock: 'M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 0 0 8 2.2ZM8 5v3.2l2.2 1.4',
  error: 'M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 0 0 8 2.2ZM8 5v3.4m0 2.3v.1',
  warning: 'M8 2.6 14 13H2zM8 6.6v3m0 1.7v.1',
  info: 'M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 0 0 8 2.2ZM8 7.4v3.4M8 5.2v.1',
  collapse: 'm4.5 3 3.5 3 3.5-3m-7 10L8 10l3.5 3M2.5 8h11',
  expand: 'm4.5 5.5 3.5-3 3.5 3m-7 5 3.5 3 3.5-3M2.5 8h11',
  download: 'M8 2.5v7.5m-3-3 3 3 3-3M2.5 13.5h11',
  link: 'M6.7 9.3a2.6 2.6 0 0 0 3.7 0l2.2-2.2a2.6 2.6 0 0 0-3.7-3.7l-.8.8m1.2 2.5a2.6 2.6 0 0 0-3.7 0L3.4 8.9a2.6 2.6 0 0 0 3.7 3.7l.8-.8',
  keyboard: 'M1.5 4h13v8h-13zM4 6.5h.1m2.6 0h.1m2.5 0h.1m2.6 0h.1M5 9.5h6',
  filter: 'M2 4h12M4.5 8h7M6.8 12h2.4',
  fit: 'M2.5 3v10m11-10v10M5 8h6M6.6 6.2 4.8 8l1.8 1.8m2.8-3.6L11.2 8 9.4 9.8',
  widen: 'M2.5 3v10M13.5 3v10M5 8h6M6.6 6.2 4.8 8l1.8 1.8m2.8-3.6L11.2 8 9.4 9.8',
  narrow: 'M2.5 3v10M13.5 3v10M4 8h3m2 0h3M5.4 6.2 7.2 8 5.4 9.8m5.2-3.6L8.8 8l1.8 1.8',
  trash: 'M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.6 9h5.8l.6-9M6.8 7v4m2.4-4v4',
  leave: 'M9.5 2.5h-6v11h6M7 8h7m-2.8-2.8L14 8l-2.8 2.8',
  refresh: 'M13 8a5 5 0 1 1-1.6-3.7M13.2 2v2.8h-2.8',
};

/** @typedef {keyof typeof paths} IconName */

/** @param {{ name: IconName }} props */
export function Icon({ name }) {
  return html`<svg class="icon" viewBox="0 0 16 16" width="16" height="16" fill="none" stroke="currentColor"
    stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false"><path d=${paths[name]} /></svg>`;
}

/** The mark of the product: a trace's bars, and the point that it leads back to. */
export function Mark() {
  return html`<svg class="mark" viewBox="0 0 32 32" width="24" height="24" aria-hidden="true" focusable="false">
    <rect width="32" height="32" rx="8" class="mark-ground" />
    <path d="M8 10h13M12 16h12M18 22h6" stroke="#fff" stroke-width="3.4" stroke-linecap="round" fill="none" />
    <circle cx="9.5" cy="22" r="2.6" fill="#ffc24d" />
  </svg>`;
}
