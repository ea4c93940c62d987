// Text from spans is shown as it is, but never able to disguise itself.

/**
 * Makes control characters and direction overrides visible: a NUL becomes `⟨U+0000⟩`, a right-to-left
 * override `⟨U+202E⟩`. Tabs and line ends stay. (The control pictures of Unicode would be shorter, but
 * are missing from many fonts.)
 *
 * @param {string} text
 * @returns {string}
 */
export function visible(text) {
  return text.replace(
    /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (character) => `⟨U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}⟩`,
  );
}

/**
 * One line, at most `limit` characters, for a label.
 * @param {string} text
 * @param {number} limit
 */
export function label(text, limit) {
  const cut = text.length > limit ? `${text.slice(0, limit)}…` : text;
  return visible(cut).replace(/\s+/g, ' ').trim();
}

/**
 * `1 span`, `12,345 spans`.
 * @param {number} count
 * @param {string} one
 * @param {string} [many]
 */
export function counted(count, one, many = `${one}s`) {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

const groups = new Intl.NumberFormat('en-US');

/** @param {number} count */
export function formatCount(count) {
  return groups.format(count);
}

/** @param {number} bytes */
export function formatBytes(bytes) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`;
}
