//! How a call sounds, as it is shown and kept.

use std::time::Duration;

use housecall_bridge::{self as bridge, MediaStats};
use housecall_media::jitter::JitterStats;
use housecall_media::quality::Direction;

use crate::record::{Class, Judged, Quality};

/// Returns how both directions sound now, heard and sent.
pub(super) fn now(quality: &bridge::Quality) -> (Option<Class>, Option<Class>) {
    let class = |direction: &Direction| direction.verdict().map(|verdict| verdict.class);
    (class(&quality.heard), class(&quality.sent))
}

/// Returns what is kept of a call that is over.
pub(super) fn of(quality: &bridge::Quality, stats: &MediaStats) -> Quality {
    let round_trip = quality.round_trip();
    Quality {
        packets_received: stats.from_phone.received,
        packets_lost: stats.rtp_lost,
        jitter_ms: whole_ms(stats.jitter),
        round_trip_ms: (round_trip > Duration::ZERO).then(|| whole_ms(round_trip)),
        heard: judged(&quality.heard, stats.from_phone, stats.rtp_lost),
        sent: judged(
            &quality.sent,
            stats.from_browser,
            stats.ear_lost.saturating_add(stats.reported_lost),
        ),
    }
}

fn judged(direction: &Direction, came: JitterStats, lost: u64) -> Option<Judged> {
    let summary = direction.summary()?;
    let [poor_s, fair_s, good_s] = summary.seconds;
    Some(Judged {
        rating: summary.rating.whole(),
        worst_minute: summary.worst_minute.whole(),
        good_s,
        fair_s,
        poor_s,
        lost_per_10k: per_10k(lost, came.received),
        concealed_per_10k: per_10k(came.concealed, came.played),
        jitter_ms: whole_ms(summary.jitter),
        timeline: direction.timeline().clone(),
    })
}

/// A part beside the rest, of 10 000 of both.
fn per_10k(part: u64, rest: u64) -> u32 {
    let whole = part.saturating_add(rest).max(1);
    u32::try_from(part.saturating_mul(10_000) / whole).unwrap_or(10_000)
}

fn whole_ms(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
