//! What holds for every session there can be.

use crate::{
    Account, AccountId, Balance, Booked, Books, Credits, Fact, Kind, Millis, Opening, Patient,
    Session,
};
use crate::{SessionId, Tariff, Transaction};

const SEEDS: u64 = 4_000;

/// Conservation, one settlement, one end for each reservation, replay: over sessions made from a seed.
#[test]
fn every_session_keeps_the_books() {
    for seed in 0..SEEDS {
        let told = Told::from_seed(seed);
        let books = told.books();
        let sum: i64 = books
            .balances()
            .map(|(_, _, Balance(balance))| balance)
            .sum();
        assert_eq!(sum, 0, "seed {seed}: the books sum to zero");
        let balance = |of| books.balance(&practice(), of);
        assert_eq!(
            balance(Account::Reserved),
            Balance(0),
            "seed {seed}: nothing stays reserved"
        );
        assert_eq!(
            balance(Account::Earned),
            Balance(told.cost.posted()),
            "seed {seed}: the cost is earned"
        );
        assert_eq!(told.ends(), 1, "seed {seed}: one end");
        assert_eq!(
            told.cost, told.expected,
            "seed {seed}: the price by the rule"
        );
        assert_eq!(
            Session::replay(&told.journal).unwrap().settled(),
            Some(told.cost),
            "seed {seed}: replay"
        );
    }
}

/// P1: at every prefix what was granted is somewhere, and what is reserved covers what is owed.
#[test]
fn what_is_reserved_covers_what_is_owed() {
    for seed in 0..SEEDS {
        let told = Told::from_seed(seed);
        let mut reserved = 0;
        for entry in &told.journal {
            assert!(entry.is_balanced(), "seed {seed}: {}", entry.key);
            reserved += entry.posted(Account::Reserved);
            assert!(
                reserved >= 0,
                "seed {seed}: {} takes more than is reserved",
                entry.key
            );
        }
        let most: i64 = told
            .journal
            .iter()
            .map(|entry| entry.posted(Account::Reserved).max(0))
            .sum();
        assert!(
            most >= told.cost.posted(),
            "seed {seed}: {most} reserved, {} owed",
            told.cost
        );
    }
}

/// P2: entries sent again, in any order after their first time, change nothing.
#[test]
fn repeated_entries_change_nothing() {
    for seed in 0..500 {
        let told = Told::from_seed(seed);
        let mut books = told.books();
        let before: Vec<_> = books
            .balances()
            .map(|(_, of, balance)| (of, balance))
            .collect();
        let mut random = Random(seed ^ 0xdead);
        for _ in 0..20 {
            let again = &told.journal[random.below(told.journal.len() as u64) as usize];
            assert_eq!(books.record(again), Ok(false), "seed {seed}: {}", again.key);
        }
        let after: Vec<_> = books
            .balances()
            .map(|(_, of, balance)| (of, balance))
            .collect();
        assert_eq!(before, after, "seed {seed}");
    }
}

/// M3, P4: exact to the millisecond, however often and late the timer runs.
#[test]
fn boundaries_are_exact_whatever_the_timer_does() {
    let mut random = Random(3);
    for tariff in [Tariff::STANDARD, Tariff::PHONE] {
        for n in 1..=16_u64 {
            for (elapsed, blocks) in [
                (n * tariff.block().0 - 1, n),
                (n * tariff.block().0, n),
                (n * tariff.block().0 + 1, n + 1),
            ] {
                let expected = tariff.credits_per_block().times(blocks);
                assert_eq!(
                    cost_with_ticks(tariff, elapsed, 0, &mut random),
                    expected,
                    "{tariff:?} {elapsed}"
                );
                assert_eq!(
                    cost_with_ticks(tariff, elapsed, 40, &mut random),
                    expected,
                    "{tariff:?} {elapsed}"
                );
            }
        }
    }
}

