//! What changed a session's charge after its end.

use std::collections::BTreeMap;

use crate::{Cause, Corrected, Correction, Credits, Key, Transaction};

/// The end of a session, and what corrected it since.
#[derive(Debug, Default)]
pub(super) struct Corrections {
    /// What may be corrected, and how much of it is reversed.
    entries: BTreeMap<Key, (Transaction, Credits)>,
    told: Vec<Corrected>,
}

impl Corrections {
    /// Hears of the end, or of a correction that has been taken.
    pub(super) fn note(&mut self, entry: &Transaction) {
        self.told.extend(Corrected::told(entry));
        let known = (entry.clone(), Credits::ZERO);
        self.entries.insert(entry.key.clone(), known);
    }

    /// Takes a correction; none if it corrects nothing here, or more than there is.
    pub(super) fn take(&mut self, correction: &Transaction) -> Option<()> {
        let Cause::Corrected { of, .. } = &correction.cause else {
            return None;
        };
        if self.entries.contains_key(&correction.key) {
            return None;
        }
        let (entry, reversed) = self.entries.get_mut(of)?;
        *reversed = Correction::check(correction, entry, *reversed).ok()?;
        self.note(correction);
        Some(())
    }

    pub(super) fn told(&self) -> &[Corrected] {
        &self.told
    }
}
