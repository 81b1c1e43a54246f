//! Patients and contacts, and the numbers they are rung on.

use sqlx::AnyPool;

use crate::error::AppError;
use crate::ids::{ContactId, PatientId, Person, PhoneNumberId, PracticeId};
use crate::numbers;

/// Somebody of the practice's address book.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Who.
    pub person: Person,
    /// The name.
    pub name: String,
    /// Born, as `1951-05-04`; patients only.
    pub born: Option<String>,
    /// Where they work; contacts only.
    pub organisation: Option<String>,
    /// The email address.
    pub email: Option<String>,
    /// The phone numbers, in the order they were written.
    pub numbers: Vec<PhoneNumber>,
}

/// A phone number of a person.
#[derive(Clone, Debug, Eq, PartialEq, sqlx::FromRow)]
pub struct PhoneNumber {
    /// Its identity: what a page asks to dial.
    pub id: PhoneNumberId,
    /// `Mobile`, `Home`, `Work`.
    pub label: String,
    /// As it was written; the phone's rules read it when it is dialled.
    pub number: String,
}

impl PhoneNumber {
    /// Returns the number as people write it.
    pub fn shown(&self) -> String {
        numbers::shown(&self.number)
    }
}

impl Profile {
    /// `Patient` or `Contact`.
    pub fn kind(&self) -> &'static str {
        match self.person {
            Person::Patient(_) => "Patient",
            Person::Contact(_) => "Contact",
        }
    }

    /// Returns the address of the profile page.
    pub fn path(&self) -> String {
        path(self.person)
    }
}

/// Returns the address of a person's profile page.
pub fn path(person: Person) -> String {
    match person {
        Person::Patient(id) => format!("/people/patients/{id}"),
        Person::Contact(id) => format!("/people/contacts/{id}"),
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    name: String,
    born: Option<String>,
    organisation: Option<String>,
    email: Option<String>,
}

/// Returns a person of the practice, with their numbers.
///
/// # Errors
/// When the database refuses.
pub async fn find(
    db: &AnyPool,
    practice: PracticeId,
    person: Person,
) -> Result<Option<Profile>, AppError> {
    let row: Option<Row> = match person {
        Person::Patient(id) => {
            sqlx::query_as("SELECT name, born, NULL AS organisation, email FROM patients WHERE id = $1 AND practice_id = $2")
                .bind(id)
                .bind(practice)
                .fetch_optional(db)
                .await?
        }
        Person::Contact(id) => {
            sqlx::query_as("SELECT name, NULL AS born, organisation, email FROM contacts WHERE id = $1 AND practice_id = $2")
                .bind(id)
                .bind(practice)
                .fetch_optional(db)
                .await?
        }
    };
    let Some(row) = row else { return Ok(None) };
    let numbers = numbers_of(db, person).await?;
    Ok(Some(Profile {
        person,
        name: row.name,
        born: row.born,
        organisation: row.organisation,
        email: row.email,
        numbers,
    }))
}

/// Returns one number of one person of the practice: what a page may dial (P1). A number of anybody else is none.
///
/// # Errors
/// When the database refuses.
pub async fn number(
    db: &AnyPool,
    practice: PracticeId,
    person: Person,
    id: PhoneNumberId,
) -> Result<Option<(Profile, PhoneNumber)>, AppError> {
    let profile = find(db, practice, person).await?;
    Ok(profile.and_then(|profile| {
        let number = profile
            .numbers
            .iter()
            .find(|number| number.id == id)
            .cloned();
        number.map(|number| (profile, number))
    }))
}

/// Returns a person's numbers, in the order they were written. The caller has checked the practice.
async fn numbers_of(db: &AnyPool, person: Person) -> Result<Vec<PhoneNumber>, AppError> {
    let numbers = match person {
        Person::Patient(PatientId(id)) => {
            sqlx::query_as("SELECT id, label, number FROM phone_numbers WHERE patient_id = $1 ORDER BY position, id").bind(id).fetch_all(db).await?
        }
        Person::Contact(ContactId(id)) => {
            sqlx::query_as("SELECT id, label, number FROM phone_numbers WHERE contact_id = $1 ORDER BY position, id").bind(id).fetch_all(db).await?
        }
    };
    Ok(numbers)
}

/// One line of the list.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Listed {
    /// `patient` or `contact`.
    pub kind: String,
    /// The row's number.
    pub id: i64,
    /// The name.
    pub name: String,
    /// Born, or where they work.
    pub detail: Option<String>,
    /// The first number's identity.
    pub number_id: Option<i64>,
    /// The first number.
    pub number: Option<String>,
}

