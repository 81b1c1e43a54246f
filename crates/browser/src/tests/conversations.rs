use std::time::Duration;

use bytes::Bytes;

use super::pair::{Pair, TICK, options};
use crate::{
    Closed, Down, Kind, Options, OutPacket, SendRefused, Shape, SrtpProfile, Timeouts, Up,
    VoiceCodec,
};

const SECOND: Duration = Duration::from_secs(1);
/// The sound of a call, or of a room's first slot.
const SOUND: Down = Down {
    kind: Kind::Audio,
    slot: 0,
};

#[test]
fn a_call_carries_sound_both_ways() {
    let mut pair = Pair::connected(options(Shape::Call));
    pair.talk(SOUND, 50);
    assert_eq!(pair.media.len(), 50);
    assert!(
        pair.media.iter().all(
            |(track, packet)| *track == Up::Audio && packet.payload.as_ref() == [0xfc, 1, 2, 3]
        )
    );
    assert_eq!(pair.client.heard_on(0).len(), 50);
}

/// RFC 7874 §3: every browser has G.711, and speaks it where the answer has nothing else.
#[test]
fn a_call_is_in_g711_where_that_is_asked_for() {
    let mut asking = options(Shape::Call);
    asking.voices = vec![VoiceCodec::Pcma, VoiceCodec::Pcmu];
    let mut pair = Pair::connected(asking);
    assert_eq!(pair.peer.voice(), VoiceCodec::Pcmu);
    pair.talk(SOUND, 50);
    let types: Vec<u8> = pair
        .media
        .iter()
        .map(|it| it.1.header.payload_type)
        .collect();
    assert_eq!(types, [0; 50]);
    assert_eq!(pair.client.heard_on(0).len(), 50);
}

/// RFC 6464: levels go both ways in a header extension.
#[test]
fn levels_are_said_and_heard() {
    let mut pair = Pair::connected(options(Shape::Call));
    pair.talk(SOUND, 5);
    let levels: Vec<_> = pair.client.heard_on(0).iter().map(|it| it.level).collect();
    assert_eq!(levels, [Some((-23, Some(true))); 5]);
    let (_, packet) = &pair.media[4];
    assert_eq!(pair.peer.level(packet), Some(0x80 | 30));
}

/// RFC 3550 §6.4.1: what the browser misses comes back in its reports, inside sender reports too.
#[test]
fn what_the_browser_misses_is_reported() {
    let mut pair = Pair::connected(options(Shape::Call));
    for sequence in (0..800).filter(|sequence| sequence % 4 != 3) {
        pair.client.speak(pair.now);
        pair.send(SOUND, sequence);
        pair.run(Duration::from_millis(20));
    }
    let (track, fraction_lost) = pair.reported.last().copied().expect("a report");
    assert_eq!(track, SOUND);
    assert!((48..=80).contains(&fraction_lost), "{:?}", pair.reported);
}

/// RFC 3550 §6.4.1: the browser's report names one of ours, whether our ICE checks the path or only answers.
#[test]
fn the_round_trip_of_a_call_is_known() {
    for lite in [false, true] {
        let mut pair = Pair::connected(Options {
            lite,
            ..options(Shape::Call)
        });
        assert_eq!(pair.peer.round_trip(pair.now), None);
        pair.talk(SOUND, 800);
        let trip = pair.peer.round_trip(pair.now).expect("a report");
        assert!(trip <= 4 * TICK, "{trip:?}");
    }
}

#[test]
fn each_slot_of_a_room_has_its_own_m_lines() {
    let mut pair = Pair::connected(options(Shape::Room));
    for sequence in 65_530..=65_535 {
        for slot in 0..3 {
            pair.send(
                Down {
                    kind: Kind::Audio,
                    slot,
                },
                sequence,
            );
            pair.send(
                Down {
                    kind: Kind::Video,
                    slot,
                },
                sequence,
            );
        }
        pair.run(Duration::from_millis(20));
    }
    for slot in 0..3 {
        for line in [2 + 2 * slot, 3 + 2 * slot] {
            let heard = pair.client.heard_on(line);
            assert_eq!(heard.len(), 6, "m-line {line}");
            assert!(
                heard.iter().all(|heard| heard.payload[4] == slot as u8),
                "m-line {line}"
            );
        }
    }
}

#[test]
fn a_room_hears_a_microphone_and_a_camera() {
    let mut pair = Pair::connected(options(Shape::Room));
    for frame in 0..30 {
        pair.client.speak(pair.now);
        pair.client.film(pair.now, frame == 0);
        pair.run(Duration::from_millis(20));
    }
    let count = |wanted| {
        pair.media
            .iter()
            .filter(|(track, _)| *track == wanted)
            .count()
    };
    assert_eq!((count(Up::Audio), count(Up::Video)), (30, 30));
}

#[test]
fn a_lite_agent_connects_too() {
    let pair = Pair::connected(crate::Options {
        lite: true,
        ..options(Shape::Call)
    });
    assert_eq!(pair.proved, [pair.client_addr]);
}

#[test]
fn the_older_protection_is_there_for_who_needs_it() {
    let srtp = vec![SrtpProfile::Aes128CmSha1_80];
    let mut pair = Pair::connected(crate::Options {
        srtp,
        ..options(Shape::Call)
    });
    pair.client.speak(pair.now);
    pair.run(SECOND);
    assert_eq!(pair.media.len(), 1);
}

