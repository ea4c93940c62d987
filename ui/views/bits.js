// Small pieces that several pages use.

import { formatInstant } from '../model/time.js';
import { label, visible } from '../model/text.js';
import { serviceColor } from '../model/palette.js';
import { isDark } from '../canvas/theme.js';
import { html, useEffect, useRef, useState } from './html.js';
import { Icon } from './icons.js';
import { themeVersion, zone } from './preferences.js';

/**
 * @param {string} text
 * @returns {Promise<boolean>}
 */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

/**
 * The clipboard API exists on https and localhost only; a server on a plain address has this way.
 * @param {string} text
 */
function copyBySelection(text) {
  const area = document.createElement('textarea');
  area.className = 'visually-hidden';
  area.value = text;
  document.body.append(area);
  area.select();
  const copied = document.execCommand('copy');
  area.remove();
  return copied;
}

/**
 * @param {{ text: string, label: string, caption?: string }} props
 */
export function CopyButton({ text, label: name, caption }) {
  const [state, setState] = useState(/** @type {'idle' | 'copied' | 'failed'} */ ('idle'));
  const timer = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = async () => {
    setState((await copyText(text)) ? 'copied' : 'failed');
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => setState('idle'), 1600);
  };
  const said = state === 'copied' ? 'Copied' : state === 'failed' ? 'Could not copy' : name;
  return html`<button type="button" class=${caption === undefined ? 'icon-button small' : 'button'} onClick=${copy} title=${said} aria-label=${said}>
    <${Icon} name=${state === 'copied' ? 'check' : 'copy'} />
    ${caption === undefined ? null : html`<span>${state === 'idle' ? caption : said}</span>`}
  </button>`;
}

/** An instant in the chosen zone, with the other zone as its title. @param {{ unixNano: bigint }} props */
export function Instant({ unixNano }) {
  const other = zone.value === 'utc' ? 'local' : 'utc';
  const title = `${formatInstant(unixNano, other)} ${other === 'utc' ? 'UTC' : 'in your zone'}\n${unixNano} ns since 1970`;
  return html`<time class="instant" title=${title}>${formatInstant(unixNano, zone.value)}${zone.value === 'utc' ? ' UTC' : ''}</time>`;
}

/** @param {{ service: string }} props */
export function ServiceDot({ service }) {
  // Reading the version is what redraws the dot when the theme changes.
  void themeVersion.value;
  return html`<span class="service-dot" style=${{ background: serviceColor(service, isDark()) }} aria-hidden="true"></span>`;
}

/**
 * Text from outside, isolated from the direction of what is around it.
 * @param {{ text: string, limit?: number, fallback?: string }} props
 */
export function Outside({ text, limit, fallback = '' }) {
  const shown = limit === undefined ? visible(text) : label(text, limit);
  return html`<bdi class=${shown === '' ? 'absent' : ''}>${shown === '' ? fallback : shown}</bdi>`;
}

/**
 * @param {{ tone: 'info' | 'warning' | 'error', children?: any }} props
 */
export function Notice({ tone, children }) {
  return html`<div class=${`notice ${tone}`} role=${tone === 'error' ? 'alert' : 'note'}>
    <${Icon} name=${tone} /><div class="notice-text">${children}</div>
  </div>`;
}

/** @param {{ label: string }} props */
export function Loading({ label: name }) {
  return html`<div class="loading" role="status"><span class="spinner" aria-hidden="true"></span>${name}</div>`;
}
