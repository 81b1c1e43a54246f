//! Lets several people hear each other, nobody themselves.
//!
//! ```
//! use housecall_media::{Frame, Rate, Sine, mixer::Mixer};
//!
//! let mut mixer = Mixer::new(Rate::Narrow);
//! let (low, high) = (Sine::new(440.0, -20.0).frame(), Sine::new(1_000.0, -20.0).frame());
//! mixer.tick([Some(low), Some(high), None, None]);
//! mixer.tick([Some(low), Some(high), None, None]);
//! assert_eq!(mixer.heard_at(0), high);
//! assert_eq!(mixer.heard_at(1), low);
//! ```

mod place;

#[cfg(test)]
mod tests;

use crate::{FRAME_MS, Frame, Limiter, Rate};
use place::Place;

/// Mixes up to [`Mixer::PLACES`] voices, 20 ms at a time, so that each place hears all the others (N−1).
///
/// Below [`Limiter::PEAK`] a mix is the sum of its voices, sample by sample; above, each listener's own [`Limiter`] turns it down. It
/// knows no clock: whoever asks keeps the time.
#[derive(Clone, Debug)]
pub struct Mixer {
    rate: Rate,
    places: [Place; Self::PLACES],
    limiters: [Limiter; Self::PLACES],
    /// Everybody's sound of this tick; [`Self::PLACES`] times 16 bits fit many times over.
    sum: [i32; Frame::SAMPLES_MAX],
}

impl Mixer {
    /// How many may take part: as many as a consultation has seats (V2).
    pub const PLACES: usize = 4;

    /// Makes a mixer of sound at one rate, at which nobody is yet.
    pub fn new(rate: Rate) -> Self {
        Self {
            rate,
            places: [const { Place::new() }; Self::PLACES],
            limiters: [Limiter::new(rate); Self::PLACES],
            sum: [0; Frame::SAMPLES_MAX],
        }
    }

    /// The rate of what it takes and gives.
    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// Takes the next 20 ms of everybody, by place; none where nobody is.
    ///
    /// Who comes is faded in and who goes is faded out, within a few milliseconds. A frame of another rate is nobody's; what is missing
    /// of a shorter one is silence.
    pub fn tick(&mut self, voices: [Option<Frame>; Self::PLACES]) {
        self.sum = [0; Frame::SAMPLES_MAX];
        for (place, voice) in self.places.iter_mut().zip(voices) {
            place.take(voice.filter(|voice| voice.rate() == self.rate));
            for (sum, sample) in self.sum.iter_mut().zip(place.sound()) {
                *sum += i32::from(*sample);
            }
        }
    }

    /// What a place hears of this tick: everybody else. Asked once a tick, since its limiter goes on with time.
    ///
    /// Silence for a place that there is not.
    pub fn heard_at(&mut self, place: usize) -> Frame {
        let mut heard = Frame::silence(self.rate, FRAME_MS);
        let (Some(own), Some(limiter)) = (self.places.get(place), self.limiters.get_mut(place))
        else {
            return heard;
        };
        for (at, (out, sum)) in heard.iter_mut().zip(self.sum).enumerate() {
            let own = own.sound().get(at).copied().unwrap_or(0);
            *out = limiter.sample((sum - i32::from(own)) as f32);
        }
        heard
    }
}
