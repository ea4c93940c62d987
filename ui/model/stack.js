// A resolved stack trace as the page lists it. No document here.

/** @import { ResolvedStack, StackFrame, StackScript } from '../api/types.js' */

/** Frames in a row that are not the service's own are folded from this many on. */
const QUIET_FROM = 3;
/** Of the text between frames: a cause, or what the engine prints of an error's properties. */
const BETWEEN_LINES = 6;
const BETWEEN_CHARACTERS = 600;

/**
 * @typedef {{ kind: 'frame', at: number }
 *   | { kind: 'quiet', from: number, to: number }
 *   | { kind: 'text', text: string }} StackItem `to` is the first frame that is no longer of it
 */

/** Whether somebody who looks for a fault passes over the frame: code of a package, or of the engine. @param {StackFrame} frame */
export function isQuiet({ raw, resolved, kept }) {
  return resolved === null ? kept?.code === 'native' || isOfPackage(raw.url) : !resolved.in_app;
}

/** Whether a package brought the file: most of those have no map that could be uploaded. @param {string} url */
export function isOfPackage(url) {
  return /[/\\]node_modules[/\\]/.test(url);
}

/** The frame that is opened: the innermost of the service's own. @param {readonly StackFrame[]} frames */
export function firstOwn(frames) {
  const own = frames.findIndex(({ resolved }) => resolved?.in_app === true);
  return own >= 0 ? own : frames.findIndex(({ resolved }) => resolved !== null);
}

/**
 * What is listed: the frames, with what stands between them in the text (`Caused by: …`), and runs of frames that are not the service's own as one.
 *
 * @param {ResolvedStack} stack
 * @param {{ type: string, message: string }} exception what is shown above the stack already
 * @param {number} most frames
 * @returns {StackItem[]}
 */
export function stackItems({ raw, frames }, exception, most) {
  const lines = raw.split('\n');
  /** @type {StackItem[]} */
  const items = [];
  const shown = Math.min(frames.length, most);
  let nextLine = 0;
  for (let at = 0; at < shown; at++) {
    const text = textBetween(lines, nextLine, frames[at].text_line);
    if (text !== '' && !(at === 0 && isHead(text, exception))) items.push({ kind: 'text', text });
    nextLine = frames[at].text_line + 1;
    const last = items.at(-1);
    if (!isQuiet(frames[at])) items.push({ kind: 'frame', at });
    else if (last?.kind === 'quiet') last.to = at + 1;
    else items.push({ kind: 'quiet', from: at, to: at + 1 });
  }
  if (shown === frames.length && shown > 0) {
    const text = textBetween(lines, nextLine, lines.length);
    if (text !== '') items.push({ kind: 'text', text });
  }
  return items.flatMap((item) => (item.kind === 'quiet' && item.to - item.from < QUIET_FROM ? framesOf(item) : [item]));
}

/** @param {{ from: number, to: number }} run @returns {StackItem[]} */
function framesOf({ from, to }) {
  return Array.from({ length: to - from }, (_, offset) => ({ kind: 'frame', at: from + offset }));
}

/**
 * @param {readonly string[]} lines
 * @param {number} from
 * @param {number} to
 */
function textBetween(lines, from, to) {
  const filled = [];
  for (let at = from; at < to && filled.length <= BETWEEN_LINES; at++) {
    if (lines[at].trim() !== '') filled.push(lines[at].slice(0, BETWEEN_CHARACTERS).trimEnd());
  }
  const text = filled.slice(0, BETWEEN_LINES).join('\n');
  return filled.length > BETWEEN_LINES || text.length > BETWEEN_CHARACTERS ? `${text.slice(0, BETWEEN_CHARACTERS)}…` : text;
}

/**
 * Whether a stack's first lines say no more than type and message.
 * @param {string} text
 * @param {{ type: string, message: string }} exception
 */
function isHead(text, { type, message }) {
  const start = message.trim().split('\n', 1)[0].slice(0, 100);
  return start === '' ? text.trim() === type.trim() : text.slice(0, 400).includes(start);
}

/** @typedef {{ fix: string | null, frames: number, scripts: StackScript[] }} MissingMaps files that lack a map, and that one deed would give one */

/**
 * The scripts whose frames stay raw for want of a map, with how many frames those are. Packages come last.
 * @param {ResolvedStack} stack
 * @returns {MissingMaps[]}
 */
export function missingMaps({ frames, scripts }) {
  /** @type {Map<number, number>} */
  const counts = new Map();
  for (const { kept, script } of frames) {
    if (script !== null && (kept?.code === 'no_map' || kept?.code === 'bad_map')) counts.set(script, (counts.get(script) ?? 0) + 1);
  }
  const order = [...counts.keys()].filter((at) => scripts[at] !== undefined).sort((a, b) => Number(isOfPackage(scripts[a].url)) - Number(isOfPackage(scripts[b].url)));
  /** @type {Map<string, MissingMaps>} */
  const groups = new Map();
  for (const at of order) {
    const { fix, bad_map: bad } = scripts[at];
    const key = fix === null || bad !== null ? `alone ${at}` : `fix ${fix}`;
    const group = groups.get(key) ?? { fix, frames: 0, scripts: [] };
    group.frames += counts.get(at) ?? 0;
    group.scripts.push(scripts[at]);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** How each step of the ladder finds a map. @type {Record<string, string>} */
const steps = {
  debug_id: 'by its debug id',
  exact_url: 'by its exact address',
  path_suffix: 'by the end of its path',
  reference: 'where the bundle says it is',
  name_guess: 'by its name',
  file_field: 'by the file that the map names',
  content_fit: 'by its content',
};

/** @param {string} name of a step, as the API has it */
export function stepText(name) {
  return steps[name] ?? name.replaceAll('_', ' ');
}

/**
 * A line of source cut where its column is: what is before, the word at it, what is after. Null where the line, which may have been cut, ends before.
 * @param {string} text
 * @param {number} column from 1, in UTF-16 units
 * @returns {[string, string, string] | null}
 */
export function atColumn(text, column) {
  const at = column - 1;
  if (at < 0 || at >= text.length) return null;
  const rest = text.slice(at);
  const word = /^(?:[\p{L}\p{N}\p{M}_$]+|[\s\S])/u.exec(rest)?.[0] ?? rest;
  return [text.slice(0, at), word, rest.slice(word.length)];
}

/**
 * Text with commands between backticks, apart.
 * @param {string} text
 * @returns {{ text: string, isCode: boolean }[]}
 */
export function codeParts(text) {
  return text
    .split('`')
    .map((part, at, all) => ({ text: part, isCode: at % 2 === 1 && at < all.length - 1 }))
    .filter((part) => part.text !== '');
}
