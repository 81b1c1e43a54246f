use std::time::{Duration, Instant};

use housecall_media::coder::CodecError;
use housecall_media::jitter::{Arrival, Content, JitterStats};
use housecall_media::rtp::{RtpPacket, RtpSender, Stamp};
use housecall_media::sdp::{Codec, MediaTarget};
use housecall_media::{AudioLevel, Cadence, FRAME_MS, Frame, NoiseSuppressor, Tones};

use super::ear::{Ear, EarFrame};
use super::heard_keys::HeardKeys;
use super::media_path::PathOptions;
use super::packer::{Packer, PackerFormat};
use super::playout::Playout;
use super::straight::Straight;

/// What the caller hears: a ringing tone, then the phone as soon as it makes any sound, and nothing of it while it is held.
///
/// A phone that speaks what the browser hears goes straight through.
#[derive(Debug)]
pub(super) struct ToBrowser {
    ear: Ear,
    straight_g711: bool,
    voice: Playout,
    /// Cleans the voice, if it is to be cleaned.
    noise: Option<NoiseSuppressor>,
    /// What is pressed at the phone.
    pub(super) keys: HeardKeys,
    straight: Straight,
    packer: Packer,
    rtp: RtpSender,
    /// The ringing tone, once the phone rings and until its answer.
    ringback: Option<Cadence>,
    answered: bool,
    /// When the phone was heard last, early or after its answer.
    heard: Option<Instant>,
    pub(super) held: bool,
    /// Of the last frame that was made here.
    pub(super) level: AudioLevel,
    /// Whether nothing was sent last, so that the next packet begins a talk spurt.
    paused: bool,
}

/// What a packet of the phone carries.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Carries {
    /// Sound in a codec.
    Voice(Codec),
    /// Comfort noise (RFC 3389): a pause, of 20 ms and more.
    Noise,
}

/// Why a packet of the phone is not played.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum NotVoice {
    /// A telephone event: a key.
    Event,
    /// A payload type that was not agreed, or a payload that no such packet has.
    Wrong,
}

/// Comfort noise at 8 kHz (RFC 3389).
const COMFORT_NOISE: u8 = 13;

impl ToBrowser {
    /// Silence after early sound that means that its fork has given up, and another rings: longer than the pause of any country's tone.
    const EARLY_SOUND_OVER: Duration = Duration::from_secs(5);

    pub(super) fn new(options: &PathOptions) -> Result<Self, CodecError> {
        let voice = Codec::Pcma;
        let suppressor = || NoiseSuppressor::new(voice.rate());
        let ear = options.ear;
        Ok(Self {
            ear,
            straight_g711: options.straight_g711,
            voice: Playout::new(voice, voice.rate())?,
            noise: options.suppress_noise.then(suppressor),
            keys: HeardKeys::new(options.hear_tones),
            straight: Straight::new(ear.codec.clock_rate()),
            packer: Packer::new(format(ear, voice))?,
            // Other numbers than those of the stream to the phone.
            rtp: RtpSender::new(options.seed.rotate_left(32)),
            ringback: None,
            answered: false,
            heard: None,
            held: false,
            level: AudioLevel::SILENCE,
            paused: true,
        })
    }

    /// What goes straight through has come, and is played by the browser.
    pub(super) fn stats(&self) -> JitterStats {
        self.straight.counted(self.voice.stats())
    }

    /// Plays the ringing tone of a country while the phone is not heard (RFC 3960 §3.2).
    pub(super) fn ring(&mut self, country: &str) {
        if !self.answered && self.ringback.is_none() {
            self.ringback = Some(Cadence::new(Tones::ringback(country)));
        }
    }

    /// The phone answered: no more ringing, whether it is heard or not.
    pub(super) fn answered(&mut self) {
        self.ringback = None;
        self.answered = true;
    }

    /// Holds the phone, or not. What waits to be played is forgotten.
    pub(super) fn hold(&mut self, held: bool) {
        self.held = held;
        self.voice.clear();
    }

    /// Tells the encoder what the browser reports.
    pub(super) fn expect_loss(&mut self, fraction_lost: u8) {
        self.packer.expect_loss(fraction_lost);
    }

    /// What a packet carries, by its payload type and its length, if it is of this call.
    pub(super) fn check(packet: &RtpPacket, target: &MediaTarget) -> Result<Carries, NotVoice> {
        if packet.payload_type == COMFORT_NOISE {
            return Ok(Carries::Noise);
        }
        let codec = target.codec_of(packet.payload_type);
        let codec = codec.ok_or(NotVoice::Wrong)?;
        if !codec.is_voice() {
            return Err(NotVoice::Event);
        }
        match codec.ticks(&packet.payload) {
            Some(_) => Ok(Carries::Voice(codec)),
            None => Err(NotVoice::Wrong),
        }
    }

    /// Takes a packet that [`ToBrowser::check`] found to be of this call. Returns what goes straight to the browser.
    pub(super) fn packet(
        &mut self,
        now: Instant,
        packet: RtpPacket,
        carries: Carries,
    ) -> Option<EarFrame> {
        self.heard = Some(now);
        match carries {
            Carries::Voice(codec) => self.voice(now, packet, codec),
            Carries::Noise => {
                self.noise(now, packet);
                None
            }
        }
    }

