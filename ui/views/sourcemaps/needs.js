import { isOfPackage } from '../../model/stack.js';
import { recordSnippet } from '../../model/upload-snippets.js';
import { sourceMapsUrl } from '../../model/sourcemaps-state.js';
import { counted, formatCount } from '../../model/text.js';
import { CopyButton, Notice, Outside, ServiceDot } from '../bits.js';
import { html, useState } from '../html.js';
import { Icon } from '../icons.js';
import { Fix, FoundMap, Ladder } from '../missing-map.js';

/**
 * @import { Needs as NeedsAnswer, ScriptNeed } from '../../api/types.js'
 * @import { SourceMapsView } from '../../model/sourcemaps-state.js'
 */

const NEEDS_AT_FIRST = 30;
const MOST_CHIPS = 30;
const PACKAGES_SHOWN = 100;

/**
 * The files that the last day's exceptions were in.
 * @param {{ needs: NeedsAnswer, view: SourceMapsView }} props
 */
export function Needs({ needs, view }) {
  const [most, setMost] = useState(NEEDS_AT_FIRST);
  if (needs.scripts.length === 0) return html`<${NoNeeds} needs=${needs} />`;
  const shown = view.service === '' ? needs.scripts : needs.scripts.filter((need) => need.service === view.service);
  const own = shown.filter((need) => !isPackageAlone(need));
  const packages = shown.filter(isPackageAlone);
  return html`
    <${Summary} needs=${needs} />
    <${Services} needs=${needs} view=${view} />
    ${needs.truncated ? html`<${Notice} tone="info">There is more than can be looked at: the newest exceptions are counted here.<//>` : null}
    ${shown.length === 0 ? html`<p class="muted">No exception of the last day is of service <${Outside} text=${view.service} limit=${100} />. <a href=${sourceMapsUrl({ ...view, service: '' })}>Show all services</a></p>` : null}
    <${NeedList} needs=${own.slice(0, most)} />
    ${own.length > most ? html`<button type="button" class="link-button" onClick=${() => setMost(own.length)}>Show all ${formatCount(own.length)} files</button>` : null}
    ${packages.length === 0 ? null : html`<details class="fold"><summary><${Icon} name="right" />${counted(packages.length, 'file')} of packages without a map, as most packages are</summary><${NeedList} needs=${packages.slice(0, PACKAGES_SHOWN)} /></details>`}`;
}

/** @param {{ needs: ScriptNeed[] }} props */
function NeedList({ needs }) {
  return html`<ul class="needs">${needs.map((need) => html`<${Need} need=${need} key=${`${need.service} ${need.version} ${need.url}`} />`)}</ul>`;
}

/** @param {{ needs: NeedsAnswer }} props */
function NoNeeds({ needs }) {
  if (needs.exceptions > 0) return html`<p class="muted">${counted(needs.exceptions, 'exception')} of the last day, and none with frames in a JavaScript file that could have a map.</p>`;
  return html`<div class="teach">
    <p>No exception of the last day has a stack trace. Once a service records one, this says for each file in it whether a map is there, and what to do if not. OpenTelemetry’s instrumentations record most by themselves; by hand it is:</p>
    <div class="snippets"><div class="snippet-head"><p class="muted">Where an error is caught, in Node or in a browser.</p><${CopyButton} text=${recordSnippet} label="Copy the code" caption="Copy" /></div><pre class="code-block" tabindex="0">${recordSnippet}</pre></div>
  </div>`;
}

/** @param {{ needs: NeedsAnswer }} props */
function Summary({ needs }) {
  const { exceptions, traces, scripts } = needs;
  const missing = scripts.filter(isOwnMissing).length;
  return html`<p class="muted">${counted(exceptions, 'exception')} in ${counted(traces, 'trace')}. ${
    missing === 0 ? 'Every file that was bundled had its map.' : `${counted(missing, 'file')} of ${formatCount(scripts.length)} ${missing === 1 ? 'lacks' : 'lack'} a map.`
  }</p>`;
}

/** @param {{ needs: NeedsAnswer, view: SourceMapsView }} props */
function Services({ needs, view }) {
  /** @type {Map<string, number>} */
  const services = new Map();
  for (const need of needs.scripts) services.set(need.service, (services.get(need.service) ?? 0) + Number(isOwnMissing(need)));
  if (services.size < 2 && view.service === '') return null;
  return html`<div class="chips" role="group" aria-label="Services: show their files alone">
    ${[...services].slice(0, MOST_CHIPS).map(([service, missing]) => {
      const on = service === view.service;
      return html`<a class="chip" key=${service} href=${sourceMapsUrl({ ...view, service: on ? '' : service })} aria-current=${on ? 'true' : null}>
        <${ServiceDot} service=${service} /><${Outside} text=${service} limit=${60} fallback="(no service)" />
        ${missing > 0 ? html`<span class="chip-missing" title=${`${counted(missing, 'file')} without a map`}><${Icon} name="warning" />${formatCount(missing)}</span>` : null}
      </a>`;
    })}
  </div>`;
}

/** @param {ScriptNeed} need */
function isMissing(need) {
  return need.map === null || need.bad_map !== null;
}

/** A file of a package that nobody would have a map of. @param {ScriptNeed} need */
function isPackageAlone(need) {
  return isMissing(need) && isOfPackage(need.url);
}

/** @param {ScriptNeed} need */
function isOwnMissing(need) {
  return isMissing(need) && !isOfPackage(need.url);
}

/** @param {{ need: ScriptNeed }} props */
function Need({ need }) {
  const missing = isMissing(need);
  return html`<li class=${missing ? 'need missing' : 'need'}>
    <div class="need-head">
      <${Icon} name=${missing ? 'warning' : 'check'} />
      <code class="breaks"><${Outside} text=${need.url} limit=${300} /></code>
      <span class="need-service muted"><${ServiceDot} service=${need.service} /><${Outside} text=${need.service} limit=${100} fallback="(no service)" />${need.version === null ? null : html`<${Outside} text=${need.version} limit=${100} />`}</span>
    </div>
    <p class="need-facts muted">
      ${framesOf(need)} · ${counted(need.exceptions, 'exception')}, as in <a href=${`/trace/${need.example_trace_id}`}>this trace</a>
      ${missing || need.map === null ? null : html` · <${FoundMap} script=${need} />`}
    </p>
    <${Fix} fix=${need.fix} />
    ${missing ? html`<${Ladder} script=${need} />` : null}
  </li>`;
}

/** @param {ScriptNeed} need */
function framesOf({ frames, resolved_frames: resolved, not_covered_frames: wrapped }) {
  const own = wrapped === 0 ? '' : `, ${formatCount(wrapped)} ${wrapped === 1 ? 'is' : 'are'} the bundler’s own code`;
  if (resolved === 0) return `${counted(frames, 'frame')}, none led to source${own}`;
  return `${formatCount(resolved)} of ${counted(frames, 'frame')} ${resolved === 1 ? 'leads' : 'lead'} to source${own}`;
}