#[test]
fn key_frames_are_asked_for_both_ways() {
    let mut pair = Pair::connected(options(Shape::Room));
    pair.peer.request_keyframe(pair.now);
    pair.send(
        Down {
            kind: Kind::Video,
            slot: 1,
        },
        1,
    );
    pair.client.film(pair.now, true);
    pair.run(SECOND);
    assert_eq!(
        pair.client.keyframes_asked, 0,
        "nothing to ask before the camera's first packet"
    );
    pair.client.lose_picture(pair.now, 5);
    pair.peer.request_keyframe(pair.now);
    pair.run(SECOND);
    assert_eq!(pair.keyframes_wanted, [1]);
    assert_eq!(pair.client.keyframes_asked, 1);
}

#[test]
fn lost_pictures_are_repeated_and_not_asked_for_twice() {
    let mut pair = Pair::connected(options(Shape::Room));
    pair.client.film(pair.now, true);
    pair.run(SECOND);
    pair.lose_every = Some(7);
    let before = pair.media_sent;
    for _frame in 0..300 {
        pair.client.film(pair.now, false);
        pair.run(Duration::from_millis(30));
    }
    pair.lose_every = None;
    pair.run(SECOND * 2);
    assert_eq!(pair.media.len(), 301, "every frame came, and came once");
    let sent = pair.media_sent - before;
    // 43 of 300 are lost, of these again every seventh; a NACK may cross its answer.
    assert!((340..420).contains(&sent), "{sent} packets for 300 frames");
}

#[test]
fn what_cannot_be_sent_is_named() {
    let mut pair = Pair::new(options(Shape::Call));
    let packet = |sequence, bytes| OutPacket {
        marker: false,
        sequence,
        timestamp: 0,
        level: None,
        payload: Bytes::from(vec![0; bytes]),
    };
    let too_early = pair.peer.send(pair.now, SOUND, packet(1, 9));
    assert!(matches!(too_early, Err(SendRefused::NotConnected)));
    pair.run(SECOND * 3);
    let video = Down {
        kind: Kind::Video,
        slot: 0,
    };
    let no_track = pair.peer.send(pair.now, video, packet(1, 9)).unwrap_err();
    assert_eq!(no_track.to_string(), "no Video slot 0");
    let too_long = pair
        .peer
        .send(pair.now, SOUND, packet(1, 1401))
        .unwrap_err();
    assert_eq!(
        too_long.to_string(),
        "payload of 1401 bytes is longer than 1400"
    );
    pair.peer.send(pair.now, SOUND, packet(1, 9)).unwrap();
    let twice = pair.peer.send(pair.now, SOUND, packet(1, 8)).unwrap_err();
    assert_eq!(twice.to_string(), "sequence number 1 was used before");
}

#[test]
fn closing_says_goodbye() {
    for shape in [Shape::Call, Shape::Room] {
        let mut pair = Pair::connected(options(shape));
        pair.sent.clear();
        pair.peer.close(pair.now);
        pair.run(SECOND);
        // RFC 6347 §4.1: a record of DTLS begins with its content type; 21 is an alert.
        assert!(
            pair.sent.iter().any(|datagram| datagram[0] == 21),
            "no close_notify"
        );
        assert_eq!(pair.closed, Some(Closed::ByUs));
        assert_eq!(pair.peer.poll_timeout(), None);
        pair.client.speak(pair.now);
        pair.run(SECOND);
        assert!(pair.media.is_empty());
    }
}

/// RFC 8122 §5, RFC 5763 §6.7.1: who has another certificate than the offer said is not whom we answered.
#[test]
fn another_certificate_than_the_offer_said_is_refused() {
    for shape in [Shape::Call, Shape::Room] {
        let mut pair = Pair::of(options(shape), |offer| {
            let other = |line: &str| match line.strip_prefix("a=fingerprint:sha-256 ") {
                Some(value) => {
                    let last = if value.ends_with('0') { '1' } else { '0' };
                    format!(
                        "a=fingerprint:sha-256 {}{last}\r\n",
                        &value[..value.len() - 1]
                    )
                }
                None => format!("{line}\r\n"),
            };
            offer.lines().map(other).collect()
        });
        pair.run(SECOND * 35);
        assert!(!pair.connected, "{shape:?}");
        assert_eq!(pair.closed, Some(Closed::Failed), "{shape:?}");
    }
}

/// RFC 8445 §12: the address is the path's, not the call's; a telephone changes from one network to another while it is spoken into.
#[test]
fn sound_goes_where_the_browser_has_moved_to() {
    let mut pair = Pair::connected(options(Shape::Call));
    pair.client_addr = "127.0.0.1:5001".parse().unwrap();
    pair.talk(SOUND, 250);
    assert_eq!(pair.closed, None);
    assert!(pair.media.len() > 100, "{} packets heard", pair.media.len());
    let heard = pair.client.heard_on(0).len();
    assert!(heard > 100, "{heard} packets were heard there");
}

#[test]
fn a_browser_that_falls_silent_is_given_up() {
    let timeouts = Timeouts {
        disconnected: SECOND * 2,
        failed: SECOND * 3,
        ..Timeouts::default()
    };
    let mut pair = Pair::connected(crate::Options {
        timeouts,
        ..options(Shape::Call)
    });
    pair.run(SECOND * 20);
    assert_eq!(pair.closed, None, "silent in sound, not in STUN");
    pair.cut = true;
    pair.run(SECOND);
    assert_eq!(pair.closed, None);
    pair.run(SECOND * 10);
    assert_eq!(pair.closed, Some(Closed::Disconnected));
}

#[test]
fn a_browser_that_never_comes_is_given_up() {
    let mut pair = Pair::new(options(Shape::Call));
    pair.cut = true;
    pair.run(SECOND * 35);
    assert_eq!(pair.closed, Some(Closed::Failed));
    assert!(!pair.connected);
}
