//! A clinic whose program dies, whose database fails between statement and answer, and whose people click twice.
//!
//! Time is virtual and everything comes from a seed. One process at a time runs the sessions of one practice as the engine does: each entry
//! is sent until the ledger has it, each session leaves a sign of life every five seconds, and a process that starts closes what the one
//! before left open. Between sessions the office buys, corrects, transfers, sends messages and pays for a number, in processes that die as well.

mod office;

use std::collections::BTreeMap;

use self::office::Office;
use super::by_hand::{self, Known};
use super::told::{CASES, Random, Story, practice};
use crate::{
    Account, Balance, Books, Cause, Credits, Fact, Kind, Millis, Opening, Refusal, Session,
    SessionId, Transaction,
};

const HEARTBEAT_MS: u64 = 5_000;

/// What outlives a process.
#[derive(Default)]
struct Ledger {
    books: Books,
    journal: Vec<Transaction>,
    /// The last sign of life of each session, in its own time.
    evidence: BTreeMap<SessionId, u64>,
    office: Office,
    /// Of a hundred statements, how many fail, half of them after the commit.
    fails: u64,
    answers: u64,
}

/// What a statement came to, as the process sees it.
enum Answer {
    Recorded,
    /// Perhaps it is written, perhaps not.
    Lost,
    Refused(Refusal),
}

impl Ledger {
    /// Writes entries of one fate, and what the office keeps beside them, or nothing.
    fn record(
        &mut self,
        entries: &[Transaction],
        beside: &dyn Fn(&mut Office),
        random: &mut Random,
    ) -> Answer {
        let fails = random.below(100) < self.fails;
        if fails && random.below(2) == 0 {
            return Answer::Lost;
        }
        let recorded = match self.books.record_all(entries) {
            Ok(is_new) => is_new,
            Err(refusal) => return Answer::Refused(refusal),
        };
        beside(&mut self.office);
        if recorded {
            self.journal.extend_from_slice(entries);
            for entry in entries {
                let available = self.books.balance(&entry.account, Account::Available);
                self.office.watch(entry, available);
            }
        }
        self.answers += 1;
        let sum: i64 = self
            .books
            .balances()
            .map(|(_, _, Balance(balance))| balance)
            .sum();
        assert_eq!(sum, 0, "{entries:?}");
        if fails {
            Answer::Lost
        } else {
            Answer::Recorded
        }
    }

    fn entries(&self, session: &SessionId) -> Vec<Transaction> {
        let own = self.journal.iter();
        own.filter(|entry| entry.session.as_ref() == Some(session))
            .filter(|entry| entry.kind != Kind::Correct)
            .cloned()
            .collect()
    }

    /// Sessions that began and have no end.
    fn open_sessions(&self) -> Vec<SessionId> {
        let of = |kind: fn(Kind) -> bool| {
            let entries = self.journal.iter().filter(move |entry| kind(entry.kind));
            entries.filter_map(|entry| entry.session.clone())
        };
        let ended: Vec<SessionId> = of(Kind::ends_session).collect();
        of(|kind| kind == Kind::Reserve)
            .filter(|session| !ended.contains(session))
            .collect()
    }
}

/// The process is gone.
struct Died;

/// One process.
struct Process<'a> {
    ledger: &'a mut Ledger,
    random: &'a mut Random,
    /// How many more statements it lives for.
    statements_left: u64,
}

