use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use housecall_media::coder::CodecError;
use housecall_media::rtp::{
    Extended, Reception, Report, RtpPacket, SenderInfo, Stamp, VoiceMetrics,
};
use housecall_media::sdp::MediaTarget;
use housecall_media::srtp::SrtpError;
use housecall_media::telephone_event::TooManyKeys;
use housecall_media::{AudioLevel, Key, Pace, Sound};
use housecall_phone::Event;

use super::phone::Phone;
use super::quality::{Circumstances, Quality, discarded};
use super::rest::Rest;
use super::stats::MediaStats;
use super::to_browser::{Carries, NotVoice, ToBrowser};
use super::to_phone::{NotOfCodec, ToPhone};
use super::{Ear, EarFrame, EarPacket, Levels};

/// Carries sound between a browser and a phone: decoded, and a frame every 20 ms each way, or straight through where both speak the same.
///
/// The browser's end is the ear: packets in ([`MediaPath::ear`]) and out ([`Output::Ear`]). The phone's end is RTP and RTCP.
#[derive(Debug)]
pub struct MediaPath {
    options: PathOptions,
    begun: Instant,
    /// When frames for the browser are due, and when those for the phone, which follow the packet length it asks for.
    ear_pace: Pace,
    phone_pace: Pace,
    ear_rest: Rest,
    phone_rest: Rest,
    phone: Option<Phone>,
    answered: bool,
    /// Whether a hold is in force to which the phone has agreed.
    held: bool,
    to_phone: ToPhone,
    to_browser: ToBrowser,
    next_check: Instant,
    next_report: Instant,
    stats: MediaStats,
    quality: Quality,
    /// How loud the browser says that its microphone is.
    spoken: Option<AudioLevel>,
    outputs: VecDeque<Output>,
}

/// How a media path behaves.
#[derive(Clone, Debug)]
pub struct PathOptions {
    /// Whose ringing tone the caller hears (ISO 3166 letters).
    pub country: String,
    /// How long an answered phone may send nothing before the call counts as broken.
    pub silence_max: Duration,
    /// What a phone on hold hears, again and again; our own music if none.
    pub hold_music: Option<Sound>,
    /// Where the numbers of our RTP streams come from; random.
    pub seed: u64,
    /// What the browser speaks and hears.
    pub ear: Ear,
    /// Whether G.711 goes straight through where browser and phone both speak it and the browser's packets come evenly and whole. It costs
    /// next to nothing and adds no delay, but has nothing to bridge a loss with. (Opus always goes straight through: it has.)
    pub straight_g711: bool,
    /// Whether keys are also heard as tones in the sound of a phone that has agreed to no named events (RFC 4733). Such a phone's sound is
    /// then decoded here, never sent straight through.
    pub hear_tones: bool,
    /// Whether noise around the phone's voice is taken away, from its answer on, where it does not go straight through. It makes the voice up
    /// to [`DELAY_MS`](housecall_media::NoiseSuppressor::DELAY_MS) later, and takes tones and music for noise.
    pub suppress_noise: bool,
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
    /// The person at the phone, once it was answered, has pressed a key.
    KeyHeard(Key),
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
            hold_music: None,
            seed,
            ear: Ear::default(),
            straight_g711: false,
            hear_tones: false,
            suppress_noise: false,
        }
    }
}

impl MediaPath {
    /// How often it is looked whether something besides frames is due.
    const CHECK_EVERY: Duration = Duration::from_millis(100);
    /// RFC 3550 §6.2: five seconds between reports.
    const REPORT_EVERY: Duration = Duration::from_secs(5);
    /// The longest delay of our jitter buffers.
    const BUFFER_MAX: Duration = Duration::from_millis(200);
    /// The name in our reports; it tells nothing of anybody (RFC 7022).
    const CANONICAL_NAME: &'static str = "housecall";

