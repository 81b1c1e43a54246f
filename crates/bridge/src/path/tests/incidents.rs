//! What has befallen other telephone engines must not befall this one.

use super::secured::{phone_with, target_with};
use super::*;

/// Forged packets in one test: a million in release builds, fewer where nothing is optimised.
const FORGED: u32 = if cfg!(debug_assertions) {
    100_000
} else {
    1_000_000
};

/// Three addresses of nobody in the call.
const STRANGERS: [&str; 3] = [
    "203.0.113.66:666",
    "203.0.113.67:667",
    "198.51.100.44:40000",
];

fn strangers() -> [SocketAddr; 3] {
    STRANGERS.map(|addr| addr.parse().unwrap())
}

/// Loud packets of somebody else.
struct Intruder {
    rtp: RtpSender,
    loud: Bytes,
}

impl Intruder {
    fn new(seed: u64) -> Self {
        let loud = Law::A.encode(&Sine::new(2_000.0, 0.0).frame());
        Self {
            rtp: RtpSender::new(seed),
            loud: loud.into(),
        }
    }

    fn packet(&mut self) -> Bytes {
        let packet = self.rtp.packet(8, false, self.loud.clone());
        self.rtp.advance(160);
        packet.to_bytes()
    }
}

/// CVE-2021-41105: a hundred SRTP errors ended a FreeSWITCH call.
#[test]
fn row_3_forged_srtp_never_ends_a_call() {
    let mut world = World::secured(1);
    world.run(1_000);
    let mut intruder = phone_with(77);
    let mut loud = Intruder::new(5);
    let protected = intruder.protect_rtp(&loud.packet()).unwrap();
    let now = world.now();
    for n in 0..FORGED {
        // Under ever new sources, and from the phone's own address.
        let mut forged = protected.to_vec();
        forged[8..12].copy_from_slice(&n.to_be_bytes());
        forged[2..4].copy_from_slice(&(n as u16).to_be_bytes());
        world.path.rtp(now, PHONE.parse().unwrap(), forged.into());
    }
    let stats = world.stats();
    assert_eq!(stats.forged, u64::from(FORGED));
    assert_eq!((stats.strangers, world.phone_lost), (0, 0));
    world.assert_both_hear();
}

/// CVE-2021-26712: replayed SRTP ended an Asterisk call.
#[test]
fn row_4_a_replay_of_the_whole_stream_has_no_effect() {
    let mut world = World::secured(1);
    let mut recorded = Vec::new();
    for _ in 0..100 {
        let (from, bytes) = world.callee.packet().unwrap();
        recorded.push(bytes.clone());
        world.path.rtp(world.now(), from, bytes);
        world.run(20);
    }
    let played = world.stats().from_phone;
    let now = world.now();
    for addr in [PHONE.parse().unwrap(), strangers()[0]] {
        for packet in &recorded {
            world.path.rtp(now, addr, packet.clone());
        }
    }
    assert_eq!(world.stats().replayed, 200);
    assert_eq!(world.stats().from_phone, played);
    world.assert_both_hear();
}

/// CVE-2017-14099, CVE-2017-14114 (RTP Bleed): whoever sent a packet first was sent the call's sound.
///
/// The world's callee fails the test for every packet that goes anywhere but to it.
#[test]
fn row_1_a_spray_from_three_addresses_gets_nothing_and_is_not_heard() {
    for phone_begins_after_ms in [0, 200, 800] {
        let mut world = World::talking(1, Codec::Pcma);
        let mut intruders = [5, 6, 7].map(Intruder::new);
        world.callee.hum = None;
        for ms in 0..3_000 {
            if ms == phone_begins_after_ms {
                world.callee.hum = Some(Sine::new(CALLEE_HERTZ, SENT_DBFS));
            }
            // Each in turn for a while, five packets in a row every 10 ms.
            let who = ms / 100 % 3;
            let now = world.now();
            for _ in 0..if ms % 10 == 0 { 5 } else { 0 } {
                let packet = intruders[who].packet();
                world.path.rtp(now, strangers()[who], packet);
            }
            world.run(1);
        }
        assert_eq!(world.stats().strangers, 1_500);
        let (caller, _) = world.listen(1_000);
        assert!(level_at(&caller, 2_000.0).0 < -50.0);
        world.assert_both_hear();
    }
}

