// Who reads here: the session of this browser, and whether one is needed.

import { onSignInNeeded, session, signIn, signOut } from '../api/index.js';
import { signal } from './html.js';

/** @import { Session } from '../api/types.js' */

/** Null until the server has said. */
export const current = signal(/** @type {Session | null} */ (null));

/** Whether the server has asked for a token, so that nothing can be shown but the login. */
export const mustSignIn = signal(false);

onSignInNeeded(() => {
  mustSignIn.value = true;
});

/** Asks the server. What it does not answer is told by the view that asks for more. */
export async function loadSession() {
  try {
    take(await session());
  } catch {
    current.value = null;
  }
}

/** @param {string} token */
export async function begin(token) {
  take(await signIn(token));
}

export async function end() {
  take(await signOut());
}

/** @param {Session} session */
function take(session) {
  current.value = session;
  mustSignIn.value = session.needs_token && session.token === null;
}
