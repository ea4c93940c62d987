//! Why a step of the ladder did not find a map, and what to do about it.

use std::fmt;

use srcmap::DebugId;

/// A step of the ladder, in the order in which they are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Step {
    /// The debug id that the exception carried.
    DebugId = 1,
    /// Release, distribution and the exact URL.
    ExactUrl = 2,
    /// The longest end of the path within the release.
    PathSuffix = 3,
    /// What the bundle says where its map is: a header, `sourceMappingURL`, or the map itself in a `data:` URL.
    Reference = 4,
    /// The name that maps usually have: `main.js.map`.
    NameGuess = 5,
    /// The map's own field `file`, whose hash may be masked.
    FileField = 6,
    /// The only map whose content fits the bundle.
    ContentFit = 7,
}

impl Step {
    /// 1 to 7.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// Its name in APIs.
    pub fn name(self) -> &'static str {
        match self {
            Self::DebugId => "debug_id",
            Self::ExactUrl => "exact_url",
            Self::PathSuffix => "path_suffix",
            Self::Reference => "reference",
            Self::NameGuess => "name_guess",
            Self::FileField => "file_field",
            Self::ContentFit => "content_fit",
        }
    }
}

/// Why a step, or all of them, did not lead to a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Miss {
    /// The exception carries no debug id for the file.
    NoDebugId,
    /// Nothing that was uploaded has the debug id.
    DebugIdNotUploaded(DebugId),
    /// Different maps bear the debug id.
    DebugIdAmbiguous(DebugId, usize),
    /// No project serves the service, or none has a release.
    NothingUploaded {
        /// `service.name`.
        service: String,
    },
    /// No release is called as the service's version; `searched` others were searched.
    NoSuchRelease {
        /// `service.version`.
        version: Option<String>,
        /// How many newer releases were searched instead.
        searched: usize,
    },
    /// No file at that URL.
    NoFileAtUrl(String),
    /// No file whose path ends so.
    NoFileOfName {
        /// The file's name.
        name: String,
        /// A file that comes nearest, if any.
        nearest: Option<String>,
    },
    /// The uploads are called by their debug ids, which only an exception that carries one can name.
    NamedByDebugId {
        /// How many files there are so.
        count: usize,
    },
    /// Uploads of one name differ, and nothing tells which one ran.
    FilesAmbiguous {
        /// The file's name.
        name: String,
        /// How many different files bear it.
        count: usize,
    },
    /// The upload of the frame's name is of another build: the frame's position is not in it.
    OtherBuild {
        /// The upload.
        url: String,
        /// Why it cannot be.
        why: Contradiction,
    },
    /// No release is the service's, and neither the name nor the positions prove that the upload is what ran.
    Unproven {
        /// The upload.
        url: String,
        /// Its release.
        release: String,
    },
    /// The bundle names no map.
    NoReference,
    /// The map that the bundle names was not uploaded.
    ReferenceNotUploaded(String),
    /// What a step found is a map of something else.
    DoesNotFit {
        /// The map.
        map: String,
        /// Share of its tokens that have the same text in bundle and source, in percent.
        percent: u8,
    },
    /// No map has a name that maps of the bundle usually have.
    NoMapOfName(String),
    /// No map says in `file` that it belongs to the bundle.
    NoMapWithFile(String),
    /// No map fits the bundle by content.
    NoMapFits {
        /// How many were compared.
        compared: usize,
    },
    /// Several maps fit alike.
    MapsAmbiguous {
        /// The step that found them.
        step: Step,
        /// How many.
        count: usize,
    },
    /// More maps would have to be compared than are for one exception.
    TooManyCandidates {
        /// How many may be compared.
        limit: usize,
    },
    /// A file of the upload cannot be read.
    Unreadable {
        /// The upload.
        url: String,
        /// What is wrong.
        error: String,
    },
}

/// Why a frame cannot be of an uploaded file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contradiction {
    /// The file has no such line or column.
    Outside {
        /// 1-based.
        line: u32,
        /// 1-based, in UTF-16 units.
        column: u32,
    },
    /// The position is in the middle of a word.
    InsideWord {
        /// 1-based.
        line: u32,
        /// 1-based, in UTF-16 units.
        column: u32,
    },
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outside { line, column } => write!(f, "it has nothing at {line}:{column}"),
            Self::InsideWord { line, column } => {
                write!(f, "{line}:{column} is in the middle of a word of it")
            }
        }
    }
}

