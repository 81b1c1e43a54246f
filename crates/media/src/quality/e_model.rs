use std::time::Duration;

use super::Loss;

/// The transmission rating of a connection, 0 (nobody could talk over it) to 93.2 (ISDN): the R of ITU-T G.107.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Rating(f64);

/// What a codec costs, and how well it bears loss (G.107 §7.5; values of G.113 appendix I).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Equipment {
    /// The impairment without loss, Ie.
    pub impairment: f64,
    /// The robustness against loss, Bpl.
    pub robustness: f64,
}

/// R without delay and with perfect equipment: Ro − Is of G.107 §7.2 and §7.3 with the default values of its table 2.
const UNIMPAIRED: f64 = 93.2;
/// Ro with the same defaults (§7.2): signal to noise at the 0 dBr point.
const SIGNAL_TO_NOISE: f64 = 94.77;
/// No (§7.2, equation 7-3) with the same defaults: the sum of all noise, in dBm0p.
const NOISE_DBM0P: f64 = -61.18;
/// The other defaults of table 2 that the delay has to do with: receive loudness, echo of one's own voice, echo of the other's, in dB.
const RECEIVE_LOUDNESS_DB: f64 = 2.0;
const TALKER_ECHO_LOUDNESS_DB: f64 = 65.0;
const WEIGHTED_ECHO_LOSS_DB: f64 = 110.0;

impl Rating {
    /// The best rating that a narrow-band connection can have.
    pub const MAX: Self = Self(UNIMPAIRED);

    /// Makes a rating of an R value, limited to the scale.
    pub fn new(r: f64) -> Self {
        Self(if r.is_nan() { 0.0 } else { r.clamp(0.0, 100.0) })
    }

    /// R.
    pub fn value(self) -> f64 {
        self.0
    }

    /// R, rounded.
    pub fn whole(self) -> u8 {
        self.0.round() as u8
    }

    /// The mean opinion score that people would give (MOS-CQE), 1 (bad) to 4.5 (excellent): G.107 annex B, equation B-4.
    pub fn opinion_score(self) -> f64 {
        let r = self.0;
        // Below 6.5 the polynomial dips under 1; the scale does not.
        (1.0 + 0.035 * r + 7e-6 * r * (r - 60.0) * (100.0 - r)).clamp(1.0, 4.5)
    }
}

impl Equipment {
    /// G.711 whose losses are bridged as in its appendix I (G.113 table I.1 and I.4).
    pub const G711: Self = Self {
        impairment: 0.0,
        robustness: 25.1,
    };
    /// G.711 whose losses are silence.
    pub const G711_UNCONCEALED: Self = Self {
        impairment: 0.0,
        robustness: 4.3,
    };
    /// G.722 at 64 kbit/s on the narrow-band scale, where nothing can be better than G.711.
    ///
    /// Its impairment of 13 counts on the wide-band scale (G.107.1), which ends at 129. Its concealment is of the same kind as G.711's.
    pub const G722: Self = Self::G711;
    /// Opus for speech at 16 kbit/s and more. A decision of ours, since no Recommendation gives it values: the impairment of the best codecs
    /// of its kind in G.113 (GSM-EFR, 5), and with in-band redundancy nearly the robustness of concealed G.711.
    pub const OPUS: Self = Self {
        impairment: 5.0,
        robustness: 20.0,
    };

    /// The impairment under loss, Ie-eff (G.107 §7.5, equation 7-29).
    pub fn impaired_by(self, loss: Loss) -> f64 {
        let percent = 100.0 * loss.part();
        if percent == 0.0 {
            return self.impairment;
        }
        let of_loss = percent / (percent / loss.burst_ratio() + self.robustness);
        self.impairment + (95.0 - self.impairment) * of_loss
    }
}

/// Rates a connection by the delay from mouth to ear and by its legs (G.107 §7.1, equation 7-1, with no advantage to be expected).
pub fn rate(delay: Duration, legs: &[(Equipment, Loss)]) -> Rating {
    let equipment: f64 = legs
        .iter()
        .map(|(equipment, loss)| equipment.impaired_by(*loss))
        .sum();
    Rating::new(UNIMPAIRED - delay_impairment(delay) - equipment)
}

/// Id (§7.4, equation 7-18), less what it is without delay, since 93.2 has that in it.
fn delay_impairment(delay: Duration) -> f64 {
    let ms = delay.as_secs_f64() * 1_000.0;
    talker_echo(ms) + listener_echo(ms) - listener_echo(0.0) + absolute_delay(ms)
}

/// Idte (§7.4, equations 7-19 to 7-23): one's own voice, coming back.
fn talker_echo(ms: f64) -> f64 {
    let after_delay = 40.0 * ((1.0 + ms / 10.0) / (1.0 + ms / 150.0)).log10();
    let echo_rating = TALKER_ECHO_LOUDNESS_DB - after_delay + 6.0 * (-0.3 * ms * ms).exp();
    let with_echo = 80.0 + 2.5 * (echo_rating - 14.0);
    let without = -1.5 * (NOISE_DBM0P - RECEIVE_LOUDNESS_DB);
    let half = (without - with_echo) / 2.0;
    (half + (half * half + 100.0).sqrt() - 1.0) * (1.0 - (-ms).exp())
}

