use std::fmt;

use crate::country::{Country, Plan, calling_code_digits, country_of};

/// A telephone number of the whole world (E.164): a country code and a national number, 15 digits at most.
///
/// Displays as `+61491570006`, which is also what stands in SIP. Never an emergency number.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Number {
    /// Without the plus sign.
    digits: String,
    calling_code_digits: usize,
}

/// Why a text is no number that could be called. All of it is for the person who typed it to mend.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NumberError {
    /// Nothing was typed.
    #[error("no number")]
    Empty,
    /// A letter or sign that no number has.
    #[error("character {0:?} in a number")]
    Character(char),
    /// Fewer digits than any number of its country.
    #[error("{digits} digits, at least {min} needed")]
    TooShort {
        /// Digits typed.
        digits: usize,
        /// Digits needed.
        min: usize,
    },
    /// More digits than any number of its country.
    #[error("{digits} digits, at most {max} possible")]
    TooLong {
        /// Digits typed.
        digits: usize,
        /// Digits possible.
        max: usize,
    },
    /// An emergency number. Housecall cannot say where the caller is, so it must not be used for one.
    #[error("emergency number {number}")]
    Emergency {
        /// As typed.
        number: String,
        /// The country whose number it is.
        country: Country,
    },
}

impl NumberError {
    /// What a person reads.
    pub fn words(&self) -> String {
        match self {
            Self::Empty => "Please enter a phone number.".to_owned(),
            Self::Character(letter) => {
                format!("A phone number cannot contain “{letter}”.")
            }
            Self::TooShort { .. } => {
                "This phone number is too short. Is a digit missing?".to_owned()
            }
            Self::TooLong { .. } => {
                "This phone number is too long. Is there a digit too many?".to_owned()
            }
            Self::Emergency { country, .. } => format!(
                "Emergency services cannot be reached from here. In an emergency dial {} from a phone.",
                country.emergency_number()
            ),
        }
    }
}

impl Number {
    /// Digits of E.164 at most, country code included.
    pub const DIGITS_MAX: usize = 15;

    /// Reads a number as somebody in `home` writes it: `+61 491 570 006`, `0011 61 491…`, `(02) 5550 0142`, `0491 570 006`.
    ///
    /// # Errors
    /// See [`NumberError`].
    pub fn parse(text: &str, home: Country) -> Result<Self, NumberError> {
        let (digits, has_plus) = digits(text)?;
        let plan = home.plan();
        // A visitor types the number of home: of every country, since none of them is anybody else's number.
        if !has_plus && Country::is_emergency_anywhere(&digits) {
            return Err(emergency(&digits, home));
        }
        if has_plus {
            return Self::international(&digits);
        }
        let exit = plan.exits.iter().find_map(|exit| digits.strip_prefix(exit));
        match exit {
            Some(rest) => Self::international(rest),
            None => Self::national_of(&digits, plan),
        }
    }

    /// Reads a number in E.164 form such as `+61491570006`, from a database or a SIP header.
    ///
    /// # Errors
    /// See [`NumberError`].
    pub fn from_e164(text: &str) -> Result<Self, NumberError> {
        let (digits, _) = digits(text)?;
        Self::international(&digits)
    }

    /// The country, if it is one we know.
    pub fn country(&self) -> Option<Country> {
        country_of(self.calling_code(), self.national_digits())
    }

    /// The country code without a plus sign.
    pub fn calling_code(&self) -> &str {
        self.split().0
    }

    /// As it is written in its own country, in groups: `0491 570 006`, `02 5550 0142`. The international form where the country is
    /// not one we know.
    pub fn national(&self) -> String {
        match self.country().map(Country::plan) {
            Some(plan) => grouped(self.national_digits(), plan),
            None => format!("+{} {}", self.calling_code(), self.national_digits()),
        }
    }

    /// What somebody in `home` dials, digits only: with the trunk prefix at home, with the exit code abroad.
    pub(crate) fn dialled_in(&self, home: Country) -> String {
        let plan = home.plan();
        let national = self.national_digits();
        if self.calling_code() != plan.calling_code {
            let exit = plan.exits.first().copied().unwrap_or("00");
            return format!("{exit}{}", self.digits);
        }
        let is_bare = self.country() == Some(home) && is_bare(national, plan);
        let prefix = if is_bare { "" } else { plan.trunk_prefix };
        format!("{prefix}{national}")
    }

