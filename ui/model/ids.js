/**
 * Finds the trace id in what a person pasted: bare, short, upper-case, padded, dashed, a whole
 * `traceparent` header, or a link to a trace page.
 *
 * @param {string} text
 * @returns {string | null} 32 lower-case digits, or null
 */
export function parseTraceId(text) {
  const trimmed = text.trim().toLowerCase();
  const traceparent = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/.exec(trimmed);
  const link = /\/traces?\/([0-9a-f]{1,32})(?:[/?#]|$)/.exec(trimmed);
  const digits = traceparent?.[1] ?? link?.[1] ?? trimmed.replace(/^0x/, '').replaceAll('-', '');
  if (!/^[0-9a-f]{1,32}$/.test(digits) || /^0+$/.test(digits)) return null;
  return digits.padStart(32, '0');
}

/**
 * @param {string} text
 * @returns {string | null} 16 lower-case digits, or null
 */
export function parseSpanId(text) {
  const digits = text.trim().toLowerCase();
  return /^[0-9a-f]{1,16}$/.test(digits) ? digits.padStart(16, '0') : null;
}
