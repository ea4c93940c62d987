'use strict';

// What the document's configuration leaves open: where the services begin, that they run in Node, and that packages stay packages,
// for the instrumentations patch them as they are required.

module.exports = {
  ...require('./webpack.config.js'),
  target: 'node',
  entry: { shop: './server.js', warehouse: './warehouse.js' },
  externals: /^[@a-z]/,
  externalsType: 'commonjs',
};
