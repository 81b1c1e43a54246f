use crate::{Outcome, RawCause};

/// What a trunk means by causes that mean something else elsewhere: 403 for an empty account, 480 for a refused call.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Overrides(Vec<Override>);

/// One exception: a cause that has all that is given here has this outcome.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Override {
    /// The SIP status; none for any.
    pub status: Option<u16>,
    /// The cause of Q.850; none for any.
    pub q850: Option<u8>,
    /// A fragment of the reason phrase or of the text beside it, in either case; none for any.
    pub text: Option<String>,
    /// What it means.
    pub outcome: Outcome,
}

impl Overrides {
    /// Exceptions, of which the first that fits counts.
    pub fn new(overrides: Vec<Override>) -> Self {
        Self(overrides)
    }

    pub(crate) fn outcome_of(&self, cause: &RawCause) -> Option<Outcome> {
        let mut overrides = self.0.iter();
        let fitting = overrides.find(|exception| exception.fits(cause));
        fitting.map(|exception| exception.outcome)
    }
}

impl Override {
    /// A status that means `outcome`, whatever else is said.
    pub fn of_status(status: u16, outcome: Outcome) -> Self {
        Self {
            status: Some(status),
            q850: None,
            text: None,
            outcome,
        }
    }

    /// The same exception, only where `fragment` is said.
    #[must_use]
    pub fn with_text(mut self, fragment: &str) -> Self {
        self.text = Some(fragment.to_owned());
        self
    }

    /// The same exception, only with this cause of Q.850.
    #[must_use]
    pub fn with_q850(mut self, cause: u8) -> Self {
        self.q850 = Some(cause);
        self
    }

    fn fits(&self, cause: &RawCause) -> bool {
        // An exception that names nothing fits nothing, rather than everything.
        let names_something = self.status.is_some() || self.q850.is_some() || self.text.is_some();
        names_something
            && self
                .status
                .is_none_or(|status| cause.status == Some(status))
            && self.q850.is_none_or(|q850| cause.q850 == Some(q850))
            && self.text.as_deref().is_none_or(|text| says(cause, text))
    }
}

fn says(cause: &RawCause, fragment: &str) -> bool {
    let fragment = fragment.to_lowercase();
    let mut texts = [&cause.reason_phrase, &cause.text].into_iter();
    texts.any(|text| text.to_lowercase().contains(&fragment))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_fits_counts() {
        let overrides = Overrides::new(vec![
            Override::of_status(403, Outcome::NoCredit).with_text("balance"),
            Override::of_status(480, Outcome::Declined).with_q850(21),
            Override::of_status(480, Outcome::Busy),
        ]);
        let cause = |status, q850, text: &str| RawCause {
            status: Some(status),
            reason_phrase: text.to_owned(),
            q850,
            text: String::new(),
        };
        let of = |cause: RawCause| overrides.outcome_of(&cause);
        assert_eq!(of(cause(403, None, "Low Balance")), Some(Outcome::NoCredit));
        assert_eq!(of(cause(403, None, "Forbidden")), None);
        assert_eq!(of(cause(480, Some(21), "")), Some(Outcome::Declined));
        assert_eq!(of(cause(480, None, "")), Some(Outcome::Busy));
        assert_eq!(of(RawCause::default()), None);
    }

    #[test]
    fn an_exception_that_names_nothing_fits_nothing() {
        let nothing = Override {
            status: None,
            q850: None,
            text: None,
            outcome: Outcome::Busy,
        };
        let overrides = Overrides::new(vec![nothing]);
        assert_eq!(overrides.outcome_of(&RawCause::default()), None);
    }
}
