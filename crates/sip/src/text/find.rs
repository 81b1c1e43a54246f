use std::ops::ControlFlow;

use super::block::{Block, Marks};

/// Returns where the first byte stands that is one of `wanted`.
///
/// What is looked for in a head is near: a line has some forty bytes, a name ten. Built into the caller, this finds it in less
/// time than a call of `memchr` takes, which pays over longer distances.
#[inline]
pub(crate) fn find<const N: usize>(bytes: &[u8], wanted: [u8; N]) -> Option<usize> {
    find_marked(bytes, |block| block.is_any(wanted))
}

/// Returns where the first byte stands that is marked.
#[inline]
pub(crate) fn find_marked(bytes: &[u8], marks: impl Fn(Block) -> Marks) -> Option<usize> {
    let mut rest = bytes;
    while let Some((block, after)) = rest.split_first_chunk() {
        let bits = marks(Block::new(block)).bits();
        if bits != 0 {
            return Some(bytes.len() - rest.len() + bits.trailing_zeros() as usize);
        }
        rest = after;
    }
    if rest.is_empty() {
        return None;
    }
    let place = marks(Block::short(rest)).bits().trailing_zeros() as usize;
    (place < rest.len()).then_some(bytes.len() - rest.len() + place)
}

/// Returns where the last byte stands that is one of `wanted`.
pub(crate) fn rfind<const N: usize>(bytes: &[u8], wanted: [u8; N]) -> Option<usize> {
    let mut rest = bytes;
    while let Some((before, block)) = rest.split_last_chunk() {
        if let Some(place) = Block::new(block).is_any(wanted).bits().checked_ilog2() {
            return Some(before.len() + place as usize);
        }
        rest = before;
    }
    rest.iter().rposition(|byte| wanted.contains(byte))
}

/// Visits the places of all marked bytes in order, until told to stop.
#[inline]
pub(crate) fn visit_marked(
    bytes: &[u8],
    marks: impl Fn(Block) -> Marks,
    mut visit: impl FnMut(usize) -> ControlFlow<()>,
) {
    let mut start = 0;
    while let Some(rest) = bytes.get(start..).filter(|rest| !rest.is_empty()) {
        let mut bits = match rest.first_chunk::<64>() {
            Some(whole) => bits_of(whole, &marks),
            None => bits_of(rest, &marks),
        };
        while bits != 0 {
            if visit(start + bits.trailing_zeros() as usize).is_break() {
                return;
            }
            bits &= bits.wrapping_sub(1);
        }
        start += 64;
    }
}

/// Returns a bit for each of up to 64 bytes, the lowest for the first.
#[inline(always)]
fn bits_of(bytes: &[u8], marks: impl Fn(Block) -> Marks) -> u64 {
    let bits = |block| u64::from(marks(block).bits());
    let (blocks, rest) = bytes.as_chunks();
    let last = match rest.is_empty() {
        true => 0,
        false => bits(Block::short(rest)) & !(u64::MAX << rest.len()),
    };
    blocks.iter().rfold(last, |all, block| {
        all << Block::LENGTH | bits(Block::new(block))
    })
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    use super::*;

    #[test]
    fn the_first_of_several_is_found_wherever_it_stands() {
        for filling in [b'a', b':' + 1, b':' - 1, 0, 0x80, 0xfe] {
            for length in 0..50 {
                let mut bytes = vec![filling; length];
                assert_eq!(find(&bytes, [b':', 0xff]), None, "{length}");
                assert_eq!(rfind(&bytes, [b':', 0xff]), None, "{length}");
                for at in (0..length).rev() {
                    bytes[at] = if at % 2 == 0 { b':' } else { 0xff };
                    assert_eq!(find(&bytes, [b':', 0xff]), Some(at), "{at} of {length}");
                    let last = (length > 0).then(|| length - 1);
                    assert_eq!(rfind(&bytes, [b':', 0xff]), last, "{at} of {length}");
                }
            }
        }
    }

    #[test]
    fn every_marked_place_is_visited_until_the_visitor_has_enough() {
        for seed in 0..2_000 {
            let mut random = StdRng::seed_from_u64(seed);
            let length = random.random_range(0..300);
            let bytes: Vec<u8> = (0..length).map(|_| random.random_range(0..9)).collect();
            let places: Vec<usize> = (0..length).filter(|at| bytes[*at] < 2).collect();
            let enough = random.random_range(1..=places.len() + 1);
            let mut visited = Vec::new();
            visit_marked(
                &bytes,
                |block| block.is_at_most(1),
                |at| {
                    visited.push(at);
                    match visited.len() < enough {
                        true => ControlFlow::Continue(()),
                        false => ControlFlow::Break(()),
                    }
                },
            );
            let expected = &places[..enough.min(places.len())];
            assert_eq!(visited, expected, "seed {seed}");
        }
    }
}
