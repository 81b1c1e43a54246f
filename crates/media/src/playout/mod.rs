//! One direction's way from packets to sound, any number of samples at a time.

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use crate::coder::{CodecError, Decoder, decoder};
use crate::comfort_noise::NoiseShape;
use crate::concealment::Concealment;
use crate::jitter::{Arrival, Content, JitterBuffer, JitterStats, Play};
use crate::sdp::Codec;
use crate::tape::Tape;
use crate::time_scale::TimeScale;
use crate::{Frame, Rate};

/// Plays the packets of one stream: the jitter buffer, a decoder, what is heard instead of what did not come, and the time-scale that
/// leads the delay to its target.
///
/// ```text
///  Arrival ─► JitterBuffer ─ Play ─► Decoder ─► Concealment ─► TimeScale ─► samples
///                  └────────────── excess ─────────────────────┘
/// ```
#[derive(Debug)]
pub struct Playout {
    buffer: JitterBuffer,
    decoder: Box<dyn Decoder>,
    rate: Rate,
    tape: Tape,
    /// Of one packet.
    decoded: Vec<i16>,
    concealment: Concealment,
    time_scale: TimeScale,
    /// What happened under the clocks before.
    before: JitterStats,
}

impl Playout {
    /// Plays a stream of a codec at a rate.
    ///
    /// # Errors
    /// libopus found no memory, or the codec carries no voice.
    pub fn of(codec: Codec, rate: Rate) -> Result<Self, CodecError> {
        Ok(Self::new(codec.clock_rate(), rate, decoder(codec, rate)?))
    }

    /// Plays a stream with an RTP clock of `clock_rate` hertz, whose decoder makes sound at `rate`.
    pub fn new(clock_rate: u32, rate: Rate, decoder: Box<dyn Decoder>) -> Self {
        let mut buffer = JitterBuffer::new(clock_rate);
        buffer.expect_redundancy(decoder.has_redundancy());
        Self {
            buffer,
            decoder,
            rate,
            tape: Tape::new(Concealment::before(rate)),
            decoded: Vec::new(),
            concealment: Concealment::new(rate),
            time_scale: TimeScale::new(rate),
            before: JitterStats::default(),
        }
    }

    /// Goes on with another decoder. What waits is for the one before, and is left out; what is known of the network stays, unless the
    /// clock is another.
    pub fn change(&mut self, clock_rate: u32, rate: Rate, decoder: Box<dyn Decoder>) {
        let buffer = JitterBuffer::new(clock_rate);
        if buffer.clock_rate() != self.buffer.clock_rate() {
            self.before = self.stats();
            self.buffer = buffer;
        }
        if rate != self.rate {
            self.tape = Tape::new(Concealment::before(rate));
            self.concealment = Concealment::new(rate);
            self.time_scale = TimeScale::new(rate);
            self.rate = rate;
        }
        self.buffer.expect_redundancy(decoder.has_redundancy());
        self.decoder = decoder;
        self.clear();
    }

    /// Takes a packet in.
    pub fn push(&mut self, now: Instant, packet: Arrival) {
        self.buffer.push(now, packet);
    }

    /// How finely its sound is sampled.
    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// Forgets the stream: after a hold or a change of codec the next packet begins anew.
    pub fn clear(&mut self) {
        self.buffer.clear();
        self.tape.clear();
    }

    /// What has happened so far.
    pub fn stats(&self) -> JitterStats {
        self.buffer.stats().after(self.before)
    }

    /// Packets and bytes that wait for their moment; at most [`JitterBuffer::WAITING_MAX`] and [`JitterBuffer::WAITING_BYTES_MAX`].
    pub fn waiting(&self) -> (usize, usize) {
        self.buffer.waiting()
    }

    /// How much is decoded and not played.
    pub fn ready(&self) -> Duration {
        let samples = self.tape.ready().len() as u64;
        Duration::from_micros(samples * 1_000_000 / u64::from(self.rate.hertz()))
    }

    /// How much sooner the last frame could have been asked for, in microseconds (see [`JitterBuffer::take_spare_us`]).
    pub fn take_spare_us(&mut self) -> Option<i64> {
        self.buffer.take_spare_us()
    }

    /// Whether the next `ms` milliseconds are there, and waiting for their moment would serve nothing (see [`JitterBuffer::completes`]).
    pub fn completes(&self, ms: u64) -> bool {
        let frame = self.ticks_of(self.rate.samples(ms));
        self.buffer.completes(self.ready_ticks(), frame)
    }

    /// The sound of the next `ms` milliseconds, 20 at most.
    pub fn frame(&mut self, now: Instant, ms: u64) -> Frame {
        let mut frame = Frame::silence(self.rate, ms);
        self.fill(now, &mut frame);
        frame
    }

