use std::time::{Duration, Instant};

use housecall_media::jitter::{Arrival, JitterStats};
use housecall_media::rtp::{Relay, RtpPacket, RtpSender};

/// One direction's way for payloads that the other leg takes as they are: sent on the moment they come, without a jitter buffer, since the
/// listener has one.
#[derive(Debug)]
pub(super) struct Straight {
    /// Of the RTP clock, in a second.
    clock_rate: u32,
    relay: Relay,
    last: Option<Instant>,
    relayed: u64,
    relayed_ticks: u64,
}

impl Straight {
    /// After so long without a packet the listener is sent silence of ours: longer than the pauses of a speaker's DTX, shorter than any
    /// network takes to call a stream dead.
    const PAUSE: Duration = Duration::from_secs(1);

    /// Nothing so far, under a clock of so many hertz.
    pub(super) fn new(clock_rate: u32) -> Self {
        Self {
            clock_rate,
            relay: Relay::default(),
            last: None,
            relayed: 0,
            relayed_ticks: 0,
        }
    }

    /// Sends a packet on; none if it came before, or too late.
    pub(super) fn packet(
        &mut self,
        now: Instant,
        sender: &mut RtpSender,
        payload_type: u8,
        marker: bool,
        packet: &Arrival,
    ) -> Option<RtpPacket> {
        let sent = self.relay.packet(sender, payload_type, marker, packet)?;
        self.last = Some(now);
        self.relayed += 1;
        self.relayed_ticks += u64::from(packet.ticks);
        Some(sent)
    }

    /// Whether packets came last, so that it is to be looked whether they still do.
    pub(super) fn is_used(&self) -> bool {
        self.last.is_some()
    }

    /// Whether packets come, so that nothing of ours is to be sent.
    pub(super) fn flows(&self, now: Instant) -> bool {
        self.last
            .is_some_and(|last| now.saturating_duration_since(last) < Self::PAUSE)
    }

    /// Something of ours is sent from here on.
    pub(super) fn leave(&mut self, sender: &mut RtpSender) {
        self.relay.leave(sender);
        self.last = None;
    }

    /// The sender is another: nothing of before is of it.
    pub(super) fn forget(&mut self) {
        self.relay = Relay::default();
        self.last = None;
    }

    /// What waited in a jitter buffer, and what was sent on without: that has come, and is played by the listener.
    pub(super) fn counted(&self, waited: JitterStats) -> JitterStats {
        let micros = self.relayed_ticks * 1_000_000 / u64::from(self.clock_rate);
        JitterStats {
            received: waited.received + self.relayed,
            played: waited.played + self.relayed,
            played_time: waited.played_time + Duration::from_micros(micros),
            ..waited
        }
    }
}
