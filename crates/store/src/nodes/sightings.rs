//! What a node has seen of the others.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::Epoch;
use super::membership::BELIEF;
use super::roster::NodeView;

/// The other nodes, as they were when the database last spoke of them.
#[derive(Debug, Default)]
pub(crate) struct Sightings {
    nodes: BTreeMap<Epoch, Sighting>,
    looked: Option<Instant>,
}

#[derive(Debug)]
struct Sighting {
    node: NodeView,
    /// Since when its heartbeats have been watched standing still.
    still_since: Instant,
}

/// A node whose heartbeats stand still.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Suspect {
    pub(crate) epoch: Epoch,
    /// Where they stand: it is gone only if they still do when that is written.
    pub(crate) beats: u64,
}

impl Sightings {
    /// All that are there. Who is not among them is forgotten.
    pub(crate) fn see(&mut self, now: Instant, there: impl Iterator<Item = NodeView>) {
        let mut before = std::mem::take(&mut self.nodes);
        if !self.has_watched(now) {
            before.clear();
        }
        self.looked = Some(now);
        for node in there {
            let same = before.remove(&node.epoch);
            let same = same.filter(|seen| seen.node.beats == node.beats);
            let still_since = same.map_or(now, |seen| seen.still_since);
            self.nodes
                .insert(node.epoch, Sighting { node, still_since });
        }
    }

    /// False after a gap: the others may have had no way to beat either.
    fn has_watched(&self, now: Instant) -> bool {
        let gap = self
            .looked
            .map(|looked| now.saturating_duration_since(looked));
        gap.is_some_and(|gap| gap < BELIEF)
    }

    pub(crate) fn silent(&self, now: Instant, at_least: Duration) -> Vec<Suspect> {
        let seen = self.nodes.iter();
        let silent = seen.filter(|(_, seen)| seen.silence(now) >= at_least);
        silent
            .map(|(epoch, seen)| Suspect {
                epoch: *epoch,
                beats: seen.node.beats,
            })
            .collect()
    }

    pub(crate) fn silence_of(&self, now: Instant, epoch: Epoch) -> Option<Duration> {
        self.nodes.get(&epoch).map(|seen| seen.silence(now))
    }

    pub(crate) fn nodes(&self) -> impl Iterator<Item = &NodeView> {
        self.nodes.values().map(|seen| &seen.node)
    }
}

impl Sighting {
    fn silence(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.still_since)
    }
}
