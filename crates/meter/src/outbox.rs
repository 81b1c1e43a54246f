//! Entries on their way to the journal.

use std::collections::VecDeque;

use crate::{Key, Transaction};

/// Entries in their order. Nothing overtakes one that the journal may refuse, and nothing follows it until the journal has it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outbox {
    entries: VecDeque<Transaction>,
    /// What was handed out, may be refused, and is not known to be recorded.
    awaited: Option<Key>,
}

impl Outbox {
    pub(crate) fn push(&mut self, entry: Transaction) {
        self.entries.push_back(entry);
    }

    pub(crate) fn pop(&mut self) -> Option<Transaction> {
        if self.awaited.is_some() {
            return None;
        }
        let entry = self.entries.pop_front()?;
        if entry.must_be_covered {
            self.awaited = Some(entry.key.clone());
        }
        Some(entry)
    }

    /// Hears what the journal said of an entry; true when that was awaited.
    pub(crate) fn answered(&mut self, key: &Key) -> bool {
        self.awaited.take_if(|awaited| awaited == key).is_some()
    }

    /// Whether something is on its way that the journal may refuse.
    pub(crate) fn is_waiting(&self) -> bool {
        self.awaited.is_some() || !self.entries.is_empty()
    }
}
