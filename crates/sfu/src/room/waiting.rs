use std::time::Instant;

use crate::room::open::{Open, Patient};
use crate::view::{PersonView, Phase, Place, RoomView};
use crate::{PatientSeat, Seat};

/// Before the practitioner has joined: patients come and go in the waiting room.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    patients: [Option<Visitor>; 3],
}

/// A patient before the session.
#[derive(Clone, Copy, Debug)]
enum Visitor {
    Waiting { since: Instant },
    Left,
}

impl Waiting {
    pub(super) fn arrive(&mut self, now: Instant, seat: PatientSeat) {
        let patient = self.patient_mut(seat);
        if !matches!(patient, Some(Visitor::Waiting { .. })) {
            *patient = Some(Visitor::Waiting { since: now });
        }
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

    /// The practitioner joins; whoever waits goes on waiting.
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
            Self::Left => Place::Left,
        }
    }

    fn at_opening(self) -> Patient {
        match self {
            Self::Waiting { since } => Patient::Waiting { since },
            Self::Left => Patient::Left,
        }
    }
}
