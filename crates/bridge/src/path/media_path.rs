use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use housecall_media::Key;
use housecall_media::opus::OpusError;
use housecall_media::rtp::{Extended, Reception, Report, RtpPacket, SenderInfo};
use housecall_media::sdp::MediaTarget;
use housecall_media::srtp::SrtpError;
use housecall_media::telephone_event::TooManyKeys;
use housecall_phone::Event;

use super::pace::Pace;
use super::phone::Phone;
use super::stats::MediaStats;
use super::to_browser::{NotVoice, ToBrowser};
use super::to_phone::ToPhone;
use super::{EarFrame, EarPacket};

/// Carries sound between a browser and a phone, a frame every 20 ms each way.
///
/// The browser's end is the ear: Opus packets in ([`MediaPath::ear`]) and out ([`Output::Ear`]). The phone's end is RTP and RTCP.
#[derive(Debug)]
pub struct MediaPath {
    options: PathOptions,
    begun: Instant,
    pace: Pace,
    phone: Option<Phone>,
    answered: bool,
    /// Whether a hold is in force to which the phone has agreed.
    held: bool,
    to_phone: ToPhone,
    to_browser: ToBrowser,
    next_report: Instant,
    stats: MediaStats,
    outputs: VecDeque<Output>,
}

/// How a media path behaves.
#[derive(Clone, Debug)]
pub struct PathOptions {
    /// Whose ringing tone the caller hears (ISO 3166 letters).
    pub country: String,
    /// How long an answered phone may send nothing before the call counts as broken.
    pub silence_max: Duration,
    /// Where the numbers of our RTP stream come from; random.
    pub seed: u64,
}

/// What the path asks for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Output {
    /// Send this RTP to the phone.
    Rtp {
        /// Where to.
        to: SocketAddr,
        /// The datagram.
        bytes: Bytes,
    },
    /// Send this RTCP to the phone.
    Rtcp {
        /// Where to.
        to: SocketAddr,
        /// The datagram.
        bytes: Bytes,
    },
    /// Let the caller hear this.
    Ear(EarFrame),
    /// The phone has sent nothing for longer than it may. Said once.
    PhoneLost,
}

impl PathOptions {
    /// The defaults for a country, with random numbers from `seed`.
    pub fn new(country: &str, seed: u64) -> Self {
        // Half a minute: longer than any network takes to come back, shorter than a block of talk time.
        Self {
            country: country.to_owned(),
            silence_max: Duration::from_secs(30),
            seed,
        }
    }
}

impl MediaPath {
    /// RFC 3550 §6.2: five seconds between reports.
    const REPORT_EVERY: Duration = Duration::from_secs(5);
    /// The name in our reports; it tells nothing of anybody (RFC 7022).
    const CANONICAL_NAME: &'static str = "housecall";

    /// Begins; the caller hears silence until told otherwise.
    ///
    /// # Errors
    /// libopus found no memory.
    pub fn new(now: Instant, options: PathOptions) -> Result<Self, OpusError> {
        Ok(Self {
            to_phone: ToPhone::new(options.seed)?,
            to_browser: ToBrowser::new()?,
            options,
            begun: now,
            pace: Pace::new(now),
            phone: None,
            answered: false,
            held: false,
            next_report: now + Self::REPORT_EVERY,
            stats: MediaStats::default(),
            outputs: VecDeque::new(),
        })
    }

    /// Lets the sound follow the call.
    pub fn follow(&mut self, now: Instant, event: &Event) {
        match event {
            Event::Ringing => self.ring(),
            Event::EarlyMedia(target) | Event::MediaChanged(target) => self.target(target.clone()),
            Event::Answered(target) => {
                self.target(target.clone());
                self.answered(now);
            }
            Event::Held => self.hold_agreed(now, true),
            Event::Resumed => self.hold_agreed(now, false),
            // Back to what is in force.
            Event::HoldRefused => self.hold(now, self.held),
            // More keys than wait are not pressed.
            Event::KeyRefused(key) => drop(self.press(*key)),
            Event::Ended(_) => self.close(now),
            Event::RouteFailed { .. } | Event::EncryptionRefused | Event::Redirected { .. } => {}
        }
    }

