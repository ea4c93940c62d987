import { formatCount, visible } from '../../model/text.js';
import { CopyButton, Outside } from '../bits.js';
import { html, useState } from '../html.js';
import { Icon } from '../icons.js';
import { FoldedText } from './attributes.js';

/** @import { ResolvedStack, StackFrame, StackScript } from '../../api/types.js' */

const STACK_LINES = 16;
const FRAMES_AT_FIRST = 50;

/**
 * A stack trace with its frames led back to source, beside the one that came.
 * @param {{ stack: ResolvedStack }} props
 */
export function Stack({ stack }) {
  const [most, setMost] = useState(FRAMES_AT_FIRST);
  const [asText, setAsText] = useState(false);
  if (stack.frames.length === 0) return html`<${RawStack} text=${stack.raw} />`;
  const resolved = stack.resolved_frames;
  const first = stack.frames.findIndex((frame) => frame.resolved?.in_app === true);
  const raw = stack.scripts.filter((script) => script.map === null || script.bad_map !== null);
  return html`<div class="stack">
    <div class="stack-head">
      <span>Stack trace: ${resolved === 0 ? 'no frame leads to source' : `${formatCount(resolved)} of ${formatCount(stack.frames.length)} frames lead to source`}</span>
      <span class="stack-tools">
        <button type="button" class="link-button" aria-pressed=${asText} onClick=${() => setAsText(!asText)}>${asText ? 'Frames' : 'Raw and resolved'}</button>
        <${CopyButton} text=${stack.resolved} label="Copy the stack trace" />
      </span>
    </div>
    ${raw.map((script) => html`<${MissingMap} script=${script} key=${script.url} />`)}
    ${
      asText
        ? html`<div class="stack-sides">
            <section aria-label="Raw stack trace"><h4>As it came <${CopyButton} text=${stack.raw} label="Copy the raw stack trace" /></h4><${FoldedText} text=${stack.raw} className="stack-text" lines=${STACK_LINES} /></section>
            <section aria-label="Resolved stack trace"><h4>In source</h4><${FoldedText} text=${stack.resolved} className="stack-text" lines=${STACK_LINES} /></section>
          </div>`
        : html`<ol class="frames">${stack.frames.slice(0, most).map((frame, at) => html`<${Frame} frame=${frame} open=${at === first} key=${at} />`)}</ol>`
    }
    ${!asText && stack.frames.length > most ? html`<button type="button" class="link-button stack-more" onClick=${() => setMost(stack.frames.length)}>Show all ${formatCount(stack.frames.length)} frames</button>` : null}
    ${stack.frames_left_out > 0 ? html`<p class="muted stack-more">${formatCount(stack.frames_left_out)} more frames are in the raw stack trace.</p>` : null}
  </div>`;
}

/** @param {{ text: string }} props */
export function RawStack({ text }) {
  return html`<div class="stack"><div class="stack-head"><span>Stack trace</span><${CopyButton} text=${text} label="Copy the stack trace" /></div>
    <${FoldedText} text=${text} className="stack-text" lines=${STACK_LINES} /></div>`;
}

/** @param {{ frame: StackFrame, open: boolean }} props */
function Frame({ frame, open }) {
  const { raw, resolved, kept } = frame;
  const cameAs = html`<span class="frame-raw"><${Outside} text=${raw.function ?? '(anonymous)'} limit=${200} /> <${Outside} text=${`${raw.url}:${raw.line}:${raw.column}`} limit=${400} /></span>`;
  if (resolved === null) {
    return html`<li class=${kept?.code === 'native' ? 'frame native' : 'frame raw'}>
      ${cameAs}<span class="frame-why">${kept === null ? '' : kept.message}</span></li>`;
  }
  const place = `${resolved.file}:${resolved.line}:${resolved.column}`;
  const name = html`<strong class="frame-function"><${Outside} text=${resolved.function ?? '(anonymous)'} limit=${200} /></strong>`;
  const where = html`<span class="frame-place"><${Outside} text=${place} limit=${400} /></span>`;
  const foreign = resolved.in_app ? null : html`<span class="badge" title="Code of a package, or what a bundler added">not in app</span>`;
  if (resolved.context === null) {
    return html`<li class=${resolved.in_app ? 'frame own' : 'frame'}><div class="frame-line">${name}${where}${foreign}</div>${cameAs}
      <span class="frame-why">the map has no source text</span></li>`;
  }
  return html`<li class=${resolved.in_app ? 'frame own' : 'frame'}>
    <details open=${open}>
      <summary><${Icon} name="right" /><span class="frame-line">${name}${where}${foreign}</span></summary>
      ${cameAs}
      <${SourceLines} first=${resolved.context.first_line} lines=${resolved.context.lines} line=${resolved.line} column=${resolved.column} />
    </details>
  </li>`;
}

/**
 * Lines of source, with the place marked.
 * @param {{ first: number, lines: string[], line: number, column: number }} props
 */
function SourceLines({ first, lines, line, column }) {
  return html`<pre class="source" dir="ltr"><code>${lines.map((text, at) => {
    const number = first + at;
    const isHere = number === line;
    return html`<span class=${isHere ? 'source-line here' : 'source-line'} key=${number} aria-current=${isHere ? 'location' : null}><span class="source-number" aria-hidden="true">${number}</span>${isHere ? html`<${MarkedLine} text=${text} column=${column} />` : html`<span>${visible(text)}</span>`}${'\n'}</span>`;
  })}</code></pre>`;
}

/** @param {{ text: string, column: number }} props */
function MarkedLine({ text, column }) {
  const at = column - 1;
  // A line that was cut may end before the column.
  if (at < 0 || at >= text.length) return html`<span>${visible(text)}</span>`;
  const word = /^[\p{L}\p{N}_$]+/u.exec(text.slice(at))?.[0] ?? String.fromCodePoint(text.codePointAt(at) ?? 32);
  return html`<span>${visible(text.slice(0, at))}<mark title=${`column ${column}`}>${visible(word)}</mark>${visible(text.slice(at + word.length))}</span>`;
}

/**
 * Why the frames of a script stay raw, and what to do about it.
 * @param {{ script: StackScript }} props
 */
export function MissingMap({ script }) {
  return html`<div class="missing-map" role="note">
    <p><${Icon} name="warning" /><span>No source for <code class="breaks"><${Outside} text=${script.url} limit=${300} /></code></span></p>
    ${script.fix === null ? null : html`<p class="fix"><strong>To do:</strong> <${Outside} text=${script.fix} limit=${600} /></p>`}
    <${Ladder} script=${script} />
  </div>`;
}

/** What was tried, step by step. @param {{ script: StackScript }} props */
export function Ladder({ script }) {
  if (script.reasons.length === 0 && script.bad_map === null) return null;
  return html`<details class="ladder"><summary><${Icon} name="right" />What was tried</summary>
    <ol>${script.reasons.map((reason, at) => html`<li key=${at}>${reason.step === null ? null : html`<span class="step">step ${reason.step}</span>`} <${Outside} text=${reason.message} limit=${600} /></li>`)}
    ${script.bad_map === null ? null : html`<li><${Outside} text=${`the map cannot be used: ${script.bad_map}`} limit=${600} /></li>`}</ol>
  </details>`;
}
