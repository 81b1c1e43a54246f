//! One metered session, from the first reservation to its one end.

mod outbox;
mod replay;
mod running;

use std::fmt;

use self::outbox::Outbox;
use self::running::Running;
use crate::transaction::movement;
use crate::{
    Account, AccountId, Booked, Cause, Credits, Grid, Key, Kind, Millis, Patient, Posting,
    SessionId,
};
use crate::{Tariff, Transaction};

pub use self::outbox::BlockGrant;
pub use self::replay::ReplayError;

/// One visit or call while it is metered: facts in, journal entries out.
///
/// Times are the session's own: zero is the practitioner's Join, or the click on Call. They may repeat but never go back;
/// an earlier one counts as the latest one seen.
#[derive(Debug)]
pub struct Session {
    id: SessionId,
    account: AccountId,
    tariff: Tariff,
    booked: Booked,
    latest: Millis,
    state: State,
    outbox: Outbox,
}

#[derive(Debug)]
enum State {
    /// A phone call that nobody has answered: one minute is reserved, no grid has begun.
    Ringing,
    /// Blocks are counted.
    Running(Running),
    /// The end is in the journal, or on its way there.
    Ended { cost: Credits, each: [Credits; 3] },
}

/// What is needed to start a session.
#[derive(Clone, Debug)]
pub struct Opening {
    /// A name never used before.
    pub session: SessionId,
    /// Who pays.
    pub account: AccountId,
    /// The price list, pinned from here on (M6).
    pub tariff: Tariff,
    /// For how many people the first block is reserved (M7).
    pub booked: Booked,
}

impl Opening {
    /// A video visit at the `standard` tariff.
    pub fn visit(session: SessionId, account: AccountId, booked: Booked) -> Self {
        Self {
            session,
            account,
            tariff: Tariff::STANDARD,
            booked,
        }
    }

    /// A phone call.
    pub fn call(session: SessionId, account: AccountId) -> Self {
        Self {
            session,
            account,
            tariff: Tariff::PHONE,
            booked: Booked::ONE,
        }
    }
}

/// What happened in a session, as far as money cares.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fact {
    /// The practitioner let this patient in; the second time changes nothing (M4).
    PatientAdmitted(Patient),
    /// The person rung answered: minutes count from here (M2).
    Answered,
    /// Disconnect, or the call was hung up.
    Ended,
    /// Busy, no answer, cancelled, declined or failed: it costs nothing (P7).
    NeverAnswered,
    /// The program died and is back. The session ends at the last moment there is evidence for (M11).
    Recovered {
        /// The last heartbeat.
        last_evidence: Millis,
    },
}

impl Session {
    /// Opens a session at time zero; the first reservation is the first output.
    pub fn open(opening: Opening) -> Self {
        let Opening {
            session,
            account,
            tariff,
            booked,
        } = opening;
        let state = match tariff.grid() {
            Grid::FromJoin => State::Running(Running::from_join()),
            Grid::FromAnswer => State::Ringing,
        };
        let mut session = Self {
            id: session,
            account,
            tariff,
            booked,
            latest: Millis::ZERO,
            state,
            outbox: Outbox::default(),
        };
        session.reserve();
        session
    }

    /// Takes a fact that happened `at`.
    ///
    /// After the end every fact is late and changes nothing.
    ///
    /// # Errors
    /// [`WrongMoment`] when the fact cannot be: a visit is not answered, an answered call is not unanswered.
    pub fn handle_input(&mut self, at: Millis, fact: Fact) -> Result<(), WrongMoment> {
        if self.is_ended() {
            return Ok(());
        }
        match fact {
            Fact::PatientAdmitted(patient) => self.admit(at, patient),
            Fact::Answered => self.answer(at),
            Fact::Ended => {
                self.end(at, fact);
                Ok(())
            }
            Fact::NeverAnswered => self.give_up(at),
            Fact::Recovered { last_evidence } => {
                self.end(last_evidence, fact);
                Ok(())
            }
        }
    }

