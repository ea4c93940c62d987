import { Flag } from '../model/columns.js';
import { formatDuration } from '../model/time.js';
import { ticks, timeToX } from './scale.js';
import { barArea, barOf, depthBase, indentOf, ROW_HEIGHT, rowsInView, tickGap, twistyBox } from './waterfall-layout.js';

/**
 * @import { TraceColumns } from '../model/columns.js'
 * @import { Visibility } from '../model/visibility.js'
 * @import { Geometry } from './waterfall-layout.js'
 * @import { Labels } from './labels.js'
 * @import { Theme } from './theme.js'
 */

/**
 * Everything that a frame of the waterfall depends on.
 * @typedef {object} WaterfallFrame
 * @property {Geometry} geometry
 * @property {TraceColumns} columns
 * @property {Visibility} visibility
 * @property {Uint8Array | null} matches 1 for each span that is found
 * @property {number} active the selected span, or −1
 * @property {number} hovered or −1
 * @property {boolean} focused
 * @property {readonly string[]} colors by service
 * @property {Labels} labels
 * @property {Theme} theme
 */

/**
 * @param {CanvasRenderingContext2D} context
 * @param {WaterfallFrame} frame
 */
export function drawWaterfall(context, frame) {
  const { geometry, visibility } = frame;
  const { first, last } = rowsInView(geometry);
  const base = frameDepthBase(frame, first, last);
  for (let position = first; position < last; position++) {
    drawRowBackground(context, frame, visibility.rows[position], position * ROW_HEIGHT - geometry.scrollTop);
  }
  drawGrid(context, frame);
  context.save();
  context.beginPath();
  context.rect(geometry.nameWidth, 0, geometry.width - geometry.nameWidth, geometry.height);
  context.clip();
  context.font = frame.theme.smallFont;
  context.textBaseline = 'middle';
  for (let position = first; position < last; position++) {
    drawBar(context, frame, visibility.rows[position], position * ROW_HEIGHT - geometry.scrollTop);
  }
  context.restore();
  for (let position = first; position < last; position++) {
    drawName(context, frame, visibility.rows[position], position * ROW_HEIGHT - geometry.scrollTop, base);
  }
}

/**
 * @param {Pick<WaterfallFrame, 'geometry' | 'columns' | 'visibility'>} frame
 * @param {number} first
 * @param {number} last
 */
