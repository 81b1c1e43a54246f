//! The turn of those who append to the journal.
//!
//! In a program, entries wait in a queue: whoever gets the turn writes all that wait, in one transaction, which waits for the disk once (group
//! commit). Programs that share a database keep out of each other's way by its lock of the journal, or find that the number of an entry is taken.

use std::sync::{Mutex, PoisonError};

use housecall::ports::Recorded;
use housecall_meter::{Account, Cause, Transaction};
use tokio::sync::oneshot::{self, error::TryRecvError};
use tokio::sync::{MutexGuard, oneshot::Sender};
use tokio::time::timeout;

use crate::ledger::write_as;
use crate::standing::Standing;
use crate::store::Entries;
use crate::{Epoch, Store, StoreError};

type Outcome = Result<Recorded, StoreError>;

/// Who in this program is at the journal, and what waits.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    holder: tokio::sync::Mutex<()>,
    waiting: Mutex<Vec<Waiting>>,
}

/// An entry that whoever has the turn may write, and who is to hear of it.
#[derive(Debug)]
struct Waiting {
    entry: Transaction,
    tell: Sender<Outcome>,
}

impl Turn {
    fn queue(&self, waiting: Waiting) {
        let mut queue = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        queue.push(waiting);
    }

    /// All that waits, except what nobody waits for any more.
    fn take(&self) -> Vec<Waiting> {
        let mut queue = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut waiting = std::mem::take(&mut *queue);
        waiting.retain(|waiting| !waiting.tell.is_closed());
        waiting
    }
}

impl Store {
    /// Writes an entry with all that follows from it, or nothing.
    pub(crate) async fn write(&self, entry: &Transaction) -> Outcome {
        // A leg of a transfer is written with the other one: see `Store::transfer`.
        if entry.posted(Account::Transferred) != 0 {
            return Err(StoreError::Unbalanced {
                key: entry.key.clone(),
            });
        }
        self.answered(self.write_in_turn(entry)).await
    }

    async fn write_in_turn(&self, entry: &Transaction) -> Outcome {
        let (tell, mut hear) = oneshot::channel();
        let entry_waiting = Waiting {
            entry: entry.clone(),
            tell,
        };
        self.turn.queue(entry_waiting);
        let _turn = self.turn().await?;
        let mut heard = hear.try_recv();
        if matches!(heard, Err(TryRecvError::Empty)) {
            self.write_all(self.turn.take()).await;
            heard = hear.try_recv();
        }
        // Whoever took it failed with the others, or went away in the middle.
        match heard {
            Ok(outcome) => outcome,
            Err(_) => self.write_alone(entry).await,
        }
    }

    /// Writes what waits, together. Nobody hears of it where that fails.
    async fn write_all(&self, waiting: Vec<Waiting>) {
        if waiting.len() < 2 {
            return;
        }
        let epoch = self.tenure.epoch();
        let entries = waiting.iter().map(|waiting| &waiting.entry);
        let written = self.commit_all(|tx| write_each(tx, epoch, entries)).await;
        for (waiting, outcome) in waiting.into_iter().zip(written.unwrap_or_default()) {
            // Who does not wait any more sends it again, and hears it then.
            let _ = waiting.tell.send(outcome);
        }
    }

    async fn write_alone(&self, entry: &Transaction) -> Outcome {
        if let Some(recorded) = self.write_ahead(entry).await? {
            return Ok(recorded);
        }
        let epoch = self.tenure.epoch();
        self.commit_all(|mut tx| async move {
            let recorded = write_as(&mut tx, epoch, entry).await?;
            Ok((tx, recorded))
        })
        .await
    }

    /// Writes an entry of the common sort without a transaction around it, where one statement can. None, and nothing written, when there is
    /// more to it, or when another program was faster, so that the number of the entry is taken, or this node is gone.
    async fn write_ahead(&self, entry: &Transaction) -> Result<Option<Recorded>, StoreError> {
        if !self.dialect().appends_as_one() || !stands_alone(entry) {
            return Ok(None);
        }
        let mut connection = self.pool().acquire().await?;
        let standing = Standing::read(&mut connection, entry).await?;
        if standing.key_is_known {
            return Ok(None);
        }
        // A refusal is decided in the turn, where one whose node is gone hears of that first.
        let Ok(append) = standing.after(self.tenure.epoch(), entry) else {
            return Ok(None);
        };
        if append.holder.watch.is_some() || append.holder.has_changed() {
            return Ok(None);
        }
        match append.write(&mut connection).await {
            Ok(()) => Ok(Some(append.recorded())),
            Err(error) if error.is_taken() || error.is_fenced() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes an entry in the name of an epoch that may not be this store's, as long as that is not over.
    pub(crate) async fn write_of(&self, epoch: Epoch, entry: &Transaction) -> Outcome {
        self.answered(async {
            let _turn = self.turn().await?;
            let mut tx = self.begin_as(epoch).await?;
            let recorded = write_as(&mut tx, epoch, entry).await?;
            tx.commit().await?;
            Ok(recorded)
        })
        .await
    }

    /// Does what appends to the journal, alone, and gives up on a server that says nothing at all. All of it is written, or nothing when it
    /// fails: `work` gives back the transaction that it is to be committed with.
    pub(crate) async fn in_turn<T, F>(
        &self,
        work: impl FnOnce(Entries) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<(Entries, T), StoreError>>,
    {
        self.answered(async {
            let _turn = self.turn().await?;
            self.commit_all(work).await
        })
        .await
    }

    /// The same for whoever has the turn.
    async fn commit_all<T, F>(&self, work: impl FnOnce(Entries) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<(Entries, T), StoreError>>,
    {
        let (tx, done) = work(self.begin_entry().await?).await?;
        tx.commit().await?;
        Ok(done)
    }

    /// Waits for the turn: first come, first served.
    async fn turn(&self) -> Result<MutexGuard<'_, ()>, StoreError> {
        let turn = timeout(self.patience, self.turn.holder.lock()).await;
        turn.map_err(|_| StoreError::Busy {
            waited: self.patience,
        })
    }
}

/// Writes entries, each of which may be refused; fails as a whole with the database.
async fn write_each(
    mut tx: Entries,
    epoch: Epoch,
    entries: impl Iterator<Item = &Transaction>,
) -> Result<(Entries, Vec<Outcome>), StoreError> {
    let mut outcomes = Vec::new();
    for entry in entries {
        match write_as(&mut tx, epoch, entry).await {
            Err(error) if error.is_away() => return Err(error),
            outcome => outcomes.push(outcome),
        }
    }
    Ok((tx, outcomes))
}

/// Whether an entry neither reverses nor follows another that must be looked for, and is of a session or not as its cause says.
fn stands_alone(entry: &Transaction) -> bool {
    match &entry.cause {
        Cause::Corrected { .. } | Cause::Message(_) => false,
        cause => cause.is_of_session() == entry.session.is_some(),
    }
}
