//! The names behind `user:1`, `patient:12`, `contact:3`: records keep identities, readers want people.

use std::collections::BTreeMap;

use sqlx::AnyPool;

use crate::error::AppError;
use crate::ids::{Person, PracticeId};
use crate::people;

/// A choice of a filter.
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) name: String,
}

/// The names of a practice's people.
pub(crate) struct Names(BTreeMap<String, String>);

impl Names {
    /// Reads them all: a practice's address book is small beside its report.
    pub(crate) async fn of(db: &AnyPool, practice: PracticeId) -> Result<Self, AppError> {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT 'user:' || id, name FROM users WHERE practice_id = $1
             UNION ALL SELECT 'patient:' || id, name FROM patients WHERE practice_id = $1
             UNION ALL SELECT 'contact:' || id, name FROM contacts WHERE practice_id = $1",
        )
        .bind(practice)
        .fetch_all(db)
        .await?;
        Ok(Self(rows.into_iter().collect()))
    }

    /// Returns the name, or what is written in the record when nobody is known by it.
    pub(crate) fn name<'a>(&'a self, reference: &'a str) -> &'a str {
        self.0.get(reference).map_or(reference, String::as_str)
    }

    /// Returns the practitioners and administrators, to choose from.
    pub(super) fn staff(&self) -> Vec<Choice> {
        self.choices("user:")
    }

    /// Returns patients and contacts, to choose from.
    pub(super) fn people(&self) -> Vec<Choice> {
        let mut people = self.choices("patient:");
        people.extend(self.choices("contact:").into_iter().map(|contact| Choice {
            name: format!("{} (contact)", contact.name),
            ..contact
        }));
        people
    }

    /// Returns the patients, to choose from.
    pub(super) fn patients(&self) -> Vec<Choice> {
        self.choices("patient:")
    }

    fn choices(&self, kind: &str) -> Vec<Choice> {
        let of_kind = self.0.iter().filter(|(value, _)| value.starts_with(kind));
        let mut choices: Vec<Choice> = of_kind
            .map(|(value, name)| Choice {
                value: value.clone(),
                name: name.clone(),
            })
            .collect();
        choices.sort_by_key(|choice| choice.name.to_lowercase());
        choices
    }
}

/// Returns the profile page of whoever a record names, if it is a person of the address book.
pub(super) fn profile(reference: &str) -> Option<String> {
    Person::parse(reference).map(people::path)
}
