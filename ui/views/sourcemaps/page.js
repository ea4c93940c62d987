import * as api from '../../api/index.js';
import { formatBytes, formatCount } from '../../model/text.js';
import { Loading, Notice, Outside } from '../bits.js';
import { html, useEffect, useState } from '../html.js';
import { Problem } from '../problem.js';
import { Needs } from './needs.js';
import { Releases } from './releases.js';

/** @import { Needs as NeedsAnswer, Organization } from '../../api/types.js' */

/** What was uploaded, what the last day's frames needed, and what to do where the two do not meet. */
export function SourceMapsPage() {
  const [needs, setNeeds] = useState(/** @type {NeedsAnswer | null} */ (null));
  const [organizations, setOrganizations] = useState(/** @type {Organization[] | null} */ (null));
  const [error, setError] = useState(/** @type {unknown} */ (null));
  const [attempt, setAttempt] = useState(0);

  useEffect(() => {
    const controller = new AbortController();
    const load = async () => {
      try {
        const [needed, known] = await Promise.all([api.sourceMapNeeds(controller.signal), api.organizations(controller.signal)]);
        setNeeds(needed);
        setOrganizations(known.organizations);
        setError(null);
      } catch (failure) {
        if (!api.isAbort(failure)) setError(failure);
      }
    };
    void load();
    return () => controller.abort();
  }, [attempt]);

  const again = () => setAttempt(attempt + 1);
  return html`<main class="sourcemaps" aria-labelledby="sourcemaps-title">
    <h1 id="sourcemaps-title">Source maps</h1>
    ${error === null ? null : html`<${Problem} error=${error} subject="source maps" retry=${again} />`}
    ${error === null && (needs === null || organizations === null) ? html`<${Loading} label="Looking at the last day’s exceptions…" />` : null}
    ${needs === null ? null : html`<${Needs} needs=${needs} />`}
    ${organizations === null ? null : html`<${Uploaded} organizations=${organizations} onChange=${again} />`}
  </main>`;
}

/** @param {{ organizations: Organization[], onChange: () => void }} props */
function Uploaded({ organizations, onChange }) {
  if (organizations.length === 0) {
    return html`<section aria-labelledby="uploaded-title"><h2 id="uploaded-title">Uploaded</h2>
      <${Notice} tone="info"><p>Nothing was uploaded yet. Any of Sentry’s command lines and plugins can do it, with <code>SENTRY_URL=${window.location.origin}</code>; or</p>
        <pre class="snippet">backtrail sourcemaps upload dist --release 1.4.2</pre><//></section>`;
  }
  return html`<section aria-labelledby="uploaded-title"><h2 id="uploaded-title">Uploaded</h2>
    ${organizations.map(
      (organization) => html`<section class="organization" key=${organization.slug} aria-label=${`Organization ${organization.slug}`}>
        <h3><${Outside} text=${organization.slug} limit=${100} /> <span class="muted">${formatCount(organization.bundle_count)} ${organization.bundle_count === 1 ? 'upload' : 'uploads'}, ${formatBytes(organization.bytes)}</span></h3>
        <${Releases} organization=${organization.slug} onChange=${onChange} />
      </section>`,
    )}
  </section>`;
}
