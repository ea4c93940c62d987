// Where things are in the waterfall. Pure: drawing, hit-testing and the treegrid all ask here.

import { timeToX } from './scale.js';

/** @import { TimeRange } from './scale.js' */

export const ROW_HEIGHT = 26;
const INDENT = 14;
const NAME_LEFT = 8;
const TWISTY = 16;
/** Room on either side of the bars, so that one at the edge is not cut. */
const BARS_INSET = 10;
/** Where there is space for it, more room on the right: the duration of a bar that ends there. */
const LABEL_ROOM = 64;
const WIDE_BARS = 320;
/** A bar is never thinner than this. */
export const MIN_BAR = 2;

/**
 * @typedef {object} Geometry
 * @property {number} width of the whole waterfall, in CSS pixels
 * @property {number} height of its viewport
 * @property {number} nameWidth of the left column
 * @property {number} scrollTop
 * @property {number} rowCount
 * @property {TimeRange} range
 */

/**
 * The positions in view: `[first, last)`.
 * @param {Pick<Geometry, 'height' | 'scrollTop' | 'rowCount'>} geometry
 */
export function rowsInView({ height, scrollTop, rowCount }) {
  const first = Math.min(Math.max(0, Math.floor(scrollTop / ROW_HEIGHT)), rowCount);
  const last = Math.min(rowCount, Math.ceil((scrollTop + height) / ROW_HEIGHT));
  return { first, last: Math.max(first, last) };
}

/**
 * The scroll offset that brings a row into view, moving as little as needed.
 * @param {Pick<Geometry, 'height' | 'scrollTop'>} geometry
 * @param {number} position
 */
export function scrollToShow({ height, scrollTop }, position) {
  const top = position * ROW_HEIGHT;
  const margin = Math.min(2 * ROW_HEIGHT, Math.max(0, (height - ROW_HEIGHT) / 2));
  if (top - margin < scrollTop) return Math.max(0, top - margin);
  if (top + ROW_HEIGHT + margin > scrollTop + height) return top + ROW_HEIGHT + margin - height;
  return scrollTop;
}

/** @param {Pick<Geometry, 'width' | 'nameWidth'>} geometry */
export function barArea({ width, nameWidth }) {
  const left = nameWidth + BARS_INSET;
  const room = width - left >= WIDE_BARS ? LABEL_ROOM : BARS_INSET;
  return { left, width: Math.max(1, width - left - room) };
}

/**
 * How far apart the ticks of the time axis are at least.
 * @param {number} width of the area of the bars
 */
export function tickGap(width) {
  return width < 320 ? 70 : 110;
}

/**
 * The bar of a span, cut to what is in view; `visible` is false when all of it lies outside.
 *
 * @param {Geometry} geometry
 * @param {number} start
 * @param {number} duration
 */
export function barOf(geometry, start, duration) {
  const area = barArea(geometry);
  const from = timeToX(geometry.range, area.width, start);
  const to = timeToX(geometry.range, area.width, start + duration);
  const visible = to >= 0 && from <= area.width;
  const left = Math.min(Math.max(from, -BARS_INSET), area.width);
  const right = Math.min(Math.max(to, left), geometry.width - area.left);
  return { visible, left: area.left + left, width: Math.max(MIN_BAR, right - left), cutLeft: from < 0, cutRight: to > area.width };
}

/**
 * How far names are moved to the left, so that those of a very deep trace stay readable: the depth
 * that is drawn at the left edge. 0 as long as everything in view fits.
 *
 * @param {number} nameWidth
 * @param {number} shallowest of the rows in view
 * @param {number} deepest of the rows in view
 */
export function depthBase(nameWidth, shallowest, deepest) {
  const fits = Math.max(2, Math.floor((nameWidth * 0.55) / INDENT));
  if (deepest <= fits) return 0;
  return Math.max(0, Math.min(shallowest, deepest - 1));
}

/**
 * @param {number} nameWidth
 * @param {number} depth
 * @param {number} base see `depthBase`
 */
export function indentOf(nameWidth, depth, base) {
  const furthest = Math.max(2, Math.floor((nameWidth * 0.55) / INDENT));
  return NAME_LEFT + Math.min(Math.max(0, depth - base), furthest) * INDENT;
}

/** Where a row's twisty is, and after it its text. @param {number} indent */
export function twistyBox(indent) {
  return { left: indent, width: TWISTY, textLeft: indent + TWISTY + 8 };
}

/**
 * @typedef {object} Hit
 * @property {number} position of the row
 * @property {'twisty' | 'name' | 'bars'} part
 */

/**
 * What lies under a point of the viewport.
 *
 * @param {Geometry} geometry
 * @param {number} x
 * @param {number} y
 * @param {(position: number) => number} indentAt of the row at a position
 * @returns {Hit | null}
 */
export function hitTest(geometry, x, y, indentAt) {
  if (x < 0 || x >= geometry.width || y < 0 || y >= geometry.height) return null;
  const position = Math.floor((geometry.scrollTop + y) / ROW_HEIGHT);
  if (position < 0 || position >= geometry.rowCount) return null;
  if (x >= geometry.nameWidth) return { position, part: 'bars' };
  const box = twistyBox(indentAt(position));
  const onTwisty = x >= box.left - 4 && x < box.left + box.width + 4;
  return { position, part: onTwisty ? 'twisty' : 'name' };
}
