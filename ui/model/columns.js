// A trace as a struct of arrays. Everything that a row needs is computed here once, so that drawing,
// finding and collapsing 100,000 spans allocates nothing per row.

/** @import { Skeleton } from '../api/types.js' */

/** The bits of the skeleton's `flags` column. */
export const Flag = Object.freeze({
  missingParent: 1,
  sharedId: 2,
  exception: 4,
  clockSkew: 8,
  cutCircle: 16,
});

export const STATUS_ERROR = 2;

export const kindNames = Object.freeze(
  /** @type {const} */ (['unspecified', 'internal', 'server', 'client', 'producer', 'consumer']),
);

export class TraceColumns {
  /** @param {Skeleton} skeleton */
  constructor(skeleton) {
    const { columns } = skeleton;
    const count = columns.span_id.length;
    this.traceId = skeleton.trace_id;
    this.startUnixNano = BigInt(skeleton.start_unix_nano);
    this.incomplete = skeleton.incomplete;
    this.truncated = skeleton.truncated === true;
    this.repeats = skeleton.repeats;
    this.services = skeleton.services;
    this.names = skeleton.names;
    this.count = count;

    this.spanIds = columns.span_id;
    this.parent = Int32Array.from(columns.parent);
    this.start = Float64Array.from(columns.start_offset_nano);
    this.duration = Float64Array.from(columns.duration_nano);
    this.service = Uint32Array.from(columns.service);
    this.name = Uint32Array.from(columns.name);
    this.kind = Uint8Array.from(columns.kind);
    this.status = Uint8Array.from(columns.status);
    this.eventCount = Uint32Array.from(columns.event_count);
    this.flags = Uint8Array.from(columns.flags);

    /** Distance from the root. */
    this.depth = new Uint32Array(count);
    this.childCount = new Uint32Array(count);
    /** One past the last descendant's row: the rows are in depth-first order. */
    this.subtreeEnd = new Int32Array(count);
    /** Errors below a span, itself not counted: what a collapsed row hides. */
    this.hiddenErrors = new Uint32Array(count);
    this.#shapeTree();

    this.serviceSpans = new Uint32Array(this.services.length);
    this.serviceErrors = new Uint32Array(this.services.length);
    this.errorCount = 0;
    this.missingParents = 0;
    this.clockSkews = 0;
    this.sharedIds = 0;
    this.cutCircles = 0;
    this.maxDepth = 0;
    /** The time that the trace covers, in nanoseconds from its start. */
    this.begin = 0;
    this.end = 0;
    this.#summarise();
    this.root = this.#findRoot();
  }

  /** @param {number} row */
  isError(row) {
    return this.status[row] === STATUS_ERROR;
  }

  /** @param {number} row */
  nameOf(row) {
    return this.names[this.name[row]] ?? '';
  }

  /** @param {number} row */
  serviceOf(row) {
    return this.services[this.service[row]] ?? '';
  }

  /** @param {string} spanId @returns {number} its row, or −1 */
  rowOf(spanId) {
    return this.spanIds.indexOf(spanId);
  }

  #shapeTree() {
    const { parent, depth, childCount, subtreeEnd, hiddenErrors, count } = this;
    for (let row = 0; row < count; row++) {
      const above = parent[row];
      subtreeEnd[row] = row + 1;
      if (above < 0) continue;
      depth[row] = depth[above] + 1;
      childCount[above]++;
    }
    // Children come after their parent, so going backwards sees every subtree whole before its parent.
    for (let row = count - 1; row >= 0; row--) {
      const above = parent[row];
      if (above < 0) continue;
      if (subtreeEnd[row] > subtreeEnd[above]) subtreeEnd[above] = subtreeEnd[row];
      hiddenErrors[above] += hiddenErrors[row] + (this.isError(row) ? 1 : 0);
    }
  }

  #summarise() {
    let begin = Infinity;
    let end = -Infinity;
    for (let row = 0; row < this.count; row++) {
      const start = this.start[row];
      if (start < begin) begin = start;
      if (start + this.duration[row] > end) end = start + this.duration[row];
      if (this.depth[row] > this.maxDepth) this.maxDepth = this.depth[row];
      this.serviceSpans[this.service[row]]++;
      if (this.isError(row)) {
        this.errorCount++;
        this.serviceErrors[this.service[row]]++;
      }
      const flags = this.flags[row];
      if (flags === 0) continue;
      if (flags & Flag.missingParent) this.missingParents++;
      if (flags & Flag.sharedId) this.sharedIds++;
      if (flags & Flag.clockSkew) this.clockSkews++;
      if (flags & Flag.cutCircle) this.cutCircles++;
    }
    if (this.count === 0) return;
    this.begin = begin;
    // A trace of instants still needs a width to be drawn on.
    this.end = end > begin ? end : begin + 1;
  }

  /** The span that names the trace: the first true root, else the earliest span. */
  #findRoot() {
    let earliest = 0;
    for (let row = 0; row < this.count; row++) {
      if (this.parent[row] < 0 && (this.flags[row] & Flag.missingParent) === 0) return row;
      if (this.start[row] < this.start[earliest]) earliest = row;
    }
    return earliest;
  }
}
