//! One search for the map of a script, step by step.

use std::collections::HashSet;
use std::sync::Arc;

use srcmap::DebugId;

use super::candidates::{MapCandidate, of_debug_id, of_usual_name, with_file_field};
use super::evidence::{Bundle, Evidence};
use super::{
    Contradiction, Found, Miss, Origin, Pair, Script, ScriptPath, Shelf, ShelfError, ShelfFile,
    ShelfKind, Step, Verdict, has_hash, mask,
};
use crate::digest::Sha256;
use crate::lookup::ReleaseRef;

/// Maps that are compared with a bundle for one script: reading a large one takes a tenth of a second.
const MAX_COMPARED: usize = 64;
/// Frames that have to be exactly where the map has mappings, when nothing else tells which build ran: in minified code every third or fourth column has one.
const MIN_PROOF: usize = 3;
/// Frames that have to be possible in one build of a name and not all in the others.
const MIN_CHOICE: usize = 2;
/// Of two maps that fit, the better one has to be so much better.
const CLEARLY_BETTER: f64 = 0.1;

/// One script's way up.
pub(super) struct Search<'a> {
    evidence: &'a Evidence,
    shelf: &'a dyn Shelf,
    origin: Origin<'a>,
    script: Script<'a>,
    misses: Vec<Miss>,
    compared: usize,
}

/// A bundle that may be what ran.
struct Candidate {
    files: Arc<[ShelfFile]>,
    release: ReleaseRef,
    /// Which of the files it is.
    index: usize,
}

impl Candidate {
    fn file(&self) -> &ShelfFile {
        &self.files[self.index]
    }
}

impl<'a> Search<'a> {
    pub(super) fn new(
        evidence: &'a Evidence,
        shelf: &'a dyn Shelf,
        origin: Origin<'a>,
        script: Script<'a>,
    ) -> Self {
        Self {
            evidence,
            shelf,
            origin,
            script,
            misses: Vec::new(),
            compared: 0,
        }
    }

    pub(super) fn run(mut self) -> Result<Verdict, ShelfError> {
        let found = self.find()?;
        Ok(Verdict {
            found,
            misses: self.misses,
        })
    }

    fn find(&mut self) -> Result<Option<Found>, ShelfError> {
        match self.script.debug_id {
            Some(id) => {
                if let Some(found) = self.by_debug_id(id)? {
                    return Ok(Some(found));
                }
            }
            None => self.misses.push(Miss::NoDebugId),
        }

        let Origin {
            service, version, ..
        } = self.origin;
        let releases = self.shelf.releases(service, version)?;
        if releases.is_empty() {
            self.misses.push(Miss::NothingUploaded {
                service: service.to_owned(),
            });
            return Ok(None);
        }
        let is_named = |release: &&ReleaseRef| Some(release.version.as_str()) == version;
        let mut searched: Vec<&ReleaseRef> = releases.iter().filter(is_named).collect();
        let is_release_known = !searched.is_empty();
        if !is_release_known {
            searched = releases.iter().collect();
            let version = version.map(str::to_owned);
            self.misses.push(Miss::NoSuchRelease {
                version,
                searched: searched.len(),
            });
        }
        let mut shelves = Vec::new();
        for release in searched {
            shelves.push((release.clone(), self.shelf.files(service, release)?));
        }

        let frame = ScriptPath::parse(self.script.url);
        let (bundle_step, candidates) = self.bundles(&frame, &shelves);
        if candidates.is_empty() {
            return Ok(self.by_file_field_alone(&frame, &shelves, is_release_known));
        }
        Ok(self.choose(&frame, bundle_step, candidates, is_release_known))
    }

    fn by_debug_id(&mut self, id: DebugId) -> Result<Option<Found>, ShelfError> {
        let files = self.shelf.with_debug_id(self.origin.service, id)?;
        let of_kind = |kind| files.iter().filter(move |file| file.kind == kind);
        let maps: HashSet<Sha256> = of_kind(ShelfKind::Map).map(|map| map.content).collect();
        let bundle = of_kind(ShelfKind::Minified).next();
        match (maps.len(), of_kind(ShelfKind::Map).next()) {
            (1, Some(map)) => Ok(Some(Found {
                pair: Pair {
                    map: map.content,
                    minified: bundle.map(|bundle| bundle.content),
                },
                is_inline: false,
                step: Step::DebugId,
                bundle_step: None,
                release: None,
                uploads: uploads(map.bundle, bundle.map(|bundle| bundle.bundle)),
                bundle_url: bundle.map(|bundle| bundle.url.clone()),
                map_url: Some(map.url.clone()),
            })),
            (0, _) | (_, None) => {
                self.misses.push(Miss::DebugIdNotUploaded(id));
                Ok(None)
            }
            (count, _) => {
                self.misses.push(Miss::DebugIdAmbiguous(id, count));
                Ok(None)
            }
        }
    }

