use std::time::{Duration, Instant};

use housecall_media::jitter::JitterStats;
use housecall_media::quality::{
    Direction, Equipment, LegTotals, Loss, LossWindow, Rating, Second, rate,
};
use housecall_media::rtp::{Reception, ReportBlock, Stamp, VoiceMetrics};
use housecall_media::sdp::Codec;

/// How a call sounds in both directions, judged once a second from the answer on (ITU-T G.107).
///
/// What is heard comes over the phone's leg to us and the browser's leg from us; what is sent goes the other way. Of the legs that end with us
/// we know the losses ourselves, of the others from reports. A hold is not judged, nor what is sent while muted.
#[derive(Clone, Debug, Default)]
pub struct Quality {
    /// From the phone to the caller.
    pub heard: Direction,
    /// From the caller to the phone.
    pub sent: Direction,
    next: Option<Instant>,
    from_phone: Leg,
    from_browser: Leg,
    /// The browser's stream.
    ear: Option<Reception>,
    phone_says: Reported,
    browser_says: Reported,
}

/// What a second is judged by, besides the packets that were noted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Circumstances<'a> {
    /// Of the phone; none while nothing was received.
    pub(super) reception: Option<&'a Reception>,
    pub(super) from_phone: JitterStats,
    pub(super) from_browser: JitterStats,
    /// What the phone and the browser speak.
    pub(super) codec: Codec,
    pub(super) ear: Codec,
    /// Whether the caller should hear the phone.
    pub(super) hears: bool,
    /// Whether the phone should hear the caller.
    pub(super) is_heard: bool,
}

/// A leg that ends with us.
#[derive(Clone, Debug, Default)]
struct Leg {
    window: LossWindow,
    last: Option<(Instant, u16)>,
    /// Whether its sender has been known to pause: then silence is no loss.
    pauses: bool,
    /// Packets that should have come in the dark, when there are no numbers to tell.
    dark: u64,
}

/// What the far end of a leg reports.
#[derive(Clone, Copy, Debug, Default)]
struct Reported {
    loss: Option<(Instant, Loss)>,
    round_trip: Duration,
    /// What its jitter buffer and codec take, if it says so (RFC 3611 §4.7.3).
    end_system: Option<Duration>,
}

/// Packets in a second at the ptime that nearly everybody uses.
const PACKETS_PER_SECOND: u64 = 50;
/// Gathering a frame before it is sent.
const FRAMING: Duration = Duration::from_millis(20);
/// What a jitter buffer that we cannot ask takes: the usual 40 ms.
const BUFFER: Duration = Duration::from_millis(40);

impl Quality {
    const EVERY: Duration = Duration::from_secs(1);

    /// Notes a packet of the phone. `noise` says that it is comfort noise, after which silence is to be expected.
    pub(super) fn phone(&mut self, now: Instant, sequence: u16, noise: bool) {
        self.from_phone.packet(now, sequence);
        self.from_phone.pauses |= noise;
    }

    /// Notes a packet of the browser, whose codec has this clock.
    pub(super) fn ear(&mut self, now: Instant, clock_rate: u32, packet: Stamp) {
        self.from_browser.packet(now, packet.sequence);
        match &mut self.ear {
            Some(ear) if ear.ssrc() == packet.ssrc => ear.received(now, packet),
            _ => self.ear = Some(Reception::new(now, clock_rate, packet)),
        }
    }

    /// Notes what the phone's side says of what it hears.
    pub(super) fn phone_says(
        &mut self,
        now: Instant,
        block: &ReportBlock,
        round_trip: Option<Duration>,
    ) {
        self.phone_says.report(now, block.fraction_lost, round_trip);
    }

    /// Notes what the phone's side says of how it hears us.
    pub(super) fn phone_measures(&mut self, metrics: &VoiceMetrics) {
        self.phone_says.end_system = Some(Duration::from_millis(metrics.end_system_ms.into()));
    }

    /// Notes what the browser says of what it hears.
    pub(super) fn browser_says(
        &mut self,
        now: Instant,
        fraction_lost: u8,
        round_trip: Option<Duration>,
    ) {
        self.browser_says.report(now, fraction_lost, round_trip);
    }

    /// The whole way and back, as far as it was measured.
    pub fn round_trip(&self) -> Duration {
        self.phone_says.round_trip + self.browser_says.round_trip
    }