    fn voice(&mut self, now: Instant, packet: RtpPacket, codec: Codec) -> Option<EarFrame> {
        let stamp = Stamp::from(&packet);
        let arrival = Arrival::of(codec, stamp, packet.marker, packet.payload)?;
        if !self.goes_straight(codec) {
            self.straight.leave(&mut self.rtp);
            self.wait(now, codec, arrival);
            return None;
        }
        if self.held {
            return None;
        }
        let marker = std::mem::take(&mut self.paused);
        self.straight
            .packet(now, &mut self.rtp, 0, marker, &arrival)
            .map(ear_frame)
    }

    /// Puts a packet into the jitter buffer. Without memory for its decoder it is dropped.
    fn wait(&mut self, now: Instant, codec: Codec, packet: Arrival) {
        if codec != self.voice.codec() && self.change(codec).is_err() {
            return;
        }
        self.voice.push(now, packet);
    }

    fn change(&mut self, codec: Codec) -> Result<(), CodecError> {
        let format = format(self.ear, codec);
        self.voice.change(codec, format.rate)?;
        self.packer.change(format)
    }

    /// Noise is a pause that sounds as it says. Where voices go straight through there is nothing to play.
    fn noise(&mut self, now: Instant, packet: RtpPacket) {
        let codec = self.voice.codec();
        if !self.goes_straight(codec) && codec.clock_rate() == Codec::Pcma.clock_rate() {
            let noise = Arrival {
                ssrc: packet.ssrc,
                sequence: packet.sequence,
                timestamp: packet.timestamp,
                marker: packet.marker,
                ticks: codec.clock_rate() / 1_000 * FRAME_MS as u32,
                content: Content::Noise,
                payload: packet.payload,
            };
            self.voice.push(now, noise);
        }
    }

    fn goes_straight(&self, codec: Codec) -> bool {
        let may = codec == Codec::Opus || self.straight_g711;
        codec == self.ear.codec && may && !self.keys.listens_for_tones()
    }

    /// Whether the phone goes straight through until something happens, so that there are no frames to make.
    pub(super) fn may_rest(&self) -> bool {
        self.straight.is_used() && !self.held
    }

    /// Whether nothing has happened.
    pub(super) fn rests(&self, now: Instant) -> bool {
        self.may_rest() && self.straight.flows(now)
    }

    /// How much sooner the last frame could have been made, in microseconds, if it was of what waits here.
    pub(super) fn take_spare_us(&mut self) -> Option<i64> {
        self.voice.take_spare_us()
    }

    /// Whether all of the next frame has come, and waiting for its moment would serve nothing.
    pub(super) fn completes(&self) -> bool {
        self.voice.completes(FRAME_MS)
    }

    /// Lets frames pass that were never made.
    pub(super) fn missed(&mut self, frames: u32) {
        self.rtp.advance(frames.saturating_mul(self.ticks()));
    }

    fn ticks(&self) -> u32 {
        self.ear.codec.clock_rate() / 1_000 * FRAME_MS as u32
    }

    /// Makes the packet of this frame, where the direction does not rest; none if there is nothing to send.
    pub(super) fn frame(&mut self, now: Instant) -> Option<EarFrame> {
        let frame = self.own_frame(now);
        self.rtp.advance(self.ticks());
        frame
    }

    fn own_frame(&mut self, now: Instant) -> Option<EarFrame> {
        let sound = self.sound(now);
        self.level = AudioLevel::of(&sound);
        self.straight.leave(&mut self.rtp);
        let packed = self.packer.push(self.rtp.timestamp(), &sound)?;
        let marker = std::mem::replace(&mut self.paused, packed.payload.is_empty());
        let packet = (!packed.payload.is_empty()).then(|| {
            self.rtp
                .packet_at(packed.timestamp, 0, marker, packed.payload)
        })?;
        Some(EarFrame {
            level: Some(self.level),
            ..ear_frame(packet)
        })
    }

    fn sound(&mut self, now: Instant) -> Frame {
        let mut frame = Frame::silence(self.voice.rate(), FRAME_MS);
        let unheard = self
            .heard
            .is_none_or(|heard| now.saturating_duration_since(heard) >= Self::EARLY_SOUND_OVER);
        if let Some(ringback) = self.ringback.as_mut().filter(|_| unheard) {
            ringback.fill(&mut frame);
            return frame;
        }
        // The phone's sound is taken from the buffer in any case, so that what is said while held is not heard after it.
        let voice = self.voice.frame(now, FRAME_MS);
        self.keys.sound(&voice);
        if self.held {
            frame
        } else {
            self.cleaned(voice)
        }
    }

    /// The network's own tones come before the answer, and are no noise.
    fn cleaned(&mut self, mut voice: Frame) -> Frame {
        if let Some(noise) = self.noise.as_mut().filter(|_| self.answered) {
            noise.clean(&mut voice);
        }
        voice
    }
}

/// How a phone's codec is encoded for the ear.
fn format(ear: Ear, phone: Codec) -> PackerFormat {
    PackerFormat {
        codec: ear.codec,
        rate: ear.codec.rate().min(phone.rate()),
        opus: ear.opus,
        ms: FRAME_MS,
    }
}

fn ear_frame(packet: RtpPacket) -> EarFrame {
    let RtpPacket {
        marker,
        sequence,
        timestamp,
        payload,
        ..
    } = packet;
    EarFrame {
        marker,
        sequence,
        timestamp,
        level: None,
        payload,
    }
}
