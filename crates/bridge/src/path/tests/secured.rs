//! The phone's end under SRTP.

use housecall_media::srtp::{SrtpKey, SrtpPair, SrtpSuite, TheirKey};

use super::*;

pub(super) fn key(fill: u8) -> SrtpKey {
    SrtpKey::random([fill; SrtpKey::BYTES])
}

fn pair(suite: SrtpSuite, ours: u8, theirs: u8) -> SrtpPair {
    let theirs = TheirKey {
        key: key(theirs),
        mki: None,
    };
    SrtpPair {
        suite,
        ours: key(ours),
        theirs,
    }
}

/// Our end's target with our key 1 and a key of the phone's.
pub(super) fn target_with(theirs: u8) -> MediaTarget {
    MediaTarget {
        srtp: Some(pair(SrtpSuite::Aes128Sha80, 1, theirs)),
        ..target(Codec::Pcma)
    }
}

/// The phone's end of the same.
pub(super) fn phone_with(theirs: u8) -> Srtp {
    Srtp::new(&pair(SrtpSuite::Aes128Sha80, theirs, 1)).unwrap()
}

impl World {
    /// A world whose callee has answered under SRTP with key 2.
    pub(super) fn secured(seed: u64) -> Self {
        let mut world = Self::new(seed);
        world.callee.srtp = Some(phone_with(2));
        world.path.target(world.now(), target_with(2));
        world.path.answered(world.start);
        world
    }

    pub(super) fn assert_both_hear(&mut self) {
        let (caller, callee) = self.listen(2_000);
        assert_tone(&caller[4_000..], CALLEE_HERTZ, SENT_DBFS, 2.0);
        assert_tone(&callee[4_000..], CALLER_HERTZ, SENT_DBFS, 2.0);
    }
}

#[test]
fn both_hear_each_other_and_the_phone_s_reports_are_read() {
    let mut world = World::secured(1);
    world.run(5_100);
    world.assert_both_hear();
    assert_eq!(world.reports.len(), 1);
    let block = housecall_media::rtp::ReportBlock {
        ssrc: world.reports[0].ssrc,
        fraction_lost: 9,
        lost: 1,
        highest_sequence: 1,
        jitter: 0,
        last_sender_report: 0,
        delay_since_sender_report: 0,
    };
    let report = Report {
        ssrc: 99,
        blocks: vec![block],
        ..Report::default()
    };
    let open = report.to_bytes("phone");
    let now = world.now();
    let from = "192.0.2.1:4001".parse().unwrap();
    world.path.rtcp(now, from, &open);
    assert_eq!(world.stats().reported_fraction_lost, 0);
    let srtp = world.callee.srtp.as_mut().unwrap();
    let secured = srtp.protect_rtcp(&open).unwrap();
    world.path.rtcp(now, from, &secured);
    assert_eq!(world.stats().reported_fraction_lost, 9);
}

/// RFC 3711 §3.3.1: after a hold the numbers go on, so that nothing is a replay.
#[test]
fn a_hold_goes_on_with_its_numbers() {
    let mut world = World::secured(1);
    world.run(1_000);
    for direction in [
        Direction::SendOnly,
        Direction::Inactive,
        Direction::SendRecv,
    ] {
        let held = direction != Direction::SendRecv;
        world.path.target(
            world.now(),
            MediaTarget {
                direction,
                ..target_with(2)
            },
        );
        world.path.hold(world.now(), held);
        world.run(1_000);
    }
    world.assert_both_hear();
    assert_eq!(world.stats().replayed, 0);
    assert_eq!(world.stats().forged, 0);
}

#[test]
fn a_later_answer_s_new_key_takes_over() {
    let mut world = World::secured(1);
    world.run(1_000);
    // What is on its way when the answer comes is still heard.
    let late: Vec<_> = (0..3).map(|_| world.callee.packet().unwrap()).collect();
    world.path.target(world.now(), target_with(3));
    let now = world.now();
    for (from, bytes) in late {
        world.path.rtp(now, from, bytes);
    }
    assert_eq!(world.stats().forged, 0);
    let before = world.callee.srtp.take().unwrap();
    world.callee.srtp = Some(phone_with(3));
    world.assert_both_hear();
    // The key before is nobody's any more.
    world.callee.srtp = Some(before);
    let (from, bytes) = world.callee.packet().unwrap();
    world.path.rtp(world.now(), from, bytes);
    assert_eq!(world.stats().forged, 1);
}

/// RFC 3960 §3.2: each fork has a key of its own; the latest is heard alone.
#[test]
fn another_fork_s_early_sound_is_not_heard() {
    let mut world = World::new(1);
    world.callee.srtp = Some(phone_with(2));
    world.path.target(world.now(), target_with(2));
    world.run(1_000);
    assert_tone(&world.listen(1_000).0, CALLEE_HERTZ, SENT_DBFS, 2.0);
    let elsewhere: SocketAddr = "192.0.2.9:9000".parse().unwrap();
    world.path.target(
        world.now(),
        MediaTarget {
            remote: elsewhere,
            ..target_with(3)
        },
    );
    let heard_before = world.stats().forged;
    for _ in 0..200 {
        let (from, bytes) = world.callee.packet().unwrap();
        world.path.rtp(world.now(), from, bytes);
    }
    assert_eq!(world.stats().forged, heard_before + 200);
    world.callee = Callee::new(Codec::Pcma);
    world.callee.rtp = RtpSender::new(100);
    world.callee.addr = elsewhere;
    world.callee.srtp = Some(phone_with(3));
    world.assert_both_hear();
}
