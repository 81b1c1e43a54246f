//! The turn of those who append to the journal.
//!
//! In a program, entries wait in a queue: whoever gets the turn writes all that wait, in one transaction, which waits for the disk once (group
//! commit). Programs that share a database keep out of each other's way by its lock of the journal, or find that the number of an entry is taken.

use std::sync::{Mutex, PoisonError};

use housecall::ports::Recorded;
use housecall_meter::{Account, Cause, Transaction};
use sqlx::AnyConnection;
use tokio::sync::oneshot::{self, error::TryRecvError};
use tokio::sync::{MutexGuard, oneshot::Sender};
use tokio::time::timeout;

use crate::append::Append;
use crate::ledger::write_as;
use crate::standing::Standing;
use crate::store::Entries;
use crate::{Epoch, Store, StoreError};

type Outcome = Result<Recorded, StoreError>;

/// Who in this program is at the journal, and what waits.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    holder: tokio::sync::Mutex<Last>,
    waiting: Mutex<Vec<Waiting>>,
}

/// What this program wrote to the journal last, as far as the one who has the turn knows.
type Last = Option<Append>;

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
        let mut last = self.turn().await?;
        let mut heard = hear.try_recv();
        if matches!(heard, Err(TryRecvError::Empty)) {
            self.write_all(self.turn.take(), &mut last).await;
            heard = hear.try_recv();
        }
        // Whoever took it failed with the others, or went away in the middle.
        match heard {
            Ok(outcome) => outcome,
            Err(_) => self.write_alone(entry, &mut last).await,
        }
    }

    /// Writes what waits, together. Nobody hears of it where that fails.
    async fn write_all(&self, waiting: Vec<Waiting>, last: &mut Last) {
        if waiting.len() < 2 {
            return;
        }
        let epoch = self.tenure.epoch();
        let entries = waiting.iter().map(|waiting| &waiting.entry);
        let written = self.commit_all(epoch, last, |tx| write_each(tx, epoch, entries));
        let written = written.await;
        for (waiting, outcome) in waiting.into_iter().zip(written.unwrap_or_default()) {
            // Who does not wait any more sends it again, and hears it then.
            let _ = waiting.tell.send(outcome);
        }
    }

    async fn write_alone(&self, entry: &Transaction, last: &mut Last) -> Outcome {
        if stands_alone(entry) {
            *last = self.write_ahead(entry, last.take()).await?;
            if let Some(append) = last {
                return Ok(append.recorded());
            }
        }
        self.commit_one(self.tenure.epoch(), last, entry).await
    }

    /// Writes an entry of the common sort by one statement, without a transaction around it: at best on the assumption that nobody has written
    /// since this program did, which that statement tries, and else on what is read before. None, and nothing written, when there is more to it,
    /// or when another program was faster, or this node is gone.
    async fn write_ahead(
        &self,
        entry: &Transaction,
        last: Last,
    ) -> Result<Option<Append>, StoreError> {
        let Some(statement) = self.dialect().append_entry_if_so() else {
            return Ok(None);
        };
        let mut connection = self.pool().acquire().await?;
        if let Some(assumed) = last.and_then(|last| Standing::assumed_after(last, entry)) {
            let append = self.ahead(assumed, entry);
            let written = write_if_so(append, statement, &mut connection).await?;
            if written.is_some() {
                return Ok(written);
            }
        }
        let append = self.ahead(Standing::read(&mut connection, entry).await?, entry);
        write_if_so(append, statement, &mut connection).await
    }

    /// What that statement may write; none when there is more to it.
    fn ahead(&self, standing: Standing, entry: &Transaction) -> Option<Append> {
        if standing.key_is_known {
            return None;
        }
        // A refusal is decided in the turn, where one whose node is gone hears of that first.
        let append = standing.after(self.tenure.epoch(), entry).ok()?;
        let is_all = append.holder.watch.is_none() && !append.holder.has_changed();
        is_all.then_some(append)
    }

    /// Writes an entry in the name of an epoch that may not be this store's, as long as that is not over.
    pub(crate) async fn write_of(&self, epoch: Epoch, entry: &Transaction) -> Outcome {
        self.answered(async {
            let mut last = self.turn().await?;
            self.commit_one(epoch, &mut last, entry).await
        })
        .await
    }

    async fn commit_one(&self, epoch: Epoch, last: &mut Last, entry: &Transaction) -> Outcome {
        self.commit_all(epoch, last, |mut tx| async move {
            let recorded = write_as(&mut tx, epoch, entry).await?;
            Ok((tx, recorded))
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
            let mut last = self.turn().await?;
            let epoch = self.tenure.epoch();
            self.commit_all(epoch, &mut last, work).await
        })
        .await
    }

    /// The same for whoever has the turn, in the name of an epoch.
    async fn commit_all<T, F>(
        &self,
        epoch: Epoch,
        last: &mut Last,
        work: impl FnOnce(Entries) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<(Entries, T), StoreError>>,
    {
        *last = None;
        let (tx, done) = work(self.begin_as(epoch).await?).await?;
        tx.commit().await?;
        Ok(done)
    }

    /// Waits for the turn: first come, first served.
    async fn turn(&self) -> Result<MutexGuard<'_, Last>, StoreError> {
        let turn = timeout(self.patience, self.turn.holder.lock()).await;
        turn.map_err(|_| StoreError::Busy {
            waited: self.patience,
        })
    }
}

/// Gives back what was written; none, and nothing written, when another program was faster, or this node is gone.
async fn write_if_so(
    append: Option<Append>,
    statement: &'static str,
    connection: &mut AnyConnection,
) -> Result<Option<Append>, StoreError> {
    let Some(append) = append else {
        return Ok(None);
    };
    match append.write_if_so(statement, connection).await {
        Ok(is_so) => Ok(is_so.then_some(append)),
        Err(error) if error.is_taken() => Ok(None),
        Err(error) => Err(error),
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
