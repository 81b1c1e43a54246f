use housecall_media::telephone_event::KeySender;
use housecall_media::{FRAME_MS, KeyTone};

use super::*;

const PRESSED: &str = "159*0#A77";

/// Without named events.
fn tones_only(codec: Codec) -> MediaTarget {
    MediaTarget {
        telephone_event: None,
        ..target(codec)
    }
}

fn hearing_tones(codec: Codec, target: MediaTarget) -> World {
    let mut options = PathOptions::new("AU", 1);
    options.hear_tones = true;
    options.ear.codec = Codec::Opus;
    let mut world = World::with(options);
    world.callee.hum = None;
    world.callee.speak(codec);
    world.agree(target);
    world.path.answered(world.start);
    world
}

/// The callee presses keys by events, as a phone does that holds each for 120 ms.
fn press_by_events(world: &mut World, keys: &str) {
    let mut sender = KeySender::default();
    for name in keys.chars() {
        sender.press(Key::new(name).unwrap()).unwrap();
    }
    let mut began = 0;
    for _ in 0..keys.len() * 12 {
        if let Some(event) = sender.tick() {
            let Callee { rtp, addr, .. } = &mut world.callee;
            began = if event.first { rtp.timestamp() } else { began };
            let packet = rtp.packet_at(began, 101, event.first, event.payload);
            let packet = Packet::Rtp(*addr, packet.to_bytes());
            world.send(packet);
        }
        world.callee.rtp.advance(160);
        world.run(20);
    }
    world.run(200);
}

/// The callee lets its keys sound, 100 ms each with as long a pause, at a rate.
fn press_by_tones(world: &mut World, keys: &str) {
    for name in keys.chars() {
        let mut tone = KeyTone::new(Key::new(name).unwrap(), 100);
        for _ in 0..10 {
            let mut frame = Frame::silence(world.callee.voice.rate, FRAME_MS);
            tone.fill(&mut frame);
            let Callee {
                voice,
                rtp,
                codec,
                addr,
                ..
            } = &mut world.callee;
            let payload = voice.encoder.encode(&frame).unwrap();
            let packet = rtp.packet(codec.payload_type(), false, payload);
            rtp.advance(codec.clock_rate() / 50);
            let packet = Packet::Rtp(*addr, packet.to_bytes());
            world.send(packet);
            world.run(20);
        }
    }
    world.run(500);
}

#[test]
fn keys_at_the_phone_are_heard_once_each_under_loss_and_disorder() {
    for seed in 0..10 {
        let mut world = World::talking(seed, Codec::Pcma);
        world.callee.hum = None;
        (world.jitter_ms, world.lost) = (15, 20);
        press_by_events(&mut world, PRESSED);
        assert_eq!(world.keys_heard, PRESSED, "seed {seed}");
        assert_eq!(world.stats().keys_heard, PRESSED.len() as u64);
    }
}

#[test]
fn what_is_pressed_before_the_answer_is_nobody_s() {
    let mut world = World::new(1);
    world.callee.hum = None;
    world.agree(target(Codec::Pcma));
    press_by_events(&mut world, PRESSED);
    assert_eq!(world.keys_heard, "");
}

#[test]
fn tones_are_heard_where_that_is_asked_for_and_there_are_no_events() {
    for codec in [Codec::Pcma, Codec::G722, Codec::Opus] {
        let mut world = hearing_tones(codec, tones_only(codec));
        press_by_tones(&mut world, PRESSED);
        assert_eq!(world.keys_heard, PRESSED, "{codec:?}");
    }
}

#[test]
fn a_tone_beside_its_event_is_not_heard_twice() {
    let mut world = hearing_tones(Codec::Pcma, target(Codec::Pcma));
    press_by_tones(&mut world, PRESSED);
    assert_eq!(world.keys_heard, "");
    press_by_events(&mut world, PRESSED);
    assert_eq!(world.keys_heard, PRESSED);
}

#[test]
fn nobody_listens_for_tones_who_was_not_asked() {
    let mut world = World::talking(1, Codec::Pcma);
    world.callee.hum = None;
    world.agree(tones_only(Codec::Pcma));
    press_by_tones(&mut world, PRESSED);
    assert_eq!(world.keys_heard, "");
}
