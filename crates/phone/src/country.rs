/// A country whose way of writing and grouping telephone numbers we know.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Country {
    /// Australia.
    Au,
    /// New Zealand.
    Nz,
    /// The United Kingdom.
    Gb,
    /// The United States.
    Us,
    /// Canada.
    Ca,
    /// Switzerland.
    Ch,
    /// Germany.
    De,
    /// Ireland.
    Ie,
}

/// How numbers are written in one country.
pub(crate) struct Plan {
    pub(crate) country: Country,
    /// The code of ISO 3166.
    pub(crate) iso: &'static str,
    pub(crate) name: &'static str,
    /// The country code of E.164.
    pub(crate) calling_code: &'static str,
    /// What is dialled before a national number, and not part of it.
    pub(crate) trunk_prefix: &'static str,
    /// What is dialled before a country code.
    pub(crate) exits: &'static [&'static str],
    /// Fewest and most digits of a national number without its trunk prefix.
    pub(crate) digits: (usize, usize),
    /// The first one is what a person should dial.
    pub(crate) emergency: &'static [&'static str],
    /// How national numbers begin that cost the caller extra.
    pub(crate) premium: &'static [&'static str],
    /// Digit groups by how a national number begins; the first that fits is used.
    pub(crate) groups: &'static [(&'static str, &'static [usize])],
}

const NANP_GROUPS: &[(&str, &[usize])] = &[("", &[3, 3, 4])];

/// Numbers that bill the caller, from the regulators' published numbering plans.
const PLANS: [Plan; 8] = [
    Plan {
        country: Country::Au,
        iso: "AU",
        name: "Australia",
        calling_code: "61",
        trunk_prefix: "0",
        exits: &["0011"],
        // 13 xx xx is dialled without a trunk prefix and has six digits.
        digits: (6, 10),
        emergency: &["000", "112", "106"],
        premium: &["190", "191", "193", "194", "195", "196", "197", "199"],
        groups: &[
            ("4", &[3, 3, 3]),
            ("1300", &[4, 3, 3]),
            ("1800", &[4, 3, 3]),
            ("13", &[2, 2, 2]),
            ("", &[1, 4, 4]),
        ],
    },
    Plan {
        country: Country::Nz,
        iso: "NZ",
        name: "New Zealand",
        calling_code: "64",
        trunk_prefix: "0",
        exits: &["00"],
        digits: (8, 10),
        emergency: &["111", "112"],
        premium: &["900"],
        groups: &[("2", &[2, 3, 4]), ("", &[1, 3, 4])],
    },
    Plan {
        country: Country::Gb,
        iso: "GB",
        name: "the United Kingdom",
        calling_code: "44",
        trunk_prefix: "0",
        exits: &["00"],
        digits: (9, 10),
        emergency: &["999", "112"],
        premium: &["9", "70", "871", "872", "873"],
        groups: &[("2", &[2, 4, 4]), ("", &[4, 6])],
    },
    Plan {
        country: Country::Us,
        iso: "US",
        name: "the United States",
        calling_code: "1",
        trunk_prefix: "1",
        exits: &["011"],
        digits: (10, 10),
        emergency: &["911", "112", "988"],
        premium: &["900"],
        groups: NANP_GROUPS,
    },
    Plan {
        country: Country::Ca,
        iso: "CA",
        name: "Canada",
        calling_code: "1",
        trunk_prefix: "1",
        exits: &["011"],
        digits: (10, 10),
        emergency: &["911", "112", "988"],
        premium: &["900"],
        groups: NANP_GROUPS,
    },
    Plan {
        country: Country::Ch,
        iso: "CH",
        name: "Switzerland",
        calling_code: "41",
        trunk_prefix: "0",
        exits: &["00"],
        digits: (9, 9),
        emergency: &["112", "117", "118", "144", "1414"],
        premium: &["900", "901", "906"],
        groups: &[("", &[2, 3, 2, 2])],
    },
    Plan {
        country: Country::De,
        iso: "DE",
        name: "Germany",
        calling_code: "49",
        trunk_prefix: "0",
        exits: &["00"],
        digits: (5, 11),
        emergency: &["112", "110"],
        premium: &["900", "190", "137", "118"],
        groups: &[],
    },
    Plan {
        country: Country::Ie,
        iso: "IE",
        name: "Ireland",
        calling_code: "353",
        trunk_prefix: "0",
        exits: &["00"],
        digits: (7, 10),
        emergency: &["112", "999"],
        premium: &["15"],
        groups: &[("8", &[2, 3, 4]), ("1", &[1, 3, 4])],
    },
];

