import { sourceMapsUrl } from '../../model/sourcemaps-state.js';
import { atColumn, firstOwn, missingMaps, stackItems } from '../../model/stack.js';
import { counted, formatCount, visible } from '../../model/text.js';
import { CopyButton, Outside } from '../bits.js';
import { html, useLayoutEffect, useMemo, useRef, useState } from '../html.js';
import { Icon } from '../icons.js';
import { FoundMap, MissingMap } from '../missing-map.js';
import { FoldedText } from './attributes.js';

/**
 * @import { ResolvedStack, StackFrame } from '../../api/types.js'
 * @import { StackItem } from '../../model/stack.js'
 */

const STACK_LINES = 16;
const FRAMES_AT_FIRST = 50;
/** Causes of missing maps that are explained before the frames; the others are a press away. */
const MISSING_AT_FIRST = 2;

/**
 * A stack trace with its frames led back to source, beside the one that came.
 * @param {{ stack: ResolvedStack, exception: { type: string, message: string, service: string } }} props
 */
export function Stack({ stack, exception }) {
  const [most, setMost] = useState(FRAMES_AT_FIRST);
  const [asText, setAsText] = useState(false);
  const items = useMemo(() => stackItems(stack, exception, most), [stack, most]);
  if (stack.frames.length === 0) return html`<${RawStack} text=${stack.raw} />`;
  const opened = firstOwn(stack.frames);
  return html`<div class="stack">
    <div class="stack-head">
      <h4>${headOf(stack)}</h4>
      <span class="stack-tools">
        <span class="switch" role="group" aria-label="How the stack trace is shown">
          <button type="button" aria-pressed=${!asText} onClick=${() => setAsText(false)}>Frames</button>
          <button type="button" aria-pressed=${asText} onClick=${() => setAsText(true)}>Text</button>
        </span>
        <${CopyButton} text=${stack.resolved} label="Copy the resolved stack trace" />
      </span>
    </div>
    <${MissingMaps} stack=${stack} service=${exception.service} />
    ${
      asText
        ? html`<${Texts} stack=${stack} />`
        : html`<div class="frame-columns" aria-hidden="true"><span>In source</span><span>As it came</span></div>
            <ol class="frames" aria-label="Frames, the innermost first">${items.map((item) => html`<${Item} item=${item} stack=${stack} opened=${opened} key=${keyOf(item)} />`)}</ol>`
    }
    ${!asText && stack.frames.length > most ? html`<p class="stack-more"><button type="button" class="link-button" onClick=${() => setMost(stack.frames.length)}>Show all ${formatCount(stack.frames.length)} frames</button></p>` : null}
    ${stack.frames_left_out > 0 ? html`<p class="muted stack-more">${counted(stack.frames_left_out, 'more frame')} ${stack.frames_left_out === 1 ? 'is' : 'are'} in the raw stack trace only.</p>` : null}
  </div>`;
}

/** @param {{ text: string }} props */
export function RawStack({ text }) {
  return html`<div class="stack"><div class="stack-head"><h4>Stack trace</h4><${CopyButton} text=${text} label="Copy the stack trace" /></div>
    <${FoldedText} text=${text} className="stack-text" lines=${STACK_LINES} /></div>`;
}

/** @param {ResolvedStack} stack */
function headOf({ frames, resolved_frames: resolved }) {
  if (resolved > 0) return `${formatCount(resolved)} of ${counted(frames.length, 'frame')} ${resolved === 1 ? 'leads' : 'lead'} to source`;
  const others = frames.filter(({ kept }) => kept?.code !== 'native');
  return others.length > 0 && others.every(({ kept }) => kept?.code === 'original') ? 'Stack trace, in source already' : 'No frame leads to source';
}

/** @param {StackItem} item */
function keyOf(item) {
  if (item.kind === 'frame') return `frame ${item.at}`;
  return item.kind === 'quiet' ? `quiet ${item.from}` : `text ${item.text}`;
}

/** @param {{ stack: ResolvedStack }} props */
function Texts({ stack }) {
  return html`<div class="stack-sides">
    <section aria-label="Resolved stack trace"><h5>In source <${CopyButton} text=${stack.resolved} label="Copy the resolved stack trace" /></h5><${FoldedText} text=${stack.resolved} className="stack-text" lines=${STACK_LINES} /></section>
    <section aria-label="Raw stack trace"><h5>As it came <${CopyButton} text=${stack.raw} label="Copy the raw stack trace" /></h5><${FoldedText} text=${stack.raw} className="stack-text" lines=${STACK_LINES} /></section>
  </div>`;
}

/** @param {{ stack: ResolvedStack, service: string }} props */
function MissingMaps({ stack, service }) {
  const missing = missingMaps(stack);
  const rest = missing.slice(MISSING_AT_FIRST);
  if (missing.length === 0) return null;
  return html`<div class="missing-maps">
    ${missing.slice(0, MISSING_AT_FIRST).map((one) => html`<${MissingMap} missing=${one} key=${one.scripts[0].url} />`)}
    ${rest.length === 0 ? null : html`<details class="fold"><summary><${Icon} name="right" />${counted(rest.reduce((sum, one) => sum + one.scripts.length, 0), 'more file')} without a map</summary>${rest.map((one) => html`<${MissingMap} missing=${one} key=${one.scripts[0].url} />`)}</details>`}
    <p><a href=${sourceMapsUrl({ service })}>What is uploaded, and what frames of <${Outside} text=${service} limit=${60} fallback="this service" /> need</a></p>
  </div>`;
}

