//! What holds for every ledger there can be.

use std::collections::{BTreeMap, BTreeSet};

use super::ledger::call;
use super::told::{CASES, Random, practice};
use crate::{
    Account, AccountId, Balance, Books, Correction, Credits, Key, Refusal, Session, SessionId,
    Transaction, Transfer,
};

/// Everything that a practice of three holders does in some months, from a seed. Entries of one fate stand together.
struct Doings {
    random: Random,
    batches: Vec<Vec<Transaction>>,
    /// Of the entries of a session, which one comes before: a session that was refused writes no more.
    before: BTreeMap<Key, Key>,
}

/// Books, and what was written in them, in order.
#[derive(Default)]
struct Desk {
    books: Books,
    journal: Vec<Transaction>,
    keys: BTreeSet<Key>,
}

impl Desk {
    /// Writes what can be.
    fn take(&mut self, doings: &Doings, batch: &[Transaction]) -> bool {
        let mut before = batch
            .iter()
            .filter_map(|entry| doings.before.get(&entry.key));
        let is_new =
            before.all(|key| self.keys.contains(key)) && self.books.record_all(batch) == Ok(true);
        if is_new {
            self.journal.extend_from_slice(batch);
            self.keys
                .extend(batch.iter().map(|entry| entry.key.clone()));
        }
        is_new
    }

    fn sum(&self, of: &[Account]) -> i64 {
        let balances = self.balances().into_iter();
        balances
            .filter(|(account, _)| of.contains(account))
            .map(|(_, balance)| balance)
            .sum()
    }

    fn balances(&self) -> Vec<(Account, i64)> {
        let balances = self.books.balances();
        balances
            .map(|(_, of, Balance(balance))| (of, balance))
            .collect()
    }
}

impl Doings {
    fn from_seed(seed: u64) -> Self {
        let mut doings = Self {
            random: Random(seed),
            batches: Vec::new(),
            before: BTreeMap::new(),
        };
        for number in 0..6 + doings.random.below(20) {
            doings.any(number);
        }
        doings
    }

    fn any(&mut self, number: u64) {
        let (holder, name) = (self.holder(), number.to_string());
        let credits = Credits(self.random.below(30));
        match self.random.below(9) {
            0 | 1 => self.alone(Transaction::top_up(holder, credits, &name, "Ben")),
            2 => self.alone(Transaction::gift(&name, holder, credits, "new")),
            3 => self.alone(Transaction::write_off(
                &name, holder, credits, "Ben", "gone",
            )),
            4 => {
                let legs = Transfer {
                    name,
                    from: holder,
                    to: self.holder(),
                    credits,
                    by: "Ben".to_owned(),
                };
                self.batches.extend(legs.legs().ok().map(Vec::from));
            }
            5 | 6 => {
                let minutes = 1 + self.random.below(12);
                let entries = call(&format!("call {number}"), holder, minutes);
                let pairs = entries.iter().skip(1).zip(&entries);
                let keys = pairs.map(|(entry, before)| (entry.key.clone(), before.key.clone()));
                self.before.extend(keys);
                self.batches
                    .extend(entries.into_iter().map(|entry| vec![entry]));
            }
            _ => self.correct(number),
        }
    }

    fn alone(&mut self, entry: Transaction) {
        self.batches.push(vec![entry]);
    }

    /// Corrects something of before, corrections included; sometimes of more than there is.
    fn correct(&mut self, number: u64) {
        let entries: Vec<_> = self.batches.iter().flatten().collect();
        let Some(place) = (entries.len() as u64).checked_sub(1) else {
            return;
        };
        let entry = entries[self.random.below(place + 1) as usize].clone();
        let correction = Correction {
            name: number.to_string(),
            credits: Credits(self.random.below(15)),
            by: "Ben".to_owned(),
            reason: "wrong".to_owned(),
        };
        if let Ok(correction) = correction.of(&entry) {
            self.alone(correction);
        }
    }

    fn holder(&mut self) -> AccountId {
        match self.random.below(4) {
            0 | 1 => practice(),
            2 => practice().practitioner("ada"),
            _ => practice().practitioner("ben"),
        }
    }

    /// The same, each some times over, in any order.
    fn in_disorder(&mut self) -> Vec<Vec<Transaction>> {
        let mut sent = Vec::new();
        for batch in &self.batches {
            for _ in 0..1 + self.random.below(3) {
                sent.push(batch.clone());
            }
        }
        for place in (1..sent.len()).rev() {
            sent.swap(place, self.random.below(place as u64 + 1) as usize);
        }
        sent
    }
}

