//! Entries on their way to the journal, and the proof that the first one arrived.

use std::collections::VecDeque;

use crate::{Key, Kind, Transaction};

/// Proof that the first block is reserved in the journal. Made only by [`Session::recorded`](crate::Session::recorded).
#[derive(Debug)]
#[must_use]
pub struct BlockGrant(()); // not Clone, not Copy: spent once

#[derive(Debug, Default)]
pub(super) struct Outbox {
    entries: VecDeque<Transaction>,
    /// The reservation that was handed out and is not known to be recorded.
    awaited: Option<Key>,
}

impl Outbox {
    pub(super) fn push(&mut self, entry: Transaction) {
        self.entries.push_back(entry);
    }

    pub(super) fn pop(&mut self) -> Option<Transaction> {
        if self.awaited.is_some() {
            return None;
        }
        let entry = self.entries.pop_front()?;
        if entry.kind == Kind::Reserve {
            self.awaited = Some(entry.key.clone());
        }
        Some(entry)
    }

    pub(super) fn recorded(&mut self, key: &Key) -> Option<BlockGrant> {
        self.awaited
            .take_if(|awaited| awaited == key)
            .map(|_| BlockGrant(()))
    }
}
