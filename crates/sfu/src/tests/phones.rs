//! V13: a patient goes on by phone.

use std::time::Duration;

use bytes::Bytes;
use housecall_media::{AudioLevel, Frame, Rate};

use super::client::Heard;
use super::voices::Sound;
use super::world::{ONE, PRACTITIONER, SECOND, TWO, World};
use crate::PatientSeat::{One, Two};
use crate::{
    Ending, Fact, Gone, Hears, Input, JoinRefused, OpusPacket, PeerId, PeerState, PhoneSound,
    PhoneStats, Place, Seat,
};

const TONES: [(Seat, f32); 3] = [(PRACTITIONER, 400.0), (ONE, 700.0), (TWO, 1_300.0)];
const DBFS: f32 = -20.0;
const FORMS: [Hears; 2] = [Hears::Packets, Hears::Frames(Rate::Narrow)];

fn tone_of(seat: Seat) -> f32 {
    TONES.into_iter().find(|(of, _)| *of == seat).unwrap().1
}

/// The practitioner and the second patient sing at their pages, the first patient on the phone.
fn three(hears: Hears) -> (World, PeerId) {
    let mut world = World::with(&[One, Two]);
    for seat in [PRACTITIONER, TWO] {
        world.sing(seat, tone_of(seat), DBFS);
    }
    let phone = world.call(One, hears).unwrap();
    world.phone(phone).sing(tone_of(ONE), DBFS);
    world.run(SECOND * 2);
    (world, phone)
}

/// The practitioner sings at a page, the only patient on the phone.
fn two(hears: Hears) -> (World, PeerId) {
    let mut world = World::with(&[One]);
    world.sing(PRACTITIONER, tone_of(PRACTITIONER), DBFS);
    let phone = world.call(One, hears).unwrap();
    world.phone(phone).sing(tone_of(ONE), DBFS);
    world.run(SECOND * 2);
    (world, phone)
}

/// The m-line on which a page hears a seat.
fn line_of(viewer: Seat, seen: Seat) -> usize {
    2 + 2 * usize::from(seen.slot_for(viewer).unwrap())
}

/// What a page hears of a seat in the last second.
fn page_hears(world: &mut World, viewer: Seat, seen: Seat) -> Sound {
    let heard = world.client(viewer).heard_on(line_of(viewer, seen));
    Sound::of(&heard[heard.len().saturating_sub(50)..])
}

fn person(world: &World, seat: Seat) -> crate::PersonView {
    world.room.view().people[seat.index()]
}

#[test]
fn v13_a_phone_takes_the_seat_and_both_hear_each_other() {
    for hears in FORMS {
        let (mut world, phone) = two(hears);
        world.phone(phone).listen().is_tone(400.0, DBFS);
        page_hears(&mut world, PRACTITIONER, ONE).is_tone(700.0, DBFS);
        assert_eq!(world.gone, [(ONE, Gone::Evicted)], "the page retires");
        let since = world.facts.len() - 2;
        assert_eq!(
            world.facts[since..],
            [Fact::Left(ONE), Fact::PhoneJoined(One)]
        );
        let person = person(&world, ONE);
        assert!(person.by_phone && person.connected);
        assert_eq!(person.place, Place::InRoom);
        assert!(person.state.camera_off && !person.state.muted);
    }
}

#[test]
fn v13_two_who_speak_opus_are_never_decoded() {
    let (mut world, phone) = two(Hears::Packets);
    let stats = world.room.phone_stats();
    assert!((95..=101).contains(&stats.straight), "{stats:?}");
    let expected = PhoneStats {
        phones: 1,
        straight: stats.straight,
        ..PhoneStats::default()
    };
    assert_eq!(stats, expected);
    let sung = world.singer(PRACTITIONER).sung.clone();
    for sound in world.phone(phone).take_heard() {
        let PhoneSound::Packet(packet) = sound else {
            panic!("{sound:?}");
        };
        assert!(sung.contains(&packet.payload.to_vec()));
        let level = packet.level.unwrap();
        assert_eq!((level.voice, level.below_overload_db), (true, 23));
    }
    let sung = world.phone(phone).sung();
    let line = line_of(PRACTITIONER, ONE);
    let heard = world.client(PRACTITIONER).heard_on(line);
    assert!(sung.len() > 95);
    let in_a_row = |heard: &[&Heard]| heard.iter().map(|heard| &heard.payload).eq(&sung[..95]);
    assert!(heard.windows(95).any(in_a_row), "as they were sent");
}

