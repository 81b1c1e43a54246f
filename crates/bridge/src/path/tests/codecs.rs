//! Every codec of the phone leg, in packets of every length, through a whole call.

use super::*;

const VOICES: [Codec; 4] = [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus];

/// A world whose callee has answered in a codec, wants packets of one length, and sends those of another.
fn talking_in(codec: Codec, wants_ms: u64, sends_ms: u64) -> World {
    let mut world = World::new(1);
    world.agree(MediaTarget {
        ptime_ms: codec.packet_ms(wants_ms),
        ..target(codec)
    });
    world.path.answered(world.start);
    world.callee.ptime_ms = codec.packet_ms(sends_ms);
    world
}

impl World {
    /// The rate at which the caller is measured, and the callee.
    fn rates(&self) -> (Rate, Rate) {
        (self.caller.voice.rate, self.callee.voice.rate)
    }

    fn assert_caller_hears_callee(&self, caller: &[i16]) {
        assert_tone_at(self.rates().0, caller, CALLEE_HERTZ, SENT_DBFS, 2.0);
    }

    fn assert_callee_hears_caller(&self, callee: &[i16]) {
        assert_tone_at(self.rates().1, callee, CALLER_HERTZ, SENT_DBFS, 2.0);
    }

    fn assert_both_hear_in(&mut self) {
        let (caller, callee) = self.listen(1_000);
        self.assert_caller_hears_callee(&caller);
        self.assert_callee_hears_caller(&callee);
    }
}

/// RFC 8866 §6.4: each side is sent what it asks for, and asks for what it likes (CVE-2026-41416: asymmetric packet times).
#[test]
fn both_hear_each_other_in_every_codec_and_packet_length() {
    for codec in VOICES {
        for (wants_ms, sends_ms) in [(10, 60), (20, 20), (30, 10), (40, 30), (50, 40), (60, 20)] {
            let mut world = talking_in(codec, wants_ms, sends_ms);
            world.run(1_000);
            world.callee.packets.clear();
            let before = world.stats().from_phone.concealed;
            world.assert_both_hear_in();
            let ms = match codec {
                // Opus goes straight through, as the browser packed it.
                Codec::Opus => 20,
                _ => codec.packet_ms(wants_ms),
            };
            let ticks = codec.clock_rate() / 1_000 * ms as u32;
            for packet in &world.callee.packets {
                assert_eq!(
                    codec.ticks(&packet.payload),
                    Some(ticks),
                    "{codec} {wants_ms} ms"
                );
            }
            let steps = world.callee.packets.windows(2);
            let steps = steps.map(|two| two[1].timestamp.wrapping_sub(two[0].timestamp));
            assert!(
                steps.clone().all(|step| step == ticks),
                "{codec} {wants_ms} ms"
            );
            assert!(steps.count() as u64 >= 950 / ms, "{codec} {wants_ms} ms");
            let stats = world.stats();
            assert_eq!(
                stats.from_phone.concealed, before,
                "{codec} {sends_ms} ms: {stats:?}"
            );
        }
    }
}

/// RFC 3551 §4.5.2: the clock is 8 kHz and the sound is not.
#[test]
fn g722_carries_what_no_telephone_does() {
    let mut world = talking_in(Codec::G722, 20, 20);
    world.caller.hum = Some(Sine::new(5_500.0, SENT_DBFS));
    world.callee.hum = Some(Sine::new(6_200.0, SENT_DBFS));
    world.run(1_000);
    let (caller, callee) = world.listen(1_000);
    assert_tone_at(Rate::Wide, &caller, 6_200.0, SENT_DBFS, 3.0);
    assert_tone_at(Rate::Wide, &callee, 5_500.0, SENT_DBFS, 3.0);
}

