'use strict';

// The shapes in which the read APIs give attributes back, made from the JavaScript values that a client was given.

/** `value` as `/api/v1` gives an attribute's value: `{type, value}`. */
function typedValue(value) {
  if (value === null) {
    return { type: 'empty', value: null };
  }
  switch (typeof value) {
    case 'string':
      return { type: 'string', value };
    case 'boolean':
      return { type: 'bool', value };
    case 'number':
      return Number.isInteger(value) ? { type: 'int', value: BigInt(value).toString() } : { type: 'double', value };
  }
  return { type: 'array', value: value.map(typedValue) };
}

/** The attributes as `/api/v1` gives them, in the same order. */
function typedAttributes(attributes) {
  return Object.entries(attributes).map(([key, value]) => ({ key, ...typedValue(value) }));
}

/** The tags of a Jaeger span, process or log by key: `{type, value}`. */
function tagsByKey(tags) {
  return Object.fromEntries(tags.map(({ key, type, value }) => [key, { type, value }]));
}

module.exports = { tagsByKey, typedAttributes, typedValue };
