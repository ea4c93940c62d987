// What a reader chose, remembered in this browser.

import { effect, signal } from './html.js';

/** @import { Zone } from '../model/time.js' */

/**
 * @param {string} key
 * @returns {string | null}
 */
function remembered(key) {
  try {
    return localStorage.getItem(`backtrail.${key}`);
  } catch {
    return null; // storage may be forbidden
  }
}

/**
 * @param {string} key
 * @param {string | null} value
 */
export function remember(key, value) {
  try {
    if (value === null) localStorage.removeItem(`backtrail.${key}`);
    else localStorage.setItem(`backtrail.${key}`, value);
  } catch {
    // The choice then lasts as long as the page.
  }
}

/** @param {string} key @param {number} fallback */
export function rememberedNumber(key, fallback) {
  const value = Number.parseFloat(remembered(key) ?? '');
  return Number.isFinite(value) ? value : fallback;
}

/** @param {string} key @param {string} fallback */
export function rememberedText(key, fallback) {
  return remembered(key) ?? fallback;
}

/** @typedef {'system' | 'light' | 'dark'} ThemeChoice */

const storedTheme = remembered('theme');
export const themeChoice = signal(
  /** @type {ThemeChoice} */ (storedTheme === 'light' || storedTheme === 'dark' ? storedTheme : 'system'),
);

export const zone = signal(/** @type {Zone} */ (remembered('zone') === 'utc' ? 'utc' : 'local'));

/** Grows whenever colours change, so that canvases read them again. */
export const themeVersion = signal(0);

effect(() => {
  const choice = themeChoice.value;
  if (choice === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = choice;
  remember('theme', choice === 'system' ? null : choice);
  themeVersion.value = themeVersion.peek() + 1;
});

effect(() => remember('zone', zone.value === 'utc' ? 'utc' : null));

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  themeVersion.value = themeVersion.peek() + 1;
});