#[test]
fn hold_and_mute_in_every_codec_and_packet_length() {
    for codec in VOICES {
        for ms in [30, 60] {
            let mut world = talking_in(codec, ms, 20);
            let held = MediaTarget {
                direction: Direction::SendOnly,
                ptime_ms: codec.packet_ms(ms),
                ..target(codec)
            };
            let talks = MediaTarget {
                direction: Direction::SendRecv,
                ..held.clone()
            };
            world.run(600);
            world.path.mute(true);
            world.run(200);
            let (caller, callee) = world.listen(600);
            assert!(
                level(&callee).0 < -55.0,
                "{codec} {ms} ms, muted: {:?}",
                level(&callee)
            );
            assert!(!callee.is_empty());
            world.assert_caller_hears_callee(&caller);
            world.path.mute(false);
            world.path.hold(world.now(), true);
            world.agree(held);
            world.run(300);
            let (caller, callee) = world.listen(2_000);
            assert!(
                level(&caller).0 < -55.0,
                "{codec} {ms} ms, held: {:?}",
                level(&caller)
            );
            let music = level(&callee).0;
            assert!(
                (-28.0..=-14.0).contains(&music),
                "{codec} {ms} ms: {music} dBFS"
            );
            world.path.hold(world.now(), false);
            world.agree(talks);
            world.run(300);
            world.assert_both_hear_in();
            world.assert_numbers_go_on();
        }
    }
}

impl World {
    /// RFC 3550 §5.1: one stream, no number left out or used twice, no time that goes back.
    pub(super) fn assert_numbers_go_on(&self) {
        for two in self.callee.packets.windows(2) {
            assert_eq!(two[0].ssrc, two[1].ssrc);
            assert_eq!(two[1].sequence, two[0].sequence.wrapping_add(1));
            let step = two[1].timestamp.wrapping_sub(two[0].timestamp) as i32;
            assert!(step >= 0, "time goes back by {step}");
        }
    }
}

/// RFC 4733 §2.1: under the clock of the codec in use, and exact.
#[test]
fn keys_are_exact_in_every_codec_and_packet_length() {
    const DIALLED: &str = "19*#0D";
    for codec in VOICES {
        for ms in [10, 30, 60] {
            let mut world = talking_in(codec, ms, 20);
            world.lost = 10;
            world.run(300);
            world.press(DIALLED);
            world.run(2_500);
            assert_eq!(world.callee.keys_heard, DIALLED, "{codec} {ms} ms");
            let event = codec.telephone_event().payload_type();
            let packets = world.callee.packets.iter();
            let events = packets.filter(|packet| packet.payload_type == event);
            let longest = events.filter_map(|packet| {
                let event =
                    housecall_media::telephone_event::TelephoneEvent::parse(&packet.payload)?;
                Some(u32::from(event.duration))
            });
            // 120 ms, whichever clock.
            assert_eq!(longest.max(), Some(codec.clock_rate() / 1_000 * 120));
            world.lost = 0;
            world.run(300);
            world.assert_both_hear_in();
        }
    }
}

#[test]
fn keys_are_tones_where_no_event_shares_the_clock() {
    for (codec, ms) in [(Codec::Pcmu, 30), (Codec::Opus, 20)] {
        let mut world = talking_in(codec, ms, 20);
        world.agree(MediaTarget {
            telephone_event: None,
            ptime_ms: ms,
            ..target(codec)
        });
        world.run(500);
        world.press("42##0");
        let (_, callee) = world.listen(2_000);
        // The detector listens at 8 kHz.
        let step = (world.rates().1.hertz() / 8_000) as usize;
        let narrow: Vec<i16> = callee.into_iter().step_by(step).collect();
        let heard = KeyDetector::default().listen(&narrow);
        let heard: String = heard.into_iter().map(Key::name).collect();
        assert_eq!(heard, "42##0", "{codec}");
        world.run(300);
        world.assert_both_hear_in();
    }
}

/// RFC 3264 §8.3.2, RFC 7160 §4.1: the same stream while its clock is the same, another where it is not.
#[test]
fn the_codec_changes_in_the_middle_of_the_call() {
    let mut world = talking_in(Codec::Pcma, 20, 20);
    let mut last_ssrc = None;
    let mut clock_rate = Codec::Pcma.clock_rate();
    for (codec, ms) in [
        (Codec::Pcma, 20),
        (Codec::G722, 30),
        (Codec::Opus, 20),
        (Codec::Opus, 60),
        (Codec::Pcmu, 10),
        (Codec::G722, 60),
        (Codec::Pcma, 20),
    ] {
        world.agree(MediaTarget {
            ptime_ms: codec.packet_ms(ms),
            ..target(codec)
        });
        world.run(600);
        world.callee.packets.clear();
        world.assert_both_hear_in();
        let ssrc = world.callee.packets[0].ssrc;
        if let Some(last) = last_ssrc {
            let same = codec.clock_rate() == clock_rate;
            assert_eq!(last == ssrc, same, "{codec} {ms} ms");
        }
        (last_ssrc, clock_rate) = (Some(ssrc), codec.clock_rate());
        world.assert_numbers_go_on();
    }
    let goodbyes = world.reports.iter().filter(|report| report.bye).count();
    assert_eq!(goodbyes, 2, "one for each stream that is over");
}

