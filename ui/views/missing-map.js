// Why a file's frames stay as they came, and what to do about it.

import { codeParts, stepText } from '../model/stack.js';
import { counted } from '../model/text.js';
import { CopyButton, Outside } from './bits.js';
import { html } from './html.js';
import { Icon } from './icons.js';

/** @import { StackScript } from '../api/types.js' */

/** Names in an advice come from outside, and may be of any length. */
const FIX_CHARACTERS = 500;

/** @param {{ script: StackScript, frames: number }} props */
export function MissingMap({ script, frames }) {
  return html`<div class="missing-map" role="note">
    <p class="missing-file"><${Icon} name="warning" /><span>${script.bad_map === null ? 'No map' : 'No usable map'} for <code class="breaks"><${Outside} text=${script.url} limit=${300} /></code>, so ${counted(frames, 'frame')} ${frames === 1 ? 'stays' : 'stay'} raw.</span></p>
    <${Fix} fix=${script.fix} />
    <${Ladder} script=${script} />
  </div>`;
}

/** The one thing to do. @param {{ fix: string | null }} props */
export function Fix({ fix }) {
  if (fix === null || fix === '') return null;
  const parts = codeParts(fix.length > FIX_CHARACTERS ? `${fix.slice(0, FIX_CHARACTERS)}…` : fix);
  return html`<div class="fix"><strong>To do:</strong> ${parts.map((part, at) =>
    part.isCode
      ? html`<span class="command" key=${at}><code><${Outside} text=${part.text} /></code>${part.text.startsWith('backtrail ') ? html`<${CopyButton} text=${part.text} label="Copy the command" />` : null}</span>`
      : html`<${Outside} key=${at} text=${part.text} />`,
  )}</div>`;
}

/** What was tried, step by step. @param {{ script: StackScript }} props */
export function Ladder({ script }) {
  if (script.reasons.length === 0 && script.bad_map === null) return null;
  return html`<details class="ladder"><summary><${Icon} name="right" />What was tried</summary>
    <ol>
      ${script.reasons.map((reason, at) => html`<li key=${at}><span class="step">${reason.step_name === null ? 'at all' : stepText(reason.step_name)}</span><span><${Outside} text=${reason.message} limit=${600} /></span></li>`)}
      ${script.bad_map === null ? null : html`<li><span class="step">the map</span><span><${Outside} text=${script.bad_map} limit=${600} /></span></li>`}
    </ol>
  </details>`;
}

/**
 * Which map serves a file, and how it was found.
 * @param {{ script: StackScript }} props
 */
export function FoundMap({ script: { map } }) {
  if (map === null) return null;
  const file = map.map ?? map.bundle;
  return html`<span>${file === null ? 'A map' : html`<code class="breaks"><${Outside} text=${file} limit=${300} /></code>`}${map.release === null ? '' : html` of release <a href=${`/sourcemaps?release=${encodeURIComponent(map.release)}`}><${Outside} text=${map.release} limit=${100} /></a>`}, found ${stepText(map.step_name)}${
    map.bundle_step_name === null || map.bundle_step_name === map.step_name ? '' : `; its bundle ${stepText(map.bundle_step_name)}`
  }</span>`;
}
