//! From an exception as it was recorded to the lines of source that it is about.
//!
//! Nothing of this is stored: a trace is read, its exceptions are resolved, and the raw stack stays beside. A map that is uploaded tomorrow heals
//! today's error. What was found out is kept for a while, failures too, until something is uploaded or removed.

mod answer;
mod source_name;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use sha2::Digest;
use srcmap::DebugId;
use srcmap::cache::MapCache;
use srcmap::functions;
use srcmap::map::{MapLimits, SourceMap};
use srcmap::stack::{self, FrameKind, Rewritten, Stack};

pub use answer::{Context, Frame, Kept, Location, Outcome, Resolved, Script};

use crate::ladder::{self, Found, Ladder, Origin, Position, Shelf, ShelfError, Verdict};
use host::FileBytes;

use crate::digest::Sha256;
use crate::folder::FOLDER_VERSION;

/// Lines of source on either side of a frame's.
const CONTEXT_LINES: u32 = 5;
/// Answers that are kept, in bytes of their texts.
const ANSWERS_BYTES: u64 = 32 << 20;
/// Maps that stay open.
const OPEN_MAPS: usize = 64;

/// An exception as a span's event or a log record has it.
#[derive(Debug, Clone, Copy)]
pub struct Exception<'a> {
    /// Who threw it.
    pub origin: Origin<'a>,
    /// `exception.stacktrace`.
    pub stack: &'a str,
    /// `exception.message`, which may stand in the stack and have lines that look like frames; empty where it is not known.
    pub message: &'a str,
    /// `exception.debug_images.code_files` and `exception.debug_images.debug_ids`, side by side.
    pub debug_images: &'a [(&'a str, &'a str)],
}

impl<'a> Exception<'a> {
    /// One of a build in a [`Folder`](crate::folder::Folder), of which nothing but the stack is known.
    pub const fn of_folder(stack: &'a str) -> Self {
        Self {
            origin: Origin {
                service: "",
                version: Some(FOLDER_VERSION),
                dist: None,
            },
            stack,
            message: "",
            debug_images: &[],
        }
    }
}

/// Resolves exceptions. Calls block.
pub struct Resolver {
    shelf: Arc<dyn Shelf>,
    ladder: Ladder,
    open: Cache<Sha256, Arc<MapCache<FileBytes>>>,
    answers: Cache<[u8; 32], Arc<Resolved>, TextLength>,
    /// The shelf's generation that `answers` are of.
    generation: AtomicU64,
}

#[derive(Clone)]
struct TextLength;

impl Weighter<[u8; 32], Arc<Resolved>> for TextLength {
    fn weight(&self, _: &[u8; 32], resolved: &Arc<Resolved>) -> u64 {
        let context = |frame: &Frame| match &frame.outcome {
            Outcome::Resolved(location) => location
                .context
                .iter()
                .flat_map(|context| &context.lines)
                .map(|line| line.len() + 32)
                .sum(),
            Outcome::Kept(_) => 0,
        };
        let frames: usize = resolved
            .frames
            .iter()
            .map(|frame| 300 + context(frame))
            .sum();
        let scripts: usize = resolved
            .scripts
            .iter()
            .map(|script| 200 + 150 * script.misses.len())
            .sum();
        (resolved.text.len() + frames + scripts) as u64
    }
}

impl std::fmt::Debug for Resolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resolver").finish_non_exhaustive()
    }
}

impl Resolver {
    /// Finds maps on `shelf`.
    pub fn new(shelf: Arc<dyn Shelf>) -> Self {
        Self {
            generation: AtomicU64::new(shelf.generation()),
            shelf,
            ladder: Ladder::default(),
            open: Cache::new(OPEN_MAPS),
            answers: Cache::with_weighter(1000, ANSWERS_BYTES, TextLength),
        }
    }

    /// Resolves an exception's stack trace. An error is one of the shelf as a whole: nothing is known then.
    pub fn resolve(&self, exception: &Exception<'_>) -> Result<Arc<Resolved>, ShelfError> {
        let generation = self.shelf.generation();
        if self.generation.swap(generation, Ordering::AcqRel) != generation {
            self.answers.clear();
        }
        let key = key_of(exception, generation);
        if let Some(known) = self.answers.get(&key) {
            // What is looked at often is used, though nothing is read for it.
            for found in known
                .scripts
                .iter()
                .filter_map(|script| script.found.as_ref())
            {
                self.tell_use(found);
            }
            return Ok(known);
        }
        let resolved = Arc::new(self.resolve_anew(exception)?);
        self.answers.insert(key, Arc::clone(&resolved));
        Ok(resolved)
    }

