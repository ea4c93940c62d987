import * as api from '../../api/index.js';
import { html, useEffect, useRef, useState } from '../html.js';
import { Icon } from '../icons.js';
import { Problem } from '../problem.js';

/**
 * A button that asks before it deletes, where it stands.
 * @param {{ label: string, question: string, subject: string, onDelete: () => Promise<unknown> }} props
 */
export function ConfirmDelete({ label, question, subject, onDelete }) {
  const [phase, setPhase] = useState(/** @type {'idle' | 'asked' | 'busy'} */ ('idle'));
  const [error, setError] = useState(/** @type {unknown} */ (null));
  const keep = useRef(/** @type {HTMLButtonElement | null} */ (null));
  const ask = useRef(/** @type {HTMLButtonElement | null} */ (null));
  const asked = useRef(false);
  useEffect(() => {
    // The focus follows the question, and comes back from it.
    if (phase === 'asked') keep.current?.focus();
    if (phase === 'idle' && asked.current) ask.current?.focus();
    asked.current = phase !== 'idle';
  }, [phase]);

  const remove = async () => {
    setPhase('busy');
    try {
      await onDelete();
    } catch (failure) {
      if (!api.isAbort(failure)) setError(failure);
      setPhase('idle');
    }
  };
  if (phase === 'idle') {
    return html`<div class="confirm">
      ${error === null ? null : html`<${Problem} error=${error} subject=${subject} />`}
      <button type="button" class="button quiet danger" ref=${ask} onClick=${() => setPhase('asked')}><${Icon} name="trash" /><span>${label}</span></button>
    </div>`;
  }
  const press = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== 'Escape') return;
    event.stopPropagation();
    setPhase('idle');
  };
  return html`<div class="confirm asked" role="group" aria-label=${label} onKeyDown=${press}>
    <p>${question}</p>
    <div class="button-row">
      <button type="button" class="button danger" disabled=${phase === 'busy'} onClick=${remove}>${phase === 'busy' ? 'Deleting…' : 'Delete'}</button>
      <button type="button" class="button" disabled=${phase === 'busy'} ref=${keep} onClick=${() => setPhase('idle')}>Keep</button>
    </div>
  </div>`;
}
