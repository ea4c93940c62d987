// The one place that ties Preact and htm together. Values go in as text or properties, never as HTML.

import htm from '../vendor/htm/htm.js';
import { h } from '../vendor/preact/preact.js';

export { render } from '../vendor/preact/preact.js';
export { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from '../vendor/preact/hooks.js';
export { batch, computed, effect, signal, untracked } from '../vendor/signals/signals.js';

/** @typedef {import('preact').VNode<any> | import('preact').VNode<any>[]} Html */

export const html = htm.bind(h);
