import * as api from '../../api/index.js';
import { readSourceMapsView } from '../../model/sourcemaps-state.js';
import { uploadSnippets } from '../../model/upload-snippets.js';
import { counted, formatBytes } from '../../model/text.js';
import { Loading, Outside } from '../bits.js';
import { html, useEffect, useState } from '../html.js';
import { Icon } from '../icons.js';
import { Problem } from '../problem.js';
import { location } from '../router.js';
import { SnippetTabs } from '../snippet-tabs.js';
import { Needs } from './needs.js';
import { Projects } from './projects.js';
import { Releases } from './releases.js';

/** @import { Needs as NeedsAnswer, Organization } from '../../api/types.js' */

/** What was uploaded, what the last day's frames needed, and what to do where the two do not meet. */
export function SourceMapsPage() {
  const [changes, setChanges] = useState(0);
  const needs = useAnswer(api.sourceMapNeeds, changes);
  const uploaded = useAnswer(api.organizations, changes);
  const changed = () => setChanges((count) => count + 1);
  const view = readSourceMapsView(location.value.query);
  const organizations = uploaded.answer?.organizations.filter(hasSomething) ?? [];
  const projects = organizations.reduce((sum, organization) => sum + organization.project_count, 0);

  return html`<main class="page sourcemaps" aria-labelledby="sourcemaps-title">
    <h1 id="sourcemaps-title">Source maps</h1>
    <section aria-labelledby="needs-title">
      <h2 id="needs-title">What the last day’s frames needed</h2>
      <${State} of=${needs} subject="exceptions" loading="Looking at the last day’s exceptions…" />
      ${needs.answer === null ? null : html`<${Needs} needs=${inUse(needs.answer)} view=${view} />`}
    </section>
    <section aria-labelledby="uploaded-title">
      <h2 id="uploaded-title">What is uploaded</h2>
      <${State} of=${uploaded} subject="uploads" loading="Loading what is uploaded…" />
      ${organizations.map((organization) => html`<${Uploaded} organization=${organization} alone=${projects === 1} onChange=${changed} key=${organization.slug} />`)}
      ${uploaded.answer === null ? null : html`<${HowToUpload} isEmpty=${organizations.length === 0} service=${missingService(needs.answer)} />`}
    </section>
  </main>`;
}

/** Organisations come into being when a client names them. @param {Organization} organization */
function hasSomething(organization) {
  return organization.project_count > 0 || organization.release_count > 0 || organization.bundle_count > 0;
}

/** Files that frames of were looked up; those that are sources already need no map. @param {NeedsAnswer} needs @returns {NeedsAnswer} */
function inUse(needs) {
  return { ...needs, scripts: needs.scripts.filter(({ frames }) => frames > 0) };
}

/** A service that has use for an upload. @param {NeedsAnswer | null} needs */
function missingService(needs) {
  return needs?.scripts.find(({ map }) => map === null)?.service ?? null;
}

/**
 * @template T
 * @typedef {{ answer: T | null, error: unknown, retry: () => void }} Answered
 */

/**
 * What the server says, and says again after a change.
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} ask
 * @param {number} changes
 * @returns {Answered<T>}
 */
function useAnswer(ask, changes) {
  const [answer, setAnswer] = useState(/** @type {T | null} */ (null));
  const [error, setError] = useState(/** @type {unknown} */ (null));
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const controller = new AbortController();
    ask(controller.signal).then(
      (said) => {
        setAnswer(said);
        setError(null);
      },
      (failure) => {
        if (!api.isAbort(failure)) setError(failure);
      },
    );
    return () => controller.abort();
  }, [changes, attempt]);
  return { answer, error, retry: () => setAttempt(attempt + 1) };
}

/** @param {{ of: Answered<unknown>, subject: string, loading: string }} props */
function State({ of, subject, loading }) {
  if (of.error !== null) return html`<${Problem} error=${of.error} subject=${subject} retry=${of.retry} />`;
  return of.answer === null ? html`<${Loading} label=${loading} />` : null;
}

/** @param {{ organization: Organization, alone: boolean, onChange: () => void }} props */
function Uploaded({ organization, alone, onChange }) {
  return html`<section class="organization" aria-label=${`Organization ${organization.slug}`}>
    <h3 class="organization-name"><span class="visually-hidden">Organization </span><${Outside} text=${organization.slug} limit=${100} /> <span class="muted">${counted(organization.bundle_count, 'upload')}, ${formatBytes(organization.bytes)}</span></h3>
    <${Projects} organization=${organization.slug} alone=${alone} onChange=${onChange} />
    <${Releases} organization=${organization.slug} onChange=${onChange} />
  </section>`;
}

/** @param {{ isEmpty: boolean, service: string | null }} props */
function HowToUpload({ isEmpty, service }) {
  const snippets = uploadSnippets(window.location.origin, service);
  if (!isEmpty) return html`<details class="fold"><summary><${Icon} name="right" />How to upload</summary><${SnippetTabs} snippets=${snippets} label="Tool" /></details>`;
  return html`<div class="teach">
    <p>Nothing yet. Upload a build’s bundles and maps, before its errors or after: a trace is resolved when it is opened, so that today’s upload heals yesterday’s error. Maps need not be served to browsers, nor have a comment in the bundle.</p>
    <${SnippetTabs} snippets=${snippets} label="Tool" />
  </div>`;
}
