import { priceOf } from './prices.js';

/** What all lines of a cart cost, in cents. */
export function totalOf(lines) {
  let total = 0;
  for (const { article, count } of lines) {
    total += count * priceOf(article);
  }
  return total;
}

export class Cart {
  #lines = [];

  add(article, count) {
    this.#lines.push({ article, count });
  }

  checkOut() {
    const total = totalOf(this.#lines);
    this.#lines = [];
    return total;
  }
}
