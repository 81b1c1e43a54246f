/// Which of the last sequence numbers were played, to tell a packet that came twice from one that came too late.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Played {
    newest: i64,
    /// Bit n: whether `newest - n` was played.
    bits: u64,
}

impl Played {
    /// A packet with a number higher than all before is played.
    pub(super) fn mark(&mut self, sequence: i64) {
        let step = u32::try_from(sequence - self.newest).unwrap_or(u32::MAX);
        self.bits = self.bits.checked_shl(step).unwrap_or(0) | 1;
        self.newest = sequence;
    }

    pub(super) fn contains(&self, sequence: i64) -> bool {
        let back = u32::try_from(self.newest - sequence).unwrap_or(u32::MAX);
        self.bits
            .checked_shr(back)
            .is_some_and(|bits| bits & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_64_are_remembered() {
        let mut played = Played::default();
        [7, 8, 10, 70]
            .iter()
            .for_each(|sequence| played.mark(*sequence));
        let known: Vec<i64> = (-5..80)
            .filter(|sequence| played.contains(*sequence))
            .collect();
        assert_eq!(known, [7, 8, 10, 70]);
        played.mark(500);
        assert!(!played.contains(70) && played.contains(500) && !played.contains(501));
    }
}