    /// Reserves the blocks that have begun by `at`.
    pub fn handle_timeout(&mut self, at: Millis) {
        let at = self.advance(at);
        let State::Running(running) = &mut self.state else {
            return;
        };
        let more = running.begin_blocks(self.tariff, at);
        if more == 0 {
            return;
        }
        let key = format!("extend/{}", running.blocks_reserved.saturating_sub(1));
        let credits = self
            .tariff
            .credits_per_block()
            .times(running.people(self.booked))
            .times(more);
        self.write(
            Kind::Extend,
            key,
            Cause::BlockBegan,
            movement(Account::Available, Account::Reserved, credits),
        );
    }

    /// Returns when the next block begins, and so when to call [`Session::handle_timeout`]; none while nothing is counted.
    pub fn poll_timeout(&self) -> Option<Millis> {
        match &self.state {
            State::Running(running) => Some(running.next_block_at(self.tariff)),
            State::Ringing | State::Ended { .. } => None,
        }
    }

    /// Returns the next entry for the journal.
    ///
    /// After the first reservation nothing follows until [`Session::recorded`] says that the journal has it: an
    /// end must not overtake its beginning. A journal that refuses the reservation refuses the session: drop it.
    pub fn poll_output(&mut self) -> Option<Transaction> {
        self.outbox.pop()
    }

    /// Hears that the journal has an entry. The first reservation yields the proof that the session may start; once.
    pub fn recorded(&mut self, key: &Key) -> Option<BlockGrant> {
        self.outbox.recorded(key)
    }

    /// Returns the session's name.
    pub fn id(&self) -> &SessionId {
        &self.id
    }

    /// Returns who pays.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// Returns the tariff that was pinned at the start (M6).
    pub fn tariff(&self) -> Tariff {
        self.tariff
    }

    /// Returns what the session costs if it ends `at`; the final cost once it has ended.
    pub fn cost_so_far(&self, at: Millis) -> Credits {
        match &self.state {
            State::Ringing => Credits::ZERO,
            State::Running(running) => running.cost(self.tariff, at.max(self.latest)),
            State::Ended { cost, .. } => *cost,
        }
    }

    /// Returns the part of [`Session::cost_so_far`] that one patient makes.
    pub fn cost_of(&self, patient: Patient, at: Millis) -> Credits {
        match &self.state {
            State::Ringing => Credits::ZERO,
            State::Running(running) => running.cost_of(self.tariff, patient, at.max(self.latest)),
            State::Ended {
                each: [one, two, three],
                ..
            } => match patient {
                Patient::One => *one,
                Patient::Two => *two,
                Patient::Three => *three,
            },
        }
    }

    /// Returns when the next block begins; none while nothing is counted.
    pub fn next_block_at(&self) -> Option<Millis> {
        self.poll_timeout()
    }

    /// Returns the final cost, or nothing while the session lasts.
    pub fn settled(&self) -> Option<Credits> {
        match &self.state {
            State::Ended { cost, .. } => Some(*cost),
            State::Ringing | State::Running(_) => None,
        }
    }

    fn is_ended(&self) -> bool {
        matches!(self.state, State::Ended { .. })
    }

    fn reserve(&mut self) {
        let credits = self
            .tariff
            .credits_per_block()
            .times(u64::from(self.booked.count()));
        let postings = movement(Account::Available, Account::Reserved, credits);
        self.write(
            Kind::Reserve,
            "reserve/0".to_owned(),
            Cause::Opened {
                booked: self.booked,
            },
            postings,
        );
    }

