use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;
use housecall_media::g711::Law;
use housecall_media::jitter::Arrival;
use housecall_media::opus::OpusError;
use housecall_media::rtp::{RtpPacket, RtpSender};
use housecall_media::sdp::{Codec, MediaTarget};
use housecall_media::sound::{Playback, Sound};
use housecall_media::telephone_event::{KeySender, TooManyKeys};
use housecall_media::{FRAME_SAMPLES, Frame, HoldMusic, Key, KeyTone, OpusDecoder, SILENCE};

use super::ear::EarPacket;
use super::playout::Playout;

/// What the callee hears: the caller's voice, or keys, or music while held, or silence while muted.
#[derive(Debug)]
pub(super) struct ToPhone {
    voice: Playout<OpusDecoder>,
    rtp: RtpSender,
    keys: KeySender,
    /// Keys played as tones, for phones that take no named events.
    tones: VecDeque<Key>,
    tone: Option<KeyTone>,
    /// Frames of silence that are still due after a tone.
    pause: u32,
    /// The RTP time at which the present key began.
    key_began: u32,
    music: Music,
    pub(super) muted: bool,
    pub(super) held: bool,
    /// Whether nothing was sent in the last frame, so that the next packet begins a talk spurt.
    paused: bool,
}

/// What the callee hears while held.
#[derive(Debug)]
enum Music {
    Ours(HoldMusic),
    OfFile(Playback),
}

const FRAME_TICKS: u32 = FRAME_SAMPLES as u32;
const KEY_TONE_MS: u32 = 120;
/// Frames between two tones: 60 ms, where a receiver may need 40 (ITU-T Q.24).
const KEY_PAUSE: u32 = 3;

impl ToPhone {
    pub(super) fn new(seed: u64, music: Option<&Sound>) -> Result<Self, OpusError> {
        Ok(Self {
            voice: Playout::new(Codec::Opus.clock_rate(), OpusDecoder::new()?),
            rtp: RtpSender::new(seed),
            keys: KeySender::default(),
            tones: VecDeque::new(),
            tone: None,
            pause: 0,
            key_began: 0,
            music: Music::new(music),
            muted: false,
            held: false,
            paused: true,
        })
    }

    pub(super) fn rtp(&self) -> &RtpSender {
        &self.rtp
    }

    pub(super) fn stats(&self) -> housecall_media::jitter::JitterStats {
        self.voice.stats()
    }

    /// A packet of the browser; false if it is no Opus.
    pub(super) fn packet(&mut self, now: Instant, packet: EarPacket) -> bool {
        let Some(ticks) = OpusDecoder::ticks(&packet.payload) else {
            return false;
        };
        let EarPacket {
            ssrc,
            sequence,
            timestamp,
            payload,
        } = packet;
        self.voice.push(
            now,
            Arrival {
                ssrc,
                sequence,
                timestamp,
                ticks,
                payload,
            },
        );
        true
    }

    /// Presses a key, as a named event if the phone takes them, else as its tone.
    pub(super) fn press(&mut self, key: Key, target: &MediaTarget) -> Result<(), TooManyKeys> {
        if target.telephone_event.is_some() {
            return self.keys.press(key);
        }
        if self.tones.len() >= KeySender::WAITING_MAX {
            return Err(TooManyKeys {
                waiting: self.tones.len(),
            });
        }
        self.tones.push_back(key);
        Ok(())
    }

    /// Lets frames pass that were never made.
    pub(super) fn missed(&mut self, frames: u32) {
        self.rtp.advance(frames.saturating_mul(FRAME_TICKS));
    }

    /// Makes the packet of this frame, if the phone wants any.
    pub(super) fn frame(
        &mut self,
        now: Instant,
        target: Option<&MediaTarget>,
    ) -> Option<RtpPacket> {
        // The caller's voice is taken from the buffer in any case, so that what is said while held is not heard after it.
        let voice = self.voice.frame(now);
        let packet = target
            .filter(|target| target.direction.sends())
            .map(|target| self.packet_of(voice, target));
        self.paused = packet.is_none();
        self.rtp.advance(FRAME_TICKS);
        packet
    }

    fn packet_of(&mut self, voice: Frame, target: &MediaTarget) -> RtpPacket {
        if let Some(packet) = self.key_event(target) {
            return packet;
        }
        let frame = self.sound(voice);
        self.rtp.packet(
            target.payload_type,
            self.paused,
            encode(target.codec, &frame),
        )
    }

    fn key_event(&mut self, target: &MediaTarget) -> Option<RtpPacket> {
        let payload_type = target.telephone_event?;
        let event = self.keys.tick()?;
        if event.first {
            self.key_began = self.rtp.timestamp();
        }
        Some(
            self.rtp
                .packet_at(self.key_began, payload_type, event.first, event.payload),
        )
    }

    fn sound(&mut self, voice: Frame) -> Frame {
        if let Some(tone) = self.key_tone() {
            return tone;
        }
        match (self.held, self.muted) {
            (true, _) => self.music.frame(),
            // Packets go on while muted, so that nobody takes the silence for a broken call.
            (false, true) => SILENCE,
            (false, false) => voice,
        }
    }

    fn key_tone(&mut self) -> Option<Frame> {
        if let Some(left) = self.pause.checked_sub(1) {
            self.pause = left;
            return Some(SILENCE);
        }
        if self.tone.is_none() {
            self.tone = Some(KeyTone::new(self.tones.pop_front()?, KEY_TONE_MS));
        }
        let frame = self.tone.as_mut().and_then(KeyTone::frame);
        if frame.is_none() {
            self.tone = None;
            self.pause = KEY_PAUSE - 1;
            return Some(SILENCE);
        }
        frame
    }
}

impl Music {
    fn new(file: Option<&Sound>) -> Self {
        file.map_or_else(
            || Self::Ours(HoldMusic::new()),
            |sound| Self::OfFile(sound.repeat()),
        )
    }

    fn frame(&mut self) -> Frame {
        match self {
            Self::Ours(music) => music.frame(),
            // What repeats has no end.
            Self::OfFile(playback) => playback.frame().unwrap_or(SILENCE),
        }
    }
}

fn encode(codec: Codec, frame: &Frame) -> Bytes {
    let law = if codec == Codec::Pcmu {
        Law::Mu
    } else {
        Law::A
    };
    Bytes::from(law.encode(frame))
}
