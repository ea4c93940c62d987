// How to upload source maps, with the tools that people have.

/** @import { Snippet } from './snippets.js' */

/**
 * @param {string} origin the page's own
 * @param {string | null} service that the maps are for, where it is known
 * @returns {Snippet[]}
 */
export function uploadSnippets(origin, service) {
  const project = /^[\w.-]+$/.test(service ?? '') ? service : 'shop';
  const settings = `export SENTRY_URL=${origin}
export SENTRY_AUTH_TOKEN=any-word    # or one of \`backtrail tokens create --name ci --scope upload\`
export SENTRY_ORG=acme SENTRY_PROJECT=${project}`;
  return [
    {
      id: 'backtrail',
      title: 'backtrail',
      note: 'After a build, beside its output. The release is what the service sends as service.version; the project is the name of the service.',
      code: `backtrail sourcemaps upload dist --server ${origin} --release 1.4.2 --project ${project}`,
    },
    {
      id: 'sentry-cli',
      title: 'sentry-cli',
      note: 'The command line that many builds have already, 1.77 to 3.8, as it is.',
      code: `${settings}
npx @sentry/cli sourcemaps upload --release 1.4.2 dist`,
    },
    {
      id: 'webpack',
      title: 'webpack',
      note: 'Sentry’s plugin, as it is; those for vite, rollup and esbuild take the same settings.',
      code: `// ${settings.replaceAll('\n', '\n// ')}
const { sentryWebpackPlugin } = require('@sentry/webpack-plugin');

module.exports = {
  devtool: 'hidden-source-map',
  plugins: [sentryWebpackPlugin({ release: { name: process.env.SERVICE_VERSION } })],
};`,
    },
  ];
}

/** How an exception with its stack trace comes here. */
export const recordSnippet = `span.recordException(error);
span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });`;
