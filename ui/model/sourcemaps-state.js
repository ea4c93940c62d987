// What of the source-maps page is in its URL.

/**
 * @typedef {object} SourceMapsView
 * @property {string} service whose needs are shown; empty for those of all
 * @property {string[]} releases that are open
 */

/** More open releases than this are not named in a URL. */
const MOST_RELEASES = 20;

/**
 * @param {string} query
 * @returns {SourceMapsView}
 */
export function readSourceMapsView(query) {
  const parameters = new URLSearchParams(query);
  const releases = parameters.getAll('release').filter((release) => release !== '');
  return { service: parameters.get('service') ?? '', releases: [...new Set(releases)].slice(0, MOST_RELEASES) };
}

/** @param {Partial<SourceMapsView>} view */
export function sourceMapsUrl({ service = '', releases = [] }) {
  const parameters = new URLSearchParams();
  if (service !== '') parameters.set('service', service);
  for (const release of releases.slice(0, MOST_RELEASES)) parameters.append('release', release);
  const query = parameters.toString();
  return `/sourcemaps${query === '' ? '' : `?${query}`}`;
}
