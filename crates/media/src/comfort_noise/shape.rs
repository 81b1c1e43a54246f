/// Level and colour of a noise.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct NoiseShape {
    /// Root mean square, in sample steps.
    pub rms: f32,
    /// Reflection coefficients of the all-pole filter that colours white noise, -1 to 1, without the ends; all zero is white.
    pub reflection: [f32; Self::ORDER],
}

impl NoiseShape {
    /// Reflection coefficients that are kept; more than a background needs.
    pub const ORDER: usize = 8;
    /// A reflection of 1 would ring for ever.
    const REFLECTION_MAX: f32 = 0.98;

    /// White noise of a level in decibels relative to an overload of 16 bits (a square wave at full scale).
    pub fn white(dbov: f32) -> Self {
        Self {
            rms: rms_of(dbov),
            ..Self::default()
        }
    }

    /// Reads the payload of a comfort noise packet; none if it is empty (RFC 3389 §3).
    ///
    /// Coefficients beyond [`NoiseShape::ORDER`] are left out, which the lattice form allows.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let (level, coefficients) = payload.split_first()?;
        let mut shape = Self::white(-f32::from(level & 0x7f));
        for (place, byte) in shape.reflection.iter_mut().zip(coefficients) {
            // RFC 3389 §3.2: 127 is zero, in steps of 258/32768.
            let reflection = (f32::from(*byte) - 127.0) * 258.0 / 32_768.0;
            *place = reflection.clamp(-Self::REFLECTION_MAX, Self::REFLECTION_MAX);
        }
        Some(shape)
    }

    /// The shape whose spectrum has this autocorrelation, by Levinson's and Durbin's recursion.
    pub(super) fn of_correlation(rms: f32, correlation: &[f32; Self::ORDER + 1]) -> Self {
        let mut shape = Self {
            rms,
            ..Self::default()
        };
        let mut predictor: Vec<f32> = Vec::with_capacity(Self::ORDER);
        // A hundred-thousandth of white noise keeps the recursion well-conditioned.
        let mut error = correlation.first().copied().unwrap_or_default() * 1.000_01 + 1e-3;
        for (order, place) in shape.reflection.iter_mut().enumerate() {
            let reflection = reflection_of(order, error, correlation, &predictor);
            *place = reflection.clamp(-Self::REFLECTION_MAX, Self::REFLECTION_MAX);
            raise(&mut predictor, *place);
            error *= 1.0 - *place * *place;
        }
        shape
    }

    /// What white noise has to be multiplied by so that the filter gives it the level of this shape.
    pub(super) fn excitation(&self) -> f32 {
        let left: f32 = self.reflection.iter().map(|k| 1.0 - k * k).product();
        self.rms * left.sqrt()
    }
}

/// The root mean square of a level in dBov.
fn rms_of(dbov: f32) -> f32 {
    32_768.0 * 10_f32.powf(dbov.min(0.0) / 20.0)
}

fn reflection_of(order: usize, error: f32, correlation: &[f32], predictor: &[f32]) -> f32 {
    let next = correlation.get(order + 1).copied().unwrap_or_default();
    let before = correlation.iter().take(order + 1).rev();
    let predicted: f32 = before
        .zip(predictor)
        .map(|(correlation, coefficient)| correlation * coefficient)
        .sum();
    -(next + predicted) / error
}

/// Raises the order of a predictor by one.
fn raise(predictor: &mut Vec<f32>, reflection: f32) {
    let mirrored: Vec<f32> = predictor.iter().rev().copied().collect();
    for (coefficient, mirror) in predictor.iter_mut().zip(mirrored) {
        *coefficient += reflection * mirror;
    }
    predictor.push(reflection);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3389 §3.1: the level in -dBov; §3.2: coefficients around 127.
    #[test]
    fn a_payload_says_level_and_colour() {
        assert_eq!(NoiseShape::parse(&[]), None);
        let white = NoiseShape::parse(&[40]).unwrap();
        assert!((white.rms - 327.68).abs() < 0.1, "{white:?}");
        assert_eq!(white.reflection, [0.0; NoiseShape::ORDER]);
        let coloured = NoiseShape::parse(&[127, 127, 191, 0, 255]).unwrap();
        assert!(coloured.rms < 0.02);
        assert_eq!(coloured.reflection[0], 0.0);
        assert!((coloured.reflection[1] - 0.504).abs() < 0.001);
        assert_eq!(coloured.reflection[2..4], [-0.98, 0.98]);
        assert_eq!(NoiseShape::parse(&[0xff; 300]).unwrap().reflection[7], 0.98);
    }

    #[test]
    fn a_first_order_process_has_one_reflection() {
        let mut correlation = [0.0; NoiseShape::ORDER + 1];
        for (n, place) in correlation.iter_mut().enumerate() {
            *place = 1e6 * 0.8_f32.powi(n as i32);
        }
        let shape = NoiseShape::of_correlation(100.0, &correlation);
        assert!((shape.reflection[0] + 0.8).abs() < 1e-3, "{shape:?}");
        assert!(
            shape.reflection[1..].iter().all(|k| k.abs() < 1e-2),
            "{shape:?}"
        );
        assert!((shape.excitation() - 60.0).abs() < 0.5, "{shape:?}");
    }
}
