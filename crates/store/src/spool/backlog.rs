//! What waits for the database.

use std::collections::{BTreeMap, VecDeque};
use std::io;

use housecall_meter::{Millis, SessionId, Transaction};

use super::disk::Disk;
use super::log::{Found, Log, NotKept};
use super::record::{Record, What};
use crate::Epoch;

/// Entries in the order they came, and then the last sign of life of each session: a later one says all that an earlier one did, and the end of
/// a session says more than either. All of it is on the disk as well, and perhaps something that does not wait any more.
#[derive(Debug)]
pub(crate) struct Backlog<D> {
    log: Log<D>,
    entries: VecDeque<(Epoch, Transaction)>,
    alive: BTreeMap<SessionId, (Epoch, Millis)>,
}

impl<D: Disk> Backlog<D> {
    /// Begins with what a process left. Says what of it could not be read.
    pub(crate) fn open(disk: D) -> io::Result<(Self, Found)> {
        let (log, mut found) = Log::open(disk)?;
        let mut backlog = Self {
            log,
            entries: VecDeque::new(),
            alive: BTreeMap::new(),
        };
        for record in found.records.drain(..) {
            backlog.push(record);
        }
        Ok((backlog, found))
    }

    /// Takes a record: it is on the disk when this returns.
    pub(crate) fn keep(&mut self, record: Record) -> Result<(), NotKept> {
        self.log.append(&record)?;
        self.push(record);
        Ok(())
    }

    fn push(&mut self, Record { epoch, what }: Record) {
        match what {
            What::Entry(entry) => self.entries.push_back((epoch, entry)),
            What::Alive { session, at } => {
                let last = self.alive.entry(session).or_insert((epoch, at));
                *last = (*last).max((epoch, at));
            }
        }
    }

    /// Returns what the database is to be told next.
    pub(crate) fn next(&self) -> Option<Record> {
        if let Some((epoch, entry)) = self.entries.front() {
            let what = What::Entry(entry.clone());
            return Some(Record {
                epoch: *epoch,
                what,
            });
        }
        let (session, (epoch, at)) = self.alive.first_key_value()?;
        let what = What::Alive {
            session: session.clone(),
            at: *at,
        };
        Some(Record {
            epoch: *epoch,
            what,
        })
    }

    /// The database has heard that, or will never take it. A sign of life that came later stays.
    pub(crate) fn done(&mut self, record: &Record) {
        match &record.what {
            What::Entry(entry) => {
                let first = self.entries.front();
                if first.is_some_and(|(_, first)| first.key == entry.key) {
                    self.entries.pop_front();
                }
            }
            What::Alive { session, at } => {
                if self.alive.get(session) == Some(&(record.epoch, *at)) {
                    self.alive.remove(session);
                }
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.alive.is_empty()
    }

    /// Cuts the log to nothing, once nothing waits.
    pub(crate) fn clear(&mut self) -> io::Result<()> {
        debug_assert!(self.is_empty());
        self.log.clear()
    }

    /// Keeps a record for a person that the journal refuses for good.
    pub(crate) fn set_aside(&mut self, record: &Record) -> io::Result<()> {
        self.log.set_aside(record)
    }

    pub(crate) fn disk(&self) -> &D {
        self.log.disk()
    }

    #[cfg(test)]
    pub(crate) fn waiting(&self) -> Vec<Record> {
        let entry = |(epoch, entry): &(Epoch, Transaction)| Record {
            epoch: *epoch,
            what: What::Entry(entry.clone()),
        };
        let alive = |(session, (epoch, at)): (&SessionId, &(Epoch, Millis))| Record {
            epoch: *epoch,
            what: What::Alive {
                session: session.clone(),
                at: *at,
            },
        };
        let entries = self.entries.iter().map(entry);
        entries.chain(self.alive.iter().map(alive)).collect()
    }
}
