//! Traces as a stream of messages.
//!
//! One snapshot serves the whole stream. The traces are read one by one, each in a turn of its own at the gate, and only when the client has taken
//! what came before: a slow client costs the memory of one trace and no thread. One that takes nothing for long is left.

use futures_util::Stream;
use model::TraceId;
use query::{SearchQuery, Trace};
use store::Snapshot;
use tonic::Status;

use super::outlet::{Outlet, Part, StreamLimits, filled_by};
use crate::api::failure::Failure;
use crate::api::jaeger::found::{NOT_FOUND, SEARCH_CUT_SHORT, search_in_time};
use crate::api::{Api, Question, READ_TIMEOUT};

/// What a message should not go beyond but for its last span. gRPC's clients refuse messages of more than 4 MiB unless told otherwise.
pub(super) const MAX_PART_BYTES: usize = 1 << 20;

/// Writes a trace as encoded messages, none of them much larger than [`MAX_PART_BYTES`].
pub(super) type Write = fn(&Trace, &Question<'_>) -> Result<Vec<Vec<u8>>, Failure>;

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

async fn begin(traces: Traces) -> Result<impl Stream<Item = Part> + use<>, Status> {
    filled_by(StreamLimits::default(), |outlet| traces.send_all(outlet)).await
}

impl Traces {
    /// Sends all traces; says why the answer is not whole.
    async fn send_all(self, outlet: Outlet) -> Result<Option<String>, Status> {
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
                Ok((write(&trace, question)?, trace.truncated))
            });
            let (parts, is_cut) = read.await?;
            if is_cut {
                let reason = format!("trace {trace_id} has more spans than may be shown");
                truncated.get_or_insert(reason);
            }
            for part in parts {
                outlet.give(part).await?;
            }
        }
        Ok(truncated)
    }
}
