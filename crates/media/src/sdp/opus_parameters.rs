use crate::opus::OpusSettings;

/// What the other side says of the Opus that it wants to receive (`a=fmtp`, RFC 7587 §6.1).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct OpusParameters {
    /// The most bits in a second that it takes, on average, between 6000 and 510 000.
    pub bits_per_second_max: Option<u32>,
    /// Whether it can use what a packet repeats of the one before (`useinbandfec`).
    pub takes_repeats: bool,
    /// Whether it would rather be sent nothing in silence (`usedtx`).
    pub takes_dtx: bool,
}

impl OpusParameters {
    /// What a browser sends of speech, in bits a second: whoever takes less than this gets our encoding.
    const BROWSER_BITS_PER_SECOND: u32 = 40_000;

    /// Reads the value of `a=fmtp` after its payload type. What is not understood is passed over.
    pub(super) fn parse(value: &str) -> Self {
        let mut read = Self::default();
        for parameter in value.split(';') {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            read.parameter(&name.trim().to_ascii_lowercase(), value.trim());
        }
        read
    }

    fn parameter(&mut self, name: &str, value: &str) {
        match name {
            "maxaveragebitrate" => {
                let bits = value.parse::<u32>().ok();
                self.bits_per_second_max = bits.map(|bits| bits.clamp(6_000, 510_000));
            }
            "useinbandfec" => self.takes_repeats = value == "1",
            "usedtx" => self.takes_dtx = value == "1",
            _ => {}
        }
    }

    /// How to encode for it.
    pub fn settings(&self) -> OpusSettings {
        let ours = OpusSettings::default();
        let most = self.bits_per_second_max.unwrap_or(ours.bits_per_second);
        OpusSettings {
            bits_per_second: ours.bits_per_second.min(most),
            repeats: self.takes_repeats,
            skips_silence: self.takes_dtx,
        }
    }

    /// Whether it takes a browser's Opus as it is.
    pub fn takes_browsers(&self) -> bool {
        self.bits_per_second_max
            .is_none_or(|most| most >= Self::BROWSER_BITS_PER_SECOND)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_in_any_order_and_nonsense_is_passed_over() {
        let read =
            OpusParameters::parse(" minptime=10; UseInbandFEC=1;usedtx=1;maxaveragebitrate=20000");
        let expected = OpusParameters {
            bits_per_second_max: Some(20_000),
            takes_repeats: true,
            takes_dtx: true,
        };
        assert_eq!(read, expected);
        assert_eq!(read.settings().bits_per_second, 20_000);
        assert!(!read.takes_browsers());
        for nonsense in [
            "",
            ";;;=",
            "useinbandfec=yes;usedtx",
            "maxaveragebitrate=-1",
            "maxaveragebitrate=99999999999",
        ] {
            assert_eq!(
                OpusParameters::parse(nonsense),
                OpusParameters::default(),
                "{nonsense}"
            );
        }
        let least = OpusParameters::parse("maxaveragebitrate=0");
        assert_eq!(least.settings().bits_per_second, 6_000);
    }
}
