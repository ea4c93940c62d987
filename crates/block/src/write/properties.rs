//! How Parquet encodes the columns.

use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

use super::PARTITION_ROWS;

pub(super) fn plain_properties() -> WriterPropertiesBuilder {
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_statistics_enabled(EnabledStatistics::Chunk)
}

pub(super) fn span_properties() -> WriterPropertiesBuilder {
    let path = ColumnPath::from;
    let mut properties = plain_properties()
        .set_max_row_group_row_count(Some(PARTITION_ROWS))
        // Two traces rarely share an id, so a dictionary page holds every id once and each span a run of its index.
        .set_column_dictionary_page_size_limit(path("trace_id"), 2 << 20)
        .set_column_dictionary_enabled(path("span_id"), false)
        .set_column_compression(path("span_id"), Compression::UNCOMPRESSED)
        .set_column_dictionary_enabled(path("parent_span_id"), false);
    for column in ["start_unix_nano", "duration_nano", "parent_delta"] {
        properties = properties
            .set_column_dictionary_enabled(path(column), false)
            .set_column_encoding(path(column), Encoding::DELTA_BINARY_PACKED);
    }
    properties
}

pub(super) fn event_properties() -> WriterPropertiesBuilder {
    let path = ColumnPath::from;
    let mut properties = plain_properties()
        .set_max_row_group_row_count(Some(PARTITION_ROWS))
        .set_column_dictionary_enabled(path("span_id"), false);
    for column in ["span_row", "time_unix_nano"] {
        properties = properties
            .set_column_dictionary_enabled(path(column), false)
            .set_column_encoding(path(column), Encoding::DELTA_BINARY_PACKED);
    }
    properties
}
