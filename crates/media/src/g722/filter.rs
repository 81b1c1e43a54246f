//! The pair of quadrature mirror filters that splits and joins the bands (G.722 §3.1, §4.4).

/// Every second coefficient of the filter (G.722 table 4), which is symmetrical: the others are these from behind.
const COEFFICIENTS: [i32; 12] = [3, -11, 12, 32, -210, 951, 3_876, -805, 362, -156, 53, -11];

/// One value a sample pair for as long as the filter is, oldest first.
type Taps = [i32; 12];

/// Splits sound at 16 kHz into two bands at 8 kHz.
#[derive(Clone, Debug, Default)]
pub(super) struct Split {
    first: Taps,
    second: Taps,
}

impl Split {
    /// Takes a pair of samples; gives one of the lower and one of the upper band.
    pub(super) fn pair(&mut self, [first, second]: [i16; 2]) -> (i32, i32) {
        push(&mut self.first, first.into());
        push(&mut self.second, second.into());
        let (forth, back) = (forwards(&self.first), backwards(&self.second));
        ((back + forth) >> 14, (back - forth) >> 14)
    }
}

/// Joins two bands at 8 kHz into sound at 16 kHz.
#[derive(Clone, Debug, Default)]
pub(super) struct Join {
    sums: Taps,
    differences: Taps,
}

impl Join {
    /// Takes one value of each band; gives a pair of samples.
    pub(super) fn pair(&mut self, low: i32, high: i32) -> [i16; 2] {
        push(&mut self.sums, low + high);
        push(&mut self.differences, low - high);
        [backwards(&self.differences), forwards(&self.sums)].map(|sum| saturated(sum >> 11))
    }
}

fn push(taps: &mut Taps, value: i32) {
    taps.copy_within(1.., 0);
    if let Some(latest) = taps.last_mut() {
        *latest = value;
    }
}

fn forwards(taps: &Taps) -> i32 {
    taps.iter()
        .zip(COEFFICIENTS)
        .map(|(tap, by)| tap * by)
        .sum()
}

fn backwards(taps: &Taps) -> i32 {
    let coefficients = COEFFICIENTS.iter().rev();
    taps.iter()
        .zip(coefficients)
        .map(|(tap, by)| tap * by)
        .sum()
}

fn saturated(value: i32) -> i16 {
    value.clamp(i16::MIN.into(), i16::MAX.into()) as i16
}
