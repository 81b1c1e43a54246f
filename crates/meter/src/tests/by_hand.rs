//! The price as somebody works it out who knows the rules and nothing of how the meter does it: block by block, from the facts.

use std::collections::BTreeMap;

use crate::{Fact, Patient, Person, Tariff};

const BLOCK: u64 = 15 * 60_000;
const MINUTE: u64 = 60_000;

/// What is known of a session that reopens none.
pub(super) struct Known<'a> {
    pub(super) tariff: Tariff,
    pub(super) facts: &'a [(u64, Fact)],
    pub(super) end: u64,
}

/// The credits that a session costs.
pub(super) fn cost(told: &Known) -> u64 {
    match told.tariff {
        Tariff::PHONE => call(told),
        Tariff::STANDARD => standard(told),
        _ => attended(told).min(standard(told)),
    }
}

fn call(told: &Known) -> u64 {
    let answered = told.facts.iter().find(|(_, fact)| *fact == Fact::Answered);
    answered.map_or(0, |(at, _)| (told.end - at).div_ceil(MINUTE))
}

fn standard(told: &Known) -> u64 {
    let seats = Patient::ALL.into_iter().map(|patient| {
        let mut blocks = minutes(told, patient, 0);
        if is_admitted(told, patient) {
            for block in 0..told.end.div_ceil(BLOCK) {
                let minutes = blocks.entry(block).or_default();
                *minutes = (*minutes).max(2);
            }
        }
        blocks.values().sum::<u64>()
    });
    seats.sum()
}

fn is_admitted(told: &Known, patient: Patient) -> bool {
    let joined = Fact::Joined(Person::Patient(patient));
    let lets_in = |fact: &Fact| [Fact::PatientAdmitted(patient), joined].contains(fact);
    told.facts.iter().any(|(_, fact)| lets_in(fact))
}

fn attended(told: &Known) -> u64 {
    let Some(origin) = first(told) else {
        return 0;
    };
    let seats = Patient::ALL.into_iter();
    let seats = seats.map(|patient| {
        charged(told, patient, i128::from(origin))
            .into_values()
            .sum::<u64>()
    });
    seats.sum()
}

/// A grid of a session before, on the clock of the one that reopens it, and the blocks that each patient has paid of it.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    /// How long before the new start it began.
    pub(super) ago: u64,
    pub(super) paid: [Vec<u64>; 3],
}

/// The credits of a sitting at `attended` that reopens another, and the grid that it leaves for one which begins so long after its end.
pub(super) fn sitting(told: &Known, old: Option<&Grid>, after: u64) -> (u64, Grid) {
    let standard = standard(told);
    let (fresh, origin) = (attended(told), first(told));
    let continued = old.map(|old| attended_since(told, old));
    let left = |ago: u64, paid: [Vec<u64>; 3]| Grid {
        ago: ago + after,
        paid,
    };
    let fresh_grid = || {
        let origin = origin.unwrap_or(told.end);
        let paid = Patient::ALL.map(|patient| {
            charged(told, patient, i128::from(origin))
                .into_keys()
                .collect()
        });
        left(told.end - origin, paid)
    };
    match (continued, old) {
        (Some(continued), Some(old)) if continued < fresh && continued <= standard => {
            let origin = -i128::from(old.ago);
            let mut paid = old.paid.clone();
            for (paid, patient) in paid.iter_mut().zip(Patient::ALL) {
                paid.extend(charged(told, patient, origin).into_keys());
            }
            (continued, left(old.ago + told.end, paid))
        }
        _ if standard < fresh => {
            let blocks: Vec<u64> = (0..told.end.div_ceil(BLOCK)).collect();
            let paid = Patient::ALL.map(|patient| match is_admitted(told, patient) {
                true => blocks.clone(),
                false => charged(told, patient, 0).into_keys().collect(),
            });
            (standard, left(told.end, paid))
        }
        _ => (fresh, fresh_grid()),
    }
}

