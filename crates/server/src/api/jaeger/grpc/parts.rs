//! Traces as a stream of messages.
//!
//! One snapshot serves the whole stream. The traces are read one by one, each in a turn of its own at the gate, and only when the client has taken
//! what came before: a slow client costs the memory of one trace and no thread. One that takes nothing for long is left.

use std::time::Duration;

use futures_util::{Stream, stream};
use model::TraceId;
use query::{SearchQuery, Trace};
use store::Snapshot;
use tokio::sync::mpsc;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Status};

use crate::api::failure::Failure;
use crate::api::jaeger::found::{NOT_FOUND, SEARCH_CUT_SHORT, search_in_time};
use crate::api::{Api, READ_TIMEOUT, TRUNCATED_KEY};

/// What a message should not go beyond but for its last span. gRPC's clients refuse messages of more than 4 MiB unless told otherwise.
pub(super) const MAX_PART_BYTES: usize = 1 << 20;
/// How long a client may take to take a message.
const STALL_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a stream may go on.
const STREAM_TIMEOUT: Duration = Duration::from_mins(10);

/// Writes a trace as encoded messages, none of them much larger than [`MAX_PART_BYTES`].
pub(super) type Write = fn(&Trace) -> Result<Vec<Vec<u8>>, Failure>;

type Part = Result<Vec<u8>, Status>;

/// The trace with an id.
pub(super) async fn trace(
    api: Api,
    trace_id: TraceId,
    write: Write,
) -> Result<impl Stream<Item = Part> + use<>, Status> {
    let snapshot = (api.take_snapshot)();
    begin(Traces {
        api,
        snapshot,
        ids: vec![trace_id],
        write,
        truncated: None,
    })
    .await
}

/// The traces that a search finds, in its order.
pub(super) async fn search(
    api: Api,
    query: SearchQuery,
    write: Write,
) -> Result<impl Stream<Item = Part> + use<>, Status> {
    let found = api.ask(READ_TIMEOUT, move |question| {
        let page = search_in_time(question, &query)?;
        Ok((question.snapshot.clone(), page))
    });
    let (snapshot, page) = found.await?;
    begin(Traces {
        api,
        snapshot,
        ids: page.traces.iter().map(|trace| trace.trace_id).collect(),
        write,
        truncated: page.truncated.then(|| SEARCH_CUT_SHORT.to_owned()),
    })
    .await
}

/// What is still to be sent.
struct Traces {
    api: Api,
    snapshot: Snapshot,
    ids: Vec<TraceId>,
    write: Write,
    /// Why there may be more; `None` when nothing is left out.
    truncated: Option<String>,
}

/// Waits for the first part, so that a call without an answer fails as a whole.
async fn begin(traces: Traces) -> Result<impl Stream<Item = Part> + use<>, Status> {
    let (sender, mut parts) = mpsc::channel(1);
    // It ends with the stream, or by its limits.
    tokio::spawn(traces.send(sender));
    let first = parts.recv().await.transpose()?;
    let rest = stream::unfold(parts, async |mut parts| {
        let part = parts.recv().await?;
        Some((part, parts))
    });
    Ok(futures_util::StreamExt::chain(
        stream::iter(first.map(Ok)),
        rest,
    ))
}

impl Traces {
    async fn send(self, sender: mpsc::Sender<Part>) {
        let sent = tokio::select! {
            sent = tokio::time::timeout(STREAM_TIMEOUT, self.send_all(&sender)) => sent,
            () = sender.closed() => return,
        };
        let end = match sent {
            Ok(Ok(None)) => return,
            Ok(Ok(Some(reason))) => truncated(&reason),
            Ok(Err(status)) => status,
            Err(_) => truncated(&format!("it took longer than {STREAM_TIMEOUT:?}")),
        };
        // When it can't be sent, nobody is there to read it.
        let _ = sender.send_timeout(Err(end), STALL_TIMEOUT).await;
    }

    /// Sends all traces; says why the answer is not whole.
    async fn send_all(self, sender: &mpsc::Sender<Part>) -> Result<Option<String>, Status> {
        let Self {
            api,
            snapshot,
            ids,
            write,
            mut truncated,
        } = self;
        for trace_id in ids {
            let read = api.ask_about(snapshot.clone(), READ_TIMEOUT, move |question| {
                let trace = query::trace(question.snapshot, trace_id, &question.budget)?
                    .ok_or_else(|| Failure::NotFound(NOT_FOUND.to_owned()))?;
                Ok((write(&trace)?, trace.truncated))
            });
            let (parts, is_cut) = read.await?;
            if is_cut {
                let reason = format!("trace {trace_id} has more spans than may be shown");
                truncated.get_or_insert(reason);
            }
            for part in parts {
                let sent = sender.send_timeout(Ok(part), STALL_TIMEOUT).await;
                sent.map_err(|_| Status::cancelled("nothing was taken for too long"))?;
            }
        }
        Ok(truncated)
    }
}

/// The end of an answer that is good as far as it goes, which its metadata says.
pub(super) fn truncated(reason: &str) -> Status {
    let mut metadata = MetadataMap::new();
    if let Ok(reason) = MetadataValue::try_from(reason) {
        metadata.insert(TRUNCATED_KEY, reason);
    }
    Status::with_metadata(Code::Ok, "", metadata)
}
