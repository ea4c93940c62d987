import { Labels } from '../../canvas/labels.js';
import { panRange, xToTime, zoomRange } from '../../canvas/scale.js';
import { frameScheduler, Surface } from '../../canvas/surface.js';
import { ThemeReader } from '../../canvas/theme.js';
import { drawWaterfall, frameDepthBase } from '../../canvas/waterfall-draw.js';
import { barArea, hitTest, indentOf, ROW_HEIGHT, rowsInView, scrollToShow } from '../../canvas/waterfall-layout.js';
import { reserveColors, serviceColor } from '../../model/palette.js';
import { effect, signal } from '../html.js';
import { remember, rememberedNumber, themeVersion } from '../preferences.js';
import { TreeGrid } from './treegrid.js';

/**
 * @import { Geometry } from '../../canvas/waterfall-layout.js'
 * @import { TraceState } from './state.js'
 */

/** The treegrid follows once scrolling pauses; the canvas follows at once. */
const SCROLL_PAUSE_MS = 90;
const NARROWEST_NAMES = 110;
const NARROWEST_BARS = 120;

/** @typedef {{ row: number, x: number, y: number } | null} Hover */

/**
 * Ties the scrolling element, the canvas and the treegrid of one waterfall together.
 */
export class WaterfallView {
  #width = 0;
  #height = 0;
  #themes = new ThemeReader();
  #colors = { version: -1, list: /** @type {string[]} */ ([]) };
  #pause = 0;
  #hovered = -1;
  #share = rememberedNumber('name-column', -1);

