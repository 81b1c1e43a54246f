use std::time::{Duration, Instant};

use bytes::Bytes;
use housecall_media::g711::Law;
use housecall_media::rtp::{Report, RtpPacket, RtpSender, SenderInfo};
use housecall_media::sdp::{Codec, MediaTarget};
use housecall_media::srtp::Srtp;
use housecall_media::telephone_event::{EventPacket, KeyListener, KeySender};
use housecall_media::{FRAME_MS, FRAME_SAMPLES, Key, KeyDetector};

use crate::behaviour::Says;
use crate::ear::{Ear, Sound};
use crate::mouth::Mouth;

const FRAME: Duration = Duration::from_millis(FRAME_MS);
/// RFC 3550 §6.2.
const REPORT_EVERY: Duration = Duration::from_secs(5);
/// A process that slept longer than this owes no burst of packets.
const LATE_MOST: Duration = Duration::from_millis(200);
/// Digits kept of one call.
const DIGITS_MOST: usize = 256;

/// The sound of one call: RTP in and out, what the subscriber says, and what it hears.
#[derive(Debug)]
pub(crate) struct Line {
    sender: RtpSender,
    mouth: Mouth,
    ear: Ear,
    listener: KeyListener,
    detector: KeyDetector,
    /// What the subscriber presses, and the RTP time at which the present key began.
    keys: KeySender,
    began: u32,
    /// Where the sound goes; none until the descriptions are exchanged.
    target: Option<MediaTarget>,
    /// What protects the sound, if that is agreed.
    srtp: Option<Srtp>,
    talks_since: Option<Instant>,
    next_report_at: Option<Instant>,
    next_frame_at: Option<Instant>,
    talks: bool,
    packets: u64,
    digits: String,
}

impl Line {
    pub(crate) fn new(says: Says, seed: u64) -> Line {
        Line {
            sender: RtpSender::new(seed),
            mouth: Mouth::new(says),
            ear: Ear::default(),
            listener: KeyListener::default(),
            detector: KeyDetector::default(),
            keys: KeySender::default(),
            began: 0,
            target: None,
            srtp: None,
            talks_since: None,
            next_report_at: None,
            next_frame_at: None,
            talks: false,
            packets: 0,
            digits: String::new(),
        }
    }

    /// Learns where to send and what; a hold says that nothing may be sent.
    pub(crate) fn agree(&mut self, target: MediaTarget) {
        self.srtp = match (self.srtp.take(), &target.srtp) {
            (Some(mut srtp), Some(pair)) => srtp.rekey(pair, true).is_ok().then_some(srtp),
            (None, Some(pair)) => Srtp::new(pair).ok(),
            (_, None) => None,
        };
        self.target = Some(target);
    }

    pub(crate) fn is_secured(&self) -> bool {
        self.srtp.is_some()
    }

    /// The subscriber begins to talk, if the caller may hear it.
    pub(crate) fn talk(&mut self, now: Instant) {
        self.talks = true;
        self.talks_since.get_or_insert(now);
        self.next_frame_at.get_or_insert(now);
        self.next_report_at.get_or_insert(now + REPORT_EVERY);
    }

    /// Whether the caller has told us to be quiet.
    pub(crate) fn is_held(&self) -> bool {
        self.target
            .as_ref()
            .is_some_and(|target| !target.direction.sends())
    }

    pub(crate) fn packets(&self) -> u64 {
        self.packets
    }

    pub(crate) fn sound(&self) -> Sound {
        self.ear.sound()
    }

    pub(crate) fn digits(&self) -> &str {
        &self.digits
    }

    /// Takes in a datagram; what is no RTP of this call is dropped.
    pub(crate) fn hear(&mut self, datagram: &[u8]) {
        let plain = match &mut self.srtp {
            Some(srtp) => srtp.unprotect_rtp(datagram).ok(),
            None => Some(Bytes::copy_from_slice(datagram)),
        };
        let Some(packet) = plain.and_then(|plain| RtpPacket::parse(plain).ok()) else {
            return;
        };
        let telephone_event = self
            .target
            .as_ref()
            .and_then(|target| target.telephone_event);
        match law_of(packet.payload_type) {
            Some(law) => self.hear_sound(law, &packet.payload),
            None if telephone_event == Some(packet.payload_type) => {
                let key = self.listener.packet(packet.timestamp, &packet.payload);
                key.into_iter().for_each(|key| self.key(key));
            }
            None => {}
        }
    }

