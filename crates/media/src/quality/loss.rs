use std::collections::VecDeque;

/// How much of the sound was lost, and whether in bursts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Loss {
    part: f64,
    burst_ratio: f64,
}

/// What has become of a leg's packets since its stream began.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct LegTotals {
    /// Packets that came.
    pub received: u64,
    /// Packets that never came, by their numbers. May fall when one comes after all.
    pub lost: u64,
    /// Gaps in the numbers: losses in a row are one.
    pub gaps: u64,
    /// Packets that came too late to be played, or found no room.
    pub discarded: u64,
}

/// The loss of a leg over the last seconds, out of totals that are noted once a second.
///
/// One packet of one second would be 2 %; over five it is 0.4 %, and a second without sound is 20 %.
#[derive(Clone, Debug, Default)]
pub struct LossWindow {
    /// Newest last.
    noted: VecDeque<LegTotals>,
}

impl Loss {
    /// No loss.
    pub const NONE: Self = Self {
        part: 0.0,
        burst_ratio: 1.0,
    };
    /// G.107 table 2: beyond this the model is not defined.
    const BURST_RATIO_MAX: f64 = 8.0;

    /// Makes a loss of a part, 0 to 1, and a burst ratio: how long bursts are, relative to those that chance makes (G.107 §7.5). 1 is chance.
    pub fn new(part: f64, burst_ratio: f64) -> Self {
        let limited = |value: f64, low: f64, high: f64| {
            if value.is_nan() {
                low
            } else {
                value.clamp(low, high)
            }
        };
        Self {
            part: limited(part, 0.0, 1.0),
            burst_ratio: limited(burst_ratio, 1.0, Self::BURST_RATIO_MAX),
        }
    }

    /// What a far end reports: `fraction_lost` of 256 (RFC 3550 §6.4.1), of whose distribution nothing is known.
    pub fn reported(fraction_lost: u8) -> Self {
        Self::new(f64::from(fraction_lost) / 256.0, 1.0)
    }

    /// The part lost, 0 to 1.
    pub fn part(self) -> f64 {
        self.part
    }

    /// How long bursts are, relative to chance; 1 to 8.
    pub fn burst_ratio(self) -> f64 {
        self.burst_ratio
    }
}

impl LegTotals {
    /// What happened since `before`. A stream that began anew has no before.
    fn since(self, before: Self) -> Self {
        if self.received < before.received {
            return self;
        }
        Self {
            received: self.received - before.received,
            lost: self.lost.saturating_sub(before.lost),
            gaps: self.gaps.saturating_sub(before.gaps),
            discarded: self.discarded.saturating_sub(before.discarded),
        }
    }

    /// A packet that came too late is lost to the ear like one that never came. How long gaps are relative to chance is the mean length of a
    /// gap times the part that was not lost: G.107 §7.5 for a chain of two states.
    fn loss(self) -> Loss {
        let expected = self.received.saturating_add(self.lost);
        if expected == 0 {
            return Loss::NONE;
        }
        let part_of = |packets: u64| packets as f64 / expected as f64;
        let gap = self.lost as f64 / self.gaps.max(1) as f64;
        Loss::new(
            part_of(self.lost.saturating_add(self.discarded)),
            gap * (1.0 - part_of(self.lost)),
        )
    }
}

impl LossWindow {
    /// Seconds that are looked back on.
    pub const SECONDS: usize = 5;

    /// Notes a leg's totals at the end of a second; returns the loss of the last seconds.
    pub fn second(&mut self, totals: LegTotals) -> Loss {
        self.noted.push_back(totals);
        if self.noted.len() > Self::SECONDS + 1 {
            self.noted.pop_front();
        }
        let first = self.noted.front().copied().unwrap_or_default();
        totals.since(first).loss()
    }

    /// Forgets what was, as after a hold: the gap in between is nobody's loss. `totals` is where it begins anew.
    pub fn restart(&mut self, totals: LegTotals) {
        self.noted.clear();
        self.noted.push_back(totals);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds a pattern of packets (true is received) of 50 a second; returns the loss after each second.
    fn window(packets: impl Iterator<Item = bool>) -> Vec<Loss> {
        let (mut window, mut totals, mut last) =
            (LossWindow::default(), LegTotals::default(), true);
        window.restart(totals);
        let mut losses = Vec::new();
        for (n, came) in packets.enumerate() {
            totals.received += u64::from(came);
            totals.lost += u64::from(!came);
            totals.gaps += u64::from(last && !came);
            last = came;
            if n % 50 == 49 {
                losses.push(window.second(totals));
            }
        }
        losses
    }

    #[test]
    fn one_packet_in_five_seconds_is_little_and_is_forgotten() {
        let losses = window((0..600).map(|n| n != 120));
        assert_eq!(losses[1], Loss::NONE);
        assert_eq!(losses[5].part(), 1.0 / 250.0);
        assert_eq!(losses[9], Loss::NONE);
    }

    /// G.107 §7.5: chance has a burst ratio of 1, whatever the loss; groups of four are about four times as long.
    #[test]
    fn bursts_are_told_from_chance() {
        let mut seed = 11_u64;
        let mut chance = move || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            !(seed >> 33).is_multiple_of(10)
        };
        let random: Vec<Loss> = window((0..50_000).map(|_| chance()));
        let mean = |of: fn(Loss) -> f64| {
            random.iter().map(|loss| of(*loss)).sum::<f64>() / random.len() as f64
        };
        assert!(
            (mean(Loss::part) - 0.1).abs() < 0.01,
            "{}",
            mean(Loss::part)
        );
        assert!(
            (mean(Loss::burst_ratio) - 1.0).abs() < 0.1,
            "{}",
            mean(Loss::burst_ratio)
        );
        let grouped = window((0..5_000).map(|n| n % 40 >= 4));
        assert!(
            grouped[20..]
                .iter()
                .all(|loss| (loss.burst_ratio() - 3.6).abs() < 0.2)
        );
    }

    #[test]
    fn late_packets_are_lost_and_nonsense_is_bounded() {
        let late = LegTotals {
            received: 100,
            discarded: 10,
            ..LegTotals::default()
        };
        assert_eq!(late.loss(), Loss::new(0.1, 1.0));
        let absurd = LegTotals {
            received: 1,
            lost: u64::MAX,
            gaps: 0,
            discarded: u64::MAX,
        };
        assert_eq!(
            (absurd.loss().part(), LegTotals::default().loss()),
            (1.0, Loss::NONE)
        );
        assert_eq!(Loss::new(f64::NAN, f64::INFINITY).burst_ratio(), 8.0);
        assert_eq!(Loss::reported(64).part(), 0.25);
    }

    #[test]
    fn a_stream_that_begins_anew_is_not_compared_with_the_one_before() {
        let mut window = LossWindow::default();
        window.second(LegTotals {
            received: 1_000,
            lost: 100,
            gaps: 90,
            discarded: 0,
        });
        assert_eq!(
            window.second(LegTotals {
                received: 50,
                ..LegTotals::default()
            }),
            Loss::NONE
        );
    }
}
