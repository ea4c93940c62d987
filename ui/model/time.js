// Durations and instants as people read them. Instants are bigint nanoseconds since 1970: JavaScript's
// numbers lose digits there.

const NS_PER_MS = 1_000_000n;

/** @typedef {'local' | 'utc'} Zone */

/** @type {ReadonlyArray<readonly [string, number]>} */
const smallUnits = [
  ['s', 1e9],
  ['ms', 1e6],
  ['µs', 1e3],
  ['ns', 1],
];

/** @param {number} value */
function threeDigits(value) {
  const digits = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return String(Number(value.toFixed(digits)));
}

/**
 * `1.53 s`, `12.3 µs`, `2 m 3 s`, `1 h 2 m`.
 * @param {number} nanoseconds
 * @returns {string}
 */
export function formatDuration(nanoseconds) {
  if (nanoseconds < 0) return `−${formatDuration(-nanoseconds)}`;
  if (nanoseconds === 0) return '0 ns';
  const seconds = Math.round(nanoseconds / 1e9);
  if (seconds >= 86_400) return pair(seconds, 86_400, 'd', 3600, 'h');
  if (seconds >= 3600) return pair(seconds, 3600, 'h', 60, 'm');
  if (seconds >= 60) return pair(seconds, 60, 'm', 1, 's');
  for (const [unit, size] of smallUnits) {
    // 999.95 µs reads as 1 ms, not as 1000 µs.
    if (nanoseconds >= size * 0.9995 || unit === 'ns') return `${threeDigits(nanoseconds / size)} ${unit}`;
  }
  return `${nanoseconds} ns`;
}

/**
 * @param {number} seconds
 * @param {number} major
 * @param {string} majorUnit
 * @param {number} minor
 * @param {string} minorUnit
 */
function pair(seconds, major, majorUnit, minor, minorUnit) {
  const whole = Math.floor(seconds / major);
  const rest = Math.floor((seconds % major) / minor);
  return rest === 0 ? `${whole} ${majorUnit}` : `${whole} ${majorUnit} ${rest} ${minorUnit}`;
}

const durationUnits = Object.freeze(
  /** @type {Record<string, number>} */ ({ ns: 1, us: 1e3, µs: 1e3, μs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 }),
);

/**
 * Reads `250ms`, `1.5 s`, `2m`; a bare number is milliseconds.
 * @param {string} text
 * @returns {number | null} nanoseconds, or null when it is no duration
 */
export function parseDuration(text) {
  const match = /^\s*(\d+(?:\.\d+)?|\.\d+)\s*(ns|us|µs|μs|ms|s|m|h)?\s*$/i.exec(text);
  if (match === null) return null;
  return Number(match[1]) * durationUnits[(match[2] ?? 'ms').toLowerCase()];
}

/**
 * In the form that the API takes.
 * @param {string} text what a person typed
 */
export function durationParameter(text) {
  const nanoseconds = parseDuration(text);
  return nanoseconds === null ? text.trim() : `${Math.round(nanoseconds)}ns`;
}

/** @param {bigint} unixNano */
export function toDate(unixNano) {
  return new Date(Number(unixNano / NS_PER_MS));
}

/**
 * @param {number} value
 * @param {number} width
 */
function padded(value, width) {
  return String(value).padStart(width, '0');
}

/**
 * The same in every locale, so that it can be compared, pasted and sorted.
 * @param {bigint} unixNano
 * @param {Zone} zone
 */
export function formatInstant(unixNano, zone) {
  const date = toDate(unixNano);
  if (Number.isNaN(date.getTime())) return `${unixNano} ns`;
  return `${datePart(date, zone)} ${timePart(date, zone)}`;
}

/**
 * @param {Date} date
 * @param {Zone} zone
 */
export function datePart(date, zone) {
  return zone === 'utc'
    ? `${date.getUTCFullYear()}-${padded(date.getUTCMonth() + 1, 2)}-${padded(date.getUTCDate(), 2)}`
    : `${date.getFullYear()}-${padded(date.getMonth() + 1, 2)}-${padded(date.getDate(), 2)}`;
}

/**
 * @param {Date} date
 * @param {Zone} zone
 */
export function timePart(date, zone) {
  return zone === 'utc'
    ? `${padded(date.getUTCHours(), 2)}:${padded(date.getUTCMinutes(), 2)}:${padded(date.getUTCSeconds(), 2)}.${padded(date.getUTCMilliseconds(), 3)}`
    : `${padded(date.getHours(), 2)}:${padded(date.getMinutes(), 2)}:${padded(date.getSeconds(), 2)}.${padded(date.getMilliseconds(), 3)}`;
}

/**
 * `12 s ago`; null for what is older than a week or lies ahead, where the date says more.
 * @param {bigint} unixNano
 * @param {number} nowMs
 */
export function formatAge(unixNano, nowMs) {
  const seconds = Math.round((nowMs - Number(unixNano / NS_PER_MS)) / 1000);
  if (seconds < -1 || seconds > 7 * 86_400) return null;
  if (seconds < 2) return 'just now';
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  const days = Math.floor(seconds / 86_400);
  return days === 1 ? '1 day ago' : `${days} days ago`;
}

/**
 * The value of an `<input type="datetime-local">` that shows `iso` in `zone`.
 * @param {string} iso
 * @param {Zone} zone
 */
export function toInputValue(iso, zone) {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return '';
  return `${datePart(date, zone)}T${timePart(date, zone)}`;
}

/**
 * @param {string} value of an `<input type="datetime-local">`
 * @param {Zone} zone that it was typed in
 * @returns {string} RFC 3339, or '' when it is no date
 */
export function fromInputValue(value, zone) {
  const date = new Date(zone === 'utc' ? `${value}Z` : value);
  return Number.isNaN(date.getTime()) ? '' : date.toISOString();
}
