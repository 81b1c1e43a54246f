use std::fmt;

use super::{Params, ParamsRef, ValueError};
use crate::text;

/// The dialog that a new call takes the place of, seen from the side that is asked (RFC 3891 §6.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaces {
    /// The dialog's Call-ID.
    pub call_id: String,
    /// Our tag in it.
    pub to_tag: String,
    /// The other side's tag.
    pub from_tag: String,
    /// Only while the dialog is early.
    pub early_only: bool,
}

impl Replaces {
    /// Reads `call-id;to-tag=a;from-tag=b;early-only`.
    ///
    /// # Errors
    /// The Call-ID is no word, a parameter is malformed, or a tag is missing or given twice.
    pub fn parse(value: &str) -> Result<Replaces, ValueError> {
        let (call_id, params) = text::split_params(value);
        let call_id = text::trim(call_id);
        if call_id.is_empty() || call_id.bytes().any(text::is_blank) {
            return Err(ValueError::Malformed("Call-ID"));
        }
        let params = ParamsRef::of(params)?;
        Ok(Replaces {
            call_id: call_id.to_owned(),
            to_tag: only(params, "to-tag")?,
            from_tag: only(params, "from-tag")?,
            early_only: params.has("early-only"),
        })
    }
}

fn only(params: ParamsRef<'_>, name: &'static str) -> Result<String, ValueError> {
    let is_it = |name_of_param: &str| name_of_param.eq_ignore_ascii_case(name);
    let mut found = params.into_params().filter(|param| is_it(param.name));
    match (found.next(), found.next()) {
        (Some(param), None) => param
            .value
            .filter(|tag| text::is_token(tag))
            .map(str::to_owned)
            .ok_or(ValueError::Malformed(name)),
        _ => Err(ValueError::Malformed(name)),
    }
}

impl fmt::Display for Replaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut params = Params::default();
        params.set("to-tag", Some(&self.to_tag));
        params.set("from-tag", Some(&self.from_tag));
        if self.early_only {
            params.set("early-only", None);
        }
        write!(f, "{}{params}", self.call_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialog_is_named_by_three() {
        let written = "425928@bobster.example.org;to-tag=7743;from-tag=6472;early-only";
        let replaces = Replaces::parse(written).unwrap();
        assert_eq!(replaces.call_id, "425928@bobster.example.org");
        assert_eq!(
            (replaces.to_tag.as_str(), replaces.from_tag.as_str()),
            ("7743", "6472")
        );
        assert!(replaces.early_only);
        assert_eq!(replaces.to_string(), written);
        for text in [
            "",
            ";to-tag=1;from-tag=2",
            "a b;to-tag=1;from-tag=2",
            "a;to-tag=1",
            "a;from-tag=2",
            "a;to-tag;from-tag=2",
            "a;to-tag=1;to-tag=3;from-tag=2",
            "a;to-tag=\"1\";from-tag=2",
        ] {
            assert!(Replaces::parse(text).is_err(), "{text:?}");
        }
    }
}
