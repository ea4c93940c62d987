/** @import { TraceColumns } from './columns.js' */

/**
 * Which rows are shown, given what is collapsed. Changing it costs one pass over the trace, and
 * nothing while scrolling.
 */
export class Visibility {
  /** @param {TraceColumns} columns */
  constructor(columns) {
    this.columns = columns;
    this.collapsed = new Uint8Array(columns.count);
    /** The spans that are shown, in order; the first `count` entries hold. */
    this.rows = new Int32Array(columns.count);
    /** Where a span is shown, or −1. */
    this.position = new Int32Array(columns.count);
    this.count = 0;
    this.#rebuild();
  }

  /** @param {number} row */
  isOpen(row) {
    return this.columns.childCount[row] > 0 && this.collapsed[row] === 0;
  }

  /**
   * @param {number} row a span; −1 and spans without children change nothing
   * @param {boolean} collapsed
   * @returns {boolean} whether anything changed
   */
  setCollapsed(row, collapsed) {
    const value = collapsed ? 1 : 0;
    if (!(this.columns.childCount[row] > 0) || this.collapsed[row] === value) return false;
    this.collapsed[row] = value;
    this.#rebuild();
    return true;
  }

  collapseAll() {
    const { childCount, count } = this.columns;
    for (let row = 0; row < count; row++) this.collapsed[row] = childCount[row] > 0 ? 1 : 0;
    this.#rebuild();
  }

  expandAll() {
    this.collapsed.fill(0);
    this.#rebuild();
  }

  /**
   * Opens whatever hides `row`.
   * @param {number} row
   */
  reveal(row) {
    const { parent } = this.columns;
    let changed = false;
    for (let above = parent[row]; above >= 0; above = parent[above]) {
      if (this.collapsed[above] === 0) continue;
      this.collapsed[above] = 0;
      changed = true;
    }
    if (changed) this.#rebuild();
    return changed;
  }

  /**
   * The nearest span at or above `row` that is shown.
   * @param {number} row
   */
  shownAncestor(row) {
    let at = row;
    while (at >= 0 && this.position[at] < 0) at = this.columns.parent[at];
    return at;
  }

  /**
   * The collapsed spans, if they are few enough to be named.
   * @param {number} limit
   * @returns {number[] | null}
   */
  collapsedRows(limit) {
    const found = [];
    for (let row = this.collapsed.indexOf(1); row >= 0; row = this.collapsed.indexOf(1, row + 1)) {
      if (found.length === limit) return null;
      found.push(row);
    }
    return found;
  }

  #rebuild() {
    const { subtreeEnd, count } = this.columns;
    this.position.fill(-1);
    let shown = 0;
    for (let row = 0; row < count; row = this.collapsed[row] ? subtreeEnd[row] : row + 1) {
      this.position[row] = shown;
      this.rows[shown++] = row;
    }
    this.count = shown;
  }
}
