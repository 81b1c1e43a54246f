//! The page of credits.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use housecall_store::{Page, Watch};

use super::chart::Picture;
use super::orders::{Notice, OrderLine};
use super::statement::Line;
use super::sum;
use super::watch::Fields;
use crate::error::AppError;
use crate::form::Form;
use crate::money;
use crate::page::{self, Chrome, Here};
use crate::reports::Names;
use crate::sign_in::Staff;
use crate::state::App;
use crate::token::Token;

/// Entries on a page.
const ENTRIES: u32 = 50;
/// The newest orders and notices.
const ORDERS: u32 = 20;
const NOTICES: u32 = 20;
/// Further back than this nobody leafs: reports have filters.
const PAGES_MAX: u32 = 10_000;

/// What was typed into a form that is shown again, and what is wrong with it.
#[derive(Default)]
pub(super) struct Typed {
    payment: Option<PaymentFields>,
    watch: Option<Fields>,
    wrong_payment: Vec<String>,
    wrong_order: Vec<String>,
    wrong_watch: Vec<String>,
}

#[derive(Default)]
struct PaymentFields {
    credits: String,
    price: String,
    reference: String,
}

impl Typed {
    pub(super) fn payment(posted: &Form, wrong: Vec<String>) -> Self {
        let text = |name| posted.one(name).to_owned();
        let payment = PaymentFields {
            credits: text("credits"),
            price: text("price"),
            reference: text("reference"),
        };
        Self {
            payment: Some(payment),
            wrong_payment: wrong,
            ..Self::default()
        }
    }

    pub(super) fn order(wrong: Vec<String>) -> Self {
        Self {
            wrong_order: wrong,
            ..Self::default()
        }
    }

    pub(super) fn watch(posted: &Form, wrong: Vec<String>) -> Self {
        Self {
            watch: Some(Fields::typed(posted)),
            wrong_watch: wrong,
            ..Self::default()
        }
    }

    fn status(&self) -> StatusCode {
        let wrong = [&self.wrong_payment, &self.wrong_order, &self.wrong_watch];
        match wrong.iter().all(|wrong| wrong.is_empty()) {
            true => StatusCode::OK,
            false => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }
}

#[derive(Template)]
#[template(path = "credits/show.html")]
struct CreditsPage {
    chrome: Chrome,
    may_change: bool,
    currency: String,
    picture: Option<Picture>,
    lines: Vec<Line>,
    newer: Option<u32>,
    older: Option<u32>,
    orders: Vec<OrderLine>,
    notices: Vec<Notice>,
    payment: PaymentFields,
    once: String,
    watch: Fields,
    wrong_payment: Vec<String>,
    wrong_order: Vec<String>,
    wrong_watch: Vec<String>,
    zone: String,
}

/// Shows the page: a part of the statement, and what was typed where it could not be done.
pub(super) async fn page(
    app: &App,
    staff: &Staff,
    number: u32,
    typed: Typed,
) -> Result<Response, AppError> {
    let account = money::account(staff.practice);
    let number = number.min(PAGES_MAX);
    let part = Page {
        offset: number * ENTRIES,
        // One more, to know whether there are older ones.
        limit: ENTRIES + 1,
    };
    let mut entries = app.store.statement(&account, part).await?;
    let has_older = entries.len() > ENTRIES as usize;
    entries.truncate(ENTRIES as usize);
    let orders = app.store.orders(&account, Page::first(ORDERS)).await?;
    let told = app.store.told(&account, Page::first(NOTICES)).await?;
    let watch = app.store.watched(&account).await?;
    let names = Names::of(&app.db, staff.practice).await?;
    let limit = watch.as_ref().and_then(Watch::alert_limit);
    let status = typed.status();
    let shown = CreditsPage {
        chrome: Chrome::new(app, staff, Here::Credits).await?,
        may_change: !staff.is_practitioner(),
        currency: sum::currency(&staff.country).map_or_else(String::new, |it| it.to_string()),
        picture: Picture::of(&entries, limit.map(|limit| limit.0)),
        lines: entries
            .iter()
            .map(|entry| Line::of(entry, staff, &names))
            .collect(),
        newer: number.checked_sub(1),
        older: has_older.then_some(number + 1),
        orders: orders
            .iter()
            .map(|order| OrderLine::of(order, staff))
            .collect(),
        notices: told
            .iter()
            .filter_map(|told| Notice::of(told, staff))
            .collect(),
        payment: typed.payment.unwrap_or_default(),
        once: Token::random()?.reveal().to_owned(),
        watch: typed.watch.unwrap_or_else(|| Fields::of(watch.as_ref())),
        wrong_payment: typed.wrong_payment,
        wrong_order: typed.wrong_order,
        wrong_watch: typed.wrong_watch,
        zone: staff.zone.iana_name().unwrap_or("UTC").to_owned(),
    };
    Ok((status, page::html(&shown)?).into_response())
}
