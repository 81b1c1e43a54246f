//! What holds for every session there can be.

use super::by_hand::{self, Known};
use super::told::{CASES, Random, Story, Told, bought, practice};
use crate::{
    Account, Balance, Booked, Credits, Fact, Kind, Millis, Opening, Patient, Session, SessionId,
    Tariff, Transaction,
};

/// M2 to M5, M9: the price is what one works out by hand.
#[test]
fn every_session_costs_what_the_rules_say() {
    for seed in 0..CASES {
        let told = Told::from_seed(seed);
        let known = Known {
            tariff: told.tariff,
            facts: &told.facts,
            end: told.end,
        };
        assert_eq!(told.cost(), Credits(by_hand::cost(&known)), "seed {seed}");
    }
}

/// P1, M12: at every prefix of the journal nothing is lost or made, and what is reserved is there.
#[test]
fn credits_are_conserved_at_every_prefix() {
    for seed in 0..CASES {
        let told = Told::from_seed(seed);
        let mut books = bought();
        for entry in &told.journal {
            books.record(entry).unwrap();
            let sum: i64 = books
                .balances()
                .map(|(_, _, Balance(balance))| balance)
                .sum();
            assert_eq!(sum, 0, "seed {seed}: {}", entry.key);
            let Balance(reserved) = books.balance(&practice(), Account::Reserved);
            assert!(reserved >= 0, "seed {seed}: {}", entry.key);
        }
    }
}

/// Each reservation meets exactly one end, which pays the cost and gives back the rest.
#[test]
fn every_reservation_meets_one_end() {
    for seed in 0..CASES {
        let told = Told::from_seed(seed);
        let books = told.books();
        let balance = |of| books.balance(&practice(), of);
        assert_eq!(told.ends(), 1, "seed {seed}");
        assert_eq!(balance(Account::Reserved), Balance(0), "seed {seed}");
        assert_eq!(
            balance(Account::Earned),
            Balance(told.cost().posted()),
            "seed {seed}"
        );
        assert_eq!(
            balance(Account::Available),
            Balance(6 - told.cost().posted()),
            "seed {seed}"
        );
    }
}

/// M7: whatever is owed was set aside before.
#[test]
fn what_is_reserved_covers_what_is_owed() {
    for seed in 0..CASES {
        let told = Told::from_seed(seed);
        let reserved = told
            .journal
            .iter()
            .filter(|entry| !entry.kind.ends_session());
        let reserved: i64 = reserved.map(|entry| entry.posted(Account::Reserved)).sum();
        assert!(reserved >= told.cost().posted(), "seed {seed}: {reserved}");
    }
}

/// P2: entries sent again, in any order after their first time, change nothing; another entry under the same key is refused.
#[test]
fn repeated_entries_change_nothing() {
    for seed in 0..CASES {
        let told = Told::from_seed(seed);
        let mut books = told.books();
        let balances = |books: &crate::Books| -> Vec<_> {
            books
                .balances()
                .map(|(_, of, balance)| (of, balance))
                .collect()
        };
        let before = balances(&books);
        let mut random = Random(seed ^ 0xdead);
        for _ in 0..5 {
            let again = &told.journal[random.below(told.journal.len() as u64) as usize];
            assert_eq!(books.record(again), Ok(false), "seed {seed}: {}", again.key);
            let other = Transaction {
                at: again.at.plus(Millis(1)),
                ..again.clone()
            };
            assert!(books.record(&other).is_err(), "seed {seed}: {}", again.key);
        }
        assert_eq!(before, balances(&books), "seed {seed}");
    }
}

/// P4: the same story costs the same, whenever and however often the timer runs; and sets aside the same in all, to the last block.
#[test]
fn the_timer_changes_no_price() {
    for seed in 0..CASES {
        let story = Story::any(&mut Random(seed));
        let [one, two] = [1, 2].map(|ticks| story.tell("s", None, &mut Random(seed ^ ticks << 32)));
        assert_eq!(one.cost(), two.cost(), "seed {seed}");
        assert_eq!(
            one.session.bill(Millis::ZERO),
            two.session.bill(Millis::ZERO),
            "seed {seed}"
        );
    }
}

/// M3: exact to the millisecond.
#[test]
fn boundaries_are_exact() {
    let mut random = Random(3);
    for case in 0..CASES {
        let tariff = [Tariff::STANDARD, Tariff::ATTENDED, Tariff::PHONE][random.below(3) as usize];
        let blocks = 1 + random.below(200);
        let whole = blocks * tariff.block().0;
        for (elapsed, charged) in [
            (whole - 1, blocks),
            (whole, blocks),
            (whole + 1, blocks + 1),
        ] {
            let expected = tariff.credits_per_block().times(charged);
            let began = random.below(1_000_000) * u64::from(tariff != Tariff::STANDARD);
            assert_eq!(
                cost_of_one(tariff, began, elapsed),
                expected,
                "case {case}: {elapsed} ms"
            );
        }
    }
}

fn cost_of_one(tariff: Tariff, began: u64, elapsed: u64) -> Credits {
    let mut session = Session::open(Opening {
        tariff,
        ..Opening::visit(SessionId::new("s"), practice(), Booked::ONE)
    });
    let begins = match tariff {
        Tariff::PHONE => Fact::Answered,
        Tariff::STANDARD => Fact::PatientAdmitted(Patient::One),
        _ => Fact::Joined(crate::Person::Patient(Patient::One)),
    };
    session.handle_input(Millis(began), begins).unwrap();
    session
        .handle_input(Millis(began + elapsed), Fact::Ended)
        .unwrap();
    session.settled().unwrap()
}

