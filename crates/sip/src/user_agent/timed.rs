use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// Things by key, each of which may have a moment at which it wants to be woken; finding who is due costs O(log n).
///
/// Whoever is changed through [`TimedMap::get_mut`] may want to be woken at another moment afterwards. Its alarm is taken down at once
/// and set again later, so that no caller can forget to.
#[derive(Debug)]
pub(super) struct TimedMap<K, V> {
    // Boxed: a tree node holds eleven entries however few there are, and an agent often has one call.
    values: BTreeMap<K, Box<Slot<V>>>,
    /// The alarms of all that are not in `touched`, earliest first.
    alarms: BTreeSet<(Instant, K)>,
    touched: Vec<K>,
}

/// What may want to be woken.
pub(super) trait Timed {
    /// When there is next something to do, if ever.
    fn next_timeout(&self) -> Option<Instant>;
}

#[derive(Debug)]
struct Slot<V> {
    alarm: Alarm,
    value: V,
}

#[derive(Clone, Copy, Debug)]
enum Alarm {
    Off,
    At(Instant),
    /// Not in the order: the key is in `touched`.
    Touched,
}

impl<K: Clone + Ord, V: Timed> TimedMap<K, V> {
    /// Changed values whose alarms are not set again yet; looked through one by one.
    const TOUCHED_MAX: usize = 8;

    pub(super) fn new() -> Self {
        Self {
            values: BTreeMap::new(),
            alarms: BTreeSet::new(),
            touched: Vec::new(),
        }
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.values.get(key).map(|slot| &slot.value)
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        if self.touched.len() >= Self::TOUCHED_MAX {
            self.settle();
        }
        let slot = self.values.get_mut(key)?;
        match std::mem::replace(&mut slot.alarm, Alarm::Touched) {
            Alarm::Touched => {}
            Alarm::Off => self.touched.push(key.clone()),
            Alarm::At(at) => {
                self.touched.push(key.clone());
                self.alarms.remove(&(at, key.clone()));
            }
        }
        Some(&mut slot.value)
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        self.remove(&key);
        let alarm = match value.next_timeout() {
            None => Alarm::Off,
            Some(at) => {
                self.alarms.insert((at, key.clone()));
                Alarm::At(at)
            }
        };
        self.values.insert(key, Box::new(Slot { alarm, value }));
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        let slot = self.values.remove(key)?;
        match slot.alarm {
            Alarm::Off => {}
            Alarm::At(at) => drop(self.alarms.remove(&(at, key.clone()))),
            Alarm::Touched => self.touched.retain(|touched| touched != key),
        }
        Some(slot.value)
    }

    pub(super) fn contains_key(&self, key: &K) -> bool {
        self.values.contains_key(key)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// All of them in order of their keys.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.values.iter().map(|(key, slot)| (key, &slot.value))
    }

    /// The earliest moment at which somebody wants to be woken.
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let first = self.alarms.first().map(|(at, _)| *at);
        let touched = self.touched.iter();
        let touched = touched.filter_map(|key| self.get(key)?.next_timeout());
        first.into_iter().chain(touched).min()
    }

    /// Everybody who wanted to be woken by now, earliest first.
    pub(super) fn due(&mut self, now: Instant) -> Vec<K> {
        self.settle();
        let due = self.alarms.iter().take_while(|(at, _)| *at <= now);
        due.map(|(_, key)| key.clone()).collect()
    }

    /// Sets the alarms of all that were changed.
    fn settle(&mut self) {
        for key in self.touched.drain(..) {
            let Some(slot) = self.values.get_mut(&key) else {
                continue;
            };
            slot.alarm = match slot.value.next_timeout() {
                None => Alarm::Off,
                Some(at) => {
                    self.alarms.insert((at, key));
                    Alarm::At(at)
                }
            };
        }
    }
}

impl<K: Clone + Ord, V: Timed> Extend<(K, V)> for TimedMap<K, V> {
    fn extend<T: IntoIterator<Item = (K, V)>>(&mut self, values: T) {
        for (key, value) in values {
            self.insert(key, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    use super::*;

    impl Timed for Option<Instant> {
        fn next_timeout(&self) -> Option<Instant> {
            *self
        }
    }

    /// Whatever is done to the map, it wakes the same at the same time as one that looks at everything.
    #[test]
    fn the_order_is_that_of_looking_at_everything() {
        for seed in 0..200 {
            let mut random = StdRng::seed_from_u64(seed);
            let zero = Instant::now();
            let mut map = TimedMap::new();
            for _ in 0..300 {
                let key = random.random_range(0..40_u32);
                let at = zero + Duration::from_millis(random.random_range(0..100));
                match random.random_range(0..5) {
                    0 => map.insert(key, Some(at)),
                    1 => drop(map.remove(&key)),
                    2 => drop(map.get_mut(&key).map(Option::take)),
                    _ => drop(map.get_mut(&key).map(|value| value.replace(at))),
                }
                let expected = map.iter().filter_map(|(_, at)| *at).min();
                assert_eq!(map.next_timeout(), expected, "seed {seed}");
                if random.random_range(0..8) == 0 {
                    let mut due = map.due(at);
                    due.sort_unstable();
                    let expected = map
                        .iter()
                        .filter(|(_, value)| value.is_some_and(|v| v <= at));
                    let expected: Vec<u32> = expected.map(|(key, _)| *key).collect();
                    assert_eq!(due, expected, "seed {seed}");
                }
            }
        }
    }
}