    /// Begins; the caller hears silence until told otherwise.
    ///
    /// # Errors
    /// libopus found no memory, or the ear's codec carries no voice.
    pub fn new(now: Instant, options: PathOptions) -> Result<Self, CodecError> {
        Ok(Self {
            to_phone: ToPhone::new(&options)?,
            to_browser: ToBrowser::new(&options)?,
            options,
            begun: now,
            ear_pace: Pace::new(now),
            phone_pace: Pace::new(now),
            ear_rest: Rest::default(),
            phone_rest: Rest::default(),
            phone: None,
            answered: false,
            held: false,
            next_check: now + Self::CHECK_EVERY,
            next_report: now + Self::REPORT_EVERY,
            stats: MediaStats::default(),
            quality: Quality::default(),
            spoken: None,
            outputs: VecDeque::new(),
        })
    }

    /// Lets the sound follow the call.
    pub fn follow(&mut self, now: Instant, event: &Event) {
        match event {
            Event::Ringing => self.ring(),
            Event::EarlyMedia(target) | Event::MediaChanged(target) => {
                self.target(now, target.clone());
            }
            Event::Answered(target) => {
                self.target(now, target.clone());
                self.answered(now);
            }
            Event::Held => self.hold_agreed(now, true),
            Event::Resumed => self.hold_agreed(now, false),
            // Back to what is in force.
            Event::HoldRefused => self.hold(now, self.held),
            // More keys than wait are not pressed.
            Event::KeyRefused(key) => drop(self.press(*key)),
            Event::Ended(_) => self.close(now),
            Event::RouteFailed { .. }
            | Event::EncryptionRefused
            | Event::Redirected { .. }
            | Event::KeyHeard(_) => {}
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

    /// The phone named, or changed, where it wants sound and in what codec: early, by its answer, in a hold, or in the middle of the call.
    pub fn target(&mut self, now: Instant, target: MediaTarget) {
        if self.stats.rtp_sent > 0 && self.to_phone.would_begin_anew(&target) {
            // RFC 7160 §4.1: the stream before is over.
            self.report(now, true);
        }
        self.phone_pace.fit(target.ptime_ms);
        self.to_browser.keys.agree(&target);
        if self.to_phone.agree(&target).is_err() {
            self.stats.no_encoder += 1;
        }
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
        self.to_browser.hold(held);
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
        let stamp = Stamp::from(&packet);
        let target = self.phone.as_ref().map(|phone| &phone.target);
        match self.to_phone.packet(now, packet, target) {
            Ok(straight) => {
                let clock_rate = self.options.ear.codec.clock_rate();
                self.quality.ear(now, clock_rate, stamp);
                straight.into_iter().for_each(|packet| self.send(packet));
                self.phone_frame_at_once(now);
            }
            Err(NotOfCodec) => self.stats.malformed += 1,
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
        if checked == Err(NotVoice::Event) {
            self.to_browser.keys.event(&packet);
            self.tell_keys();
        }
        let noise = checked == Ok(Carries::Noise);
        self.quality.phone(now, packet.sequence, noise);
        let straight = checked
            .ok()
            .and_then(|carries| self.to_browser.packet(now, packet, carries));
        straight.into_iter().for_each(|frame| self.let_hear(frame));
        self.ear_frame_at_once(now);
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
        phone.heard_report(now, &report);
        self.learn(now, &report);
    }

    /// Takes what the phone says of our stream.
    fn learn(&mut self, now: Instant, report: &Report) {
        let running = now.saturating_duration_since(self.begun);
        let ours = self.to_phone.rtp().ssrc();
        for block in report.blocks.iter().filter(|block| block.ssrc == ours) {
            let round_trip = block.round_trip(running);
            self.stats.reported_fraction_lost = block.fraction_lost;
            self.to_phone.expect_loss(block.fraction_lost);
            self.stats.reported_lost = block.lost_by_now();
            self.stats.round_trip = round_trip.or(self.stats.round_trip);
            self.quality.phone_says(now, block, round_trip);
        }
        let voice = &report.extended.voice;
        for metrics in voice.iter().filter(|metrics| metrics.ssrc == ours) {
            self.quality.phone_measures(metrics);
        }
    }

    /// Takes what the browser says of what it hears: the part lost, of 256, and the round trip to it.
    pub fn ear_report(&mut self, now: Instant, fraction_lost: u8, round_trip: Option<Duration>) {
        self.to_browser.expect_loss(fraction_lost);
        self.quality.browser_says(now, fraction_lost, round_trip);
    }

    /// Takes how loud the browser says that its last packet is.
    pub fn ear_level(&mut self, level: Option<AudioLevel>) {
        self.spoken = level;
    }

    /// How loud both sides are now.
    pub fn levels(&self) -> Levels {
        Levels {
            heard: self.to_browser.level,
            spoken: self.spoken,
        }
    }

    /// How it sounds, both ways.
    pub fn quality(&self) -> &Quality {
        &self.quality
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
        let mut stats = MediaStats {
            from_phone: self.to_browser.stats(),
            from_browser: self.to_phone.stats(),
            ear_lost: self.quality.ear_lost(),
            ..self.stats
        };
        if let Some(reception) = self.phone.as_ref().and_then(|it| it.reception.as_ref()) {
            stats.rtp_lost = u64::from(reception.lost());
            stats.jitter = reception.jitter();
        }
        stats
    }

    /// Says goodbye to the phone (RFC 3550 §6.3.7).
    pub fn close(&mut self, now: Instant) {
        self.report(now, true);
        // What the phone's end knew is still asked for afterwards.
        self.stats = self.stats();
        self.phone = None;
    }

    /// What to do next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`MediaPath::handle_timeout`].
    pub fn poll_timeout(&self) -> Instant {
        let phone_may_rest = self.to_phone.may_rest(self.agreed());
        let phone = self.phone_rest.next(&self.phone_pace, phone_may_rest);
        let ear_may_rest = self.to_browser.may_rest();
        let ear = self.ear_rest.next(&self.ear_pace, ear_may_rest);
        let frames = phone.into_iter().chain(ear);
        frames.fold(self.next_check, Instant::min)
    }

    /// Makes the frames that are due, and does what else is.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.phone_frames(now);
        self.ear_frames(now);
        if now >= self.next_check {
            self.next_check = now + Self::CHECK_EVERY;
            self.check(now);
        }
    }

    fn check(&mut self, now: Instant) {
        if now >= self.next_report {
            self.next_report = now + Self::REPORT_EVERY;
            self.to_phone.judge_leg(now);
            self.report(now, false);
        }
        if self.answered && self.quality.is_due(now) {
            self.judge(now);
        }
        self.check_silence(now);
    }

    fn judge(&mut self, now: Instant) {
        let Some(phone) = &self.phone else { return };
        let direction = phone.target.direction;
        let held = self.to_phone.held;
        let at = Circumstances {
            reception: phone.reception.as_ref(),
            from_phone: self.to_browser.stats(),
            from_browser: self.to_phone.stats(),
            codec: phone.target.codec,
            ear: self.options.ear.codec,
            hears: direction.receives() && !held,
            is_heard: direction.sends() && !held && !self.to_phone.muted,
        };
        self.quality.judge(now, at);
    }

    /// Makes the frame that a packet has just completed, if its moment is near: one waking for both, and no delay.
    fn phone_frame_at_once(&mut self, now: Instant) {
        let ms = self.phone_pace.step_ms();
        if let Some(moment) = self.phone_pace.near(now)
            && self.to_phone.completes(ms)
        {
            self.phone_frames(moment);
        }
    }

    /// The same for the ear.
    fn ear_frame_at_once(&mut self, now: Instant) {
        if let Some(moment) = self.ear_pace.near(now)
            && self.to_browser.completes()
        {
            self.ear_frames(moment);
        }
    }

    /// What the phone has agreed to, if anything.
    fn agreed(&self) -> Option<&MediaTarget> {
        self.phone.as_ref().map(|phone| &phone.target)
    }

    fn phone_frames(&mut self, now: Instant) {
        let ms = self.phone_pace.step_ms();
        let rests = self.to_phone.rests(now, self.agreed());
        let passed = self.phone_rest.set(now, rests, &mut self.phone_pace);
        self.to_phone.missed(passed, ms);
        if rests {
            return;
        }
        let due = self.phone_pace.due(now);
        self.to_phone.missed(due.missed, ms);
        for at in due.moments(self.phone_pace.step()) {
            let target = self.phone.as_ref().map(|phone| &phone.target);
            if let Some(packet) = self.to_phone.frame(at, ms, target) {
                self.send(packet);
            }
        }
        if let Some(spare_us) = self.to_phone.take_spare_us() {
            self.phone_pace.follow(spare_us);
        }
    }

    fn ear_frames(&mut self, now: Instant) {
        let rests = self.to_browser.rests(now);
        let passed = self.ear_rest.set(now, rests, &mut self.ear_pace);
        self.to_browser.missed(passed);
        if rests {
            return;
        }
        let due = self.ear_pace.due(now);
        self.stats.frames_missed += u64::from(due.missed);
        self.to_browser.missed(due.missed);
        for at in due.moments(self.ear_pace.step()) {
            if let Some(frame) = self.to_browser.frame(at) {
                self.let_hear(frame);
            }
            self.tell_keys();
        }
        if let Some(spare_us) = self.to_browser.take_spare_us() {
            self.ear_pace.follow(spare_us);
        }
    }

    /// What is pressed before the answer is part of how the network rings, and no answer to anybody.
    fn tell_keys(&mut self) {
        while let Some(key) = self.to_browser.keys.next() {
            if self.answered {
                self.stats.keys_heard += 1;
                self.outputs.push_back(Output::KeyHeard(key));
            }
        }
    }

    fn let_hear(&mut self, frame: EarFrame) {
        self.stats.browser_sent += 1;
        self.outputs.push_back(Output::Ear(frame));
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
        let extended = self.extended(now);
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
            extended,
            bye,
        };
        let plain = report.to_bytes(Self::CANONICAL_NAME);
        let bytes = phone.protection.protect_rtcp(plain);
        self.outputs
            .extend(bytes.map(|bytes| Output::Rtcp { to, bytes }));
    }

    /// What goes beyond a plain report (RFC 3611): only to a phone that has sent as much itself, since others may trip over it.
    fn extended(&self, now: Instant) -> Extended {
        let Some(phone) = self.phone.as_ref().filter(|phone| phone.speaks_extended) else {
            return Extended::default();
        };
        Extended {
            voice: phone
                .reception
                .iter()
                .map(|it| self.voice_metrics(it))
                .collect(),
            reference: None,
            since_reference: phone.answer_to_reference(now).into_iter().collect(),
        }
    }

    fn voice_metrics(&self, reception: &Reception) -> VoiceMetrics {
        let buffer = self.to_browser.stats();
        let rating = self.quality.rating_of_phone();
        let score = rating.map(|rating| (rating.opinion_score() * 10.0) as u8);
        VoiceMetrics {
            round_trip_ms: whole_ms(self.stats.round_trip.unwrap_or_default()),
            end_system_ms: whole_ms(buffer.delay() + self.ear_pace.step()),
            rating: rating.map(|rating| rating.value() as u8),
            conversation_score_tenths: score,
            configuration: VoiceMetrics::CONCEALED_AND_ADAPTIVE,
            buffer_ms: whole_ms(Duration::from_millis(buffer.target_ms)),
            buffer_ms_max: whole_ms(Self::BUFFER_MAX),
            buffer_ms_bound: whole_ms(Self::BUFFER_MAX),
            ..reception.voice_metrics(discarded(buffer))
        }
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

/// Whole milliseconds in the 16 bits that extended reports have for them.
fn whole_ms(duration: Duration) -> u16 {
    u16::try_from(duration.as_millis()).unwrap_or(u16::MAX)
}
