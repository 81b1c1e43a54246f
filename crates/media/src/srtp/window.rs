/// The index of one source's packets, and which of the last ones have been seen (RFC 3711 §3.3.1, §3.3.2).
#[derive(Clone, Debug)]
pub(super) struct Window {
    /// The index of the packet taken last, by which the next one's is guessed: as `rtc-srtp` does it.
    last: u64,
    highest: u64,
    /// The highest is bit 0, the one before it bit 1.
    seen: u128,
}

impl Window {
    /// Packets that may come late. RFC 3711 §3.3.2 wants 64 at least.
    pub(super) const LEN: u64 = 128;

    /// Begins with the first authentic packet.
    pub(super) fn new(index: u64) -> Self {
        Self {
            last: index,
            highest: index,
            seen: 1,
        }
    }

    /// Goes on after an index under another key, by which nothing has been seen.
    pub(super) fn unseen(index: u64) -> Self {
        Self {
            seen: 0,
            ..Self::new(index)
        }
    }

    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// The index that a sequence number most likely means: the nearest one to the last.
    pub(super) fn index_of(&self, sequence: u16) -> u64 {
        let local = self.last as u16;
        let ahead = u64::from(sequence.wrapping_sub(local));
        let forward = self.last.saturating_add(ahead);
        // Half the circle away lies ahead in the circle's first half only, where it needs no roll-over.
        if ahead < 0x8000 || (ahead == 0x8000 && local < 0x8000) {
            forward
        } else {
            // Before the first round nothing was numbered, so that there is nothing to be late.
            forward.checked_sub(0x1_0000).unwrap_or(forward)
        }
    }

    /// Whether a packet of this index may still be taken: it was not, and is not too old to know.
    pub(super) fn is_fresh(&self, index: u64) -> bool {
        match self.highest.checked_sub(index) {
            None => true,
            Some(behind) => behind < Self::LEN && self.seen >> behind & 1 == 0,
        }
    }

    /// Remembers an authentic packet that was fresh.
    pub(super) fn take(&mut self, index: u64) {
        self.last = index;
        match self.highest.checked_sub(index) {
            None => {
                let steps = u32::try_from(index - self.highest).unwrap_or(u32::MAX);
                self.seen = self.seen.checked_shl(steps).unwrap_or(0) | 1;
                self.highest = index;
            }
            Some(behind) if behind < Self::LEN => self.seen |= 1 << behind,
            Some(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_index_is_fresh_once_and_never_when_it_is_too_old() {
        let mut window = Window::new(1_000);
        assert!(!window.is_fresh(1_000));
        assert!(window.is_fresh(1_001));
        window.take(1_100);
        assert!(window.is_fresh(1_001));
        window.take(1_001);
        assert!(!window.is_fresh(1_001));
        assert!(window.is_fresh(1_100 - Window::LEN + 1));
        assert!(!window.is_fresh(1_100 - Window::LEN));
        window.take(1_000_000);
        assert!(!window.is_fresh(1_100) && !window.is_fresh(1_000_000));
        assert!(window.is_fresh(999_999));
    }

    #[test]
    fn the_roll_over_counter_is_guessed_as_the_rfc_s_appendix_does() {
        // RFC 3711 appendix A, for every pair of a grid of numbers.
        for roc in 0..3_u64 {
            for local in (0..=0xffff_u64).step_by(997).chain([0x8000, 0xffff]) {
                let half = (local + 0x8000) % 0x1_0000;
                for sequence in (0..=0xffff_u64).step_by(991).chain([half, 0x8000, 0xffff]) {
                    let window = Window::new(roc << 16 | local);
                    let guess = match (local < 0x8000, sequence) {
                        (true, seq) if seq > local + 0x8000 => roc.saturating_sub(1),
                        (false, seq) if local - 0x8000 > seq => roc + 1,
                        _ => roc,
                    };
                    let expected = guess << 16 | sequence;
                    assert_eq!(window.index_of(sequence as u16), expected, "{roc} {local}");
                }
            }
        }
    }
}