    fn admit(&mut self, at: Millis, patient: Patient) -> Result<(), WrongMoment> {
        if self.tariff.grid() != Grid::FromJoin {
            return Err(WrongMoment {
                fact: "patient admitted",
                state: "a phone call",
            });
        }
        self.handle_timeout(at);
        let State::Running(running) = &mut self.state else {
            return Ok(());
        };
        if !running.admit(patient) {
            return Ok(());
        }
        let kept = self
            .tariff
            .credits_per_block()
            .times(running.blocks_reserved);
        let unbooked = running.people_admitted() > u64::from(self.booked.count());
        let (kind, credits) = if unbooked {
            (Kind::Extend, kept)
        } else {
            (Kind::Evidence, Credits::ZERO)
        };
        let cause = Cause::Heard(Fact::PatientAdmitted(patient));
        let postings = movement(Account::Available, Account::Reserved, credits);
        self.write(
            kind,
            format!("admitted/{}", patient.seat()),
            cause,
            postings,
        );
        Ok(())
    }

    fn answer(&mut self, at: Millis) -> Result<(), WrongMoment> {
        if self.tariff.grid() != Grid::FromAnswer {
            return Err(WrongMoment {
                fact: "answered",
                state: "a visit",
            });
        }
        let at = self.advance(at);
        if matches!(self.state, State::Ringing) {
            self.state = State::Running(Running::from_answer(at));
            self.write(
                Kind::Evidence,
                "answered".to_owned(),
                Cause::Heard(Fact::Answered),
                Vec::new(),
            );
        }
        Ok(())
    }

    fn give_up(&mut self, at: Millis) -> Result<(), WrongMoment> {
        if !matches!(self.state, State::Ringing) {
            return Err(WrongMoment {
                fact: "never answered",
                state: "blocks are counted",
            });
        }
        self.end(at, Fact::NeverAnswered);
        Ok(())
    }

    /// Turns everything reserved into what was earned and what goes back, in one entry under one key: the journal
    /// itself refuses a second end.
    fn end(&mut self, at: Millis, why: Fact) {
        self.handle_timeout(at);
        let at = self.advance(at);
        let (reserved, cost, each) = match &self.state {
            State::Ringing => (
                self.tariff.credits_per_block(),
                Credits::ZERO,
                [Credits::ZERO; 3],
            ),
            State::Running(running) => (
                running.reserved(self.tariff, self.booked),
                running.cost(self.tariff, at),
                Patient::ALL.map(|patient| running.cost_of(self.tariff, patient, at)),
            ),
            State::Ended { .. } => return,
        };
        let kind = if cost == Credits::ZERO {
            Kind::Release
        } else {
            Kind::Settle
        };
        self.write(
            kind,
            "end".to_owned(),
            Cause::Heard(why),
            closing(reserved, cost),
        );
        self.state = State::Ended { cost, each };
    }

    /// Time never goes back.
    fn advance(&mut self, at: Millis) -> Millis {
        self.latest = self.latest.max(at);
        self.latest
    }

    fn write(&mut self, kind: Kind, key: String, cause: Cause, postings: Vec<Posting>) {
        self.outbox.push(Transaction {
            key: Key(format!("{}/{key}", self.id)),
            kind,
            session: Some(self.id.clone()),
            account: self.account.clone(),
            at: self.latest,
            tariff: Some(self.tariff.id()),
            cause,
            postings,
            must_be_covered: kind == Kind::Reserve,
        });
    }
}

fn closing(reserved: Credits, cost: Credits) -> Vec<Posting> {
    let lines = [
        (Account::Reserved, -reserved.posted()),
        (Account::Earned, cost.posted()),
        (Account::Available, (reserved - cost).posted()),
    ];
    let moved = lines.into_iter().filter(|(_, delta)| *delta != 0);
    moved
        .map(|(account, delta)| Posting { account, delta })
        .collect()
}

/// The fact cannot be in the session's present state; nothing changed. The embedding program asked at the wrong moment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct WrongMoment {
    /// What was said to have happened.
    pub fact: &'static str,
    /// What the session is.
    pub state: &'static str,
}

impl fmt::Display for WrongMoment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} cannot be: {}", self.fact, self.state)
    }
}

impl std::error::Error for WrongMoment {}