#[test]
fn everybody_hears_the_others_and_nobody_themselves() {
    for hears in FORMS {
        let (mut world, phone) = three(hears);
        let heard = world.phone(phone).listen();
        heard.has_tone(400.0, DBFS);
        heard.has_tone(1_300.0, DBFS);
        heard.lacks_tone(700.0);
        for viewer in [PRACTITIONER, TWO] {
            page_hears(&mut world, viewer, ONE).is_tone(700.0, DBFS);
        }
        page_hears(&mut world, TWO, PRACTITIONER).is_tone(400.0, DBFS);
        let stats = world.room.phone_stats();
        assert_eq!((stats.phones, stats.decoders), (1, 2), "one for each page");
        assert!((95..=101).contains(&stats.mixed), "{stats:?}");
    }
}

#[test]
fn a_page_leaves_and_comes_back_while_the_phone_stays() {
    let (mut world, phone) = three(Hears::Packets);
    let mut stream = world.phone(phone).take_heard();
    world.room.leave(world.now, TWO).unwrap();
    world.run(SECOND);
    assert_eq!(world.room.phone_stats().decoders, 0, "one voice is left");
    let alone = world.phone(phone).take_heard();
    world.join(TWO).unwrap();
    world.run(SECOND * 3);
    assert_eq!(world.room.phone_stats().decoders, 2);
    let together = world.phone(phone).take_heard();
    stream.extend(alone.iter().chain(&together).cloned());
    check_stream(&stream);
    for (sounds, has_two) in [(alone, false), (together, true)] {
        sounds
            .into_iter()
            .for_each(|sound| world.phone(phone).hear(sound));
        let heard = world.phone(phone).listen();
        heard.has_tone(400.0, DBFS);
        match has_two {
            true => heard.has_tone(1_300.0, DBFS),
            false => heard.lacks_tone(1_300.0),
        }
    }
    page_hears(&mut world, TWO, ONE).is_tone(700.0, DBFS);
    page_hears(&mut world, PRACTITIONER, TWO).is_tone(1_300.0, DBFS);
}

/// RFC 3550 §5.1: one stream, whose numbers go on by one and whose time goes on, whoever made the packets.
fn check_stream(stream: &[PhoneSound]) {
    let packets = stream.iter().map(|sound| match sound {
        PhoneSound::Packet(packet) => packet,
        PhoneSound::Frame(_) => panic!("a frame"),
    });
    let packets: Vec<&OpusPacket> = packets.collect();
    assert!(packets.len() > 250, "{}", packets.len());
    for two in packets.windows(2) {
        assert_eq!(two[1].sequence, two[0].sequence.wrapping_add(1));
        let ahead = two[1].timestamp.wrapping_sub(two[0].timestamp);
        assert!((1..=9_600).contains(&ahead), "{ahead} ticks");
    }
}

#[test]
fn a_phone_hangs_up_and_the_mixer_stops() {
    for hears in FORMS {
        let (mut world, phone) = three(hears);
        assert_eq!(world.room.phone_stats().decoders, 2);
        world.hang_up(phone);
        let stats = world.room.phone_stats();
        assert_eq!((stats.phones, stats.decoders), (0, 0));
        assert_eq!(world.gone.last(), Some(&(ONE, Gone::Left)));
        assert_eq!(world.facts.last(), Some(&Fact::PhoneLeft(One)));
        let one = person(&world, ONE);
        assert_eq!((one.place, one.by_phone), (Place::Left, false));
        world.phone(phone).take_heard();
        let line = line_of(PRACTITIONER, ONE);
        let before = world.client(PRACTITIONER).heard_on(line).len();
        world.run(SECOND);
        assert!(world.phone(phone).take_heard().is_empty());
        assert_eq!(world.client(PRACTITIONER).heard_on(line).len(), before);
        let after = world.room.phone_stats();
        assert_eq!(after.mixed, stats.mixed);
    }
}

/// V2, V13: each patient may be on the phone.
#[test]
fn two_phones_hear_each_other_and_the_page() {
    for (first, second) in [
        (FORMS[0], FORMS[1]),
        (FORMS[1], FORMS[1]),
        (FORMS[0], FORMS[0]),
    ] {
        let (mut world, one) = three(first);
        let two = world.call(Two, second).unwrap();
        world.phone(two).sing(tone_of(TWO), DBFS);
        world.run(SECOND * 2);
        for (phone, seat) in [(one, ONE), (two, TWO)] {
            let heard = world.phone(phone).listen();
            for (other, hertz) in TONES {
                match other == seat {
                    true => heard.lacks_tone(hertz),
                    false => heard.has_tone(hertz, DBFS),
                }
            }
            page_hears(&mut world, PRACTITIONER, seat).is_tone(tone_of(seat), DBFS);
        }
        let stats = world.room.phone_stats();
        assert_eq!((stats.phones, stats.decoders), (2, 3));
        world.room.leave(world.now, PRACTITIONER).unwrap();
        world.run(SECOND);
        world.phone(one).listen().has_tone(1_300.0, DBFS);
        world.phone(two).listen().has_tone(700.0, DBFS);
    }
}

