use super::source::Sources;
use super::*;

use bytes::Bytes;

use crate::rtp::{Report, RtpPacket, RtpSender};

const SUITES: [SrtpSuite; 3] = [
    SrtpSuite::Aes128Sha80,
    SrtpSuite::Aes128Sha32,
    SrtpSuite::Aes256Sha80,
];

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let value = |digit: u8| (digit as char).to_digit(16).unwrap() as u8;
    digits
        .chunks(2)
        .map(|pair| value(pair[0]) << 4 | value(pair[1]))
        .collect()
}

fn key(fill: u8) -> SrtpKey {
    SrtpKey::random(std::array::from_fn(|n| fill.wrapping_add(n as u8)))
}

fn key_of(bytes: &[u8]) -> SrtpKey {
    let mut whole = [0; SrtpKey::BYTES];
    whole[..bytes.len()].copy_from_slice(bytes);
    SrtpKey::random(whole)
}

fn pair(suite: SrtpSuite, ours: SrtpKey, theirs: SrtpKey) -> SrtpPair {
    let theirs = TheirKey {
        key: theirs,
        mki: None,
    };
    SrtpPair {
        suite,
        ours,
        theirs,
    }
}

/// Two ends that hear each other.
fn ends(suite: SrtpSuite) -> (Srtp, Srtp) {
    (
        Srtp::new(&pair(suite, key(1), key(101))).unwrap(),
        Srtp::new(&pair(suite, key(101), key(1))).unwrap(),
    )
}

fn packet(ssrc: u32, sequence: u16) -> Bytes {
    let payload = Bytes::from(vec![sequence as u8; 160]);
    let (payload_type, marker, timestamp) = (8, false, u32::from(sequence) * 160);
    RtpPacket {
        payload_type,
        marker,
        sequence,
        timestamp,
        ssrc,
        payload,
    }
    .to_bytes()
}

fn report(ssrc: u32) -> Bytes {
    let report = Report {
        ssrc,
        ..Report::default()
    };
    report.to_bytes("somebody")
}

/// Libsrtp's reference packets (`srtp_driver.c`), whose first key is that of RFC 3711 appendix B.3.
#[test]
fn known_packets_are_made_and_read() {
    let key = key_of(&hex(
        "e1f97a0d3e018be0d64fa32c06de4139 0ec675ad498afeebb6960b3aabe6",
    ));
    let rtp = hex("800f1234decafbadcafebabe abababababababababababababababab");
    let srtp =
        hex("800f1234decafbadcafebabe 4e55dc4ce79978d88ca4d215949d2402 b78d6acc99ea179b8dbb");
    let rtcp = hex("81c8000bcafebabe abababababababababababababababab");
    let srtcp =
        hex("81c8000bcafebabe 7128035be487b9bdbef89041f977a5a8 80000001 993e08cd54d6c1230798");
    let keys = pair(SrtpSuite::Aes128Sha80, key.clone(), key);
    let mut ours = Srtp::new(&keys).unwrap();
    assert_eq!(ours.protect_rtp(&rtp).unwrap(), srtp);
    assert_eq!(ours.protect_rtcp(&rtcp).unwrap(), srtcp);
    let mut theirs = Srtp::new(&keys).unwrap();
    assert_eq!(theirs.unprotect_rtp(&srtp).unwrap(), rtp);
    assert_eq!(theirs.unprotect_rtcp(&srtcp).unwrap(), rtcp);
}

/// RFC 6188, by libsrtp's reference packet.
#[test]
fn a_known_packet_of_the_long_key_is_made_and_read() {
    let key = key_of(&hex(
        "f0f04914b513f2763a1b1fa130f10e29 98f6f6e43e4309d1e622a0e332b9f1b6 3b04803de51ee7c96423ab5b78d2",
    ));
    let rtp = hex("800f1234decafbadcafebabe abababababababababababababababab");
    let srtp =
        hex("800f1234decafbadcafebabe f1d9de17ff251ff1aa007774b0b4b40d a08d9d9a5b3a55d8873b");
    let keys = pair(SrtpSuite::Aes256Sha80, key.clone(), key);
    assert_eq!(Srtp::new(&keys).unwrap().protect_rtp(&rtp).unwrap(), srtp);
    assert_eq!(Srtp::new(&keys).unwrap().unprotect_rtp(&srtp).unwrap(), rtp);
}

