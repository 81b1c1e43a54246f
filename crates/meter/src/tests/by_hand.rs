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
        let is_let_in = |fact: &Fact| {
            let joined = Fact::Joined(Person::Patient(patient));
            [Fact::PatientAdmitted(patient), joined].contains(fact)
        };
        let admitted = told.facts.iter().any(|(_, fact)| is_let_in(fact));
        let mut blocks = minutes(told, patient, 0);
        if admitted {
            for block in 0..told.end.div_ceil(BLOCK) {
                let minutes = blocks.entry(block).or_default();
                *minutes = (*minutes).max(2);
            }
        }
        blocks.values().sum::<u64>()
    });
    seats.sum()
}

fn attended(told: &Known) -> u64 {
    let connected = |patient| {
        together(told, patient)
            .into_iter()
            .chain(on_the_phone(told, patient))
    };
    let spans = Patient::ALL.into_iter().flat_map(connected);
    let Some(origin) = spans.map(|(from, _)| from).min() else {
        return 0;
    };
    let seats = Patient::ALL.into_iter().map(|patient| {
        let mut blocks = minutes(told, patient, origin);
        for (from, to) in together(told, patient) {
            for block in (from - origin) / BLOCK..=(to - 1 - origin) / BLOCK {
                let minutes = blocks.entry(block).or_default();
                *minutes = (*minutes).max(2);
            }
        }
        blocks.values().sum::<u64>()
    });
    seats.sum()
}

/// How many minutes by phone began in each block.
fn minutes(told: &Known, patient: Patient, origin: u64) -> BTreeMap<u64, u64> {
    let mut blocks = BTreeMap::new();
    for (from, to) in on_the_phone(told, patient) {
        for begins in (from..to).step_by(MINUTE as usize) {
            *blocks.entry((begins - origin) / BLOCK).or_default() += 1;
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
