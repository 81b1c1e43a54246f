//! How things are timed: variants take turns, five times, and the median of each counts.

use std::time::Duration;

use rustix::time::{ClockId, Timespec, clock_gettime};

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
    let before = processor_time();
    work(count);
    processor_time().saturating_sub(before)
}

/// For how long this thread has run.
fn processor_time() -> Duration {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::ThreadCPUTime);
    let [seconds, nanos] = [tv_sec, tv_nsec].map(|part| u64::try_from(part).unwrap_or(0));
    Duration::from_secs(seconds) + Duration::from_nanos(nanos)
}
