use std::collections::BTreeSet;

use crate::{Country, Number, NumberError};

/// Which numbers a practice may call (P6). Closed unless opened: its own country, and those it names.
#[derive(Clone, Debug)]
pub struct DestinationPolicy {
    home: Country,
    allowed: BTreeSet<Country>,
    /// Country codes of countries that we know nothing else of.
    allowed_codes: BTreeSet<String>,
}

/// Why a number may not be called.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DestinationRefused {
    /// What was typed is no number, or an emergency number.
    #[error("no number that can be called: {0}")]
    NoNumber(#[from] NumberError),
    /// A number that bills the caller extra.
    #[error("premium number")]
    Premium,
    /// A satellite phone, or a worldwide service number; both cost many times a call.
    #[error("satellite or worldwide service number")]
    Satellite,
    /// A country that the practice does not call.
    #[error("foreign number with country code {calling_code}")]
    Foreign {
        /// Its country code, without a plus sign.
        calling_code: String,
    },
}

impl DestinationRefused {
    /// What a person reads.
    pub fn words(&self) -> String {
        match self {
            Self::NoNumber(error) => error.words(),
            Self::Premium => {
                "This is a premium-rate number, which cannot be called from here. Ask for the ordinary number.".to_owned()
            }
            Self::Satellite => {
                "Satellite and worldwide service numbers cannot be called from here.".to_owned()
            }
            Self::Foreign { calling_code } => format!(
                "Your practice does not call numbers abroad (+{calling_code}). An administrator can allow this country in the settings."
            ),
        }
    }
}

/// Country codes that belong to no country (ITU-T E.164): satellites, networks, and worldwide freephone, shared and premium services.
const NO_COUNTRY: [&str; 9] = [
    "800", "808", "870", "878", "881", "882", "883", "888", "979",
];

impl DestinationPolicy {
    /// Numbers of `home` only.
    pub fn domestic(home: Country) -> Self {
        Self {
            home,
            allowed: BTreeSet::from([home]),
            allowed_codes: BTreeSet::new(),
        }
    }

    /// The same policy with the countries of one more country code, such as `33`, whose premium numbers we do not know.
    #[must_use]
    pub fn and_calling_code(mut self, calling_code: &str) -> Self {
        self.allowed_codes.insert(calling_code.to_owned());
        self
    }

    /// The same policy with one more country.
    #[must_use]
    pub fn and(mut self, country: Country) -> Self {
        self.allowed.insert(country);
        self
    }

    /// Reads what a person typed and checks it.
    ///
    /// # Errors
    /// See [`DestinationRefused`]; its words are for that person.
    pub fn read(&self, text: &str) -> Result<Number, DestinationRefused> {
        let number = Number::parse(text, self.home)?;
        self.check(&number)?;
        Ok(number)
    }

    /// Says whether `number` may be called.
    ///
    /// # Errors
    /// See [`DestinationRefused`].
    pub fn check(&self, number: &Number) -> Result<(), DestinationRefused> {
        if NO_COUNTRY.contains(&number.calling_code()) {
            return Err(DestinationRefused::Satellite);
        }
        let country = number.country();
        let is_allowed = country.is_some_and(|country| self.allowed.contains(&country));
        if !is_allowed && !self.allowed_codes.contains(number.calling_code()) {
            let calling_code = number.calling_code().to_owned();
            return Err(DestinationRefused::Foreign { calling_code });
        }
        match country {
            Some(country) if is_premium(number, country) => Err(DestinationRefused::Premium),
            _ => Ok(()),
        }
    }
}

fn is_premium(number: &Number, country: Country) -> bool {
    let national = number.national_digits();
    let premium = country.plan().premium;
    premium.iter().any(|begins| national.starts_with(begins))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(policy: &DestinationPolicy, text: &str) -> DestinationRefused {
        policy.read(text).unwrap_err()
    }

    #[test]
    fn p6_only_the_own_country_and_those_it_names() {
        let policy = DestinationPolicy::domestic(Country::Au);
        assert!(policy.read("0491 570 006").is_ok());
        assert!(policy.read("1800 160 401").is_ok());
        let foreign = refused(&policy, "+64 21 555 0100");
        assert_eq!(
            foreign,
            DestinationRefused::Foreign {
                calling_code: "64".to_owned()
            }
        );
        assert!(foreign.words().contains("+64"));
        let france = "+33 1 99 00 12 34";
        assert!(policy.read(france).is_err());
        assert!(policy.clone().and_calling_code("33").read(france).is_ok());
        assert!(policy.and(Country::Nz).read("+64 21 555 0100").is_ok());
    }

    #[test]
    fn p6_premium_satellite_and_emergency() {
        let policy = DestinationPolicy::domestic(Country::Au)
            .and(Country::Gb)
            .and(Country::Us);
        assert_eq!(
            refused(&policy, "1902 555 010"),
            DestinationRefused::Premium
        );
        assert_eq!(
            refused(&policy, "+44 909 879 0000"),
            DestinationRefused::Premium
        );
        assert_eq!(
            refused(&policy, "+1 900 555 0100"),
            DestinationRefused::Premium
        );
        assert_eq!(
            refused(&policy, "+870 773 111 111"),
            DestinationRefused::Satellite
        );
        assert_eq!(
            refused(&policy, "+979 123 456 789"),
            DestinationRefused::Satellite
        );
        assert!(refused(&policy, "000").words().contains("000"));
    }

    #[test]
    fn p6_the_caribbean_is_abroad_for_the_united_states() {
        let policy = DestinationPolicy::domestic(Country::Us);
        assert!(matches!(
            refused(&policy, "876 555 0100"),
            DestinationRefused::Foreign { .. }
        ));
        assert!(policy.read("212 555 0100").is_ok());
    }
}
