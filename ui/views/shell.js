import { parseTraceId } from '../model/ids.js';
import { html, useState } from './html.js';
import { Icon, Mark } from './icons.js';
import { themeChoice, zone } from './preferences.js';
import { navigate, route } from './router.js';
import { current, end } from './session.js';

/** @import { ThemeChoice } from './preferences.js' */

/**
 * What is around every page. With `fixed`, the page fills the window and scrolls inside itself.
 * With `locked`, it asks for nothing of the server.
 * @param {{ fixed: boolean, locked?: boolean, children?: any }} props
 */
export function Shell({ fixed, locked = false, children }) {
  return html`<div class=${fixed ? 'shell fixed' : 'shell'}>
    <a class="skip-link" href="#content" onClick=${skipToContent}>Skip to content</a>
    <header class="topbar">
      <a class="brand" href="/search" aria-label="Backtrail, search"><${Mark} /><span>Backtrail</span></a>
      ${locked ? null : html`<${TraceIdBox} />`}
      ${locked ? null : html`<nav class="topbar-nav" aria-label="Pages"><a href="/sourcemaps" aria-current=${route.value.page === 'sourcemaps' ? 'page' : null}>Source maps</a></nav>`}
      <div class="topbar-tools">
        <${ZoneToggle} />
        <${ThemeToggle} />
        <${SignOut} />
      </div>
    </header>
    <div class="content" id="content" tabindex="-1">${children}</div>
  </div>`;
}

/** @param {MouseEvent} event */
function skipToContent(event) {
  event.preventDefault();
  document.getElementById('content')?.focus();
}

function TraceIdBox() {
  const [text, setText] = useState('');
  const [wrong, setWrong] = useState(false);
  /** @param {SubmitEvent} event */
  const open = (event) => {
    event.preventDefault();
    const id = parseTraceId(text);
    setWrong(id === null);
    if (id === null) return;
    setText('');
    navigate(`/trace/${id}`);
  };
  /** @param {InputEvent} event */
  const type = (event) => {
    setText(/** @type {HTMLInputElement} */ (event.target).value);
    setWrong(false);
  };
  return html`<form class="trace-id-box" role="search" aria-label="Open a trace" onSubmit=${open}>
    <${Icon} name="search" />
    <input id="trace-id" name="trace-id" type="text" value=${text} onInput=${type} placeholder="Trace id" aria-label="Trace id"
      aria-invalid=${wrong} aria-describedby="trace-id-error" autocomplete="off" autocapitalize="off" spellcheck=${false} />
    <span id="trace-id-error" class="field-bubble" role="alert" hidden=${!wrong}>${
      wrong ? 'A trace id has up to 32 hexadecimal digits.' : ''
    }</span>
  </form>`;
}

function ZoneToggle() {
  const utc = zone.value === 'utc';
  const action = utc ? 'Times are in UTC. Show them in your zone' : 'Times are in your zone. Show them in UTC';
  return html`<button type="button" class="button quiet" title=${action} aria-label=${action}
    onClick=${() => (zone.value = utc ? 'local' : 'utc')}><${Icon} name="clock" /><span>${utc ? 'UTC' : 'Local'}</span></button>`;
}

/** @type {Record<ThemeChoice, { next: ThemeChoice, icon: import('./icons.js').IconName, says: string }>} */
const themes = {
  system: { next: 'light', icon: 'system', says: 'Theme: as the system. Switch to light' },
  light: { next: 'dark', icon: 'sun', says: 'Theme: light. Switch to dark' },
  dark: { next: 'system', icon: 'moon', says: 'Theme: dark. Switch to the system’s' },
};

function ThemeToggle() {
  const { next, icon, says } = themes[themeChoice.value];
  return html`<button type="button" class="icon-button" title=${says} aria-label=${says} onClick=${() => (themeChoice.value = next)}>
    <${Icon} name=${icon} />
  </button>`;
}

function SignOut() {
  const [failed, setFailed] = useState(false);
  const token = current.value?.token ?? null;
  if (token === null) return null;
  const says = failed ? 'The server did not answer. Sign out again' : `Signed in with the token “${token.name}”. Sign out`;
  const out = () => end().catch(() => setFailed(true));
  return html`<button type="button" class="icon-button" title=${says} aria-label=${says} onClick=${out}><${Icon} name="leave" /></button>`;
}
