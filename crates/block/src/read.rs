//! Opens a block and reads columns of its files.

use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_select::concat::concat_batches;
use host::Host;
use model::{PartitionSummary, RowSet, ScanError, TraceId};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::bloom_filter::Sbbf;
use parquet::errors::ParquetError;
use parquet::file::metadata::PageIndexPolicy;

use crate::checksum::CheckedFile;
use crate::footer::{Footer, Part};
use crate::write::{EVENTS_FILE, FOOTER_FILE, SPANS_FILE, TRACES_FILE};
use crate::{BlockError, BlockMeta};

/// A block that is open for reading. Its footer, Parquet metadata and bloom filter are in memory; columns are read when they are asked for.
pub struct Block {
    pub(crate) meta: BlockMeta,
    pub(crate) footer: Footer,
    pub(crate) spans: ParquetPart,
    pub(crate) events: ParquetPart,
    pub(crate) traces: ParquetPart,
    pub(crate) partitions: Vec<PartitionSummary>,
    pub(crate) trace_index: Vec<TraceId>,
    pub(crate) trace_bloom: Option<Sbbf>,
    /// How many of the last rows of `events` are events that came without their span.
    pub(crate) lone_events: usize,
}

impl std::fmt::Debug for Block {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Block")
            .field("meta", &self.meta)
            .finish_non_exhaustive()
    }
}

impl Block {
    /// Opens the block that [`crate::write()`] made below `window_dir`.
    pub fn open(host: &Host, window_dir: &Path, meta: &BlockMeta) -> Result<Self, BlockError> {
        let dir = window_dir.join(meta.id.as_str());
        let path = dir.join(FOOTER_FILE);
        let bytes = read_all(host, &path)?;
        let footer = Footer::decode(&path, &bytes)?;
        if crc32c::crc32c(&bytes) != meta.footer_crc32c {
            let reason = "its checksum is not the one in the manifest".to_owned();
            return Err(BlockError::Damaged { path, reason });
        }
        let part = |name: &str| -> Result<ParquetPart, BlockError> {
            let part = footer
                .parts
                .iter()
                .find(|part| part.name == name)
                .ok_or_else(|| BlockError::Damaged {
                    path: path.clone(),
                    reason: format!("it does not list {name}"),
                })?;
            ParquetPart::open(host, &dir, part)
        };
        let (spans, events, traces) = (part(SPANS_FILE)?, part(EVENTS_FILE)?, part(TRACES_FILE)?);
        let trace_bloom = traces.trace_bloom()?;
        let trace_index = footer
            .trace_index
            .iter()
            .map(|id| TraceId::parse(id))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| BlockError::Damaged {
                path,
                reason: error.to_string(),
            })?;
        let partitions = footer
            .partitions
            .iter()
            .map(|partition| PartitionSummary {
                rows: partition.first_row as usize..(partition.first_row + partition.rows) as usize,
                min_start_unix_nano: partition.min_start_unix_nano,
                max_start_unix_nano: partition.max_start_unix_nano,
            })
            .collect();
        let lone_events = match footer.lone_events {
            Some(lone) => lone.events as usize,
            None => count_lone_events(&events)?,
        };
        Ok(Self {
            meta: meta.clone(),
            footer,
            spans,
            events,
            traces,
            partitions,
            trace_index,
            trace_bloom,
            lone_events,
        })
    }

    /// What the manifest knows of it.
    pub fn meta(&self) -> &BlockMeta {
        &self.meta
    }

    /// How many events came without their span.
    pub fn lone_event_count(&self) -> usize {
        self.lone_events
    }

    /// How many traces.
    pub fn traces(&self) -> u64 {
        self.footer.traces
    }
}

/// For blocks whose footer does not say it.
fn count_lone_events(events: &ParquetPart) -> Result<usize, BlockError> {
    let span_rows = events.columns(&["span_row"], &RowSet::range(0..events.rows()));
    let batch = span_rows.map_err(|error| BlockError::Damaged {
        path: events.path.clone(),
        reason: error.reason,
    })?;
    Ok(batch
        .column_by_name("span_row")
        .map_or(0, |span_rows| span_rows.null_count()))
}

pub(crate) fn read_all(host: &Host, path: &Path) -> Result<Vec<u8>, BlockError> {
    let io = |source| BlockError::Io {
        path: path.to_owned(),
        source,
    };
    let file = host.files.open(path).map_err(io)?;
    let mut bytes = vec![0; file.len().map_err(io)? as usize];
    file.read_exact_at(&mut bytes, 0).map_err(io)?;
    Ok(bytes)
}

