//! The line between a call panel and its phone call.

use std::time::{Duration, Instant};

use axum::extract::ws::{Message, WebSocket};
use housecall::{
    CallPhase, CallRecord, CallView, Class, Controls, Cost, Dialed, Dialing, Encryption, HangUp,
    Talking,
};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::line;
use super::message::{CallShown, CostShown, DialAsked, FromCallPanel, ToCallPanel};
use super::money_clock::MoneyClock;
use super::{Live, directory};
use crate::pass;
use crate::sign_in::Staff;
use crate::state::App;

/// Views are sent on every change, and this often while time or money runs.
const VIEW_EVERY: Duration = Duration::from_secs(1);
/// A panel that opened a socket and says nothing is let go.
const FIRST_WORD_WITHIN: Duration = Duration::from_secs(30);

const NOT_UNDERSTOOD: &str = "This page sent something the clinic does not understand. Reload it.";

/// Rings somebody for one panel and speaks with it until either side goes.
pub(super) async fn converse(mut socket: WebSocket, app: App, live: Live, staff: Staff) {
    if let Some(url) = elsewhere(&app, &staff).await {
        let _ = line::send(&mut socket, &ToCallPanel::Elsewhere { url }).await;
        return;
    }
    let Some(asked) = first_word(&mut socket).await else {
        return;
    };
    let dialing = match dial(&app, &live, &staff, asked).await {
        Ok(dialing) => dialing,
        Err(message) => {
            let _ = line::send(
                &mut socket,
                &ToCallPanel::Refused {
                    message: line::sentence(&message),
                },
            )
            .await;
            return;
        }
    };
    let mut panel = Panel {
        socket,
        view: dialing.view(),
        cost: dialing.cost(),
        clock: live.money,
    };
    let answer = ToCallPanel::Answer {
        sdp: dialing.answer().to_owned(),
    };
    if line::send(&mut panel.socket, &answer).await.is_err() {
        return;
    }
    // Whatever breaks from here on, dropping the call hangs it up.
    if let Some(record) = panel.follow(dialing).await {
        panel.show_end(&record).await;
    }
}

/// Returns the socket of another node, where this one takes no new calls and that one does.
async fn elsewhere(app: &App, staff: &Staff) -> Option<String> {
    let node = app.is_draining().then(|| app.another_node()).flatten()?;
    let socket = pass::socket_at(app, &node, "/calls/socket", staff.session).await;
    socket
        .inspect_err(|error| tracing::error!(%error, "no pass could be written"))
        .ok()
}

async fn first_word(socket: &mut WebSocket) -> Option<DialAsked> {
    loop {
        let said = timeout(FIRST_WORD_WITHIN, socket.recv())
            .await
            .ok()??
            .ok()?;
        match said {
            Message::Text(text) => match serde_json::from_str(&text) {
                Ok(FromCallPanel::Dial(asked)) => return Some(asked),
                Ok(_) | Err(_) => {
                    let refused = ToCallPanel::Refused {
                        message: NOT_UNDERSTOOD.to_owned(),
                    };
                    let _ = line::send(socket, &refused).await;
                    return None;
                }
            },
            Message::Ping(_) | Message::Pong(_) => {}
            Message::Binary(_) | Message::Close(_) => return None,
        }
    }
}

async fn dial(app: &App, live: &Live, staff: &Staff, asked: DialAsked) -> Result<Dialing, String> {
    let request = directory::look_up(app, staff, asked).await?;
    let dialed = live.engine.dial(request).await;
    dialed.map_err(directory::refusal)
}

/// One open panel with a call.
struct Panel {
    socket: WebSocket,
    view: watch::Receiver<CallView>,
    cost: watch::Receiver<Cost>,
    clock: MoneyClock,
}

impl Panel {
    /// Follows the call to its end. `None` when the page went first, which hangs up.
    async fn follow(&mut self, dialing: Dialing) -> Option<CallRecord> {
        let hang_up = dialing.hang_up_handle();
        let talking = match self.until(dialing.answered(), None, &hang_up).await?? {
            Dialed::Answered(talking) => talking,
            Dialed::Unanswered(record) => return Some(*record),
        };
        self.talk(talking, &hang_up).await
    }

    async fn talk(&mut self, mut talking: Talking, hang_up: &HangUp) -> Option<CallRecord> {
        let controls = talking.controls();
        self.until(talking.ended(), Some(&controls), hang_up)
            .await?
    }