/// Idle (§7.4, equations 7-24 and 7-25): the other's voice, heard twice.
fn listener_echo(ms: f64) -> f64 {
    let round_trip = 2.0 * ms;
    let with_echo = 10.5 * (WEIGHTED_ECHO_LOSS_DB + 7.0) * (round_trip + 1.0).powf(-0.25);
    let half = (SIGNAL_TO_NOISE - with_echo) / 2.0;
    half + (half * half + 169.0).sqrt()
}

/// Idd (§7.4, equations 7-27 and 7-28): two people who begin to talk at once. Nothing up to 100 ms.
fn absolute_delay(ms: f64) -> f64 {
    if ms <= 100.0 {
        return 0.0;
    }
    let x = (ms / 100.0).log2();
    let sixth = |y: f64| (1.0 + y.powi(6)).powf(1.0 / 6.0);
    25.0 * (sixth(x) - 3.0 * sixth(x / 3.0) + 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(value: f64, expected: f64, within: f64) {
        assert!(
            (value - expected).abs() <= within,
            "{value}, not {expected}"
        );
    }

    fn after(ms: u64) -> f64 {
        rate(Duration::from_millis(ms), &[]).value()
    }

    fn lossy(equipment: Equipment, percent: f64, burst_ratio: f64) -> f64 {
        let loss = Loss::new(percent / 100.0, burst_ratio);
        rate(Duration::ZERO, &[(equipment, loss)]).value()
    }

    /// G.107 annex B and the bounds of the classes of user satisfaction in G.109 table 1.
    #[test]
    fn ratings_become_the_published_opinion_scores() {
        for (r, score) in [
            (93.2, 4.41),
            (90.0, 4.34),
            (80.0, 4.03),
            (70.0, 3.60),
            (60.0, 3.10),
            (50.0, 2.58),
        ] {
            near(Rating::new(r).opinion_score(), score, 0.01);
        }
        assert_eq!(Rating::new(0.0).opinion_score(), 1.0);
        assert_eq!(Rating::new(100.0).opinion_score(), 4.5);
        assert_eq!(Rating::new(f64::NAN).opinion_score(), 1.0);
        assert_eq!(rate(Duration::ZERO, &[]), Rating::MAX);
    }

    /// G.107 equation 7-29 with G.113's 25.1 and 4.3.
    #[test]
    fn loss_costs_g711_what_g113_says_with_and_without_concealment() {
        for (percent, concealed, unconcealed) in [
            (0.0, 93.20, 93.20),
            (1.0, 89.56, 75.28),
            (3.0, 83.06, 54.16),
            (5.0, 77.42, 42.12),
        ] {
            near(lossy(Equipment::G711, percent, 1.0), concealed, 0.01);
            near(
                lossy(Equipment::G711_UNCONCEALED, percent, 1.0),
                unconcealed,
                0.01,
            );
        }
        near(lossy(Equipment::OPUS, 0.0, 1.0), 88.2, 0.001);
        assert!(lossy(Equipment::OPUS, 20.0, 1.0) < 50.0);
    }

    /// G.107 §7.5: the same loss in bursts is worse, and 5 % in bursts twice as long as chance makes them cost 17.21.
    #[test]
    fn bursts_are_worse_than_chance() {
        near(lossy(Equipment::G711, 5.0, 2.0), 93.2 - 17.21, 0.01);
        assert!(lossy(Equipment::G711, 5.0, 8.0) < lossy(Equipment::G711, 5.0, 2.0));
    }

    /// G.114: hardly anything up to 150 ms; 400 ms is the limit of planning. The known straight-line fit of the same equations,
    /// 0.024 d + 0.11 (d − 177.3) above 177.3 ms, is met within half a point up to 300 ms.
    #[test]
    fn delay_is_felt_from_150_ms_and_hurts_at_400() {
        for (ms, r) in [
            (50, 92.0),
            (100, 90.8),
            (150, 89.6),
            (200, 85.9),
            (250, 79.2),
            (300, 72.5),
        ] {
            near(after(ms), r, 0.5);
        }
        near(after(400), 62.2, 0.1);
        let falling = (0..100).map(|step| after(step * 20));
        assert!(falling.clone().zip(falling.skip(1)).all(|(a, b)| b < a));
        assert!(after(100_000) >= 0.0);
    }

    /// G.107 §7.1: impairments are additive on the scale.
    #[test]
    fn two_legs_cost_what_each_costs() {
        let loss = Loss::new(0.02, 1.0);
        let cost = |legs: &[_]| 93.2 - rate(Duration::ZERO, legs).value();
        let (phone, browser) = ((Equipment::G711, loss), (Equipment::OPUS, loss));
        near(
            cost(&[phone, browser]),
            cost(&[phone]) + cost(&[browser]),
            1e-9,
        );
    }
}
