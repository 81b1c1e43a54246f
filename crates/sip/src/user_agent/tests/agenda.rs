use std::collections::BTreeMap;
use std::time::Instant;

/// What is to happen, by its moment; at the same moment in the order in which it was put down.
pub(super) struct Agenda<T> {
    entries: BTreeMap<(Instant, u64), T>,
    last: u64,
}

impl<T> Agenda<T> {
    pub(super) fn new() -> Self {
        Self {
            entries: BTreeMap::new(),
            last: 0,
        }
    }

    pub(super) fn put(&mut self, at: Instant, what: T) {
        self.last += 1;
        self.entries.insert((at, self.last), what);
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.entries.keys().next().map(|(at, _)| *at)
    }

    pub(super) fn take_due(&mut self, now: Instant) -> Option<T> {
        let first = self.entries.first_entry();
        let due = first.filter(|entry| entry.key().0 <= now);
        due.map(|entry| entry.remove())
    }
}
