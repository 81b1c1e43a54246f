//! Credits that are ordered, and what became of the payment.

mod asked;
mod expired;
mod failed;
mod paid;
mod refunded;
mod state;

use std::collections::VecDeque;

use self::asked::Asked;
use self::paid::Paid;
use self::refunded::Refunded;
use self::state::State;
use crate::outbox::Outbox;
use crate::text::{Word, Words};
use crate::{AccountId, Correction, Credits, Event, Money, News, OrderId, Transaction};

/// One order of credits: asked for, and then paid or not (M13).
///
/// ```text
///   Asked ──paid──► Paid ──refunded──► Refunded
///     ├──failed───► Failed ──paid──► Paid
///     └──expired──► Expired ──paid─► Paid      the money came after all
/// ```
/// Whoever takes payments is a port: it is told of the order by [`News::OrderWanted`] and says what it knows, in any order, late and repeatedly.
/// Without a provider a person records the payment; that is the same fact. The right sum buys the credits once. A sum that the order does not
/// ask for, a second payment, and a payment of what was refunded buy nothing: [`News::OddPayment`] tells a person.
///
/// ```
/// use housecall_meter::{Account, AccountId, Balance, Books, Credits, Currency, Money};
/// use housecall_meter::{Order, OrderId, Payment, PaymentFact};
///
/// let practice = AccountId::new("practice:1");
/// let price = Money { minor: 2_500, currency: Currency::new("AUD").expect("a currency") };
/// let mut order = Order::ask(OrderId::new("17"), practice.clone(), Credits(100), price);
///
/// let payment = Payment { reference: "receipt 12".to_owned(), amount: price, by: "Ada".to_owned() };
/// order.handle_input(PaymentFact::Paid(payment.clone()));
/// order.handle_input(PaymentFact::Paid(payment)); // a double click
///
/// let mut books = Books::default();
/// while let Some(entry) = order.poll_output() {
///     books.record(&entry)?;
/// }
/// assert_eq!(books.balance(&practice, Account::Available), Balance(100));
/// # Ok::<(), housecall_meter::Refusal>(())
/// ```
#[derive(Clone, Debug)]
pub struct Order {
    wanted: Wanted,
    state: State,
    out: Out,
}

/// What an order asks for.
#[derive(Clone, Debug)]
struct Wanted {
    id: OrderId,
    account: AccountId,
    credits: Credits,
    price: Money,
}

/// Entries and events that follow from a fact, to be written together with the order.
#[derive(Clone, Debug, Default)]
struct Out {
    entries: Outbox,
    events: VecDeque<Event>,
}

/// A payment as somebody reports it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Payment {
    /// What names it where it was made, unique for ever: a payment buys once, whatever order it is said to be for.
    pub reference: String,
    /// The sum.
    pub amount: Money,
    /// Who says so: a member of staff, or a payment provider.
    pub by: String,
}

/// What became of a payment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PaymentFact {
    /// The money is there.
    Paid(Payment),
    /// It did not come.
    Failed {
        /// As the provider says.
        why: String,
    },
    /// All the money of a payment went back: a refund, or a charge that was disputed.
    Refunded {
        /// Which payment.
        reference: String,
        /// Who says so.
        by: String,
    },
    /// Nobody paid in time.
    Expired,
}

impl Order {
    /// Asks for credits; the first event is the wish.
    pub fn ask(id: OrderId, account: AccountId, credits: Credits, price: Money) -> Self {
        let mut order = Self::in_state(
            Wanted {
                id,
                account,
                credits,
                price,
            },
            State::Asked(Asked),
        );
        let news = News::OrderWanted {
            order: order.wanted.id.clone(),
            credits,
            price,
        };
        order.out.tell(&order.wanted, news);
        order
    }

    /// An order as [`Order::stored`] wrote it.
    pub fn restored(id: OrderId, account: AccountId, stored: &str) -> Option<Self> {
        let mut words = Words::of(stored);
        let wanted = Wanted {
            id,
            account,
            credits: Credits(words.number()?),
            price: Money::parse(words.stored()?)?,
        };
        let state = State::parse(&words.rest()?)?;
        Some(Self::in_state(wanted, state))
    }

    fn in_state(wanted: Wanted, state: State) -> Self {
        Self {
            wanted,
            state,
            out: Out::default(),
        }
    }

    /// Returns all that a store must keep of it, beside its name and account, as text.
    pub fn stored(&self) -> String {
        let Wanted { credits, price, .. } = &self.wanted;
        format!("{} {price} {}", credits.0, self.state)
    }

    /// Takes a fact. Nothing is at the wrong moment: what is reported twice, late or out of order leads to the same end.
    pub fn handle_input(&mut self, fact: PaymentFact) {
        self.state = self.state.clone().hear(&self.wanted, fact, &mut self.out);
    }

    /// Returns the next entry for the journal: to be written together with the order and its events.
    ///
    /// A journal that refuses it knows the payment from elsewhere: the reference bought something else, or a person corrected the purchase
    /// before it was refunded. Then nothing is written, and a person looks.
    pub fn poll_output(&mut self) -> Option<Transaction> {
        self.out.entries.pop()
    }

    /// Returns the next outward event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.out.events.pop_front()
    }

    /// Returns its name.
    pub fn id(&self) -> &OrderId {
        &self.wanted.id
    }

    /// Returns whose credits they are.
    pub fn account(&self) -> &AccountId {
        &self.wanted.account
    }

    /// Returns what is bought.
    pub fn credits(&self) -> Credits {
        self.wanted.credits
    }

    /// Returns what it costs.
    pub fn price(&self) -> Money {
        self.wanted.price
    }

    /// Returns the reference of the payment that was made, or made and taken back.
    pub fn payment(&self) -> Option<&str> {
        match &self.state {
            State::Paid(Paid { reference }) | State::Refunded(Refunded { reference }) => {
                Some(reference)
            }
            State::Asked(_) | State::Failed(_) | State::Expired(_) => None,
        }
    }

    /// Returns whether the credits that were bought are taken back.
    pub fn is_refunded(&self) -> bool {
        matches!(self.state, State::Refunded(_))
    }

    /// Returns whether a payment is still waited for.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Asked(_))
    }

    /// Returns the state's name: `asked`, `paid`, `failed`, `refunded`, `expired`.
    pub fn state(&self) -> &'static str {
        self.state.name()
    }
}

impl Wanted {
    /// A payment that the order does not ask for.
    fn odd(&self, payment: Payment) -> News {
        News::OddPayment {
            order: self.id.clone(),
            reference: payment.reference,
            paid: payment.amount,
            price: self.price,
        }
    }

    fn bought(&self, reference: &str, by: &str) -> Transaction {
        let order = Some(self.id.clone());
        Transaction::bought(self.account.clone(), self.credits, reference, by, order)
    }
}

impl Out {
    fn tell(&mut self, wanted: &Wanted, news: News) {
        self.events.push_back(Event::new(&wanted.account, news));
    }

    /// Takes the credits of a payment back that went back itself.
    fn take_back(&mut self, wanted: &Wanted, reference: &str, by: String) {
        let correction = Correction {
            name: "refund".to_owned(),
            credits: wanted.credits,
            by: by.clone(),
            reason: format!("payment {reference} was refunded"),
        };
        // An order of no credits has nothing to take back.
        if let Ok(entry) = correction.of(&wanted.bought(reference, &by)) {
            self.entries.push(entry);
        }
    }
}
