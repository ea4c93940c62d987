//! What an exception's stack trace is once its maps were found.

use crate::ladder::{Found, Miss};

/// An exception's stack trace, raw and resolved.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// The stack with the locations and functions of the frames that a map covers replaced; every other byte is as it came. Equal to what came where nothing was resolved.
    pub text: String,
    /// The frames, in the order of the stack.
    pub frames: Vec<Frame>,
    /// The scripts that frames are in, each with what the ladder says of it.
    pub scripts: Vec<Script>,
    /// Lines that look like frames and were not read, because there are so many.
    pub frames_left_out: usize,
}

impl Resolved {
    /// How many frames have a place in a source.
    pub fn resolved_count(&self) -> usize {
        let is_resolved = |frame: &&Frame| matches!(frame.outcome, Outcome::Resolved(_));
        self.frames.iter().filter(is_resolved).count()
    }
}

/// A script of a stack trace.
#[derive(Debug, Clone)]
pub struct Script {
    /// As the stack has it.
    pub url: String,
    /// The map, if there is one.
    pub found: Option<Found>,
    /// Why steps did not lead to one.
    pub misses: Vec<Miss>,
    /// A map that was found, and cannot be used.
    pub bad_map: Option<String>,
}

impl Script {
    /// The one thing to do so that frames of the script resolve; none where a map was found.
    pub fn fix(&self) -> Option<String> {
        if self.bad_map.is_some() {
            return Some("build and upload the map again; `backtrail sourcemaps check` names what is wrong with it".to_owned());
        }
        if self.found.is_some() {
            return None;
        }
        let misses = self.misses.iter().filter(|miss| miss.fix().is_some());
        misses.max_by_key(|miss| miss.weight()).and_then(Miss::fix)
    }
}

/// A frame as it came, and what became of it.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The line of the text that it is in, from 0.
    pub text_line: usize,
    /// The function as the engine names it.
    pub raw_function: Option<String>,
    /// The script as the engine names it.
    pub raw_url: String,
    /// 1-based; 0 where the engine gives none.
    pub raw_line: u32,
    /// 1-based, in UTF-16 units; 0 where the engine gives none.
    pub raw_column: u32,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a frame.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// A map gives its place in a source.
    Resolved(Box<Location>),
    /// It stays as it came.
    Kept(Kept),
}

/// A place in a source.
#[derive(Debug, Clone)]
pub struct Location {
    /// The source as the map names it.
    pub source: String,
    /// The source as a person would name it.
    pub file: String,
    /// 1-based.
    pub line: u32,
    /// 1-based, in UTF-16 units.
    pub column: u32,
    /// The function in the source, where source, map or engine tell.
    pub function: Option<String>,
    /// Whether it is in the service's own code.
    pub is_in_app: bool,
    /// The lines around it, where the map has the source.
    pub context: Option<Context>,
    /// Which of [`Resolved::scripts`] led here.
    pub script: usize,
}

/// Lines of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// 1-based.
    pub first_line: u32,
    /// From the first on; long ones are cut.
    pub lines: Vec<String>,
}

/// Why a frame stays as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// It is code of the engine.
    Native,
    /// It is in a source already, as where the service resolves its stacks itself.
    Original,
    /// No map was found; [`Script::misses`] says why.
    NoMap {
        /// Which of [`Resolved::scripts`].
        script: usize,
    },
    /// The map says nothing of this place, as of what a bundler wraps around modules.
    NotCovered {
        /// Which of [`Resolved::scripts`].
        script: usize,
    },
    /// The map cannot be used; [`Script::bad_map`] says why.
    BadMap {
        /// Which of [`Resolved::scripts`].
        script: usize,
    },
}

impl Kept {
    /// Its name in APIs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Original => "original",
            Self::NoMap { .. } => "no_map",
            Self::NotCovered { .. } => "not_covered",
            Self::BadMap { .. } => "bad_map",
        }
    }

    /// A sentence for people.
    pub fn message(&self) -> &'static str {
        match self {
            Self::Native => "this is code of the engine itself",
            Self::Original => "this is a place in a source already",
            Self::NoMap { .. } => "no map was found for this file",
            Self::NotCovered { .. } => {
                "the map says nothing of this place: it is code that the bundler added"
            }
            Self::BadMap { .. } => "the map of this file cannot be used",
        }
    }
}