/// A wide phone hears what a narrow one can while that is in the room, and more when it has gone.
#[test]
fn phones_of_two_rates_are_mixed_at_the_lower() {
    let (mut world, one) = three(Hears::Frames(Rate::Wide));
    let rates = |world: &mut World| {
        let heard = world.phone(one).take_heard();
        let rates = heard.into_iter().map(|sound| match sound {
            PhoneSound::Frame(frame) => frame.rate(),
            PhoneSound::Packet(_) => panic!("a packet"),
        });
        rates.collect::<Vec<_>>()
    };
    assert_eq!(rates(&mut world).last(), Some(&Rate::Wide));
    let two = world.call(Two, Hears::Frames(Rate::Narrow)).unwrap();
    world.run(SECOND);
    assert_eq!(rates(&mut world).last(), Some(&Rate::Narrow));
    world.hang_up(two);
    world.run(SECOND);
    assert_eq!(rates(&mut world).last(), Some(&Rate::Wide));
}

/// What is lost is heard as well as Opus alone can make it up.
#[test]
fn loss_on_the_way_from_a_page_is_concealed() {
    for hears in FORMS {
        let (mut world, phone) = three(hears);
        world.singer(TWO).loses_every = 10;
        world.sing(PRACTITIONER, 400.0, -120.0);
        world.run(SECOND);
        world.phone(phone).take_heard();
        let before = world.room.phone_stats().concealed;
        world.run(SECOND * 2);
        let concealed = world.room.phone_stats().concealed - before;
        assert!((8..=12).contains(&concealed), "{concealed}");
        let heard = world.phone(phone).listen();
        heard.is_tone(1_300.0, DBFS);
        let (dips, by_opus) = (heard.dips(), Sound::concealed(1_300.0, DBFS).dips());
        assert!(dips > by_opus - 1.5, "{dips} dBFS, {by_opus} by Opus");
    }
}

/// V11: in every form a phone may speak in, with and without a word on how loud it is.
#[test]
fn who_speaks_on_the_phone_is_the_active_speaker() {
    for (hears, tells_level) in [(FORMS[0], true), (FORMS[0], false), (FORMS[1], false)] {
        let (mut world, phone) = two(hears);
        world.phone(phone).tells_level = tells_level;
        for (page, on_phone, speaker) in [
            (-120.0, DBFS, ONE),
            (DBFS, -120.0, PRACTITIONER),
            (-120.0, -120.0, PRACTITIONER),
            (-45.0, DBFS, ONE),
        ] {
            world.sing(PRACTITIONER, 400.0, page);
            world.phone(phone).sing(700.0, on_phone);
            world.run(SECOND);
            assert_eq!(world.room.view().speaker, Some(speaker));
        }
        world.hang_up(phone);
        assert_eq!(world.room.view().speaker, None);
    }
}

#[test]
fn v10_a_phone_may_sit_where_its_page_may() {
    let mut world = World::new();
    world.room.arrive(world.now, One).unwrap();
    let refused = world.call(One, Hears::Packets).unwrap_err();
    assert!(matches!(refused, JoinRefused::NotOpenYet));
    world.join(PRACTITIONER).unwrap();
    for seat in [One, Two] {
        let refused = world.call(seat, Hears::Packets).unwrap_err();
        assert!(matches!(refused, JoinRefused::NotAdmitted));
    }
    world.room.admit(world.now, One).unwrap();
    world.call(One, Hears::Packets).unwrap();
    world.room.disconnect(world.now).unwrap();
    let refused = world.call(One, Hears::Packets).unwrap_err();
    assert!(matches!(refused, JoinRefused::Ended));
}

#[test]
fn v8_v10_a_phone_is_sent_back_removed_and_disconnected_like_anybody() {
    for (act, why) in [
        (
            (|world: &mut World| world.room.send_back(world.now, One)) as fn(&mut World) -> _,
            Gone::Left,
        ),
        (|world| world.room.remove(world.now, One), Gone::Left),
        (|world| world.room.leave(world.now, ONE), Gone::Left),
        (|world| world.room.disconnect(world.now), Gone::RoomEnded),
    ] {
        let (mut world, phone) = three(Hears::Packets);
        act(&mut world).unwrap();
        world.phone(phone).take_heard();
        world.run(SECOND);
        assert!(world.gone.contains(&(ONE, why)));
        assert!(world.facts.contains(&Fact::PhoneLeft(One)));
        assert!(world.phone(phone).take_heard().is_empty());
        assert_eq!(world.room.phone_stats().decoders, 0);
    }
}

