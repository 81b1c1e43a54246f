//! The predictor that both bands use alike: two poles and six zeros, learned from what was decoded (G.722 §3.6, blocks 4L and 4H).

/// Predicts the next sample of a band.
#[derive(Clone, Debug, Default)]
pub(super) struct Predictor {
    /// The last two reconstructed signals (RLT1, RLT2).
    reconstructed: [i32; 2],
    /// The last two partially reconstructed signals (PLT1, PLT2).
    partial: [i32; 2],
    /// The coefficients of the poles (AL1, AL2).
    poles: [i32; 2],
    /// The last six differences (DLT1 to DLT6), newest first.
    differences: [i32; 6],
    /// The coefficients of the zeros (BL1 to BL6).
    zeros: [i32; 6],
    /// What the zeros predict (SZL).
    from_zeros: i32,
    /// The prediction (SL).
    signal: i32,
}

impl Predictor {
    /// The prediction for the next sample.
    pub(super) fn signal(&self) -> i32 {
        self.signal
    }

    /// Learns how far the prediction was off.
    pub(super) fn update(&mut self, difference: i32) {
        let reconstructed = saturated(self.signal + difference);
        let partial = saturated(self.from_zeros + difference);
        self.poles = self.next_poles(partial);
        self.zeros = self.next_zeros(difference);

        let [last_difference, ref older @ .., _] = self.differences;
        let [a, b, c, d] = *older;
        self.differences = [difference, last_difference, a, b, c, d];
        self.reconstructed = [reconstructed, self.reconstructed[0]];
        self.partial = [partial, self.partial[0]];

        self.from_zeros = self.filtered_by_zeros();
        self.signal = saturated(self.filtered_by_poles() + self.from_zeros);
    }

    /// UPPOL2 and UPPOL1: the signs of what was off now and before pull the poles, within the circle in which they are stable.
    fn next_poles(&self, partial: i32) -> [i32; 2] {
        let [first, second] = self.poles;
        let agrees = |before: i32| (before < 0) == (partial < 0);
        let [before, before_that] = self.partial;

        let pull = saturated(first << 2);
        let pull = if agrees(before) {
            (-pull).min(32_767)
        } else {
            pull
        };
        let push = if agrees(before_that) { 128 } else { -128 };
        let next_second = (push + (pull >> 7) + product(second, 32_512)).clamp(-12_288, 12_288);

        let pull = if agrees(before) { 192 } else { -192 };
        let bound = saturated(15_360 - next_second);
        let next_first = saturated(pull + product(first, 32_640)).clamp(-bound, bound);
        [next_first, next_second]
    }

    /// UPZERO: each zero is pulled by whether its difference had the sign of the new one.
    fn next_zeros(&self, difference: i32) -> [i32; 6] {
        let pull = if difference == 0 { 0 } else { 128 };
        let mut zeros = self.zeros;
        for (zero, before) in zeros.iter_mut().zip(self.differences) {
            let agrees = (before < 0) == (difference < 0);
            *zero = saturated(product(*zero, 32_640) + if agrees { pull } else { -pull });
        }
        zeros
    }

    /// FILTEP.
    fn filtered_by_poles(&self) -> i32 {
        let pairs = self.poles.iter().zip(self.reconstructed);
        saturated(
            pairs
                .map(|(pole, signal)| product(*pole, saturated(2 * signal)))
                .sum(),
        )
    }

    /// FILTEZ. The Recommendation saturates after each addition, the oldest first; where no order of them could reach that, a plain sum is the
    /// same and is done at once.
    fn filtered_by_zeros(&self) -> i32 {
        let mut products = [0; 6];
        for ((place, zero), difference) in products.iter_mut().zip(self.zeros).zip(self.differences)
        {
            *place = product(zero, saturated(2 * difference));
        }
        if products.iter().map(|product| product.abs()).sum::<i32>() <= 32_767 {
            return products.iter().sum();
        }
        products
            .iter()
            .rev()
            .fold(0, |sum, product| saturated(sum + product))
    }
}

/// The product of two numbers of 16 bits, of which 32 768 stands for one.
pub(super) fn product(a: i32, b: i32) -> i32 {
    (a * b) >> 15
}

pub(super) fn saturated(value: i32) -> i32 {
    value.clamp(i16::MIN.into(), i16::MAX.into())
}
