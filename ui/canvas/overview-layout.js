// The whole trace in a strip: 100,000 spans on a few thousand boxes.

/** @import { TraceColumns } from '../model/columns.js' */

/**
 * Boxes of the overview, in whole pixels. Parallel arrays; the first `count` entries hold.
 * @typedef {object} OverviewBoxes
 * @property {Int16Array} x
 * @property {Int16Array} width
 * @property {Int16Array} lane
 * @property {Uint32Array} service
 * @property {Uint8Array} error
 * @property {number} count
 * @property {number} laneHeight
 */

const TALLEST_LANE = 6;

/**
 * Spreads the spans over lanes from top to bottom in their order. A span is left out when it could not
 * be seen: it lies inside the box that its lane has drawn last, and is of the same service or no wider
 * than a pixel. An error is never left out for a span without one.
 *
 * @param {TraceColumns} columns
 * @param {number} width
 * @param {number} height
 * @returns {OverviewBoxes}
 */
export function layOutOverview(columns, width, height) {
  const { count, start, duration, service, begin, end } = columns;
  const laneHeight = Math.max(1, Math.min(TALLEST_LANE, Math.floor(height / Math.max(1, count))));
  const lanes = Math.max(1, Math.min(count, Math.floor(height / laneHeight)));
  const scale = width / (end - begin);
  const boxes = {
    x: new Int16Array(count),
    width: new Int16Array(count),
    lane: new Int16Array(count),
    service: new Uint32Array(count),
    error: new Uint8Array(count),
    count: 0,
    laneHeight,
  };

  let lane = -1;
  let coveredFrom = 0;
  let coveredTo = -1;
  let coveredBy = -1;
  let coveredByError = false;
  for (let row = 0; row < count; row++) {
    const ownLane = Math.min(lanes - 1, Math.floor((row * lanes) / count));
    if (ownLane !== lane) {
      lane = ownLane;
      coveredTo = -1;
    }
    const left = Math.min(width - 1, Math.max(0, Math.floor((start[row] - begin) * scale)));
    const right = Math.min(width, Math.max(left + 1, Math.ceil((start[row] + duration[row] - begin) * scale)));
    const error = columns.isError(row);
    const inside = left >= coveredFrom && right <= coveredTo;
    const unseen = service[row] === coveredBy || right - left <= 1;
    if (inside && unseen && (!error || coveredByError)) continue;
    coveredFrom = left;
    coveredTo = right;
    coveredBy = service[row];
    coveredByError = error;

    const box = boxes.count++;
    boxes.x[box] = left;
    boxes.width[box] = right - left;
    boxes.lane[box] = lane;
    boxes.service[box] = service[row];
    boxes.error[box] = error ? 1 : 0;
  }
  return boxes;
}

/**
 * What a press on the overview takes hold of.
 *
 * @param {number} x
 * @param {{ left: number, right: number } | null} selection the zoomed range in pixels, or null when all is in view
 * @returns {'from' | 'to' | 'move' | 'new'}
 */
export function grip(x, selection) {
  if (selection === null) return 'new';
  const reach = 7;
  const toLeft = Math.abs(x - selection.left);
  const toRight = Math.abs(x - selection.right);
  if (Math.min(toLeft, toRight) <= reach) return toLeft <= toRight ? 'from' : 'to';
  return x > selection.left && x < selection.right ? 'move' : 'new';
}
