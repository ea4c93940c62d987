import * as api from '../../api/index.js';
import { formatBytes, formatCount } from '../../model/text.js';
import { Instant, Loading, Outside } from '../bits.js';
import { html, useEffect, useState } from '../html.js';
import { Icon } from '../icons.js';
import { Problem } from '../problem.js';
import { Projects } from './projects.js';

/** @import { BundleFile, Release, StoredBundle } from '../../api/types.js' */

const MS_IN_NANO = 1_000_000n;

/** @param {{ organization: string, onChange: () => void }} props */
export function Releases({ organization, onChange }) {
  const [releases, setReleases] = useState(/** @type {Release[] | null} */ (null));
  const [cursor, setCursor] = useState(/** @type {string | null} */ (null));
  const [error, setError] = useState(/** @type {unknown} */ (null));

  const load = async (/** @type {string | null} */ from, /** @type {Release[]} */ known, /** @type {AbortSignal | undefined} */ signal) => {
    try {
      const page = await api.releases(organization, from, signal);
      setReleases([...known, ...page.releases]);
      setCursor(page.next_cursor);
      setError(null);
    } catch (failure) {
      if (!api.isAbort(failure)) setError(failure);
    }
  };
  useEffect(() => {
    const controller = new AbortController();
    void load(null, [], controller.signal);
    return () => controller.abort();
  }, [organization]);

  const remove = async (/** @type {string} */ version) => {
    if (!window.confirm(`Delete release ${version} and what was uploaded for it?`)) return;
    try {
      await api.deleteRelease(organization, version);
      onChange();
      await load(null, [], undefined);
    } catch (failure) {
      setError(failure);
    }
  };
  if (error !== null) return html`<${Problem} error=${error} subject="releases" retry=${() => load(null, [], undefined)} />`;
  if (releases === null) return html`<${Loading} label="Loading releases…" />`;
  return html`<${Projects} organization=${organization} />
    ${releases.length === 0 ? html`<p class="muted">No release; what was uploaded is found by its debug ids alone.</p>` : null}
    <ul class="releases">${releases.map((release) => html`<${ReleaseItem} organization=${organization} release=${release} onDelete=${() => remove(release.version)} key=${release.version} />`)}</ul>
    ${cursor === null ? null : html`<button type="button" class="link-button" onClick=${() => load(cursor, releases, undefined)}>Show older releases</button>`}`;
}

/** @param {{ organization: string, release: Release, onDelete: () => void }} props */
function ReleaseItem({ organization, release, onDelete }) {
  const [open, setOpen] = useState(false);
  return html`<li class="release">
    <details onToggle=${(/** @type {Event} */ event) => setOpen(/** @type {HTMLDetailsElement} */ (event.target).open)}>
      <summary><${Icon} name="right" /><strong><${Outside} text=${release.version} limit=${150} /></strong>
        <span class="muted">${release.projects.join(', ')} · ${formatCount(release.bundle_count)} ${release.bundle_count === 1 ? 'upload' : 'uploads'} · <${Instant} unixNano=${BigInt(release.changed_unix_ms) * MS_IN_NANO} /></span>
      </summary>
      ${open ? html`<${Bundles} organization=${organization} version=${release.version} />` : null}
      <button type="button" class="button danger" onClick=${onDelete}>Delete the release</button>
    </details>
  </li>`;
}

/** @param {{ organization: string, version: string }} props */
function Bundles({ organization, version }) {
  const [bundles, setBundles] = useState(/** @type {StoredBundle[] | null} */ (null));
  const [error, setError] = useState(/** @type {unknown} */ (null));
  useEffect(() => {
    const controller = new AbortController();
    api.releaseBundles(organization, version, controller.signal).then(
      (page) => setBundles(page.bundles),
      (failure) => {
        if (!api.isAbort(failure)) setError(failure);
      },
    );
    return () => controller.abort();
  }, [organization, version]);
  if (error !== null) return html`<${Problem} error=${error} subject="uploads" />`;
  if (bundles === null) return html`<${Loading} label="Loading uploads…" />`;
  return html`<ul class="bundles">${bundles.map((bundle) => html`<${BundleItem} organization=${organization} bundle=${bundle} key=${bundle.id} />`)}</ul>`;
}

/** @param {{ organization: string, bundle: StoredBundle }} props */
function BundleItem({ organization, bundle }) {
  const [files, setFiles] = useState(/** @type {BundleFile[] | null} */ (null));
  const [error, setError] = useState(/** @type {unknown} */ (null));
  useEffect(() => {
    const controller = new AbortController();
    api.bundleFiles(organization, bundle.id, controller.signal).then(
      (detail) => setFiles(detail.files),
      (failure) => {
        if (!api.isAbort(failure)) setError(failure);
      },
    );
    return () => controller.abort();
  }, [organization, bundle.id]);
  return html`<li class="bundle">
    <p class="muted"><${Instant} unixNano=${BigInt(bundle.uploaded_unix_ms) * MS_IN_NANO} /> · ${formatBytes(bundle.bytes)}${bundle.dist === null ? '' : html` · dist <${Outside} text=${bundle.dist} limit=${60} />`}</p>
    ${error === null ? null : html`<${Problem} error=${error} subject="files" />`}
    ${
      files === null
        ? null
        : html`<table class="files"><thead><tr><th scope="col">File</th><th scope="col">What it is</th><th scope="col">Debug id, or the map it names</th><th scope="col">Size</th></tr></thead>
            <tbody>${files.map((file) => html`<tr key=${file.url + file.sha256}>
              <td><code class="breaks"><${Outside} text=${file.url} limit=${200} /></code></td><td>${fileTypes[file.type] ?? file.type}</td>
              <td><code class="breaks"><${Outside} text=${file.debug_id ?? file.source_map ?? file.map_file ?? ''} limit=${120} /></code></td><td class="number">${formatBytes(file.bytes)}</td></tr>`)}</tbody></table>`
    }
  </li>`;
}

/** @type {Record<string, string>} */
const fileTypes = { minified_source: 'bundle', source_map: 'map', source: 'source', other: 'other' };
