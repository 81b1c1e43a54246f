//! The credits of a practice: what is there, how it came and went, and what was paid for it (M12, M13).
//!
//! Everybody of the practice may look. Only administrators record payments and say when credits are to be ordered.

mod chart;
mod orders;
mod payment;
mod show;
mod statement;
mod sum;
mod watch;

use axum::Router;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use housecall_store::{Order, OrderId, PaymentFact};
use serde::Deserialize;

use crate::audit::{self, Entry};
use crate::error::AppError;
use crate::form::Form;
use crate::money;
use crate::sign_in::Staff;
use crate::state::App;
use payment::Reference;
use show::Typed;

/// The page of credits, and what is done on it.
pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/credits", get(show))
        .route("/credits/payments", post(record))
        .route("/credits/orders", post(tell))
        .route("/credits/watch", post(watch))
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    page: u32,
}

async fn show(
    State(app): State<App>,
    staff: Staff,
    Query(asked): Query<Asked>,
) -> Result<Response, AppError> {
    show::page(&app, &staff, asked.page, Typed::default()).await
}

/// Records a payment that was made for credits which nobody had ordered here.
async fn record(State(app): State<App>, staff: Staff, posted: Form) -> Result<Response, AppError> {
    administrator(&staff)?;
    let payment = match payment::read(&posted, &staff) {
        Ok(payment) => payment,
        Err(wrong) => return show::page(&app, &staff, 0, Typed::payment(&posted, wrong)).await,
    };
    note(&app, &staff, "credits.pay", of_order(&payment.order)).await?;
    match payment.record(&app).await? {
        Ok(()) => Ok(back()),
        Err(words) => show::page(&app, &staff, 0, Typed::payment(&posted, vec![words])).await,
    }
}

/// Says what became of an order: it was paid, will not be paid, or the payment went back.
async fn tell(State(app): State<App>, staff: Staff, posted: Form) -> Result<Response, AppError> {
    administrator(&staff)?;
    let order = of_practice(&app, &staff, &posted).await?;
    let (action, fact) = match posted.one("what") {
        "paid" => match Reference::read(&posted, &staff) {
            Ok(reference) => ("credits.pay", reference.pays(&order, &staff)),
            Err(words) => return show::page(&app, &staff, 0, Typed::order(vec![words])).await,
        },
        "unpaid" => {
            let why = format!("{} says so", staff.actor());
            ("credits.unpaid", PaymentFact::Failed { why })
        }
        "refunded" => ("credits.refund", refund(&order, &staff)?),
        _ => return Err(AppError::invalid("There is no such button.")),
    };
    note(&app, &staff, action, of_order(&order)).await?;
    match payment::hear(&app, order.id(), fact).await? {
        Ok(_) => Ok(back()),
        Err(words) => show::page(&app, &staff, 0, Typed::order(vec![words])).await,
    }
}

fn refund(order: &Order, staff: &Staff) -> Result<PaymentFact, AppError> {
    let unpaid =
        || AppError::invalid("This order was never paid, so there is nothing to take back.");
    Ok(PaymentFact::Refunded {
        reference: order.payment().ok_or_else(unpaid)?.to_owned(),
        by: staff.actor(),
    })
}

/// Says when the practice is told that credits run low, and when they are ordered (M13).
async fn watch(State(app): State<App>, staff: Staff, posted: Form) -> Result<Response, AppError> {
    administrator(&staff)?;
    let (alert_at, top_up) = match watch::read(&posted, &staff) {
        Ok(read) => read,
        Err(wrong) => return show::page(&app, &staff, 0, Typed::watch(&posted, wrong)).await,
    };
    let account = money::account(staff.practice);
    note(&app, &staff, "credits.watch", account.to_string()).await?;
    app.store.watch(&account, alert_at, top_up).await?;
    Ok(back())
}

fn of_order(order: &Order) -> String {
    format!("order:{}", order.id())
}

fn back() -> Response {
    Redirect::to("/credits").into_response()
}

fn administrator(staff: &Staff) -> Result<(), AppError> {
    if staff.is_practitioner() {
        return Err(AppError::NotPermitted(
            "Only administrators record payments and decide on orders of credits.",
        ));
    }
    Ok(())
}

/// The order that a form names, if it is the practice's.
async fn of_practice(app: &App, staff: &Staff, posted: &Form) -> Result<Order, AppError> {
    const NO_SUCH_ORDER: AppError = AppError::NotFound("There is no such order in this practice.");
    let id = OrderId::new(posted.one("order"));
    let order = match app.store.order(&id).await {
        Ok(order) => order,
        Err(housecall_store::StoreError::Unknown { .. }) => return Err(NO_SUCH_ORDER),
        Err(error) => return Err(error.into()),
    };
    if *order.account() != money::account(staff.practice) {
        return Err(NO_SUCH_ORDER);
    }
    Ok(order)
}

/// Written before it is done: what cannot be noted is not done.
async fn note(app: &App, staff: &Staff, action: &str, subject: String) -> Result<(), AppError> {
    let entry = Entry {
        at_ms: app.now_ms(),
        practice: Some(staff.practice),
        actor: staff.actor(),
        action,
        subject,
    };
    Ok(audit::write(&app.db, entry).await?)
}
