// The time axis: nanoseconds to pixels and back, zooming, and where its ticks go.

/** @typedef {{ from: number, to: number }} TimeRange in nanoseconds from the trace's start */

/** Nothing is gained from zooming in further than this. */
const NARROWEST_NS = 20;

/**
 * @param {TimeRange} range
 * @param {number} width in pixels
 * @param {number} time
 */
export function timeToX(range, width, time) {
  return ((time - range.from) / (range.to - range.from)) * width;
}

/**
 * @param {TimeRange} range
 * @param {number} width
 * @param {number} x
 */
export function xToTime(range, width, x) {
  return range.from + (x / width) * (range.to - range.from);
}

/**
 * @param {TimeRange} range
 * @param {TimeRange} whole
 * @returns {TimeRange} inside `whole`, as wide as `range` where that fits
 */
export function clampRange(range, whole) {
  const widest = whole.to - whole.from;
  const width = Math.min(Math.max(range.to - range.from, Math.min(NARROWEST_NS, widest)), widest);
  const middle = (range.from + range.to) / 2;
  const from = Math.min(Math.max(middle - width / 2, whole.from), whole.to - width);
  return { from, to: from + width };
}

/**
 * @param {TimeRange} range
 * @param {TimeRange} whole
 * @param {number} factor below 1 zooms in
 * @param {number} around the time that stays where it is
 */
export function zoomRange(range, whole, factor, around) {
  const width = (range.to - range.from) * factor;
  const share = (around - range.from) / (range.to - range.from);
  const from = around - share * width;
  return clampRange({ from, to: from + width }, whole);
}

/**
 * @param {TimeRange} range
 * @param {TimeRange} whole
 * @param {number} by in nanoseconds
 */
export function panRange(range, whole, by) {
  return clampRange({ from: range.from + by, to: range.to + by }, whole);
}

/**
 * @param {TimeRange} range
 * @param {TimeRange} whole
 */
export function isWhole(range, whole) {
  return range.from <= whole.from && range.to >= whole.to;
}

/**
 * Round times, at most one for each `minGap` pixels.
 *
 * @param {TimeRange} range
 * @param {number} width
 * @param {number} minGap
 * @returns {number[]}
 */
export function ticks(range, width, minGap) {
  const most = Math.max(1, Math.floor(width / minGap));
  const step = roundStep((range.to - range.from) / most);
  const found = [];
  for (let at = Math.ceil(range.from / step); at * step <= range.to && found.length <= most; at++) {
    found.push(at * step);
  }
  return found;
}

/**
 * The smallest of 1, 2, 5 × 10ⁿ that is at least `least`; above a minute, round in minutes and hours.
 * @param {number} least
 */
function roundStep(least) {
  const second = 1e9;
  for (const seconds of [60, 120, 300, 600, 1800, 3600, 7200, 21_600, 43_200, 86_400]) {
    if (least > 50 * second && least <= seconds * second) return seconds * second;
  }
  const power = 10 ** Math.floor(Math.log10(least));
  for (const factor of [1, 2, 5]) {
    if (least <= factor * power) return Math.max(factor * power, 1);
  }
  return Math.max(10 * power, 1);
}