    fn resolve_anew(&self, exception: &Exception<'_>) -> Result<Resolved, ShelfError> {
        let stack = if exception.message.is_empty() {
            Stack::parse(exception.stack)
        } else {
            Stack::parse_with_message(exception.stack, exception.message)
        };
        let mut scripts = Scripts::of(&stack);
        for script in &mut scripts.list {
            self.climb(exception, script)?;
        }

        let frames = stack.frames();
        let mut outcomes = Vec::with_capacity(frames.len());
        // The caller's token names what it calls, so frames are read from the outermost.
        let mut callers_token: Option<String> = None;
        for (frame, script) in frames.iter().zip(&scripts.of_frames).rev() {
            let mut token = None;
            let outcome = match script {
                None if is_original(frame) => Outcome::Kept(Kept::Original),
                None => Outcome::Kept(Kept::Native),
                Some(index) => {
                    let position = Position {
                        line: frame.line,
                        column: frame.column,
                    };
                    let script = &scripts.list[*index];
                    match script.outcome(
                        (&self.ladder, &*self.shelf),
                        *index,
                        position,
                        callers_token.as_deref(),
                        &mut token,
                    ) {
                        // Engines name scripts by whole paths, so a relative one was resolved before; and a package that was not bundled runs as it was published.
                        Outcome::Kept(Kept::NoMap { .. })
                            if frame.original_facts().is_relative
                                || frame.url.contains("/node_modules/") =>
                        {
                            Outcome::Kept(Kept::Original)
                        }
                        outcome => outcome,
                    }
                }
            };
            callers_token = token;
            outcomes.push(outcome);
        }
        outcomes.reverse();

        let by_line: HashMap<usize, &Outcome> = frames
            .iter()
            .map(|frame| frame.line_index)
            .zip(&outcomes)
            .collect();
        let text = stack.rewrite(|frame| {
            let Some(Outcome::Resolved(location)) = by_line.get(&frame.line_index) else {
                return None;
            };
            Some(Rewritten {
                function: location.function.clone(),
                location: format!("{}:{}:{}", location.file, location.line, location.column),
            })
        });
        let frames = frames.iter().zip(outcomes).map(|(frame, outcome)| Frame {
            text_line: frame.line_index,
            raw_function: frame.function.map(str::to_owned),
            raw_url: frame.url.to_owned(),
            raw_line: frame.line,
            raw_column: frame.column,
            outcome,
        });
        Ok(Resolved {
            text,
            frames: frames.collect(),
            scripts: scripts
                .list
                .into_iter()
                .map(ScriptInUse::into_answer)
                .collect(),
            frames_left_out: stack.frames_left_out(),
        })
    }

    /// Finds and opens the map of a script.
    fn climb(
        &self,
        exception: &Exception<'_>,
        script: &mut ScriptInUse<'_>,
    ) -> Result<(), ShelfError> {
        let Verdict { found, misses } = self.ladder.find(
            &*self.shelf,
            exception.origin,
            ladder::Script {
                url: script.url,
                debug_id: debug_id_of(script.url, exception.debug_images),
                positions: &script.positions,
                starts_words: script.starts_words,
            },
        )?;
        script.misses = misses;
        if let Some(found) = &found {
            match self.open(found) {
                Ok(map) => {
                    self.tell_use(found);
                    script.map = Some(map);
                }
                Err(ShelfError::BadFile(error)) => script.bad_map = Some(error),
                Err(error) => return Err(error),
            }
        }
        script.found = found;
        Ok(())
    }

    fn tell_use(&self, found: &Found) {
        for upload in &found.uploads {
            self.shelf.was_used(*upload);
        }
    }

    fn open(&self, found: &Found) -> Result<Arc<MapCache<FileBytes>>, ShelfError> {
        self.open.get_or_insert_with(&found.pair.map, || {
            let mut build = || self.build(found);
            let bytes = self.shelf.cached(found.pair.map, false, &mut build)?;
            if let Ok(map) = MapCache::open(bytes) {
                return Ok(Arc::new(map));
            }
            let bytes = self.shelf.cached(found.pair.map, true, &mut build)?;
            MapCache::open(bytes)
                .map(Arc::new)
                .map_err(|error| ShelfError::BadFile(error.to_string()))
        })
    }

    fn build(&self, found: &Found) -> Result<Vec<u8>, ShelfError> {
        let json = self.ladder.read_map(&*self.shelf, found)?;
        let bad = |error: &dyn std::fmt::Display| ShelfError::BadFile(error.to_string());
        let map = SourceMap::parse(&json, &MapLimits::default()).map_err(|error| bad(&error))?;
        let functions = |name: &str, text: &str| functions::scopes(name, text).starts();
        srcmap::cache::build_with(&map, None, functions).map_err(|error| bad(&error))
    }
}

/// Answers are the same for the same question, as long as nothing is uploaded.
fn key_of(exception: &Exception<'_>, generation: u64) -> [u8; 32] {
    let mut hash = sha2::Sha256::new();
    let mut put = |text: Option<&str>| {
        let len = text.map_or(u64::MAX, |text| text.len() as u64);
        hash.update(len.to_le_bytes());
        hash.update(text.unwrap_or_default());
    };
    let Origin {
        service,
        version,
        dist,
    } = exception.origin;
    put(Some(service));
    put(version);
    put(dist);
    put(Some(exception.stack));
    put(Some(exception.message));
    for (file, id) in exception.debug_images {
        put(Some(file));
        put(Some(id));
    }
    hash.update(generation.to_le_bytes());
    hash.finalize().into()
}

