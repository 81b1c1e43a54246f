use std::time::Instant;

use housecall_media::coder::CodecError;
use housecall_media::jitter::{Arrival, JitterStats};
use housecall_media::rtp::{RtpPacket, RtpSender, Stamp};
use housecall_media::sdp::{Codec, MediaTarget};
use housecall_media::telephone_event::TooManyKeys;
use housecall_media::{Frame, Key};

use super::ear::{Ear, EarPacket};
use super::keys::Keys;
use super::leg::Leg;
use super::media_path::PathOptions;
use super::music::Music;
use super::packer::{Packer, PackerFormat};
use super::playout::Playout;
use super::straight::Straight;

/// What the callee hears: the caller's voice, or keys, or music while held, or silence while muted.
///
/// A voice that the phone takes as it is goes straight through; whatever else is to be heard is encoded here, in the same stream.
#[derive(Debug)]
pub(super) struct ToPhone {
    ear: Ear,
    /// Whether G.711 may go straight through (see `PathOptions`).
    straight_g711: bool,
    voice: Playout,
    straight: Straight,
    /// None before anything is agreed.
    packer: Option<Packer>,
    seed: u64,
    rtp: RtpSender,
    clock_rate: u32,
    keys: Keys,
    music: Music,
    pub(super) muted: bool,
    pub(super) held: bool,
    /// Whether nothing was sent last, so that the next packet begins a talk spurt.
    paused: bool,
    leg: Leg,
}

/// A packet of the browser whose payload its codec has not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct NotOfCodec;

impl ToPhone {
    pub(super) fn new(options: &PathOptions) -> Result<Self, CodecError> {
        let (ear, seed) = (options.ear, options.seed);
        Ok(Self {
            ear,
            straight_g711: options.straight_g711,
            voice: Playout::new(ear.codec, ear.codec.rate())?,
            straight: Straight::new(ear.codec.clock_rate()),
            packer: None,
            seed,
            rtp: RtpSender::new(seed),
            clock_rate: Codec::Pcma.clock_rate(),
            keys: Keys::default(),
            music: Music::new(options.hold_music.as_ref()),
            muted: false,
            held: false,
            paused: true,
            leg: Leg::default(),
        })
    }

    pub(super) fn rtp(&self) -> &RtpSender {
        &self.rtp
    }

    /// What goes straight through has come, and is played by the phone.
    pub(super) fn stats(&self) -> JitterStats {
        self.straight.counted(self.voice.stats())
    }

    /// Encodes as the phone wants it from now on.
    ///
    /// # Errors
    /// There is no such encoder; nothing is sent until something else is agreed.
    pub(super) fn agree(&mut self, target: &MediaTarget) -> Result<(), CodecError> {
        self.follow_clock(target.codec.clock_rate());
        if target.telephone_event.is_none() {
            self.keys.refuse_events();
        }
        let format = PackerFormat {
            codec: target.codec,
            rate: self.ear.codec.rate().min(target.codec.rate()),
            opus: target.opus.settings(),
            ms: target.ptime_ms,
        };
        let before = self.packer.take();
        self.voice.change(self.ear.codec, format.rate)?;
        let same = before.filter(|packer| packer.format() == format);
        self.packer = Some(match same {
            Some(packer) => packer,
            None => Packer::new(format)?,
        });
        Ok(())
    }

    /// One stream has one clock (RFC 7160 §4.1): under another it is another stream.
    fn follow_clock(&mut self, clock_rate: u32) {
        if clock_rate == self.clock_rate {
            return;
        }
        self.clock_rate = clock_rate;
        self.keys.set_clock_rate(clock_rate);
        self.straight.forget();
        self.seed = self.seed.wrapping_add(1);
        self.rtp = RtpSender::new(self.seed);
        self.paused = true;
    }

    /// Whether [`ToPhone::agree`] would begin another stream.
    pub(super) fn would_begin_anew(&self, target: &MediaTarget) -> bool {
        target.codec.clock_rate() != self.clock_rate
    }

    /// Takes a packet of the browser. Returns what goes straight to the phone.
    pub(super) fn packet(
        &mut self,
        now: Instant,
        packet: EarPacket,
        target: Option<&MediaTarget>,
    ) -> Result<Option<RtpPacket>, NotOfCodec> {
        let stamp = Stamp::from(&packet);
        // An ear packet does not say whether a talk spurt begins.
        let arrival = Arrival::of(self.ear.codec, stamp, false, packet.payload);
        let arrival = arrival.ok_or(NotOfCodec)?;
        self.leg
            .received(now, self.ear.codec.clock_rate(), &arrival);
        let Some(target) = target.filter(|target| self.goes_straight(target, arrival.ticks)) else {
            self.straight.leave(&mut self.rtp);
            self.voice.push(now, arrival);
            return Ok(None);
        };
        // What is said while something else is heard is not heard after it.
        let speaks = self.speaks(target);
        Ok(speaks.then(|| self.relay(now, target, &arrival)).flatten())
    }

    fn relay(&mut self, now: Instant, target: &MediaTarget, packet: &Arrival) -> Option<RtpPacket> {
        let marker = std::mem::take(&mut self.paused);
        self.straight
            .packet(now, &mut self.rtp, target.payload_type, marker, packet)
    }

