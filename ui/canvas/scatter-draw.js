import { formatDuration } from '../model/time.js';

/**
 * @import { ScatterPlot } from './scatter-layout.js'
 * @import { Theme } from './theme.js'
 */

/**
 * @typedef {object} ScatterFrame
 * @property {ScatterPlot} plot
 * @property {readonly string[]} colors by point
 * @property {readonly boolean[]} errors by point
 * @property {number} hovered or −1
 * @property {{ from: number, to: number } | null} brush in pixels
 * @property {readonly { x: number, text: string }[]} timeTicks
 * @property {number} height
 * @property {Theme} theme
 */

/**
 * @param {CanvasRenderingContext2D} context
 * @param {ScatterFrame} frame
 */
export function drawScatter(context, { plot, colors, errors, hovered, brush, timeTicks, height, theme }) {
  const { area } = plot;
  context.font = theme.smallFont;
  context.textBaseline = 'middle';
  context.textAlign = 'right';
  for (const tick of plot.durationTicks) {
    context.fillStyle = theme.grid;
    context.fillRect(area.left, Math.round(tick.y), area.width, 1);
    context.fillStyle = theme['text-muted'];
    context.fillText(formatDuration(tick.nanoseconds), area.left - 8, tick.y);
  }
  context.textAlign = 'center';
  context.textBaseline = 'alphabetic';
  for (const tick of timeTicks) {
    context.fillStyle = theme.grid;
    context.fillRect(Math.round(tick.x), area.top, 1, area.height);
    context.fillStyle = theme['text-muted'];
    context.fillText(tick.text, tick.x, height - 7);
  }
  context.textAlign = 'left';

  for (let at = plot.count - 1; at >= 0; at--) drawPoint(context, plot, at, colors[at], errors[at], theme);
  if (hovered >= 0) {
    context.strokeStyle = theme.text;
    context.lineWidth = 2;
    context.beginPath();
    context.arc(plot.x[hovered], plot.y[hovered], plot.radius[hovered] + 3, 0, 2 * Math.PI);
    context.stroke();
  }
  if (brush !== null) {
    const left = Math.min(brush.from, brush.to);
    const width = Math.abs(brush.to - brush.from);
    context.globalAlpha = 0.16;
    context.fillStyle = theme.accent;
    context.fillRect(left, area.top, width, area.height);
    context.globalAlpha = 1;
    context.fillRect(left, area.top, 1, area.height);
    context.fillRect(left + width, area.top, 1, area.height);
  }
}

/**
 * A trace with errors is drawn as a ring around a full point: not by its colour alone.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {ScatterPlot} plot
 * @param {number} at
 * @param {string} color
 * @param {boolean} error
 * @param {Theme} theme
 */
function drawPoint(context, plot, at, color, error, theme) {
  context.beginPath();
  context.arc(plot.x[at], plot.y[at], plot.radius[at], 0, 2 * Math.PI);
  context.globalAlpha = 0.78;
  context.fillStyle = color;
  context.fill();
  context.globalAlpha = 1;
  if (!error) return;
  context.strokeStyle = theme.error;
  context.lineWidth = 2;
  context.beginPath();
  context.arc(plot.x[at], plot.y[at], plot.radius[at] + 1.5, 0, 2 * Math.PI);
  context.stroke();
}