/// P1: at every prefix what came in is there, nothing is between two holders, and what is given is part of what is left.
#[test]
fn credits_are_conserved_whatever_is_done_with_them() {
    for seed in 0..CASES {
        let doings = Doings::from_seed(seed);
        let mut desk = Desk::default();
        for batch in &doings.batches {
            let before = desk.balances();
            let is_new = desk.take(&doings, batch);
            assert!(is_new || before == desk.balances(), "seed {seed}");
            assert_eq!(desk.sum(&Account::ALL), 0, "seed {seed}");
            assert_eq!(desk.sum(&[Account::Transferred]), 0, "seed {seed}");
            for holder in batch.iter().map(|entry| &entry.account) {
                let held = desk.books.holdings(holder);
                let [Balance(available), Balance(reserved)] =
                    [Account::Available, Account::Reserved].map(|of| held.balance(of));
                let unspent = (available + reserved).max(0);
                assert!(reserved >= 0, "seed {seed}: {held:?}");
                assert!(held.given().posted() <= unspent, "seed {seed}: {held:?}");
            }
        }
    }
}

/// P2, M12: sent again and in any order, each entry is written once, and no charge is refunded beyond itself.
#[test]
fn duplicates_and_disorder_refund_nothing_twice() {
    let mut refunds = 0;
    for seed in 0..CASES {
        let mut doings = Doings::from_seed(seed);
        let sent = doings.in_disorder();
        let mut desk = Desk::default();
        for batch in &sent {
            desk.take(&doings, batch);
        }
        assert_eq!(desk.keys.len(), desk.journal.len(), "seed {seed}: twice");
        refunds += corrections(&desk.journal, seed);
        let balances = desk.balances();
        for entry in &desk.journal {
            let again = desk.books.record(entry);
            assert_eq!(again, Ok(false), "seed {seed}: {}", entry.key);
        }
        assert_eq!(balances, desk.balances(), "seed {seed}");
    }
    assert!(refunds > CASES / 10, "{refunds} refunds are no test");
}

/// Checks that of no entry more is reversed than it moved; returns how many corrections there were.
pub(super) fn corrections<'a>(
    journal: impl IntoIterator<Item = &'a Transaction>,
    seed: u64,
) -> u64 {
    let mut left: BTreeMap<&Key, i64> = BTreeMap::new();
    let moved = |entry: &Transaction| {
        entry
            .postings
            .iter()
            .map(|posting| posting.delta.max(0))
            .sum::<i64>()
    };
    let mut corrections = 0;
    for entry in journal {
        left.insert(&entry.key, moved(entry));
        if let crate::Cause::Corrected { of, .. } = &entry.cause {
            corrections += 1;
            let left = left.get_mut(of).expect("what is corrected comes before");
            *left -= moved(entry);
            assert!(*left >= 0, "seed {seed}: {of}");
        }
    }
    corrections
}

/// M12: the journal, read again, makes the same holdings; and tells the same sessions.
#[test]
fn replay_equals_projection() {
    for seed in 0..CASES {
        let doings = Doings::from_seed(seed);
        let mut desk = Desk::default();
        for batch in &doings.batches {
            desk.take(&doings, batch);
        }
        let Desk { books, journal, .. } = desk;
        let mut again = Books::default();
        // A transfer's legs stand side by side.
        let mut rest = &journal[..];
        while let Some(first) = rest.first() {
            let legs = 1 + usize::from(first.kind == crate::Kind::TransferOut);
            assert_eq!(again.record_all(&rest[..legs]), Ok(true), "seed {seed}");
            rest = &rest[legs..];
        }
        for holder in [
            practice(),
            practice().practitioner("ada"),
            practice().practitioner("ben"),
        ] {
            assert_eq!(
                books.holdings(&holder),
                again.holdings(&holder),
                "seed {seed}"
            );
        }
        expect_sessions_told(&journal, seed);
    }
}

/// A session's journal, corrections included, comes to what it cost; one whose correction was made larger does not.
fn expect_sessions_told(journal: &[Transaction], seed: u64) {
    let sessions: BTreeSet<&SessionId> = journal
        .iter()
        .filter_map(|entry| entry.session.as_ref())
        .collect();
    for session in sessions {
        let own = journal
            .iter()
            .filter(|entry| entry.session.as_ref() == Some(session));
        let mut own: Vec<_> = own.cloned().collect();
        let earned: i64 = own.iter().map(|entry| entry.posted(Account::Earned)).sum();
        let told = Session::replay(&own).unwrap();
        let total = told.explain(crate::Millis::ZERO).total();
        assert_eq!(total.posted(), earned, "seed {seed}: {session}");
        if let Some(last) = own
            .last_mut()
            .filter(|last| last.kind == crate::Kind::Correct)
        {
            for posting in &mut last.postings {
                posting.delta *= 100;
            }
            assert!(Session::replay(&own).is_err(), "seed {seed}: {session}");
        }
    }
}

#[test]
fn absurd_quantities_are_refused() {
    let mut books = Books::default();
    let all = |name: &str| Transaction::gift(name, practice(), Credits(u64::MAX), "all there is");
    assert_eq!(books.record(&all("1")), Ok(true));
    let refused = books.record(&all("2"));
    assert!(
        matches!(refused, Err(Refusal::Unbalanced { .. })),
        "{refused:?}"
    );
}
