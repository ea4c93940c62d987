//! How many uploads are read at one time, and how many wait unread.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::refusal::Refusal;

/// Lets a bounded number of bodies be read and a bounded number wait; who waits sends nothing meanwhile. Cheap to clone.
#[derive(Clone)]
pub(super) struct Turns {
    /// One for each upload that is read or waits.
    places: Arc<Semaphore>,
    running: Arc<Semaphore>,
    patience: Duration,
}

/// A turn, until it is dropped.
pub(super) struct Turn {
    _place: OwnedSemaphorePermit,
    _running: OwnedSemaphorePermit,
}

impl Turns {
    /// `running` at one time; `waiting` more wait for no longer than `patience`.
    pub(super) fn new(running: usize, waiting: usize, patience: Duration) -> Self {
        Self {
            places: Arc::new(Semaphore::new(running + waiting)),
            running: Arc::new(Semaphore::new(running)),
            patience,
        }
    }

    /// Waits for a turn; refused at once when too many wait, and after a while when none comes.
    pub(super) async fn wait(&self) -> Result<Turn, Refusal> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| Refusal::Overloaded)?;
        let running = Arc::clone(&self.running).acquire_owned();
        let running = tokio::time::timeout(self.patience, running).await;
        match running {
            Ok(Ok(running)) => Ok(Turn {
                _place: place,
                _running: running,
            }),
            Ok(Err(_)) | Err(_) => Err(Refusal::Overloaded),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_finds_no_place_is_refused_and_who_waits_gets_a_turn() {
        let turns = Turns::new(1, 1, Duration::from_mins(1));
        let first = turns.wait().await.unwrap();
        let second = tokio::spawn({
            let turns = turns.clone();
            async move { turns.wait().await.map(drop) }
        });
        while turns.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(turns.wait().await.map(drop), Err(Refusal::Overloaded));
        drop(first);
        assert_eq!(second.await.unwrap(), Ok(()));
    }

    #[tokio::test]
    async fn patience_ends() {
        let turns = Turns::new(1, 1, Duration::from_millis(1));
        let _first = turns.wait().await.unwrap();
        assert_eq!(turns.wait().await.map(drop), Err(Refusal::Overloaded));
    }
}
