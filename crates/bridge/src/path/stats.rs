use std::time::Duration;

use housecall_media::jitter::JitterStats;
use housecall_media::quality::{Equipment, Loss, rate};

/// What happened to the sound of one call.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MediaStats {
    /// From the phone to the browser.
    pub from_phone: JitterStats,
    /// From the browser to the phone.
    pub from_browser: JitterStats,
    /// RTP packets sent to the phone.
    pub rtp_sent: u64,
    /// Packets sent to the browser.
    pub browser_sent: u64,
    /// Packets that were lost on the way from the phone, by their numbers.
    pub rtp_lost: u64,
    /// Packets that were lost on the way from the browser, by their numbers.
    pub ear_lost: u64,
    /// How unevenly the phone's came (RFC 3550 §6.4.1).
    pub jitter: Duration,
    /// Datagrams dropped because they were no RTP or RTCP.
    pub malformed: u64,
    /// Packets dropped because of a payload type that was not agreed.
    pub wrong_payload_type: u64,
    /// Packets dropped because they came from an address that is not the other side's.
    pub strangers: u64,
    /// Datagrams dropped because they were not protected with the phone's key.
    pub forged: u64,
    /// Datagrams dropped because they had been taken before, or came too late to know.
    pub replayed: u64,
    /// Frames not made because we were woken too late.
    pub frames_missed: u64,
    /// Times that there was no encoder for what was agreed: the machine has no memory for it.
    pub no_encoder: u64,
    /// Keys pressed towards the phone.
    pub keys: u64,
    /// Keys pressed at the phone and heard here.
    pub keys_heard: u64,
    /// What the phone's side reports lost of ours, of 256, in its last report.
    pub reported_fraction_lost: u8,
    /// Packets of ours that the phone's side has missed so far, as it reports.
    pub reported_lost: u64,
    /// The round trip to the phone's side, if it was measured.
    pub round_trip: Option<Duration>,
}

impl MediaStats {
    /// How good the call sounded to the caller, 1 to 4.5 (ITU-T G.107).
    pub fn opinion_score(&self) -> f64 {
        let way = self.round_trip.unwrap_or_default() / 2;
        // Twice 20 ms: each side gathers a frame before it sends.
        let delay = way + self.from_phone.delay() + Duration::from_millis(40);
        let loss = Loss::new(self.from_phone.concealed_part(), 1.0);
        rate(delay, &[(Equipment::G711, loss)]).opinion_score()
    }
}
