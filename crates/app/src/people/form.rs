//! The form of a person: what it shows, reads and saves.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;
use sqlx::AnyConnection;

use crate::audit::{self, Entry};
use crate::db;
use crate::error::AppError;
use crate::form::Form;
use crate::ids::{ContactId, PatientId, Person};
use crate::page::{self, Chrome, Here};
use crate::people::model::{self, Profile};
use crate::sign_in::Staff;
use crate::state::App;

/// More numbers than this nobody has.
const NUMBERS_MAX: usize = 5;
/// A form offers at least this many.
const NUMBERS_SHOWN: usize = 2;

/// Which of the two lists.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Patient,
    Contact,
}

impl Kind {
    fn person(self, id: i64) -> Person {
        match self {
            Self::Patient => Person::Patient(PatientId(id)),
            Self::Contact => Person::Contact(ContactId(id)),
        }
    }

    fn folder(self) -> &'static str {
        match self {
            Self::Patient => "/people/patients",
            Self::Contact => "/people/contacts",
        }
    }
}

/// A person as typed and checked.
pub(super) struct Draft {
    name: String,
    born: Option<String>,
    organisation: Option<String>,
    email: Option<String>,
    numbers: Vec<(String, String)>,
}

struct NumberField {
    label: String,
    number: String,
}

#[derive(Template)]
#[template(path = "people/form.html")]
struct FormPage {
    chrome: Chrome,
    is_patient: bool,
    is_new: bool,
    action: String,
    back: String,
    name: String,
    born: String,
    organisation: String,
    email: String,
    numbers: Vec<NumberField>,
    wrong: Vec<String>,
}

/// Shows the form, empty or of somebody.
pub(super) async fn show(
    app: &App,
    staff: &Staff,
    kind: Kind,
    id: Option<i64>,
) -> Result<Response, AppError> {
    let chrome = Chrome::new(app, staff, Here::People).await?;
    let profile = match id {
        Some(id) => Some(
            model::find(&app.db, staff.practice, kind.person(id))
                .await?
                .ok_or(super::NO_SUCH_PERSON)?,
        ),
        None => None,
    };
    let page = FormPage::of(chrome, kind, id, profile);
    Ok(page::html(&page)?.into_response())
}

/// Shows the form again with what was typed and what is wrong with it.
pub(super) async fn refuse(
    app: &App,
    staff: &Staff,
    kind: Kind,
    id: Option<i64>,
    posted: &Form,
    wrong: Vec<String>,
) -> Result<Response, AppError> {
    let mut page = FormPage::of(Chrome::new(app, staff, Here::People).await?, kind, id, None);
    let text = |name: &str| posted.one(name).to_owned();
    (page.name, page.born, page.organisation, page.email) = (
        text("name"),
        text("born"),
        text("organisation"),
        text("email"),
    );
    let typed = posted
        .column("label")
        .zip(posted.column("number"))
        .take(NUMBERS_MAX);
    page.numbers = padded(
        typed
            .map(|(label, number)| NumberField {
                label: label.to_owned(),
                number: number.to_owned(),
            })
            .collect(),
    );
    page.wrong = wrong;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page::html(&page)?).into_response())
}

impl FormPage {
    fn of(chrome: Chrome, kind: Kind, id: Option<i64>, profile: Option<Profile>) -> Self {
        let numbers = profile
            .iter()
            .flat_map(|profile| &profile.numbers)
            .map(|n| NumberField {
                label: n.label.clone(),
                number: n.shown(),
            })
            .collect();
        let (name, born, organisation, email) = profile
            .map(|p| (p.name, p.born, p.organisation, p.email))
            .unwrap_or_default();
        Self {
            chrome,
            is_patient: kind == Kind::Patient,
            is_new: id.is_none(),
            action: id.map_or_else(
                || format!("{}/new", kind.folder()),
                |id| format!("{}/{id}/edit", kind.folder()),
            ),
            back: id.map_or_else(
                || "/people".to_owned(),
                |id| format!("{}/{id}", kind.folder()),
            ),
            name,
            born: born.unwrap_or_default(),
            organisation: organisation.unwrap_or_default(),
            email: email.unwrap_or_default(),
            numbers: padded(numbers),
            wrong: Vec::new(),
        }
    }
}

