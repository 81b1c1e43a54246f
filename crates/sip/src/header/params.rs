use std::borrow::Cow;
use std::fmt;

use super::ValueError;
use crate::text;

/// The `;name=value` list behind a header value or a URI, in the order given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(Vec<Param>);

/// One parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// The name as written; compared without regard to case.
    pub name: String,
    /// The value as written, quotes included; `None` without `=`.
    pub value: Option<String>,
}

impl Params {
    /// Reads `;a;b=c`. Empty parameters (`;;`) are passed over: devices do end a header with a stray semicolon.
    ///
    /// # Errors
    /// The text begins with anything but a semicolon, or a quoted value never ends.
    pub fn parse(list: &str) -> Result<Params, ValueError> {
        let list = text::trim(list);
        if list.is_empty() {
            return Ok(Params::default());
        }
        let list = list
            .strip_prefix(';')
            .ok_or(ValueError::Malformed("parameters"))?;
        let params = text::elements(list, b';').filter(|param| !param.is_empty());
        params.map(param).collect::<Result<_, _>>().map(Params)
    }

    /// Returns the value of the first parameter `name`; `None` where it is absent or has no value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.find(name)?.value.as_deref()
    }

    /// Returns the value of the first parameter `name` without its quotes.
    pub fn unquoted(&self, name: &str) -> Option<Cow<'_, str>> {
        self.get(name).map(text::unquote)
    }

    /// Returns whether there is a parameter `name`, with or without a value.
    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Sets the parameter `name`, in its place if it is there already.
    pub fn set(&mut self, name: &str, value: Option<&str>) {
        let value = value.map(str::to_owned);
        let found = self
            .0
            .iter_mut()
            .find(|param| param.name.eq_ignore_ascii_case(name));
        match found {
            Some(param) => param.value = value,
            None => self.0.push(Param {
                name: name.to_owned(),
                value,
            }),
        }
    }

    /// Removes every parameter `name`.
    pub fn remove(&mut self, name: &str) {
        self.0
            .retain(|param| !param.name.eq_ignore_ascii_case(name));
    }

    /// Returns the parameters in order.
    pub fn iter(&self) -> impl Iterator<Item = &Param> {
        self.0.iter()
    }

    fn find(&self, name: &str) -> Option<&Param> {
        self.0
            .iter()
            .find(|param| param.name.eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|param| match param.value.as_deref() {
                Some(value) => write!(f, ";{}={value}", param.name),
                None => write!(f, ";{}", param.name),
            })
    }
}

fn param(text: &str) -> Result<Param, ValueError> {
    let (name, value) = match text::split_outside(text, b'=') {
        (name, Some(value)) => (text::trim(name), Some(text::trim(value))),
        (name, None) => (name, None),
    };
    if name.is_empty() || value.is_some_and(|value| !is_value(value)) {
        return Err(ValueError::Malformed("parameter"));
    }
    Ok(Param {
        name: name.to_owned(),
        value: value.map(str::to_owned),
    })
}

// A value that opens a quote must be that quote and nothing else.
fn is_value(value: &str) -> bool {
    !value.starts_with('"') || text::quoted_length(value) == Some(value.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_flags_quotes_and_stray_semicolons() {
        let params = Params::parse(r#"; lr ;;q = 0.33; Tag=x;n="a;\"b";"#).unwrap();
        assert!(params.has("LR"));
        assert_eq!(params.get("lr"), None);
        assert_eq!(params.get("tag"), Some("x"));
        assert_eq!(params.unquoted("n").as_deref(), Some("a;\"b"));
        assert_eq!(params.to_string(), r#";lr;q=0.33;Tag=x;n="a;\"b""#);
    }

    #[test]
    fn malformed_lists_are_refused() {
        for text in ["a=b", ";=b", ";a=\"b", ";a=\"b\"c"] {
            assert!(Params::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn setting_keeps_the_place() {
        let mut params = Params::parse(";branch=z9hG4bKa;rport").unwrap();
        params.set("rport", Some("5061"));
        params.set("received", Some("192.0.2.1"));
        assert_eq!(
            params.to_string(),
            ";branch=z9hG4bKa;rport=5061;received=192.0.2.1"
        );
        params.remove("RPORT");
        assert!(!params.has("rport"));
    }
}