/// RFC 3264 §6.1: what was agreed may come at any time, whatever we send.
#[test]
fn a_phone_may_speak_another_agreed_codec_than_it_hears() {
    for codec in [Codec::Pcma, Codec::G722] {
        let mut world = talking_in(codec, 20, 20);
        world.run(300);
        world.callee.speak(Codec::Pcmu);
        world.caller.voice = Voice::new(Codec::Opus, Rate::Narrow);
        world.run(300);
        let (caller, _) = world.listen(1_000);
        world.assert_caller_hears_callee(&caller);
    }
}

/// RFC 7587 §3.1.3: a browser that takes DTX is sent no silence, and hears all of what is said after it.
#[test]
fn silence_is_not_sent_to_a_browser_that_takes_dtx() {
    let mut options = PathOptions::new("AU", 1);
    options.ear.opus.skips_silence = true;
    let mut world = World::with(options);
    world.agree(target(Codec::Pcma));
    world.path.answered(world.start);
    world.run(1_000);
    world.callee.hum = Some(Sine::new(CALLEE_HERTZ, -100.0));
    world.run(1_000);
    let sent = world.stats().browser_sent;
    world.run(4_000);
    let sent = world.stats().browser_sent - sent;
    assert!(sent < 60, "{sent} packets of silence in 4 s");
    world.callee.hum = Some(Sine::new(CALLEE_HERTZ, SENT_DBFS));
    world.run(300);
    assert!(world.caller.frames.iter().any(|frame| frame.marker));
    world.assert_both_hear_in();
    let steps = world.caller.timestamps.windows(2);
    assert!(
        steps
            .map(|two| two[1].wrapping_sub(two[0]))
            .all(|step| step % 960 == 0)
    );
}

/// RFC 7587 §6.1: a phone that takes few bits is not sent a browser's many.
#[test]
fn opus_is_encoded_anew_for_a_phone_that_takes_fewer_bits() {
    let mut world = World::talking(1, Codec::Opus);
    let opus = OpusParameters {
        bits_per_second_max: Some(10_000),
        ..OpusParameters::default()
    };
    let few = MediaTarget {
        opus,
        ptime_ms: 60,
        ..target(Codec::Opus)
    };
    world.agree(few);
    world.run(600);
    world.callee.packets.clear();
    world.assert_both_hear_in();
    let packets = &world.callee.packets;
    assert!(
        packets
            .iter()
            .all(|packet| Codec::Opus.ticks(&packet.payload) == Some(2_880))
    );
    let bytes: usize = packets.iter().map(|packet| packet.payload.len()).sum();
    assert!(bytes * 8 < 13_000, "{bytes} bytes in a second");
}

/// RFC 3389: comfort noise is a pause, not a loss, under every codec of its clock, and sounds as loud as it says.
#[test]
fn comfort_noise_is_a_pause() {
    for codec in [Codec::Pcma, Codec::G722, Codec::Opus] {
        let mut world = talking_in(codec, 20, 20);
        world.run(1_000);
        world.callee.hum = None;
        let concealed = world.stats().from_phone.concealed;
        for _ in 0..20 {
            let packet = world
                .callee
                .rtp
                .packet(13, false, Bytes::from_static(&[40]));
            world
                .path
                .rtp(world.now(), PHONE.parse().unwrap(), packet.to_bytes());
            world.run(20);
        }
        let (caller, _) = world.listen(400);
        assert_eq!(world.stats().from_phone.concealed, concealed, "{codec}");
        assert_eq!(world.stats().wrong_payload_type, 0);
        if codec != Codec::Opus {
            // A sine at full scale, which dBFS are relative to, is at -3 dBov.
            let dbfs = level(&caller).0;
            assert!((dbfs + 37.0).abs() < 3.0, "{codec}: {dbfs} dBFS");
        }
    }
}

#[test]
fn an_ear_without_a_voice_is_refused() {
    let mut options = PathOptions::new("AU", 1);
    options.ear.codec = Codec::TelephoneEvent;
    let refused = MediaPath::new(Instant::now(), options).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "telephone-event coder: carries no voice"
    );
}