    fn hear_sound(&mut self, law: Law, payload: &[u8]) {
        let mut samples = Vec::with_capacity(payload.len());
        law.decode(payload, &mut samples);
        self.packets += 1;
        self.ear.hear(&samples);
        self.mouth.hear(&samples);
        for key in self.detector.listen(&samples) {
            self.key(key);
        }
    }

    /// A key that the caller has pressed, however it came.
    pub(crate) fn key(&mut self, key: Key) {
        if self.digits.len() < DIGITS_MOST {
            self.digits.push(key.name());
        }
        self.mouth.key(key);
    }

    /// The subscriber presses a key towards the caller; one of more than wait is lost.
    pub(crate) fn press(&mut self, key: Key) {
        let _ = self.keys.press(key);
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.next_frame_at.filter(|_| self.talks)
    }

    /// The packet that is due, with its address. None when none is due or the line is on hold.
    pub(crate) fn speak(&mut self, now: Instant) -> Option<(std::net::SocketAddr, Bytes)> {
        self.begin_frame(now)?;
        let frame = self.mouth.speak();
        self.sender.advance(FRAME_SAMPLES as u32);
        let target = self
            .target
            .as_ref()
            .filter(|target| target.direction.sends())?;
        let key = target.telephone_event.zip(self.keys.tick());
        let packet = match key {
            // A key takes the voice's place.
            Some((payload_type, event)) => {
                if event.first {
                    self.began = self.sender.timestamp();
                }
                let EventPacket { first, payload, .. } = event;
                self.sender
                    .packet_at(self.began, payload_type, first, payload)
            }
            None => {
                let law = law_of_codec(target.codec)?;
                let payload = law.encode(&frame).into();
                self.sender.packet(target.payload_type, false, payload)
            }
        };
        let bytes = match &mut self.srtp {
            Some(srtp) => srtp.protect_rtp(&packet.to_bytes()).ok()?,
            None => packet.to_bytes(),
        };
        Some((target.remote, bytes))
    }

    /// The report that is due on what has been sent, with its address (RFC 3550 §6.4.1). It leaves from the port of the sound.
    pub(crate) fn report(&mut self, now: Instant) -> Option<(std::net::SocketAddr, Bytes)> {
        let due = self.next_report_at.filter(|due| *due <= now)?;
        self.next_report_at = Some(due.max(now) + REPORT_EVERY);
        let to = self.target.as_ref()?.rtcp?;
        let running = now.saturating_duration_since(self.talks_since?);
        let report = Report {
            ssrc: self.sender.ssrc(),
            sender: Some(self.sender.info(SenderInfo::ntp_of(running))),
            ..Report::default()
        };
        let plain = report.to_bytes("carrier");
        let bytes = match &mut self.srtp {
            Some(srtp) => srtp.protect_rtcp(&plain).ok()?,
            None => plain,
        };
        Some((to, bytes))
    }

    /// Moves on to the next frame when one is due.
    fn begin_frame(&mut self, now: Instant) -> Option<()> {
        let due = self.poll_timeout().filter(|due| *due <= now)?;
        let slept = now.duration_since(due) > LATE_MOST;
        self.next_frame_at = Some(if slept { now } else { due } + FRAME);
        Some(())
    }
}

/// G.711 has static payload types (RFC 3551 §6).
fn law_of(payload_type: u8) -> Option<Law> {
    Codec::of_static_payload_type(payload_type).and_then(law_of_codec)
}

fn law_of_codec(codec: Codec) -> Option<Law> {
    match codec {
        Codec::Pcmu => Some(Law::Mu),
        Codec::Pcma => Some(Law::A),
        Codec::G722 | Codec::Opus | Codec::TelephoneEvent | Codec::TelephoneEvent48 => None,
    }
}
