import * as api from '../../api/index.js';
import { conditionCount, everything, kinds, pageSizes, presets, searchErrors, statuses } from '../../model/search-state.js';
import { fromInputValue, toInputValue } from '../../model/time.js';
import { label } from '../../model/text.js';
import { html, useEffect, useState } from '../html.js';
import { Icon } from '../icons.js';
import { zone } from '../preferences.js';

/**
 * @import { Operation } from '../../api/types.js'
 * @import { SearchState } from '../../model/search-state.js'
 */

/** Completion is a help, not a catalogue: past this, typing more is faster than scrolling. */
const MOST_SUGGESTIONS = 1000;

/**
 * @param {{ state: SearchState, busy: boolean, onSearch: (state: SearchState) => void }} props
 */
export function SearchForm({ state, busy, onSearch }) {
  const [draft, setDraft] = useState(state);
  const [touched, setTouched] = useState(true);
  const [open, setOpen] = useState(false);
  // Another search was gone to. The fields stay the same elements, so that the focus stays in them.
  useEffect(() => setDraft(state), [state]);
  const services = useServices();
  const operations = useOperations(draft.service, services);
  const errors = touched ? searchErrors(draft) : {};
  const set = (/** @type {Partial<SearchState>} */ change) => {
    // While a value is being typed it is not yet wrong.
    setTouched(false);
    setDraft({ ...draft, ...change });
  };
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    setTouched(true);
    if (Object.keys(searchErrors(draft)).length > 0) return;
    setOpen(false);
    onSearch(draft);
  };
  const count = conditionCount(state);

  return html`<form class=${open ? 'search-form open' : 'search-form'} aria-label="Search traces" onSubmit=${submit}>
    <button type="button" class="button form-toggle" aria-expanded=${open} aria-controls="search-fields" onClick=${() => setOpen(!open)}>
      <${Icon} name="filter" /><span>${count === 0 ? 'Filters' : `Filters (${count})`}</span>
    </button>
    <div class="search-fields" id="search-fields">
      <${TextField} name="service" label="Service" value=${draft.service} placeholder="Any" list="service-names"
        onValue=${(/** @type {string} */ service) => set({ service })} />
      <datalist id="service-names">${services.slice(0, MOST_SUGGESTIONS).map((name) => html`<option value=${name}></option>`)}</datalist>
      <${TextField} name="name" label="Operation" value=${draft.name} placeholder="Any" list="operation-names"
        onValue=${(/** @type {string} */ name) => set({ name })} />
      <datalist id="operation-names">${operations
        .slice(0, MOST_SUGGESTIONS)
        .map(({ name, kind }) => html`<option value=${name} label=${kind}></option>`)}</datalist>
      <${TextField} name="attributes" label="Attributes" value=${draft.attributes} error=${errors.attributes} code=${true}
        placeholder="http.response.status_code>=500" hint="key=value, separated by spaces; also != < <= > >="
        onValue=${(/** @type {string} */ attributes) => set({ attributes })} />
      <div class="field-pair">
        <${TextField} name="min-duration" label="Min duration" value=${draft.minDuration} error=${errors.minDuration} placeholder="250ms"
          onValue=${(/** @type {string} */ minDuration) => set({ minDuration })} />
        <${TextField} name="max-duration" label="Max duration" value=${draft.maxDuration} error=${errors.maxDuration} placeholder="1.5s"
          onValue=${(/** @type {string} */ maxDuration) => set({ maxDuration })} />
      </div>
      <div class="field-pair">
        <${ChoiceField} name="status" label="Status" value=${draft.status} options=${anyOf(statuses)}
          onValue=${(/** @type {string} */ status) => set({ status })} />
        <${ChoiceField} name="kind" label="Kind" value=${draft.kind} options=${anyOf(kinds)} onValue=${(/** @type {string} */ kind) => set({ kind })} />
      </div>
      <${ChoiceField} name="range" label="Time" value=${draft.range}
        options=${[{ id: 'all', label: 'Everything kept' }, ...presets, { id: 'custom', label: 'Custom…' }]}
        onValue=${(/** @type {string} */ range) => set({ range, ...(range === 'custom' ? customFrom(draft) : { start: '', end: '' }) })} />
      ${draft.range === 'custom' ? html`<${CustomRange} draft=${draft} error=${errors.end} onChange=${set} />` : null}
      <${ChoiceField} name="limit" label="Traces per page" value=${String(draft.limit)}
        options=${[...new Set([...pageSizes, draft.limit])].sort((a, b) => a - b).map((size) => ({ id: String(size), label: String(size) }))}
        onValue=${(/** @type {string} */ limit) => set({ limit: Number(limit) })} />
      <div class="button-row form-actions">
        <button type="submit" class="button primary grow"><${Icon} name="search" /><span>${busy ? 'Searching…' : 'Search'}</span></button>
        <button type="button" class="button" onClick=${() => onSearch({ ...everything })} disabled=${count === 0}>Clear</button>
      </div>
    </div>
  </form>`;
}

