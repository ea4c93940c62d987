import { ApiError } from '../api/index.js';
import { html, useEffect, useRef, useState } from './html.js';
import { begin } from './session.js';

/** Asks for a token. It stands where the page that was asked for would, and gives way to that. */
export function LoginPage() {
  const [token, setToken] = useState('');
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => {
    document.title = 'Sign in · Backtrail';
    field.current?.focus();
  }, []);
  /** @param {SubmitEvent} event */
  const submit = async (event) => {
    event.preventDefault();
    if (token.trim() === '') {
      setProblem('Paste a token first.');
      field.current?.focus();
      return;
    }
    setBusy(true);
    try {
      await begin(token.trim());
    } catch (error) {
      setProblem(explain(error));
      setBusy(false);
      field.current?.focus();
    }
  };
  /** @param {InputEvent} event */
  const type = (event) => {
    setToken(/** @type {HTMLInputElement} */ (event.target).value);
    setProblem('');
  };
  return html`<main class="page narrow login">
    <h1>Sign in</h1>
    <p>This server shows its traces to who has a token with the scope <code>read</code>.</p>
    <form class="login-form" onSubmit=${submit}>
      <input class="visually-hidden" type="text" name="username" autocomplete="username" value="backtrail" tabindex="-1" aria-hidden="true" readonly />
      <label class="field-label" for="token">Token</label>
      <input id="token" name="token" type="password" class="code" value=${token} onInput=${type} ref=${field} autocomplete="current-password"
        autocapitalize="off" spellcheck=${false} aria-invalid=${problem !== ''} aria-describedby="token-problem" />
      <p id="token-problem" class="field-error" role="alert" hidden=${problem === ''}>${problem}</p>
      <button type="submit" class="button primary" disabled=${busy}><span>${busy ? 'Signing in …' : 'Sign in'}</span></button>
    </form>
    <p class="muted">Whoever runs the server makes one with <code>backtrail tokens create --name NAME --scope read</code>.
      The page keeps no token: the browser gets a cookie that ends with it.</p>
  </main>`;
}

/** @param {unknown} error */
function explain(error) {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
  if (error.status === 0) return 'The server does not answer. Check that it is still running, then try again.';
  if (error.status === 401) return 'The server does not know this token: it was revoked, has expired, or lacks a character.';
  if (error.status === 403) return 'This token is good for other things, and not for reading.';
  if (error.status === 400) return 'This is no token. It has 64 hexadecimal digits.';
  return error.message;
}
