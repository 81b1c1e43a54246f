//! How a call sounded, in words and as a picture (P5, C3).

use std::fmt::Write as _;

use housecall::record::{CallRecord, Class, Judged, Quality, Rating, Timeline};

/// Says how the sound was: the worse direction's class; of calls from before that was judged, by the share that never came.
pub(super) fn word(call: &CallRecord) -> &'static str {
    let Some(quality) = &call.quality else {
        return "–";
    };
    match quality.class() {
        Some(class) => class_word(class),
        None => word_by_loss(quality),
    }
}

/// A listener notices one packet in a hundred, and is troubled by one in twenty.
fn word_by_loss(heard: &Quality) -> &'static str {
    let all = heard.packets_received.saturating_add(heard.packets_lost);
    match heard.packets_lost.saturating_mul(1000).checked_div(all) {
        None => "Nothing heard",
        Some(0..=10) => "Good",
        Some(11..=50) => "Fair",
        Some(_) => "Poor",
    }
}

pub(super) fn class_word(class: Class) -> &'static str {
    match class {
        Class::Good => "Good",
        Class::Fair => "Fair",
        Class::Poor => "Poor",
    }
}

/// The class of a chip for a class of sound.
pub(super) fn chip(class: Class) -> &'static str {
    match class {
        Class::Good => "good",
        Class::Fair => "warn",
        Class::Poor => "bad",
    }
}

/// The numbers behind the word, a line for each direction; nothing for calls without them.
pub(super) fn numbers(call: &CallRecord) -> String {
    let Some(quality) = &call.quality else {
        return String::new();
    };
    let directions = [("You heard", &quality.heard), ("They heard", &quality.sent)];
    let judged = directions
        .into_iter()
        .filter_map(|(who, judged)| judged.as_ref().map(|judged| line(who, judged)));
    let round_trip = quality
        .round_trip_ms
        .map(|ms| format!("Round trip {ms} ms"));
    judged.chain(round_trip).collect::<Vec<_>>().join("\n")
}

fn line(who: &str, judged: &Judged) -> String {
    format!(
        "{who}: {} of 4.5 (worst minute {}), {} lost, {} made up, jitter {} ms",
        score(judged.rating),
        score(judged.worst_minute),
        percent(judged.lost_per_10k),
        percent(judged.concealed_per_10k),
        judged.jitter_ms
    )
}

/// The opinion that people would have of a rating, 1 to 4.5.
pub(super) fn score(rating: u8) -> String {
    format!("{:.1}", Rating::new(rating.into()).opinion_score())
}

/// `0.4 %`.
pub(super) fn percent(per_10k: u32) -> String {
    format!("{:.1} %", f64::from(per_10k) / 100.0)
}

/// The part of the judged time in each class: `98 % good, 2 % fair`. Numbers stay with their signs on a line.
pub(super) fn shares(judged: &Judged) -> String {
    let parts = [
        ("good", judged.good_s),
        ("fair", judged.fair_s),
        ("poor", judged.poor_s),
    ];
    let all: u32 = parts.iter().map(|(_, seconds)| seconds).sum();
    let part = |(word, seconds): (&str, u32)| {
        let percent = (f64::from(seconds) * 100.0 / f64::from(all.max(1))).round();
        format!("{percent}\u{a0}% {word}")
    };
    let there = parts.into_iter().filter(|(_, seconds)| *seconds > 0);
    there.map(part).collect::<Vec<_>>().join(", ")
}

/// The picture of a call: ratings over time, both directions. Lengths are units of the picture, 600 × 160.
pub(super) struct Picture {
    /// An SVG path of each direction.
    pub(super) heard: String,
    pub(super) sent: String,
    /// Where minutes are written: place and word.
    pub(super) ticks: Vec<(u32, String)>,
}

const WIDTH: u32 = 600;
const HEIGHT: u32 = 160;

