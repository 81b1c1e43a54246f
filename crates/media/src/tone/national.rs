/// What a tone of the network is made of: the frequencies that sound together, and the rhythm.
///
/// Where nothing else is said, from ITU-T E.180 supplement 2, "Various tones used in national networks" (list of March 2003).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tones {
    /// Frequencies in hertz, sounding together.
    pub hertz: &'static [f32],
    /// How often in a second the whole swells and fades; none where it is steady.
    pub modulated_hertz: Option<f32>,
    /// Milliseconds of sound and of silence in turn, then again from the beginning.
    pub rhythm_ms: &'static [u32],
}

/// The tones of a country.
#[derive(Clone, Copy)]
struct National {
    ringback: Tones,
    busy: Tones,
    congestion: Tones,
}

/// Two short rings and a pause: the rhythm of the United Kingdom and of many that took theirs from there.
const DOUBLE: &[u32] = &[400, 200, 400, 2_000];

/// E.180 §5.3, §6.3 and §7.3: 425 Hz, and the rhythms that it recommends.
const RECOMMENDED: National = National {
    ringback: steady(&[425.0], &[1_000, 4_000]),
    busy: steady(&[425.0], &[500, 500]),
    congestion: steady(&[425.0], &[200, 200]),
};

/// ACIF S002 agrees.
const AU: National = National {
    ringback: steady(&[400.0, 450.0], DOUBLE),
    busy: steady(&[425.0], &[375, 375]),
    congestion: steady(&[425.0], &[375, 375]),
};

/// Telecom New Zealand PTC TNA 102 agrees.
const NZ: National = National {
    ringback: steady(&[400.0, 450.0], DOUBLE),
    busy: steady(&[400.0], &[500, 500]),
    congestion: steady(&[400.0], &[250, 250]),
};

/// BT SIN 350 agrees.
const GB: National = National {
    ringback: steady(&[400.0, 450.0], DOUBLE),
    busy: steady(&[400.0], &[375, 375]),
    congestion: steady(&[400.0], &[400, 350, 225, 525]),
};

/// The same on the whole of the North American plan (ANSI T1.401).
const US: National = National {
    ringback: steady(&[440.0, 480.0], &[2_000, 4_000]),
    busy: steady(&[480.0, 620.0], &[500, 500]),
    congestion: steady(&[480.0, 620.0], &[250, 250]),
};

/// Congestion is not specified there.
const IE: National = National {
    ringback: steady(&[400.0, 450.0], DOUBLE),
    busy: steady(&[425.0], &[500, 500]),
    congestion: RECOMMENDED.congestion,
};

const DE: National = National {
    ringback: steady(&[425.0], &[1_000, 4_000]),
    busy: steady(&[425.0], &[480, 480]),
    congestion: steady(&[425.0], &[240, 240]),
};

/// Congestion is not specified there; switches use half of busy's rhythm.
const FR: National = National {
    ringback: steady(&[440.0], &[1_500, 3_500]),
    busy: steady(&[440.0], &[500, 500]),
    congestion: steady(&[440.0], &[250, 250]),
};

/// IDA TS PSTN1 agrees.
const SG: National = National {
    ringback: modulated(&[425.0], 24.0, DOUBLE),
    busy: steady(&[425.0], &[750, 750]),
    congestion: steady(&[425.0], &[250, 250]),
};

const ZA: National = National {
    ringback: modulated(&[400.0], 33.0, DOUBLE),
    busy: steady(&[400.0], &[500, 500]),
    congestion: steady(&[400.0], &[250, 250]),
};

impl Tones {
    /// The ringing tone that callers hear in a country (ISO 3166 letters); E.180's recommended one where we know no other.
    pub fn ringback(country: &str) -> Self {
        National::of(country).ringback
    }

    /// The busy tone of a country (ISO 3166 letters); E.180's recommended one where we know no other.
    pub fn busy(country: &str) -> Self {
        National::of(country).busy
    }

    /// The tone by which a country's network says that it is full (ISO 3166 letters); E.180's recommended one where we know no other.
    pub fn congestion(country: &str) -> Self {
        National::of(country).congestion
    }
}

impl National {
    fn of(country: &str) -> Self {
        match country {
            "AU" => AU,
            "NZ" => NZ,
            "GB" => GB,
            "US" | "CA" => US,
            "IE" => IE,
            "DE" => DE,
            "FR" => FR,
            "SG" => SG,
            "ZA" => ZA,
            _ => RECOMMENDED,
        }
    }
}

const fn steady(hertz: &'static [f32], rhythm_ms: &'static [u32]) -> Tones {
    Tones {
        hertz,
        modulated_hertz: None,
        rhythm_ms,
    }
}

const fn modulated(hertz: &'static [f32], by: f32, rhythm_ms: &'static [u32]) -> Tones {
    Tones {
        hertz,
        modulated_hertz: Some(by),
        rhythm_ms,
    }
}