#[test]
fn v9_a_page_takes_the_seat_back_and_the_phone_is_evicted() {
    let (mut world, phone) = two(Hears::Packets);
    world.sing(ONE, 1_300.0, DBFS);
    world.join(ONE).unwrap();
    world.run(SECOND * 3);
    assert!(world.gone.ends_with(&[(ONE, Gone::Evicted)]));
    // What the old phone still says and does is nobody's concern.
    page_hears(&mut world, PRACTITIONER, ONE).is_tone(1_300.0, DBFS);
    world.hang_up(phone);
    let one = person(&world, ONE);
    assert!(one.connected && !one.by_phone);
    assert_eq!(world.gone.len(), 2);
    let second = world.call(One, Hears::Packets).unwrap();
    let third = world.call(One, Hears::Packets).unwrap();
    assert_ne!(second, third);
    assert!(world.gone.ends_with(&[(ONE, Gone::Evicted); 2]));
    let muted = PeerState {
        muted: true,
        camera_off: true,
    };
    world.room.set_state(world.now, ONE, muted).unwrap();
    assert_eq!(person(&world, ONE).state, muted);
}

#[test]
fn v15_a_room_with_a_phone_in_it_is_not_empty() {
    let (mut world, phone) = two(Hears::Packets);
    world.room.leave(world.now, PRACTITIONER).unwrap();
    world.run(SECOND);
    assert_eq!(world.room.poll_timeout(), None);
    let left = world.now;
    world.hang_up(phone);
    assert_eq!(
        world.room.poll_timeout(),
        Some(left + Duration::from_secs(300))
    );
    world.sleep_until_due();
    let ending = Ending::Empty { since: left };
    assert_eq!(world.facts.last(), Some(&Fact::Ended(ending)));
}

#[test]
fn what_is_no_opus_is_not_sent_on() {
    let (mut world, phone) = two(Hears::Packets);
    world.phone(phone).is_silent();
    world.run(SECOND / 10);
    let line = line_of(PRACTITIONER, ONE);
    let before = world.client(PRACTITIONER).heard_on(line).len();
    let mut too_long = vec![0x78; 1_276];
    for payload in [
        vec![],
        vec![0x7b],
        vec![0x7b, 0x3f],
        std::mem::take(&mut too_long),
    ] {
        let packet = OpusPacket {
            marker: false,
            sequence: 9,
            timestamp: 9,
            level: Some(AudioLevel::SILENCE),
            payload: Bytes::from(payload),
        };
        let sound = PhoneSound::Packet(packet);
        let input = Input::Phone { peer: phone, sound };
        world.room.handle_input(world.now, input);
    }
    for samples in [0, 1, 81] {
        let frame = Frame::new(Rate::Narrow, vec![0; samples]);
        let sound = PhoneSound::Frame(Box::new(frame));
        let input = Input::Phone { peer: phone, sound };
        world.room.handle_input(world.now, input);
    }
    world.run(SECOND / 10);
    assert_eq!(world.client(PRACTITIONER).heard_on(line).len(), before);
}

/// RFC 7714 §8.1: a browser's encryption depends on it.
#[test]
fn no_number_of_a_phone_is_sent_on_twice() {
    let (mut world, phone) = two(Hears::Packets);
    let payload = Bytes::from(world.phone(phone).sung().pop().unwrap());
    world.phone(phone).is_silent();
    world.run(SECOND / 10);
    let line = line_of(PRACTITIONER, ONE);
    let before = world.client(PRACTITIONER).heard_on(line).len();
    for number in [101, 103, 103, 102, 101, 102, 103] {
        let sound = PhoneSound::Packet(OpusPacket {
            marker: false,
            sequence: number,
            timestamp: u32::from(number) * 960,
            level: None,
            payload: payload.clone(),
        });
        let input = Input::Phone { peer: phone, sound };
        world.room.handle_input(world.now, input);
    }
    world.run(SECOND / 10);
    let heard = &world.client(PRACTITIONER).heard_on(line)[before..];
    let numbers: Vec<u16> = heard.iter().map(|heard| heard.sequence).collect();
    assert_eq!(numbers, [numbers[0], numbers[0] + 2, numbers[0] + 1]);
}

/// The machine stands still for a second: the phone is given what it can catch up with, and its time goes on.
#[test]
fn after_a_stall_few_frames_come_at_once() {
    let (mut world, phone) = three(Hears::Frames(Rate::Narrow));
    world.phone(phone).take_heard();
    world.now += SECOND;
    world.room.handle_timeout(world.now);
    world.run(Duration::ZERO);
    world.sleep_until_due();
    let heard = world.phone(phone).take_heard().len();
    assert!((3..=4).contains(&heard), "{heard} frames");
}