/// CVE-2025-53399: rtpengine learned an address before it looked at SRTP's tag. Plain RTP has no tag: whoever is alone for a second is
/// believed, and loses the call's sound within five packets of the phone's.
#[test]
fn row_2_nothing_is_learned_before_authentication_and_little_without_it() {
    let mut world = World::secured(1);
    world.callee.hum = None;
    let mut intruder = Intruder::new(5);
    for _ in 0..200 {
        world
            .path
            .rtp(world.now(), strangers()[0], intruder.packet());
        world.run(20);
    }
    assert_eq!(world.stats().forged, 200);

    let mut world = World::talking(1, Codec::Pcma);
    world.callee.hum = None;
    world.callee.addr = strangers()[0];
    let begun = world.now();
    for _ in 0..100 {
        world
            .path
            .rtp(world.now(), strangers()[0], intruder.packet());
        world.path.handle_timeout(world.now());
        while world.path.poll_output().is_some() {}
        world.now_ms += 20;
    }
    assert_eq!(world.stats().strangers, 50, "believed after one second");
    assert!(world.now() > begun);
    let mut phone = Callee::new(Codec::Pcma);
    let mut to_stranger = 0;
    for _ in 0..50 {
        let (from, bytes) = phone.packet().unwrap();
        world.path.rtp(world.now(), from, bytes);
        world
            .path
            .rtp(world.now(), strangers()[0], intruder.packet());
        world.path.handle_timeout(world.now());
        while let Some(output) = world.path.poll_output() {
            let astray = matches!(output, PathOutput::Rtp { to, .. } if to != from);
            to_stranger += u32::from(astray);
        }
        world.now_ms += 20;
    }
    assert!(to_stranger <= 5, "{to_stranger} packets to a stranger");
}

/// What arrives open where SRTP was agreed is nobody's, even from the phone's address; and nothing leaves open.
#[test]
fn row_2_a_secured_call_has_no_open_packet_in_either_direction() {
    let mut world = World::new(1);
    world.path.target(world.now(), target_with(2));
    world.path.answered(world.start);
    let mut intruder = Intruder::new(5);
    let mut open = 0;
    for _ in 0..300 {
        let now = world.now();
        world
            .path
            .rtp(now, PHONE.parse().unwrap(), intruder.packet());
        world.path.handle_timeout(now);
        while let Some(output) = world.path.poll_output() {
            if let PathOutput::Rtp { bytes, .. } = output {
                assert_eq!(bytes.len(), 12 + 160 + 10);
                // A-law silence is one byte over and over.
                open += u32::from(bytes[12..172].iter().all(|byte| *byte == bytes[12]));
            }
        }
        world.now_ms += 20;
    }
    assert_eq!((world.stats().forged, open), (300, 0));
}

fn phone() -> SocketAddr {
    PHONE.parse().unwrap()
}

/// CVE-2022-21722: lengths that a packet only claims were read past its end.
#[test]
fn row_17_cut_and_oversized_packets_are_counted_and_dropped() {
    let mut world = World::talking(1, Codec::Pcma);
    world.run(1_000);
    let (_, whole) = world.callee.packet().unwrap();
    let before = world.stats();
    for length in 0..12 {
        world.path.rtp(world.now(), phone(), whole.slice(..length));
    }
    // Four contributing sources, an extension and padding, none of which is there.
    for first in [0x8f, 0x90, 0xa0] {
        let mut claims = whole.slice(..13).to_vec();
        claims[0] = first;
        claims[12] = 0xff;
        world.path.rtp(world.now(), phone(), claims.into());
    }
    for length in [RtpPacket::BYTES_MAX + 1, 65_000] {
        let mut long = whole.to_vec();
        long.resize(length, 0);
        world.path.rtp(world.now(), phone(), long.into());
    }
    // A payload of nothing, and one of more sound than a packet has.
    for length in [12, 2_000] {
        let mut odd = whole.to_vec();
        odd.resize(length, 0);
        world.path.rtp(world.now(), phone(), odd.into());
    }
    let after = world.stats();
    assert_eq!(after.malformed - before.malformed, 12 + 3 + 2);
    assert_eq!(after.wrong_payload_type - before.wrong_payload_type, 2);
    assert_eq!(after.from_phone.received, before.from_phone.received);
    world.assert_both_hear();
}