    /// The digits behind the country code.
    pub(crate) fn national_digits(&self) -> &str {
        self.split().1
    }

    fn split(&self) -> (&str, &str) {
        let split = self.digits.split_at_checked(self.calling_code_digits);
        split.unwrap_or((&self.digits, ""))
    }

    fn national_of(digits: &str, plan: &Plan) -> Result<Self, NumberError> {
        let national = digits.strip_prefix(plan.trunk_prefix).unwrap_or(digits);
        Self::international(&format!("{}{national}", plan.calling_code))
    }

    fn international(digits: &str) -> Result<Self, NumberError> {
        let calling_code_digits = calling_code_digits(digits);
        let number = Self {
            digits: digits.to_owned(),
            calling_code_digits,
        };
        number.check_length()?;
        match number.country() {
            Some(country) => number.without_trunk_prefix(country),
            None => Ok(number),
        }
    }

    fn check_length(&self) -> Result<(), NumberError> {
        let digits = self.digits.len();
        if digits > Self::DIGITS_MAX {
            let max = Self::DIGITS_MAX;
            return Err(NumberError::TooLong { digits, max });
        }
        // No country has subscribers with fewer than four digits; shorter ones are services.
        let min = self.calling_code_digits + 3;
        if digits < min {
            return Err(NumberError::TooShort { digits, min });
        }
        Ok(())
    }

    /// People write `+61 (0)491…`: the trunk prefix is no part of the number.
    fn without_trunk_prefix(self, country: Country) -> Result<Self, NumberError> {
        let plan = country.plan();
        let national = self.national_digits();
        if plan.emergency.contains(&national) {
            return Err(emergency(national, country));
        }
        let national = match plan.trunk_prefix {
            "0" => national.strip_prefix('0').unwrap_or(national),
            _ => national,
        };
        let (min, max) = plan.digits;
        let digits = national.len();
        match digits {
            _ if digits < min => Err(NumberError::TooShort { digits, min }),
            _ if digits > max => Err(NumberError::TooLong { digits, max }),
            _ => Ok(Self {
                digits: format!("{}{national}", plan.calling_code),
                ..self
            }),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}", self.digits)
    }
}

fn emergency(number: &str, country: Country) -> NumberError {
    NumberError::Emergency {
        number: number.to_owned(),
        country,
    }
}

