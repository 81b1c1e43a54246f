//! A patient of a consultation goes on by phone (V13): whom the practitioner may ring, what that costs, and what is shown of it.

use std::time::{Duration, Instant};

use housecall::{
    CallPhase, Class, Number, PatientSeat, PhoneView, RingRefused, RingRequest, Visit,
};

use super::directory;
use super::message::{NumberShown, PhoneChoice, PhoneShown, SeatName};
use crate::appointments::{Appointment, Participant};
use crate::ids::{Person, PhoneNumberId};
use crate::people;
use crate::sign_in::Staff;
use crate::state::App;

/// The first seconds, in which buffers still find their measure, say little of a line.
const JUDGED_AFTER_MS: u64 = 5_000;
/// What a consultation outlasts its booking by, at least, when its price by phone is worked out.
const MINUTES_MIN: u64 = 5;

/// The practitioner's part of the address book: the patients of this consultation.
pub(super) struct PhoneDesk {
    pub(super) app: App,
    pub(super) staff: Staff,
    pub(super) appointment: Appointment,
}

impl PhoneDesk {
    /// What is asked before a phone rings: which number, and does it cost more.
    ///
    /// # Errors
    /// Words for the practitioner.
    pub(super) async fn choice(
        &self,
        seat: PatientSeat,
        visit: &Visit,
        now: Instant,
    ) -> Result<PhoneChoice, String> {
        let patient = self.patient(seat)?;
        let person = Person::Patient(patient.patient);
        let profile = people::find(&self.app.db, self.staff.practice, person).await;
        let profile = profile.map_err(directory::database)?;
        let numbers = profile.map_or_else(Vec::new, |profile| profile.numbers);
        if numbers.is_empty() {
            return Err(format!("no phone number of {} is known", patient.name));
        }
        let from = directory::caller_id(&self.app, &self.staff, None, self.country()).await?;
        let minutes = self.minutes_left();
        let ends = now + Duration::from_secs(minutes * 60);
        Ok(PhoneChoice {
            seat: seat.into(),
            name: patient.name.clone(),
            numbers: numbers.iter().map(NumberShown::from).collect(),
            from: crate::numbers::shown(&from.to_string()),
            minutes,
            more: visit.phone_estimate(now, ends).more().0,
        })
    }

    /// Checks what the page asks for; its word is taken for nothing but identities.
    ///
    /// # Errors
    /// Words for the practitioner.
    pub(super) async fn request(
        &self,
        seat: PatientSeat,
        number: PhoneNumberId,
    ) -> Result<RingRequest, String> {
        let person = Person::Patient(self.patient(seat)?.patient);
        let found = people::number(&self.app.db, self.staff.practice, person, number).await;
        let (_, found) = found
            .map_err(directory::database)?
            .ok_or("this number is no longer in the address book: ask again")?;
        let country = self.country();
        Ok(RingRequest {
            caller: directory::user_ref(self.staff.user),
            from: directory::caller_id(&self.app, &self.staff, None, country).await?,
            to: Number::parse(&found.number, country).map_err(|error| error.words())?,
        })
    }

    fn patient(&self, seat: PatientSeat) -> Result<&Participant, String> {
        let patient = seat.of(&self.appointment.patients).as_ref();
        patient.ok_or_else(|| "nobody is booked for this place".to_owned())
    }

    fn country(&self) -> housecall::Country {
        directory::country_of(&self.staff)
    }

    /// Until the booked end, or a little while if that is near or past.
    fn minutes_left(&self) -> u64 {
        let ms = self.appointment.ends_ms.saturating_sub(self.app.now_ms());
        u64::try_from(ms)
            .map_or(0, |ms| ms.div_ceil(60_000))
            .max(MINUTES_MIN)
    }
}

impl From<&people::PhoneNumber> for NumberShown {
    fn from(number: &people::PhoneNumber) -> Self {
        Self {
            id: number.id.0,
            label: number.label.clone(),
            number: number.shown(),
        }
    }
}

impl From<PatientSeat> for SeatName {
    fn from(seat: PatientSeat) -> Self {
        match seat {
            PatientSeat::One => Self::PatientOne,
            PatientSeat::Two => Self::PatientTwo,
            PatientSeat::Three => Self::PatientThree,
        }
    }
}

/// Returns why nobody was rung, in words for a person.
pub(super) fn refusal(refused: RingRefused) -> String {
    match refused {
        RingRefused::Dial(refused) => directory::refusal(refused),
        refused => refused.to_string(),
    }
}

/// Returns what is shown of a phone that was rung for somebody.
pub(super) fn shown(phone: &PhoneView, now: Instant) -> PhoneShown {
    let (state, words) = words(phone);
    let call = &phone.call;
    let talk_ms = call.talk_ms(now).filter(|_| phone.ended.is_none());
    let is_judged = talk_ms.is_some_and(|ms| ms >= JUDGED_AFTER_MS) && !call.held_by_them.is_on();
    PhoneShown {
        state,
        words: words.to_owned(),
        talk_ms,
        heard: call.heard.filter(|_| is_judged).map(Class::name),
    }
}

fn words(phone: &PhoneView) -> (&'static str, &'static str) {
    if let Some(ended) = phone.ended {
        return ("ended", ended.words);
    }
    match phone.call.phase {
        CallPhase::Dialing => ("dialing", "Dialling their phone…"),
        CallPhase::Ringing | CallPhase::EarlyAudio => ("ringing", "Their phone is ringing…"),
        CallPhase::Talking if phone.call.held_by_them.is_on() => {
            ("talking", "They have put us on hold")
        }
        CallPhase::Talking => ("talking", "On the phone"),
        CallPhase::Ended => ("ended", "The call is over"),
    }
}
