use std::time::Instant;

use housecall_media::mixer::Mixer;
use housecall_media::{Frame, Pace, Rate};

use super::voice::Voice;
use crate::Seat;

/// Mixes what all others say for the phones that cannot be given it as it is.
///
/// It hears whoever's packets it is given, and forgets who is forgotten. A frame is due every 20 ms, by absolute deadlines.
#[derive(Debug)]
pub(crate) struct Desk {
    mixer: Mixer,
    voices: [Option<Voice>; Mixer::PLACES],
    pace: Pace,
}

impl Desk {
    /// A desk whose mixes have a rate, at which nobody is heard yet.
    pub(crate) fn new(now: Instant, rate: Rate) -> Self {
        Self {
            mixer: Mixer::new(rate),
            voices: Default::default(),
            pace: Pace::new(now),
        }
    }

    pub(crate) fn rate(&self) -> Rate {
        self.mixer.rate()
    }

    /// Takes a packet of somebody. Without memory for a decoder it is dropped.
    pub(crate) fn push(&mut self, now: Instant, from: Seat, packet: &rtp::Packet) {
        let rate = self.rate();
        let Some(place) = self.voices.get_mut(from.index()) else {
            return;
        };
        if place.is_none() {
            *place = Voice::new(rate).ok();
        }
        if let Some(voice) = place {
            voice.push(now, packet);
        }
    }

    /// Hears somebody no longer; returns how much was made up of what they said.
    pub(crate) fn forget(&mut self, seat: Seat) -> u64 {
        let place = self.voices.get_mut(seat.index());
        place
            .and_then(Option::take)
            .map_or(0, |voice| voice.concealed())
    }

    /// Takes the moments of the frames that are due at `now`.
    pub(crate) fn due(&mut self, now: Instant) -> impl Iterator<Item = Instant> + use<> {
        let frames = self.pace.due(now).frames;
        let (next, step) = (self.pace.next(), self.pace.step());
        (1..=frames).rev().map(move |left| next - step * left)
    }

    pub(crate) fn poll_timeout(&self) -> Instant {
        self.pace.next()
    }

    /// Takes the next 20 ms of everybody.
    pub(crate) fn tick(&mut self, due: Instant) {
        let voices = self.voices.each_mut();
        let frames = voices.map(|voice| voice.as_mut().map(|voice| voice.frame(due)));
        self.mixer.tick(frames);
    }

    /// What somebody hears of this tick.
    pub(crate) fn heard_at(&mut self, seat: Seat) -> Frame {
        self.mixer.heard_at(seat.index())
    }

    /// Voices that are decoded.
    pub(crate) fn decoders(&self) -> usize {
        self.voices.iter().flatten().count()
    }

    /// Things made up so far of those that are heard.
    pub(crate) fn concealed(&self) -> u64 {
        self.voices.iter().flatten().map(Voice::concealed).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn frames_are_due_every_20_ms_and_few_after_a_stall() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut desk = Desk::new(start, Rate::Narrow);
        let mut due = |ms| desk.due(at(ms)).collect::<Vec<_>>();
        let nothing: [Instant; 0] = [];
        assert_eq!(due(19), nothing);
        assert_eq!(due(27), [at(20)]);
        assert_eq!(due(27), nothing);
        assert_eq!(due(1_090), [at(1_040), at(1_060), at(1_080)]);
        assert_eq!(desk.poll_timeout(), at(1_100));
    }
}
