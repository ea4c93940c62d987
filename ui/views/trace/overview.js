import { clampRange, panRange, timeToX, xToTime } from '../../canvas/scale.js';
import { drawOverviewBoxes, drawSelection } from '../../canvas/overview-draw.js';
import { grip, layOutOverview } from '../../canvas/overview-layout.js';
import { frameScheduler, Surface } from '../../canvas/surface.js';
import { ThemeReader } from '../../canvas/theme.js';
import { reserveColors, serviceColor } from '../../model/palette.js';
import { formatDuration } from '../../model/time.js';
import { effect, html, useEffect, useRef } from '../html.js';
import { themeVersion } from '../preferences.js';

/**
 * @import { TimeRange } from '../../canvas/scale.js'
 * @import { Theme } from '../../canvas/theme.js'
 * @import { TraceState } from './state.js'
 */

const HEIGHT = 56;
/** A press that moves less than this selects nothing. */
const DRAG_STARTS = 4;

/**
 * The whole trace in a strip. Dragging selects the time that the waterfall shows; a double click shows
 * all of it again. The keys are +, −, Shift ← → and 0.
 *
 * @param {{ state: TraceState }} props
 */
export function Overview({ state }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  useEffect(() => {
    if (canvas.current === null) return undefined;
    const view = new OverviewView(canvas.current, state);
    return () => view.dispose();
  }, [state]);
  const { from, to } = state.range.value;
  const says = state.zoomed.value
    ? `${formatDuration(from - state.whole.from)} to ${formatDuration(to - state.whole.from)} in view`
    : 'the whole time in view';
  return html`<div class="overview">
    <canvas ref=${canvas} role="img" aria-label=${`Overview of the trace, ${says}`} title="Drag to zoom in, double-click to show all"></canvas>
  </div>`;
}

/** @typedef {{ kind: ReturnType<typeof grip>, atX: number, range: TimeRange, moved: boolean }} Drag */

class OverviewView {
  /** The boxes, drawn once for each size and theme. */
  #picture = document.createElement('canvas');
  #pictureKey = '';
  #width = 0;
  #themes = new ThemeReader();
  /** @type {Drag | null} */
  #drag = null;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {TraceState} state
   */
  constructor(canvas, state) {
    this.canvas = canvas;
    this.state = state;
    this.surface = new Surface(canvas);
    this.frame = frameScheduler(() => this.#draw());
    const host = /** @type {HTMLElement} */ (canvas.parentElement);
    this.observer = new ResizeObserver(() => {
      this.#width = host.clientWidth;
      this.frame.request();
    });
    this.observer.observe(host);
    this.stop = effect(() => {
      void state.range.value;
      void themeVersion.value;
      this.frame.request();
    });
    canvas.addEventListener('contextrestored', () => this.frame.request());
    canvas.addEventListener('pointerdown', this.#press);
    canvas.addEventListener('pointermove', this.#move);
    canvas.addEventListener('pointerup', this.#release);
    canvas.addEventListener('pointercancel', this.#release);
    canvas.addEventListener('dblclick', this.#reset);
  }

  dispose() {
    this.observer.disconnect();
    this.stop();
    this.frame.cancel();
  }

  /** The zoomed range in pixels. */
  #selection() {
    if (!this.state.zoomed.peek()) return null;
    const { whole, range } = this.state;
    return { left: timeToX(whole, this.#width, range.peek().from), right: timeToX(whole, this.#width, range.peek().to) };
  }

  #draw() {
    if (this.#width === 0) return;
    const context = this.surface.begin(this.#width, HEIGHT);
    const theme = this.#themes.current(/** @type {HTMLElement} */ (this.canvas.parentElement), themeVersion.peek());
    this.#paintPicture(theme);
    context.drawImage(this.#picture, 0, 0, this.#width, HEIGHT);
    const selection = this.#selection();
    if (selection !== null) drawSelection(context, this.#width, HEIGHT, selection, theme);
  }

  /** @param {Theme} theme */
  #paintPicture(theme) {
    const { ratio } = this.surface;
    const key = `${this.#width} ${ratio} ${themeVersion.peek()}`;
    if (key === this.#pictureKey) return;
    this.#pictureKey = key;
    const { columns } = this.state;
    this.#picture.width = Math.round(this.#width * ratio);
    this.#picture.height = Math.round(HEIGHT * ratio);
    const context = /** @type {CanvasRenderingContext2D} */ (this.#picture.getContext('2d'));
    reserveColors(columns.services);
    const colors = columns.services.map((service) => serviceColor(service, theme.dark));
    // In the screen's pixels, so that merging to pixels merges to real ones.
    const inset = 4;
    context.translate(0, Math.round(inset * ratio));
    const height = Math.round((HEIGHT - 2 * inset) * ratio);
    drawOverviewBoxes(context, layOutOverview(columns, this.#picture.width, height), height, colors, theme);
  }

  /** @param {PointerEvent} event */
  #press = (event) => {
    if (event.button !== 0) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.#drag = { kind: grip(event.offsetX, this.#selection()), atX: event.offsetX, range: this.state.range.peek(), moved: false };
  };

  /** @param {PointerEvent} event */
  #move = (event) => {
    const drag = this.#drag;
    if (drag === null) {
      const kind = grip(event.offsetX, this.#selection());
      this.canvas.style.cursor = kind === 'new' ? 'crosshair' : kind === 'move' ? 'grab' : 'ew-resize';
      return;
    }
    if (!drag.moved && Math.abs(event.offsetX - drag.atX) < DRAG_STARTS) return;
    drag.moved = true;
    this.state.range.value = this.#dragged(drag, event.offsetX);
  };

  /**
   * @param {Drag} drag
   * @param {number} x
   * @returns {TimeRange}
   */
  #dragged(drag, x) {
    const { whole } = this.state;
    const at = Math.min(Math.max(xToTime(whole, this.#width, x), whole.from), whole.to);
    const began = Math.min(Math.max(xToTime(whole, this.#width, drag.atX), whole.from), whole.to);
    if (drag.kind === 'move') return panRange(drag.range, whole, at - began);
    const fixed = drag.kind === 'from' ? drag.range.to : drag.kind === 'to' ? drag.range.from : began;
    return clampRange({ from: Math.min(fixed, at), to: Math.max(fixed, at) }, whole);
  }

  #release = () => {
    this.#drag = null;
  };

  #reset = () => {
    this.state.zoomTo(this.state.whole);
  };
}
