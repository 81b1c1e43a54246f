use std::collections::VecDeque;

use housecall_media::telephone_event::{EventPacket, KeySender, TooManyKeys};
use housecall_media::{FRAME_MS, Frame, Key, KeyTone};

/// Keys on their way to the phone: as named events, or as their tones for phones that take none.
#[derive(Debug, Default)]
pub(super) struct Keys {
    events: KeySender,
    /// The RTP time at which the present event began.
    began: u32,
    /// Milliseconds since the events were asked last.
    since_ms: u64,
    tones: VecDeque<Key>,
    tone: Option<KeyTone>,
    /// Milliseconds of the pause after a tone that are left.
    pause_ms: u64,
}

impl Keys {
    /// As long as events and the gaps between them: ITU-T Q.24 wants 40 ms of each, and slow answering machines more.
    const TONE_MS: u32 = 120;
    const PAUSE_MS: u64 = 80;

    pub(super) fn press(&mut self, key: Key, as_event: bool) -> Result<(), TooManyKeys> {
        if as_event {
            return self.events.press(key);
        }
        if self.tones.len() >= KeySender::WAITING_MAX {
            return Err(TooManyKeys {
                waiting: self.tones.len(),
            });
        }
        self.tones.push_back(key);
        Ok(())
    }

    /// Whether a key takes the voice's place now.
    pub(super) fn are_pressed(&self) -> bool {
        let as_tones = self.tone.is_some() || !self.tones.is_empty() || self.pause_ms > 0;
        as_tones || self.are_pressed_as_events()
    }

    pub(super) fn are_pressed_as_events(&self) -> bool {
        self.events.is_pressing()
    }

    /// Whether there is nothing to send of any key before another one is pressed.
    pub(super) fn are_idle(&self) -> bool {
        self.events.is_idle() && !self.are_pressed()
    }

    pub(super) fn set_clock_rate(&mut self, clock_rate: u32) {
        self.events.set_clock_rate(clock_rate);
    }

    /// Takes the part of packets that the phone reports as lost, of 256.
    pub(super) fn expect_loss(&mut self, fraction_lost: u8) {
        self.events.expect_loss(fraction_lost);
    }

    /// The phone takes no events any more: those that wait are given up.
    pub(super) fn refuse_events(&mut self) {
        self.events.clear();
    }

    /// The event's packet that is due, after a further frame of `ms`: every 20 ms.
    pub(super) fn event(&mut self, ms: u64) -> Option<EventPacket> {
        self.since_ms += ms;
        if self.since_ms < FRAME_MS {
            return None;
        }
        self.since_ms = 0;
        self.events.tick()
    }

    /// The RTP time that all packets of an event carry: that of its first (RFC 4733 §2.1).
    pub(super) fn began(&mut self, first: bool, timestamp: u32) -> u32 {
        if first {
            self.began = timestamp;
        }
        self.began
    }

    /// Plays the tone or the pause that is due into a frame of silence; false if neither is.
    pub(super) fn play(&mut self, ms: u64, frame: &mut Frame) -> bool {
        if self.pause_ms > 0 {
            self.pause_ms = self.pause_ms.saturating_sub(ms);
            return true;
        }
        let Some(mut tone) = self.tone.take().or_else(|| self.next_tone()) else {
            return false;
        };
        if tone.fill(frame) {
            self.tone = Some(tone);
        } else {
            self.pause_ms = Self::PAUSE_MS.saturating_sub(ms);
        }
        true
    }

    fn next_tone(&mut self) -> Option<KeyTone> {
        let key = self.tones.pop_front()?;
        Some(KeyTone::new(key, Self::TONE_MS))
    }
}
