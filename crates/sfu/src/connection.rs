use std::time::Instant;

use housecall_browser::{Down, Kind, Peer, Up};

use crate::PeerId;
use crate::forward::{Forward, SourceId, Verdict};
use crate::keyframes::Keyframes;
use crate::vp8::Descriptor;

/// The connection of one seat: what it publishes, and what it sees of the others.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) id: PeerId,
    pub(crate) peer: Peer,
    pub(crate) connected: bool,
    /// The wish for a key frame of this seat's camera.
    pub(crate) keyframes: Keyframes,
    /// What this seat sees, by slot.
    slots: [Slot; 3],
}

#[derive(Debug)]
struct Slot {
    audio: Forward,
    video: Forward,
}

impl Connection {
    pub(crate) fn new(id: PeerId, peer: Peer) -> Self {
        let slot = || Slot {
            audio: Forward::new(Kind::Audio),
            video: Forward::new(Kind::Video),
        };
        let slots = [slot(), slot(), slot()];
        Self {
            id,
            peer,
            connected: false,
            keyframes: Keyframes::default(),
            slots,
        }
    }

    /// Shows one packet of somebody else to this seat's browser; true if it can go on only with a key frame.
    pub(crate) fn show(
        &mut self,
        now: Instant,
        slot: u8,
        id: SourceId,
        kind: Kind,
        packet: &rtp::Packet,
    ) -> bool {
        if !self.connected {
            return false;
        }
        let Some(seen) = self.slots.get_mut(usize::from(slot)) else {
            return false;
        };
        let forward = match kind {
            Kind::Audio => &mut seen.audio,
            Kind::Video => &mut seen.video,
        };
        match forward.packet(now, id, packet) {
            Verdict::Send(out) => {
                // A packet that cannot be sent is one that was lost: the browser asks for it, or conceals it.
                let _ = self.peer.send(now, Down { kind, slot }, out);
                false
            }
            Verdict::AwaitsKeyFrame => true,
            Verdict::Drop => false,
        }
    }

    /// Notes what this seat's camera sends.
    pub(crate) fn note_published(&mut self, track: Up, packet: &rtp::Packet) {
        let starts_key_frame = || {
            Descriptor::read(&packet.payload).is_some_and(|descriptor| descriptor.starts_key_frame)
        };
        if track == Up::Video && starts_key_frame() {
            self.keyframes.fulfil();
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if self.peer.poll_timeout().is_some_and(|due| due <= now) {
            self.peer.handle_timeout(now);
        }
        if self.keyframes.ask(now) {
            self.peer.request_keyframe(now);
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        // A wish that was never asked for is asked for at once, in the same call that made it.
        earliest(self.peer.poll_timeout(), self.keyframes.due_again())
    }
}

pub(crate) fn earliest(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    one.into_iter().chain(other).min()
}
