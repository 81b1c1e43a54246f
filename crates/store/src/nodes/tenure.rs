//! In whose name a store writes, and whether it may.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use housecall::ports::LedgerError;
use tokio::sync::Notify;

use super::membership::Membership;
use super::{Epoch, Standing};

/// Shared by the clones of a store, so that a node that joins again goes on with the same ones.
#[derive(Debug, Default)]
pub(crate) struct Tenure {
    held: Mutex<Held>,
    changed: Notify,
}

#[derive(Debug, Default)]
pub(crate) enum Held {
    /// By a program that has its database to itself.
    #[default]
    ByNobody,
    /// By the one node that a file has, until another one takes it over.
    Alone { epoch: Epoch, over: Option<Epoch> },
    /// By one node among others.
    Among(Membership),
}

impl Tenure {
    pub(crate) fn begin(&self, held: Held) {
        *self.held() = held;
        self.changed.notify_one();
    }

    pub(crate) fn epoch(&self) -> Epoch {
        match &*self.held() {
            Held::ByNobody => Epoch::NONE,
            Held::Alone { epoch, .. } => *epoch,
            Held::Among(membership) => membership.epoch(),
        }
    }

    pub(crate) fn standing(&self, now: Instant) -> Standing {
        match &*self.held() {
            Held::ByNobody | Held::Alone { over: None, .. } => Standing::Holds,
            Held::Alone { over: Some(_), .. } => Standing::Over,
            Held::Among(membership) => membership.standing(now),
        }
    }

    /// The same in the words of the engine's port.
    pub(crate) fn may_act(&self, now: Instant) -> Result<(), LedgerError> {
        match self.standing(now) {
            Standing::Holds => Ok(()),
            Standing::OutOfTouch => {
                let silent = self.among(|membership| membership.silent_for(now));
                let silent_ms = silent.unwrap_or_default().as_millis();
                Err(LedgerError::OutOfTouch {
                    silent_ms: u64::try_from(silent_ms).unwrap_or(u64::MAX),
                })
            }
            Standing::Over => Err(LedgerError::Fenced {
                epoch: self.epoch().0,
                newest: self.newest().0,
            }),
        }
    }

    /// The database has said that an epoch is over, and which is the newest.
    pub(crate) fn end(&self, ended: Epoch, newest: Epoch) {
        match &mut *self.held() {
            Held::Alone { epoch, over } if *epoch == ended => *over = Some(newest),
            Held::Among(membership) if membership.epoch() == ended => {
                membership.handle_over(newest);
            }
            _ => return,
        }
        self.changed.notify_one();
    }

    pub(crate) fn is_taken_over(&self) -> bool {
        self.newest() != self.epoch()
    }

    /// The newest epoch, as far as is known.
    fn newest(&self) -> Epoch {
        match &*self.held() {
            Held::Alone {
                over: Some(newest), ..
            } => *newest,
            Held::Among(membership) => membership.newest(),
            Held::Alone { epoch, .. } => *epoch,
            Held::ByNobody => Epoch::NONE,
        }
    }

    /// Does something with what a node knows of the others, where there are any.
    pub(crate) fn among<T>(&self, work: impl FnOnce(&mut Membership) -> T) -> Option<T> {
        match &mut *self.held() {
            Held::Among(membership) => Some(work(membership)),
            Held::ByNobody | Held::Alone { .. } => None,
        }
    }

    /// Waits until an epoch ends or another begins: for one who [keeps](super::Node::keep) the node.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
