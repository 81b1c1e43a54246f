//! Tells the database what happened while it was away.

use housecall::ports::Recorded;
use housecall_meter::{Kind, Transaction};

use super::backlog::Backlog;
use super::disk::OwnFile;
use super::record::{Record, What};
use crate::{Store, StoreError};

/// What became of a record.
pub(super) enum Replayed {
    /// The journal has the entry, now or for long.
    Written(Recorded),
    /// The sign of life is noted, unless its session has ended.
    Noted,
    /// The journal will never take it.
    Refused(StoreError),
}

/// How much of what a process left became what.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) written: u64,
    pub(super) already: u64,
    pub(super) refused: u64,
}

impl Store {
    /// Tells the database a record in the name of its epoch.
    ///
    /// # Errors
    /// The database is away.
    pub(super) async fn replay(&self, record: &Record) -> Result<Replayed, StoreError> {
        let told = match &record.what {
            What::Entry(entry) => self.write_of(record.epoch, entry).await,
            What::Alive { session, at } => {
                let noted = self.answered(self.note_alive(session, at.0)).await;
                return noted.map(|()| Replayed::Noted);
            }
        };
        match told {
            Ok(recorded) => Ok(Replayed::Written(recorded)),
            Err(error) if error.is_away() && !error.is_about_what_was_sent() => Err(error),
            Err(refused) => Ok(Replayed::Refused(refused)),
        }
    }

    /// Tells the database all that a process left which is no more.
    pub(super) async fn replay_all(
        &self,
        backlog: &mut Backlog<OwnFile>,
    ) -> Result<Counts, StoreError> {
        let mut counts = Counts::default();
        while let Some(record) = backlog.next() {
            match self.replay(&record).await? {
                Replayed::Written(Recorded { already: true, .. }) => counts.already += 1,
                Replayed::Written(_) | Replayed::Noted => counts.written += 1,
                Replayed::Refused(error) => {
                    counts.refused += 1;
                    refuse(backlog, &record, &error);
                }
            }
            backlog.done(&record);
        }
        Ok(counts)
    }
}

/// Keeps what the journal refuses, for a person to look at.
pub(super) fn refuse(backlog: &mut Backlog<OwnFile>, record: &Record, error: &StoreError) {
    let What::Entry(Transaction { key, kind, .. }) = &record.what else {
        return;
    };
    if *kind == Kind::Release {
        // Of a session that never began, or that others have ended: nothing is owed.
        tracing::debug!(%error, %key, "nothing to release");
        return;
    }
    let aside = backlog.disk().aside();
    match backlog.set_aside(record) {
        Ok(()) => {
            tracing::error!(%error, %key, epoch = %record.epoch, file = %aside.display(), "an entry from the spool is not charged, and kept in this file");
        }
        Err(why) => {
            tracing::error!(%error, %key, epoch = %record.epoch, %why, "an entry from the spool is not charged, nor kept");
        }
    }
}
