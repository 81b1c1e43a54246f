//! One metered session, from the first reservation to its one end.

mod corrections;
mod replay;

use std::fmt;

use self::corrections::Corrections;
use crate::outbox::Outbox;
use crate::pricing::{self, Priced};
use crate::timeline::Timeline;
use crate::transaction::movement;
use crate::{
    Account, AccountId, Bill, Booked, Cause, Credits, Explanation, Grid, Key, Kind, Millis,
    OldGrid, Patient, Person, Posting, SessionId,
};
use crate::{Tariff, Transaction};

pub use self::replay::ReplayError;

/// One visit or call while it is metered: facts in, journal entries out.
///
/// Times are the session's own: zero is the practitioner's Join, or the click on Call. They may repeat but never go back;
/// an earlier one counts as the latest one seen. Only an end may be noticed late: it counts from where it was, if nothing has
/// happened since.
#[derive(Debug)]
pub struct Session {
    id: SessionId,
    account: AccountId,
    tariff: Tariff,
    booked: Booked,
    reopens: Option<OldGrid>,
    latest: Millis,
    timeline: Timeline,
    /// What is set aside, until the end.
    reserved: Credits,
    /// The end's price, once it is in the journal or on its way there.
    ended: Option<Priced>,
    corrections: Corrections,
    outbox: Outbox,
}

/// Proof that the first block is reserved in the journal. Made only by [`Session::recorded`].
#[derive(Debug)]
#[must_use]
pub struct BlockGrant(()); // not Clone, not Copy: spent once

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
    /// The grid of the session that this one reopens, for tariffs that go on with it (M5).
    pub reopens: Option<OldGrid>,
}

impl Opening {
    /// A video visit at the `standard` tariff.
    pub fn visit(session: SessionId, account: AccountId, booked: Booked) -> Self {
        Self {
            session,
            account,
            tariff: Tariff::STANDARD,
            booked,
            reopens: None,
        }
    }

    /// A phone call.
    pub fn call(session: SessionId, account: AccountId) -> Self {
        Self {
            session,
            account,
            tariff: Tariff::PHONE,
            booked: Booked::ONE,
            reopens: None,
        }
    }
}