/** @param {{ item: StackItem, stack: ResolvedStack, opened: number }} props */
function Item({ item, stack, opened }) {
  if (item.kind === 'text') return html`<li class="frame-between"><${Outside} text=${item.text} /></li>`;
  if (item.kind === 'frame') return html`<${Frame} frame=${stack.frames[item.at]} stack=${stack} opened=${item.at === opened} />`;
  return html`<${QuietFrames} item=${item} stack=${stack} opened=${opened} />`;
}

/** @param {{ item: { from: number, to: number }, stack: ResolvedStack, opened: number }} props */
function QuietFrames({ item: { from, to }, stack, opened }) {
  const holdsOpened = opened >= from && opened < to;
  const [open, setOpen] = useState(holdsOpened);
  return html`<li class="frame quiet">
    <details class="fold" open=${open} onToggle=${(/** @type {Event} */ event) => setOpen(/** @type {HTMLDetailsElement} */ (event.currentTarget).open)}>
      <summary><${Icon} name="right" />${formatCount(to - from)} frames of packages and of the engine</summary>
      ${open ? html`<ol class="frames">${stack.frames.slice(from, to).map((frame, at) => html`<${Frame} frame=${frame} stack=${stack} opened=${from + at === opened} key=${at} />`)}</ol>` : null}
    </details>
  </li>`;
}

/** @param {{ frame: StackFrame, stack: ResolvedStack, opened: boolean }} props */
function Frame({ frame, stack, opened }) {
  const [open, setOpen] = useState(opened);
  const { raw, resolved, kept } = frame;
  const cameAs = html`<span class="frame-raw"><span class="visually-hidden">, as it came: </span><${Outside} text=${raw.function ?? '(anonymous)'} limit=${200} /> <span class="frame-url"><${Outside} text=${placeOf(raw.url, raw)} limit=${400} /></span></span>`;
  if (resolved === null) {
    const code = kept?.code ?? '';
    return html`<li class=${code === 'native' ? 'frame raw native' : code === 'original' ? 'frame raw original' : 'frame raw'}>
      <span class="frame-sides"><span class="frame-why">${whyRaw(frame)}</span>${cameAs}</span></li>`;
  }
  const place = placeOf(resolved.file, resolved);
  const script = frame.script === null ? undefined : stack.scripts[frame.script];
  return html`<li class=${resolved.in_app ? 'frame own' : 'frame'}>
    <details open=${open} onToggle=${(/** @type {Event} */ event) => setOpen(/** @type {HTMLDetailsElement} */ (event.currentTarget).open)}>
      <summary><${Icon} name="right" /><span class="frame-sides">
        <span class="frame-source"><strong><${Outside} text=${resolved.function ?? '(anonymous)'} limit=${200} /></strong> <span class="frame-place"><${Outside} text=${place} limit=${400} /></span>${
          resolved.in_app ? null : html` <span class="badge" title="Code of a package, or what a bundler added">not in app</span>`
        }</span>
        ${cameAs}
      </span></summary>
      ${
        open
          ? html`<div class="frame-body">
              ${resolved.context === null ? html`<p class="muted">${whyNoLines(stack)}</p>` : html`<${SourceLines} place=${place} context=${resolved.context} line=${resolved.line} column=${resolved.column} />`}
              <p class="frame-how muted"><span>${script === undefined ? null : html`<${FoundMap} script=${script} />`}</span><${CopyButton} text=${place} label="Copy file, line and column" /></p>
            </div>`
          : null
      }
    </details>
  </li>`;
}

/** @param {ResolvedStack} stack */
function whyNoLines({ source_withheld: withheld }) {
  if (withheld === null) return 'The map has no text of this source: build it with sourcesContent to see the lines here.';
  return `${withheld.charAt(0).toUpperCase()}${withheld.slice(1)}.`;
}

/** @param {StackFrame} frame */
function whyRaw({ kept }) {
  if (kept === null) return 'stays as it came';
  return kept.code === 'native' || kept.code === 'original' ? kept.message : `stays raw: ${kept.message}`;
}

/**
 * As an editor takes it.
 * @param {string} file
 * @param {{ line: number, column: number }} position 0 where the engine told none
 */
function placeOf(file, { line, column }) {
  if (line === 0) return file;
  return column === 0 ? `${file}:${line}` : `${file}:${line}:${column}`;
}

/**
 * Lines of source, with the place marked and in view.
 * @param {{ place: string, context: { first_line: number, lines: string[] }, line: number, column: number }} props
 */
function SourceLines({ place, context, line, column }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  useLayoutEffect(() => {
    const mark = box.current?.querySelector('mark');
    if (box.current === null || !(mark instanceof HTMLElement)) return;
    const hidden = mark.offsetLeft + mark.offsetWidth - box.current.clientWidth;
    if (hidden > 0) box.current.scrollLeft = hidden + box.current.clientWidth / 3;
  }, [place]);
  return html`<pre class="source" dir="ltr" tabindex="0" role="group" aria-label=${`Source around ${place.slice(0, 200)}`} ref=${box}><code>${context.lines.map((text, at) => {
    const number = context.first_line + at;
    if (number !== line) return html`<span class="source-line" key=${number}><span class="source-number" aria-hidden="true">${number}</span><span>${visible(text)}</span>${'\n'}</span>`;
    return html`<span class="source-line here" key=${number} aria-current="location"><span class="source-number">${number}</span><${MarkedLine} text=${text} column=${column} />${'\n'}</span>`;
  })}</code></pre>`;
}

/** @param {{ text: string, column: number }} props */
function MarkedLine({ text, column }) {
  const parts = atColumn(text, column);
  if (parts === null) return html`<span>${visible(text)}<span class="source-cut"> column ${formatCount(column)}</span></span>`;
  const [before, word, after] = parts;
  return html`<span>${visible(before)}<mark title=${`column ${column}`}>${visible(word)}</mark>${visible(after)}</span>`;
}
