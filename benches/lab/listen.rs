//! What a person at a leg hears of its packets.

use std::time::{Duration, Instant};

use crate::Result;
use crate::codec::{Codec, Ear, HEARD_FRAME, HEARD_RATE};
use crate::leg::{Heard, LegLog};

/// The part of packets that a receiver waits for.
const IN_TIME: f64 = 0.99;
/// Receivers play so much at a time, as NetEQ does: what has come by the moment of its frame is in time, however shortly before.
const PLAYED_AT_ONCE_S: f64 = 0.01;
/// What is nearer than this to such a moment is there at it: seconds are no exact numbers.
const EXACT_S: f64 = 1e-6;
/// A longer pause is silence for its rest, whatever the numbers say.
const CONCEALED_MAX: i64 = 10;

/// The sound of a leg at 8 kHz for `length` from `start` on, and how long the receiver had to wait for packets.
///
/// The receiver is the best that a fixed delay allows: it waits until that of its moments, 10 ms apart, by which 99 of 100 packets have come, and
/// conceals what comes later or not at all as plain receivers do ([`Ear`]). So a server that sends evenly has less than 10 ms of delay added here,
/// and loses nothing by the last microseconds of its own unevenness; one that passes jitter on has as much more as it passes on.
///
/// # Errors
/// A packet is not of this codec.
pub fn listen(
    log: &LegLog,
    codec: Codec,
    start: Instant,
    length: Duration,
) -> Result<(Vec<i16>, Duration)> {
    let arrivals = Arrivals::new(&log.heard, codec, start, length);
    let wait = arrivals.wait();
    let mut sound = Sound {
        ear: Ear::new(codec)?,
        samples: vec![0; samples(length)],
        next: None,
    };
    for arrival in arrivals.in_time(wait) {
        sound.play(arrival, wait)?;
    }
    Ok((sound.samples, Duration::from_secs_f64(wait.max(0.0))))
}

/// A packet, and where its sound belongs in samples on the stream's own clock.
#[derive(Clone, Copy)]
struct Arrival<'a> {
    heard: &'a Heard,
    /// Since the stream's first packet, in samples of 8 kHz.
    position: i64,
    /// Since the same, in packets.
    number: i64,
    /// How much later it came than its position says, seen from the start of listening, in seconds.
    lateness: f64,
    /// Whether it came while it was listened.
    counts: bool,
}

struct Arrivals<'a>(Vec<Arrival<'a>>);

impl<'a> Arrivals<'a> {
    fn new(heard: &'a [Heard], codec: Codec, start: Instant, length: Duration) -> Self {
        // The stream of the last packet: what came before it, early or from another source, is another sound.
        let ssrc = heard.last().map(|heard| heard.ssrc);
        let mut of_stream = heard.iter().filter(|heard| Some(heard.ssrc) == ssrc);
        let Some(first) = of_stream.clone().next() else {
            return Self(Vec::new());
        };
        let divisor = i64::from(codec.ticks()) / HEARD_FRAME as i64;
        let arrival = |heard: &'a Heard| {
            let ticks = heard.timestamp.wrapping_sub(first.timestamp).cast_signed();
            let position = i64::from(ticks) / divisor;
            let number = heard.sequence.wrapping_sub(first.sequence).cast_signed();
            Arrival {
                heard,
                position,
                number: i64::from(number),
                lateness: seconds(start, heard.at) - position as f64 / f64::from(HEARD_RATE),
                counts: (start..start + length).contains(&heard.at),
            }
        };
        let mut arrivals: Vec<_> = of_stream.by_ref().map(arrival).collect();
        arrivals.sort_by_key(|arrival| arrival.position);
        Self(arrivals)
    }

    /// The delay with which enough of them are in time: to the next moment of the receiver after it.
    fn wait(&self) -> f64 {
        ((self.needed() - EXACT_S) / PLAYED_AT_ONCE_S).ceil() * PLAYED_AT_ONCE_S
    }

    fn needed(&self) -> f64 {
        let counted = self.0.iter().filter(|arrival| arrival.counts);
        let mut lateness: Vec<f64> = counted.map(|arrival| arrival.lateness).collect();
        lateness.sort_by(f64::total_cmp);
        let index = (lateness.len() as f64 * IN_TIME).ceil() as usize;
        lateness
            .get(index.saturating_sub(1))
            .copied()
            .unwrap_or_default()
    }

    fn in_time(&self, wait: f64) -> impl Iterator<Item = Arrival<'a>> {
        self.0
            .iter()
            .filter(move |arrival| arrival.lateness <= wait + EXACT_S)
            .copied()
    }
}

