const PRICES_IN_CENTS = { tea: 450, cup: 1200 };

export class UnknownArticle extends Error {
  name = 'UnknownArticle';
}

/** The price of one piece, in cents. */
export function priceOf(article) {
  const price = PRICES_IN_CENTS[article];
  if (price === undefined) {
    throw new UnknownArticle(`nobody sells a ${article}`);
  }
  return price;
}
