use std::time::Duration;

/// How good a call sounds, 1 (bad) to 4.5 (excellent): the mean opinion score of the E-model (ITU-T G.107) for G.711 with concealment.
///
/// `lost` is the part of the sound that was made up, 0 to 1; `delay` is from mouth to ear.
pub fn opinion_score(lost: f64, delay: Duration) -> f64 {
    let d = delay.as_secs_f64() * 1_000.0;
    let delay_impairment = 0.024 * d + if d > 177.3 { 0.11 * (d - 177.3) } else { 0.0 };
    // G.113 appendix I: G.711 has no impairment of its own, and a robustness of 25.1 with concealment.
    let percent = (lost * 100.0).clamp(0.0, 100.0);
    let loss_impairment = 95.0 * percent / (percent + 25.1);
    let r = (93.2 - delay_impairment - loss_impairment).clamp(0.0, 100.0);
    (1.0 + 0.035 * r + 7e-6 * r * (r - 60.0) * (100.0 - r)).clamp(1.0, 4.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values of G.107 annex B: R 93.2 is 4.41, R 70 is 3.6, R 50 is 2.6.
    #[test]
    fn a_clean_call_is_as_good_as_the_model_allows_and_loss_makes_it_worse() {
        let score = |lost, ms| opinion_score(lost, Duration::from_millis(ms));
        assert!((score(0.0, 0) - 4.41).abs() < 0.01, "{}", score(0.0, 0));
        assert!(score(0.0, 100) > 4.3 && score(0.0, 400) < 3.7);
        assert!(score(0.05, 100) < 4.0 && score(0.2, 100) < 2.7);
        assert!(score(1.0, 1_000) >= 1.0);
    }
}
