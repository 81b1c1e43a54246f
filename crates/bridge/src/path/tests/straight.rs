//! What goes through as it came: no decoding, no delay, and one stream whatever comes in between.

use super::*;

/// A world whose callee speaks Opus, as the browser does.
fn opus() -> World {
    World::talking(1, Codec::Opus)
}

/// A world whose browser speaks A-law, as the callee does, and whose policy lets it through.
fn g711() -> World {
    let mut options = PathOptions::new("AU", 1);
    options.straight_g711 = true;
    options.ear.codec = Codec::Pcma;
    let mut world = World::with(options);
    world.agree(target(Codec::Pcma));
    world.path.answered(world.start);
    world
}

impl World {
    /// What the callee has got at this moment, after one packet of the caller.
    fn say_once(&mut self) -> (EarPacket, Option<RtpPacket>) {
        let packet = self.caller.packet().unwrap();
        let before = self.callee.packets.len();
        self.path.ear(self.now(), packet.clone());
        self.take_outputs();
        (packet, self.callee.packets.get(before).cloned())
    }

    fn steepest(sound: &[i16]) -> i32 {
        let steps = sound.windows(2);
        let steps = steps.map(|two| (i32::from(two[1]) - i32::from(two[0])).abs());
        steps.max().unwrap_or(0)
    }
}

#[test]
fn payloads_are_untouched_and_leave_the_moment_they_come() {
    for mut world in [opus(), g711()] {
        world.run(500);
        let (said, heard) = world.say_once();
        assert_eq!(Some(said.payload), heard.map(|packet| packet.payload));
        let (from, bytes) = world.callee.packet().unwrap();
        let said = RtpPacket::parse(bytes.clone()).unwrap();
        let before = world.caller.frames.len();
        world.path.rtp(world.now(), from, bytes);
        world.take_outputs();
        let heard = world.caller.frames.get(before);
        assert_eq!(heard.map(|frame| &frame.payload), Some(&said.payload));
    }
}

impl World {
    /// How often the path wants to be woken in a second of sound.
    fn wakes_in_a_second(&mut self) -> usize {
        let mut wakes = 0;
        for _ in 0..1_000 {
            wakes += usize::from(self.path.poll_timeout() <= self.now());
            self.run(1);
        }
        wakes
    }
}

/// Ten looks a second, and no frame, until there is something to say.
#[test]
fn what_goes_straight_through_wakes_nobody_until_something_happens() {
    for mut world in [opus(), g711()] {
        world.run(2_000);
        let at_rest = world.wakes_in_a_second();
        assert!((9..=12).contains(&at_rest), "{at_rest} at rest");
        assert_eq!(world.stats().frames_missed, 0);
        world.press("5");
        world.run(1_000);
        assert_eq!(world.callee.keys_heard, "5");
        world.path.hold(world.now(), true);
        let held = world.wakes_in_a_second();
        assert!(held >= 50, "{held} on hold");
        world.path.hold(world.now(), false);
        world.run(1_000);
        let at_rest = world.wakes_in_a_second();
        assert!((9..=12).contains(&at_rest), "{at_rest} at rest again");
        assert_eq!(world.stats().frames_missed, 0);
    }
}

#[test]
fn g711_is_decoded_unless_the_policy_lets_it_through() {
    let mut options = PathOptions::new("AU", 1);
    options.ear.codec = Codec::Pcma;
    let mut world = World::with(options);
    world.agree(target(Codec::Pcma));
    world.path.answered(world.start);
    world.run(500);
    let (_, heard) = world.say_once();
    assert_eq!(heard, None);
    world.run(500);
    let (caller, callee) = world.listen(1_000);
    assert_tone(&caller, CALLEE_HERTZ, SENT_DBFS, 2.0);
    assert_tone(&callee, CALLER_HERTZ, SENT_DBFS, 2.0);
}

/// A-law has nothing to bridge a loss with: a leg that loses goes through the jitter buffer until it is clean again.
#[test]
fn g711_goes_straight_through_only_while_the_leg_is_clean() {
    let mut world = g711();
    world.run(6_000);
    assert!(world.say_once().1.is_some());
    world.lost = 10;
    world.run(6_000);
    let before = world.stats().rtp_sent;
    world.run(5_000);
    world.lost = 0;
    // What is lost is made up there; straight through it would be missing.
    let sent = world.stats().rtp_sent - before;
    assert!((249..=251).contains(&sent), "{sent} packets in 5 s");
    world.run(300);
    let (_, callee) = world.listen(1_000);
    assert_tone(&callee, CALLER_HERTZ, SENT_DBFS, 2.0);
    world.run(11_000);
    assert!(world.say_once().1.is_some());
}