fn debug_id_of(url: &str, images: &[(&str, &str)]) -> Option<DebugId> {
    let of = |file: &str| images.iter().find(|(image, _)| *image == file);
    let image = of(url).or_else(|| of(url.strip_prefix("file://")?));
    image.and_then(|(_, id)| id.parse().ok())
}

/// Whether the service resolved the frame itself: `source-map-support` puts a source's name behind the folder of its bundle.
fn is_original(frame: &stack::Frame<'_>) -> bool {
    let facts = frame.original_facts();
    facts.has_source_scheme
        || (facts.has_original_extension && !facts.is_served)
        || frame.url.contains("/webpack:/")
}

/// The scripts of a stack.
struct Scripts<'a> {
    list: Vec<ScriptInUse<'a>>,
    /// Of each frame the script that it is in; none for what has no map by its nature.
    of_frames: Vec<Option<usize>>,
}

struct ScriptInUse<'a> {
    url: &'a str,
    positions: Vec<Position>,
    starts_words: bool,
    found: Option<Found>,
    misses: Vec<ladder::Miss>,
    map: Option<Arc<MapCache<FileBytes>>>,
    bad_map: Option<String>,
}

impl<'a> Scripts<'a> {
    fn of(stack: &Stack<'a>) -> Self {
        let mut list: Vec<ScriptInUse<'a>> = Vec::new();
        let mut by_url: HashMap<&'a str, usize> = HashMap::new();
        let mut of_frames = Vec::new();
        for (line, frame) in stack.lines() {
            let Some(frame) = frame else { continue };
            // V8 and its kin; Hermes counts bytes.
            let starts_words =
                line.trim_start().starts_with("at ") && !line.contains("(address at ");
            if frame.kind != FrameKind::Script || is_original(frame) {
                of_frames.push(None);
                continue;
            }
            let index = *by_url.entry(frame.url).or_insert_with(|| {
                list.push(ScriptInUse {
                    url: frame.url,
                    positions: Vec::new(),
                    starts_words: true,
                    found: None,
                    misses: Vec::new(),
                    map: None,
                    bad_map: None,
                });
                list.len() - 1
            });
            let script = &mut list[index];
            script.starts_words &= starts_words;
            let position = Position {
                line: frame.line,
                column: frame.column,
            };
            if !script.positions.contains(&position) {
                script.positions.push(position);
            }
            of_frames.push(Some(index));
        }
        Self { list, of_frames }
    }
}

impl ScriptInUse<'_> {
    /// What the map says of a position. `token` becomes the name that the map gives to what is called there.
    fn outcome(
        &self,
        (ladder, shelf): (&Ladder, &dyn Shelf),
        index: usize,
        position: Position,
        callers_token: Option<&str>,
        token: &mut Option<String>,
    ) -> Outcome {
        if self.bad_map.is_some() {
            return Outcome::Kept(Kept::BadMap { script: index });
        }
        let Some(map) = &self.map else {
            return Outcome::Kept(Kept::NoMap { script: index });
        };
        let not_covered = Outcome::Kept(Kept::NotCovered { script: index });
        let (Some(line0), Some(column0)) =
            (position.line.checked_sub(1), position.column.checked_sub(1))
        else {
            return not_covered;
        };
        let Ok(Some(location)) = map.lookup(line0, column0) else {
            return not_covered;
        };
        let minified = self.found.as_ref().and_then(|found| found.pair.minified);
        if ladder.leaves_block(shelf, minified, location.generated_column, position) {
            return not_covered;
        }
        let Some(source) = location.source_name else {
            return not_covered;
        };
        *token = location.name.map(str::to_owned);
        let function = location.function.map(str::to_owned);
        let context = map.source_lines(location.source, location.line, CONTEXT_LINES);
        let context = context.ok().flatten().map(|lines| Context {
            first_line: lines.first_line + 1,
            lines: lines.lines,
        });
        Outcome::Resolved(Box::new(Location {
            source: source.to_owned(),
            file: source_name::readable(source),
            line: location.line + 1,
            column: location.column + 1,
            // Where the source is known, so is that the function has no name: a caller's token may be `call` or the name of a parameter.
            function: match &context {
                None => function.or_else(|| callers_token.map(str::to_owned)),
                Some(_) => function,
            },
            is_in_app: !location.is_ignored && source_name::is_own(source),
            context,
            script: index,
        }))
    }

    fn into_answer(self) -> Script {
        Script {
            url: self.url.to_owned(),
            found: self.found,
            misses: self.misses,
            bad_map: self.bad_map,
        }
    }
}
