//! Who was connected when: all that a price depends on.

use crate::{Fact, Millis, Patient, Person};

/// What has happened in a session so far, in order.
#[derive(Clone, Debug)]
pub(crate) struct Timeline {
    facts: Vec<(Millis, Fact)>,
    /// When the person rung answered; none in a visit, and before.
    answered: Option<Millis>,
    /// False while the practitioner is away. Join is the session's start.
    practitioner: bool,
    seats: [Seat; 3],
}

/// What one patient did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seat {
    /// Let in at least once.
    pub(crate) admitted: bool,
    connected: bool,
    /// When the practitioner was connected too.
    pub(crate) together: Spans,
    pub(crate) by_phone: Spans,
}

/// From one moment up to, and without, another that is later.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Span {
    pub(crate) from: Millis,
    pub(crate) to: Millis,
}

/// The spans in which something lasted, the last of them perhaps not over.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spans {
    over: Vec<Span>,
    since: Option<Millis>,
}

impl Timeline {
    pub(crate) fn new() -> Self {
        Self {
            facts: Vec::new(),
            answered: None,
            practitioner: true,
            seats: Default::default(),
        }
    }

    /// Takes a fact; false when it says nothing new.
    pub(crate) fn hear(&mut self, at: Millis, fact: Fact) -> bool {
        let is_new = self.change(at, fact);
        if is_new {
            self.facts.push((at, fact));
        }
        is_new
    }

    fn change(&mut self, at: Millis, fact: Fact) -> bool {
        match fact {
            Fact::PatientAdmitted(patient) => {
                !std::mem::replace(&mut self.seat_mut(patient).admitted, true)
            }
            Fact::Joined(person) => self.connect(at, person, true),
            Fact::Left(person) => self.connect(at, person, false),
            Fact::PhoneAnswered(patient) => self.seat_mut(patient).by_phone.begin(at),
            Fact::PhoneHungUp(patient) => self.seat_mut(patient).by_phone.end(at),
            Fact::Answered => {
                let is_first = self.answered.is_none();
                self.answered.get_or_insert(at);
                is_first
            }
            Fact::Ended | Fact::NeverAnswered | Fact::Recovered { .. } => true,
        }
    }

    fn connect(&mut self, at: Millis, person: Person, connected: bool) -> bool {
        let was = match person {
            Person::Practitioner => std::mem::replace(&mut self.practitioner, connected),
            Person::Patient(patient) => {
                let seat = self.seat_mut(patient);
                // Nobody is connected who was not let in.
                seat.admitted |= connected;
                std::mem::replace(&mut seat.connected, connected)
            }
        };
        let practitioner = self.practitioner;
        for seat in &mut self.seats {
            match practitioner && seat.connected {
                true => seat.together.begin(at),
                false => seat.together.end(at),
            };
        }
        was != connected
    }

    /// Everything that was new, in order.
    pub(crate) fn facts(&self) -> &[(Millis, Fact)] {
        &self.facts
    }

    /// When something happened last; zero if nothing did.
    pub(crate) fn last_change(&self) -> Millis {
        self.facts.last().map_or(Millis::ZERO, |(at, _)| *at)
    }

    pub(crate) fn answered(&self) -> Option<Millis> {
        self.answered
    }

    pub(crate) fn seat(&self, patient: Patient) -> &Seat {
        patient.of(&self.seats)
    }

    fn seat_mut(&mut self, patient: Patient) -> &mut Seat {
        patient.of_mut(&mut self.seats)
    }

    /// How many patients were admitted at least once.
    pub(crate) fn admitted(&self) -> u64 {
        self.seats.iter().map(|seat| u64::from(seat.admitted)).sum()
    }

    /// When a patient was first connected with the practitioner or on the phone, as known `at`.
    pub(crate) fn first_connection(&self, at: Millis) -> Option<Millis> {
        let spans = self
            .seats
            .iter()
            .flat_map(|seat| seat.together.until(at).chain(seat.by_phone.until(at)));
        spans.map(|span| span.from).min()
    }

    /// Whether anybody is connected with the practitioner.
    pub(crate) fn is_anybody_together(&self) -> bool {
        self.seats.iter().any(|seat| seat.together.is_on())
    }

    /// Whether anybody ever took part by phone.
    pub(crate) fn has_phone(&self) -> bool {
        let is_phone = |(_, fact): &(Millis, Fact)| matches!(fact, Fact::PhoneAnswered(_));
        self.facts.iter().any(is_phone)
    }

    /// Since when each patient who is on the phone is there.
    pub(crate) fn on_the_phone(&self) -> impl Iterator<Item = Millis> {
        self.seats.iter().filter_map(|seat| seat.by_phone.since)
    }
}

impl Spans {
    /// False when it lasted already.
    fn begin(&mut self, at: Millis) -> bool {
        let is_new = self.since.is_none();
        self.since.get_or_insert(at);
        is_new
    }

    /// False when it was over already.
    fn end(&mut self, at: Millis) -> bool {
        let Some(from) = self.since.take() else {
            return false;
        };
        if from < at {
            self.over.push(Span { from, to: at });
        }
        true
    }

    fn is_on(&self) -> bool {
        self.since.is_some()
    }

    /// The spans as known `at`, in order, none of them empty.
    pub(crate) fn until(&self, at: Millis) -> impl Iterator<Item = Span> {
        let last = self.since.map(|from| Span { from, to: at });
        let last = last.filter(|span| span.from < span.to);
        self.over.iter().copied().chain(last)
    }
}
