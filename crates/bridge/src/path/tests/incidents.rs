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
