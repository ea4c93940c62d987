'use strict';

class PaymentError extends Error {
  constructor(message, order) {
    super(message);
    this.name = 'PaymentError';
    this.order = order;
  }
}

function totalOf(order) {
  if (!Array.isArray(order.lines)) {
    throw new PaymentError(`order ${order.id} has no lines`, order);
  }
  return order.lines.reduce((total, { cents }) => total + cents, 0);
}

/** Charges an order, and gives its receipt. */
function charge(order, { attempts }) {
  const cents = totalOf(order);
  return { order: order.id, cents, attempts, check: totalOf(order) === cents };
}

module.exports = { PaymentError, charge };
