//! A room of the simulation: a session, and what of it is not yet in the database or on the disk.

use std::time::Instant;

use housecall_meter::{Fact, Millis, Session, Transaction};
use rand::RngExt;
use rand::rngs::StdRng;

use super::super::Epoch;
use super::database::{Database, Written};
use crate::spool::{Backlog, Platter, Record, What};

const EVIDENCE_MS: u64 = 5_000;

pub(super) struct Room {
    pub(super) session: Session,
    began: Instant,
    unwritten: Vec<Transaction>,
    evidence_ms: u64,
}

impl Room {
    pub(super) fn new(session: Session, began: Instant) -> Self {
        Self {
            session,
            began,
            unwritten: Vec::new(),
            evidence_ms: 0,
        }
    }

    /// Lets the session go on, and perhaps end. Returns whether the node is gone, as the database says.
    pub(super) fn turn(
        &mut self,
        now: Instant,
        line: &mut Line<'_>,
        db: &mut Database,
        random: &mut StdRng,
    ) -> bool {
        let at = self.elapsed(now);
        if self.session.settled().is_none() {
            self.session.handle_timeout(Millis(at));
            if random.random_bool(0.002) {
                self.session.handle_input(Millis(at), Fact::Ended).unwrap();
            }
        }
        while let Some(entry) = self.session.poll_output() {
            self.unwritten.push(entry);
        }
        self.flush(at, line, db, random)
    }

    /// Whether it has ended, and nothing of it waits.
    pub(super) fn is_over(&self, waiting: &[Record]) -> bool {
        let is_of_it = |record: &Record| match &record.what {
            What::Entry(entry) => entry.session.as_ref() == Some(self.session.id()),
            What::Alive { .. } => false,
        };
        let has_all = self.unwritten.is_empty() && !waiting.iter().any(is_of_it);
        self.session.settled().is_some() && has_all
    }

    pub(super) fn elapsed(&self, now: Instant) -> u64 {
        u64::try_from(now.duration_since(self.began).as_millis()).unwrap()
    }

    /// Returns whether the node is gone, as the database says. What is lost on its way is kept, and told later.
    fn flush(
        &mut self,
        at: u64,
        line: &mut Line<'_>,
        db: &mut Database,
        random: &mut StdRng,
    ) -> bool {
        while let Some(entry) = self.unwritten.first() {
            match line.send(entry, db, random) {
                Some(Written::Done) => drop(self.unwritten.remove(0)),
                Some(Written::Fenced) => return true,
                Some(Written::Refused) => panic!("{entry:?} is refused"),
                None if line.keep(What::Entry(entry.clone())) => drop(self.unwritten.remove(0)),
                None => return false,
            }
        }
        if at >= self.evidence_ms + EVIDENCE_MS && self.session.settled().is_none() {
            self.evidence_ms = at;
            let session = self.session.id().clone();
            if line.is_open() {
                db.note_alive(&session, at);
            } else {
                let at = Millis(at);
                // One that is lost is followed by another.
                let _ = line.keep(What::Alive { session, at });
            }
        }
        false
    }
}

/// What is between a session and the database.
pub(super) struct Line<'a> {
    pub(super) link: bool,
    pub(super) epoch: Epoch,
    pub(super) wall_ms: i64,
    pub(super) backlog: &'a mut Backlog<Platter>,
}

impl Line<'_> {
    /// Whether nothing waits before what comes.
    fn is_open(&self) -> bool {
        self.link && self.backlog.is_empty()
    }

    /// What the database says; none if nothing comes back. Then it may have it, or not.
    fn send(&self, entry: &Transaction, db: &mut Database, random: &mut StdRng) -> Option<Written> {
        if !self.is_open() || random.random_bool(0.1) {
            return None;
        }
        let written = db.write(self.epoch, entry, self.wall_ms);
        (!random.random_bool(0.1)).then_some(written)
    }

    /// Whether it is on the disk.
    fn keep(&mut self, what: What) -> bool {
        let epoch = self.epoch;
        self.backlog.keep(Record { epoch, what }).is_ok()
    }
}
