// The style sheet's colours, for drawing. A canvas knows no custom properties and no light-dark(), so a
// probe element resolves them.

const names = /** @type {const} */ ([
  'surface',
  'surface-sunken',
  'row-hover',
  'row-selected',
  'row-match',
  'border',
  'grid',
  'text',
  'text-muted',
  'accent',
  'error',
  'warning',
  'shade',
]);

/** @typedef {Record<typeof names[number], string> & { dark: boolean, font: string, smallFont: string, strongFont: string }} Theme */

/**
 * @param {HTMLElement} host an element in the page, whose font is used
 * @returns {Theme}
 */
export function readTheme(host) {
  const probe = document.createElement('span');
  probe.hidden = true;
  host.append(probe);
  /** @type {Record<string, string>} */
  const colors = {};
  for (const name of names) {
    probe.style.color = `var(--${name})`;
    colors[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  const { fontFamily } = getComputedStyle(host);
  return /** @type {Theme} */ ({
    ...colors,
    dark: isDark(),
    font: `13px ${fontFamily}`,
    smallFont: `11px ${fontFamily}`,
    strongFont: `600 13px ${fontFamily}`,
  });
}

/** Reads the theme again only when it has changed: each reading makes the browser compute styles. */
export class ThemeReader {
  #version = -1;
  /** @type {Theme | null} */
  #theme = null;

  /**
   * @param {HTMLElement} host
   * @param {number} version
   */
  current(host, version) {
    if (this.#theme === null || version !== this.#version) {
      this.#theme = readTheme(host);
      this.#version = version;
    }
    return this.#theme;
  }
}

export function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen === undefined ? matchMedia('(prefers-color-scheme: dark)').matches : chosen === 'dark';
}
