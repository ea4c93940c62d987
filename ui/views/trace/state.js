// The state of one open trace: what is selected, found, zoomed and collapsed. Views read its signals;
// the URL follows them.

import { clampRange, isWhole } from '../../canvas/scale.js';
import { TraceColumns } from '../../model/columns.js';
import { findSpans, nextError, nextMatch } from '../../model/find.js';
import { CLOSED_LIMIT, traceViewUrl } from '../../model/trace-state.js';
import { Visibility } from '../../model/visibility.js';
import { batch, computed, signal } from '../html.js';

/**
 * @import { TimeRange } from '../../canvas/scale.js'
 * @import { TraceView } from '../../model/trace-state.js'
 */

export class TraceState {
  /**
   * @param {TraceColumns} columns
   * @param {TraceView} view as the URL has it
   */
  constructor(columns, view) {
    this.columns = columns;
    this.visibility = new Visibility(columns);
    /** @type {TimeRange} */
    this.whole = { from: columns.begin, to: columns.end };

    this.range = signal(view.range === null ? this.whole : clampRange(view.range, this.whole));
    /** The row that the keyboard is at, or −1. */
    this.active = signal(-1);
    this.detailOpen = signal(false);
    /** Whether the detail has most of the window, as a stack trace beside its source needs. */
    this.detailWide = signal(view.wide);
    this.findText = signal(view.find);
    this.helpOpen = signal(false);
    /** Grows with every change of what is collapsed. */
    this.shape = signal(0);
    /** Rows that are to be brought into view; a new object for every request. */
    this.reveal = signal(/** @type {{ row: number } | null} */ (null));

    this.matches = computed(() => findSpans(columns, this.findText.value));
    this.zoomed = computed(() => !isWhole(this.range.value, this.whole));

    this.#arrange(view);
  }

  /**
   * Shows what a URL asks for: after a link to another span of the same trace, or the browser's "back".
   * @param {TraceView} view
   */
  apply(view) {
    batch(() => {
      this.range.value = view.range === null ? this.whole : clampRange(view.range, this.whole);
      this.findText.value = view.find;
      this.detailOpen.value = false;
      this.detailWide.value = view.wide;
      this.visibility.expandAll();
      this.#arrange(view);
      this.shape.value++;
    });
  }

  /** @param {TraceView} view */
  #arrange({ closed, span }) {
    const { columns, visibility } = this;
    if (closed === 'all') visibility.collapseAll();
    else for (const id of closed) visibility.setCollapsed(columns.rowOf(id), true);
    const opened = span === null ? -1 : columns.rowOf(span);
    if (opened >= 0) this.open(opened);
  }

  /**
   * Moves to a span and makes sure that it can be seen.
   * @param {number} row
   */
  goTo(row) {
    if (row < 0 || row >= this.columns.count) return;
    batch(() => {
      if (this.visibility.reveal(row)) this.shape.value++;
      this.active.value = row;
      this.reveal.value = { row };
    });
  }

  /** @param {number} row */
  open(row) {
    batch(() => {
      this.goTo(row);
      this.detailOpen.value = true;
    });
  }

  close() {
    this.detailOpen.value = false;
  }

  /**
   * @param {number} row
   * @param {boolean} collapsed
   */
  setCollapsed(row, collapsed) {
    if (this.visibility.setCollapsed(row, collapsed)) this.#shapeChanged();
  }

  /** @param {number} row */
  toggle(row) {
    this.setCollapsed(row, this.visibility.collapsed[row] === 0);
  }

  collapseAll() {
    this.visibility.collapseAll();
    this.#shapeChanged();
  }

  expandAll() {
    this.visibility.expandAll();
    this.#shapeChanged();
  }

  /** @param {1 | -1} direction */
  goToMatch(direction) {
    const rows = this.matches.value?.rows;
    if (rows !== undefined) this.goTo(nextMatch(rows, this.active.value, direction));
  }

  /** @param {1 | -1} direction */
  goToError(direction) {
    this.goTo(nextError(this.columns, this.active.value, direction));
  }

  /** @param {TimeRange} range */
  zoomTo(range) {
    this.range.value = clampRange(range, this.whole);
  }

  /**
   * Shows the time of one span, with some air around it.
   * @param {number} row
   */
  zoomToSpan(row) {
    if (row < 0) return;
    const start = this.columns.start[row];
    const duration = Math.max(this.columns.duration[row], (this.whole.to - this.whole.from) * 1e-6);
    this.zoomTo({ from: start - duration * 0.1, to: start + duration * 1.15 });
  }

  /** @returns {string} the URL that shows all of this again */
  url() {
    const { columns, visibility } = this;
    void this.shape.value;
    const closed = visibility.collapsedRows(CLOSED_LIMIT);
    return traceViewUrl(columns.traceId, {
      span: this.detailOpen.value && this.active.value >= 0 ? columns.spanIds[this.active.value] : null,
      wide: this.detailOpen.value && this.detailWide.value,
      find: this.findText.value.trim(),
      range: this.zoomed.value ? this.range.value : null,
      closed: closed === null ? (visibility.count === rootCount(columns) ? 'all' : []) : closed.map((row) => columns.spanIds[row]),
    });
  }

  #shapeChanged() {
    batch(() => {
      const { active, visibility } = this;
      // A selection must not vanish into a collapsed span: it moves to that span.
      if (active.value >= 0) active.value = visibility.shownAncestor(active.value);
      this.shape.value++;
    });
  }
}

/** @param {TraceColumns} columns */
function rootCount(columns) {
  let roots = 0;
  for (let row = 0; row < columns.count; row = columns.subtreeEnd[row]) roots++;
  return roots;
}
