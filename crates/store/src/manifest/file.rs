//! A manifest file: `magic "BTMF", version u16, kind u16, len u32, crc32c u32` (over kind and payload), payload. Little endian.

use std::io::ErrorKind;
use std::path::Path;

use host::Host;

use super::io;
use crate::StoreError;

const MAGIC: [u8; 4] = *b"BTMF";
const FORMAT_VERSION: u16 = 0;
const HEADER_BYTES: usize = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Edit,
    Checkpoint,
}

impl Kind {
    fn suffix(self) -> &'static str {
        match self {
            Self::Edit => ".edit",
            Self::Checkpoint => ".checkpoint",
        }
    }

    fn number(self) -> u16 {
        match self {
            Self::Edit => 1,
            Self::Checkpoint => 2,
        }
    }

    /// Numbers are padded, so that names sort as numbers do.
    pub(super) fn name(self, number: u64) -> String {
        format!("{number:020}{}", self.suffix())
    }

    pub(super) fn of_name(name: &str) -> Option<(Self, u64)> {
        [Self::Edit, Self::Checkpoint].into_iter().find_map(|kind| {
            let number = name.strip_suffix(kind.suffix())?.parse().ok()?;
            Some((kind, number))
        })
    }
}

fn checksum(kind: Kind, payload: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&kind.number().to_le_bytes()), payload)
}

/// Writes a file under a name that nobody has taken, whole or not at all, and makes it durable.
pub(super) fn write_new(
    host: &Host,
    dir: &Path,
    kind: Kind,
    number: u64,
    payload: &[u8],
) -> Result<(), StoreError> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES + payload.len());
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    bytes.extend_from_slice(&kind.number().to_le_bytes());
    bytes.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&checksum(kind, payload).to_le_bytes());
    bytes.extend_from_slice(payload);

    let temporary = dir.join(format!("tmp-{:016x}", host.random.next_u64()));
    let file = host.files.create_new(&temporary).map_err(io(&temporary))?;
    file.write_all_at(&bytes, 0).map_err(io(&temporary))?;
    file.sync_data().map_err(io(&temporary))?;
    let path = dir.join(kind.name(number));
    host.files.link_new(&temporary, &path).map_err(|error| {
        if error.kind() == ErrorKind::AlreadyExists {
            StoreError::Fenced { path: path.clone() }
        } else {
            StoreError::Io {
                path: path.clone(),
                source: error,
            }
        }
    })?;
    host.files.sync_dir(dir).map_err(io(dir))?;
    host.files.remove_file(&temporary).map_err(io(&temporary))
}

pub(super) fn read(host: &Host, path: &Path, kind: Kind) -> Result<Vec<u8>, StoreError> {
    let file = host.files.open(path).map_err(io(path))?;
    let mut bytes = vec![0; file.len().map_err(io(path))? as usize];
    file.read_exact_at(&mut bytes, 0).map_err(io(path))?;
    let damaged = |reason: &str| StoreError::DamagedManifest {
        path: path.to_owned(),
        reason: reason.to_owned(),
    };
    let Some((header, payload)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
        return Err(damaged("it is shorter than its header"));
    };
    if header[..4] != MAGIC {
        return Err(damaged("it does not begin with the magic of a manifest"));
    }
    let short = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
    let long = |at: usize| {
        u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
    };
    if short(4) != FORMAT_VERSION {
        return Err(StoreError::UnknownManifest {
            path: path.to_owned(),
            found: short(4),
            known: FORMAT_VERSION,
        });
    }
    if short(6) != kind.number() {
        return Err(damaged("it is of another kind than its name says"));
    }
    if long(8) as usize != payload.len() {
        return Err(damaged("its length is not the one in its header"));
    }
    if long(12) != checksum(kind, payload) {
        return Err(damaged("its checksum differs"));
    }
    Ok(payload.to_vec())
}