    /// Uploads that the frame may name, by the best step that finds any.
    fn bundles(
        &mut self,
        frame: &ScriptPath,
        shelves: &[(ReleaseRef, Arc<[ShelfFile]>)],
    ) -> (Step, Vec<Candidate>) {
        let mut exact = Vec::new();
        let mut by_suffix = Vec::new();
        for (release, files) in shelves {
            for (index, file) in files.iter().enumerate() {
                if file.kind != ShelfKind::Minified || !self.serves_dist(file) {
                    continue;
                }
                let candidate = || Candidate {
                    files: Arc::clone(files),
                    release: release.clone(),
                    index,
                };
                if file.path.is_exactly(frame) {
                    exact.push(candidate());
                } else if let Some(fit) = file.path.suffix_of(frame) {
                    by_suffix.push((fit, candidate()));
                }
            }
        }
        if !exact.is_empty() {
            return (Step::ExactUrl, self.of_own_dist(exact));
        }
        self.misses
            .push(Miss::NoFileAtUrl(format!("~{}", frame.path())));
        let best = by_suffix.iter().map(|(fit, _)| *fit).max();
        by_suffix.retain(|(fit, _)| Some(*fit) == best);
        let by_suffix = by_suffix
            .into_iter()
            .map(|(_, candidate)| candidate)
            .collect();
        (Step::PathSuffix, self.of_own_dist(by_suffix))
    }

    /// Whether a file may be of the exception's distribution: one that names none serves all.
    fn serves_dist(&self, file: &ShelfFile) -> bool {
        let Some(dist) = self.origin.dist else {
            return true;
        };
        let serves = |other: &Option<String>| other.as_deref().is_none_or(|other| other == dist);
        file.dists.is_empty() || file.dists.iter().any(serves)
    }

    /// Where some name the distribution of the exception, the others are of another build.
    fn of_own_dist(&self, mut candidates: Vec<Candidate>) -> Vec<Candidate> {
        let Some(dist) = self.origin.dist else {
            return candidates;
        };
        let is_own = |candidate: &Candidate| {
            let mut dists = candidate.file().dists.iter();
            dists.any(|other| other.as_deref() == Some(dist))
        };
        if candidates.iter().any(is_own) {
            candidates.retain(is_own);
        }
        candidates
    }

    /// Of bundles that bear the frame's name, the one that ran, and its map.
    fn choose(
        &mut self,
        frame: &ScriptPath,
        bundle_step: Step,
        candidates: Vec<Candidate>,
        is_release_known: bool,
    ) -> Option<Found> {
        let (possible, was_contradicted) = self.possible(candidates);
        let different: HashSet<Sha256> = possible.iter().map(|one| one.file().content).collect();
        // With several builds of one name, positions may rule out all but one. One position is no proof.
        let is_ruled_out = was_contradicted && self.script.positions.len() < MIN_CHOICE;
        if different.len() > 1 || (different.len() == 1 && is_ruled_out) {
            let count = different.len() + usize::from(was_contradicted);
            self.misses.push(Miss::FilesAmbiguous {
                name: frame.name().to_owned(),
                count,
            });
            return None;
        }
        for candidate in &possible {
            let Some(found) = self.map_of(candidate, bundle_step) else {
                continue;
            };
            if is_release_known || has_hash(frame.name()) || self.is_proven(&found) {
                return Some(found);
            }
            self.misses.push(Miss::Unproven {
                url: candidate.file().url.clone(),
                release: candidate.release.version.clone(),
            });
            return None;
        }
        None
    }

    /// Those that the frames' positions do not rule out, and whether any was.
    fn possible(&mut self, candidates: Vec<Candidate>) -> (Vec<Candidate>, bool) {
        let mut possible = Vec::new();
        let mut ruled_out = Vec::new();
        for candidate in candidates {
            match self.contradiction(candidate.file()) {
                Ok(None) => possible.push(candidate),
                Ok(Some(why)) => ruled_out.push((candidate, why)),
                Err(error) => self.unreadable(candidate.file().url.clone(), &error),
            }
        }
        let different: HashSet<Sha256> = ruled_out
            .iter()
            .map(|(one, _)| one.file().content)
            .collect();
        if possible.is_empty() {
            for (candidate, why) in &ruled_out {
                if self.misses.len() < MAX_COMPARED {
                    let url = candidate.file().url.clone();
                    self.misses.push(Miss::OtherBuild { url, why: *why });
                }
            }
        }
        (possible, !different.is_empty())
    }