impl Miss {
    /// The step that this is about; none where it is about all of them.
    pub fn step(&self) -> Option<Step> {
        match self {
            Self::NoDebugId | Self::DebugIdNotUploaded(_) | Self::DebugIdAmbiguous(..) => {
                Some(Step::DebugId)
            }
            Self::NoFileAtUrl(_) => Some(Step::ExactUrl),
            Self::NoFileOfName { .. } => Some(Step::PathSuffix),
            Self::NoReference | Self::ReferenceNotUploaded(_) => Some(Step::Reference),
            Self::NoMapOfName(_) => Some(Step::NameGuess),
            Self::NoMapWithFile(_) => Some(Step::FileField),
            Self::NoMapFits { .. } => Some(Step::ContentFit),
            Self::MapsAmbiguous { step, .. } => Some(*step),
            _ => None,
        }
    }

    /// Its name in APIs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoDebugId => "no_debug_id",
            Self::DebugIdNotUploaded(_) => "debug_id_not_uploaded",
            Self::DebugIdAmbiguous(..) => "debug_id_ambiguous",
            Self::NothingUploaded { .. } => "nothing_uploaded",
            Self::NoSuchRelease { .. } => "no_such_release",
            Self::NoFileAtUrl(_) => "no_file_at_url",
            Self::NoFileOfName { .. } => "no_file_of_name",
            Self::NamedByDebugId { .. } => "named_by_debug_id",
            Self::FilesAmbiguous { .. } => "files_ambiguous",
            Self::OtherBuild { .. } => "other_build",
            Self::Unproven { .. } => "unproven",
            Self::NoReference => "no_reference",
            Self::ReferenceNotUploaded(_) => "reference_not_uploaded",
            Self::DoesNotFit { .. } => "does_not_fit",
            Self::NoMapOfName(_) => "no_map_of_name",
            Self::NoMapWithFile(_) => "no_map_with_file",
            Self::NoMapFits { .. } => "no_map_fits",
            Self::MapsAmbiguous { .. } => "maps_ambiguous",
            Self::TooManyCandidates { .. } => "too_many_candidates",
            Self::Unreadable { .. } => "unreadable",
        }
    }

    /// How much nearer to a map than other misses this one is: what is wrong with a file that is there comes before what is not there.
    pub fn weight(&self) -> u8 {
        match self {
            Self::Unproven { .. } | Self::MapsAmbiguous { .. } | Self::FilesAmbiguous { .. } => 9,
            Self::OtherBuild { .. } => 8,
            Self::Unreadable { .. } | Self::TooManyCandidates { .. } => 7,
            Self::DebugIdAmbiguous(..) => 6,
            Self::DoesNotFit { .. } => 5,
            Self::ReferenceNotUploaded(_) => 4,
            Self::NoMapFits { .. } | Self::NamedByDebugId { .. } => 3,
            Self::NoFileOfName { .. } | Self::NothingUploaded { .. } => 2,
            Self::NoSuchRelease { .. } => 1,
            _ => 0,
        }
    }

    /// What a person can do about it; none where the step is one of several ways and no fault.
    pub fn fix(&self) -> Option<String> {
        Some(match self {
            Self::DebugIdNotUploaded(id) => format!(
                "upload the build that has debug id {id}: `backtrail sourcemaps upload DIST`"
            ),
            Self::DebugIdAmbiguous(..) => {
                "build again with fresh debug ids and delete the uploads that share one".to_owned()
            }
            Self::NothingUploaded { service } => format!(
                "upload the build of {service} with `backtrail sourcemaps upload --project {service} DIST`, or let the project that has it serve {service}"
            ),
            Self::NoSuchRelease { version: None, .. } => {
                "set service.version to the name of the release".to_owned()
            }
            Self::NoSuchRelease { version: Some(version), .. } => format!(
                "name the release {version} when you upload (RELEASE_VERSION), or set service.version to the release's name"
            ),
            Self::NoFileOfName { name, nearest: None } => {
                format!("upload {name} together with its map")
            }
            Self::NoFileOfName { name, nearest: Some(nearest) } => format!(
                "upload the build that {name} is from; the release has {nearest}, which is of another one"
            ),
            Self::NamedByDebugId { .. } => {
                "let the exception carry its debug ids: docs/source-maps.md has the helper to paste".to_owned()
            }
            Self::FilesAmbiguous { name, .. } => format!(
                "give each build of {name} a release of its own, or a hash in its name, or debug ids (`backtrail sourcemaps inject DIST`)"
            ),
            Self::OtherBuild { url, .. } => format!(
                "upload the build that runs: {url} of this release is another one"
            ),
            Self::Unproven { release, .. } => format!(
                "set service.version to {release} where that release runs, or put a hash in the bundle's name"
            ),
            Self::ReferenceNotUploaded(reference) => format!("upload {reference} too"),
            Self::DoesNotFit { map, .. } => {
                format!("upload the map of this build; {map} belongs to another one")
            }
            Self::NoMapFits { .. } => {
                "upload the bundle's map (devtool \"hidden-source-map\" writes one)".to_owned()
            }
            Self::MapsAmbiguous { .. } => {
                "use debug ids (`backtrail sourcemaps inject DIST`), or upload only the build that runs".to_owned()
            }
            Self::TooManyCandidates { .. } => {
                "name the release as service.version, so that fewer files have to be compared".to_owned()
            }
            Self::Unreadable { url, .. } => format!("upload {url} again"),
            Self::NoDebugId
            | Self::NoFileAtUrl(_)
            | Self::NoReference
            | Self::NoMapOfName(_)
            | Self::NoMapWithFile(_) => return None,
        })
    }
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDebugId => f.write_str("the exception carries no debug id for this file"),
            Self::DebugIdNotUploaded(id) => write!(f, "no map with debug id {id} was uploaded"),
            Self::DebugIdAmbiguous(id, count) => {
                write!(f, "{count} different maps bear the debug id {id}")
            }
            Self::NothingUploaded { service } => {
                write!(
                    f,
                    "no release of a project that serves {service} was uploaded"
                )
            }
            Self::NoSuchRelease {
                version: Some(version),
                searched,
            } => write!(
                f,
                "no release is called {version}, as service.version says; the newest {searched} were searched"
            ),
            Self::NoSuchRelease {
                version: None,
                searched,
            } => write!(
                f,
                "the service tells no service.version; the newest {searched} releases were searched"
            ),
            Self::NoFileAtUrl(url) => write!(f, "no uploaded file is called {url}"),
            Self::NoFileOfName {
                name,
                nearest: None,
            } => {
                write!(f, "no uploaded file is called {name} in any folder")
            }
            Self::NoFileOfName {
                name,
                nearest: Some(nearest),
            } => {
                write!(
                    f,
                    "no uploaded file is called {name}; {nearest} comes nearest"
                )
            }
            Self::NamedByDebugId { count } => write!(
                f,
                "{count} uploaded files are called by their debug ids, and the exception carries none"
            ),
            Self::FilesAmbiguous { name, count } => write!(
                f,
                "{count} different uploads are called {name}, and nothing tells which one ran"
            ),
            Self::OtherBuild { url, why } => write!(f, "{url} is of another build: {why}"),
            Self::Unproven { url, release } => write!(
                f,
                "{url} of release {release} may be of another build: nothing proves that it ran"
            ),
            Self::NoReference => f.write_str("the bundle does not say where its map is"),
            Self::ReferenceNotUploaded(reference) => {
                write!(f, "the bundle names {reference}, which was not uploaded")
            }
            Self::DoesNotFit { map, percent } => write!(
                f,
                "{map} is a map of something else: {percent} % of its tokens are the same text in bundle and source"
            ),
            Self::NoMapOfName(name) => write!(f, "no map is called {name}"),
            Self::NoMapWithFile(name) => write!(f, "no map says that its file is {name}"),
            Self::NoMapFits { compared } => {
                write!(f, "none of {compared} maps fits the bundle by its content")
            }
            Self::MapsAmbiguous { count, .. } => {
                write!(f, "{count} different maps fit the bundle alike")
            }
            Self::TooManyCandidates { limit } => {
                write!(f, "more than {limit} maps would have to be compared")
            }
            Self::Unreadable { url, error } => write!(f, "{url} cannot be read: {error}"),
        }
    }
}
