use std::ops::BitOr;

use wide::u8x16;

/// Sixteen bytes that are looked at together.
#[derive(Clone, Copy)]
pub(crate) struct Block(u8x16);

/// The places in a block where something stands that was asked for.
#[derive(Clone, Copy)]
pub(crate) struct Marks(u8x16);

impl Block {
    pub(crate) const LENGTH: usize = 16;

    #[inline]
    pub(crate) fn new(bytes: &[u8; Block::LENGTH]) -> Block {
        Block(u8x16::new(*bytes))
    }

    /// Makes a block that begins with `bytes`, fewer than a block has. What stands behind them in it means nothing.
    #[inline]
    pub(crate) fn short(bytes: &[u8]) -> Block {
        // Two words that overlap, the second of them moved to where it belongs.
        let [low, high] = match (bytes.first_chunk(), bytes.last_chunk()) {
            (Some(first), Some(last)) => {
                let last = u64::from_le_bytes(*last);
                let overlap = Block::LENGTH.wrapping_sub(bytes.len()) as u32;
                [u64::from_le_bytes(*first), last.wrapping_shr(8 * overlap)]
            }
            _ => [word(bytes), 0],
        };
        let both = u128::from(low) | u128::from(high) << 64;
        Block::new(&both.to_le_bytes())
    }

    #[inline]
    pub(crate) fn is(self, byte: u8) -> Marks {
        Marks(self.0.simd_eq(u8x16::splat(byte)))
    }

    #[inline]
    pub(crate) fn is_any<const N: usize>(self, bytes: [u8; N]) -> Marks {
        let none = Marks(u8x16::ZERO);
        bytes
            .into_iter()
            .fold(none, |marks, byte| marks | self.is(byte))
    }

    /// Marks where another block holds the same.
    #[inline]
    pub(crate) fn is_same(self, other: Block) -> Marks {
        Marks(self.0.simd_eq(other.0))
    }

    #[inline]
    pub(crate) fn is_at_most(self, limit: u8) -> Marks {
        Marks(self.0.min(u8x16::splat(limit)).simd_eq(self.0))
    }
}

/// Returns fewer than eight bytes as a number, the first one lowest.
#[inline]
fn word(bytes: &[u8]) -> u64 {
    match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) => {
            let last = u64::from(u32::from_le_bytes(*last));
            let behind = bytes.len().wrapping_sub(4) as u32;
            u64::from(u32::from_le_bytes(*first)) | last.wrapping_shl(8 * behind)
        }
        _ => bytes
            .iter()
            .rfold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}

impl BitOr for Marks {
    type Output = Marks;

    #[inline]
    fn bitor(self, other: Marks) -> Marks {
        Marks(self.0 | other.0)
    }
}

impl Marks {
    /// Returns a bit for each byte of the block, the lowest for the first.
    #[inline]
    pub(crate) fn bits(self) -> u32 {
        self.0.to_bitmask()
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    use super::*;

    #[test]
    fn marks_are_where_each_byte_for_itself_would_be_marked() {
        for seed in 0..2_000 {
            let mut random = StdRng::seed_from_u64(seed);
            let bytes: [u8; Block::LENGTH] = random.random();
            let (byte, limit) = (bytes[random.random_range(0..bytes.len())], random.random());
            for length in 0..=Block::LENGTH {
                let block = match bytes[..length].as_array() {
                    Some(whole) => Block::new(whole),
                    None => Block::short(&bytes[..length]),
                };
                let check = |marks: Marks, is_it: &dyn Fn(u8) -> bool| {
                    for (at, other) in bytes[..length].iter().enumerate() {
                        let marked = marks.bits() >> at & 1 == 1;
                        assert_eq!(marked, is_it(*other), "seed {seed}, {at} of {length}");
                    }
                };
                check(block.is(byte), &|other| other == byte);
                check(block.is_at_most(limit), &|other| other <= limit);
                check(block.is_any([byte, limit]), &|other| {
                    other == byte || other == limit
                });
                check(block.is_same(block), &|_| true);
                check(block.is(byte) | block.is_at_most(9), &|other| {
                    other == byte || other <= 9
                });
            }
        }
    }
}
