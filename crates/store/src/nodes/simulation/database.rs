//! The database of the simulation: each function is one statement or transaction of the real one, whole or not at all.

use std::collections::BTreeMap;

use housecall_meter::{
    AccountId, Books, Credits, Fact, Kind, Millis, Session, SessionId, Transaction,
};

use super::super::sightings::Suspect;
use super::super::{Epoch, NodeState, NodeView};

pub(super) struct Database {
    pub(super) nodes: BTreeMap<Epoch, NodeView>,
    pub(super) claims: BTreeMap<u64, Epoch>,
    pub(super) sessions: BTreeMap<SessionId, Row>,
    pub(super) books: Books,
    pub(super) journal: Vec<Transaction>,
    /// When each was written, by the clock on the wall of whoever wrote it: for display.
    pub(super) walls: Vec<i64>,
    /// Entries that were refused because their node was gone.
    pub(super) fenced: u64,
}

pub(super) struct Row {
    pub(super) epoch: Epoch,
    pub(super) evidence_ms: u64,
    pub(super) ended: bool,
}

#[derive(Debug, Eq, PartialEq)]
pub(super) enum Written {
    Done,
    Fenced,
    Refused,
}

impl Database {
    pub(super) fn new(practice: &AccountId, bought: Credits) -> Self {
        let bought = Transaction::grant("1", practice.clone(), bought, "bought");
        let mut books = Books::default();
        books.record(&bought).unwrap();
        Self {
            nodes: BTreeMap::new(),
            claims: BTreeMap::new(),
            sessions: BTreeMap::new(),
            books,
            journal: vec![bought],
            walls: vec![0],
            fenced: 0,
        }
    }

    pub(super) fn enter(&mut self) -> Epoch {
        let epoch = Epoch(self.nodes.len() as u64 + 1);
        let node = NodeView {
            epoch,
            name: String::new(),
            url: String::new(),
            state: NodeState::Live,
            beats: 0,
        };
        self.nodes.insert(epoch, node);
        epoch
    }

    pub(super) fn is_gone(&self, epoch: Epoch) -> bool {
        self.nodes[&epoch].state == NodeState::Gone
    }

    pub(super) fn newest(&self) -> Epoch {
        *self.nodes.last_key_value().unwrap().0
    }

    pub(super) fn beat(&mut self, epoch: Epoch) -> Option<Vec<NodeView>> {
        if self.is_gone(epoch) {
            return None;
        }
        self.nodes.get_mut(&epoch).unwrap().beats += 1;
        let there = self.nodes.values();
        let there = there.filter(|node| node.state != NodeState::Gone);
        Some(there.cloned().collect())
    }

    pub(super) fn bury(&mut self, by: Epoch, suspect: Suspect) -> bool {
        let node = &self.nodes[&suspect.epoch];
        let is_still = node.beats == suspect.beats && node.state != NodeState::Gone;
        if !is_still || self.is_gone(by) {
            return false;
        }
        self.leave(suspect.epoch);
        true
    }

    /// From now on it takes nothing new.
    pub(super) fn drain(&mut self, epoch: Epoch) {
        let node = self.nodes.get_mut(&epoch).unwrap();
        if node.state == NodeState::Live {
            node.state = NodeState::Draining;
        }
    }

    pub(super) fn leave(&mut self, epoch: Epoch) {
        self.nodes.get_mut(&epoch).unwrap().state = NodeState::Gone;
        self.claims.retain(|_, owner| *owner != epoch);
    }

    pub(super) fn claim(&mut self, room: u64, epoch: Epoch) -> bool {
        if self.nodes[&epoch].state != NodeState::Live {
            return false;
        }
        let owner = self.claims.get(&room).copied();
        let is_free = owner.is_none_or(|owner| owner == epoch || self.is_gone(owner));
        if is_free {
            self.claims.insert(room, epoch);
        }
        is_free
    }

    pub(super) fn write(&mut self, epoch: Epoch, entry: &Transaction, wall_ms: i64) -> Written {
        if self.is_gone(epoch) {
            self.fenced += 1;
            return Written::Fenced;
        }
        if self.journal.iter().any(|known| known == entry) {
            return Written::Done;
        }
        let session = entry.session.clone().unwrap();
        let is_open = self.sessions.get(&session).is_some_and(|row| !row.ended);
        if (entry.kind == Kind::Reserve) == self.sessions.contains_key(&session)
            || (entry.kind != Kind::Reserve && !is_open)
            || self.books.record(entry).is_err()
        {
            return Written::Refused;
        }
        let row = self.sessions.entry(session).or_insert(Row {
            epoch,
            evidence_ms: 0,
            ended: false,
        });
        row.evidence_ms = row.evidence_ms.max(entry.at.0);
        row.ended = entry.kind.ends_session();
        self.journal.push(entry.clone());
        self.walls.push(wall_ms);
        Written::Done
    }

    pub(super) fn note_alive(&mut self, session: &SessionId, at_ms: u64) {
        let Some(epoch) = self.sessions.get(session).map(|row| row.epoch) else {
            return;
        };
        if self.is_gone(epoch) {
            return;
        }
        let row = self.sessions.get_mut(session).unwrap();
        if !row.ended {
            row.evidence_ms = row.evidence_ms.max(at_ms);
        }
    }

    /// Sessions without an end whose nodes are gone.
    pub(super) fn left_open(&self) -> Vec<SessionId> {
        let left = self.sessions.iter();
        let left = left.filter(|(_, row)| !row.ended && self.is_gone(row.epoch));
        left.map(|(session, _)| session.clone()).collect()
    }

    /// What closes a session that was left open, at its last evidence.
    pub(super) fn end_of(&self, session: &SessionId) -> Vec<Transaction> {
        let last_evidence = Millis(self.sessions[session].evidence_ms);
        let mut replayed = Session::replay(&self.entries(session)).unwrap();
        let recovered = Fact::Recovered { last_evidence };
        replayed.handle_input(last_evidence, recovered).unwrap();
        std::iter::from_fn(|| replayed.poll_output()).collect()
    }

    pub(super) fn entries(&self, session: &SessionId) -> Vec<Transaction> {
        let own = self.journal.iter();
        own.filter(|entry| entry.session.as_ref() == Some(session))
            .cloned()
            .collect()
    }
}