    /// Whether the phone takes the browser's packets as they are.
    fn goes_straight(&self, target: &MediaTarget, ticks: u32) -> bool {
        let longest = target.maxptime_ms * u64::from(self.ear.codec.clock_rate()) / 1_000;
        let takes = match self.ear.codec {
            Codec::Opus => target.opus.takes_browsers(),
            Codec::Pcmu | Codec::Pcma => self.straight_g711 && self.leg.is_clean(),
            Codec::G722 | Codec::TelephoneEvent | Codec::TelephoneEvent48 => false,
        };
        takes && self.ear.codec == target.codec && u64::from(ticks) <= longest
    }

    /// Whether the caller's own voice is what the phone hears now.
    fn speaks(&self, target: &MediaTarget) -> bool {
        target.direction.sends() && !self.held && !self.muted && !self.keys.are_pressed()
    }

    /// Whether the voice goes straight through until something happens, so that there are no frames to make.
    pub(super) fn may_rest(&self, target: Option<&MediaTarget>) -> bool {
        let speaks = target.is_some_and(|target| self.speaks(target));
        speaks && self.straight.is_used() && self.keys.are_idle()
    }

    /// Whether nothing has happened.
    pub(super) fn rests(&self, now: Instant, target: Option<&MediaTarget>) -> bool {
        self.may_rest(target) && self.straight.flows(now)
    }

    /// Presses a key, as a named event if the phone takes them, else as its tone.
    pub(super) fn press(&mut self, key: Key, target: &MediaTarget) -> Result<(), TooManyKeys> {
        self.keys.press(key, target.telephone_event.is_some())
    }

    /// Tells the encoder, and whoever presses keys, what the phone reports.
    pub(super) fn expect_loss(&mut self, fraction_lost: u8) {
        self.keys.expect_loss(fraction_lost);
        if let Some(packer) = &mut self.packer {
            packer.expect_loss(fraction_lost);
        }
    }

    /// Judges the browser's leg by what has come since the last time.
    pub(super) fn judge_leg(&mut self, now: Instant) {
        self.leg.judge(now);
    }

    /// How much sooner the last frame could have been made, in microseconds, if it was of what waits here.
    pub(super) fn take_spare_us(&mut self) -> Option<i64> {
        self.voice.take_spare_us()
    }

    /// Whether all of the next frame has come, and waiting for its moment would serve nothing.
    pub(super) fn completes(&self, ms: u64) -> bool {
        self.voice.completes(ms)
    }

    /// Lets frames pass that were never made.
    pub(super) fn missed(&mut self, frames: u32, ms: u64) {
        let ticks = frames.saturating_mul(self.ticks(ms));
        self.rtp.advance(ticks);
    }

    fn ticks(&self, ms: u64) -> u32 {
        self.clock_rate / 1_000 * ms as u32
    }

    /// Makes a frame of `ms`, and the packet that it completes, if the phone wants any.
    pub(super) fn frame(
        &mut self,
        now: Instant,
        ms: u64,
        target: Option<&MediaTarget>,
    ) -> Option<RtpPacket> {
        let packet = match target.filter(|target| target.direction.sends()) {
            Some(target) => self.packet_of(now, ms, target),
            None => {
                self.pause(now, ms);
                None
            }
        };
        self.rtp.advance(self.ticks(ms));
        packet
    }

    /// Sends nothing. The caller's voice is taken from the buffer all the same, so that what is said now is not heard later.
    fn pause(&mut self, now: Instant, ms: u64) {
        self.voice.frame(now, ms);
        self.straight.leave(&mut self.rtp);
        if let Some(packer) = &mut self.packer {
            packer.clear();
        }
        self.paused = true;
    }

    fn packet_of(&mut self, now: Instant, ms: u64, target: &MediaTarget) -> Option<RtpPacket> {
        let event = self.key_event(ms, target);
        if event.is_some() || self.keys.are_pressed_as_events() {
            self.voice.frame(now, ms);
            return event;
        }
        if self.speaks(target) && self.straight.flows(now) {
            return None;
        }
        let frame = self.sound(now, ms);
        self.straight.leave(&mut self.rtp);
        let packed = self.packer.as_mut()?.push(self.rtp.timestamp(), &frame)?;
        let marker = std::mem::replace(&mut self.paused, packed.payload.is_empty());
        (!packed.payload.is_empty()).then(|| {
            self.rtp.packet_at(
                packed.timestamp,
                target.payload_type,
                marker,
                packed.payload,
            )
        })
    }

    fn key_event(&mut self, ms: u64, target: &MediaTarget) -> Option<RtpPacket> {
        let payload_type = target.telephone_event?;
        let event = self.keys.event(ms)?;
        self.straight.leave(&mut self.rtp);
        if let Some(packer) = &mut self.packer {
            packer.clear();
        }
        let began = self.keys.began(event.first, self.rtp.timestamp());
        Some(
            self.rtp
                .packet_at(began, payload_type, event.first, event.payload),
        )
    }

    fn sound(&mut self, now: Instant, ms: u64) -> Frame {
        let voice = self.voice.frame(now, ms);
        let mut frame = Frame::silence(voice.rate(), ms);
        if self.keys.play(ms, &mut frame) {
            return frame;
        }
        match (self.held, self.muted) {
            (true, _) => self.music.fill(&mut frame),
            // Packets go on while muted, so that nobody takes the silence for a broken call.
            (false, true) => {}
            (false, false) => return voice,
        }
        frame
    }
}