  /**
   * @param {TraceState} state
   * @param {{ scroller: HTMLElement, canvas: HTMLCanvasElement, body: HTMLElement }} parts
   */
  constructor(state, { scroller, canvas, body }) {
    this.state = state;
    this.scroller = scroller;
    this.canvas = canvas;
    this.body = body;
    this.surface = new Surface(canvas);
    this.labels = new Labels(state.columns.names, state.columns.services);
    this.grid = new TreeGrid(scroller, body, state, this.labels);
    this.frame = frameScheduler(() => this.#draw());
    /** For what is drawn around the canvas: ruler and divider. */
    this.layout = signal({ width: 0, nameWidth: 0 });
    this.hover = signal(/** @type {Hover} */ (null));

    this.observer = new ResizeObserver(() => this.#resize());
    this.observer.observe(scroller);
    this.stops = [effect(() => this.#follow()), effect(() => this.#reveal())];
    canvas.addEventListener('contextrestored', () => this.frame.request());
    scroller.addEventListener('scroll', this.#scrolled, { passive: true });
    scroller.addEventListener('pointermove', this.#move);
    scroller.addEventListener('pointerleave', this.#leave);
    scroller.addEventListener('click', this.#click);
    scroller.addEventListener('dblclick', this.#doubleClick);
    scroller.addEventListener('wheel', this.#wheel, { passive: false });
    scroller.addEventListener('keydown', this.#key);
    scroller.addEventListener('focus', this.#focus);
    scroller.addEventListener('blur', this.#blur);
  }

  dispose() {
    this.observer.disconnect();
    for (const stop of this.stops) stop();
    this.frame.cancel();
    clearTimeout(this.#pause);
  }

  /** @param {number} nameWidth in pixels, as dragged */
  setNameWidth(nameWidth) {
    this.#share = nameWidth / Math.max(1, this.#width);
    remember('name-column', String(this.#share));
    this.#layOut();
  }

  /** @returns {Geometry} */
  #geometry() {
    return {
      width: this.#width,
      height: this.#height,
      nameWidth: this.layout.peek().nameWidth,
      scrollTop: this.scroller.scrollTop,
      rowCount: this.state.visibility.count,
      range: this.state.range.peek(),
    };
  }

  #resize() {
    this.#width = this.scroller.clientWidth;
    this.#height = this.scroller.clientHeight;
    this.canvas.style.marginBottom = `${-this.#height}px`;
    this.#layOut();
    // The detail of a span takes room from the waterfall: its row stays in view.
    if (this.state.detailOpen.peek()) this.#reveal();
  }

  #layOut() {
    const share = this.#share > 0 ? this.#share : this.#width < 560 ? 0.46 : 0.34;
    const nameWidth = Math.round(Math.max(NARROWEST_NAMES, Math.min(this.#width * share, this.#width - NARROWEST_BARS)));
    this.layout.value = { width: this.#width, nameWidth };
    this.#redrawWithRows();
  }

  /** Whatever is drawn is read here, so that a change of it draws again. */
  #follow() {
    const { state } = this;
    void state.shape.value;
    void state.range.value;
    void state.active.value;
    void state.matches.value;
    void themeVersion.value;
    this.body.style.height = `${state.visibility.count * ROW_HEIGHT + ROW_HEIGHT}px`;
    this.#redrawWithRows();
  }

  #reveal() {
    const request = this.state.reveal.value;
    if (request === null || this.#height === 0) return;
    const position = this.state.visibility.position[request.row];
    if (position >= 0) this.scroller.scrollTop = scrollToShow(this.#geometry(), position);
  }

  #redrawWithRows() {
    this.#rowsDue = true;
    this.frame.request();
  }

  #rowsDue = false;

  #draw() {
    if (this.#width === 0 || this.#height === 0) return;
    this.#revealOnce();
    const geometry = this.#geometry();
    const theme = this.#themes.current(this.scroller, themeVersion.peek());
    drawWaterfall(this.surface.begin(this.#width, this.#height), {
      geometry,
      columns: this.state.columns,
      visibility: this.state.visibility,
      matches: this.state.matches.peek()?.marked ?? null,
      active: this.state.active.peek(),
      hovered: this.#hovered,
      focused: this.scroller.matches(':focus-visible'),
      colors: this.#serviceColors(theme.dark),
      labels: this.labels,
      theme,
    });
    if (this.#rowsDue) this.#showRows();
  }

  #revealedFirst = false;

  /** A span that the URL names is brought into view once the waterfall has a size. */
  #revealOnce() {
    if (this.#revealedFirst) return;
    this.#revealedFirst = true;
    this.#reveal();
  }

  #showRows() {
    this.#rowsDue = false;
    const { first, last } = rowsInView(this.#geometry());
    this.grid.show(first, last);
  }

  /** @param {boolean} dark */
  #serviceColors(dark) {
    const version = themeVersion.peek();
    if (this.#colors.version !== version) {
      const { services } = this.state.columns;
      reserveColors(services);
      this.#colors = { version, list: services.map((service) => serviceColor(service, dark)) };
    }
    return this.#colors.list;
  }

  #scrolled = () => {
    this.frame.request();
    clearTimeout(this.#pause);
    this.#pause = window.setTimeout(() => this.#showRows(), SCROLL_PAUSE_MS);
    if (this.#hovered >= 0) this.#leave();
  };

  /** @param {MouseEvent} event */
  #hit(event) {
    const box = this.scroller.getBoundingClientRect();
    const geometry = this.#geometry();
    const { columns, visibility } = this.state;
    const { first, last } = rowsInView(geometry);
    const base = frameDepthBase({ geometry, columns, visibility }, first, last);
    const hit = hitTest(geometry, event.clientX - box.left, event.clientY - box.top, (position) =>
      indentOf(geometry.nameWidth, columns.depth[visibility.rows[position]], base),
    );
    return hit === null ? null : { ...hit, row: visibility.rows[hit.position] };
  }

  /** @param {PointerEvent} event */
  #move = (event) => {
    if (event.pointerType === 'touch') return;
    const hit = this.#hit(event);
    const row = hit?.row ?? -1;
    this.scroller.style.cursor = hit === null ? '' : 'pointer';
    const box = this.scroller.getBoundingClientRect();
    this.hover.value = row < 0 ? null : { row, x: event.clientX - box.left, y: event.clientY - box.top };
    if (row === this.#hovered) return;
    this.#hovered = row;
    this.frame.request();
  };

  #leave = () => {
    this.#hovered = -1;
    this.hover.value = null;
    this.frame.request();
  };

  /** @param {MouseEvent} event */
  #click = (event) => {
    const hit = this.#hit(event);
    if (hit === null) return;
    if (hit.part === 'twisty' && this.state.columns.childCount[hit.row] > 0) this.state.toggle(hit.row);
    else this.state.open(hit.row);
  };

  /** @param {MouseEvent} event */
  #doubleClick = (event) => {
    const hit = this.#hit(event);
    if (hit?.part === 'bars') this.state.zoomToSpan(hit.row);
  };

  /** With a modifier the wheel zooms; sideways it moves the time in view. @param {WheelEvent} event */
  #wheel = (event) => {
    const { state } = this;
    const range = state.range.peek();
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      const area = barArea(this.#geometry());
      const x = event.clientX - this.scroller.getBoundingClientRect().left - area.left;
      const around = xToTime(range, area.width, Math.min(Math.max(x, 0), area.width));
      state.range.value = zoomRange(range, state.whole, 1.0015 ** event.deltaY, around);
    } else if (state.zoomed.peek() && Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      state.range.value = panRange(range, state.whole, (event.deltaX / barArea(this.#geometry()).width) * (range.to - range.from));
    }
  };

  /** Who comes by Tab is at the first row in view; the focus that opening the page gives is at none yet. @param {FocusEvent} event */
  #focus = (event) => {
    const { state } = this;
    if (event.relatedTarget !== null && state.active.peek() < 0 && this.scroller.matches(':focus-visible')) {
      state.active.value = state.visibility.rows[rowsInView(this.#geometry()).first];
    }
    this.frame.request();
  };

  #blur = () => this.frame.request();

  /** The keys of a treegrid. @param {KeyboardEvent} event */
  #key = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (!this.#moveBy(event.key)) return;
    event.preventDefault();
  };

  /**
   * @param {string} key
   * @returns {boolean} whether it means something here
   */
  #moveBy(key) {
    const { state } = this;
    const { visibility, columns } = state;
    const active = state.active.peek();
    const position = active < 0 ? -1 : visibility.position[active];
    const screen = Math.max(1, Math.floor(this.#height / ROW_HEIGHT) - 2);
    const goToPosition = (/** @type {number} */ wanted) =>
      state.goTo(visibility.rows[Math.min(Math.max(wanted, 0), visibility.count - 1)]);
    switch (key) {
      case 'ArrowDown':
        goToPosition(position + 1);
        return true;
      case 'ArrowUp':
        goToPosition(position - 1);
        return true;
      case 'PageDown':
        goToPosition(position + screen);
        return true;
      case 'PageUp':
        goToPosition(position - screen);
        return true;
      case 'Home':
        goToPosition(0);
        return true;
      case 'End':
        goToPosition(visibility.count - 1);
        return true;
      case 'ArrowRight':
        if (active < 0) goToPosition(0);
        else if (columns.childCount[active] > 0 && visibility.collapsed[active] === 1) state.setCollapsed(active, false);
        else if (visibility.isOpen(active)) goToPosition(position + 1);
        return true;
      case 'ArrowLeft':
        if (active < 0) goToPosition(0);
        else if (visibility.isOpen(active)) state.setCollapsed(active, true);
        else state.goTo(columns.parent[active]);
        return true;
      case 'Enter':
      case ' ':
        if (active >= 0) state.open(active);
        return true;
      default:
        return false;
    }
  }
}
