//! A stream of any packets, and a listener who asks for any length of sound at any time. Whatever comes, what is asked for is filled,
//! and what waits is bounded.
use std::time::{Duration, Instant};

use arbitrary::{Arbitrary, Unstructured};
use bytes::Bytes;
use housecall_media::coder::{CodecError, Decoder};
use housecall_media::g711::{G711Decoder, Law};
use housecall_media::jitter::{Arrival, Content, JitterBuffer};
use housecall_media::{Playout, Rate};

#[derive(Arbitrary, Debug)]
enum Step {
    /// The next packets of a well-behaved sender, with a frame heard after each.
    Talk {
        packets: u8,
        ticks: u16,
        payload: Payload,
    },
    /// The next packet of it.
    Next {
        ticks: u16,
        payload: Payload,
    },
    /// The same again, from anybody, perhaps earlier or later.
    Near {
        ssrc: u8,
        sequence: i8,
        timestamp: i16,
        flags: u8,
        payload: Payload,
    },
    /// Anything.
    Any {
        ssrc: u32,
        sequence: u16,
        timestamp: u32,
        flags: u8,
        ticks: u32,
        payload: Payload,
    },
    /// A packet many times.
    Flood {
        count: u8,
        payload: Payload,
    },
    /// Some of the sender's are lost.
    Lose(u8),
    Wait {
        micros: u32,
    },
    Sleep {
        seconds: u16,
    },
    Listen {
        frames: u8,
    },
    Ask {
        samples: u16,
    },
    Forget,
    Change {
        rate: u8,
        clock: u8,
        flags: u8,
    },
}

/// So many times the same byte.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Payload {
    byte: u8,
    length: u16,
}

impl Payload {
    fn bytes(self) -> Bytes {
        vec![self.byte; usize::from(self.length) % 3_000].into()
    }
}

/// G.711, which finds some payloads damaged, and can do what Opus can as its flags say.
#[derive(Debug)]
struct Flagged {
    flags: u8,
}

impl Flagged {
    fn may(&self, bit: u8) -> bool {
        self.flags >> bit & 1 == 1
    }
}

impl Decoder for Flagged {
    fn decode(&mut self, payload: &[u8], sound: &mut Vec<i16>) -> Result<(), CodecError> {
        let mut law = G711Decoder::new(Law::A);
        law.decode(payload, sound)?;
        match payload {
            // Damage that is found at the end.
            [.., 0xee] => law.decode(&[], sound),
            _ => Ok(()),
        }
    }

    fn has_redundancy(&self) -> bool {
        self.may(0)
    }

    fn recover(&mut self, next: &[u8], samples: usize, sound: &mut Vec<i16>) -> bool {
        sound.resize(samples / 2, 9);
        next.len() % 2 == 1
    }

    fn conceals(&self) -> bool {
        self.may(1)
    }

    fn conceal(&mut self, samples: usize, sound: &mut Vec<i16>) -> bool {
        sound.resize(samples + 3, 5);
        self.may(2)
    }
}

struct World {
    now: Instant,
    rate: Rate,
    playout: Playout,
    next: Arrival,
    received: u64,
}

/// Runs what the bytes say.
pub(crate) fn check(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Ok((rate, clock, flags)) = input.arbitrary::<(u8, u8, u8)>() else {
        return;
    };
    let mut world = World::new(rate, clock, flags);
    // A step that cannot be read is the end.
    for _ in 0..300 {
        let Ok(step) = input.arbitrary::<Step>() else {
            return;
        };
        world.step(step);
        world.expect_bounds();
        if input.is_empty() {
            return;
        }
    }
}

