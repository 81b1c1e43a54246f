//! Pages and phones come, go, and say what they should not, in any order.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use housecall_media::{AudioLevel, Frame, Rate};

use super::world::{PRACTITIONER, World};
use crate::{Hears, Input, OpusPacket, PatientSeat, PeerId, Phase, PhoneSound, Seat};

const SEEDS: u64 = 12;
const STEPS: u32 = 40;
const TONES: [f32; 4] = [400.0, 700.0, 1_000.0, 1_300.0];

struct Storm {
    seed: u64,
    world: World,
    /// The phone that holds a seat.
    seated: BTreeMap<PatientSeat, PeerId>,
    /// All phones there have been, and the numbers that each heard lately.
    phones: Vec<(PeerId, VecDeque<u16>)>,
}

impl Storm {
    fn new(seed: u64) -> Self {
        let mut world = World::with(&[PatientSeat::One]);
        for (seat, hertz) in Seat::ALL.into_iter().zip(TONES) {
            world.sing(seat, hertz, -20.0);
        }
        Self {
            seed,
            world,
            seated: BTreeMap::new(),
            phones: Vec::new(),
        }
    }

    fn next(&mut self, below: u64) -> u64 {
        self.seed = self
            .seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) % below
    }

    fn patient(&mut self) -> PatientSeat {
        PatientSeat::ALL[self.next(3) as usize]
    }

    fn step(&mut self) {
        let patient = self.patient();
        let (now, seat) = (self.world.now, Seat::Patient(patient));
        match self.next(10) {
            0 | 1 => self.call(patient),
            2 | 3 => {
                if self.world.join(seat).is_ok() {
                    self.seated.remove(&patient);
                }
            }
            4 => {
                self.seated.remove(&patient);
                self.world.room.leave(now, seat).unwrap();
            }
            5 => {
                self.world.room.leave(now, PRACTITIONER).unwrap();
            }
            6 => {
                self.world.join(PRACTITIONER).unwrap();
            }
            7 => {
                self.seated.remove(&patient);
                self.world.room.remove(now, patient).unwrap();
                self.world.room.arrive(now, patient).unwrap();
                self.world.room.admit(now, patient).unwrap();
            }
            8 => self.hang_up(),
            _ => self.babble(),
        }
    }

    fn call(&mut self, patient: PatientSeat) {
        let hears = match self.next(3) {
            0 => Hears::Frames(Rate::Narrow),
            1 => Hears::Frames(Rate::Wide),
            _ => Hears::Packets,
        };
        if let Ok(phone) = self.world.call(patient, hears) {
            self.world.phone(phone).sing(TONES[3], -20.0);
            self.seated.insert(patient, phone);
            self.phones.push((phone, VecDeque::new()));
        }
    }

    fn some_phone(&mut self) -> Option<PeerId> {
        let which = self.next(1 + self.phones.len() as u64) as usize;
        self.phones.get(which).map(|(phone, _)| *phone)
    }

    /// Of a phone that is in the room, or was.
    fn hang_up(&mut self) {
        if let Some(phone) = self.some_phone() {
            self.seated.retain(|_, seated| *seated != phone);
            self.world.hang_up(phone);
        }
    }

    /// A phone says anything, in any form.
    fn babble(&mut self) {
        let Some(peer) = self.some_phone() else {
            return;
        };
        for _sound in 0..20 {
            let length = self.next(200) as usize;
            let sound = match self.next(2) {
                0 => {
                    let samples = (0..length * 2).map(|n| n as i16).collect::<Vec<_>>();
                    PhoneSound::Frame(Box::new(Frame::new(Rate::Wide, samples)))
                }
                _ => PhoneSound::Packet(OpusPacket {
                    marker: true,
                    sequence: self.next(1 << 16) as u16,
                    timestamp: self.next(1 << 32) as u32,
                    level: Some(AudioLevel::of_byte(self.next(256) as u8)),
                    payload: (0..length).map(|_| self.next(256) as u8).collect(),
                }),
            };
            let input = Input::Phone { peer, sound };
            self.world.room.handle_input(self.world.now, input);
        }
    }

    fn check(&mut self) {
        let (view, stats) = (self.world.room.view(), self.world.room.phone_stats());
        assert!(matches!(view.phase, Phase::Open { .. }));
        let by_phone = view.people.iter().filter(|person| person.by_phone).count();
        assert_eq!(
            (by_phone, stats.phones),
            (self.seated.len(), self.seated.len())
        );
        let connected = view.people.iter().filter(|person| person.connected).count();
        assert!(stats.decoders <= connected, "{stats:?}");
        assert!(by_phone > 0 || stats.decoders == 0, "{stats:?}");
        for (phone, numbers) in &mut self.phones {
            let is_seated = self.seated.values().any(|seated| seated == phone);
            let heard = self.world.phone(*phone).take_heard();
            assert!(is_seated || heard.is_empty(), "a phone that has gone");
            heard.iter().for_each(|sound| check_number(numbers, sound));
        }
    }
}

/// RFC 3550 §5.1: no number of a stream comes twice. (Time may go anywhere if a phone babbles.)
fn check_number(numbers: &mut VecDeque<u16>, sound: &PhoneSound) {
    let PhoneSound::Packet(packet) = sound else {
        return;
    };
    assert!(
        !numbers.contains(&packet.sequence),
        "{} twice",
        packet.sequence
    );
    numbers.push_back(packet.sequence);
    if numbers.len() > 2_000 {
        numbers.pop_front();
    }
}

#[test]
fn whatever_comes_and_goes_every_phone_hears_one_stream_and_nothing_is_left_behind() {
    for seed in 0..SEEDS {
        println!("seed {seed}");
        let mut storm = Storm::new(seed);
        for _step in 0..STEPS {
            storm.step();
            storm.world.run(Duration::from_millis(300));
            storm.check();
        }
    }
}
