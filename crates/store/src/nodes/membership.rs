//! What a node believes of itself and of the others, by its own monotonic clock.

use std::time::{Duration, Instant};

use super::Epoch;
use super::roster::NodeView;
use super::sightings::{Sightings, Suspect};

/// How often a node says that it lives.
pub(crate) const BEAT_EVERY: Duration = Duration::from_secs(2);
/// A heartbeat that is not answered for so long is given up, and the next one sent.
pub(crate) const BEAT_PATIENCE: Duration = Duration::from_millis(1_500);
/// How long a node believes in itself, from before it sent the last heartbeat that was answered.
pub(crate) const BELIEF: Duration = Duration::from_secs(7);
/// How long another one watches its heartbeats stand still before it declares the node gone.
pub(crate) const LEASE: Duration = Duration::from_secs(10);

/// Whether a node may act for what it holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// It may.
    Holds,
    /// The database has been silent for so long that another node may soon take over: nothing new begins here, what runs goes on.
    OutOfTouch,
    /// It was declared gone, or another process took the database over: its epoch never comes back.
    Over,
}

/// A node among others.
///
/// ```text
///   Holds ── 7 s without an answer ──► OutOfTouch ── answered ──► Holds
///     └───────────── the database says that we are gone ──► Over
/// ```
#[derive(Debug)]
pub(crate) struct Membership {
    epoch: Epoch,
    /// When the last heartbeat was sent that was answered.
    answered: Instant,
    /// When the next is to be sent.
    due: Instant,
    /// The newest epoch, once this one is over.
    over: Option<Epoch>,
    sightings: Sightings,
}

impl Membership {
    /// Of a node that joined by what it sent then.
    pub(crate) fn joined(epoch: Epoch, sent: Instant) -> Self {
        Self {
            epoch,
            answered: sent,
            due: sent,
            over: None,
            sightings: Sightings::default(),
        }
    }

    pub(crate) fn epoch(&self) -> Epoch {
        self.epoch
    }

    pub(crate) fn standing(&self, now: Instant) -> Standing {
        if self.over.is_some() {
            Standing::Over
        } else if self.silent_for(now) < BELIEF {
            Standing::Holds
        } else {
            Standing::OutOfTouch
        }
    }

    /// How long the database has not answered, as far as this node must assume.
    pub(crate) fn silent_for(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.answered)
    }

    /// Returns when there is something to do: send a heartbeat, or lose the belief in itself. None once it is over.
    pub(crate) fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        let doubt = Some(self.answered + BELIEF).filter(|doubt| *doubt > now);
        let next = doubt.map_or(self.due, |doubt| doubt.min(self.due));
        self.over.is_none().then_some(next)
    }

    /// Returns whether a heartbeat is to be sent now; then the next is due two seconds later.
    pub(crate) fn beat(&mut self, now: Instant) -> bool {
        let due = self.over.is_none() && now >= self.due;
        if due {
            self.due = now + BEAT_EVERY;
        }
        due
    }

    /// The heartbeat that was sent then is answered, with all nodes that are there.
    pub(crate) fn handle_answer(&mut self, now: Instant, sent: Instant, roster: Vec<NodeView>) {
        self.answered = self.answered.max(sent);
        let others = roster.into_iter().filter(|node| node.epoch != self.epoch);
        self.sightings.see(now, others);
    }

    /// The database says that this epoch is over, and which is the newest.
    pub(crate) fn handle_over(&mut self, newest: Epoch) {
        self.over = Some(newest);
    }

    /// Returns the newest epoch, as far as is known.
    pub(crate) fn newest(&self) -> Epoch {
        self.over.unwrap_or(self.epoch)
    }

    /// Returns who may be declared gone. One that does not know of itself judges nobody.
    pub(crate) fn suspects(&self, now: Instant) -> Vec<Suspect> {
        match self.standing(now) {
            Standing::Holds => self.sightings.silent(now, LEASE),
            Standing::OutOfTouch | Standing::Over => Vec::new(),
        }
    }

    /// How long another node's heartbeats have stood still; none if it was never seen.
    pub(crate) fn silence_of(&self, now: Instant, epoch: Epoch) -> Option<Duration> {
        self.sightings.silence_of(now, epoch)
    }

    pub(crate) fn others(&self) -> impl Iterator<Item = &NodeView> {
        self.sightings.nodes()
    }
}

