// A colour for each service: chosen by its name, so that it is the same on every page and every day.

/** Hues that stay clear of the red that means "error", each next one far from the one before. */
const hues = Object.freeze([250, 150, 75, 310, 195, 110, 280, 55, 225, 335, 130, 175, 265, 92, 210, 295, 162, 237, 322, 65]);
const tiers = 2;
const slots = hues.length * tiers;

/** @type {Map<string, number>} */
const slotOf = new Map();
/** @type {Set<number>} */
const taken = new Set();

/**
 * FNV-1a, 32 bits.
 * @param {string} text
 */
export function hash(text) {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    value ^= text.charCodeAt(at);
    value = Math.imul(value, 0x01000193);
  }
  return value >>> 0;
}

/**
 * The slot of a service. Its hash chooses the hue; when another service of this session has that hue,
 * it gets the other lightness of it, and only when both are taken another hue. So a service keeps its
 * hue whatever is met first. Past `slots` services, colours are shared.
 *
 * @param {string} service
 */
function slotFor(service) {
  const known = slotOf.get(service);
  if (known !== undefined) return known;
  const hue = hash(service) % hues.length;
  let slot = hue;
  for (let step = 1; taken.size < slots && taken.has(slot); step++) {
    slot = ((hue + (step >> 1)) % hues.length) + (step % tiers) * hues.length;
  }
  slotOf.set(service, slot);
  taken.add(slot);
  return slot;
}

/**
 * @param {string} service
 * @param {boolean} dark
 */
export function serviceColor(service, dark) {
  const slot = slotFor(service);
  const hue = hues[slot % hues.length];
  const deep = slot >= hues.length;
  const lightness = dark ? (deep ? 0.6 : 0.74) : deep ? 0.47 : 0.6;
  return `oklch(${lightness} ${deep ? 0.1 : 0.125} ${hue})`;
}

/**
 * Gives slots in the order of the names, whatever order the services come in.
 * @param {Iterable<string>} services
 */
export function reserveColors(services) {
  for (const service of [...services].sort()) slotFor(service);
}
