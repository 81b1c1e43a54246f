//! When each machine of a shard wants to be woken.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::time::Instant;

/// One deadline for each machine, the earliest first.
#[derive(Debug)]
pub(crate) struct Timers<K> {
    queue: BTreeSet<(Instant, K)>,
    set: HashMap<K, Instant>,
}

impl<K: Copy + Eq + Hash + Ord> Timers<K> {
    pub(crate) fn new() -> Self {
        Self {
            queue: BTreeSet::new(),
            set: HashMap::new(),
        }
    }

    /// Sets, moves or clears the deadline of `machine`.
    pub(crate) fn set(&mut self, machine: K, deadline: Option<Instant>) {
        let old = self.set.get(&machine).copied();
        // Most packets leave it where it was.
        if old == deadline {
            return;
        }
        if let Some(old) = old {
            self.set.remove(&machine);
            self.queue.remove(&(old, machine));
        }
        if let Some(deadline) = deadline {
            self.set.insert(machine, deadline);
            self.queue.insert((deadline, machine));
        }
    }

    /// Returns the earliest deadline.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.queue.first().map(|(deadline, _)| *deadline)
    }

    /// Whether any deadline has come.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.next().is_some_and(|deadline| deadline <= now)
    }

    /// Takes one machine whose deadline has come.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<K> {
        let due = self.queue.first().filter(|(deadline, _)| *deadline <= now);
        let (_, machine) = due.copied()?;
        self.set(machine, None);
        Some(machine)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn machines_come_in_the_order_of_their_deadlines() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut timers = Timers::new();
        timers.set('b', Some(at(20)));
        timers.set('a', Some(at(30)));
        timers.set('a', Some(at(10)));
        timers.set('c', Some(at(5)));
        timers.set('c', None);
        assert_eq!(timers.next(), Some(at(10)));
        assert_eq!(timers.take_due(at(9)), None);
        assert_eq!(timers.take_due(at(25)), Some('a'));
        assert_eq!(timers.take_due(at(25)), Some('b'));
        assert_eq!(timers.take_due(at(25)), None);
    }
}
