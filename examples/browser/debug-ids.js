// Tells with each exception which build its scripts are of. Copy this file; put a `DebugIds` before the processor that sends:
//
//     spanProcessors: [new DebugIds(), new BatchSpanProcessor(exporter)]
//
// `backtrail sourcemaps inject` and Sentry's plugins put a line into each script that notes its id, under a stack that begins in the script.

/** A location at the end of the first frame: of V8 in a browser and in Node, of Firefox and of Safari. */
const LOCATION = /(?:^|[\s(@])((?:[a-z][a-z.+-]*:\/\/|\/|[A-Z]:[\\/])[^\n]*):\d+:\d+\)?$/m;

/** The attributes that name the scripts of a stack and their ids; none where no script of it has one. */
export function debugImages(stack = '') {
  const images = Object.entries(globalThis._sentryDebugIds ?? {})
    .map(([noted, id]) => [LOCATION.exec(noted)?.[1], id])
    .filter(([file]) => file && stack.includes(`${file}:`));
  if (images.length === 0) {
    return {};
  }
  return {
    'exception.debug_images.code_files': images.map(([file]) => file),
    'exception.debug_images.debug_ids': images.map(([, id]) => id),
  };
}

/** A span processor: it sends nothing, and adds to the exceptions of each span that ends. */
export class DebugIds {
  onStart() {}
  onEnd(span) {
    for (const { attributes } of span.events) {
      Object.assign(attributes ?? {}, debugImages(attributes?.['exception.stacktrace']));
    }
  }
  async forceFlush() {}
  async shutdown() {}
}
