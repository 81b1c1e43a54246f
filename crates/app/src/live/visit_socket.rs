//! The line between a visit page and its room.

use std::time::{Duration, Instant};

use axum::extract::ws::{Message, WebSocket};
use housecall::{
    Cost, PatientSeat, PeerState, PersonView, Phase, Place, RoomRefused, Seat, Visit, VisitView,
};
use housecall_store::{Node, Standing};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::by_phone::{self, PhoneDesk};
use super::line;
use super::message::{FromVisitPage, PersonShown, PhoneShown, SeatName, ToVisitPage, VisitShown};
use super::money_clock::MoneyClock;
use crate::ids::PhoneNumberId;

/// Views are sent on every change, and this often while time or money runs.
const VIEW_EVERY: Duration = Duration::from_secs(1);

const LOST_TOUCH: &str = "This server has lost touch with the clinic's records. Whoever is connected stays connected, and nobody can come in until they answer.";

const NOT_YOURS: &str = "Only the other side of the consultation can do this.";

/// Who a socket speaks for.
pub(super) struct Attendant {
    pub(super) seat: Seat,
    pub(super) practitioner_name: String,
    /// The names of the booked patients, by seat.
    pub(super) patient_names: [Option<String>; 3],
}

/// Speaks with one page until either side goes.
pub(super) async fn converse(mut socket: WebSocket, mut page: Page, node: Node) {
    let mut view = page.visit.view();
    let mut cost = page.visit.cost();
    let mut ticks = interval(VIEW_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let said = tokio::select! {
            biased;
            // Another node has the room, and ours is closed: the page finds out where when it opens its line again.
            () = node.over() => break,
            changed = view.changed() => {
                let over = changed.is_err();
                if page.show(&mut socket, &mut view, &mut cost, over).await.is_err() || over {
                    break;
                }
                continue;
            }
            _ = ticks.tick() => {
                let warned = page.warn(&mut socket, node.standing()).await;
                if warned.is_err() || page.show(&mut socket, &mut view, &mut cost, false).await.is_err() {
                    break;
                }
                continue;
            }
            said = socket.recv() => said,
        };
        let Some(Ok(said)) = said else { break };
        match page.hear(said).await {
            Heard::Nothing => {}
            Heard::Answer(answer) => {
                if line::send(&mut socket, &answer).await.is_err() {
                    break;
                }
            }
            Heard::Gone => break,
        }
        if page
            .show(&mut socket, &mut view, &mut cost, false)
            .await
            .is_err()
        {
            break;
        }
    }
    page.gone().await;
}

/// Tells a patient who comes too late how the visit ended.
pub(super) async fn show_over(mut socket: WebSocket, attendant: Attendant, words: String) {
    let shown = VisitShown {
        you: name_of(attendant.seat),
        phase: "ended",
        ended: Some(line::sentence(&words)),
        people: Vec::new(),
        elapsed_ms: None,
        cost: None,
    };
    let _ = line::send(&mut socket, &ToVisitPage::View(Box::new(shown))).await;
}

enum Heard {
    Nothing,
    Answer(ToVisitPage),
    Gone,
}

/// One open page.
pub(super) struct Page {
    visit: Visit,
    attendant: Attendant,
    clock: MoneyClock,
    /// The practitioner's.
    desk: Option<PhoneDesk>,
    /// Which of the seat's connections this page made, once it has joined.
    joined: Option<u64>,
    /// True while this page keeps a patient in the waiting room.
    checked_in: bool,
    /// True while this node has lost touch, and the page knows.
    warned: bool,
}

impl Page {
    pub(super) fn new(
        visit: Visit,
        attendant: Attendant,
        clock: MoneyClock,
        desk: Option<PhoneDesk>,
    ) -> Self {
        Self {
            visit,
            attendant,
            clock,
            desk,
            joined: None,
            checked_in: false,
            warned: false,
        }
    }

    async fn hear(&mut self, said: Message) -> Heard {
        let text = match said {
            Message::Text(text) => text,
            Message::Close(_) => return Heard::Gone,
            Message::Ping(_) | Message::Pong(_) => return Heard::Nothing,
            Message::Binary(_) => {
                return refused(
                    "message",
                    "This page sent something the clinic does not understand.",
                );
            }
        };
        match serde_json::from_str(&text) {
            Ok(asked) => self.obey(asked).await,
            Err(error) => {
                tracing::debug!(%error, "a visit page said what it may not");
                refused(
                    "message",
                    "This page sent something the clinic does not understand. Reload it.",
                )
            }
        }
    }

