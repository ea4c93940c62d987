import * as api from '../../api/index.js';
import { counted, formatBytes, formatCount } from '../../model/text.js';
import { Instant, Loading, Notice, Outside } from '../bits.js';
import { html, useEffect, useState } from '../html.js';
import { Icon } from '../icons.js';
import { Problem } from '../problem.js';
import { ConfirmDelete } from './confirm.js';
import { instantOf } from './instants.js';

/** @import { BundleFile, StoredBundle } from '../../api/types.js' */

/** Uploads of a release whose files are shown without a press. */
const OPEN_AT_FIRST = 3;
const FILES_AT_FIRST = 50;

/** @param {{ organization: string, version: string, onChange: () => void }} props */
export function Bundles({ organization, version, onChange }) {
  const [bundles, setBundles] = useState(/** @type {StoredBundle[] | null} */ (null));
  const [more, setMore] = useState(false);
  const [error, setError] = useState(/** @type {unknown} */ (null));
  useEffect(() => {
    const controller = new AbortController();
    api.releaseBundles(organization, version, controller.signal).then(
      (page) => {
        setBundles(page.bundles);
        setMore(page.next_cursor !== null);
      },
      (failure) => {
        if (!api.isAbort(failure)) setError(failure);
      },
    );
    return () => controller.abort();
  }, [organization, version]);
  if (error !== null) return html`<${Problem} error=${error} subject="uploads" />`;
  if (bundles === null) return html`<${Loading} label="Loading uploads…" />`;
  if (bundles.length === 0) return html`<p class="muted">The release was named, but nothing was uploaded for it.</p>`;
  const remove = async (/** @type {string} */ id) => {
    await api.deleteBundle(organization, id);
    setBundles(bundles.filter((bundle) => bundle.id !== id));
    onChange();
  };
  return html`<ul class="bundles">${bundles.map((bundle) => html`<${BundleItem} organization=${organization} bundle=${bundle} opened=${bundles.length <= OPEN_AT_FIRST} onDelete=${() => remove(bundle.id)} key=${bundle.id} />`)}</ul>
    ${more ? html`<p class="muted">There are more; these came last.</p>` : null}`;
}

/** @param {{ organization: string, bundle: StoredBundle, opened: boolean, onDelete: () => Promise<void> }} props */
function BundleItem({ organization, bundle, opened, onDelete }) {
  const [open, setOpen] = useState(opened);
  return html`<li class="bundle">
    <details class="fold" open=${open} onToggle=${(/** @type {Event} */ event) => setOpen(/** @type {HTMLDetailsElement} */ (event.currentTarget).open)}>
      <summary><${Icon} name="right" /><span>${bundle.kind === 'file' ? 'A single file' : counted(bundle.file_count, 'file')}, ${formatBytes(bundle.bytes)}</span>
        <span class="muted"><${Instant} unixNano=${instantOf(bundle.uploaded_unix_ms)} />${bundle.dist === null ? null : html`, dist <${Outside} text=${bundle.dist} limit=${60} />`}</span>
      </summary>
      ${
        open
          ? html`<div class="bundle-body"><${Files} organization=${organization} bundle=${bundle} />
              <${ConfirmDelete} label="Delete this upload" subject="upload" question="Delete this upload, from every release that it is in?" onDelete=${onDelete} /></div>`
          : null
      }
    </details>
  </li>`;
}

/** @param {{ organization: string, bundle: StoredBundle }} props */
function Files({ organization, bundle }) {
  const [files, setFiles] = useState(/** @type {BundleFile[] | null} */ (null));
  const [most, setMost] = useState(FILES_AT_FIRST);
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
  if (error !== null) return html`<${Problem} error=${error} subject="files" />`;
  if (files === null) return html`<${Loading} label="Loading files…" />`;
  return html`
    ${files.some(({ type }) => type === 'source_map') || files.some((file) => file.has_inline_map) ? null : html`<${Notice} tone="warning">There is no map in this upload: frames of its bundles stay raw unless another upload of the release has it.<//>`}
    <table class="files"><thead><tr><th scope="col">File</th><th scope="col">What it is</th><th scope="col">What ties it to the other</th><th scope="col" class="number">Size</th></tr></thead>
      <tbody>${files.slice(0, most).map(
        (file) => html`<tr key=${file.path + file.sha256}>
          <td><code class="breaks"><${Outside} text=${file.url} limit=${200} /></code></td>
          <td>${fileTypes[file.type] ?? file.type}</td>
          <td class="file-tie">${tieOf(file)}</td>
          <td class="number">${formatBytes(file.bytes)}</td></tr>`,
      )}</tbody></table>
    ${files.length > most ? html`<button type="button" class="link-button" onClick=${() => setMost(files.length)}>Show all ${formatCount(files.length)} files</button>` : null}
    ${bundle.file_count > files.length && most >= files.length ? html`<p class="muted">${counted(bundle.file_count - files.length, 'more file')} of this upload ${bundle.file_count - files.length === 1 ? 'is' : 'are'} not shown.</p>` : null}`;
}

/** @param {BundleFile} file */
function tieOf(file) {
  if (file.debug_id !== null) return html`<span class="muted">debug id</span> <code class="breaks">${file.debug_id}</code>`;
  if (file.has_inline_map) return html`<span class="muted">the map is inside of it</span>`;
  if (file.source_map !== null) return html`<span class="muted">names the map</span> <code class="breaks"><${Outside} text=${file.source_map} limit=${200} /></code>`;
  if (file.map_file !== null) return html`<span class="muted">says it is for</span> <code class="breaks"><${Outside} text=${file.map_file} limit=${200} /></code>`;
  return html`<span class="muted">its content</span>`;
}

/** @type {Record<string, string>} */
const fileTypes = { minified_source: 'bundle', source_map: 'map', source: 'source', other: 'other' };
