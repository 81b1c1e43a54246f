use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What goes wrong with the SIP messages that the network sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// This many messages are lost, from the first on.
    pub lose_first: u32,
    /// Every message comes this much later.
    pub delay: Duration,
}

/// The way out of the network, on which messages are lost and late.
#[derive(Debug)]
pub(crate) struct Way<T> {
    faults: Faults,
    lost: u32,
    going: VecDeque<(Instant, T)>,
}

impl<T> Way<T> {
    pub(crate) fn new(faults: Faults) -> Way<T> {
        Way {
            faults,
            lost: 0,
            going: VecDeque::new(),
        }
    }

    pub(crate) fn send(&mut self, now: Instant, message: T) {
        if self.lost < self.faults.lose_first {
            self.lost += 1;
        } else {
            self.going.push_back((now + self.faults.delay, message));
        }
    }

    /// Takes the next message that has come through.
    pub(crate) fn arrived(&mut self, now: Instant) -> Option<T> {
        self.going
            .pop_front_if(|(at, _)| *at <= now)
            .map(|(_, message)| message)
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.going.front().map(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_lost_and_late_as_told() {
        let zero = Instant::now();
        let delay = Duration::from_millis(30);
        let mut way = Way::new(Faults {
            lose_first: 1,
            delay,
        });
        way.send(zero, "lost");
        way.send(zero, "late");
        assert_eq!(way.poll_timeout(), Some(zero + delay));
        assert_eq!(way.arrived(zero), None);
        assert_eq!(way.arrived(zero + delay), Some("late"));
        assert_eq!(way.poll_timeout(), None);
    }
}
