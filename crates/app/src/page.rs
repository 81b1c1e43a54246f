//! What every page of staff has around it: navigation, who is signed in, the credits, the numbers to call from.

use askama::Template;
use axum::response::Html;
use housecall::ports::Funds;

use crate::error::AppError;
use crate::numbers::{self, DedicatedNumber};
use crate::sign_in::Staff;
use crate::state::App;
use crate::{assets, money};

/// Fewer credits than this are shown as a warning: an afternoon of visits.
const CREDITS_LOW: i64 = 20;

/// Which part of the navigation a page belongs to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Here {
    /// The calendar and appointments.
    Calendar,
    /// Patients and contacts.
    People,
    /// Reports.
    Reports,
    /// Credits.
    Credits,
    /// Who is signed in.
    Me,
}

/// The frame of a staff page; `base.html` draws it.
pub struct Chrome {
    /// Where the front end's files are.
    pub assets: &'static str,
    /// The part of the navigation to mark.
    pub here: Here,
    /// Who is signed in.
    pub name: String,
    /// What they may do, in a word.
    pub role: &'static str,
    /// The practice's name.
    pub practice: String,
    /// The practice's credits.
    pub credits: Funds,
    /// The numbers this person may call from (P2, P3); empty: no call icons anywhere.
    pub call_numbers: Vec<CallFrom>,
}

/// A number to call from, as the call panel offers it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CallFrom {
    /// E.164.
    pub number: String,
    /// As people write it.
    pub national: String,
    /// Whose it is.
    pub label: String,
}

impl Chrome {
    /// Gathers what the frame shows.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn new(app: &App, staff: &Staff, here: Here) -> Result<Self, AppError> {
        Ok(Self {
            assets: assets::base(),
            here,
            name: staff.name.clone(),
            role: staff.role.words(),
            practice: staff.practice_name.clone(),
            credits: money::funds(app, staff.practice).await?,
            call_numbers: numbers::to_call_from(&app.db, staff)
                .await?
                .into_iter()
                .map(CallFrom::from)
                .collect(),
        })
    }

    /// True when this is the part of the navigation a page belongs to, named as in `base.html`.
    pub fn is_here(&self, part: &str) -> bool {
        match self.here {
            Here::Calendar => part == "calendar",
            Here::People => part == "people",
            Here::Reports => part == "reports",
            Here::Credits => part == "credits",
            Here::Me => part == "me",
        }
    }

    /// True when little enough is left that somebody should top up.
    pub fn credits_low(&self) -> bool {
        self.credits.available < CREDITS_LOW
    }

    /// True when calls can be made at all (P2).
    pub fn can_call(&self) -> bool {
        !self.call_numbers.is_empty()
    }
}

impl From<DedicatedNumber> for CallFrom {
    fn from(number: DedicatedNumber) -> Self {
        Self {
            national: number.shown(),
            label: number
                .practitioner
                .unwrap_or_else(|| "the practice".to_owned()),
            number: number.number,
        }
    }
}

/// Renders a page.
///
/// # Errors
/// When the template fails: a mistake of ours.
pub fn html(page: &impl Template) -> Result<Html<String>, AppError> {
    Ok(Html(page.render()?))
}

/// Returns the letters of an avatar: `SO` for Sam Okafor, without titles.
pub fn initials(name: &str) -> String {
    let mut words = name.split_whitespace().filter(|word| {
        !matches!(
            word.trim_end_matches('.'),
            "Dr" | "Prof" | "Mr" | "Mrs" | "Ms" | "Mx"
        )
    });
    let first = words.next().and_then(|word| word.chars().next());
    let last = words.next_back().and_then(|word| word.chars().next());
    first
        .into_iter()
        .chain(last)
        .flat_map(char::to_uppercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::initials;

    #[test]
    fn initials_leave_titles_out() {
        for (name, letters) in [
            ("Sam Okafor", "SO"),
            ("Dr Dana Reed", "DR"),
            ("Cher", "C"),
            ("", ""),
            ("Ana Maria Ruiz", "AR"),
        ] {
            assert_eq!(initials(name), letters);
        }
    }
}
