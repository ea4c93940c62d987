import { formatCount } from '../../model/text.js';
import { Notice, Outside, ServiceDot } from '../bits.js';
import { html } from '../html.js';
import { Icon } from '../icons.js';
import { Ladder } from '../trace/stack.js';

/** @import { Needs as NeedsAnswer, ScriptNeed } from '../../api/types.js' */

/** The files that the last day's exceptions were in. @param {{ needs: NeedsAnswer }} props */
export function Needs({ needs }) {
  const missing = needs.scripts.filter(isMissing).length;
  return html`<section aria-labelledby="needs-title">
    <h2 id="needs-title">What the last day’s frames needed</h2>
    ${
      needs.scripts.length === 0
        ? html`<p class="muted">No exception of the last day has a JavaScript stack trace.</p>`
        : html`<p class="muted">${formatCount(needs.exceptions)} exceptions in ${formatCount(needs.traces)} traces. ${missing === 0 ? 'A map was there for every file.' : `${formatCount(missing)} of ${formatCount(needs.scripts.length)} files lack a map.`}</p>`
    }
    ${needs.truncated ? html`<${Notice} tone="info">There are more; the newest traces are counted here.<//>` : null}
    <ul class="needs">${needs.scripts.map((need, at) => html`<${Need} need=${need} key=${at} />`)}</ul>
  </section>`;
}

/** @param {ScriptNeed} need */
function isMissing(need) {
  return need.map === null || need.bad_map !== null;
}

/** @param {{ need: ScriptNeed }} props */
function Need({ need }) {
  const missing = isMissing(need);
  return html`<li class=${missing ? 'need missing' : 'need'}>
    <div class="need-head">
      <${Icon} name=${missing ? 'warning' : 'check'} />
      <code class="breaks"><${Outside} text=${need.url} limit=${300} /></code>
      <span class="muted"><${ServiceDot} service=${need.service} /> <${Outside} text=${need.service} limit=${100} />${need.version === null ? '' : html` <${Outside} text=${need.version} limit=${100} />`}</span>
    </div>
    <div class="need-facts muted">
      ${formatCount(need.resolved_frames)} of ${formatCount(need.frames)} frames lead to source${need.not_covered_frames > 0 ? `, ${formatCount(need.not_covered_frames)} are the bundler’s own` : ''} · <a href=${`/trace/${need.example_trace_id}`}>a trace</a>
      ${need.map === null ? null : html` · <span>${need.map.step_name.replaceAll('_', ' ')}${need.map.release === null ? '' : html`, release <${Outside} text=${need.map.release} limit=${100} />`}</span>`}
    </div>
    ${need.fix === null ? null : html`<p class="fix"><strong>To do:</strong> <${Outside} text=${need.fix} limit=${600} /></p>`}
    ${missing ? html`<${Ladder} script=${need} />` : null}
  </li>`;
}