impl Process<'_> {
    /// Sends an entry until the ledger has it, or refuses it.
    fn send(&mut self, entry: &Transaction) -> Result<Option<Refusal>, Died> {
        self.send_all(std::slice::from_ref(entry), &|_| ())
    }

    /// The same with entries of one fate, and what the office keeps beside them.
    fn send_all(
        &mut self,
        entries: &[Transaction],
        beside: &dyn Fn(&mut Office),
    ) -> Result<Option<Refusal>, Died> {
        loop {
            // It may die before a statement and after it, and never knows which.
            self.statements_left = self.statements_left.checked_sub(1).ok_or(Died)?;
            let answer = self.ledger.record(entries, beside, self.random);
            self.statements_left = self.statements_left.checked_sub(1).ok_or(Died)?;
            match answer {
                Answer::Recorded => return Ok(None),
                Answer::Refused(refusal) => return Ok(Some(refusal)),
                Answer::Lost => {}
            }
        }
    }

    fn drain(&mut self, session: &mut Session) -> Result<Option<Refusal>, Died> {
        while let Some(entry) = session.poll_output() {
            if let Some(refusal) = self.send(&entry)? {
                return Ok(Some(refusal));
            }
            let _ = session.recorded(&entry.key);
        }
        Ok(None)
    }

    /// Runs a session to its end, as far as the process lives. Returns false if it may not start.
    fn run(&mut self, name: &SessionId, story: &Story) -> Result<bool, Died> {
        let mut session = Session::open(Opening {
            session: name.clone(),
            account: practice(),
            tariff: story.tariff,
            booked: story.booked,
            reopens: None,
        });
        if self.drain(&mut session)?.is_some() {
            return Ok(false);
        }
        let mut beats = 0;
        for (at, fact) in story
            .facts
            .iter()
            .copied()
            .chain([(story.end, Fact::Ended)])
        {
            self.wait(&mut session, &mut beats, at)?;
            // Buttons are clicked twice.
            for _ in 0..1 + self.random.below(2) {
                session.handle_input(Millis(at), fact).unwrap();
            }
            assert!(
                self.drain(&mut session)?.is_none(),
                "only a start is refused"
            );
        }
        Ok(true)
    }

    /// Lets time pass: blocks begin, and every five seconds there is a sign of life.
    fn wait(&mut self, session: &mut Session, beats: &mut u64, until: u64) -> Result<(), Died> {
        // Of a long time, the blocks and the last signs.
        while let Some(due) = session.poll_timeout().filter(|due| due.0 <= until) {
            session.handle_timeout(due);
            self.drain(session)?;
        }
        let beat = until / HEARTBEAT_MS * HEARTBEAT_MS;
        if beat > *beats {
            self.statements_left = self.statements_left.checked_sub(1).ok_or(Died)?;
            *beats = beat;
            self.ledger.evidence.insert(session.id().clone(), beat);
        }
        Ok(())
    }

    /// Closes what an earlier process left open, at its last evidence (M11).
    fn recover(&mut self) -> Result<(), Died> {
        for name in self.ledger.open_sessions() {
            let mut session = Session::replay(&self.ledger.entries(&name)).unwrap();
            let beat = self.ledger.evidence.get(&name).copied().unwrap_or(0);
            let last_evidence = Millis(beat).max(session.latest());
            let recovered = Fact::Recovered { last_evidence };
            session.handle_input(Millis(u64::MAX), recovered).unwrap();
            assert!(self.drain(&mut session)?.is_none(), "an end is not refused");
        }
        Ok(())
    }
}

/// One clinic, day after day, from a seed; checked, and what is left of it.
fn simulated(seed: u64) -> Ledger {
    let mut random = Random(seed);
    let mut ledger = Ledger {
        fails: random.below(40),
        ..Ledger::default()
    };
    let bought = Transaction::grant("1", practice(), Credits(random.below(400)), "bought");
    ledger.books.record(&bought).unwrap();
    let stories: Vec<Story> = (0..3).map(|_| Story::any(&mut random)).collect();
    let mut begun = Vec::new();
    for (number, story) in (1..).zip(&stories) {
        let name = SessionId::new(format!("session {number}"));
        let mut process = Process {
            statements_left: random.below(60),
            ledger: &mut ledger,
            random: &mut random,
        };
        let ran = process.recover().and_then(|()| process.run(&name, story));
        begun.push((name, story, ran.is_ok()));
        let mut process = Process {
            statements_left: random.below(60),
            ledger: &mut ledger,
            random: &mut random,
        };
        let _ = process
            .recover()
            .and_then(|()| process.work_in_the_office());
    }
    // The last process lives for as long as it needs; those before it may die while they recover.
    while !ledger.open_sessions().is_empty() {
        let mut process = Process {
            statements_left: 5 + random.below(500),
            ledger: &mut ledger,
            random: &mut random,
        };
        let _ = process.recover();
    }
    let mut process = Process {
        statements_left: u64::MAX,
        ledger: &mut ledger,
        random: &mut random,
    };
    let _ = process.finish_messages();
    office::check(&ledger, bought.posted(Account::Available), seed);
    for (name, story, lived) in begun {
        check(&ledger, &name, story, lived, seed);
    }
    let balance = |of| ledger.books.balance(&practice(), of);
    assert_eq!(balance(Account::Reserved), Balance(0), "seed {seed}");
    ledger
}