/// Music, silence and keys take the voice's place and give it back in one stream, without a jump in the sound or the numbers.
#[test]
fn hold_mute_and_keys_come_in_between_without_a_click() {
    for mut world in [opus(), g711()] {
        world.run(1_000);
        let (caller, callee) = world.listen(2_000);
        let usual = World::steepest(&callee).max(World::steepest(&caller));
        for round in 0..3 {
            world.path.mute(true);
            world.run(500);
            world.path.mute(false);
            world.run(500);
            world.press("5");
            world.run(500);
            world.path.hold(world.now(), true);
            world.run(1_500);
            world.path.hold(world.now(), false);
            world.run(500);
            assert_eq!(world.callee.keys_heard.len(), round + 1);
        }
        let steepest =
            World::steepest(&world.callee.heard).max(World::steepest(&world.caller.heard));
        // A tone that is cut off at its height falls by its amplitude, 8 200, at once; a click is more.
        assert!(steepest < usual + 9_000, "{steepest}, usually {usual}");
        world.assert_numbers_go_on();
        let frames = world.caller.frames.windows(2);
        for two in frames {
            assert_eq!(two[1].sequence, two[0].sequence.wrapping_add(1));
            assert!(two[1].timestamp.wrapping_sub(two[0].timestamp) as i32 > 0);
        }
        let (_, callee) = world.listen(1_000);
        assert_tone_at(
            world.callee.voice.rate,
            &callee,
            CALLER_HERTZ,
            SENT_DBFS,
            2.0,
        );
    }
}

/// RFC 3550 §5.1: what the browser's packets lost on their way shows in our numbers, and is the phone's to bridge.
#[test]
fn losses_are_passed_on_as_losses_and_duplicates_are_not_passed_on() {
    let mut world = opus();
    world.run(500);
    let first = world.callee.packets.last().unwrap().sequence;
    let packets: Vec<_> = (0..6).map(|_| world.caller.packet().unwrap()).collect();
    for n in [0, 1, 3, 3, 5, 4, 0] {
        world.path.ear(world.now(), packets[n].clone());
    }
    let before = world.callee.packets.len();
    world.take_outputs();
    let numbers: Vec<u16> = world.callee.packets[before..]
        .iter()
        .map(|packet| packet.sequence.wrapping_sub(first))
        .collect();
    assert_eq!(numbers, [1, 2, 4, 6, 5]);
}

/// Networks take a stream that ends for a call that is over.
#[test]
fn a_browser_that_sends_nothing_is_filled_in_for_with_silence() {
    let mut world = opus();
    world.caller.hum = None;
    world.run(200);
    assert!(
        world.callee.packets.len() > 5,
        "nothing before the browser speaks"
    );
    world.caller.hum = Some(Sine::new(CALLER_HERTZ, SENT_DBFS));
    world.run(2_000);
    world.caller.hum = None;
    world.run(1_500);
    world.callee.packets.clear();
    let (_, callee) = world.listen(2_000);
    assert!(world.callee.packets.len() > 90 && level(&callee).0 < -60.0);
    world.caller.hum = Some(Sine::new(CALLER_HERTZ, SENT_DBFS));
    world.run(300);
    world.assert_numbers_go_on();
    let (_, callee) = world.listen(1_000);
    assert_tone_at(Rate::Wide, &callee, CALLER_HERTZ, SENT_DBFS, 2.0);
}

#[test]
fn the_ringing_is_heard_until_the_phone_s_own_sound_goes_straight_through() {
    let mut world = World::new(1);
    world.callee.hum = None;
    world.path.ring();
    let (caller, _) = world.listen(400);
    assert!(level_at(&caller, 400.0).0 > -28.0);
    world.agree(target(Codec::Opus));
    world.callee.hum = Some(Sine::new(CALLEE_HERTZ, SENT_DBFS));
    world.run(500);
    let (caller, _) = world.listen(1_000);
    assert_tone_at(Rate::Wide, &caller, CALLEE_HERTZ, SENT_DBFS, 2.0);
    assert!(world.stats().from_phone.played > 40);
}

/// Under SRTP no number is used twice (RFC 3711 §9.1), whatever the phone numbers its packets.
#[test]
fn no_number_is_sent_twice_to_the_browser() {
    let mut world = opus();
    world.run(500);
    let mut forger = RtpSender::new(3);
    let mut state = 5_u32;
    for n in 0..2_000 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let payload = world.caller.packet().unwrap().payload;
        let mut packet = forger.packet(111, false, payload);
        packet.ssrc = world.callee.rtp.ssrc();
        // One in fifty from anywhere, the rest near where they should be.
        let near = (n as u16).wrapping_sub((state >> 24) as u16 % 20);
        packet.sequence = if n % 50 == 0 {
            (state >> 8) as u16
        } else {
            near
        };
        world
            .path
            .rtp(world.now(), PHONE.parse().unwrap(), packet.to_bytes());
        if n % 100 == 0 {
            world.path.hold(world.now(), n % 200 == 0);
            world.run(20);
        }
        world.take_outputs();
    }
    let mut numbers: Vec<u16> = world
        .caller
        .frames
        .iter()
        .map(|frame| frame.sequence)
        .collect();
    let all = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), all);
}
