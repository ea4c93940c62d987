//! The tables, and a transaction that has them all open. See docs/formats/artifacts.md.

use redb::{ReadTransaction, ReadableTable, Table, TableDefinition, WriteTransaction};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::rows::{BundleRow, ProjectRow, ReleaseRow, decode, encode};
use crate::blobs::{Encoding, Stored};
use crate::digest::Sha256;
use crate::error::{Error, Result};

type Json = &'static [u8];
type Name = &'static str;

macro_rules! tables {
    ($($(#[doc = $doc:literal])* $field:ident / $open:ident: $key:ty => $value:ty;)*) => {
        mod definitions {
            use super::*;
            $(pub(super) const $open: TableDefinition<'static, $key, $value> = TableDefinition::new(stringify!($field));)*
        }

        /// All tables of a transaction that writes.
        pub(crate) struct Tables<'txn> {
            $($(#[doc = $doc])* pub(crate) $field: Table<'txn, $key, $value>,)*
            /// Blobs that nothing refers to any more, for when the transaction has committed.
            pub(crate) garbage: Vec<(Sha256, Encoding)>,
        }

        impl<'txn> Tables<'txn> {
            pub(super) fn open(transaction: &'txn WriteTransaction) -> Result<Self> {
                Ok(Self {
                    $($field: transaction.open_table(definitions::$open)?,)*
                    garbage: Vec::new(),
                })
            }

            /// Takes over all rows.
            pub(super) fn copy_from(&mut self, view: &View) -> Result<()> {
                $(for entry in view.$field.iter()? {
                    let (key, value) = entry?;
                    self.$field.insert(key.value(), value.value())?;
                })*
                Ok(())
            }
        }

        /// All tables of a transaction that reads; what commits later is not seen.
        pub(crate) struct View {
            $($(#[doc = $doc])* pub(crate) $field: redb::ReadOnlyTable<$key, $value>,)*
        }

        impl View {
            pub(super) fn open(transaction: &ReadTransaction) -> Result<Self> {
                Ok(Self {
                    $($field: transaction.open_table(definitions::$open)?,)*
                })
            }
        }
    };
}

tables! {
    /// Format, generation, the next id, and the bytes of all.
    meta / META: Name => u64;
    /// By tenant and slug.
    organisations / ORGANISATIONS: (Name, Name) => Json;
    /// Slug of an organisation by its id.
    organisation_names / ORGANISATION_NAMES: u64 => (Name, Name);
    /// By organisation and slug.
    projects / PROJECTS: (u64, Name) => Json;
    /// Organisation and slug of a project by its id.
    project_names / PROJECT_NAMES: u64 => (u64, Name);
    /// By organisation and version.
    releases / RELEASES: (u64, Name) => Json;
    /// Organisation and version of a release by its id.
    release_names / RELEASE_NAMES: u64 => (u64, Name);
    /// Releases of an organisation by age.
    organisation_releases / ORGANISATION_RELEASES: (u64, u64) => u64;
    /// Releases of a project by age.
    project_releases / PROJECT_RELEASES: (u64, u64) => u64;
    /// A list by release.
    commits / COMMITS: u64 => Json;
    /// A list by release.
    deploys / DEPLOYS: u64 => Json;
    /// By id.
    bundles / BUNDLES: u64 => Json;
    /// The id of a bundle by organisation and identity.
    identities / IDENTITIES: (u64, &'static [u8; 20]) => u64;
    /// Bundles of an organisation by age.
    organisation_bundles / ORGANISATION_BUNDLES: (u64, u64) => u64;
    /// Bundles of a release by age.
    release_bundles / RELEASE_BUNDLES: (u64, u64) => u64;
    /// By bundle and number.
    files / FILES: (u64, u32) => Json;
    /// Bundle and number of the files that bear a debug id.
    debug_ids / DEBUG_IDS: (&'static [u8; 16], u64, u32) => ();
    /// Encoding, length, length of the file, references.
    blobs / BLOBS: &'static [u8; 32] => (u8, u64, u64, u64);
    /// Length, when it came, whether a bundle was made of it; by organisation and SHA-1.
    chunks / CHUNKS: (u64, &'static [u8; 20]) => (u64, u64, bool);
}

pub(crate) const FORMAT: &str = "format";
pub(crate) const GENERATION: &str = "generation";
const NEXT_ID: &str = "next_id";
pub(crate) const TOTAL_BYTES: &str = "total_bytes";

/// A number of the table `meta`; 0 when it is not there.
pub(crate) fn meta(table: &impl ReadableTable<Name, u64>, key: &str) -> Result<u64> {
    Ok(table.get(key)?.map_or(0, |value| value.value()))
}

/// A row that is JSON.
pub(crate) fn row<'k, K, R>(
    table: &impl ReadableTable<K, Json>,
    key: impl std::borrow::Borrow<K::SelfType<'k>>,
) -> Result<Option<R>>
where
    K: redb::Key + 'static,
    R: DeserializeOwned,
{
    match table.get(key)? {
        Some(value) => decode(value.value()).map(Some),
        None => Ok(None),
    }
}

/// What a blob's row says.
pub(crate) fn stored(
    table: &impl ReadableTable<&'static [u8; 32], (u8, u64, u64, u64)>,
    sha256: Sha256,
) -> Result<Option<Stored>> {
    let Some(row) = table.get(&sha256.0)? else {
        return Ok(None);
    };
    let (encoding, len, file_len, _) = row.value();
    let encoding = Encoding::from_number(encoding)
        .ok_or_else(|| Error::Damaged(format!("the blob {sha256} has the encoding {encoding}")))?;
    Ok(Some(Stored {
        encoding,
        len,
        file_len,
    }))
}

impl Tables<'_> {
    /// An id, or a place in an order, that was never given before.
    pub(crate) fn next_id(&mut self) -> Result<u64> {
        let id = meta(&self.meta, NEXT_ID)? + 1;
        self.meta.insert(NEXT_ID, id)?;
        Ok(id)
    }

    /// Says that something was uploaded, deleted or mapped.
    pub(crate) fn bump_generation(&mut self) -> Result<()> {
        let generation = meta(&self.meta, GENERATION)? + 1;
        self.meta.insert(GENERATION, generation)?;
        Ok(())
    }

    pub(crate) fn add_total_bytes(&mut self, added: u64, removed: u64) -> Result<u64> {
        let bytes = (meta(&self.meta, TOTAL_BYTES)? + added).saturating_sub(removed);
        self.meta.insert(TOTAL_BYTES, bytes)?;
        Ok(bytes)
    }

    /// Counts a reference to a blob, whose file is there.
    pub(crate) fn refer(&mut self, sha256: Sha256, stored: Stored) -> Result<()> {
        let known = self.blobs.get(&sha256.0)?.map(|row| row.value());
        let row = match known {
            Some((encoding, len, file_len, references)) => {
                (encoding, len, file_len, references + 1)
            }
            None => (stored.encoding.number(), stored.len, stored.file_len, 1),
        };
        self.blobs.insert(&sha256.0, row)?;
        Ok(())
    }

    /// Counts a reference to a blob off. The last one makes its file garbage.
    pub(crate) fn release_blob(&mut self, sha256: Sha256) -> Result<()> {
        let known = self.blobs.get(&sha256.0)?.map(|row| row.value());
        let Some((encoding, len, file_len, references)) = known else {
            return Err(Error::Damaged(format!("the blob {sha256} has no row")));
        };
        if references > 1 {
            let row = (encoding, len, file_len, references - 1);
            self.blobs.insert(&sha256.0, row)?;
            return Ok(());
        }
        self.blobs.remove(&sha256.0)?;
        let encoding = Encoding::from_number(encoding);
        self.garbage
            .extend(encoding.map(|encoding| (sha256, encoding)));
        Ok(())
    }

    pub(crate) fn put_project(
        &mut self,
        organisation: u64,
        slug: &str,
        row: &ProjectRow,
    ) -> Result<()> {
        self.projects
            .insert((organisation, slug), json(row)?.as_slice())?;
        Ok(())
    }

    pub(crate) fn put_release(
        &mut self,
        organisation: u64,
        version: &str,
        row: &ReleaseRow,
    ) -> Result<()> {
        self.releases
            .insert((organisation, version), json(row)?.as_slice())?;
        Ok(())
    }

    pub(crate) fn put_bundle(&mut self, id: u64, row: &BundleRow) -> Result<()> {
        self.bundles.insert(id, json(row)?.as_slice())?;
        Ok(())
    }

    /// Version and row of a release.
    pub(crate) fn release_by_id(&self, id: u64) -> Result<(u64, String, ReleaseRow)> {
        release_by_id(&self.release_names, &self.releases, id)
    }
}

/// Organisation, version and row of a release.
pub(crate) fn release_by_id(
    names: &impl ReadableTable<u64, (u64, Name)>,
    releases: &impl ReadableTable<(u64, Name), Json>,
    id: u64,
) -> Result<(u64, String, ReleaseRow)> {
    let missing = || Error::Damaged(format!("the release {id} that is referred to is missing"));
    let name = names.get(id)?.ok_or_else(missing)?;
    let (organisation, version) = name.value();
    let row = row(releases, (organisation, version))?.ok_or_else(missing)?;
    Ok((organisation, version.to_owned(), row))
}

fn json<R: Serialize>(row: &R) -> Result<Vec<u8>> {
    encode(row)
}
