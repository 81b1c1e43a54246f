//! Grids of blocks.

use std::ops::Range;

use crate::Millis;
use crate::timeline::Span;

/// Time cut into blocks of one length, counted from 0 at some moment, which may lie before the session's start.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Blocks {
    /// On the session's clock. So wide that nothing here overflows.
    origin: i128,
    length: i128,
}

impl Blocks {
    /// Blocks that begin at a moment of the session.
    pub(crate) fn from(origin: Millis, length: Millis) -> Self {
        Self {
            origin: i128::from(origin.0),
            length: i128::from(length.0.max(1)),
        }
    }

    /// Blocks that began some time before the session.
    pub(crate) fn before_start(ago: Millis, length: Millis) -> Self {
        Self {
            origin: -i128::from(ago.0),
            ..Self::from(Millis::ZERO, length)
        }
    }

    /// How long before a moment the first block began; zero if it began after.
    pub(crate) fn began_before(self, at: Millis) -> Millis {
        let ago = i128::from(at.0) - self.origin;
        Millis(u64::try_from(ago.max(0)).unwrap_or(u64::MAX))
    }

    /// The block that a moment lies in. What is before the first lies in it.
    pub(crate) fn of(self, at: Millis) -> u64 {
        let block = (i128::from(at.0) - self.origin).div_euclid(self.length);
        u64::try_from(block.max(0)).unwrap_or(u64::MAX)
    }

    /// The blocks that a span touches, however briefly.
    pub(crate) fn touched(self, span: Span) -> Range<u64> {
        let last = Millis(span.to.0.saturating_sub(1));
        self.of(span.from)..self.of(last).saturating_add(1)
    }

    /// Where a block begins; at the session's start if that was before.
    pub(crate) fn start(self, block: u64) -> Millis {
        Millis(u64::try_from(self.edge(block).max(0)).unwrap_or(u64::MAX))
    }

    fn edge(self, block: u64) -> i128 {
        self.origin + self.length * i128::from(block)
    }

    /// Where the first block begins that is not begun at a moment.
    pub(crate) fn next_after(self, at: Millis) -> Millis {
        self.start(self.of(at).saturating_add(1))
    }

    /// How many minutes begin in each block, of minutes counted from where a span begins.
    pub(crate) fn minutes(self, span: Span) -> Vec<(Range<u64>, u64)> {
        let minute = i128::from(Millis::MINUTE.0);
        let [from, to] = [span.from, span.to].map(|at| i128::from(at.0));
        // Rounded up: the first begins where the span does.
        let begin_before = |moment: i128| ((moment - from).max(0) + minute - 1) / minute;
        let all = begin_before(to);
        let first = self.of(span.from);
        let last_begins = from + (all - 1).max(0) * minute;
        let last = self.of(Millis(u64::try_from(last_begins).unwrap_or(u64::MAX)));
        let begun = |blocks: &Range<u64>| {
            let [before, by_end] = [blocks.start, blocks.end].map(|block| self.edge(block));
            begin_before(by_end).min(all) - begin_before(before)
        };
        // Between the first and the last every block is full.
        let parts = [
            first..first + 1,
            first + 1..last,
            last.max(first + 1)..last + 1,
        ];
        let counted = parts.into_iter().filter(|blocks| !blocks.is_empty());
        let counted = counted.map(|blocks| {
            let each = begun(&blocks) / i128::from(blocks.end - blocks.start);
            (blocks, u64::try_from(each).unwrap_or(u64::MAX))
        });
        counted.filter(|(_, minutes)| *minutes > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::told::Random;

    const QUARTER: Millis = Millis::from_minutes(15);

    fn span(from: u64, to: u64) -> Span {
        Span {
            from: Millis(from),
            to: Millis(to),
        }
    }

    #[test]
    fn a_span_touches_the_blocks_that_it_has_a_millisecond_of() {
        let blocks = Blocks::from(Millis(1_000), Millis(100));
        assert_eq!(blocks.touched(span(1_000, 1_001)), 0..1);
        assert_eq!(blocks.touched(span(1_000, 1_100)), 0..1);
        assert_eq!(blocks.touched(span(1_099, 1_101)), 0..2);
        assert_eq!(blocks.next_after(Millis(1_099)), Millis(1_100));
        assert_eq!(blocks.next_after(Millis(1_100)), Millis(1_200));
        let older = Blocks::before_start(Millis(250), Millis(100));
        assert_eq!(older.touched(span(0, 50)), 2..3);
        assert_eq!(older.next_after(Millis(0)), Millis(50));
    }

    /// M9: minutes are those of the phone's own clock, each in the block that it begins in.
    #[test]
    fn minutes_lie_in_the_block_they_begin_in() {
        let blocks = Blocks::from(Millis::ZERO, QUARTER);
        let at = |minutes: u64, seconds: u64| Millis((minutes * 60 + seconds) * 1_000);
        let phone = Span {
            from: at(8, 30),
            to: at(21, 10),
        };
        assert_eq!(blocks.minutes(phone), [(0..1, 7), (1..2, 6)]);
        let long = Span {
            from: at(14, 30),
            to: at(61, 0),
        };
        assert_eq!(blocks.minutes(long), [(0..1, 1), (1..4, 15), (4..5, 1)]);
        assert_eq!(blocks.minutes(span(0, 1)), [(0..1, 1)]);
    }

    #[test]
    fn minutes_are_those_that_one_counts_one_by_one() {
        let mut random = Random(7);
        let mut random = |below| random.below(below);
        for case in 0..5_000 {
            let blocks = match random(2) {
                0 => Blocks::from(Millis(random(1_000)), QUARTER),
                _ => Blocks::before_start(Millis(random(4_000_000)), QUARTER),
            };
            let from = 1_000 + random(4_000_000);
            let phone = span(from, from + 1 + random(6_000_000));
            let mut counted = std::collections::BTreeMap::new();
            for begins in (phone.from.0..phone.to.0).step_by(60_000) {
                *counted.entry(blocks.of(Millis(begins))).or_insert(0) += 1;
            }
            let told = blocks.minutes(phone).into_iter();
            let told = told.flat_map(|(range, each)| range.map(move |block| (block, each)));
            assert_eq!(
                told.collect::<Vec<_>>(),
                counted.into_iter().collect::<Vec<_>>(),
                "case {case}"
            );
        }
    }

    #[test]
    fn absurd_spans_do_not_overflow() {
        let blocks = Blocks::before_start(Millis(u64::MAX), QUARTER);
        let minutes = blocks.minutes(span(0, u64::MAX));
        assert_eq!(minutes.len(), 3);
        assert_eq!(blocks.next_after(Millis(u64::MAX)), Millis(u64::MAX));
    }
}