/// One empty row more than there are numbers, and at least two rows.
fn padded(mut numbers: Vec<NumberField>) -> Vec<NumberField> {
    let rows = (numbers.len() + 1).clamp(NUMBERS_SHOWN, NUMBERS_MAX.max(numbers.len()));
    for index in numbers.len()..rows {
        let label = if index == 0 { "Mobile" } else { "Home" };
        numbers.push(NumberField {
            label: label.to_owned(),
            number: String::new(),
        });
    }
    numbers
}

/// Reads a posted form, or says everything that is wrong with it.
pub(super) fn read(posted: &Form) -> Result<Draft, Vec<String>> {
    let mut wrong = Vec::new();
    let mut keep = |result: Result<String, String>| {
        result.unwrap_or_else(|words| (wrong.push(words), String::new()).1)
    };
    let name = keep(posted.text("name", "The name", 200).and_then(|name| {
        if name.is_empty() {
            Err("Write the name.".to_owned())
        } else {
            Ok(name)
        }
    }));
    let born = keep(born(posted.one("born")));
    let organisation = keep(posted.text("organisation", "The organisation", 200));
    let email = keep(email(posted.one("email")));
    let numbers = numbers(posted).unwrap_or_else(|words| (wrong.push(words), Vec::new()).1);
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let some = |text: String| (!text.is_empty()).then_some(text);
    Ok(Draft {
        name,
        born: some(born),
        organisation: some(organisation),
        email: some(email),
        numbers,
    })
}

fn born(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Ok(String::new());
    }
    let date: Date = text
        .parse()
        .map_err(|_| "Write the date of birth as 1951-05-04.".to_owned())?;
    Ok(date.to_string())
}

fn email(text: &str) -> Result<String, String> {
    let plausible = text.is_empty()
        || (text.len() <= 254
            && !text.contains(char::is_whitespace)
            && text
                .split_once('@')
                .is_some_and(|(who, at)| !who.is_empty() && at.contains('.')));
    if plausible {
        Ok(text.to_owned())
    } else {
        Err("That is not an email address.".to_owned())
    }
}

fn numbers(posted: &Form) -> Result<Vec<(String, String)>, String> {
    let mut numbers = Vec::new();
    for (label, number) in posted
        .column("label")
        .zip(posted.column("number"))
        .filter(|(_, number)| !number.is_empty())
        .take(NUMBERS_MAX)
    {
        numbers.push((label_of(label), plausible(number)?));
    }
    Ok(numbers)
}

fn label_of(label: &str) -> String {
    let label: String = label.chars().take(40).collect();
    if label.is_empty() {
        "Phone".to_owned()
    } else {
        label
    }
}

/// What people type between digits is kept; whether it may be rung is decided when it is.
fn plausible(number: &str) -> Result<String, String> {
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    let plain = number
        .chars()
        .all(|c| c.is_ascii_digit() || " +()-./".contains(c));
    if plain && (3..=15).contains(&digits) && number.len() <= 40 {
        Ok(number.to_owned())
    } else {
        Err(
            "A phone number has 3 to 15 digits, such as 0491 570 006 or +61 491 570 006."
                .to_owned(),
        )
    }
}

