// Attribute conditions as they are typed: `http.response.status_code>=500 db.system=sqlite`.

const operator = /(!=|<=|>=|=|<|>)/;

/**
 * @typedef {{ conditions: string[], error: null } | { conditions: null, error: string }} ParsedConditions
 */

/**
 * Splits at white space outside of double quotes. Quotes stay: to the server they mean "a string". Inside of them a backslash takes the
 * meaning from a quote or a backslash, as it does there.
 *
 * @param {string} text
 * @returns {ParsedConditions}
 */
export function parseConditions(text) {
  /** @type {string[]} */
  const tokens = [];
  let token = '';
  let quoted = false;
  let escaped = false;
  for (const character of text) {
    if (character === '"' && !escaped) quoted = !quoted;
    escaped = quoted && character === '\\' && !escaped;
    if (!quoted && /\s/.test(character)) {
      if (token !== '') tokens.push(token);
      token = '';
    } else {
      token += character;
    }
  }
  if (quoted) return { conditions: null, error: 'A double quote is not closed.' };
  if (token !== '') tokens.push(token);
  for (const condition of tokens) {
    const error = complaint(condition);
    if (error !== null) return { conditions: null, error };
  }
  return { conditions: tokens, error: null };
}

/** @param {string} condition */
function complaint(condition) {
  const match = operator.exec(condition);
  if (match === null) {
    return `“${condition}” has no operator: write key=value, or one of != < <= > >=. Put quotes around values with spaces.`;
  }
  const key = condition.slice(0, match.index);
  const value = condition.slice(match.index + match[0].length);
  if (key === '') return `“${condition}” has no attribute name before the ${match[0]}.`;
  if (match[0] !== '=' && match[0] !== '!=' && Number.isNaN(Number(value || 'x'))) {
    return `“${condition}”: ${match[0]} compares numbers.`;
  }
  return null;
}

/**
 * One condition for an attribute as it is shown in a span's detail, for "find more like this".
 *
 * @param {'span' | 'resource' | 'event' | 'scope'} place
 * @param {string} key
 * @param {string} type
 * @param {string} value
 * @returns {string | null} null when the condition can't be written
 */
export function conditionFor(place, key, type, value) {
  if (operator.test(key) || /\s/.test(key) || value.length > 500) return null;
  if (type === 'string') return `${place}.${key}="${value.replace(/["\\]/g, '\\$&')}"`;
  if (type === 'int' || type === 'bool' || type === 'double') return `${place}.${key}=${value}`;
  return null;
}