impl Country {
    /// Every country we know.
    pub const ALL: [Self; 8] = [
        Self::Au,
        Self::Nz,
        Self::Gb,
        Self::Us,
        Self::Ca,
        Self::Ch,
        Self::De,
        Self::Ie,
    ];

    /// The country of an ISO 3166 code such as `AU`, in either case.
    pub fn from_iso(code: &str) -> Option<Self> {
        let plan = PLANS
            .iter()
            .find(|plan| plan.iso.eq_ignore_ascii_case(code));
        plan.map(|plan| plan.country)
    }

    /// Its ISO 3166 code.
    pub fn iso(self) -> &'static str {
        self.plan().iso
    }

    /// Its name, as it stands in a sentence.
    pub fn name(self) -> &'static str {
        self.plan().name
    }

    /// Its country code in E.164, without a plus sign.
    pub fn calling_code(self) -> &'static str {
        self.plan().calling_code
    }

    /// The number to dial in an emergency.
    pub fn emergency_number(self) -> &'static str {
        self.plan().emergency.first().copied().unwrap_or("112")
    }

    /// Whether `digits` are an emergency number in any country we know.
    pub(crate) fn is_emergency_anywhere(digits: &str) -> bool {
        let mut plans = PLANS.iter();
        plans.any(|plan| plan.emergency.contains(&digits))
    }

    pub(crate) fn plan(self) -> &'static Plan {
        const FIRST: &Plan = &PLANS[0];
        PLANS
            .iter()
            .find(|plan| plan.country == self)
            .unwrap_or(FIRST)
    }
}

/// Area codes of +1 that are neither in the United States nor in Canada: dearer, and popular with fraudsters.
const CARIBBEAN: [&str; 28] = [
    "242", "246", "264", "268", "284", "340", "345", "441", "473", "649", "658", "664", "670",
    "671", "684", "721", "758", "767", "784", "787", "809", "829", "849", "868", "869", "876",
    "939", "976",
];

/// Area codes of +1 in Canada.
const CANADIAN: [&str; 47] = [
    "204", "226", "236", "249", "250", "257", "263", "289", "306", "343", "354", "365", "367",
    "368", "382", "387", "403", "416", "418", "428", "431", "437", "438", "450", "460", "468",
    "474", "506", "514", "519", "537", "548", "568", "579", "581", "584", "587", "604", "613",
    "639", "647", "672", "683", "705", "709", "742", "753",
];

/// Country codes of two digits (ITU-T E.164 list of assigned codes); 1 and 7 have one digit, all others three.
const TWO_DIGITS: [&str; 43] = [
    "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47",
    "48", "49", "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65",
    "66", "81", "82", "84", "86", "90", "91", "92", "93", "94", "95",
];

/// How many digits of `e164` are its country code.
pub(crate) fn calling_code_digits(e164: &str) -> usize {
    let two = e164.get(..2).unwrap_or(e164);
    match e164.as_bytes().first() {
        Some(b'1' | b'7') => 1,
        _ if two == "98" || TWO_DIGITS.contains(&two) => 2,
        _ => 3,
    }
}

/// The country of a number, if we know it, by its country code and, for +1, its area code.
pub(crate) fn country_of(calling_code: &str, national: &str) -> Option<Country> {
    if calling_code == "1" {
        return north_american(national);
    }
    let plan = PLANS.iter().find(|plan| plan.calling_code == calling_code);
    plan.map(|plan| plan.country)
}

fn north_american(national: &str) -> Option<Country> {
    let area = national.get(..3)?;
    if CARIBBEAN.contains(&area) {
        None
    } else if CANADIAN.contains(&area) {
        Some(Country::Ca)
    } else {
        Some(Country::Us)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_has_its_own_plan() {
        for country in Country::ALL {
            assert_eq!(country.plan().country, country);
            assert_eq!(Country::from_iso(country.iso()), Some(country));
            assert!(!country.emergency_number().is_empty());
        }
    }

    #[test]
    fn country_codes_have_one_two_or_three_digits() {
        let cases = [
            ("12125550100", 1),
            ("61491570006", 2),
            ("353123", 3),
            ("870123", 3),
            ("9821", 2),
        ];
        for (number, digits) in cases {
            assert_eq!(calling_code_digits(number), digits, "{number}");
        }
    }

    #[test]
    fn the_caribbean_is_neither_the_states_nor_canada() {
        assert_eq!(country_of("1", "8765550100"), None);
        assert_eq!(country_of("1", "4165550100"), Some(Country::Ca));
        assert_eq!(country_of("1", "2125550100"), Some(Country::Us));
    }
}
