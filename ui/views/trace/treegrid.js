import { ROW_HEIGHT } from '../../canvas/waterfall-layout.js';
import { Flag, kindNames } from '../../model/columns.js';
import { counted } from '../../model/text.js';
import { formatDuration } from '../../model/time.js';

/**
 * @import { TraceState } from './state.js'
 * @import { Labels } from '../../canvas/labels.js'
 */

/**
 * The rows in view as an ARIA treegrid over the canvas: what a screen reader reads, and what tests see.
 * Rows that leave the view leave the document, so 100,000 spans are a screen full of elements.
 */
export class TreeGrid {
  /** @type {Map<number, HTMLElement>} */
  #rows = new Map();

  /**
   * @param {HTMLElement} grid bears the role and the focus
   * @param {HTMLElement} body holds the rows
   * @param {TraceState} state
   * @param {Labels} labels
   */
  constructor(grid, body, state, labels) {
    this.grid = grid;
    this.body = body;
    this.state = state;
    this.labels = labels;
  }

  /**
   * @param {number} first
   * @param {number} last
   */
  show(first, last) {
    const { visibility } = this.state;
    const active = this.state.active.peek();
    /** @type {Map<number, HTMLElement>} */
    const kept = new Map();
    for (let position = first; position < last; position++) {
      const row = visibility.rows[position];
      const element = this.#rows.get(row) ?? this.#create(row);
      this.#rows.delete(row);
      this.#place(element, row, position, row === active);
      kept.set(row, element);
    }
    for (const element of this.#rows.values()) element.remove();
    this.#rows = kept;
    // In the order of the rows, so that reading on goes down the waterfall.
    let at = this.body.firstElementChild;
    for (const element of kept.values()) {
      if (element === at) at = at.nextElementSibling;
      else this.body.insertBefore(element, at);
    }
    this.grid.setAttribute('aria-rowcount', String(visibility.count));
    if (active >= 0 && kept.has(active)) this.grid.setAttribute('aria-activedescendant', rowId(active));
    else this.grid.removeAttribute('aria-activedescendant');
  }

  /** @param {number} row */
  #create(row) {
    const { columns } = this.state;
    const element = document.createElement('div');
    element.id = rowId(row);
    element.className = 'wf-row';
    element.tabIndex = -1;
    element.dataset.row = String(row);
    element.setAttribute('role', 'row');
    element.setAttribute('aria-level', String(columns.depth[row] + 1));
    element.append(
      cell(this.labels.name(columns.name[row])),
      cell(this.labels.service(columns.service[row])),
      cell(describeTiming(this.state, row)),
    );
    return element;
  }

  /**
   * @param {HTMLElement} element
   * @param {number} row
   * @param {number} position
   * @param {boolean} selected
   */
  #place(element, row, position, selected) {
    const { columns, visibility } = this.state;
    element.style.top = `${position * ROW_HEIGHT}px`;
    element.setAttribute('aria-rowindex', String(position + 1));
    element.setAttribute('aria-selected', String(selected));
    if (columns.childCount[row] > 0) element.setAttribute('aria-expanded', String(visibility.collapsed[row] === 0));
  }
}

/** @param {number} row */
function rowId(row) {
  return `span-row-${row}`;
}

/** @param {string} text */
function cell(text) {
  const element = document.createElement('div');
  element.setAttribute('role', 'gridcell');
  element.textContent = text;
  return element;
}

/**
 * What the canvas says by shapes and colours, in words.
 * @param {TraceState} state
 * @param {number} row
 */
function describeTiming({ columns }, row) {
  const flags = columns.flags[row];
  const words = [
    formatDuration(columns.duration[row]),
    `from ${formatDuration(columns.start[row] - columns.begin)}`,
    kindNames[columns.kind[row]] ?? 'unspecified',
  ];
  if (columns.isError(row)) words.push('error');
  if (flags & Flag.exception) words.push('exception');
  if (columns.eventCount[row] > 0) words.push(counted(columns.eventCount[row], 'event'));
  if (flags & Flag.missingParent) words.push('parent missing');
  if (flags & Flag.clockSkew) words.push('starts before its parent');
  if (flags & Flag.sharedId) words.push('shares its id');
  if (flags & Flag.cutCircle) words.push('cut from a circle');
  return words.join(', ');
}
