/// Returns where the first byte stands that is one of `wanted`.
///
/// What is looked for in a head is near: a line has some forty bytes, a name ten. Built into the caller, this finds it in less
/// time than a call of `memchr` takes, which pays over longer distances.
#[inline]
pub(crate) fn find<const N: usize>(bytes: &[u8], wanted: [u8; N]) -> Option<usize> {
    let mut rest = bytes;
    while let Some((block, after)) = rest.split_first_chunk()
        && !holds(block, wanted)
    {
        rest = after;
    }
    while let Some((word, after)) = rest.split_first_chunk() {
        if let Some(place) = place_in(*word, wanted) {
            return Some(bytes.len() - rest.len() + place);
        }
        rest = after;
    }
    let place = rest.iter().position(|byte| wanted.contains(byte))?;
    Some(bytes.len() - rest.len() + place)
}

/// Returns whether one of `wanted` is in a block. Looks at every byte, without branches: so compilers compare all at once.
#[inline]
fn holds<const N: usize>(block: &[u8; 16], wanted: [u8; N]) -> bool {
    let holds = |wanted| {
        let found = block.iter().map(|byte| *byte == wanted);
        found.fold(false, |any, is_it| any | is_it)
    };
    wanted
        .into_iter()
        .fold(false, |any, byte| any | holds(byte))
}

/// Returns where in a word the first of `wanted` stands.
#[inline]
fn place_in<const N: usize>(word: [u8; 8], wanted: [u8; N]) -> Option<usize> {
    const LOWEST: u64 = 0x0101_0101_0101_0101;
    const HIGHEST: u64 = LOWEST << 7;
    let word = u64::from_le_bytes(word);
    let marked = |wanted: u8| {
        let zero_where_found = word ^ (LOWEST * u64::from(wanted));
        // Taking 1 from a zero sets its highest bit, which was clear. What it borrows can only mark bytes further on.
        zero_where_found.wrapping_sub(LOWEST) & !zero_where_found
    };
    let marks = wanted
        .into_iter()
        .fold(0, |marks, byte| marks | marked(byte))
        & HIGHEST;
    (marks != 0).then_some(marks.trailing_zeros() as usize / 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_several_is_found_wherever_it_stands() {
        // One more and one less than what is wanted are what a borrow could mark.
        for filling in [b'a', b':' + 1, b':' - 1, 0x80, 0xfe] {
            for length in 0..50 {
                let mut bytes = vec![filling; length];
                assert_eq!(find(&bytes, [b':', 0xff]), None, "{length}");
                for at in (0..length).rev() {
                    bytes[at] = if at % 2 == 0 { b':' } else { 0xff };
                    assert_eq!(find(&bytes, [b':', 0xff]), Some(at), "{at} of {length}");
                }
            }
        }
    }
}