/// A session that began has one end, and costs what its facts cost up to its last evidence.
fn check(ledger: &Ledger, name: &SessionId, story: &Story, lived: bool, seed: u64) {
    let entries = ledger.entries(name);
    let ends: Vec<_> = entries
        .iter()
        .filter(|entry| entry.kind.ends_session())
        .collect();
    if entries.is_empty() {
        return;
    }
    let [end] = ends.as_slice() else {
        panic!("seed {seed}, {name}: {} ends", ends.len());
    };
    let charged = u64::try_from(end.posted(Account::Earned)).unwrap();
    let known = |facts: usize, end: u64| {
        by_hand::cost(&Known {
            tariff: story.tariff,
            facts: &story.facts[..facts],
            end,
        })
    };
    if end.cause == Cause::Heard(Fact::Ended) {
        assert_eq!(
            charged,
            known(story.facts.len(), story.end),
            "seed {seed}, {name}"
        );
        return;
    }
    assert!(!lived, "seed {seed}, {name} ended by {}", end.cause);
    // Facts are written in their order, so that those that are there are the first ones that were new.
    let written = entries.iter().filter(|entry| is_fact(entry)).count();
    let upto = new_facts(story).get(written).copied();
    let upto = upto.unwrap_or(story.facts.len());
    assert_eq!(charged, known(upto, end.at.0), "seed {seed}, {name}");
    // Exactly as far as there was evidence: a heartbeat, or an entry.
    let beat = ledger.evidence.get(name).copied().unwrap_or(0);
    let last = entries.iter().rev().nth(1).map_or(0, |entry| entry.at.0);
    assert_eq!(end.at.0, beat.max(last), "seed {seed}, {name}");
}

fn is_fact(entry: &Transaction) -> bool {
    match entry.cause {
        Cause::Heard(Fact::Ended | Fact::Recovered { .. }) => false,
        Cause::Heard(_) => true,
        _ => false,
    }
}

/// Where in a story stand the facts that say something new.
fn new_facts(story: &Story) -> Vec<usize> {
    let mut timeline = crate::timeline::Timeline::new();
    let facts = story.facts.iter().enumerate();
    let new = facts.filter(|(_, (at, fact))| timeline.hear(Millis(*at), *fact));
    new.map(|(place, _)| place).collect()
}

/// 0 credits lost, 0 charged twice.
#[test]
fn no_crash_and_no_lost_answer_costs_a_credit() {
    for seed in 0..CASES {
        simulated(seed);
    }
}

/// The simulation does what it says: some sessions are refused, some end by recovery, some statements are repeated.
#[test]
fn the_simulation_is_rough() {
    let mut kinds = BTreeMap::<&str, u64>::new();
    for seed in 0..200 {
        let mut random = Random(seed);
        let mut ledger = Ledger {
            fails: 30,
            ..Ledger::default()
        };
        let bought = Transaction::grant("1", practice(), Credits(1 + random.below(3)), "bought");
        ledger.books.record(&bought).unwrap();
        let story = Story::any(&mut random);
        let name = SessionId::new("s");
        let mut process = Process {
            statements_left: random.below(30),
            ledger: &mut ledger,
            random: &mut random,
        };
        let ran = process.run(&name, &story);
        *kinds
            .entry(match ran {
                Ok(true) => "ended",
                Ok(false) => "refused",
                Err(Died) => "died",
            })
            .or_default() += 1;
        let repeated = ledger.answers - ledger.journal.len() as u64;
        *kinds.entry("repeated").or_default() += repeated;
    }
    assert!(
        ["ended", "refused", "died", "repeated"]
            .iter()
            .all(|kind| kinds[kind] > 10),
        "{kinds:?}"
    );
}
