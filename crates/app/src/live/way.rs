//! Where a consultation is held: here, or at another node.

use std::time::Duration;

use axum::extract::ws::WebSocket;
use housecall::{Seat, Visit, VisitPlan};
use housecall_store::{Claim, NodeView, Standing, StoreError};
use tokio::time::{Instant, sleep};

use super::by_phone::PhoneDesk;
use super::message::ToVisitPage;
use super::visit_socket::{self, Attendant, Page};
use super::{Live, directory, line};
use crate::appointments::Appointment;
use crate::error::AppError;
use crate::ids::{Person, PracticeId};
use crate::sign_in::Staff;
use crate::state::App;
use crate::token::TokenHash;
use crate::{money, pass};

/// A node that has not been heard for so long is not sent anybody: it is waited for, or declared gone.
const DOUBTED_AFTER: Duration = Duration::from_secs(5);
/// How often is looked again where somebody waits.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Longer than it takes to declare a node gone. The page opens its line anew then.
const WAIT_MAX: Duration = Duration::from_secs(60);

const NOT_HEARD: &str = "The server that held this consultation does not answer. It goes on at another one in a few seconds: stay on this page.";
const LOST_TOUCH: &str = "This server has lost touch with the clinic's records, so nobody can come in just now. Stay on this page.";
const TAKEN: &str = "Another server has taken over what was held here. Stay on this page: you are let in again in a moment.";

/// Who comes to which consultation.
pub(super) struct Comer {
    pub(super) practice: PracticeId,
    pub(super) appointment: Appointment,
    pub(super) attendant: Attendant,
    /// By which session they were let in.
    pub(super) session: TokenHash,
    /// Who the practitioner is, to the address book.
    pub(super) staff: Option<Staff>,
    /// The path of their socket, at any node.
    pub(super) path: String,
}

/// Where somebody is to go.
enum Way {
    Here(Visit),
    /// It was held, and is not open: how it ended.
    Over(String),
    Elsewhere(NodeView),
    /// Nowhere yet, and why.
    Wait(&'static str),
}

/// Brings somebody to their consultation: speaks with the page if it is held here, and sends it to the node that holds it if not.
pub(super) async fn bring(mut socket: WebSocket, app: App, comer: Comer) {
    let until = Instant::now() + WAIT_MAX;
    let mut said = None;
    while Instant::now() < until {
        match find(&app, &comer).await {
            Ok(Way::Here(visit)) => {
                let (clock, node) = match app.live() {
                    Ok(live) => (live.money.clone(), live.node.clone()),
                    Err(_) => return,
                };
                let appointment = comer.appointment;
                let desk = comer.staff.map(|staff| PhoneDesk {
                    app,
                    staff,
                    appointment,
                });
                let page = Page::new(visit, comer.attendant, clock, desk);
                return visit_socket::converse(socket, page, node).await;
            }
            Ok(Way::Over(words)) => {
                return visit_socket::show_over(socket, comer.attendant, words).await;
            }
            Ok(Way::Elsewhere(node)) => return send(socket, &app, &comer, &node).await,
            Ok(Way::Wait(words)) => {
                if said.replace(words) != Some(words) && tell(&mut socket, words).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                tracing::error!(%error, "no room could be opened");
                return;
            }
        }
        if stays(&mut socket).await.is_none() {
            return;
        }
    }
}

/// Waits a little with a page, which has nothing to say but that it goes: `None` then.
async fn stays(socket: &mut WebSocket) -> Option<()> {
    let waited = sleep(LOOK_EVERY);
    tokio::pin!(waited);
    loop {
        tokio::select! {
            () = &mut waited => return Some(()),
            said = socket.recv() => drop(said?.ok()?),
        }
    }
}

async fn tell(socket: &mut WebSocket, words: &str) -> Result<(), axum::Error> {
    let refused = ToVisitPage::Refused {
        what: "message",
        message: words.to_owned(),
    };
    line::send(socket, &refused).await
}

async fn send(mut socket: WebSocket, app: &App, comer: &Comer, node: &NodeView) {
    match pass::socket_at(app, node, &comer.path, comer.session).await {
        Ok(url) => {
            tracing::info!(node = node.name, epoch = %node.epoch, "a page is sent to the node that holds its consultation");
            let _ = line::send(&mut socket, &ToVisitPage::Elsewhere { url }).await;
        }
        Err(error) => tracing::error!(%error, "no pass could be written"),
    }
}

async fn find(app: &App, comer: &Comer) -> Result<Way, AppError> {
    let live = app.live()?;
    let name = directory::appointment_ref(comer.appointment.id);
    // Between a claim and its room nobody may give the claim back.
    let _turn = live.claiming.lock().await;
    if let Some(visit) = live.engine.find_visit(&name).await {
        return Ok(Way::Here(visit));
    }
    match live.node.standing() {
        Standing::Holds => {}
        Standing::OutOfTouch => return Ok(Way::Wait(LOST_TOUCH)),
        Standing::Over => {
            let another = app.another_node();
            return Ok(another.map_or(Way::Wait(TAKEN), Way::Elsewhere));
        }
    }
    match claim(app, live, &name).await {
        Ok(Claim::Theirs { silent_for, .. }) if silent_for >= DOUBTED_AFTER => {
            Ok(Way::Wait(NOT_HEARD))
        }
        Ok(Claim::Theirs { node, .. }) => Ok(Way::Elsewhere(node)),
        Ok(Claim::Ours) => open(app, live, comer, &name).await,
        Err(error) => {
            tracing::warn!(%error, "no room could be claimed");
            Ok(Way::Wait(LOST_TOUCH))
        }
    }
}

/// A node that drains gives back what it does not need any more, and sends people to one that takes it.
async fn claim(app: &App, live: &Live, name: &str) -> Result<Claim, StoreError> {
    if !app.is_draining() {
        return live.node.claim(name).await;
    }
    live.node.release(name).await?;
    Ok(match (live.node.owner(name).await?, app.another_node()) {
        (Some(owner), _) => owner,
        (None, Some(node)) => Claim::Theirs {
            node,
            silent_for: Duration::ZERO,
        },
        // The room itself says that nothing new begins.
        (None, None) => Claim::Ours,
    })
}

async fn open(app: &App, live: &Live, comer: &Comer, name: &str) -> Result<Way, AppError> {
    let account = money::account(comer.practice);
    if comer.attendant.seat != Seat::Practitioner
        && let Some(words) = app.store.last_visit_words(&account, name).await?
    {
        return Ok(Way::Over(words));
    }
    let plan = VisitPlan {
        tariff: app.config.visits.tariff.into(),
        account,
        appointment: name.to_owned(),
        practitioner: directory::user_ref(comer.appointment.practitioner),
        patients: comer.appointment.patients.each_ref().map(|place| {
            place
                .as_ref()
                .map(|place| Person::Patient(place.patient).to_string())
        }),
    };
    let opened = live.engine.visit(plan).await;
    opened
        .map(Way::Here)
        .map_err(|error| AppError::Internal(error.to_string()))
}
