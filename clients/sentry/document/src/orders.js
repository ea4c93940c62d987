'use strict';

const payment = require('./payment.js');

/** Settles one order after the other. */
function settleAll(orders) {
  const settled = [];
  for (const order of orders) {
    settled.push(settle(order, settled.length));
  }
  return settled;
}

function settle(order, position) {
  if (position > 100) {
    // A second call keeps the minifier from putting this function into its only caller.
    return settle(order, 0);
  }
  const receipt = payment.charge(order, { attempts: 1 });
  return { ...receipt, position };
}

module.exports = { settle, settleAll };