    async fn obey(&mut self, asked: FromVisitPage) -> Heard {
        match (self.attendant.seat, asked) {
            (Seat::Patient(seat), FromVisitPage::CheckIn) => {
                let done = self.visit.arrive(seat).await;
                self.checked_in = done.is_ok();
                answer("check_in", done)
            }
            (_, FromVisitPage::Join { offer, from_phone }) => self.join(offer, from_phone).await,
            (seat, FromVisitPage::State { muted, camera_off }) => answer(
                "state",
                self.visit
                    .set_state(seat, PeerState { muted, camera_off })
                    .await,
            ),
            (Seat::Patient(seat), FromVisitPage::Leave) => {
                self.joined = None;
                self.checked_in = false;
                answer("leave", self.visit.leave(seat).await)
            }
            (_, FromVisitPage::PhoneChoice { seat }) => self.phone_choice(seat).await,
            (_, FromVisitPage::Ring { seat, number_id }) => {
                let number = PhoneNumberId(number_id);
                self.ring(seat, number).await
            }
            (Seat::Practitioner, FromVisitPage::HangUpPhone { seat }) => match patient(seat) {
                Some(seat) => answer("hang_up_phone", self.visit.hang_up_phone(seat).await),
                None => refused("hang_up_phone", "Only a patient is on the phone."),
            },
            (Seat::Practitioner, FromVisitPage::Admit { seat }) => match patient(seat) {
                Some(seat) => answer("admit", self.visit.admit(seat).await),
                None => refused("admit", "Only a patient can be let in."),
            },
            (Seat::Practitioner, FromVisitPage::SendBack { seat }) => match patient(seat) {
                Some(seat) => answer("send_back", self.visit.send_back(seat).await),
                None => refused("send_back", "Only a patient can be sent back."),
            },
            (Seat::Practitioner, FromVisitPage::AdmitAll) => {
                answer("admit_all", self.visit.admit_all().await)
            }
            (Seat::Practitioner, FromVisitPage::Disconnect) => {
                answer("disconnect", self.visit.disconnect().await)
            }
            _ => refused("message", NOT_YOURS),
        }
    }

    /// The practitioner wants to know before a phone rings; nobody else has a desk.
    async fn phone_choice(&self, seat: SeatName) -> Heard {
        let Some((desk, seat)) = self.desk.as_ref().zip(patient(seat)) else {
            return refused("phone_choice", NOT_YOURS);
        };
        match desk.choice(seat, &self.visit, self.clock.now()).await {
            Ok(choice) => Heard::Answer(ToVisitPage::PhoneChoice(choice)),
            Err(words) => refused("phone_choice", &words),
        }
    }

    async fn ring(&self, seat: SeatName, number: PhoneNumberId) -> Heard {
        let Some((desk, seat)) = self.desk.as_ref().zip(patient(seat)) else {
            return refused("ring", NOT_YOURS);
        };
        let request = match desk.request(seat, number).await {
            Ok(request) => request,
            Err(words) => return refused("ring", &words),
        };
        match self.visit.ring(seat, request).await {
            Ok(()) => Heard::Nothing,
            Err(error) => refused("ring", &by_phone::refusal(error)),
        }
    }

    async fn join(&mut self, offer: String, from_phone: bool) -> Heard {
        let seat = self.attendant.seat;
        let joined = match seat {
            Seat::Practitioner => self.visit.join_practitioner(offer).await,
            Seat::Patient(seat) if from_phone => self.visit.return_from_phone(seat, offer).await,
            Seat::Patient(seat) => self.visit.join_patient(seat, offer).await,
        };
        match joined {
            Ok(sdp) => {
                self.joined = Some(self.visit.view().borrow().joins(seat));
                Heard::Answer(ToVisitPage::Answer { sdp })
            }
            Err(error) => refused("join", &error.to_string()),
        }
    }

    /// Sends what this person may see; says so when another page of theirs took the place.
    async fn show(
        &mut self,
        socket: &mut WebSocket,
        view: &mut watch::Receiver<VisitView>,
        cost: &mut watch::Receiver<Cost>,
        over: bool,
    ) -> Result<(), axum::Error> {
        let seen = view.borrow_and_update().clone();
        let latest = seen.joins(self.attendant.seat);
        if self.joined.is_some_and(|mine| mine < latest) {
            self.joined = None;
            self.checked_in = false;
            return line::send(socket, &ToVisitPage::Evicted).await;
        }
        let cost = *cost.borrow_and_update();
        let shown = show(&self.attendant, &seen, cost, self.clock.now(), over);
        line::send(socket, &ToVisitPage::View(Box::new(shown))).await
    }