/// The digits of what a person typed, and whether a plus sign came first.
fn digits(text: &str) -> Result<(String, bool), NumberError> {
    let text = text.trim();
    let (text, has_plus) = match text.strip_prefix(['+', '＋']) {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    let mut digits = String::new();
    for letter in text.chars() {
        match letter {
            '0'..='9' if digits.len() > 2 * Number::DIGITS_MAX => {}
            '0'..='9' => digits.push(letter),
            ' ' | '\u{a0}' | '-' | '\u{2010}'..='\u{2013}' | '.' | '/' | '(' | ')' => {}
            other => return Err(NumberError::Character(other)),
        }
    }
    if digits.is_empty() {
        return Err(NumberError::Empty);
    }
    Ok((digits, has_plus))
}

/// A national number with its trunk prefix, in the groups of its country.
fn grouped(national: &str, plan: &Plan) -> String {
    let groups = plan.groups.iter().find(|(begins, groups)| {
        national.starts_with(begins) && groups.iter().sum::<usize>() == national.len()
    });
    let mut rest = national;
    let mut parts = Vec::new();
    for group in groups.map_or(&[][..], |(_, groups)| groups) {
        let (part, after) = rest.split_at_checked(*group).unwrap_or((rest, ""));
        parts.push(part);
        rest = after;
    }
    parts.push(rest);
    let written = parts.join(" ");
    // Numbers such as 1300 and 13 in Australia, and all of North America, stand alone.
    let prefix = match plan.trunk_prefix {
        "0" if !is_bare(national, plan) => "0",
        _ => "",
    };
    format!("{prefix}{}", written.trim_end())
}

fn is_bare(national: &str, plan: &Plan) -> bool {
    plan.country == Country::Au && national.starts_with('1')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type() {
        let cases = [
            ("0491 570 006", Country::Au, "+61491570006"),
            ("+61 (0)491 570 006", Country::Au, "+61491570006"),
            ("0011 64 21 555 0100", Country::Au, "+64215550100"),
            ("(02) 5550-0142", Country::Au, "+61255500142"),
            ("1300 975 707", Country::Au, "+611300975707"),
            ("13 11 14", Country::Au, "+61131114"),
            ("044 555 01 01", Country::Ch, "+41445550101"),
            ("020 7946 0018", Country::Gb, "+442079460018"),
            ("(212) 555-0100", Country::Us, "+12125550100"),
            ("1-416-555-0100", Country::Ca, "+14165550100"),
            ("011 61 491 570 006", Country::Us, "+61491570006"),
            ("089 12345678", Country::De, "+498912345678"),
            ("01 555 0100", Country::Ie, "+35315550100"),
            ("021 555 0100", Country::Nz, "+64215550100"),
            ("+33 1 99 00 12 34", Country::Au, "+33199001234"),
        ];
        for (text, home, expected) in cases {
            let number = Number::parse(text, home).map(|number| number.to_string());
            assert_eq!(number.as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_people_read() {
        let cases = [
            ("+61491570006", "0491 570 006"),
            ("+61255500142", "02 5550 0142"),
            ("+611300975707", "1300 975 707"),
            ("+41445550101", "044 555 01 01"),
            ("+442079460018", "020 7946 0018"),
            ("+447700900123", "07700 900123"),
            ("+12125550100", "212 555 0100"),
            ("+498912345678", "08912345678"),
            ("+33199001234", "+33 199001234"),
        ];
        for (e164, national) in cases {
            assert_eq!(Number::from_e164(e164).unwrap().national(), national);
        }
    }

    #[test]
    fn p6_emergency_numbers_are_no_numbers() {
        let cases = [
            ("000", Country::Au),
            ("112", Country::Au),
            ("1 1 2", Country::De),
            ("911", Country::Us),
            ("999", Country::Gb),
            ("111", Country::Nz),
            ("+61 000", Country::Gb),
        ];
        for (text, home) in cases {
            let refused = Number::parse(text, home).unwrap_err();
            assert!(
                matches!(refused, NumberError::Emergency { .. }),
                "{text}: {refused}"
            );
            assert!(refused.words().contains("dial"), "{text}");
        }
    }

    /// Nobody gets through to an emergency number, however it is written, and everybody is told the one to dial where they are.
    #[test]
    fn p6_emergency_numbers_of_every_country_in_every_form() {
        for home in Country::ALL {
            for country in Country::ALL {
                let plan = country.plan();
                for number in plan.emergency {
                    let refused = Number::parse(number, home).unwrap_err();
                    assert!(
                        refused.words().contains(home.emergency_number()),
                        "{refused}"
                    );
                    let code = plan.calling_code;
                    let exit = home.plan().exits[0];
                    let prefix = plan.trunk_prefix;
                    for form in [
                        format!("+{code}{number}"),
                        format!("+{code} (0){number}"),
                        format!("{exit}{code}{number}"),
                        format!("+{code}{prefix}{number}"),
                        format!("{prefix}{number}"),
                        format!("0{number}"),
                    ] {
                        let read = Number::parse(&form, home);
                        assert!(read.is_err(), "{form} in {home:?}: {read:?}");
                    }
                }
            }
        }
    }

    /// Services behind short numbers are dearer than they look, and often not reachable from a trunk at all.
    #[test]
    fn p6_short_codes_are_too_short() {
        for (text, home) in [
            ("1194", Country::Au),
            ("12456", Country::Au),
            ("118 118", Country::Gb),
            ("1818", Country::Ch),
            ("411", Country::Us),
            ("018", Country::Nz),
        ] {
            let refused = Number::parse(text, home).unwrap_err();
            assert!(
                matches!(refused, NumberError::TooShort { .. }),
                "{text}: {refused}"
            );
        }
    }

    #[test]
    fn what_is_no_number() {
        let home = Country::Au;
        assert_eq!(Number::parse(" ", home), Err(NumberError::Empty));
        assert_eq!(
            Number::parse("0491 57O 006", home),
            Err(NumberError::Character('O'))
        );
        assert!(matches!(
            Number::parse("0491 5", home),
            Err(NumberError::TooShort { .. })
        ));
        assert!(matches!(
            Number::parse("0491 570 006 12", home),
            Err(NumberError::TooLong { .. })
        ));
        assert!(matches!(
            Number::parse(&"9".repeat(5000), home),
            Err(NumberError::TooLong { .. })
        ));
        assert!(matches!(
            Number::parse("+1", home),
            Err(NumberError::TooShort { .. })
        ));
        assert!(Number::parse("sip:mallory@evil.test", home).is_err());
    }
}