impl Listed {
    /// Returns who this is.
    pub fn person(&self) -> Person {
        if self.kind == "patient" {
            Person::Patient(PatientId(self.id))
        } else {
            Person::Contact(ContactId(self.id))
        }
    }

    /// Returns the address of the profile page.
    pub fn path(&self) -> String {
        path(self.person())
    }

    /// Returns the first number as people write it.
    pub fn shown_number(&self) -> String {
        self.number
            .as_deref()
            .map(numbers::shown)
            .unwrap_or_default()
    }
}

/// Which people a list shows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Which {
    /// Patients and contacts.
    Everybody,
    /// Patients only.
    Patients,
    /// Contacts only.
    Contacts,
}

/// Most lines a list shows; more are found by searching.
pub const LISTED_MAX: usize = 200;

/// Returns people whose name, organisation or number contains `search`, by name; at most [`LISTED_MAX`] and one more.
///
/// # Errors
/// When the database refuses.
pub async fn search(
    db: &AnyPool,
    practice: PracticeId,
    which: Which,
    search: &str,
) -> Result<Vec<Listed>, AppError> {
    let digits = search.chars().filter(char::is_ascii_digit);
    let digits: String = digits.take(SEARCHED_MAX).collect();
    let listed = sqlx::query_as(
        "SELECT kind, id, name, detail, number_id, number FROM (
            SELECT 'patient' AS kind, p.id, p.name, p.born AS detail, '' AS more, n.id AS number_id, n.number, p.practice_id
            FROM patients p LEFT JOIN phone_numbers n ON n.id = (SELECT id FROM phone_numbers WHERE patient_id = p.id ORDER BY position, id LIMIT 1)
            UNION ALL
            SELECT 'contact', c.id, c.name, c.organisation, COALESCE(c.organisation, ''), n.id, n.number, c.practice_id
            FROM contacts c LEFT JOIN phone_numbers n ON n.id = (SELECT id FROM phone_numbers WHERE contact_id = c.id ORDER BY position, id LIMIT 1)) AS people
         WHERE practice_id = $1 AND ($2 = '' OR kind = $2)
           AND (lower(name) LIKE lower($3) ESCAPE '!' OR lower(more) LIKE lower($3) ESCAPE '!'
             OR (length($4) >= 3 AND replace(replace(number, ' ', ''), '+61', '0') LIKE '%' || $4 || '%'))
         ORDER BY lower(name), kind, id LIMIT $5",
    )
    .bind(practice)
    .bind(match which {
        Which::Everybody => "",
        Which::Patients => "patient",
        Which::Contacts => "contact",
    })
    .bind(containing(search))
    .bind(digits)
    .bind(i64::try_from(LISTED_MAX + 1).unwrap_or(i64::MAX))
    .fetch_all(db)
    .await?;
    Ok(listed)
}

/// Nobody's name is longer.
const SEARCHED_MAX: usize = 200;

/// The pattern of LIKE that finds `text` anywhere, whatever is in it.
fn containing(text: &str) -> String {
    let mut pattern = "%".to_owned();
    for character in text.chars().filter(|c| !c.is_control()).take(SEARCHED_MAX) {
        if matches!(character, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(character);
    }
    pattern + "%"
}
