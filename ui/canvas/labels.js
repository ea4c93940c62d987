import { label } from '../model/text.js';

/** Longer names are cut before they are measured: one of a megabyte would stall every frame. */
const LONGEST_LABEL = 300;
const WIDTHS_KEPT = 20_000;

/**
 * The texts of a waterfall: cleaned once for each distinct name, measured once for each font.
 */
export class Labels {
  /**
   * @param {readonly string[]} names
   * @param {readonly string[]} services
   */
  constructor(names, services) {
    this.names = names;
    this.services = services;
    /** @type {string[]} */
    this.cleanNames = [];
    /** @type {string[]} */
    this.cleanServices = [];
    /** @type {Map<string, number>} */
    this.widths = new Map();
  }

  /** @param {number} id */
  name(id) {
    return (this.cleanNames[id] ??= label(this.names[id] ?? '', LONGEST_LABEL) || '(no name)');
  }

  /** @param {number} id */
  service(id) {
    return (this.cleanServices[id] ??= label(this.services[id] ?? '', LONGEST_LABEL) || '(no service)');
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {string} text
   */
  widthOf(context, text) {
    const key = `${context.font}\n${text}`;
    let width = this.widths.get(key);
    if (width === undefined) {
      if (this.widths.size >= WIDTHS_KEPT) this.widths.clear();
      width = context.measureText(text).width;
      this.widths.set(key, width);
    }
    return width;
  }

  /**
   * Draws as much of a text as fits, and gives the width that it took.
   *
   * @param {CanvasRenderingContext2D} context
   * @param {string} text
   * @param {number} x
   * @param {number} y
   * @param {number} room
   */
  fit(context, text, x, y, room) {
    if (room < 8) return 0;
    const full = this.widthOf(context, text);
    if (full <= room) {
      context.fillText(text, x, y);
      return full;
    }
    let length = Math.min(text.length - 1, Math.floor((text.length * room) / full));
    while (length > 0 && this.widthOf(context, `${text.slice(0, length)}…`) > room) length--;
    const cut = `${text.slice(0, length)}…`;
    context.fillText(cut, x, y);
    return this.widthOf(context, cut);
  }
}