impl World {
    fn new(rate: u8, clock: u8, flags: u8) -> Self {
        let (rate, clock) = (rate_of(rate), clock_of(clock));
        Self {
            now: Instant::now(),
            rate,
            playout: Playout::new(clock, rate, Box::new(Flagged { flags })),
            next: Arrival {
                ssrc: 1,
                sequence: 65_530,
                timestamp: u32::MAX - 400,
                marker: false,
                ticks: 160,
                content: Content::Voice,
                payload: Bytes::new(),
            },
            received: 0,
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Talk {
                packets,
                ticks,
                payload,
            } => (0..packets).for_each(|_| {
                self.send_next(ticks % 3_000, payload);
                self.listen();
            }),
            Step::Next { ticks, payload } => self.send_next(ticks, payload),
            Step::Near {
                ssrc,
                sequence,
                timestamp,
                flags,
                payload,
            } => {
                let mut packet = self.next.clone();
                packet.ssrc += u32::from(ssrc % 2);
                packet.sequence = packet.sequence.wrapping_add_signed(sequence.into());
                packet.timestamp = packet.timestamp.wrapping_add_signed(timestamp.into());
                self.push(flagged(packet, flags, payload));
            }
            Step::Any {
                ssrc,
                sequence,
                timestamp,
                flags,
                ticks,
                payload,
            } => {
                let packet = Arrival {
                    ssrc,
                    sequence,
                    timestamp,
                    ticks,
                    ..self.next.clone()
                };
                self.push(flagged(packet, flags, payload));
            }
            Step::Flood { count, payload } => {
                (0..count).for_each(|_| self.send_next(160, payload));
            }
            Step::Lose(count) => self.go_on(count, 160),
            Step::Wait { micros } => self.now += Duration::from_micros((micros % 2_000_000).into()),
            Step::Sleep { seconds } => self.now += Duration::from_secs(seconds.into()),
            Step::Listen { frames } => (0..frames).for_each(|_| self.listen()),
            Step::Ask { samples } => self.ask(usize::from(samples) % 5_000),
            Step::Forget => self.playout.clear(),
            Step::Change { rate, clock, flags } => self.change(rate, clock, flags),
        }
    }

    fn change(&mut self, rate: u8, clock: u8, flags: u8) {
        self.rate = rate_of(rate);
        let decoder = Box::new(Flagged { flags });
        self.playout.change(clock_of(clock), self.rate, decoder);
    }

    fn send_next(&mut self, ticks: u16, payload: Payload) {
        self.next.ticks = ticks.into();
        self.next.payload = payload.bytes();
        let packet = self.next.clone();
        self.go_on(1, ticks);
        self.push(packet);
    }

    /// The sender goes on by some packets.
    fn go_on(&mut self, packets: u8, ticks: u16) {
        let next = &mut self.next;
        next.sequence = next.sequence.wrapping_add(packets.into());
        let passed = u32::from(packets) * u32::from(ticks);
        next.timestamp = next.timestamp.wrapping_add(passed);
    }

    fn push(&mut self, packet: Arrival) {
        self.received += 1;
        self.playout.push(self.now, packet);
    }

    fn listen(&mut self) {
        self.now += Duration::from_millis(20);
        self.ask(self.rate.samples(20));
    }

    /// Every sample that is asked for is written.
    fn ask(&mut self, samples: usize) {
        const UNTOUCHED: i16 = 31_337;
        let mut out = vec![UNTOUCHED; samples];
        self.playout.fill(self.now, &mut out);
        let untouched = out.iter().filter(|sample| **sample == UNTOUCHED).count();
        assert!(
            samples < 8 || untouched < samples,
            "nothing written of {samples}"
        );
    }

    fn expect_bounds(&self) {
        let stats = self.playout.stats();
        assert_eq!(stats.received, self.received);
        assert!(
            (10..=200).contains(&stats.target_ms) || stats.target_ms == 0,
            "{stats:?}"
        );
        assert!((0.0..=1.0).contains(&stats.concealed_part()), "{stats:?}");
        let (packets, bytes) = self.playout.waiting();
        assert!(packets <= JitterBuffer::WAITING_MAX && bytes <= JitterBuffer::WAITING_BYTES_MAX);
        // What is left to be heard is less than two of the longest packets, and two pitch periods put in between.
        let ready = self.playout.ready();
        assert!(
            ready <= Duration::from_millis(2 * 120 + 2 * 15),
            "{ready:?}"
        );
    }
}

fn rate_of(byte: u8) -> Rate {
    [Rate::Narrow, Rate::Wide][usize::from(byte % 2)]
}

fn clock_of(byte: u8) -> u32 {
    [8_000, 16_000, 48_000, 1][usize::from(byte % 4)]
}

fn flagged(packet: Arrival, flags: u8, payload: Payload) -> Arrival {
    Arrival {
        marker: flags & 1 == 1,
        content: if flags & 6 == 6 {
            Content::Noise
        } else {
            Content::Voice
        },
        payload: payload.bytes(),
        ..packet
    }
}
