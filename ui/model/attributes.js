// Attribute values as text.

/** @import { Attribute, AttributeValue } from '../api/types.js' */

/** Nesting deeper than this is not indented any further. */
const DEEPEST = 40;

/**
 * A value as a person reads it; arrays and maps over several lines.
 * @param {AttributeValue} attribute
 * @returns {string}
 */
export function valueText(attribute) {
  switch (attribute.type) {
    case 'array':
    case 'map':
      return nestedText(attribute, 0);
    case 'empty':
      return '';
    default:
      return String(attribute.value);
  }
}

/**
 * @param {AttributeValue} attribute
 * @param {number} depth
 * @returns {string}
 */
function nestedText(attribute, depth) {
  const inner = '  '.repeat(Math.min(depth + 1, DEEPEST));
  const outer = '  '.repeat(Math.min(depth, DEEPEST));
  switch (attribute.type) {
    case 'array': {
      if (attribute.value.length === 0) return '[]';
      const items = attribute.value.map((item) => nestedText(item, depth + 1));
      const short = items.join(', ');
      return short.length <= 60 && !short.includes('\n') ? `[${short}]` : `[\n${inner}${items.join(`,\n${inner}`)}\n${outer}]`;
    }
    case 'map': {
      if (attribute.value.length === 0) return '{}';
      const entries = attribute.value.map((entry) => `${JSON.stringify(entry.key)}: ${nestedText(entry, depth + 1)}`);
      return `{\n${inner}${entries.join(`,\n${inner}`)}\n${outer}}`;
    }
    case 'string':
      return JSON.stringify(attribute.value);
    case 'bytes':
      return `bytes(${attribute.value})`;
    case 'empty':
      return 'null';
    default:
      return String(attribute.value);
  }
}

/**
 * @param {readonly Attribute[]} attributes
 * @param {string} text
 */
export function filterAttributes(attributes, text) {
  const wanted = text.trim().toLowerCase();
  if (wanted === '') return attributes;
  return attributes.filter(
    (attribute) => attribute.key.toLowerCase().includes(wanted) || valueText(attribute).toLowerCase().includes(wanted),
  );
}

/**
 * The string value of an attribute, or null.
 * @param {readonly Attribute[]} attributes
 * @param {string} key
 */
export function textOf(attributes, key) {
  const found = attributes.find((attribute) => attribute.key === key);
  return found === undefined ? null : valueText(found);
}
