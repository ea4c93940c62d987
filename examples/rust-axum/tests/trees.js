'use strict';

// The traces of some questions to the shop, whichever database it has, as `treeOf` writes them.

const ORDER_7 = [
  'orders-shop: GET /orders/{id} server unset',
  '  orders-shop: load order internal ok',
  '    orders-shop: SELECT order_lines client unset',
  '  orders-shop: prepare order internal ok',
  '    orders-shop: price order internal ok',
  '      orders-shop: SELECT prices client unset',
  '      orders-shop: SELECT prices client unset',
  '    orders-shop: reserve stock internal ok',
  '      orders-shop: POST client unset',
  '        warehouse: POST /stock/{article}/reservations server unset',
  '          warehouse: reserve internal ok',
  '      orders-shop: POST client unset',
  '        warehouse: POST /stock/{article}/reservations server unset',
  '          warehouse: reserve internal ok',
];

const ORDER_13 = [
  'orders-shop: GET /orders/{id} server error',
  '  orders-shop: load order internal ok',
  '    orders-shop: SELECT order_lines client unset',
  '  orders-shop: prepare order internal error',
  '    orders-shop: price order internal error',
  '      orders-shop: SELECT prices client unset',
];

const ORDER_99 = [
  'orders-shop: GET /orders/{id} server unset',
  '  orders-shop: load order internal ok',
  '    orders-shop: SELECT order_lines client unset',
];

const NEW_ORDER = [
  'orders-shop: POST /orders server unset',
  '  orders-shop: save order internal ok',
  '    orders-shop: BEGIN client unset',
  '    orders-shop: INSERT orders client unset',
  '    orders-shop: INSERT order_lines client unset',
  '    orders-shop: COMMIT client unset',
];

module.exports = { NEW_ORDER, ORDER_13, ORDER_7, ORDER_99 };
