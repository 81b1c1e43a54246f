//! The price of a text message.

use std::fmt;

use crate::outbox::Outbox;
use crate::text::Words;
use crate::transaction::movement;
use crate::{
    Account, AccountId, Cause, Credits, Key, Kind, MessageId, Segments, Transaction, WrongMoment,
};

/// The credits of one text message: reserved before it may leave, charged once it was sent, released if it never left (R1).
///
/// A program that died opens the message again under its name: the same entries under the same keys follow, so it is paid once.
///
/// | state | sent | failed |
/// |---|---|---|
/// | waiting for the reservation | wrong moment | released as soon as it is reserved |
/// | reserved | charged | released |
/// | charged | – | – (it left) |
/// | released | – (it is free) | – |
///
/// ```
/// use housecall_meter::{Account, AccountId, Balance, Books, Credits};
/// use housecall_meter::{Message, MessageFact, MessageId, Segments, Transaction};
///
/// let practice = AccountId::new("practice:1");
/// let mut books = Books::default();
/// books.record(&Transaction::gift("hello", practice.clone(), Credits(10), "to begin with"))?;
///
/// let text = Segments::of("See you tomorrow.")?;
/// let mut reminder = Message::open(MessageId::new("m1"), practice.clone(), &text);
/// let reserve = reminder.poll_output().expect("nothing leaves unpaid");
/// books.record(&reserve)?;
/// let grant = reminder.recorded(&reserve.key).expect("it may leave");
/// # let _ = grant;
///
/// reminder.handle_input(MessageFact::Sent)?;
/// while let Some(entry) = reminder.poll_output() {
///     books.record(&entry)?;
/// }
/// assert_eq!(books.balance(&practice, Account::Available), Balance(9));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Message {
    id: MessageId,
    account: AccountId,
    credits: Credits,
    state: State,
    outbox: Outbox,
}

/// Proof that a message's credits are reserved in the journal. Made only by [`Message::recorded`].
#[derive(Debug)]
#[must_use]
pub struct SendGrant(()); // not Clone, not Copy: spent once

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Reserving,
    Reserved,
    Charged,
    Released,
}

/// What happened to a text message, as far as money cares.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MessageFact {
    /// It waits to be sent.
    Queued {
        /// In how many parts.
        parts: u64,
    },
    /// The network took it, whether or not it arrives.
    Sent,
    /// It never left.
    Failed,
}

impl Message {
    /// Opens a message; its reservation is the first output.
    pub fn open(id: MessageId, account: AccountId, text: &Segments<'_>) -> Self {
        let mut message = Self {
            id,
            account,
            credits: text.credits(),
            state: State::Reserving,
            outbox: Outbox::default(),
        };
        let fact = MessageFact::Queued {
            parts: message.credits.0,
        };
        message.write("reserve", fact, [Account::Available, Account::Reserved]);
        message
    }

    /// Takes a fact. After the end every fact is late and changes nothing.
    ///
    /// # Errors
    /// [`WrongMoment`] when it was sent without a [`SendGrant`], or is queued once more.
    pub fn handle_input(&mut self, fact: MessageFact) -> Result<(), WrongMoment> {
        let wrong = |fact, state| Err(WrongMoment { fact, state });
        match (self.state, fact) {
            (_, MessageFact::Queued { .. }) => wrong("queued", "queued before"),
            (State::Reserving, MessageFact::Sent) => wrong("sent", "not reserved"),
            (State::Charged | State::Released, _) => Ok(()),
            (State::Reserved, MessageFact::Sent) => {
                self.state = State::Charged;
                self.write("end", fact, [Account::Reserved, Account::Earned]);
                Ok(())
            }
            (State::Reserving | State::Reserved, MessageFact::Failed) => {
                self.state = State::Released;
                self.write("end", fact, [Account::Reserved, Account::Available]);
                Ok(())
            }
        }
    }

    /// Returns the next entry for the journal; after the reservation none until [`Message::recorded`].
    ///
    /// A journal that refuses the reservation refuses the message: drop it.
    pub fn poll_output(&mut self) -> Option<Transaction> {
        self.outbox.pop()
    }

    /// Hears that the journal has an entry. The reservation yields the proof that the message may leave; once, and not if it failed before.
    pub fn recorded(&mut self, key: &Key) -> Option<SendGrant> {
        let may_leave = self.outbox.answered(key) && self.state == State::Reserving;
        may_leave.then(|| {
            self.state = State::Reserved;
            SendGrant(())
        })
    }

    fn write(&mut self, key: &str, fact: MessageFact, [from, to]: [Account; 2]) {
        let kind = match fact {
            MessageFact::Queued { .. } => Kind::Reserve,
            MessageFact::Sent => Kind::Settle,
            MessageFact::Failed => Kind::Release,
        };
        self.outbox.push(Transaction::outside_sessions(
            format!("message/{}/{key}", self.id),
            kind,
            self.account.clone(),
            Cause::Message(fact),
            movement(from, to, self.credits),
        ));
    }
}

impl fmt::Display for MessageFact {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Queued { parts } => write!(out, "queued {parts}"),
            Self::Sent => out.write_str("sent"),
            Self::Failed => out.write_str("failed"),
        }
    }
}

impl MessageFact {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut words = Words::of(text);
        let fact = match words.stored()? {
            "queued" => Self::Queued {
                parts: words.number()?,
            },
            "sent" => Self::Sent,
            "failed" => Self::Failed,
            _ => return None,
        };
        words.end(fact)
    }

    /// Returns what happened, in words for a person.
    pub fn words(self) -> String {
        match self {
            Self::Queued { parts: 1 } => "a message of 1 part".to_owned(),
            Self::Queued { parts } => format!("a message of {parts} parts"),
            Self::Sent => "the message was sent".to_owned(),
            Self::Failed => "the message was not sent".to_owned(),
        }
    }
}