    fn hold_agreed(&mut self, now: Instant, held: bool) {
        self.held = held;
        self.hold(now, held);
    }

    /// The phone rings: the caller hears its country's tone until the phone itself is heard.
    pub fn ring(&mut self) {
        self.to_browser.ring(&self.options.country);
    }

    /// The phone named, or changed, where it wants sound: early, by its answer, or in a hold.
    pub fn target(&mut self, target: MediaTarget) {
        match &mut self.phone {
            Some(phone) => phone.retarget(target, self.answered),
            None => self.phone = Some(Phone::new(target)),
        }
    }

    /// The phone answered: from now on it must be heard.
    pub fn answered(&mut self, now: Instant) {
        self.answered = true;
        self.to_browser.answered();
        if let Some(phone) = &mut self.phone {
            phone.expect_sound(now);
        }
    }

    /// Shuts or opens the caller's microphone towards the phone.
    pub fn mute(&mut self, muted: bool) {
        self.to_phone.muted = muted;
    }

    /// Puts the phone on hold: it hears music, and nothing of it is heard. Or takes it back.
    pub fn hold(&mut self, now: Instant, held: bool) {
        if self.to_phone.held == held {
            return;
        }
        self.to_phone.held = held;
        self.to_browser.held = held;
        self.to_browser.clear();
        match &mut self.phone {
            Some(phone) if held => phone.expect_nothing(),
            Some(phone) => phone.expect_sound(now),
            None => {}
        }
    }

    /// Presses a key towards the phone, after those that wait.
    ///
    /// # Errors
    /// More keys wait than a person presses, or there is no phone yet.
    pub fn press(&mut self, key: Key) -> Result<(), TooManyKeys> {
        let Some(phone) = &self.phone else {
            return Err(TooManyKeys { waiting: 0 });
        };
        self.to_phone.press(key, &phone.target)?;
        self.stats.keys += 1;
        Ok(())
    }

    /// Takes a packet of the caller's voice.
    pub fn ear(&mut self, now: Instant, packet: EarPacket) {
        if !self.to_phone.packet(now, packet) {
            self.stats.malformed += 1;
        }
    }

    /// Takes a datagram from the RTP port. Nothing is learned from one that should have been protected and is not.
    pub fn rtp(&mut self, now: Instant, from: SocketAddr, datagram: Bytes) {
        let Some(phone) = &mut self.phone else {
            self.stats.strangers += 1;
            return;
        };
        let plain = match phone.protection.read_rtp(datagram) {
            Ok(plain) => plain,
            Err(error) => return self.unprotected(error),
        };
        let Ok(packet) = RtpPacket::parse(plain) else {
            self.stats.malformed += 1;
            return;
        };
        let checked = ToBrowser::check(&packet, &phone.target);
        if checked == Err(NotVoice::Wrong) {
            self.stats.wrong_payload_type += 1;
            return;
        }
        let authentic = phone.protection.authenticates();
        if !phone.source.accepts(now, from, &packet, authentic) {
            self.stats.strangers += 1;
            return;
        }
        phone.received(now, &packet);
        if let Ok(law) = checked {
            self.to_browser.packet(now, packet, law);
        }
    }

    /// Takes a datagram from the RTCP port.
    pub fn rtcp(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) {
        let Some(phone) = &mut self.phone else {
            self.stats.strangers += 1;
            return;
        };
        let plain = match phone.protection.read_rtcp(datagram) {
            Ok(plain) => plain,
            Err(error) => return self.unprotected(error),
        };
        let Ok(report) = Report::parse(&plain) else {
            self.stats.malformed += 1;
            return;
        };
        if !(phone.protection.authenticates() || phone.source.is_host(from)) {
            self.stats.strangers += 1;
            return;
        }
        if let (Some(info), Some(reception)) = (&report.sender, &mut phone.reception) {
            reception.sender_report(now, info);
        }
        let running = now.saturating_duration_since(self.begun);
        let ours = self.to_phone.rtp().ssrc();
        for block in report.blocks.iter().filter(|block| block.ssrc == ours) {
            self.stats.reported_fraction_lost = block.fraction_lost;
            self.stats.round_trip = block.round_trip(running).or(self.stats.round_trip);
        }
    }