/// CVE-2026-29068: more frames in a packet than its decoder had room for.
#[test]
fn row_18_a_packet_of_too_many_frames_is_dropped() {
    let mut options = PathOptions::new("AU", 1);
    options.ear.codec = Codec::Pcmu;
    let mut world = World::with(options);
    world.agree(target(Codec::Opus));
    world.path.answered(world.start);
    world.run(1_000);
    let before = world.stats();
    // RFC 6716 §3.2.5: a third byte says how many frames there are; 120 ms is the most.
    let mut frames = RtpSender::new(3);
    for (configuration, most) in [(0_u8, 12), (3, 2), (16, 48), (19, 6)] {
        for count in [0, most + 1, 63] {
            let toc = configuration << 3 | 3;
            let packet = frames.packet(111, false, Bytes::from(vec![toc, count, 0, 0]));
            world.path.rtp(world.now(), phone(), packet.to_bytes());
        }
    }
    let wrong = world.stats().wrong_payload_type - before.wrong_payload_type;
    assert_eq!(wrong, 12);
    let (caller, callee) = world.listen(2_000);
    assert_tone(&caller[8_000..], CALLEE_HERTZ, SENT_DBFS, 2.0);
    let rate = Codec::Opus.rate();
    let settled = &callee[rate.samples(1_000)..];
    assert_tone_at(rate, settled, CALLER_HERTZ, SENT_DBFS, 2.0);
}

/// libFuzzer's finds in Janus' REMB parser: a count of streams that the packet has no room for.
#[test]
fn row_24_reports_whose_lengths_lie_are_harmless() {
    let mut world = World::talking(1, Codec::Pcma);
    world.run(1_000);
    let mut reported = 0;
    for streams in 0..=u8::MAX {
        for words in [0_u16, 4, 5, 6, 0xff, u16::MAX] {
            let mut remb = vec![0x8f, 206];
            remb.extend(words.to_be_bytes());
            remb.extend([0, 0, 0, 1, 0, 0, 0, 0]);
            remb.extend(b"REMB");
            remb.extend([streams, 0xff, 0xff, 0xff, 0, 0, 0, 7]);
            world.path.rtcp(world.now(), phone(), &remb);
            reported += 1;
        }
    }
    let stats = world.stats();
    assert!(stats.malformed <= reported);
    assert_eq!((stats.strangers, world.phone_lost), (0, 0));
    world.assert_both_hear();
}

/// Numbers and times that jump as they like, from the phone's own address and under its own source: a second later it is heard again.
#[test]
fn a_storm_of_sequence_numbers_passes() {
    for seed in 0..20 {
        println!("seed {seed}");
        let mut world = World::talking(seed, Codec::Pcma);
        world.run(1_000);
        for _ in 0..2_000 {
            let (from, whole) = world.callee.packet().unwrap();
            let mut stray = whole.to_vec();
            let (number, time) = (world.random(1 << 16) as u16, world.random(1 << 32) as u32);
            stray[2..4].copy_from_slice(&number.to_be_bytes());
            stray[4..8].copy_from_slice(&time.to_be_bytes());
            world.path.rtp(world.now(), from, stray.into());
        }
        world.run(3_000);
        world.assert_both_hear();
    }
}

/// Named events of no length or one that no event has: nobody here listens to them.
#[test]
fn keys_of_the_phone_however_damaged_are_not_heard() {
    let mut world = World::talking(1, Codec::Pcma);
    world.run(1_000);
    let mut keys = RtpSender::new(4);
    for length in 0..9 {
        let event = keys.packet(101, false, Bytes::from(vec![0xff; length]));
        world.path.rtp(world.now(), phone(), event.to_bytes());
    }
    assert_eq!(world.stats().malformed, 0);
    world.assert_both_hear();
}
