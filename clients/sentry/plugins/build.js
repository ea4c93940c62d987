'use strict';

// node build.js PLUGIN SOURCE OUT — builds SOURCE into OUT with a bundler and its plugin, which takes its settings from the environment.

const path = require('node:path');

const [plugin, entry, out] = process.argv.slice(2);

/** What a user writes beside the variables of the environment. No plugin may tell its makers of a test. */
const options = { telemetry: false, release: { name: process.env.RELEASE_VERSION } };

const builds = {
  async webpack(alias) {
    const webpack = require('webpack');
    const { sentryWebpackPlugin } = require(alias);
    const configuration = {
      mode: 'production',
      devtool: 'hidden-source-map',
      target: 'node',
      context: path.dirname(entry),
      entry,
      output: { path: out, filename: '[name].[contenthash].js' },
      plugins: [sentryWebpackPlugin(options)],
    };
    await new Promise((resolve, reject) => {
      const compiler = webpack(configuration, (error, stats) => {
        if (error || stats.hasErrors()) {
          reject(error ?? new Error(stats.toString()));
          return;
        }
        compiler.close((error) => (error ? reject(error) : resolve()));
      });
    });
  },

  async vite() {
    const { build } = await import('vite');
    const { sentryVitePlugin } = require('@sentry/vite-plugin');
    await build({
      root: path.dirname(entry),
      logLevel: 'warn',
      build: { outDir: out, sourcemap: 'hidden', ssr: entry },
      plugins: [sentryVitePlugin(options)],
    });
  },

  async rollup() {
    const { rollup } = require('rollup');
    const { sentryRollupPlugin } = require('@sentry/rollup-plugin');
    const bundle = await rollup({ input: entry, plugins: [sentryRollupPlugin(options)] });
    await bundle.write({ dir: out, format: 'cjs', sourcemap: 'hidden' });
    await bundle.close();
  },

  async esbuild() {
    const { build } = require('esbuild');
    const { sentryEsbuildPlugin } = require('@sentry/esbuild-plugin');
    await build({ entryPoints: [entry], bundle: true, minify: true, platform: 'node', sourcemap: 'external', outdir: out, plugins: [sentryEsbuildPlugin(options)] });
  },
};

const [bundler] = plugin.match(/^[a-z]+/);
builds[bundler](plugin).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