    /// Counts a datagram that is not the phone's, or was before. However many come, the call goes on.
    fn unprotected(&mut self, error: SrtpError) {
        let counter = match error {
            SrtpError::Malformed { .. } => &mut self.stats.malformed,
            SrtpError::Replayed => &mut self.stats.replayed,
            _ => &mut self.stats.forged,
        };
        *counter += 1;
    }

    /// What happened so far.
    pub fn stats(&self) -> MediaStats {
        let reception = self
            .phone
            .as_ref()
            .and_then(|phone| phone.reception.as_ref());
        MediaStats {
            from_phone: self.to_browser.stats(),
            from_browser: self.to_phone.stats(),
            rtp_lost: reception.map_or(0, |reception| u64::from(reception.lost())),
            jitter: reception.map_or(Duration::ZERO, Reception::jitter),
            ..self.stats
        }
    }

    /// Says goodbye to the phone (RFC 3550 §6.3.7).
    pub fn close(&mut self, now: Instant) {
        self.report(now, true);
        self.phone = None;
    }

    /// What to do next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`MediaPath::handle_timeout`].
    pub fn poll_timeout(&self) -> Instant {
        self.pace.next()
    }

    /// Makes the frames that are due.
    pub fn handle_timeout(&mut self, now: Instant) {
        let due = self.pace.due(now);
        self.stats.frames_missed += u64::from(due.missed);
        self.to_phone.missed(due.missed);
        self.to_browser.missed(due.missed);
        for _ in 0..due.frames {
            self.frame(now);
        }
        if now >= self.next_report {
            self.next_report = now + Self::REPORT_EVERY;
            self.report(now, false);
        }
        self.check_silence(now);
    }

    fn frame(&mut self, now: Instant) {
        let target = self.phone.as_ref().map(|phone| &phone.target);
        if let Some(packet) = self.to_phone.frame(now, target) {
            self.send(packet);
        }
        if let Some(frame) = self.to_browser.frame(now) {
            self.stats.browser_sent += 1;
            self.outputs.push_back(Output::Ear(frame));
        }
    }

    fn send(&mut self, packet: RtpPacket) {
        let Some(phone) = &mut self.phone else { return };
        if let Some(bytes) = phone.protection.protect_rtp(packet.to_bytes()) {
            self.stats.rtp_sent += 1;
            let to = phone.source.addr();
            self.outputs.push_back(Output::Rtp { to, bytes });
        }
    }

    fn report(&mut self, now: Instant, bye: bool) {
        let Some(phone) = &mut self.phone else { return };
        let Some(to) = phone.rtcp_addr() else { return };
        let running = now.saturating_duration_since(self.begun);
        let rtp = self.to_phone.rtp();
        let sender = (self.stats.rtp_sent > 0).then(|| rtp.info(SenderInfo::ntp_of(running)));
        let blocks = phone
            .reception
            .iter_mut()
            .map(|reception| reception.report(now))
            .collect();
        let report = Report {
            ssrc: rtp.ssrc(),
            sender,
            blocks,
            extended: Extended::default(),
            bye,
        };
        let plain = report.to_bytes(Self::CANONICAL_NAME);
        let bytes = phone.protection.protect_rtcp(plain);
        self.outputs
            .extend(bytes.map(|bytes| Output::Rtcp { to, bytes }));
    }

    fn check_silence(&mut self, now: Instant) {
        let silence_max = self.options.silence_max;
        if let Some(phone) = &mut self.phone
            && phone.is_lost(now, silence_max)
        {
            self.outputs.push_back(Output::PhoneLost);
        }
    }
}