struct Sound {
    ear: Ear,
    samples: Vec<i16>,
    /// Position and number of the packet that is expected.
    next: Option<(i64, i64)>,
}

impl Sound {
    fn play(&mut self, arrival: Arrival<'_>, wait: f64) -> Result<()> {
        let (position, number) = self.next.unwrap_or((arrival.position, arrival.number));
        if arrival.position < position {
            return Ok(());
        }
        let shift = (wait * f64::from(HEARD_RATE)).round() as i64;
        let frames = (arrival.position - position) / HEARD_FRAME as i64;
        // A pause in the clock without one in the numbers was not lost: nothing was sent.
        let missing = frames.min(arrival.number - number).clamp(0, CONCEALED_MAX);
        for frame in 0..missing {
            let is_last = frame + 1 == missing && missing == frames;
            let next = is_last.then_some(arrival.heard.payload.as_ref());
            let made = self.ear.conceal(next)?;
            self.put(position + frame * HEARD_FRAME as i64 + shift, &made);
        }
        let heard = self.ear.hear(&arrival.heard.payload)?;
        self.put(arrival.position + shift, &heard);
        self.next = Some((arrival.position + heard.len() as i64, arrival.number + 1));
        Ok(())
    }

    fn put(&mut self, position: i64, sound: &[i16]) {
        for (sample, position) in sound.iter().zip(position..) {
            let place = usize::try_from(position).ok();
            if let Some(place) = place.and_then(|place| self.samples.get_mut(place)) {
                *place = *sample;
            }
        }
    }
}

fn samples(length: Duration) -> usize {
    (length.as_secs_f64() * f64::from(HEARD_RATE)) as usize
}

fn seconds(from: Instant, to: Instant) -> f64 {
    let after = to.saturating_duration_since(from).as_secs_f64();
    let before = from.saturating_duration_since(to).as_secs_f64();
    after - before
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: Duration = Duration::from_secs(2);

    /// A stream of constant packets, of which some are changed or left out.
    fn log(start: Instant, change: impl Fn(u16, &mut Heard) -> bool) -> LegLog {
        let packet = |number: u16| {
            let mut heard = Heard {
                at: start + Duration::from_millis(20 * u64::from(number)),
                payload_type: 0,
                sequence: number.wrapping_add(65_500),
                timestamp: (u32::from(number) * 160).wrapping_add(u32::MAX - 1_000),
                ssrc: 1,
                payload: [0x80; HEARD_FRAME].into(),
            };
            change(number, &mut heard).then_some(heard)
        };
        LegLog {
            heard: (0..100).filter_map(packet).collect(),
            ..LegLog::default()
        }
    }

    #[test]
    fn an_even_stream_is_heard_whole_and_at_once() {
        let start = Instant::now();
        let (sound, wait) = listen(&log(start, |_, _| true), Codec::Pcmu, start, LENGTH).unwrap();
        assert_eq!(wait, Duration::ZERO);
        assert_eq!(sound.len(), 16_000);
        assert!(sound.iter().all(|sample| *sample > 32_000));
    }

    #[test]
    fn a_lost_packet_is_concealed_and_a_pause_is_silence() {
        let start = Instant::now();
        let lost = log(start, |number, _| number != 50);
        let (sound, _) = listen(&lost, Codec::Pcmu, start, LENGTH).unwrap();
        assert!((10_000..20_000).contains(&sound[50 * HEARD_FRAME]));

        let pause = log(start, |number, heard| {
            heard.sequence -= u16::from(number > 50);
            number != 50
        });
        let (sound, _) = listen(&pause, Codec::Pcmu, start, LENGTH).unwrap();
        assert_eq!(sound[50 * HEARD_FRAME], 0);
        assert!(sound[51 * HEARD_FRAME] > 32_000);
    }

    #[test]
    fn jitter_is_waited_for() {
        let start = Instant::now();
        let late = Duration::from_millis(60);
        let jittery = log(start, |number, heard| {
            heard.at += late * u32::from(number % 3 == 1);
            true
        });
        let (sound, wait) = listen(&jittery, Codec::Pcmu, start, LENGTH).unwrap();
        assert_eq!(wait.as_millis(), 60);
        assert!(sound[481..].iter().all(|sample| *sample > 32_000));
    }
}