    /// Packets of the browser that never came.
    pub(super) fn ear_lost(&self) -> u64 {
        self.ear.as_ref().map_or(0, |ear| u64::from(ear.lost()))
    }

    /// Whether a second is over since the last judgement.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.next.is_none_or(|next| now >= next)
    }

    /// Judges the second that is over.
    pub(super) fn judge(&mut self, now: Instant, at: Circumstances<'_>) {
        // After a stall no second is judged twice.
        self.next = Some(now + Self::EVERY);
        let heard = self.heard_second(now, at);
        let sent = self.sent_second(now, at);
        self.heard.second(heard);
        self.sent.second(sent);
    }

    /// R of what we receive from the phone, for our reports to it.
    pub(super) fn rating_of_phone(&self) -> Option<Rating> {
        self.heard.verdict().map(|verdict| verdict.rating)
    }

    fn heard_second(&mut self, now: Instant, at: Circumstances<'_>) -> Option<Second> {
        let reception = at.reception?;
        let totals = reception.totals(discarded(at.from_phone));
        let loss = self.from_phone.second(now, totals, at.hears)?;
        let browser = (equipment(at.ear), self.browser_says.loss(now));
        let delay = self.delay(at.from_phone, self.browser_says);
        Some(Second {
            rating: rate(delay, &[(equipment(at.codec), loss), browser]),
            jitter: reception.jitter(),
        })
    }

    fn sent_second(&mut self, now: Instant, at: Circumstances<'_>) -> Option<Second> {
        let ear = self.ear.as_ref()?;
        let (totals, jitter) = (ear.totals(discarded(at.from_browser)), ear.jitter());
        let loss = self.from_browser.second(now, totals, at.is_heard)?;
        let phone = (equipment(at.codec), self.phone_says.loss(now));
        let delay = self.delay(at.from_browser, self.phone_says);
        Some(Second {
            rating: rate(delay, &[(equipment(at.ear), loss), phone]),
            jitter,
        })
    }

    /// From mouth to ear: half of each round trip, our jitter buffer, the listener's, and a frame gathered by the speaker and by us.
    fn delay(&self, ours: JitterStats, listener: Reported) -> Duration {
        self.round_trip() / 2 + ours.delay() + listener.end_system.unwrap_or(BUFFER) + 2 * FRAMING
    }
}

impl Leg {
    /// Silence of a sender who should speak, from which on it counts as loss.
    const DARK_AFTER: Duration = Duration::from_secs(2);

    fn packet(&mut self, now: Instant, sequence: u16) {
        if let Some((last, before)) = self.last {
            let paused = now.saturating_duration_since(last) >= Self::DARK_AFTER;
            // Nothing between was ever sent: whoever leaves out silence does so again.
            self.pauses |= paused && sequence == before.wrapping_add(1);
        }
        self.last = Some((now, sequence));
    }

    /// The loss of the last seconds; none if nothing was expected in this one.
    fn second(&mut self, now: Instant, mut totals: LegTotals, expected: bool) -> Option<Loss> {
        let silent = self
            .last
            .filter(|(last, _)| now.saturating_duration_since(*last) >= Self::DARK_AFTER);
        if expected && silent.is_some() && !self.pauses {
            self.dark += PACKETS_PER_SECOND;
        }
        totals.lost += self.dark;
        if !expected {
            self.window.restart(totals);
            self.last = self.last.map(|(_, sequence)| (now, sequence));
            return None;
        }
        Some(self.window.second(totals))
    }
}

impl Reported {
    /// A report older than two intervals says nothing any more (RFC 3550 §6.2).
    const STALE_AFTER: Duration = Duration::from_secs(12);

    fn report(&mut self, now: Instant, fraction_lost: u8, round_trip: Option<Duration>) {
        self.loss = Some((now, Loss::reported(fraction_lost)));
        self.round_trip = round_trip.unwrap_or(self.round_trip);
    }

    fn loss(&self, now: Instant) -> Loss {
        let fresh = self
            .loss
            .filter(|(at, _)| now.saturating_duration_since(*at) < Self::STALE_AFTER);
        fresh.map_or(Loss::NONE, |(_, loss)| loss)
    }
}

/// What came and was not played.
pub(super) fn discarded(stats: JitterStats) -> u64 {
    stats.late + stats.overflow
}

fn equipment(codec: Codec) -> Equipment {
    match codec {
        Codec::Opus => Equipment::OPUS,
        Codec::G722 => Equipment::G722,
        _ => Equipment::G711,
    }
}