/// M5: for the same events `attended` never costs more than `standard`, however often the session is reopened.
#[test]
fn attended_never_costs_more_than_standard() {
    for seed in 0..CASES {
        let mut random = Random(seed);
        let mut sums = [0, 0];
        let (mut reopens, mut grid) = (None, None);
        for sitting in 0..1 + random.below(3) {
            let story = Story::visit(&mut random);
            let standard = story.tell("s", None, &mut random);
            let attended = Story {
                tariff: Tariff::ATTENDED,
                ..story
            }
            .tell("a", reopens, &mut random);
            let replayed = Session::replay(&attended.journal).unwrap();
            assert_eq!(
                replayed.settled(),
                attended.session.settled(),
                "seed {seed}, sitting {sitting}"
            );
            let after = random.below(2_000_000);
            let known = Known {
                tariff: Tariff::ATTENDED,
                facts: &attended.facts,
                end: attended.end,
            };
            let (expected, left) = by_hand::sitting(&known, grid.as_ref(), after);
            assert_eq!(
                attended.cost().0,
                expected,
                "seed {seed}, sitting {sitting}"
            );
            grid = Some(left);
            reopens = attended.session.reopening(Millis(after));
            sums[0] += attended.cost().0;
            sums[1] += standard.cost().0;
            assert!(
                sums[0] <= sums[1],
                "seed {seed}, sitting {sitting}: {sums:?}"
            );
        }
    }
}

/// M10: the lines of the bill sum to the charge, and cover no block of a patient twice.
#[test]
fn the_explanation_sums_to_the_charge() {
    for seed in 0..CASES {
        let told = Told::from_seed(seed);
        let explained = told.session.explain(Millis::ZERO);
        assert_eq!(explained.bill.total(), told.cost(), "seed {seed}");
        let each = Patient::ALL.map(|patient| explained.bill.total_of(patient));
        assert_eq!(
            each.into_iter().sum::<Credits>(),
            told.cost(),
            "seed {seed}"
        );
        for lines in explained.bill.lines().windows(2) {
            let [one, two] = lines else { unreachable!() };
            let in_order = one.patient < two.patient || one.to <= two.from;
            assert!(in_order, "seed {seed}: {one} and {two}");
        }
        // Only what was new is part of the story.
        assert!(
            explained.timeline.len() <= told.facts.len() + 1,
            "seed {seed}"
        );
    }
}

/// M10: told again from the journal, at every prefix, it is the same session.
#[test]
fn replay_comes_to_the_same_numbers() {
    for seed in 0..CASES {
        let told = Told::from_seed(seed);
        let again = Session::replay(&told.journal).unwrap();
        assert_eq!(
            again.explain(Millis::ZERO),
            told.session.explain(Millis::ZERO),
            "seed {seed}"
        );
        let prefix = 1 + (seed as usize % told.journal.len());
        let cut = Session::replay(&told.journal[..prefix]).unwrap();
        let ended = told.journal[..prefix]
            .iter()
            .any(|entry| entry.kind.ends_session());
        assert_eq!(cut.settled().is_some(), ended, "seed {seed}");
    }
}

/// An entry that was changed, or one that moves credits and was taken out, does not follow from those before it. (A moment that was moved and
/// changes no price is found by the journal's chain alone.)
#[test]
fn tampering_is_found() {
    let mut random = Random(11);
    for seed in 0..CASES {
        let mut journal = Told::from_seed(seed).journal;
        let at = random.below(journal.len() as u64) as usize;
        let may_vanish = at + 1 < journal.len() && moves(&journal[at]);
        let entry = &mut journal[at];
        match random.below(6) {
            0 => match entry.postings.first_mut() {
                Some(posting) => posting.delta += 1,
                None => entry.kind = Kind::Extend,
            },
            1 => {
                entry.tariff = Some(Tariff::PHONE.id()).filter(|phone| entry.tariff != Some(*phone))
            }
            2 => entry.key.0.push('1'),
            3 => entry.must_be_covered = !entry.must_be_covered,
            4 => entry.account = crate::AccountId::new("practice:2"),
            _ if may_vanish => drop(journal.remove(at)),
            _ => entry.postings.clear(),
        }
        if journal == Told::from_seed(seed).journal {
            continue;
        }
        assert!(
            is_found(&journal),
            "seed {seed}, entry {at}: {:?}",
            journal.get(at)
        );
    }
}

fn moves(entry: &Transaction) -> bool {
    !entry.postings.is_empty()
}

fn is_found(journal: &[Transaction]) -> bool {
    Session::replay(journal).is_err()
}

#[test]
fn absurd_times_do_not_overflow() {
    for tariff in [Tariff::STANDARD, Tariff::ATTENDED] {
        let mut visit = Session::open(Opening {
            tariff,
            ..Opening::visit(SessionId::new("v"), practice(), Booked::new(3).unwrap())
        });
        let joined = Fact::Joined(crate::Person::Patient(Patient::One));
        visit.handle_input(Millis(0), joined).unwrap();
        visit
            .handle_input(Millis(7), Fact::PhoneAnswered(Patient::Two))
            .unwrap();
        visit.handle_timeout(Millis(u64::MAX));
        visit.handle_input(Millis(u64::MAX), Fact::Ended).unwrap();
        let blocks = u64::MAX.div_ceil(900_000) * 2;
        let minutes = (u64::MAX - 7).div_ceil(60_000);
        assert_eq!(visit.settled(), Some(Credits(blocks + minutes)));
        let grid = visit.reopening(Millis(u64::MAX)).unwrap();
        let again = Session::open(Opening {
            tariff,
            reopens: Some(grid),
            ..Opening::visit(SessionId::new("w"), practice(), Booked::ONE)
        });
        assert_eq!(again.cost_so_far(Millis(u64::MAX)), Credits::ZERO);
    }
}