/// What the blocks of a grid cost that are not paid. A block counts as paid if it or a later one is.
fn attended_since(told: &Known, old: &Grid) -> u64 {
    let seats = Patient::ALL
        .into_iter()
        .zip(&old.paid)
        .map(|(patient, paid)| {
            let origin = -i128::from(old.ago);
            let mut blocks = minutes(told, patient, origin);
            for block in shared(told, patient, origin) {
                if paid.iter().all(|paid| *paid < block) {
                    let minutes = blocks.entry(block).or_default();
                    *minutes = (*minutes).max(2);
                }
            }
            blocks.values().sum::<u64>()
        });
    seats.sum()
}

/// When anybody was first connected with the practitioner, or on the phone.
fn first(told: &Known) -> Option<u64> {
    let connected = |patient| {
        together(told, patient)
            .into_iter()
            .chain(on_the_phone(told, patient))
    };
    let spans = Patient::ALL.into_iter().flat_map(connected);
    spans.map(|(from, _)| from).min()
}

/// The blocks in which a patient and the practitioner were together.
fn shared(told: &Known, patient: Patient, origin: i128) -> Vec<u64> {
    let block = |at: u64| u64::try_from((i128::from(at) - origin) / i128::from(BLOCK)).unwrap();
    let spans = together(told, patient).into_iter();
    spans
        .flat_map(|(from, to)| block(from)..=block(to - 1))
        .collect()
}

/// What each block of a grid costs a patient, paid or not.
fn charged(told: &Known, patient: Patient, origin: i128) -> BTreeMap<u64, u64> {
    let mut blocks = minutes(told, patient, origin);
    for block in shared(told, patient, origin) {
        let minutes = blocks.entry(block).or_default();
        *minutes = (*minutes).max(2);
    }
    blocks
}

/// How many minutes by phone began in each block.
fn minutes(told: &Known, patient: Patient, origin: i128) -> BTreeMap<u64, u64> {
    let mut blocks = BTreeMap::new();
    for (from, to) in on_the_phone(told, patient) {
        for begins in (from..to).step_by(MINUTE as usize) {
            let block = (i128::from(begins) - origin) / i128::from(BLOCK);
            *blocks.entry(u64::try_from(block).unwrap()).or_default() += 1;
        }
    }
    blocks
}

fn on_the_phone(told: &Known, patient: Patient) -> Vec<(u64, u64)> {
    spans(told, false, |on, fact| match fact {
        Fact::PhoneAnswered(other) if other == patient => true,
        Fact::PhoneHungUp(other) if other == patient => false,
        _ => on,
    })
}

fn together(told: &Known, patient: Patient) -> Vec<(u64, u64)> {
    let (mut patient_in, mut practitioner_in) = (false, true);
    spans(told, false, move |_, fact| {
        match fact {
            Fact::Joined(Person::Practitioner) => practitioner_in = true,
            Fact::Left(Person::Practitioner) => practitioner_in = false,
            Fact::Joined(Person::Patient(other)) if other == patient => patient_in = true,
            Fact::Left(Person::Patient(other)) if other == patient => patient_in = false,
            _ => {}
        }
        patient_in && practitioner_in
    })
}

/// The spans, none of them empty, in which something is so; `is_on` says what each fact makes of it.
fn spans(
    told: &Known,
    on_at_first: bool,
    mut is_on: impl FnMut(bool, Fact) -> bool,
) -> Vec<(u64, u64)> {
    let mut spans = Vec::new();
    let (mut on, mut since) = (on_at_first, 0);
    for (at, fact) in told.facts {
        let next = is_on(on, *fact);
        if on && !next && since < *at {
            spans.push((since, *at));
        }
        if !on && next {
            since = *at;
        }
        on = next;
    }
    if on && since < told.end {
        spans.push((since, told.end));
    }
    spans
}
