use std::collections::VecDeque;

/// How much faster the sender's clock is than ours, from the least transit of each second in the last thirty.
///
/// The quickest packet of a second hardly waited anywhere, so that these transits move with the clocks alone; a line is laid through them
/// by least squares.
#[derive(Clone, Debug, Default)]
pub(super) struct Drift {
    /// When a second began, and the least transit in it, in microseconds; newest last.
    least: VecDeque<(i64, i64)>,
    ppm: i32,
}

impl Drift {
    const SPAN_US: i64 = 1_000_000;
    const SPANS: usize = 30;
    /// Seconds after which something is said.
    const SPANS_MIN: usize = 20;
    /// A step from one second to the next that no clock makes: the way changed.
    const STEP_US: i64 = 50_000;
    /// No crystal is further off.
    const PPM_MAX: f64 = 5_000.0;

    /// Takes a packet's transit.
    pub(super) fn packet(&mut self, now_us: i64, transit_us: i64) {
        match self.least.back_mut() {
            Some((begun, least)) if now_us - *begun < Self::SPAN_US => {
                *least = transit_us.min(*least)
            }
            Some(_) => self.next(now_us, transit_us),
            None => self.least.push_back((now_us, transit_us)),
        }
    }

    /// Parts of a million; positive if the sender's clock is the faster one.
    pub(super) fn ppm(&self) -> i32 {
        self.ppm
    }

    /// Forgets the transits, because media time began anew, but not the clocks.
    pub(super) fn clear(&mut self) {
        self.least.clear();
    }

    fn next(&mut self, now_us: i64, transit_us: i64) {
        let mut newest = self.least.iter().rev().map(|(_, least)| *least);
        let step = newest
            .next()
            .zip(newest.next())
            .map_or(0, |(new, old)| new - old);
        if step.abs() > Self::STEP_US {
            let newest = self.least.pop_back();
            self.least.clear();
            self.least.extend(newest);
        }
        if self.least.len() >= Self::SPANS_MIN {
            self.ppm = self.slope_ppm();
        }
        if self.least.len() >= Self::SPANS {
            self.least.pop_front();
        }
        self.least.push_back((now_us, transit_us));
    }

    fn slope_ppm(&self) -> i32 {
        let Some((first_at, first)) = self.least.front().copied() else {
            return 0;
        };
        let points = self.least.iter();
        let points: Vec<Point> = points
            .map(|(at, least)| ((at - first_at) as f64, (least - first) as f64))
            .collect();
        let line = Line::through(&points);
        // A second in which every packet waited somewhere tells nothing of the clocks: the lower half is the envelope.
        let envelope: Vec<Point> = points
            .into_iter()
            .filter(|point| line.above(*point) <= 0.0)
            .collect();
        // A faster sender's packets seem to come sooner and sooner.
        let ppm = -Line::through(&envelope).slope * 1e6;
        ppm.clamp(-Self::PPM_MAX, Self::PPM_MAX).round() as i32
    }
}

type Point = (f64, f64);

/// A straight line.
#[derive(Clone, Copy, Debug)]
struct Line {
    slope: f64,
    start: f64,
}

impl Line {
    /// The line with the least squares of distances.
    fn through(points: &[Point]) -> Self {
        let count = (points.len() as f64).max(1.0);
        let (mut x, mut y, mut xx, mut xy) = (0.0, 0.0, 0.0, 0.0);
        for (at, least) in points {
            (x, y, xx, xy) = (x + at, y + least, xx + at * at, xy + at * least);
        }
        let slope = (count * xy - x * y) / (count * xx - x * x).max(1.0);
        let start = (y - slope * x) / count;
        Self { slope, start }
    }

    /// How far a point is above it.
    fn above(&self, (at, least): Point) -> f64 {
        least - self.start - self.slope * at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Minutes of packets every 20 ms whose media time runs faster by `ppm`, delayed by up to `jitter_us`.
    fn heard(ppm: i64, jitter_us: i64, steps_us: impl Fn(i64) -> i64) -> i32 {
        let (mut drift, mut random) = (Drift::default(), 12_345_i64);
        for n in 0..3_000 {
            random = random * 1_103_515_245 % 2_147_483_648 + 12_345;
            let now_us = n * 20_000;
            let jitter = random / 65_536 % (jitter_us + 1);
            drift.packet(now_us, jitter - now_us * ppm / 1_000_000 + steps_us(now_us));
        }
        drift.ppm()
    }

    #[test]
    fn clocks_that_drift_are_found_out_through_jitter() {
        for ppm in [-300, -50, 0, 50, 300] {
            let clear = heard(ppm, 0, |_| 0);
            assert!((i64::from(clear) - ppm).abs() <= 3, "{clear} for {ppm}");
            let rough = heard(ppm, 30_000, |_| 0);
            assert!((i64::from(rough) - ppm).abs() <= 60, "{rough} for {ppm}");
        }
    }

    #[test]
    fn another_way_through_the_network_is_no_drift() {
        let ppm = heard(
            100,
            5_000,
            |now_us| if now_us > 40_000_000 { 60_000 } else { 0 },
        );
        assert!((ppm - 100).abs() <= 60, "{ppm}");
    }
}