#[test]
fn absurd_times_do_not_overflow() {
    let mut visit = Session::open(Opening::visit(
        SessionId::new("v"),
        practice(),
        Booked::new(3).unwrap(),
    ));
    visit
        .handle_input(Millis(u64::MAX), Fact::PatientAdmitted(Patient::One))
        .unwrap();
    visit.handle_timeout(Millis(u64::MAX));
    visit.handle_input(Millis(u64::MAX), Fact::Ended).unwrap();
    assert_eq!(
        visit.settled(),
        Some(Credits(u64::MAX.div_ceil(900_000) * 2))
    );
}

fn cost_with_ticks(tariff: Tariff, elapsed: u64, ticks: u64, random: &mut Random) -> Credits {
    let opening = Opening {
        session: SessionId::new("s"),
        account: practice(),
        tariff,
        booked: Booked::ONE,
    };
    let mut session = Session::open(opening);
    let begins = match tariff {
        Tariff::PHONE => Fact::Answered,
        _ => Fact::PatientAdmitted(Patient::One),
    };
    session.handle_input(Millis::ZERO, begins).unwrap();
    for _ in 0..ticks {
        session.handle_timeout(Millis(random.below(elapsed + 1)));
    }
    session.handle_input(Millis(elapsed), Fact::Ended).unwrap();
    session.settled().unwrap()
}

/// One session made from a seed, with everything that it wrote and what it ought to cost.
struct Told {
    journal: Vec<Transaction>,
    cost: Credits,
    expected: Credits,
}

impl Told {
    fn from_seed(seed: u64) -> Self {
        let mut random = Random(seed);
        let booked = Booked::new(1 + random.below(3) as u8).unwrap();
        let visit = random.below(2) == 0;
        let opening = match visit {
            true => Opening::visit(SessionId::new("s"), practice(), booked),
            false => Opening::call(SessionId::new("s"), practice()),
        };
        let (tariff, mut session) = (opening.tariff, Session::open(opening));
        let mut journal = Vec::new();
        let (mut at, mut began, mut people) = (0, visit.then_some(0), [0_u64; 3]);
        for _ in 0..random.below(30) {
            at += random.below(tariff.block().0 * 2);
            match random.below(4) {
                0 if visit => {
                    let seat = random.below(3) as usize;
                    people[seat] = 1;
                    session
                        .handle_input(Millis(at), Fact::PatientAdmitted(Patient::ALL[seat]))
                        .unwrap();
                }
                0 => {
                    began = began.or(Some(at));
                    people[0] = 1;
                    session.handle_input(Millis(at), Fact::Answered).unwrap();
                }
                1 => drain(&mut session, &mut journal),
                _ => session.handle_timeout(Millis(at)),
            }
        }
        at += random.below(tariff.block().0 * 3);
        let end = match random.below(3) {
            0 => Fact::Recovered {
                last_evidence: Millis(at),
            },
            _ => Fact::Ended,
        };
        session.handle_input(Millis(at), end).unwrap();
        session.handle_input(Millis(at + 5), Fact::Ended).unwrap();
        drain(&mut session, &mut journal);
        let blocks = began.map_or(0, |began: u64| (at - began).div_ceil(tariff.block().0));
        let expected = tariff
            .credits_per_block()
            .times(blocks * people.iter().sum::<u64>());
        Self {
            journal,
            cost: session.settled().unwrap(),
            expected,
        }
    }

    fn books(&self) -> Books {
        let mut books = Books::default();
        books
            .record(&Transaction::grant("1", practice(), Credits(6), "bought"))
            .unwrap();
        for entry in &self.journal {
            assert_eq!(books.record(entry), Ok(true));
        }
        books
    }

    fn ends(&self) -> usize {
        self.journal
            .iter()
            .filter(|entry| matches!(entry.kind, Kind::Settle | Kind::Release))
            .count()
    }
}

fn drain(session: &mut Session, journal: &mut Vec<Transaction>) {
    while let Some(entry) = session.poll_output() {
        let _ = session.recorded(&entry.key);
        journal.push(entry);
    }
}

fn practice() -> AccountId {
    AccountId::new("practice:1")
}

/// SplitMix64: the same seed, the same session.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}
