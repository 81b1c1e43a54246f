//! Whether a packet tells again what was in the one before it.

/// The longest a length is in one byte; from here on there are two (RFC 6716 §3.2.1).
const ONE_BYTE_MAX: u8 = 251;

/// Whether a packet has low bit-rate redundancy: a flag after the voice activity flags of its first SILK frame (RFC 6716 §4.2.3, §4.2.4).
pub(super) fn tells_of_the_one_before(packet: &[u8]) -> bool {
    let flags = || Some((*packet.first()?, first_byte(packet)?));
    flags().is_some_and(|(toc, flags)| is_flagged(toc, flags))
}

fn is_flagged(toc: u8, flags: u8) -> bool {
    // RFC 6716 §3.1: configurations 0 to 11 are SILK of 10, 20, 40, 60 ms, 12 to 15 hybrid of 10 and 20 ms; the rest has none.
    let silk_frames = match toc >> 3 {
        2 | 6 | 10 => 2,
        3 | 7 | 11 => 3,
        0..=15 => 1,
        _ => return false,
    };
    let bit = |place: u8| flags >> place & 1 == 1;
    let is_stereo = toc & 4 != 0;
    bit(7 - silk_frames) || is_stereo && bit(6 - 2 * silk_frames)
}

/// The first byte of the first frame, behind the lengths and counts of a packet of several (RFC 6716 §3.2).
fn first_byte(packet: &[u8]) -> Option<u8> {
    let (toc, rest) = packet.split_first()?;
    let frames = match toc & 3 {
        2 => after_lengths(rest, 1)?,
        3 => after_count(rest)?,
        _ => rest,
    };
    frames.first().copied()
}

fn after_lengths(mut bytes: &[u8], count: usize) -> Option<&[u8]> {
    for _ in 0..count {
        let length = if *bytes.first()? > ONE_BYTE_MAX { 2 } else { 1 };
        bytes = bytes.get(length..)?;
    }
    Some(bytes)
}

/// RFC 6716 §3.2.5: the count, then how much padding there is at the end, then the lengths of all frames but the last if they differ.
fn after_count(bytes: &[u8]) -> Option<&[u8]> {
    let (count, mut rest) = bytes.split_first()?;
    let (differ, padded, frames) = (count & 0x80 != 0, count & 0x40 != 0, count & 0x3f);
    let mut more = padded;
    while more {
        let (padding, after) = rest.split_first()?;
        (more, rest) = (*padding == 255, after);
    }
    let lengths = if differ { frames.checked_sub(1)? } else { 0 };
    after_lengths(rest, usize::from(lengths))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Frame, OpusEncoder, SILENCE, Sine};

    #[test]
    fn redundancy_is_where_somebody_spoke_and_nowhere_else() {
        let (mut encoder, mut sine) = (OpusEncoder::new().unwrap(), Sine::new(440.0, -12.0));
        encoder.expect_loss(25).unwrap();
        let mut told = |frame: Frame| tells_of_the_one_before(&encoder.encode(&frame).unwrap());
        let silence: Vec<bool> = (0..20).map(|_| told(SILENCE)).collect();
        assert!(silence[2..].iter().all(|told| !told), "{silence:?}");
        let voice: Vec<bool> = (0..20).map(|_| told(sine.frame())).collect();
        assert!(voice[5..].iter().all(|told| *told), "{voice:?}");
        for packet in [&[][..], &[0], &[3], &[0xff; 9], &[0x80, 0xff, 0xff]] {
            assert!(!tells_of_the_one_before(packet), "{packet:?}");
        }
    }

    /// RFC 6716 §3.2: the flags of the first frame are behind all lengths.
    #[test]
    fn the_first_frame_is_found_in_packets_of_several() {
        for (packet, first) in [
            (&[0x08, 9][..], 9),
            (&[0x09, 9, 8], 9),
            (&[0x0a, 1, 9, 8], 9),
            (&[0x0a, 252, 0, 9], 9),
            (&[0x0b, 2, 9, 8], 9),
            (&[0x0b, 0x42, 1, 9, 8, 0], 9),
            (&[0x0b, 0x42, 255, 3, 9], 9),
            (&[0x0b, 0x83, 1, 253, 0, 9], 9),
            (&[0x0b, 0xc3, 255, 0, 1, 1, 9, 8, 7], 9),
        ] {
            assert_eq!(first_byte(packet), Some(first), "{packet:?}");
        }
        for packet in [&[0x0b, 0x80][..], &[0x0b, 0x43, 255], &[0x0a, 252]] {
            assert_eq!(first_byte(packet), None, "{packet:?}");
        }
    }
}