#[cfg(test)]
mod tests {
    use super::super::NodeState;
    use super::*;

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    fn node(epoch: u64, beats: u64) -> NodeView {
        NodeView {
            epoch: Epoch(epoch),
            name: format!("n{epoch}"),
            url: format!("http://n{epoch}.example"),
            state: NodeState::Live,
            beats,
        }
    }

    #[test]
    fn a_node_believes_in_itself_from_before_it_asked() {
        let zero = Instant::now();
        let mut me = Membership::joined(Epoch(1), zero);
        assert!(me.beat(zero) && !me.beat(zero + secs(1)));
        // The answer took its time: what counts is when it was asked for.
        me.handle_answer(zero + secs(6), zero + secs(2), Vec::new());
        assert_eq!(me.standing(zero + secs(8)), Standing::Holds);
        assert_eq!(me.standing(zero + secs(9)), Standing::OutOfTouch);
        assert_eq!(me.poll_timeout(zero + secs(8)), Some(zero + secs(2)));
        me.handle_answer(zero + secs(12), zero + secs(11), Vec::new());
        assert_eq!(me.standing(zero + secs(12)), Standing::Holds);
        // An answer that comes late does not shorten what a later one gave.
        me.handle_answer(zero + secs(12), zero + secs(3), Vec::new());
        assert_eq!(me.standing(zero + secs(17)), Standing::Holds);
        me.handle_over(Epoch(2));
        assert_eq!(me.standing(zero + secs(17)), Standing::Over);
        assert!(!me.beat(zero + secs(60)));
        assert_eq!(me.poll_timeout(zero + secs(60)), None);
    }

    #[test]
    fn another_is_suspected_once_it_was_watched_standing_still_for_a_lease() {
        let zero = Instant::now();
        let mut me = Membership::joined(Epoch(2), zero);
        let mut see = |at, beats| {
            let now = zero + secs(at);
            me.handle_answer(now, now, vec![node(1, beats), node(2, 0)]);
            me.suspects(now).len()
        };
        assert_eq!(see(0, 7), 0);
        assert_eq!(see(2, 8), 0);
        for at in (4..12).step_by(2) {
            assert_eq!(see(at, 8), 0, "{at}");
        }
        assert_eq!(see(12, 8), 1);
        assert_eq!(see(14, 9), 0, "it beats again");
    }

    /// A database that was away for all is no reason to bury anybody.
    #[test]
    fn silence_counts_only_while_it_is_watched() {
        let zero = Instant::now();
        let mut me = Membership::joined(Epoch(2), zero);
        me.handle_answer(zero, zero, vec![node(1, 7)]);
        let back = zero + secs(60);
        assert!(me.suspects(back).is_empty(), "out of touch");
        me.handle_answer(back, back, vec![node(1, 7)]);
        assert!(me.suspects(back).is_empty(), "it has not had its chance");
        for at in (2..=10).step_by(2) {
            let now = back + secs(at);
            me.handle_answer(now, now, vec![node(1, 7)]);
        }
        let now = back + secs(10);
        let suspects = me.suspects(now);
        assert_eq!(suspects.len(), 1);
        assert_eq!((suspects[0].epoch, suspects[0].beats), (Epoch(1), 7));
        assert_eq!(me.silence_of(now, Epoch(1)), Some(secs(10)));
        me.handle_answer(now, now, Vec::new());
        assert_eq!(me.silence_of(now, Epoch(1)), None);
    }
}
