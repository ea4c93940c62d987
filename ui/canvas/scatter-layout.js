// Results as points: when against how long, on a logarithmic scale.

/** @import { TraceSummary } from '../api/types.js' */

export const padding = Object.freeze({ left: 56, right: 14, top: 10, bottom: 24 });

/**
 * @typedef {object} ScatterPlot
 * @property {Float32Array} x
 * @property {Float32Array} y
 * @property {Float32Array} radius
 * @property {number} count
 * @property {number} fromMs
 * @property {number} toMs
 * @property {{ y: number, nanoseconds: number }[]} durationTicks
 * @property {{ left: number, top: number, width: number, height: number }} area
 */

/**
 * @param {readonly TraceSummary[]} traces
 * @param {number} width
 * @param {number} height
 * @returns {ScatterPlot}
 */
export function layOutScatter(traces, width, height) {
  const area = {
    left: padding.left,
    top: padding.top,
    width: Math.max(1, width - padding.left - padding.right),
    height: Math.max(1, height - padding.top - padding.bottom),
  };
  const count = traces.length;
  const time = Float64Array.from(traces, (trace) => Number(BigInt(trace.start_unix_nano) / 1000n) / 1000);
  const duration = Float64Array.from(traces, (trace) => Math.log10(Math.max(trace.duration_nano, 1)));
  const [fromMs, toMs] = spread(time, 1000);
  const [shortest, longest] = spread(duration, 0.5);

  const x = new Float32Array(count);
  const y = new Float32Array(count);
  const radius = new Float32Array(count);
  for (let at = 0; at < count; at++) {
    x[at] = area.left + ((time[at] - fromMs) / (toMs - fromMs)) * area.width;
    y[at] = area.top + (1 - (duration[at] - shortest) / (longest - shortest)) * area.height;
    radius[at] = Math.min(10, 3 + Math.log10(Math.max(1, traces[at].span_count)) * 1.4);
  }
  const durationTicks = logTicks(shortest, longest, area.height).map((power) => ({
    y: area.top + (1 - (power - shortest) / (longest - shortest)) * area.height,
    nanoseconds: Math.round(10 ** power),
  }));
  return { x, y, radius, count, fromMs, toMs, durationTicks, area };
}

/**
 * The extent of the values with some air around, never empty.
 * @param {Float64Array} values
 * @param {number} least the smallest extent
 * @returns {[number, number]}
 */
function spread(values, least) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) return [0, 1];
  const margin = Math.max((high - low) * 0.06, (least - (high - low)) / 2, 1e-3);
  return [low - margin, high + margin];
}

/**
 * Powers of ten within the range, halved or thinned out to about one for each 28 pixels.
 * @param {number} low
 * @param {number} high
 * @param {number} height
 */
function logTicks(low, high, height) {
  const most = Math.max(2, Math.floor(height / 28));
  const candidates = [];
  for (let power = Math.floor(low); power <= Math.ceil(high); power++) {
    for (const factor of [1, 2, 5]) candidates.push({ factor, at: power + Math.log10(factor) });
  }
  const inside = candidates.filter(({ at }) => at >= low && at <= high);
  if (inside.length <= most) return inside.map(({ at }) => at);
  const powers = inside.filter(({ factor }) => factor === 1);
  const step = Math.ceil(powers.length / most);
  return powers.filter((_power, index) => index % step === 0).map(({ at }) => at);
}

/**
 * The point nearest to where one points, within reach of a finger.
 *
 * @param {ScatterPlot} plot
 * @param {number} x
 * @param {number} y
 * @returns {number} its index, or −1
 */
export function nearestPoint(plot, x, y) {
  let nearest = -1;
  let best = Infinity;
  for (let at = 0; at < plot.count; at++) {
    const distance = Math.hypot(plot.x[at] - x, plot.y[at] - y) - plot.radius[at];
    if (distance < best && distance <= 6) {
      best = distance;
      nearest = at;
    }
  }
  return nearest;
}

/**
 * @param {ScatterPlot} plot
 * @param {number} x
 * @returns {number} milliseconds since 1970
 */
export function timeAt(plot, x) {
  const share = Math.min(1, Math.max(0, (x - plot.area.left) / plot.area.width));
  return plot.fromMs + share * (plot.toMs - plot.fromMs);
}

/**
 * @param {ScatterPlot} plot
 * @param {number} ms since 1970
 */
export function xOfTime(plot, ms) {
  return plot.area.left + ((ms - plot.fromMs) / (plot.toMs - plot.fromMs)) * plot.area.width;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const roundSteps = Object.freeze([
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR),
  ...[1, 2, 7, 14, 30, 90, 365].map((days) => days * DAY),
]);

/**
 * Times that are round in a zone, at most `most` of them.
 *
 * @param {number} fromMs
 * @param {number} toMs
 * @param {number} most
 * @param {number} offsetMs of the zone from UTC
 */
export function roundTimes(fromMs, toMs, most, offsetMs) {
  const wanted = (toMs - fromMs) / most;
  const stepMs = roundSteps.find((step) => step >= wanted) ?? Math.ceil(wanted / (365 * DAY)) * 365 * DAY;
  const times = [];
  for (let at = Math.ceil((fromMs + offsetMs) / stepMs) * stepMs; at <= toMs + offsetMs; at += stepMs) times.push(at - offsetMs);
  return { stepMs, times };
}