    /// Shows the call and obeys the panel until `done` is. `None` when the page went.
    async fn until<T>(
        &mut self,
        done: impl Future<Output = T>,
        controls: Option<&Controls>,
        hang_up: &HangUp,
    ) -> Option<T> {
        let mut done = std::pin::pin!(done);
        let mut ticks = interval(VIEW_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                result = &mut done => return Some(result),
                said = self.socket.recv() => obey(said?.ok()?, controls, hang_up)?,
                Ok(()) = self.view.changed() => {}
                _ = ticks.tick() => {}
            }
            self.show().await.ok()?;
        }
    }

    async fn show(&mut self) -> Result<(), axum::Error> {
        let view = *self.view.borrow_and_update();
        let cost = *self.cost.borrow_and_update();
        let shown = ToCallPanel::Call(Box::new(shown(&view, cost, self.clock.now())));
        line::send(&mut self.socket, &shown).await
    }

    async fn show_end(&mut self, record: &CallRecord) {
        let ended = CallShown {
            state: "ended",
            words: record.words.clone(),
            held: false,
            held_by_them: false,
            muted: false,
            keys_heard: String::new(),
            encryption: record.encryption.map(encryption),
            talk_ms: record.answered.map(|_| record.talk_ms),
            hold_ms: record.hold_ms,
            held_by_them_ms: record.held_by_them_ms,
            cost: Some(CostShown {
                so_far: record.credits,
                next_block_in_ms: None,
                available: self.cost.borrow().available,
            }),
            outcome: Some(record.outcome.clone()),
            heard: None,
            sent: None,
        };
        let _ = line::send(&mut self.socket, &ToCallPanel::Call(Box::new(ended))).await;
    }
}

/// Does what the panel asks. `None` when the page is going.
fn obey(said: Message, controls: Option<&Controls>, hang_up: &HangUp) -> Option<()> {
    let text = match said {
        Message::Text(text) => text,
        Message::Close(_) => return None,
        Message::Ping(_) | Message::Pong(_) | Message::Binary(_) => return Some(()),
    };
    match (serde_json::from_str(&text), controls) {
        (Ok(FromCallPanel::HangUp), _) => hang_up.hang_up(),
        (Ok(FromCallPanel::Hold), Some(controls)) => controls.hold(),
        (Ok(FromCallPanel::Resume), Some(controls)) => controls.resume(),
        (Ok(FromCallPanel::Mute { on }), Some(controls)) => controls.mute(on),
        (Ok(FromCallPanel::Digit { digit }), Some(controls)) => controls.digit(digit),
        // A button of a page that has not heard of the answer or the end yet.
        (Ok(_), _) => {}
        (Err(error), _) => tracing::debug!(%error, "a call panel said what it may not"),
    }
    Some(())
}

fn encryption(encryption: Encryption) -> &'static str {
    match encryption {
        Encryption::None => "none",
        Encryption::KeysInClear => "keys_in_clear",
        Encryption::Full => "full",
    }
}

fn shown(view: &CallView, cost: Cost, now: Instant) -> CallShown {
    let (state, words) = words(view);
    CallShown {
        state,
        words: words.to_owned(),
        held: view.held.is_on(),
        held_by_them: view.held_by_them.is_on(),
        muted: view.muted,
        keys_heard: view.keys_heard.names(),
        encryption: view.encryption.map(encryption),
        talk_ms: view.talk_ms(now),
        hold_ms: view.held.ms(now),
        held_by_them_ms: view.held_by_them.ms(now),
        cost: Some(cost.into()),
        outcome: None,
        heard: view.heard.filter(|_| !view.held.is_on()).map(Class::name),
        sent: view
            .sent
            .filter(|_| !view.held.is_on() && !view.muted)
            .map(Class::name),
    }
}

/// Returns the state's name and what a person reads (P3).
fn words(view: &CallView) -> (&'static str, &'static str) {
    match view.phase {
        CallPhase::Dialing => ("dialing", "Dialling…"),
        CallPhase::Ringing => ("ringing", "Ringing…"),
        CallPhase::EarlyAudio => (
            "early",
            "You hear the telephone network; they have not answered yet",
        ),
        CallPhase::Talking if view.hold_refused => {
            ("talking", "Connected. Their network refused the hold")
        }
        CallPhase::Talking if view.held.is_on() && view.held_by_them.is_on() => {
            ("talking", "On hold by both sides: nobody hears anybody")
        }
        CallPhase::Talking if view.held.is_on() => (
            "talking",
            "On hold: they hear music, and you hear nothing of them",
        ),
        CallPhase::Talking if view.held_by_them.is_on() => {
            ("talking", "They have put you on hold: they cannot hear you")
        }
        CallPhase::Talking if view.muted => ("talking", "Connected. They cannot hear you"),
        CallPhase::Talking => ("talking", "Connected"),
        CallPhase::Ended => ("ended", "Ended"),
    }
}
