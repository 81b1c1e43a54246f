use std::collections::VecDeque;

use housecall_media::rtp::RtpPacket;
use housecall_media::sdp::MediaTarget;
use housecall_media::telephone_event::KeyListener;
use housecall_media::{Frame, Key, KeyDetector};

/// Keys that are pressed at the phone: named events (RFC 4733), and, if that is asked for, tones in the sound of a phone that has agreed to
/// none. One that has agreed may let the tone through beside its event, and would be heard twice.
#[derive(Debug, Default)]
pub(super) struct HeardKeys {
    events: KeyListener,
    /// Listens for tones, if that is asked for.
    tones: Option<KeyDetector>,
    has_events: bool,
    heard: VecDeque<Key>,
}

impl HeardKeys {
    pub(super) fn new(with_tones: bool) -> Self {
        Self {
            tones: with_tones.then(KeyDetector::default),
            ..Self::default()
        }
    }

    /// The phone has said, perhaps once more, what it sends.
    pub(super) fn agree(&mut self, target: &MediaTarget) {
        self.has_events = target.telephone_event.is_some();
    }

    /// Whether the sound must be decoded here to be listened to.
    pub(super) fn listens_for_tones(&self) -> bool {
        self.tones.is_some() && !self.has_events
    }

    pub(super) fn event(&mut self, packet: &RtpPacket) {
        let key = self.events.packet(packet.timestamp, &packet.payload);
        self.heard.extend(key);
    }

    pub(super) fn sound(&mut self, frame: &Frame) {
        if self.listens_for_tones()
            && let Some(tones) = &mut self.tones
        {
            self.heard.extend(tones.listen_to(frame));
        }
    }

    /// The next key that became clear.
    pub(super) fn next(&mut self) -> Option<Key> {
        self.heard.pop_front()
    }
}