export function frameDepthBase({ geometry, columns, visibility }, first, last) {
  let shallowest = Infinity;
  let deepest = 0;
  for (let position = first; position < last; position++) {
    const depth = columns.depth[visibility.rows[position]];
    if (depth < shallowest) shallowest = depth;
    if (depth > deepest) deepest = depth;
  }
  return depthBase(geometry.nameWidth, shallowest, deepest);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {WaterfallFrame} frame
 * @param {number} row
 * @param {number} top
 */
function drawRowBackground(context, frame, row, top) {
  const { theme, geometry } = frame;
  const color =
    row === frame.active
      ? theme['row-selected']
      : frame.matches !== null && frame.matches[row] === 1
        ? theme['row-match']
        : row === frame.hovered
          ? theme['row-hover']
          : null;
  if (color !== null) {
    context.fillStyle = color;
    context.fillRect(0, top, geometry.width, ROW_HEIGHT);
  }
  if (row === frame.active) {
    context.fillStyle = theme.accent;
    context.fillRect(0, top, 3, ROW_HEIGHT);
    if (frame.focused) {
      context.strokeStyle = theme.accent;
      context.lineWidth = 1.5;
      context.strokeRect(0.75, top + 0.75, geometry.width - 1.5, ROW_HEIGHT - 1.5);
    }
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {WaterfallFrame} frame
 */
function drawGrid(context, { geometry, theme }) {
  const area = barArea(geometry);
  context.fillStyle = theme.grid;
  for (const time of ticks(geometry.range, area.width, tickGap(area.width))) {
    context.fillRect(Math.round(area.left + timeToX(geometry.range, area.width, time)), 0, 1, geometry.height);
  }
  context.fillStyle = theme.border;
  context.fillRect(geometry.nameWidth - 1, 0, 1, geometry.height);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {WaterfallFrame} frame
 * @param {number} row
 * @param {number} top
 */
function drawBar(context, frame, row, top) {
  const { geometry, columns, theme } = frame;
  const bar = barOf(geometry, columns.start[row], columns.duration[row]);
  const middle = top + ROW_HEIGHT / 2;
  if (!bar.visible) {
    drawOutside(context, frame, row, middle);
    return;
  }
  const height = 12;
  context.fillStyle = frame.colors[columns.service[row]];
  context.beginPath();
  context.roundRect(bar.left, middle - height / 2, bar.width, height, Math.min(3, bar.width / 2));
  context.fill();
  if (columns.isError(row)) {
    context.fillStyle = theme.error;
    context.fillRect(bar.left, middle + height / 2 - 3, bar.width, 3);
  }
  if (columns.flags[row] & Flag.clockSkew) {
    context.strokeStyle = theme.warning;
    context.lineWidth = 1.5;
    context.setLineDash([3, 2]);
    context.strokeRect(bar.left - 1.5, middle - height / 2 - 1.5, bar.width + 3, height + 3);
    context.setLineDash([]);
  }
  drawDuration(context, frame, row, middle, bar);
}

/**
 * Beside the bar where there is room, on its right first; else inside it.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {WaterfallFrame} frame
 * @param {number} row
 * @param {number} middle
 * @param {{ left: number, width: number }} bar
 */
function drawDuration(context, { geometry, columns, theme, labels }, row, middle, bar) {
  const text = formatDuration(columns.duration[row]);
  const width = labels.widthOf(context, text);
  const gap = 6;
  const right = bar.left + bar.width + gap;
  const left = bar.left - gap - width;
  if (right + width <= geometry.width - 2) {
    context.fillStyle = theme['text-muted'];
    context.fillText(text, right, middle + 0.5);
  } else if (left >= geometry.nameWidth + 2) {
    context.fillStyle = theme['text-muted'];
    context.fillText(text, left, middle + 0.5);
  } else if (bar.width > width + 2 * gap) {
    // On a bar of any hue, a plate of the surface's colour keeps the contrast.
    const plateLeft = bar.left + bar.width - width - 2 * gap - 4;
    context.fillStyle = theme.surface;
    context.beginPath();
    context.roundRect(plateLeft, middle - 7, width + gap * 2, 14, 3);
    context.fill();
    context.fillStyle = theme.text;
    context.fillText(text, plateLeft + gap, middle + 0.5);
  }
}

/**
 * A small arrow at the side where a span lies that the zoomed range leaves out.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {WaterfallFrame} frame
 * @param {number} row
 * @param {number} middle
 */
function drawOutside(context, { geometry, columns, theme }, row, middle) {
  const before = columns.start[row] + columns.duration[row] < geometry.range.from;
  const tip = before ? geometry.nameWidth + 3 : geometry.width - 3;
  const back = before ? tip + 5 : tip - 5;
  context.fillStyle = theme['text-muted'];
  context.beginPath();
  context.moveTo(tip, middle);
  context.lineTo(back, middle - 4);
  context.lineTo(back, middle + 4);
  context.fill();
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {WaterfallFrame} frame
 * @param {number} row
 * @param {number} top
 * @param {number} base
 */
function drawName(context, frame, row, top, base) {
  const { geometry, columns, visibility, theme, labels } = frame;
  const middle = top + ROW_HEIGHT / 2;
  const depth = columns.depth[row];
  const indent = indentOf(geometry.nameWidth, depth, base);
  const box = twistyBox(indent);

  drawGuides(context, frame, top, indent);
  if (columns.childCount[row] > 0) {
    drawTwisty(context, theme, box.left + box.width / 2, middle, visibility.collapsed[row] === 0);
  }
  context.fillStyle = frame.colors[columns.service[row]];
  context.fillRect(box.left + box.width + 1, top + 5, 3, ROW_HEIGHT - 10);

  let right = geometry.nameWidth - 8;
  const flags = columns.flags[row];
  const hidesError = visibility.collapsed[row] === 1 && columns.hiddenErrors[row] > 0;
  if (columns.isError(row) || hidesError) {
    drawErrorMark(context, theme, right - 6, middle, columns.isError(row));
    right -= 18;
  }
  if (flags & (Flag.missingParent | Flag.cutCircle | Flag.clockSkew)) {
    drawWarningMark(context, theme, right - 6, middle);
    right -= 18;
  }

  const name = labels.name(columns.name[row]);
  const service = labels.service(columns.service[row]);
  context.textBaseline = 'middle';
  context.font = theme.font;
  context.fillStyle = theme.text;
  const used = labels.fit(context, name, box.textLeft + 2, middle + 0.5, right - box.textLeft - 2);
  context.font = theme.smallFont;
  context.fillStyle = theme['text-muted'];
  const serviceLeft = box.textLeft + 2 + used + 8;
  // Half a service name tells nothing: it is only begun where some of it can be read.
  if (right - serviceLeft > 36) labels.fit(context, service, serviceLeft, middle + 1, right - serviceLeft);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {WaterfallFrame} frame
 * @param {number} top
 * @param {number} indent
 */
function drawGuides(context, { theme }, top, indent) {
  context.fillStyle = theme.grid;
  for (let x = 16; x < indent; x += 14) context.fillRect(x, top, 1, ROW_HEIGHT);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Theme} theme
 * @param {number} x
 * @param {number} y
 * @param {boolean} open
 */
function drawTwisty(context, theme, x, y, open) {
  context.strokeStyle = theme['text-muted'];
  context.lineWidth = 1.5;
  context.lineCap = 'round';
  context.lineJoin = 'round';
  context.beginPath();
  if (open) {
    context.moveTo(x - 4, y - 2);
    context.lineTo(x, y + 2);
    context.lineTo(x + 4, y - 2);
  } else {
    context.moveTo(x - 2, y - 4);
    context.lineTo(x + 2, y);
    context.lineTo(x - 2, y + 4);
  }
  context.stroke();
}

/**
 * Filled when the span failed itself, hollow when a span does that it hides.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Theme} theme
 * @param {number} x
 * @param {number} y
 * @param {boolean} own
 */
function drawErrorMark(context, theme, x, y, own) {
  context.beginPath();
  context.arc(x, y, own ? 6 : 5.25, 0, 2 * Math.PI);
  context.lineWidth = 1.5;
  context.fillStyle = theme.error;
  context.strokeStyle = theme.error;
  if (own) context.fill();
  else context.stroke();
  context.fillStyle = own ? theme.surface : theme.error;
  context.fillRect(x - 0.85, y - 3.4, 1.7, 4.2);
  context.fillRect(x - 0.85, y + 1.8, 1.7, 1.7);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Theme} theme
 * @param {number} x
 * @param {number} y
 */
function drawWarningMark(context, theme, x, y) {
  context.strokeStyle = theme.warning;
  context.fillStyle = theme.warning;
  context.lineWidth = 1.5;
  context.lineJoin = 'round';
  context.beginPath();
  context.moveTo(x, y - 5.5);
  context.lineTo(x + 6, y + 5);
  context.lineTo(x - 6, y + 5);
  context.closePath();
  context.stroke();
  context.fillRect(x - 0.75, y - 1.8, 1.5, 3.2);
  context.fillRect(x - 0.75, y + 2.2, 1.5, 1.4);
}