#[test]
fn every_suite_carries_sound_and_reports_both_ways() {
    for suite in SUITES {
        let (mut ours, mut theirs) = ends(suite);
        for sequence in 0..300 {
            let plain = packet(7, sequence);
            let protected = ours.protect_rtp(&plain).unwrap();
            assert_eq!(protected.len(), plain.len() + suite.rtp_tag_len());
            assert_ne!(protected[12..172], plain[12..]);
            assert_eq!(theirs.unprotect_rtp(&protected).unwrap(), plain);
            let back = theirs.protect_rtp(&packet(8, sequence)).unwrap();
            assert_eq!(ours.unprotect_rtp(&back).unwrap(), packet(8, sequence));
            let protected = ours.protect_rtcp(&report(7)).unwrap();
            assert_eq!(theirs.unprotect_rtcp(&protected).unwrap(), report(7));
        }
    }
}

#[test]
fn no_changed_bit_is_taken_and_the_packet_itself_still_is() {
    for suite in SUITES {
        let (mut ours, mut theirs) = ends(suite);
        let rtp = ours.protect_rtp(&packet(7, 1)).unwrap();
        let rtcp = ours.protect_rtcp(&report(7)).unwrap();
        for bit in 0..rtp.len() * 8 {
            let mut bad = rtp.to_vec();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(theirs.unprotect_rtp(&bad).is_err(), "bit {bit}");
        }
        for bit in 0..rtcp.len() * 8 {
            let mut bad = rtcp.to_vec();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(theirs.unprotect_rtcp(&bad).is_err(), "bit {bit}");
        }
        for len in 0..rtp.len() {
            assert!(theirs.unprotect_rtp(&rtp[..len]).is_err(), "{len} bytes");
        }
        for len in 0..rtcp.len() {
            assert!(theirs.unprotect_rtcp(&rtcp[..len]).is_err(), "{len} bytes");
        }
        assert_eq!(theirs.unprotect_rtp(&rtp).unwrap(), packet(7, 1));
        assert_eq!(theirs.unprotect_rtcp(&rtcp).unwrap(), report(7));
    }
}

/// RFC 3711 §3.4: the bit is covered by the tag, but a cipher that believes it first never looks at the tag.
#[test]
fn a_report_that_says_it_is_open_is_not_believed() {
    let (_, mut theirs) = ends(SrtpSuite::Aes128Sha80);
    let mut open = report(7).to_vec();
    open.extend([0, 0, 0, 1]);
    open.extend([0; 10]);
    assert_eq!(theirs.unprotect_rtcp(&open), Err(SrtpError::NotEncrypted));
}

#[test]
fn another_key_is_heard_by_nobody() {
    let (mut ours, _) = ends(SrtpSuite::Aes128Sha80);
    let mut other = Srtp::new(&pair(SrtpSuite::Aes128Sha80, key(101), key(2))).unwrap();
    let rtp = ours.protect_rtp(&packet(7, 1)).unwrap();
    let rtcp = ours.protect_rtcp(&report(7)).unwrap();
    assert_eq!(other.unprotect_rtp(&rtp), Err(SrtpError::Forged));
    assert_eq!(other.unprotect_rtcp(&rtcp), Err(SrtpError::Forged));
    assert_eq!(other.unprotect_rtp(&packet(7, 1)), Err(SrtpError::Forged));
}

/// RFC 3711 §3.3.2.
#[test]
fn a_replay_of_everything_has_no_effect() {
    let (mut ours, mut theirs) = ends(SrtpSuite::Aes128Sha80);
    // Longer than one round of sequence numbers, so that numbers come again.
    let mut sent = Vec::new();
    for n in (0..140_000_u32).step_by(7) {
        let protected = ours.protect_rtp(&packet(7, n as u16)).unwrap();
        theirs.unprotect_rtp(&protected).unwrap();
        sent.push(protected);
    }
    let taken = sent
        .iter()
        .filter(|packet| theirs.unprotect_rtp(packet).is_ok());
    assert_eq!(taken.count(), 0);
    let next = ours.protect_rtp(&packet(7, 140_000_u32 as u16)).unwrap();
    assert!(theirs.unprotect_rtp(&next).is_ok());
    let report = ours.protect_rtcp(&report(7)).unwrap();
    assert!(theirs.unprotect_rtcp(&report).is_ok());
    assert_eq!(theirs.unprotect_rtcp(&report), Err(SrtpError::Replayed));
}

