/// Counts on where a wrapping number goes back to zero.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Unwrap {
    last: Option<i64>,
}

impl Unwrap {
    /// The number without wraps, nearest to the last one, for a counter of 16 bits.
    pub(super) fn sequence(&mut self, wrapped: u16) -> i64 {
        self.next(
            |last| i64::from(wrapped.wrapping_sub(last as u16) as i16),
            i64::from(wrapped),
        )
    }

    /// The number without wraps, nearest to the last one, for a counter of 32 bits.
    pub(super) fn timestamp(&mut self, wrapped: u32) -> i64 {
        self.next(
            |last| i64::from(wrapped.wrapping_sub(last as u32) as i32),
            i64::from(wrapped),
        )
    }

    fn next(&mut self, step: impl Fn(i64) -> i64, first: i64) -> i64 {
        let unwrapped = self.last.map_or(first, |last| last + step(last));
        self.last = Some(unwrapped);
        unwrapped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_on_where_counters_wrap_and_go_back_with_disorder() {
        let mut sequence = Unwrap::default();
        let seen: Vec<i64> = [65_534, 65_535, 1, 0, 2]
            .map(|n| sequence.sequence(n))
            .into();
        assert_eq!(seen, [65_534, 65_535, 65_537, 65_536, 65_538]);
        let mut timestamp = Unwrap::default();
        assert_eq!(timestamp.timestamp(u32::MAX - 79), i64::from(u32::MAX) - 79);
        assert_eq!(timestamp.timestamp(80), i64::from(u32::MAX) + 81);
    }
}
