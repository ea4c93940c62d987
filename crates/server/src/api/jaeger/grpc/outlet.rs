//! A stream of messages that a task fills, and that ends as the task ends.

use std::time::Duration;

use futures_util::{Stream, StreamExt as _, stream};
use tokio::sync::mpsc;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Status};

use crate::api::TRUNCATED_KEY;

/// An encoded message, or how the stream ends.
pub(super) type Part = Result<Vec<u8>, Status>;

/// How long a stream may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct StreamLimits {
    /// For a client to take one message.
    pub(super) stall_timeout: Duration,
    /// For all of it.
    pub(super) stream_timeout: Duration,
}

impl Default for StreamLimits {
    fn default() -> Self {
        Self {
            stall_timeout: Duration::from_secs(30),
            stream_timeout: Duration::from_mins(10),
        }
    }
}

/// Where the task puts its messages. One waits for the client; the next has to wait for its place.
pub(super) struct Outlet {
    sender: mpsc::Sender<Vec<u8>>,
    stall_timeout: Duration,
}

impl Outlet {
    /// Gives a message when there is room for it. Afterwards an error is all that is left to say.
    pub(super) async fn give(&self, message: Vec<u8>) -> Result<(), Status> {
        let given = self.sender.send_timeout(message, self.stall_timeout).await;
        given.map_err(|_| {
            let limit = self.stall_timeout;
            Status::cancelled(format!("nothing was taken within {limit:?}"))
        })
    }
}

/// The messages that `fill` gives, once the first is there, so that a call without an answer fails as a whole. What `fill` says at its end is the
/// stream's end: all is there, or something was left out for a reason, or it failed. It is dropped when nobody reads any more.
pub(super) async fn filled_by<Fill, F>(
    limits: StreamLimits,
    fill: Fill,
) -> Result<impl Stream<Item = Part> + use<Fill, F>, Status>
where
    Fill: FnOnce(Outlet) -> F,
    F: Future<Output = Result<Option<String>, Status>> + Send + 'static,
{
    let (sender, messages) = mpsc::channel(1);
    let reader = sender.clone();
    let filling = fill(Outlet {
        sender,
        stall_timeout: limits.stall_timeout,
    });
    let filling = tokio::spawn(async move {
        tokio::select! {
            filled = tokio::time::timeout(limits.stream_timeout, filling) => match filled {
                Ok(Ok(None)) => None,
                Ok(Ok(Some(reason))) => Some(truncated(&reason)),
                Ok(Err(status)) => Some(status),
                Err(_) => Some(truncated(&format!("it took longer than {:?}", limits.stream_timeout))),
            },
            () = reader.closed() => None,
        }
    });
    // The end does not go through the channel: a client that stalls leaves no room for it there.
    let parts = stream::unfold(
        (messages, Some(filling)),
        async |(mut messages, filling)| {
            if let Some(message) = messages.recv().await {
                return Some((Ok(message), (messages, filling)));
            }
            let end = match filling?.await {
                Ok(end) => end?,
                Err(panic) => Status::internal(panic.to_string()),
            };
            Some((Err(end), (messages, None)))
        },
    );
    let mut parts = Box::pin(parts.fuse());
    let first = parts.next().await.transpose()?;
    Ok(stream::iter(first.map(Ok)).chain(parts))
}

/// The end of an answer that is good as far as it goes, which its metadata says.
pub(super) fn truncated(reason: &str) -> Status {
    let mut metadata = MetadataMap::new();
    if let Ok(reason) = MetadataValue::try_from(reason) {
        metadata.insert(TRUNCATED_KEY, reason);
    }
    Status::with_metadata(Code::Ok, "", metadata)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(20);

    async fn count_up(outlet: Outlet, to: u8) -> Result<Option<String>, Status> {
        for number in 1..=to {
            outlet.give(vec![number]).await?;
        }
        Ok(None)
    }

    /// The messages, and the status behind them.
    async fn read(parts: impl Stream<Item = Part>) -> (Vec<u8>, Option<Status>) {
        let (mut messages, mut end) = (Vec::new(), None);
        let mut parts = std::pin::pin!(parts);
        while let Some(part) = parts.next().await {
            assert!(end.is_none(), "nothing comes behind the end");
            match part {
                Ok(message) => messages.extend(message),
                Err(status) => end = Some(status),
            }
        }
        (messages, end)
    }

    #[tokio::test]
    async fn what_was_given_comes_and_ends_well() {
        let limits = StreamLimits::default();
        let parts = filled_by(limits, |outlet| count_up(outlet, 5)).await;
        let (messages, end) = read(parts.unwrap()).await;
        assert_eq!(messages, [1, 2, 3, 4, 5]);
        assert!(end.is_none(), "{end:?}");
        let parts = filled_by(limits, |outlet| count_up(outlet, 0)).await;
        assert!(read(parts.unwrap()).await.0.is_empty());
    }

    #[tokio::test]
    async fn a_client_that_stalls_and_goes_on_is_told_that_this_is_not_all() {
        let limits = StreamLimits {
            stall_timeout: SHORT,
            ..StreamLimits::default()
        };
        let parts = filled_by(limits, |outlet| count_up(outlet, 5)).await;
        tokio::time::sleep(10 * SHORT).await;
        let (messages, end) = read(parts.unwrap()).await;
        assert_eq!(messages, [1, 2]);
        assert_eq!(end.unwrap().code(), Code::Cancelled);
    }

    #[tokio::test]
    async fn a_stream_that_takes_too_long_is_good_as_far_as_it_goes() {
        let limits = StreamLimits {
            stream_timeout: SHORT,
            ..StreamLimits::default()
        };
        let parts = filled_by(limits, async |outlet| {
            count_up(outlet, 3).await?;
            std::future::pending().await
        });
        let (messages, end) = read(parts.await.unwrap()).await;
        assert_eq!(messages, [1, 2, 3]);
        let end = end.unwrap();
        assert_eq!(end.code(), Code::Ok);
        assert!(end.metadata().contains_key(TRUNCATED_KEY));
    }

    #[tokio::test]
    async fn a_failure_before_the_first_message_fails_the_call() {
        let parts = filled_by(StreamLimits::default(), async |_| {
            Err(Status::not_found("nothing"))
        });
        assert_eq!(parts.await.err().unwrap().code(), Code::NotFound);
    }
}