/// Saves a person and returns who it is.
pub(super) async fn save(
    app: &App,
    staff: &Staff,
    kind: Kind,
    id: Option<i64>,
    draft: &Draft,
) -> Result<Person, AppError> {
    let mut tx = db::begin(&app.store).await?;
    let saved = match id {
        None => insert(&mut tx, app, staff, kind, draft).await?,
        Some(id) => update(&mut tx, staff, kind, id, draft)
            .await?
            .ok_or(super::NO_SUCH_PERSON)?,
    };
    let person = kind.person(saved);
    replace_numbers(&mut tx, person, &draft.numbers).await?;
    let action = if id.is_some() {
        "person.change"
    } else {
        "person.add"
    };
    let entry = Entry {
        at_ms: app.now_ms(),
        practice: Some(staff.practice),
        actor: staff.actor(),
        action,
        subject: person.to_string(),
    };
    audit::write(&mut *tx, entry).await?;
    tx.commit().await?;
    Ok(person)
}

async fn insert(
    tx: &mut AnyConnection,
    app: &App,
    staff: &Staff,
    kind: Kind,
    draft: &Draft,
) -> Result<i64, AppError> {
    let (statement, detail) = match kind {
        Kind::Patient => (
            "INSERT INTO patients (practice_id, name, born, email, created_ms) VALUES ($1, $2, $3, $4, $5) RETURNING id",
            &draft.born,
        ),
        Kind::Contact => (
            "INSERT INTO contacts (practice_id, name, organisation, email, created_ms) VALUES ($1, $2, $3, $4, $5) RETURNING id",
            &draft.organisation,
        ),
    };
    let query = sqlx::query_scalar(statement)
        .bind(staff.practice)
        .bind(&draft.name)
        .bind(detail)
        .bind(&draft.email)
        .bind(app.now_ms());
    Ok(query.fetch_one(tx).await?)
}

async fn update(
    tx: &mut AnyConnection,
    staff: &Staff,
    kind: Kind,
    id: i64,
    draft: &Draft,
) -> Result<Option<i64>, AppError> {
    let (statement, detail) = match kind {
        Kind::Patient => (
            "UPDATE patients SET name = $1, born = $2, email = $3 WHERE id = $4 AND practice_id = $5 RETURNING id",
            &draft.born,
        ),
        Kind::Contact => (
            "UPDATE contacts SET name = $1, organisation = $2, email = $3 WHERE id = $4 AND practice_id = $5 RETURNING id",
            &draft.organisation,
        ),
    };
    let query = sqlx::query_scalar(statement)
        .bind(&draft.name)
        .bind(detail)
        .bind(&draft.email)
        .bind(id)
        .bind(staff.practice);
    Ok(query.fetch_optional(tx).await?)
}

async fn replace_numbers(
    tx: &mut AnyConnection,
    person: Person,
    numbers: &[(String, String)],
) -> Result<(), AppError> {
    let (patient, contact) = match person {
        Person::Patient(id) => (Some(id), None),
        Person::Contact(id) => (None, Some(id)),
    };
    sqlx::query("DELETE FROM phone_numbers WHERE patient_id = $1 OR contact_id = $2")
        .bind(patient)
        .bind(contact)
        .execute(&mut *tx)
        .await?;
    for (position, (label, number)) in (0_i64..).zip(numbers) {
        sqlx::query("INSERT INTO phone_numbers (patient_id, contact_id, label, number, position) VALUES ($1, $2, $3, $4, $5)")
            .bind(patient)
            .bind(contact)
            .bind(label)
            .bind(number)
            .bind(position)
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_wrong_is_said_at_once() {
        let form = Form::parse(b"name=+&born=4.5.1951&email=nobody&label=Mobile&number=call%20me")
            .unwrap();
        assert_eq!(read(&form).err().unwrap().len(), 4);
    }

    #[test]
    fn a_plain_person_is_read() {
        let form = Form::parse(b"name=Lee+Park&born=1951-05-04&email=lee%40example.com&label=Mobile&number=0491+570+159&label=&number=").unwrap();
        let draft = read(&form).ok().unwrap();
        assert_eq!(
            draft.numbers,
            [("Mobile".to_owned(), "0491 570 159".to_owned())]
        );
    }
}