    /// Fills `out` with the sound that is due.
    pub fn fill(&mut self, now: Instant, out: &mut [i16]) {
        let excess = self
            .buffer
            .excess(now, self.ready_ticks(), self.ticks_of(out.len()));
        self.gather(now, out.len());
        let wish = excess * i64::from(self.rate.hertz()) / i64::from(self.buffer.clock_rate());
        if self.time_scale.wants(wish, &self.tape) {
            self.scale(now, wish);
            self.gather(now, out.len());
        }
        let filled = self.tape.play(out);
        out.iter_mut().skip(filled).for_each(|place| *place = 0);
        self.time_scale.played(out.len());
    }

    /// Sees to it that `samples` are ready.
    fn gather(&mut self, now: Instant, samples: usize) {
        // Every step plays at least a tick, but a stream of tiny packets should not cost more than one of sensible ones.
        for _ in 0..samples {
            if self.tape.ready().len() >= samples {
                return;
            }
            self.pull(now);
        }
    }

    fn scale(&mut self, now: Instant, wish: i64) {
        let lookahead = self.time_scale.lookahead();
        for _ in 0..lookahead {
            if wish < 0 || self.tape.ready().len() >= lookahead || !self.buffer.has_next() {
                break;
            }
            self.pull(now);
        }
        let changed = self.time_scale.change(wish, &mut self.tape);
        self.buffer
            .scaled(changed * i64::from(self.buffer.clock_rate()) / i64::from(self.rate.hertz()));
    }

    fn pull(&mut self, now: Instant) {
        let play = self.buffer.pull(now, self.ready_ticks());
        let samples = self.samples_of(play.ticks());
        match play {
            Play::Packet {
                payload,
                content,
                ticks,
                follows,
            } => {
                if !follows {
                    self.concealment.interrupt(self.tape.tail());
                }
                let is_sound = content == Content::Voice || self.decoder.conceals();
                match is_sound {
                    true => self.packet(&payload, ticks, samples),
                    false => self.background(&payload, samples),
                }
            }
            Play::Lost { next, ticks } => self.lost(next.as_deref(), ticks, samples),
            Play::Silence { .. } => self.rest(samples),
        }
    }

    fn packet(&mut self, payload: &[u8], ticks: u32, samples: usize) {
        self.decoded.clear();
        if self.decoder.decode(payload, &mut self.decoded).is_err() {
            self.buffer.damaged(ticks);
            return self.conceal(samples);
        }
        self.decoded(samples);
    }

    fn lost(&mut self, next: Option<&[u8]>, ticks: u32, samples: usize) {
        self.decoded.clear();
        let recovered =
            next.is_some_and(|next| self.decoder.recover(next, samples, &mut self.decoded));
        if recovered {
            self.buffer.recovered(ticks);
            return self.decoded(samples);
        }
        if next.is_some_and(|next| self.decoder.peek(next, &mut self.decoded)) {
            let (before, sound) = self.tape.more(samples);
            return self.concealment.interpolate(before, sound, &self.decoded);
        }
        self.conceal(samples);
        if next.is_some() {
            self.concealment.on_time();
        }
    }

    /// Plays what was decoded; it is to be as long as its ticks say.
    fn decoded(&mut self, samples: usize) {
        self.decoded.resize(samples, 0);
        self.concealment.heard(&mut self.decoded);
        self.tape.tail().extend_from_slice(&self.decoded);
    }

    fn conceal(&mut self, samples: usize) {
        if !self.made_by_decoder(samples) {
            let (before, sound) = self.tape.more(samples);
            self.concealment.conceal(before, sound);
        }
    }

    fn background(&mut self, payload: &[u8], samples: usize) {
        if let Some(shape) = NoiseShape::parse(payload) {
            self.concealment.background(shape);
        }
        self.rest(samples);
    }

    fn rest(&mut self, samples: usize) {
        if !self.made_by_decoder(samples) {
            let (before, sound) = self.tape.more(samples);
            self.concealment.rest(before, sound);
        }
    }

    /// Lets the decoder make something up, if it does such things.
    fn made_by_decoder(&mut self, samples: usize) -> bool {
        self.decoded.clear();
        let made = self.decoder.conceals() && self.decoder.conceal(samples, &mut self.decoded);
        if made {
            self.decoded(samples);
        }
        made
    }

    /// What is ready, in ticks.
    fn ready_ticks(&self) -> u32 {
        self.ticks_of(self.tape.ready().len())
    }

    fn ticks_of(&self, samples: usize) -> u32 {
        let ticks =
            samples as u64 * u64::from(self.buffer.clock_rate()) / u64::from(self.rate.hertz());
        u32::try_from(ticks).unwrap_or(u32::MAX)
    }

    fn samples_of(&self, ticks: u32) -> usize {
        let samples =
            u64::from(ticks) * u64::from(self.rate.hertz()) / u64::from(self.buffer.clock_rate());
        usize::try_from(samples).unwrap_or(0)
    }
}
