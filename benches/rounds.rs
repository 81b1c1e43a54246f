//! How things are timed: variants take turns, five times, and the median of each counts.

use std::fs;
use std::time::{Duration, Instant};

/// Turns of each variant.
const ROUNDS: usize = 5;

/// Runs each variant once in every round, in order, so that a busy machine is busy for all of them. Returns the median time
/// of each for one of its `count` pieces of work, in nanoseconds.
pub(crate) fn medians<const N: usize>(
    count: u32,
    variants: &mut [&mut dyn FnMut(u32); N],
) -> [f64; N] {
    let mut times = [[0.0; ROUNDS]; N];
    for round in 0..ROUNDS {
        for (times, variant) in times.iter_mut().zip(variants.iter_mut()) {
            let took = time(count, *variant);
            if let Some(time) = times.get_mut(round) {
                *time = took.as_nanos() as f64 / f64::from(count);
            }
        }
    }
    times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times.get(ROUNDS / 2).copied().unwrap_or_default()
    })
}

/// Returns how much work to do: all of it under `cargo bench`, a hundredth where a test only wants to see that it runs.
pub(crate) fn scale(full: u32) -> u32 {
    if std::env::args().any(|argument| argument == "--bench") {
        full
    } else {
        println!("a short run, to see that it runs: its figures mean nothing");
        full / 100
    }
}

pub(crate) fn time(count: u32, work: &mut dyn FnMut(u32)) -> Duration {
    let before = Clock::now();
    work(count);
    before.until(Clock::now())
}

/// The time this thread has run, where the system says so, else the time that has passed.
enum Clock {
    Ran(Duration),
    Passed(Instant),
}

impl Clock {
    fn now() -> Self {
        let passed = Self::Passed(Instant::now());
        // Linux: nanoseconds on a processor come first. Current to the last tick, 4 ms at most.
        let ran = fs::read_to_string("/proc/thread-self/schedstat").ok();
        let ran = ran.and_then(|text| text.split(' ').next()?.parse().ok());
        ran.map_or(passed, |nanos| Self::Ran(Duration::from_nanos(nanos)))
    }

    fn until(self, later: Self) -> Duration {
        match (self, later) {
            (Self::Ran(from), Self::Ran(to)) => to.saturating_sub(from),
            (Self::Passed(from), Self::Passed(to)) => to.saturating_duration_since(from),
            _ => Duration::ZERO,
        }
    }
}