/// RFC 3711 §3.3.1: the counter is not sent, and is guessed right through loss and disorder.
#[test]
fn sequence_numbers_roll_over_with_loss_and_disorder() {
    let (mut ours, mut theirs) = ends(SrtpSuite::Aes256Sha80);
    let mut numbers: Vec<u32> = (0x7000..0x2_0000).filter(|n| n % 97 > 40).collect();
    for swap in (0..numbers.len() - 20).step_by(31) {
        numbers.swap(swap, swap + 17);
    }
    // They leave in order and come in disorder.
    let last = *numbers.iter().max().unwrap();
    let sent: Vec<Bytes> = (0x7000..=last)
        .map(|n| ours.protect_rtp(&packet(7, n as u16)).unwrap())
        .collect();
    for n in numbers {
        let read = theirs.unprotect_rtp(&sent[(n - 0x7000) as usize]);
        assert_eq!(read, Ok(packet(7, n as u16)), "number {n}");
    }
}

#[test]
fn forgeries_neither_move_a_window_nor_are_remembered() {
    let (mut ours, mut theirs) = ends(SrtpSuite::Aes128Sha80);
    // Before the first packet: under its own source's number, far ahead of it.
    for n in 0..1_000_u32 {
        assert!(theirs.unprotect_rtp(&packet(7, 30_000 + n as u16)).is_err());
        assert!(theirs.unprotect_rtp(&packet(n << 8, n as u16)).is_err());
    }
    for sequence in 0..50 {
        let protected = ours.protect_rtp(&packet(7, sequence)).unwrap();
        for n in 0..40_u32 {
            assert!(
                theirs
                    .unprotect_rtp(&packet(7, 20_000 + 997 * n as u16))
                    .is_err()
            );
        }
        assert_eq!(theirs.unprotect_rtp(&protected), Ok(packet(7, sequence)));
    }
}

#[test]
fn a_new_source_is_heard_and_too_many_are_not() {
    let (_, mut theirs) = ends(SrtpSuite::Aes128Sha80);
    let mut streams = Vec::new();
    for ssrc in 0..=Sources::MAX as u32 {
        let mut ours = ends(SrtpSuite::Aes128Sha80).0;
        let read = theirs.unprotect_rtp(&ours.protect_rtp(&packet(ssrc, 5)).unwrap());
        streams.push((ours, read.is_ok()));
    }
    let cap = Sources::MAX;
    assert!(streams[..cap].iter().all(|(_, heard)| *heard));
    assert!(!streams[cap].1);
    let again = streams[0].0.protect_rtp(&packet(0, 6)).unwrap();
    assert!(theirs.unprotect_rtp(&again).is_ok());
}

#[test]
fn headers_with_everything_in_them_are_left_open_and_the_rest_is_not() {
    let (mut ours, mut theirs) = ends(SrtpSuite::Aes128Sha80);
    // Two contributing sources, and a one-byte extension with padding between its parts (RFC 8285 §4.2).
    let mut plain =
        hex("9208 0001 00000001 00000007 0000000a 0000000b bede0003 10aa 0000 22010203 00000000");
    plain.extend([0x55; 160]);
    let protected = ours.protect_rtp(&plain).unwrap();
    let head = plain.len() - 160;
    assert_eq!(protected[..head], plain[..head]);
    assert_ne!(protected[head..head + 160], plain[head..]);
    assert_eq!(theirs.unprotect_rtp(&protected).unwrap(), plain);
}

#[test]
fn the_name_of_a_key_is_taken_out_and_must_be_right() {
    let mki = Mki::new(0x0102, 4).unwrap();
    let suite = SrtpSuite::Aes128Sha80;
    let mut named = pair(suite, key(101), key(1));
    named.theirs.mki = Some(mki);
    let mut theirs = Srtp::new(&named).unwrap();
    let (mut ours, _) = ends(suite);
    let with = |protected: Bytes, name: [u8; 4]| {
        let (body, tag) = protected.split_at(protected.len() - 10);
        [body, &name, tag].concat()
    };
    let rtp = ours.protect_rtp(&packet(7, 1)).unwrap();
    let rtcp = ours.protect_rtcp(&report(7)).unwrap();
    let wrong = with(rtp.clone(), [0, 0, 1, 3]);
    assert_eq!(theirs.unprotect_rtp(&wrong), Err(SrtpError::WrongMki));
    assert!(theirs.unprotect_rtp(&rtp).is_err());
    let rtp = with(rtp, [0, 0, 1, 2]);
    assert_eq!(theirs.unprotect_rtp(&rtp), Ok(packet(7, 1)));
    let rtcp = with(rtcp, [0, 0, 1, 2]);
    assert_eq!(theirs.unprotect_rtcp(&rtcp), Ok(report(7)));
    assert_eq!(Mki::new(256, 1), None);
    assert_eq!(Mki::new(0, 0), None);
    assert_eq!(Mki::new(1, 129), None);
    assert!(Mki::new(u64::MAX, 128).is_some());
}

