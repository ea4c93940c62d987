//! Jaeger's agent: `emitBatch` messages in datagrams, compact on 6831 and binary on 6832 by custom, either on both.
//!
//! A sender gets no reply, so whatever is not kept is counted by reason (`datagrams_dropped`, `spans_rejected`) and said in our log. Many
//! datagrams are admitted at one time: they wait for one sync of the log together. Their bytes have a bound, beyond which they are dropped.

mod complaints;
mod kernel_watch;

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use codec::{ContentEncoding, Encoding};
use host::Clock;
use model::TenantId;
use tokio_util::task::TaskTracker;

use self::complaints::Complaints;
use crate::ingest::{
    Accepted, Admission, InFlight, OtlpSignal, Protocol, RawPayload, Refusal, Reservation,
};

pub(crate) use kernel_watch::{UdpSockets, watch as watch_kernel_drops};

/// What a datagram costs beside its bytes: its task, and a batch in columns.
const OVERHEAD_BYTES: usize = 4 << 10;

/// Takes the datagrams of one listener. Cheap to clone.
#[derive(Clone)]
pub(crate) struct JaegerAgent {
    protocol: Protocol,
    admission: Arc<Admission>,
    queue: InFlight,
    complaints: Arc<Complaints>,
    tasks: TaskTracker,
}

impl JaegerAgent {
    /// The agent of a listener, which counts as `protocol`. All agents share the `queue`; what they are in the middle of is in `tasks`.
    pub(crate) fn new(
        protocol: Protocol,
        admission: Arc<Admission>,
        queue: InFlight,
        clock: Arc<dyn Clock>,
        tasks: TaskTracker,
    ) -> Self {
        Self {
            protocol,
            admission,
            queue,
            complaints: Arc::new(Complaints::new(clock)),
            tasks,
        }
    }

    /// Takes one datagram, without waiting.
    pub(crate) fn take(&self, datagram: &[u8], from: SocketAddr) {
        let Some(queued) = self.reserve(datagram.len()) else {
            self.admission
                .metrics()
                .count_dropped_datagrams(self.protocol, "queue", 1);
            self.complaints.say(format_args!(
                "{}: a datagram of {} bytes from {from} was dropped: the queue is full (limits.udp_queue_bytes)",
                self.protocol.label(),
                datagram.len()
            ));
            return;
        };
        let datagram = Bytes::copy_from_slice(datagram);
        let agent = self.clone();
        self.tasks.spawn(async move {
            let len = datagram.len();
            let metrics = agent.admission.metrics();
            let open = metrics.begin_request(OtlpSignal::Traces, agent.protocol);
            let result = agent.admit(datagram).await;
            open.end(&result);
            agent.report(&result, len, from);
            drop(queued);
        });
    }

    fn reserve(&self, datagram_len: usize) -> Option<Reservation> {
        let len = datagram_len + OVERHEAD_BYTES;
        let mut reservation = self.queue.enter(len).ok()?;
        reservation.grow_to(len).ok()?;
        Some(reservation)
    }

    async fn admit(&self, body: Bytes) -> Result<Accepted, Refusal> {
        let mut reservation = self.admission.in_flight().enter(body.len())?;
        reservation.grow_to(body.len())?;
        let payload = RawPayload {
            protocol: self.protocol,
            encoding: Encoding::JaegerAgentMessage,
            content_encoding: ContentEncoding::Identity,
            tenant: TenantId::default_tenant(),
            body,
            reservation,
        };
        self.admission.admit(payload).await
    }

    fn report(&self, result: &Result<Accepted, Refusal>, len: usize, from: SocketAddr) {
        let metrics = self.admission.metrics();
        let name = self.protocol.label();
        match result {
            Ok(accepted) if accepted.rejected.is_empty() => {}
            Ok(accepted) => self.complaints.say(format_args!(
                "{name}: of a datagram from {from}: {}",
                accepted.rejected
            )),
            Err(refusal) => {
                metrics.count_dropped_datagrams(self.protocol, refusal.label(), 1);
                self.complaints.say(format_args!(
                    "{name}: a datagram of {len} bytes from {from} was dropped: {refusal}"
                ));
            }
        }
    }
}
