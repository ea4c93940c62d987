import * as api from '../../api/index.js';
import { readSourceMapsView, sourceMapsUrl } from '../../model/sourcemaps-state.js';
import { counted } from '../../model/text.js';
import { Instant, Loading, Outside } from '../bits.js';
import { html, useEffect, useRef, useState } from '../html.js';
import { Icon } from '../icons.js';
import { Problem } from '../problem.js';
import { describe, location } from '../router.js';
import { Bundles } from './bundles.js';
import { ConfirmDelete } from './confirm.js';
import { instantOf } from './instants.js';

/** @import { Release } from '../../api/types.js' */

/** @param {{ organization: string, onChange: () => void }} props */
export function Releases({ organization, onChange }) {
  const [releases, setReleases] = useState(/** @type {Release[] | null} */ (null));
  const [cursor, setCursor] = useState(/** @type {string | null} */ (null));
  const [error, setError] = useState(/** @type {unknown} */ (null));
  const [removed, setRemoved] = useState('');
  const said = useRef(/** @type {HTMLElement | null} */ (null));

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
  useEffect(() => {
    // What had the focus is gone.
    if (removed !== '') said.current?.focus();
  }, [removed]);

  const remove = async (/** @type {string} */ version) => {
    await api.deleteRelease(organization, version);
    setReleases((known) => known?.filter((release) => release.version !== version) ?? null);
    setRemoved(version);
    showOpen(version, false);
    onChange();
  };
  if (error !== null) return html`<${Problem} error=${error} subject="releases" retry=${() => load(null, [], undefined)} />`;
  if (releases === null) return html`<${Loading} label="Loading releases…" />`;
  return html`
    <p class="muted" role="status" tabindex="-1" ref=${said} hidden=${removed === ''}>${removed === '' ? '' : html`Release <${Outside} text=${removed} limit=${150} /> was deleted.`}</p>
    ${releases.length === 0 ? html`<p class="muted">No release: what was uploaded is found by its debug ids alone.</p>` : null}
    <ul class="releases">${releases.map((release) => html`<${ReleaseItem} organization=${organization} release=${release} onDelete=${() => remove(release.version)} onChange=${onChange} key=${release.version} />`)}</ul>
    ${cursor === null ? null : html`<button type="button" class="link-button" onClick=${() => load(cursor, releases, undefined)}>Show older releases</button>`}`;
}

/**
 * Keeps the URL true to which releases are open.
 * @param {string} version
 * @param {boolean} open
 */
function showOpen(version, open) {
  const view = readSourceMapsView(location.peek().query);
  const releases = view.releases.filter((other) => other !== version);
  if (open) releases.push(version);
  if (releases.length !== view.releases.length) describe(sourceMapsUrl({ ...view, releases }));
}

/** @param {{ organization: string, release: Release, onDelete: () => Promise<void>, onChange: () => void }} props */
function ReleaseItem({ organization, release, onDelete, onChange }) {
  const asked = readSourceMapsView(location.value.query).releases.includes(release.version);
  const [open, setOpen] = useState(asked);
  const item = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    if (!asked) return;
    setOpen(true);
    item.current?.scrollIntoView({ block: 'nearest' });
  }, [asked]);
  const toggle = (/** @type {Event} */ event) => {
    const now = /** @type {HTMLDetailsElement} */ (event.currentTarget).open;
    setOpen(now);
    showOpen(release.version, now);
  };
  return html`<li class="release" ref=${item}>
    <details class="fold" open=${open} onToggle=${toggle}>
      <summary><${Icon} name="right" /><strong class="breaks"><${Outside} text=${release.version} limit=${150} /></strong>
        <span class="muted">${release.projects.map((project) => html`<${Outside} text=${project} limit=${60} key=${project} />, `)}${counted(release.bundle_count, 'upload')}, <${Instant} unixNano=${instantOf(release.changed_unix_ms)} /></span>
      </summary>
      ${
        open
          ? html`<div class="release-body">
              <${Bundles} organization=${organization} version=${release.version} onChange=${onChange} />
              <${ConfirmDelete} label="Delete the release" subject="release" question=${`Delete release ${release.version.slice(0, 150)} and ${counted(release.bundle_count, 'upload')} of it? Frames of its build can then no longer be led to source.`} onDelete=${onDelete} />
            </div>`
          : null
      }
    </details>
  </li>`;
}
