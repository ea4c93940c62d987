import { Cart } from './cart.js';
import { inSpan } from './tracing.js';

const said = document.querySelector('output');

function checkOut(cart) {
  inSpan('check out', (span) => {
    // Whoever reports an error can tell the trace.
    said.dataset.traceId = span.spanContext().traceId;
    const cents = cart.checkOut();
    said.textContent = `That is ${(cents / 100).toFixed(2)}. Thank you!`;
  });
}

/** A button that checks out a cart with one line. */
function checkOutOnClick(button, article, count) {
  document.querySelector(button).addEventListener('click', () => {
    const cart = new Cart();
    cart.add(article, count);
    try {
      checkOut(cart);
    } catch {
      said.textContent = `This went wrong. It is trace ${said.dataset.traceId}.`;
    }
  });
}

checkOutOnClick('#tea', 'tea', 2);
checkOutOnClick('#teapot', 'teapot', 1);
