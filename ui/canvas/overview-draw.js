/**
 * @import { OverviewBoxes } from './overview-layout.js'
 * @import { Theme } from './theme.js'
 */

/**
 * @param {CanvasRenderingContext2D} context
 * @param {OverviewBoxes} boxes
 * @param {number} height
 * @param {readonly string[]} colors by service
 * @param {Theme} theme
 */
export function drawOverviewBoxes(context, boxes, height, colors, theme) {
  const { laneHeight, count } = boxes;
  const lanes = count === 0 ? 0 : boxes.lane[count - 1] + 1;
  const top = Math.max(0, Math.floor((height - lanes * laneHeight) / 2));
  const gap = laneHeight > 3 ? 1 : 0;
  let service = -1;
  for (let box = 0; box < count; box++) {
    if (boxes.service[box] !== service) {
      service = boxes.service[box];
      context.fillStyle = colors[service];
    }
    context.fillRect(boxes.x[box], top + boxes.lane[box] * laneHeight, boxes.width[box], laneHeight - gap);
  }
  // Errors lie on top of everything: they are what the eye looks for. Where a lane is high enough, they
  // leave the service's colour to be seen.
  const errorHeight = laneHeight >= 3 ? Math.round(laneHeight / 3) : 2;
  context.fillStyle = theme.error;
  for (let box = 0; box < count; box++) {
    if (boxes.error[box] === 0) continue;
    const bottom = top + (boxes.lane[box] + 1) * laneHeight - gap;
    context.fillRect(boxes.x[box], bottom - errorHeight, Math.max(2, boxes.width[box]), errorHeight);
  }
}

/**
 * Shades what is outside of the zoomed range.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {number} width
 * @param {number} height
 * @param {{ left: number, right: number }} selection
 * @param {Theme} theme
 */
export function drawSelection(context, width, height, selection, theme) {
  context.fillStyle = theme.shade;
  context.fillRect(0, 0, selection.left, height);
  context.fillRect(selection.right, 0, width - selection.right, height);
  context.fillStyle = theme.accent;
  context.fillRect(selection.left - 1, 0, 2, height);
  context.fillRect(selection.right - 1, 0, 2, height);
  for (const edge of [selection.left, selection.right]) {
    context.beginPath();
    context.roundRect(edge - 3, height / 2 - 9, 6, 18, 3);
    context.fill();
  }
}
