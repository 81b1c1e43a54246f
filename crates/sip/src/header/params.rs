use std::borrow::Cow;
use std::fmt;

use super::ValueError;
use crate::text;

/// The `;name=value` list behind a header value or a URI, in the order given.
///
/// As [`ParamsRef`] it borrows the text it was read from.
#[derive(Clone, Copy, Default)]
pub struct Params<T = String>(T);

/// [`Params`] that lie in a message.
pub type ParamsRef<'a> = Params<&'a str>;

/// One parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param<'a> {
    /// The name as written; compared without regard to case.
    pub name: &'a str,
    /// The value as written, quotes included; `None` without `=`.
    pub value: Option<&'a str>,
}

impl Params {
    /// Reads `;a;b=c`. Empty parameters (`;;`) are passed over: devices do end a header with a stray semicolon.
    ///
    /// # Errors
    /// The text begins with anything but a semicolon, or a quoted value never ends.
    pub fn parse(list: &str) -> Result<Params, ValueError> {
        ParamsRef::of(list).map(ParamsRef::into_owned)
    }

    /// Sets the parameter `name`, in its place if it is there already.
    pub fn set(&mut self, name: &str, value: Option<&str>) {
        let new = Param { name, value };
        let mut is_set = false;
        let mut list = String::with_capacity(self.0.len() + name.len() + 8);
        for param in self.iter() {
            let is_it = param.name.eq_ignore_ascii_case(name) && !is_set;
            is_set |= is_it;
            push(&mut list, if is_it { new } else { param });
        }
        if !is_set {
            push(&mut list, new);
        }
        self.0 = list;
    }

    /// Removes every parameter `name`.
    pub fn remove(&mut self, name: &str) {
        let kept = self
            .iter()
            .filter(|param| !param.name.eq_ignore_ascii_case(name));
        self.0 = written(kept);
    }
}

impl<'a> Params<&'a str> {
    /// Reads `;a;b=c` where it stands, as [`Params::parse`] does.
    ///
    /// # Errors
    /// The same.
    #[inline]
    pub fn of(list: &'a str) -> Result<ParamsRef<'a>, ValueError> {
        let list = text::trim(list);
        match list.as_bytes().first() {
            None => Ok(Params(list)),
            Some(b';') if is_list(list) => Ok(Params(list)),
            Some(b';') => Err(ValueError::Malformed("parameter")),
            Some(_) => Err(ValueError::Malformed("parameters")),
        }
    }

    /// Returns the parameters in order, for as long as the text lives.
    pub fn into_params(self) -> impl Iterator<Item = Param<'a>> {
        params(self.0)
    }

    /// Returns a copy that outlives the text.
    pub fn into_owned(self) -> Params {
        Params(written(self.iter()))
    }
}

impl<T: AsRef<str>> Params<T> {
    /// Returns the value of the first parameter `name`; `None` where it is absent or has no value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.find(name)?.value
    }

    /// Returns the value of the first parameter `name` without its quotes.
    pub fn unquoted(&self, name: &str) -> Option<Cow<'_, str>> {
        self.get(name).map(text::unquote)
    }

    /// Returns whether there is a parameter `name`, with or without a value.
    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Returns the parameters in order.
    pub fn iter(&self) -> impl Iterator<Item = Param<'_>> {
        params(self.0.as_ref())
    }

    fn find(&self, name: &str) -> Option<Param<'_>> {
        self.iter()
            .find(|param| param.name.eq_ignore_ascii_case(name))
    }
}

impl<T: AsRef<str>, U: AsRef<str>> PartialEq<Params<U>> for Params<T> {
    fn eq(&self, other: &Params<U>) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<T: AsRef<str>> Eq for Params<T> {}

impl<T: AsRef<str>> fmt::Display for Params<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().try_for_each(|param| param.fmt(f))
    }
}

impl<T: AsRef<str>> fmt::Debug for Params<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Params({self})")
    }
}

impl fmt::Display for Param<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value {
            Some(value) => write!(f, ";{}={value}", self.name),
            None => write!(f, ";{}", self.name),
        }
    }
}

fn written<'a>(params: impl Iterator<Item = Param<'a>>) -> String {
    let mut list = String::new();
    params.for_each(|param| push(&mut list, param));
    list
}

fn push(list: &mut String, param: Param<'_>) {
    list.push(';');
    list.push_str(param.name);
    if let Some(value) = param.value {
        list.push('=');
        list.push_str(value);
    }
}

fn params(list: &str) -> impl Iterator<Item = Param<'_>> {
    text::elements(list, b';')
        .filter(|element| !element.is_empty())
        .map(param)
}

fn param(element: &str) -> Param<'_> {
    match text::split_outside(element, b'=') {
        (name, Some(value)) => Param {
            name: text::trim(name),
            value: Some(text::trim(value)),
        },
        (name, None) => Param { name, value: None },
    }
}

fn is_list(list: &str) -> bool {
    has_plain_names(list.as_bytes()) || params(list).all(is_param)
}

// Where nothing is quoted or bracketed, all that can be wrong is a value without a name.
fn has_plain_names(list: &[u8]) -> bool {
    let mut before = list;
    while let Some(at) = text::find(before, [b'=', b'"', b'<']) {
        match before.get(at.saturating_sub(1)..) {
            Some([name, b'=', after @ ..]) if *name != b';' && !text::is_blank(*name) => {
                before = after
            }
            _ => return false,
        }
    }
    true
}

// A value that opens a quote must be that quote and nothing else.
fn is_param(param: Param<'_>) -> bool {
    let is_value =
        |value: &str| !value.starts_with('"') || text::quoted_length(value) == Some(value.len());
    !param.name.is_empty() && param.value.is_none_or(is_value)
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
