//! A dedicated number, month by month.

mod active;
mod approved;
mod audit;
mod months;
mod past_due;
mod released;
mod requested;
mod state;
mod suspended;
mod under_review;

use std::collections::VecDeque;
use std::fmt;

use self::state::State;
use crate::outbox::Outbox;
use crate::text::Words;
use crate::transaction::movement;
use crate::{
    Account, AccountId, Cause, Credits, Date, Event, Key, Kind, SubscriptionId, Transaction,
    WrongMoment,
};

/// The subscription of one number: 50 credits a month, in advance, from activation on (N1).
///
/// ```text
///   Requested ─submitted─► UnderReview ─approved─► Approved ─activated─► Active ◄─── covered ───┐
///       └──────────┬────────────┴───────────┬──────────┘                  │ ▲                   │
///         declined, released                │           not covered       ▼ │ covered           │
///                  ▼                        ▼                          PastDue ─14 days─► Suspended
///               Released ◄──────────────────────── released ──────────────┴─────────────────────┘
/// ```
/// A month begins on the day of the activation, or on the month's last where it has no such day: 31 January, 28 February, 31 March. Each is
/// charged once, under a key made of the number and the month; what a run missed is charged by the next one, month by month.
///
/// A month that the balance does not cover makes it past due. It is asked for again on each day, and whenever [`Subscription::handle_timeout`]
/// is called, as after a top-up. The number works for [`Subscription::GRACE_DAYS`] from the day on which the month was first refused, then it is
/// suspended. Months that pass while it is suspended are not charged. A top-up pays the month that is owed, and the one in which it
/// happens.
///
/// Days are in the practice's time zone; they may repeat but never go back.
#[derive(Clone, Debug)]
pub struct Subscription {
    id: SubscriptionId,
    account: AccountId,
    state: State,
    today: Option<Date>,
    outbox: Outbox,
    events: VecDeque<Event>,
}

/// What happened to a subscription, beside the passing of days.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SubscriptionFact {
    /// The registration is with whoever reviews it.
    Submitted,
    /// It was found in order.
    Approved,
    /// It was not.
    Declined,
    /// The number works: the first month begins.
    Activated,
    /// The number is given back.
    Released,
}

impl Subscription {
    /// What a month costs (N1).
    pub const CREDITS_A_MONTH: Credits = Credits(50);

    /// For how many days a number works whose month is not paid.
    pub const GRACE_DAYS: u32 = 14;

    /// A number that is asked for.
    pub fn requested(id: SubscriptionId, account: AccountId) -> Self {
        Self::in_state(id, account, State::requested())
    }

    /// A subscription as [`Subscription::stored`] wrote it. What was asked of the journal and not answered is asked again.
    pub fn restored(id: SubscriptionId, account: AccountId, stored: &str) -> Option<Self> {
        let mut words = Words::of(stored);
        let today = match words.stored()? {
            "-" => None,
            day => Some(Date::parse(day)?),
        };
        let state = State::parse(&words.rest()?)?;
        Some(Self {
            today,
            ..Self::in_state(id, account, state)
        })
    }

    fn in_state(id: SubscriptionId, account: AccountId, state: State) -> Self {
        Self {
            id,
            account,
            state,
            today: None,
            outbox: Outbox::default(),
            events: VecDeque::new(),
        }
    }

    /// Returns all that a store must keep of it, beside its name and account, as text.
    pub fn stored(&self) -> String {
        let state = &self.state;
        match self.today {
            Some(today) => format!("{today} {state}"),
            None => format!("- {state}"),
        }
    }

    /// Takes a fact of a day. One that repeats, or comes after what it leads to, changes nothing.
    ///
    /// # Errors
    /// [`WrongMoment`] when it cannot be yet: a number that was not approved is not activated. Nothing changed.
    pub fn handle_input(&mut self, today: Date, fact: SubscriptionFact) -> Result<(), WrongMoment> {
        let today = self.advance(today);
        self.state = self.state.clone().hear(today, fact)?;
        self.ask();
        Ok(())
    }

    /// Lets a day come: asks for the month that is due. To be called each day, and when credits came.
    pub fn handle_timeout(&mut self, today: Date) {
        self.advance(today);
        self.ask();
    }

    /// Returns the first day of the next month to pay, on which to call [`Subscription::handle_timeout`]; a day that has passed, while one is owed;
    /// none where nothing will be charged.
    pub fn poll_timeout(&self) -> Option<Date> {
        self.state.due()
    }

    /// Returns the next entry for the journal. Nothing follows it until [`Subscription::recorded`] or [`Subscription::refused`].
    pub fn poll_output(&mut self) -> Option<Transaction> {
        self.outbox.pop()
    }

    /// Returns the next outward event: the number is past due, or is suspended. To be stored together with the subscription.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Hears that the journal has an entry.
    pub fn recorded(&mut self, key: &Key) {
        let Some(today) = self.today.filter(|_| self.outbox.answered(key)) else {
            return;
        };
        self.state = self.state.clone().paid(today);
        self.ask();
    }

    /// Hears that the journal refused an entry, since the balance does not cover it.
    pub fn refused(&mut self, key: &Key) {
        let Some(today) = self.today.filter(|_| self.outbox.answered(key)) else {
            return;
        };
        let (state, news) = self.state.clone().unpaid(today, &self.id);
        self.state = state;
        let event = |news| Event::new(&self.account, news);
        self.events.extend(news.map(event));
    }

    /// Returns whether the number may be used.
    pub fn works(&self) -> bool {
        matches!(self.state, State::Active(_) | State::PastDue(_))
    }

    /// Returns the state's name: `requested`, `under review`, `approved`, `active`, `past due`, `suspended`, `released`.
    pub fn state(&self) -> &'static str {
        self.state.name()
    }

    /// Asks for the month that is due, if it is not asked for.
    fn ask(&mut self) {
        let due = self
            .state
            .month_due(self.today)
            .filter(|_| !self.outbox.is_waiting());
        if let Some((number, from)) = due {
            let entry = self.month(number, from);
            self.outbox.push(entry);
        }
    }

    /// The entry of a month: the same on whatever day it is made.
    fn month(&self, number: u32, from: Date) -> Transaction {
        let cause = Cause::Month {
            subscription: self.id.clone(),
            number,
            from,
        };
        Transaction::outside_sessions(
            format!("number/{}/month/{number}", self.id),
            Kind::Charge,
            self.account.clone(),
            cause,
            movement(Account::Available, Account::Earned, Self::CREDITS_A_MONTH),
        )
    }

    /// Days never go back.
    fn advance(&mut self, today: Date) -> Date {
        let today = self.today.map_or(today, |latest| latest.max(today));
        self.today = Some(today);
        today
    }
}

impl fmt::Display for SubscriptionFact {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl SubscriptionFact {
    fn name(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Activated => "activated",
            Self::Released => "released",
        }
    }
}
