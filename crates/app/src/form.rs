//! A posted form as its fields, in order; repeated fields are kept.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;

use crate::error::AppError;

/// More fields than this is not one of our forms.
const FIELDS_MAX: usize = 200;

/// The fields of a posted form.
#[derive(Clone, Default)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads `application/x-www-form-urlencoded` text.
    ///
    /// # Errors
    /// When there are more than 200 fields.
    pub fn parse(body: &[u8]) -> Result<Self, AppError> {
        let fields: Vec<_> = form_urlencoded::parse(body).take(FIELDS_MAX + 1).collect();
        if fields.len() > FIELDS_MAX {
            return Err(AppError::invalid("This form has too many fields."));
        }
        Ok(Self(
            fields
                .into_iter()
                .map(|(name, value)| (name.into_owned(), clean(&value)))
                .collect(),
        ))
    }

    /// Returns the first value of a field, trimmed; empty when it is absent.
    pub fn one(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(n, _)| n == name)
            .map_or("", |(_, value)| value.trim())
    }

    /// Returns every value of a field that is not empty, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(n, _)| n == name)
            .map(|(_, value)| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// Returns every value of a field, empty ones too: for fields that stand side by side.
    pub fn column<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(n, _)| n == name)
            .map(|(_, value)| value.trim())
    }

    /// Returns a field of at most `most` characters.
    ///
    /// # Errors
    /// When it is longer; the words name the field as `label`.
    pub fn text(&self, name: &str, label: &str, most: usize) -> Result<String, String> {
        let value = self.one(name);
        let length = value.chars().count();
        if length > most {
            return Err(format!(
                "{label} is {length} characters long; {most} is the most."
            ));
        }
        Ok(value.to_owned())
    }
}

/// Control characters have no place in our fields, and NUL would end text early elsewhere. Line breaks stay, as one kind.
fn clean(value: &str) -> String {
    value
        .replace("\r\n", "\n")
        .chars()
        .filter(|c| !c.is_control() || *c == '\n' || *c == '\t')
        .collect()
}

/// Returns the text as one value of a query string.
pub fn encode(value: &str) -> String {
    form_urlencoded::byte_serialize(value.as_bytes()).collect()
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = AppError;

    async fn from_request(request: Request, state: &S) -> Result<Self, AppError> {
        let kind = request
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|v| v.to_str().ok())
            .unwrap_or("");
        if !kind.starts_with("application/x-www-form-urlencoded") {
            return Err(AppError::invalid(
                "This page expected a form and was sent something else.",
            ));
        }
        let body = Bytes::from_request(request, state)
            .await
            .map_err(|e| AppError::unreadable(&e))?;
        Self::parse(&body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_fields_are_kept_in_order() {
        let form = Form::parse(b"patient=3&title=+A+b+&patient=&patient=1").unwrap();
        assert_eq!(form.all("patient").collect::<Vec<_>>(), ["3", "1"]);
        assert_eq!(form.column("patient").count(), 3);
        assert_eq!(form.one("title"), "A b");
        assert_eq!(form.one("absent"), "");
    }

    #[test]
    fn hostile_forms_are_bounded_and_cleaned() {
        let many = "a=1&".repeat(FIELDS_MAX + 1);
        assert!(Form::parse(many.as_bytes()).is_err());
        let form = Form::parse(b"name=%00Sam%1b%5b31m%0d%0aLee%ff&x=%zz&=&&&").unwrap();
        assert_eq!(form.one("name"), "Sam[31m\nLee\u{fffd}");
        assert!(form.text("name", "The name", 3).is_err());
    }
}