    /// Says once, whenever this node has lost touch with the others, what that means.
    async fn warn(
        &mut self,
        socket: &mut WebSocket,
        standing: Standing,
    ) -> Result<(), axum::Error> {
        let is_lost = standing == Standing::OutOfTouch;
        if std::mem::replace(&mut self.warned, is_lost) || !is_lost {
            return Ok(());
        }
        let words = ToVisitPage::Refused {
            what: "message",
            message: LOST_TOUCH.to_owned(),
        };
        line::send(socket, &words).await
    }

    /// The page is closed. Who only waited is gone; who is in the room keeps the place (V9).
    async fn gone(&self) {
        if let (Seat::Patient(seat), true, None) =
            (self.attendant.seat, self.checked_in, self.joined)
        {
            let _ = self.visit.leave(seat).await;
        }
    }
}

fn answer(what: &'static str, done: Result<(), RoomRefused>) -> Heard {
    match done {
        Ok(()) => Heard::Nothing,
        Err(error) => refused(what, &error.to_string()),
    }
}

fn refused(what: &'static str, message: &str) -> Heard {
    Heard::Answer(ToVisitPage::Refused {
        what,
        message: line::sentence(message),
    })
}

fn patient(seat: SeatName) -> Option<PatientSeat> {
    match seat {
        SeatName::Practitioner => None,
        SeatName::PatientOne => Some(PatientSeat::One),
        SeatName::PatientTwo => Some(PatientSeat::Two),
        SeatName::PatientThree => Some(PatientSeat::Three),
    }
}

fn name_of(seat: Seat) -> SeatName {
    match seat {
        Seat::Practitioner => SeatName::Practitioner,
        Seat::Patient(seat) => seat.into(),
    }
}

fn show(
    attendant: &Attendant,
    view: &VisitView,
    cost: Cost,
    now: Instant,
    over: bool,
) -> VisitShown {
    let you = attendant.seat;
    let (phase, ended) = match view.room.phase {
        Phase::Ended { ending, .. } => ("ended", Some(line::sentence(housecall::words(ending)))),
        _ if over => ("ended", None),
        Phase::Open { .. } => ("open", None),
        Phase::Waiting => ("waiting", None),
    };
    let started = view.started;
    VisitShown {
        you: name_of(you),
        phase,
        ended,
        people: view
            .room
            .people
            .iter()
            .filter_map(|person| attendant.see(person, view, now))
            .collect(),
        elapsed_ms: started.map(|started| millis(started, now)),
        cost: (you == Seat::Practitioner && started.is_some()).then(|| cost.into()),
    }
}

impl Attendant {
    /// Returns what this person may know of another: nothing of a seat that is not booked.
    fn see(&self, person: &PersonView, view: &VisitView, now: Instant) -> Option<PersonShown> {
        let name = match person.seat {
            Seat::Practitioner => self.practitioner_name.clone(),
            Seat::Patient(PatientSeat::One) => self.patient_names[0].clone()?,
            Seat::Patient(PatientSeat::Two) => self.patient_names[1].clone()?,
            Seat::Patient(PatientSeat::Three) => self.patient_names[2].clone()?,
        };
        let (place, waiting_ms) = match person.place {
            Place::Absent => ("absent", None),
            Place::Waiting { since } => ("waiting", Some(millis(since, Instant::now()))),
            Place::InRoom => ("in_room", None),
            Place::Reconnecting => ("reconnecting", None),
            Place::Left => ("left", None),
        };
        Some(PersonShown {
            seat: name_of(person.seat),
            name,
            place,
            muted: person.state.muted,
            camera_off: person.state.camera_off,
            slot: person.seat.slot_for(self.seat),
            waiting_ms,
            by_phone: person.by_phone,
            phone: self.see_phone(person.seat, view, now),
        })
    }

    /// Whether and where somebody's phone rings is between them and the practitioner.
    fn see_phone(&self, seat: Seat, view: &VisitView, now: Instant) -> Option<PhoneShown> {
        let Seat::Patient(patient) = seat else {
            return None;
        };
        let may = [seat, Seat::Practitioner].contains(&self.seat);
        let phone = view.phone(patient).filter(|_| may)?;
        Some(by_phone::shown(phone, now))
    }
}

fn millis(from: Instant, to: Instant) -> u64 {
    u64::try_from(to.saturating_duration_since(from).as_millis()).unwrap_or(u64::MAX)
}