/** @param {readonly string[]} names */
function anyOf(names) {
  return [{ id: '', label: 'Any' }, ...names.map((name) => ({ id: name, label: `${name[0].toUpperCase()}${name.slice(1)}` }))];
}

/** A custom range begins as the range that was chosen before. @param {SearchState} draft */
function customFrom(draft) {
  const seconds = presets.find((preset) => preset.id === draft.range)?.seconds ?? 3600;
  const now = Date.now();
  return { start: new Date(now - seconds * 1000).toISOString(), end: new Date(now).toISOString() };
}

/** @param {{ draft: SearchState, error?: string, onChange: (change: Partial<SearchState>) => void }} props */
function CustomRange({ draft, error, onChange }) {
  const where = zone.value === 'utc' ? 'UTC' : 'your zone';
  const input = (/** @type {'start' | 'end'} */ edge, /** @type {string} */ name) => html`<label class="field">
    <span class="field-label">${name} <span class="muted">(${where})</span></span>
    <input type="datetime-local" step="0.001" name=${edge} value=${toInputValue(draft[edge], zone.value)} aria-invalid=${edge === 'end' && error !== undefined}
      onChange=${(/** @type {Event} */ event) =>
        onChange({ [edge]: fromInputValue(/** @type {HTMLInputElement} */ (event.target).value, zone.value) })} />
  </label>`;
  return html`<div class="custom-range">${input('start', 'From')}${input('end', 'To')}
    ${error === undefined ? null : html`<span class="field-error" role="alert">${error}</span>`}</div>`;
}

/**
 * @param {{ name: string, label: string, value: string, placeholder?: string, list?: string, hint?: string,
 *   error?: string, code?: boolean, onValue: (value: string) => void }} props
 */
function TextField({ name, label: caption, value, placeholder, list, hint, error, code = false, onValue }) {
  const note = error ?? hint;
  return html`<label class="field">
    <span class="field-label">${caption}</span>
    <input type="text" name=${name} value=${value} placeholder=${placeholder} list=${list} class=${code ? 'code' : ''} aria-invalid=${error !== undefined}
      aria-describedby=${note === undefined ? undefined : `${name}-note`} autocomplete="off" autocapitalize="off" spellcheck=${false}
      onInput=${(/** @type {Event} */ event) => onValue(/** @type {HTMLInputElement} */ (event.target).value)} />
    ${note === undefined ? null : html`<span id=${`${name}-note`} class=${error === undefined ? 'field-hint' : 'field-error'}>${note}</span>`}
  </label>`;
}

/**
 * @param {{ name: string, label: string, value: string, options: readonly { id: string, label: string }[], onValue: (value: string) => void }} props
 */
function ChoiceField({ name, label: caption, value, options, onValue }) {
  return html`<label class="field">
    <span class="field-label">${caption}</span>
    <select name=${name} value=${value} onChange=${(/** @type {Event} */ event) => onValue(/** @type {HTMLSelectElement} */ (event.target).value)}>
      ${options.map((option) => html`<option value=${option.id} selected=${option.id === value}>${label(option.label, 80)}</option>`)}
    </select>
  </label>`;
}

function useServices() {
  const [services, setServices] = useState(/** @type {string[]} */ ([]));
  useEffect(() => {
    const controller = new AbortController();
    // Without suggestions the field still works; the search itself reports a server that is gone.
    api.services(controller.signal).then((answer) => setServices(answer.services), () => {});
    return () => controller.abort();
  }, []);
  return services;
}

/**
 * @param {string} service
 * @param {string[]} services
 */
function useOperations(service, services) {
  const [operations, setOperations] = useState(/** @type {Operation[]} */ ([]));
  const complete = service === '' || services.includes(service);
  useEffect(() => {
    if (!complete) return undefined;
    const controller = new AbortController();
    api.operations(service, controller.signal).then((answer) => setOperations(answer.operations), () => {});
    return () => controller.abort();
  }, [service, complete]);
  return operations;
}