/// What happened in a session, as far as money cares.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fact {
    /// The practitioner let this patient in; the second time changes nothing (M4).
    PatientAdmitted(Patient),
    /// Somebody is connected: a patient who was let in, or the practitioner once more. The practitioner is, from the start on.
    Joined(Person),
    /// Somebody is connected no more.
    Left(Person),
    /// The phone of a patient who takes part in a visit by phone was answered (M9).
    PhoneAnswered(Patient),
    /// That phone call is over.
    PhoneHungUp(Patient),
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
            reopens,
        } = opening;
        let mut session = Self {
            id: session,
            account,
            tariff,
            booked,
            reopens,
            latest: Millis::ZERO,
            timeline: Timeline::new(),
            reserved: Credits::ZERO,
            ended: None,
            corrections: Corrections::default(),
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
        if self.ended.is_some() {
            return Ok(());
        }
        self.check(fact)?;
        match fact {
            Fact::Ended | Fact::NeverAnswered => self.end(at, fact),
            Fact::Recovered { last_evidence } => self.end(last_evidence, fact),
            _ => self.hear(at, fact),
        }
        Ok(())
    }

    /// Reserves the blocks that have begun by `at`.
    pub fn handle_timeout(&mut self, at: Millis) {
        let at = self.advance(at);
        if self.ended.is_some() {
            return;
        }
        let more = self.reserve_for(at);
        if more > Credits::ZERO {
            let key = format!("extend/{}", self.reach(at));
            let postings = movement(Account::Available, Account::Reserved, more);
            self.write(Kind::Extend, key, Cause::BlockBegan, postings);
        }
    }

    /// Returns when the next block begins that is not reserved, and so when to call [`Session::handle_timeout`]; none while
    /// nothing is counted.
    pub fn poll_timeout(&self) -> Option<Millis> {
        /// Blocks that are paid already, one after another: a grid that is continued, beside two others.
        const LOOKED_AT_MAX: usize = 64;
        if self.ended.is_some() {
            return None;
        }
        let mut at = self.latest;
        for _ in 0..LOOKED_AT_MAX {
            at = pricing::next_boundary(self.tariff, &self.timeline, self.reopens, at)?;
            if self.wanted(at) > self.reserved {
                break;
            }
        }
        Some(at)
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
        self.outbox.answered(key).then_some(BlockGrant(()))
    }

    /// Returns the session's name.
    pub fn id(&self) -> &SessionId {
        &self.id
    }

    /// Returns the latest moment that it has heard of; its end, once it has ended.
    pub fn latest(&self) -> Millis {
        self.latest
    }

    /// Returns who pays.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// Returns the tariff that was pinned at the start (M6).
    pub fn tariff(&self) -> Tariff {
        self.tariff
    }

    /// Returns what the session costs if it ends `at`, line by line; the final bill once it has ended.
    pub fn bill(&self, at: Millis) -> Bill {
        match &self.ended {
            Some(priced) => priced.bill.clone(),
            None => self.priced(at.max(self.latest)).bill,
        }
    }

    /// Returns the sum of [`Session::bill`].
    pub fn cost_so_far(&self, at: Millis) -> Credits {
        self.bill(at).total()
    }

    /// Returns the part of [`Session::cost_so_far`] that one patient makes.
    pub fn cost_of(&self, patient: Patient, at: Millis) -> Credits {
        self.bill(at).total_of(patient)
    }

    /// Returns why the session costs what it does if it ends `at`, or did when it ended (M10).
    pub fn explain(&self, at: Millis) -> Explanation {
        Explanation {
            tariff: self.tariff.id(),
            timeline: self.timeline.facts().to_vec(),
            bill: self.bill(at),
            corrections: self.corrections.told().to_vec(),
        }
    }

    /// Returns when the next block begins; none while nothing is counted.
    pub fn next_block_at(&self) -> Option<Millis> {
        self.poll_timeout()
    }

    /// Returns the final cost, or nothing while the session lasts. [`Explanation::total`] has what corrections left of it.
    pub fn settled(&self) -> Option<Credits> {
        self.ended.as_ref().map(|priced| priced.bill.total())
    }

    /// Returns what a session needs to know that reopens this one, so long after its end; none while it lasts.
    pub fn reopening(&self, after: Millis) -> Option<OldGrid> {
        let priced = self.ended.as_ref()?;
        let is_continued = |old: &OldGrid| old.blocks(self.tariff) == priced.blocks;
        let continued = self.reopens.filter(is_continued);
        Some(OldGrid::left(priced, continued, self.latest).later(after))
    }

    /// What happened, as far as it can be in such a session.
    fn check(&self, fact: Fact) -> Result<(), WrongMoment> {
        let is_call = self.tariff.grid() == Grid::FromAnswer;
        let is_counted = !is_call || self.timeline.answered().is_some();
        let kind = if is_call { "a phone call" } else { "a visit" };
        let (fact, can_be, state) = match fact {
            Fact::PatientAdmitted(_) => ("patient admitted", !is_call, kind),
            Fact::Joined(_) => ("joined", !is_call, kind),
            Fact::Left(_) => ("left", !is_call, kind),
            Fact::PhoneAnswered(_) => ("phone of a patient answered", !is_call, kind),
            Fact::PhoneHungUp(_) => ("phone of a patient hung up", !is_call, kind),
            Fact::Answered => ("answered", is_call, kind),
            Fact::NeverAnswered => ("never answered", !is_counted, "blocks are counted"),
            Fact::Ended | Fact::Recovered { .. } => return Ok(()),
        };
        can_be.then_some(()).ok_or(WrongMoment { fact, state })
    }

    fn reserve(&mut self) {
        self.reserved = self.first_block();
        let postings = movement(Account::Available, Account::Reserved, self.reserved);
        let cause = Cause::Opened {
            booked: self.booked,
            reopens: self.reopens,
        };
        self.write(Kind::Reserve, "reserve/0".to_owned(), cause, postings);
    }

    /// One block for everybody booked (M7).
    fn first_block(&self) -> Credits {
        let each = self.tariff.credits_per_block();
        each.times(u64::from(self.booked.count()))
    }

    /// Takes what the price may depend on. It is evidence, and sets more aside where it makes the session dearer.
    fn hear(&mut self, at: Millis, fact: Fact) {
        /// More than ever happened; whoever goes on joining counts as gone, and costs nothing.
        const FACTS_MAX: usize = 200;
        if matches!(fact, Fact::Joined(_)) && self.timeline.facts().len() >= FACTS_MAX {
            return;
        }
        self.handle_timeout(at);
        let at = self.latest;
        if !self.timeline.hear(at, fact) {
            return;
        }
        let more = self.reserve_for(at);
        let kind = match more {
            Credits::ZERO => Kind::Evidence,
            _ => Kind::Extend,
        };
        let postings = movement(Account::Available, Account::Reserved, more);
        let key = self.key_of(fact);
        self.write(kind, key, Cause::Heard(fact), postings);
    }

    fn key_of(&self, fact: Fact) -> String {
        match fact {
            Fact::PatientAdmitted(patient) => format!("admitted/{}", patient.seat()),
            Fact::Answered => "answered".to_owned(),
            // What may happen again and again is numbered.
            _ => format!("fact/{}", self.timeline.facts().len()),
        }
    }

    /// Sets aside what is wanted `at` and is not yet; returns how much that is.
    fn reserve_for(&mut self, at: Millis) -> Credits {
        let wanted = self.wanted(at).max(self.reserved);
        let more = wanted - self.reserved;
        self.reserved = wanted;
        more
    }

    /// What must be set aside `at`: everything that is begun. A patient who was booked and has not come may still come.
    fn wanted(&self, at: Millis) -> Credits {
        // A block is begun as soon as any of it has passed.
        let begun = self.priced(at.plus(Millis(1))).bill.total();
        let expected = match self.tariff.grid() {
            Grid::FromJoin => {
                let people = self.timeline.admitted().max(u64::from(self.booked.count()));
                let each = self.tariff.credits_per_block().times(people);
                each.times(self.tariff.blocks_begun(at))
            }
            Grid::FromConnection | Grid::FromAnswer => self.first_block(),
        };
        begun.max(expected)
    }

    /// Names how far the reservation reaches: by the number of the last block, where blocks alone decide, else by its credits.
    fn reach(&self, at: Millis) -> String {
        let began = match self.tariff.grid() {
            Grid::FromJoin => Some(Millis::ZERO),
            Grid::FromAnswer => self.timeline.answered(),
            Grid::FromConnection => None,
        };
        match began.filter(|_| !self.timeline.has_phone()) {
            Some(began) => {
                let blocks = self.tariff.blocks_begun(at.since(began));
                blocks.saturating_sub(1).to_string()
            }
            None => format!("to-{}", self.reserved.0),
        }
    }

    fn priced(&self, at: Millis) -> Priced {
        pricing::priced(self.tariff, &self.timeline, self.reopens, at)
    }

    /// Turns everything reserved into what was earned and what goes back, in one entry under one key: the journal
    /// itself refuses a second end.
    fn end(&mut self, at: Millis, why: Fact) {
        self.handle_timeout(at);
        let at = match why {
            // V15: an empty room ended when the last person went, whatever was set aside since.
            Fact::Ended => at.max(self.timeline.last_change()),
            _ => self.latest,
        };
        self.latest = at;
        let priced = self.priced(at);
        let cost = priced.bill.total();
        let kind = if cost == Credits::ZERO {
            Kind::Release
        } else {
            Kind::Settle
        };
        self.timeline.hear(at, why);
        self.write(
            kind,
            "end".to_owned(),
            Cause::Heard(why),
            closing(self.reserved, cost),
        );
        self.ended = Some(priced);
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
            must_be_covered: kind.must_be_covered(),
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