impl Picture {
    /// Draws it; none if there are not two points to join.
    pub(super) fn of(quality: &Quality) -> Option<Self> {
        let timelines = [&quality.heard, &quality.sent]
            .map(|judged| judged.as_ref().map(|judged| &judged.timeline));
        let length = |timeline: &&Timeline| timeline.points().len();
        let points = timelines.iter().flatten().map(length).max()?;
        if points < 2 {
            return None;
        }
        let [heard, sent] = timelines.map(|it| it.map_or_else(String::new, |it| path(it, points)));
        Some(Self {
            heard,
            sent,
            ticks: ticks(points),
        })
    }
}

/// Joins the points, with gaps where nothing was judged.
fn path(timeline: &Timeline, points: usize) -> String {
    let mut path = String::new();
    let mut pen = 'M';
    for (n, rating) in timeline.points().enumerate() {
        let Some(rating) = rating else {
            pen = 'M';
            continue;
        };
        let y = f64::from(HEIGHT) * (1.0 - rating.value() / 100.0);
        // Writing to a string cannot fail.
        let _ = write!(path, "{pen}{} {y:.0}", x(n, points));
        pen = 'L';
    }
    path
}

fn x(point: usize, points: usize) -> u32 {
    let last = points.saturating_sub(1).max(1) as u64;
    u32::try_from(point as u64 * u64::from(WIDTH) / last).unwrap_or(WIDTH)
}

/// At most six, at whole minutes, or the beginning alone.
fn ticks(points: usize) -> Vec<(u32, String)> {
    let per_minute = 60 / usize::from(Timeline::STEP_SECONDS);
    let minutes = points / per_minute;
    let step = [1, 2, 5, 10, 15, 30, 60]
        .into_iter()
        .find(|step| minutes / step < 6)
        .unwrap_or(60);
    (0..=minutes)
        .step_by(step)
        .map(|minute| {
            (
                x(minute * per_minute, points).min(WIDTH),
                format!("{minute} min"),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(rating: u8, timeline: &[u8]) -> Judged {
        Judged {
            rating,
            worst_minute: 60,
            good_s: 97,
            fair_s: 2,
            poor_s: 1,
            lost_per_10k: 40,
            concealed_per_10k: 123,
            jitter_ms: 6,
            timeline: Timeline::of_bytes(timeline),
        }
    }

    #[test]
    fn numbers_are_read_at_a_glance() {
        let line = line("You heard", &judged(86, &[]));
        assert_eq!(
            line,
            "You heard: 4.2 of 4.5 (worst minute 3.1), 0.4 % lost, 1.2 % made up, jitter 6 ms"
        );
        assert_eq!(
            shares(&judged(86, &[])),
            "97\u{a0}% good, 2\u{a0}% fair, 1\u{a0}% poor"
        );
    }

    #[test]
    fn the_picture_has_gaps_where_nothing_was_judged() {
        let quality = Quality {
            heard: Some(judged(90, &[100, 50, 255, 0, 0])),
            sent: None,
            ..Quality::default()
        };
        let picture = Picture::of(&quality).unwrap();
        assert_eq!(picture.heard, "M0 0L150 80M450 160L600 160");
        assert_eq!((picture.sent.as_str(), picture.ticks.len()), ("", 1));
    }

    #[test]
    fn a_call_too_short_has_no_picture_and_four_hours_have_few_ticks() {
        let of = |points: usize| {
            Picture::of(&Quality {
                sent: Some(judged(90, &vec![90; points])),
                ..Quality::default()
            })
        };
        assert!(of(0).is_none() && of(1).is_none());
        let ticks = of(2_880).unwrap().ticks;
        assert!(
            ticks.len() <= 6 && ticks.iter().all(|(x, _)| *x <= WIDTH),
            "{ticks:?}"
        );
        assert_eq!(
            of(25).unwrap().ticks.last(),
            Some(&(600, "2 min".to_owned()))
        );
    }
}