    fn contradiction(&self, file: &ShelfFile) -> Result<Option<Contradiction>, ShelfError> {
        let bundle = self.evidence.bundle(self.shelf, file.content)?;
        let starts_words = self.script.starts_words;
        let mut found = self.script.positions.iter();
        Ok(found.find_map(|position| bundle.contradiction(*position, starts_words)))
    }

    /// Whether so many frames are exactly where the map has a mapping that another build is as good as ruled out.
    fn is_proven(&self, found: &Found) -> bool {
        let exact = || {
            let minified = found.pair.minified?;
            let bundle = self.evidence.bundle(self.shelf, minified).ok()?;
            let map = self.evidence.read_map(self.shelf, found).ok()?;
            Evidence::exact(&map, &bundle, self.script.positions).ok()
        };
        exact().is_some_and(|exact| exact.hit >= MIN_PROOF && exact.missed == 0)
    }

    /// The map of a bundle, by what bundle, maps and names say, confirmed by content.
    fn map_of(&mut self, candidate: &Candidate, bundle_step: Step) -> Option<Found> {
        let file = candidate.file();
        let bundle = match self.evidence.bundle(self.shelf, file.content) {
            Ok(bundle) => bundle,
            Err(error) => {
                self.unreadable(file.url.clone(), &error);
                return None;
            }
        };
        let maps: Vec<&ShelfFile> = candidate
            .files
            .iter()
            .filter(|file| file.kind == ShelfKind::Map && self.serves_dist(file))
            .collect();
        let name = file.path.name();

        let steps: [(Step, Vec<MapCandidate>); 5] = [
            (Step::DebugId, of_debug_id(file, &bundle, &maps)),
            (Step::Reference, self.referenced(file, &bundle, &maps)),
            (Step::NameGuess, of_usual_name(file, &maps)),
            (Step::FileField, with_file_field(name, &maps)),
            (
                Step::ContentFit,
                maps.iter().map(|map| MapCandidate::of(map)).collect(),
            ),
        ];
        for (step, found) in steps {
            if found.is_empty() {
                self.misses.extend(nothing_found(step, name, &self.misses));
                continue;
            }
            if let Some((map, pair)) = self.confirmed(step, found, file.content, &bundle) {
                return Some(Found {
                    pair,
                    is_inline: map.inline.is_some(),
                    step,
                    bundle_step: Some(bundle_step),
                    release: Some(candidate.release.clone()),
                    uploads: uploads(file.bundle, map.bundle),
                    bundle_url: Some(file.url.clone()),
                    map_url: map.url,
                });
            }
            if matches!(self.misses.last(), Some(Miss::MapsAmbiguous { .. })) {
                return None;
            }
        }
        None
    }

    /// What the headers of the upload, the comment in the bundle, or the bundle itself give as its map.
    fn referenced(
        &mut self,
        file: &ShelfFile,
        bundle: &Bundle,
        maps: &[&ShelfFile],
    ) -> Vec<MapCandidate> {
        if let Some(map) = bundle.inline_map() {
            let content = Sha256::of(&map);
            return vec![MapCandidate {
                content,
                url: None,
                inline: Some(map),
                bundle: None,
            }];
        }
        let comment = bundle.map_reference.as_deref();
        let references: Vec<&str> = file
            .map_reference
            .as_deref()
            .into_iter()
            .chain(comment)
            .collect();
        let mut found = Vec::new();
        for reference in &references {
            let target = file.path.join(reference);
            let named = maps.iter().filter(|map| map.path.is_same_path(&target));
            found.extend(named.map(|map| MapCandidate::of(map)));
        }
        if found.is_empty()
            && let Some(reference) = references.first()
        {
            let target = file.path.join(reference).path();
            self.misses
                .push(Miss::ReferenceNotUploaded(format!("~{target}")));
        }
        found
    }