/// One Parquet file of a block.
pub(crate) struct ParquetPart {
    path: PathBuf,
    file: CheckedFile,
    metadata: ArrowReaderMetadata,
}

impl ParquetPart {
    fn open(host: &Host, dir: &Path, part: &Part) -> Result<Self, BlockError> {
        let path = dir.join(&part.name);
        let io = |source| BlockError::Io {
            path: path.clone(),
            source,
        };
        let file = host.files.open(&path).map_err(io)?;
        let len = file.len().map_err(io)?;
        if len != part.len {
            let reason = format!("it has {len} bytes and was written with {}", part.len);
            return Err(BlockError::Damaged { path, reason });
        }
        let file = CheckedFile::new(path.clone(), file, len, part.checksums.clone());
        let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
        let metadata =
            ArrowReaderMetadata::load(&file, options).map_err(|source| BlockError::Parquet {
                path: path.clone(),
                source,
            })?;
        Ok(Self {
            path,
            file,
            metadata,
        })
    }

    fn trace_bloom(&self) -> Result<Option<Sbbf>, BlockError> {
        if self.metadata.metadata().num_row_groups() != 1 {
            return Ok(None);
        }
        ParquetRecordBatchReaderBuilder::new_with_metadata(self.file.clone(), self.metadata.clone())
            .get_row_group_column_bloom_filter(0, 0)
            .map_err(|source| BlockError::Parquet {
                path: self.path.clone(),
                source,
            })
    }

    pub(crate) fn error(&self, reason: impl ToString) -> ScanError {
        ScanError {
            source_name: self.path.display().to_string(),
            reason: reason.to_string(),
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.metadata.metadata().file_metadata().num_rows() as usize
    }

    /// The named columns of `rows`, as one batch. Columns come in the order of the file; a name that the file lacks is left out.
    pub(crate) fn columns(&self, names: &[&str], rows: &RowSet) -> Result<RecordBatch, ScanError> {
        let schema = self.metadata.schema();
        let indices = names.iter().filter_map(|name| schema.index_of(name).ok());
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), indices);
        self.read(mask, rows)
    }

    /// All columns of `rows`.
    pub(crate) fn all_columns(&self, rows: &RowSet) -> Result<RecordBatch, ScanError> {
        self.read(ProjectionMask::all(), rows)
    }

    fn read(&self, mask: ProjectionMask, rows: &RowSet) -> Result<RecordBatch, ScanError> {
        self.try_read(mask, rows).map_err(|error| self.error(error))
    }

    fn try_read(&self, mask: ProjectionMask, rows: &RowSet) -> Result<RecordBatch, ParquetError> {
        let (row_groups, selection) = self.select(rows);
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(
            self.file.clone(),
            self.metadata.clone(),
        )
        .with_projection(mask)
        .with_row_groups(row_groups)
        .with_row_selection(selection)
        .with_batch_size(rows.len().clamp(1, 64 << 10))
        .build()?;
        let schema = arrow_array::RecordBatchReader::schema(&reader);
        let mut batches = reader.collect::<Result<Vec<_>, _>>()?;
        if batches.len() == 1
            && let Some(batch) = batches.pop()
        {
            return Ok(batch);
        }
        Ok(concat_batches(&schema, &batches)?)
    }

    /// The row groups that hold `rows`, and the rows as a selection within them.
    fn select(&self, rows: &RowSet) -> (Vec<usize>, RowSelection) {
        let mut row_groups = Vec::new();
        let mut ranges = Vec::new();
        let mut skipped = 0;
        let mut first_row = 0;
        let mut wanted = rows.ranges().iter().peekable();
        for (index, row_group) in self.metadata.metadata().row_groups().iter().enumerate() {
            let group = first_row..first_row + row_group.num_rows() as usize;
            first_row = group.end;
            let before = ranges.len();
            while let Some(range) = wanted.peek() {
                let overlap = range.start.max(group.start)..range.end.min(group.end);
                if !overlap.is_empty() {
                    ranges.push(overlap.start - skipped..overlap.end - skipped);
                }
                if range.end > group.end {
                    break;
                }
                wanted.next();
            }
            if ranges.len() > before {
                row_groups.push(index);
            } else {
                skipped += group.len();
            }
        }
        let total = first_row - skipped;
        (
            row_groups,
            RowSelection::from_consecutive_ranges(ranges.into_iter(), total),
        )
    }
}
