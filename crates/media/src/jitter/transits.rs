use std::collections::VecDeque;

/// The least transit of the last two seconds of packets.
///
/// A packet's transit is its arrival less its media time, in microseconds; only differences between transits mean anything.
#[derive(Clone, Debug, Default)]
pub(super) struct Transits {
    /// The least in each of the last spans, newest last, and when the span began.
    least: VecDeque<(i64, i64)>,
}

impl Transits {
    /// Four spans of half a second, so that a drift of the clocks is followed.
    const SPAN_US: i64 = 500_000;
    const SPANS: usize = 4;

    /// Takes a packet's transit; returns its delay relative to the quickest.
    pub(super) fn packet(&mut self, now_us: i64, transit_us: i64) -> i64 {
        match self.least.back_mut() {
            Some((begun, least)) if now_us - *begun < Self::SPAN_US => {
                *least = transit_us.min(*least)
            }
            _ => self.least.push_back((now_us, transit_us)),
        }
        if self.least.len() > Self::SPANS {
            self.least.pop_front();
        }
        transit_us - self.least().unwrap_or(transit_us)
    }

    /// The least of all; none before the first packet.
    pub(super) fn least(&self) -> Option<i64> {
        self.least.iter().map(|(_, transit)| *transit).min()
    }

    /// Forgets them all, because media time began anew.
    pub(super) fn clear(&mut self) {
        self.least.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delay_is_relative_to_the_quickest_of_two_seconds() {
        let mut transits = Transits::default();
        assert_eq!(transits.packet(0, 1_000), 0);
        assert_eq!(transits.packet(20_000, 900), 0);
        assert_eq!(transits.packet(1_900_000, 1_300), 400);
        for n in 0..5 {
            transits.packet(2_000_000 + n * 500_000, 1_200);
        }
        assert_eq!(transits.least(), Some(1_200));
        transits.clear();
        assert_eq!(transits.least(), None);
    }
}
