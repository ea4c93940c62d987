//! What is there: names of services and operations, how many spans, from when to when.

use std::collections::BTreeSet;

use model::ScanError;
use store::Snapshot;

/// An operation: the name of spans and their kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Operation {
    /// The spans' name.
    pub name: String,
    /// OTLP's number of their kind.
    pub kind: i32,
}

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extent {
    /// Spans, repeats included.
    pub spans: u64,
    /// The start of the earliest span and that of the latest, in nanoseconds since 1970.
    pub starts_unix_nano: Option<(u64, u64)>,
}

/// The names of all services, sorted.
pub fn services(snapshot: &Snapshot) -> Result<Vec<String>, ScanError> {
    let mut names = BTreeSet::new();
    for scan in snapshot.scans() {
        names.extend(
            scan.operations()?
                .into_iter()
                .map(|operation| operation.service),
        );
    }
    Ok(names.into_iter().collect())
}

/// The operations of a service, or of all, sorted by name and kind.
pub fn operations(snapshot: &Snapshot, service: Option<&str>) -> Result<Vec<Operation>, ScanError> {
    let mut operations = BTreeSet::new();
    for scan in snapshot.scans() {
        for operation in scan.operations()? {
            if service.is_none_or(|service| operation.service == service) {
                operations.insert(Operation {
                    name: operation.name,
                    kind: operation.kind,
                });
            }
        }
    }
    Ok(operations.into_iter().collect())
}

/// How many spans there are, and from when to when; answered from memory.
pub fn extent(snapshot: &Snapshot) -> Extent {
    let mut extent = Extent::default();
    for scan in snapshot.scans() {
        extent.spans += scan.len() as u64;
        for partition in scan.partitions() {
            let (min, max) = (partition.min_start_unix_nano, partition.max_start_unix_nano);
            let (earliest, latest) = extent.starts_unix_nano.unwrap_or((min, max));
            extent.starts_unix_nano = Some((earliest.min(min), latest.max(max)));
        }
    }
    extent
}