/// A hold describes the same keys again: numbers go on, and nothing that was heard is heard again.
#[test]
fn the_same_keys_again_change_nothing() {
    let (mut ours, mut theirs) = ends(SrtpSuite::Aes128Sha80);
    let first = ours.protect_rtp(&packet(7, 1)).unwrap();
    theirs.unprotect_rtp(&first).unwrap();
    theirs
        .rekey(&pair(SrtpSuite::Aes128Sha80, key(101), key(1)), true)
        .unwrap();
    assert_eq!(theirs.unprotect_rtp(&first), Err(SrtpError::Replayed));
    let second = ours.protect_rtp(&packet(7, 2)).unwrap();
    assert!(theirs.unprotect_rtp(&second).is_ok());
}

/// RFC 3711 §3.3.1 keeps the roll-over counter under a new key; some senders begin a new one. Both are heard, as is what was on its way.
#[test]
fn new_keys_take_over_with_the_old_counter_or_a_new_one() {
    for keeps in [true, false] {
        let suite = SrtpSuite::Aes128Sha80;
        let (mut ours, mut theirs) = ends(suite);
        for n in (0..200_000_u32).step_by(101) {
            let protected = ours.protect_rtp(&packet(7, n as u16)).unwrap();
            theirs.unprotect_rtp(&protected).unwrap();
        }
        let late = ours.protect_rtp(&packet(7, 200_000_u32 as u16)).unwrap();
        let next = pair(suite, key(50), key(101));
        if keeps {
            ours.rekey(&next, true).unwrap();
        } else {
            ours = Srtp::new(&next).unwrap();
        }
        theirs.rekey(&pair(suite, key(101), key(50)), true).unwrap();
        assert!(theirs.unprotect_rtp(&late).is_ok());
        let report = ours.protect_rtcp(&report(7)).unwrap();
        assert!(theirs.unprotect_rtcp(&report).is_ok());
        for n in (200_001..400_000_u32).step_by(97) {
            let protected = ours.protect_rtp(&packet(7, n as u16)).unwrap();
            let read = theirs.unprotect_rtp(&protected);
            assert_eq!(read, Ok(packet(7, n as u16)), "{n}, keeps: {keeps}");
        }
        assert!(theirs.unprotect_rtp(&late).is_err());
    }
}

/// Another fork's early sound is not this one's.
#[test]
fn without_an_overlap_the_key_before_is_not_heard() {
    let suite = SrtpSuite::Aes128Sha80;
    let (mut ours, mut theirs) = ends(suite);
    let first = ours.protect_rtp(&packet(7, 1)).unwrap();
    theirs.unprotect_rtp(&first).unwrap();
    theirs
        .rekey(&pair(suite, key(101), key(50)), false)
        .unwrap();
    let late = ours.protect_rtp(&packet(7, 2)).unwrap();
    assert_eq!(theirs.unprotect_rtp(&late), Err(SrtpError::Forged));
}

#[test]
fn nothing_prints_a_key() {
    let keys = pair(SrtpSuite::Aes128Sha80, key(65), key(66));
    let printed = format!("{keys:?} {:?}", Srtp::new(&keys).unwrap());
    assert!(printed.contains("SrtpKey(..)"), "{printed}");
    assert!(
        !printed.contains("65, 66") && !printed.contains("66, 67"),
        "{printed}"
    );
}

/// Whatever comes is refused: noise, and authentic packets with noise in them.
#[test]
fn noise_never_panics_and_is_never_taken() {
    let mut seed = 0x5eed_u64;
    let mut next = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) as usize
    };
    let (mut ours, mut theirs) = ends(SrtpSuite::Aes128Sha32);
    let mut rtp = RtpSender::new(9);
    for _ in 0..20_000 {
        let good = rtp.packet(8, false, Bytes::from(vec![0; next() % 200]));
        let mut bytes = ours.protect_rtp(&good.to_bytes()).unwrap().to_vec();
        let at = next() % bytes.len();
        bytes[at] ^= 1 + (next() % 255) as u8;
        bytes.truncate(1 + next() % bytes.len());
        assert!(theirs.unprotect_rtp(&bytes).is_err());
        assert!(theirs.unprotect_rtcp(&bytes).is_err());
    }
}
