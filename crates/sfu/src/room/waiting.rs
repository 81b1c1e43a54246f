use std::time::Instant;

use crate::room::open::{Open, Patient};
use crate::room::seated::Seated;
use crate::view::{PersonView, Phase, Place, RoomView};
use crate::{PatientSeat, Seat, WrongMoment};

/// Before the practitioner has joined: patients come and go in the waiting room, and may be let in ahead (V10).
#[derive(Debug, Default)]
pub(super) struct Waiting {
    patients: [Option<Visitor>; 3],
}

/// A patient before the session.
#[derive(Clone, Copy, Debug)]
enum Visitor {
    Waiting {
        since: Instant,
    },
    /// Goes in as soon as the practitioner joins.
    Admitted,
    Left,
}

impl Waiting {
    pub(super) fn arrive(&mut self, now: Instant, seat: PatientSeat) {
        let patient = self.patient_mut(seat);
        if matches!(patient, None | Some(Visitor::Left)) {
            *patient = Some(Visitor::Waiting { since: now });
        }
    }

    pub(super) fn admit(&mut self, seat: PatientSeat) -> Result<(), WrongMoment> {
        let patient = self.patient_mut(seat);
        if !matches!(patient, Some(Visitor::Waiting { .. })) {
            return Err(WrongMoment {
                action: "admit",
                state: "the patient is not waiting",
            });
        }
        *patient = Some(Visitor::Admitted);
        Ok(())
    }

    pub(super) fn send_back(&mut self, now: Instant, seat: PatientSeat) -> Result<(), WrongMoment> {
        let patient = self.patient_mut(seat);
        if !matches!(patient, Some(Visitor::Admitted)) {
            return Err(WrongMoment {
                action: "send back",
                state: "the patient has not been let in",
            });
        }
        *patient = Some(Visitor::Waiting { since: now });
        Ok(())
    }

    /// Who has been let in already.
    pub(super) fn admitted(&self) -> impl Iterator<Item = PatientSeat> + '_ {
        let seats = PatientSeat::ALL.into_iter().zip(self.patients);
        seats.filter_map(|(seat, visitor)| {
            matches!(visitor, Some(Visitor::Admitted)).then_some(seat)
        })
    }

    pub(super) fn leave(&mut self, seat: Seat) {
        if let Seat::Patient(seat) = seat {
            let patient = self.patient_mut(seat);
            *patient = patient.map(|_| Visitor::Left);
        }
    }

    pub(super) fn remove(&mut self, seat: PatientSeat) {
        *self.patient_mut(seat) = None;
    }

    /// The practitioner joins; whoever waits goes on waiting, whoever was let in is in.
    pub(super) fn open(self, now: Instant) -> Open {
        Open::new(
            now,
            self.patients
                .map(|visitor| visitor.map(Visitor::at_opening)),
        )
    }

    pub(super) fn view(&self) -> RoomView {
        let [one, two, three] = self.patients;
        let patient = |seat, visitor: Option<Visitor>| {
            PersonView::away(
                Seat::Patient(seat),
                visitor.map_or(Place::Absent, Visitor::place),
            )
        };
        RoomView {
            phase: Phase::Waiting,
            people: [
                PersonView::away(Seat::Practitioner, Place::Absent),
                patient(PatientSeat::One, one),
                patient(PatientSeat::Two, two),
                patient(PatientSeat::Three, three),
            ],
            speaker: None,
        }
    }

    fn patient_mut(&mut self, seat: PatientSeat) -> &mut Option<Visitor> {
        let [one, two, three] = &mut self.patients;
        match seat {
            PatientSeat::One => one,
            PatientSeat::Two => two,
            PatientSeat::Three => three,
        }
    }
}

impl Visitor {
    fn place(self) -> Place {
        match self {
            Self::Waiting { since } => Place::Waiting { since },
            Self::Admitted => Place::InRoom,
            Self::Left => Place::Left,
        }
    }

    fn at_opening(self) -> Patient {
        match self {
            Self::Waiting { since } => Patient::Waiting { since },
            Self::Admitted => Patient::Admitted(Seated::default()),
            Self::Left => Patient::Left,
        }
    }
}
