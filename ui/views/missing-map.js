// Why a file's frames stay as they came, and what to do about it.

import { codeParts, stepText } from '../model/stack.js';
import { counted } from '../model/text.js';
import { CopyButton, Outside } from './bits.js';
import { html } from './html.js';
import { Icon } from './icons.js';

/** @import { StackScript } from '../api/types.js' */
/** @import { MissingMaps } from '../model/stack.js' */

/** Names in an advice come from outside, and may be of any length. */
const FIX_CHARACTERS = 500;

const FILES_NAMED = 4;

/** @param {{ missing: MissingMaps }} props */
export function MissingMap({ missing: { fix, frames, scripts } }) {
  const [first, ...others] = scripts;
  const rest = others.length + 1 - FILES_NAMED;
  const stay = `${counted(frames, 'frame')} ${frames === 1 ? 'stays' : 'stay'} raw`;
  return html`<div class="missing-map" role="note">
    <div class="missing-file"><${Icon} name="warning" /><div>${
      others.length === 0
        ? html`${first.bad_map === null ? 'No map' : 'No usable map'} for <${FileName} url=${first.url} />, so ${stay}.`
        : html`No map for ${counted(scripts.length, 'file')}, so ${stay}:
            <ul>${scripts.slice(0, FILES_NAMED).map(({ url }) => html`<li key=${url}><${FileName} url=${url} /></li>`)}${rest > 0 ? html`<li>and ${counted(rest, 'more file')}</li>` : null}</ul>`
    }</div></div>
    <${Fix} fix=${fix} />
    <${Ladder} script=${first} />
  </div>`;
}

/** @param {{ url: string }} props */
function FileName({ url }) {
  return html`<code class="breaks"><${Outside} text=${url} limit=${300} /></code>`;
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
