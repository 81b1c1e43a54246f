/// The sequence numbers of one RTP stream that have passed already.
///
/// A browser probes bandwidth by sending old packets again as RTX. Forwarded twice, the same sequence number would be
/// encrypted twice with different headers: a nonce of AES-GCM used twice (RFC 7714 §8.1).
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The highest number so far, and which of the [`WINDOW`] numbers up to it have passed.
    latest: Option<(u16, [u64; WORDS])>,
}

const WORDS: usize = 16;
/// How far back a late packet still counts as new; 1024 packets of video are about four seconds.
const WINDOW: u16 = 64 * WORDS as u16;

impl Seen {
    /// Notes the number; false if it passed before or is too old to tell.
    pub(crate) fn is_first(&mut self, sequence: u16) -> bool {
        let Some((highest, bits)) = &mut self.latest else {
            let mut bits = [0; WORDS];
            mark(&mut bits, sequence);
            self.latest = Some((sequence, bits));
            return true;
        };
        let ahead = sequence.wrapping_sub(*highest);
        if ahead != 0 && ahead < 0x8000 {
            forget_between(bits, *highest, ahead);
            *highest = sequence;
            mark(bits, sequence);
            return true;
        }
        let behind = highest.wrapping_sub(sequence);
        behind < WINDOW && mark(bits, sequence)
    }
}

/// Makes room for the numbers after `highest`, `ahead` of them.
fn forget_between(bits: &mut [u64; WORDS], highest: u16, ahead: u16) {
    if ahead >= WINDOW {
        *bits = [0; WORDS];
        return;
    }
    for step in 1..=ahead {
        let (word, bit) = place(highest.wrapping_add(step));
        if let Some(word) = bits.get_mut(word) {
            *word &= !bit;
        }
    }
}

/// Sets the number's bit; false if it was set.
fn mark(bits: &mut [u64; WORDS], sequence: u16) -> bool {
    let (word, bit) = place(sequence);
    let Some(word) = bits.get_mut(word) else {
        return false;
    };
    let first = *word & bit == 0;
    *word |= bit;
    first
}

fn place(sequence: u16) -> (usize, u64) {
    let slot = sequence % WINDOW;
    (usize::from(slot / 64), 1 << (slot % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_passes_once() {
        let mut seen = Seen::default();
        assert!(seen.is_first(65_534));
        assert!(seen.is_first(1));
        assert!(seen.is_first(65_535), "late, but new");
        assert!(seen.is_first(0));
        assert!(!seen.is_first(65_535));
        assert!(!seen.is_first(1));
    }

    #[test]
    fn what_left_the_window_is_refused() {
        let mut seen = Seen::default();
        assert!(seen.is_first(10));
        assert!(seen.is_first(10 + WINDOW));
        assert!(!seen.is_first(10), "as old as the window");
        assert!(seen.is_first(11));
    }

    #[test]
    fn a_leap_clears_the_window() {
        let mut seen = Seen::default();
        for sequence in 0..WINDOW {
            assert!(seen.is_first(sequence));
        }
        assert!(seen.is_first(30_000));
        assert!(seen.is_first(29_500));
        assert!(!seen.is_first(29_500));
    }

    #[test]
    fn a_wrapping_stream_never_repeats() {
        let mut seen = Seen::default();
        for sequence in 0..200_000_u32 {
            let sequence = (sequence & 0xffff) as u16;
            assert!(seen.is_first(sequence));
            assert!(!seen.is_first(sequence));
        }
    }
}