    /// The one of the maps that fits the bundle. Where several do, the one that fits clearly better.
    fn confirmed(
        &mut self,
        step: Step,
        candidates: Vec<MapCandidate>,
        minified: Sha256,
        bundle: &Bundle,
    ) -> Option<(MapCandidate, Pair)> {
        let mut fitting: Vec<(f64, MapCandidate, Pair)> = Vec::new();
        let mut seen = HashSet::new();
        let mut compared = 0;
        for candidate in candidates {
            if !seen.insert(candidate.content) {
                continue;
            }
            if self.compared == MAX_COMPARED {
                self.misses.push(Miss::TooManyCandidates {
                    limit: MAX_COMPARED,
                });
                return None;
            }
            self.compared += 1;
            compared += 1;
            let pair = Pair {
                map: candidate.content,
                minified: Some(minified),
            };
            let read = || match &candidate.inline {
                Some(map) => Ok(Arc::clone(map)),
                None => self.shelf.read(candidate.content),
            };
            let url = candidate
                .url
                .clone()
                .unwrap_or_else(|| "the map in the bundle".to_owned());
            match self.evidence.fit(pair, bundle, read) {
                Ok(fit) if fit.is_match() => fitting.push((fit.share, candidate, pair)),
                Ok(fit) if step != Step::ContentFit => {
                    let percent = (fit.share * 100.0) as u8;
                    let miss = Miss::DoesNotFit { map: url, percent };
                    // Several steps may come upon one map.
                    if !self.misses.contains(&miss) {
                        self.misses.push(miss);
                    }
                }
                Ok(_) => {}
                Err(error) => self.unreadable(url, &error),
            }
        }
        fitting.sort_by(|(one, ..), (other, ..)| other.total_cmp(one));
        if let [(best, ..), (second, ..), ..] = &fitting[..]
            && best - second < CLEARLY_BETTER
        {
            self.misses.push(Miss::MapsAmbiguous {
                step,
                count: fitting.len(),
            });
            return None;
        }
        if fitting.is_empty() && step == Step::ContentFit {
            self.misses.push(Miss::NoMapFits { compared });
        }
        fitting
            .into_iter()
            .next()
            .map(|(_, candidate, pair)| (candidate, pair))
    }

    /// Where no bundle has the frame's name, a map may say that its file does: bundles that are known by debug ids are uploaded under these.
    fn by_file_field_alone(
        &mut self,
        frame: &ScriptPath,
        shelves: &[(ReleaseRef, Arc<[ShelfFile]>)],
        is_release_known: bool,
    ) -> Option<Found> {
        let mut candidates = Vec::new();
        let mut named_by_id = 0;
        for (release, files) in shelves {
            for map in files.iter().filter(|file| file.kind == ShelfKind::Map) {
                let names_it = map.map_file.as_deref().is_some_and(|file| {
                    mask::names_bundle(ScriptPath::parse(file).name(), frame.name())
                });
                let partner = files.iter().position(|file| {
                    file.kind == ShelfKind::Minified
                        && file.debug_id.is_some()
                        && file.debug_id == map.debug_id
                });
                if let (true, Some(index)) = (names_it, partner) {
                    let (files, release) = (Arc::clone(files), release.clone());
                    candidates.push(Candidate {
                        files,
                        release,
                        index,
                    });
                }
            }
            let is_named_by_id = |file: &&ShelfFile| {
                file.kind == ShelfKind::Minified
                    && file
                        .debug_id
                        .is_some_and(|id| file.path.name().starts_with(&id.to_string()))
            };
            named_by_id += files.iter().filter(is_named_by_id).count();
        }
        if candidates.is_empty() {
            let nearest = nearest(frame.name(), shelves);
            self.misses.push(Miss::NoFileOfName {
                name: frame.name().to_owned(),
                nearest,
            });
            if named_by_id > 0 {
                self.misses
                    .push(Miss::NamedByDebugId { count: named_by_id });
            }
            return None;
        }
        self.choose(frame, Step::FileField, candidates, is_release_known)
    }

    fn unreadable(&mut self, url: String, error: &ShelfError) {
        let error = error.to_string();
        self.misses.push(Miss::Unreadable { url, error });
    }
}

/// Each once.
fn uploads(one: u64, other: Option<u64>) -> Vec<u64> {
    let other = other.filter(|other| *other != one);
    std::iter::once(one).chain(other).collect()
}

/// What a step says that found nothing to compare, unless it has said more already.
fn nothing_found(step: Step, name: &str, said: &[Miss]) -> Option<Miss> {
    match step {
        Step::Reference if matches!(said.last(), Some(Miss::ReferenceNotUploaded(_))) => None,
        Step::Reference => Some(Miss::NoReference),
        Step::NameGuess => Some(Miss::NoMapOfName(format!("{name}.map"))),
        Step::FileField => Some(Miss::NoMapWithFile(name.to_owned())),
        Step::ContentFit => Some(Miss::NoMapFits { compared: 0 }),
        Step::DebugId | Step::ExactUrl | Step::PathSuffix => None,
    }
}

/// The uploaded bundle that is called most like `name`: the same but for its hash.
fn nearest(name: &str, shelves: &[(ReleaseRef, Arc<[ShelfFile]>)]) -> Option<String> {
    let (stem, extension) = (name.split(['.', '-']).next()?, name.rsplit_once('.')?.1);
    let files = shelves.iter().flat_map(|(_, files)| files.iter());
    let mut alike = files.filter(|file| {
        let other = file.path.name();
        file.kind == ShelfKind::Minified
            && other.split(['.', '-']).next() == Some(stem)
            && other.rsplit_once('.').map(|(_, extension)| extension) == Some(extension)
    });
    alike.next().map(|file| file.url.clone())
}
