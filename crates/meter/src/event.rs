//! What the world outside is to be told.

use std::fmt;

use crate::text::{Word, Words};
use crate::{AccountId, Balance, Credits, EventKey, Key, Money, OrderId, SubscriptionId};

/// Something that the world outside is to be told: whoever takes payments, or a person.
///
/// A store writes an event in the transaction that writes what caused it, and delivers it at least once. The key is made of the cause, so
/// that an event that is made again is the same event: of two with one key the first stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Event {
    /// Names it for ever.
    pub key: EventKey,
    /// Whom it concerns.
    pub account: AccountId,
    /// What happened.
    pub news: News,
}

/// What happened.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum News {
    /// Credits are to be paid for. A payment provider takes the order's name as its idempotency key, and asks first whether the order still waits:
    /// a person may have recorded its payment since, or given it up.
    OrderWanted {
        /// The order.
        order: OrderId,
        /// What is bought.
        credits: Credits,
        /// What it costs.
        price: Money,
    },
    /// The balance reached the limit, or fell below (M13).
    LowBalance {
        /// What is left.
        available: Balance,
        /// The limit.
        limit: Balance,
    },
    /// The balance asks for an automatic top-up, and the day's bound was reached (M13).
    TopUpBound {
        /// What is left.
        available: Balance,
    },
    /// An order was not paid.
    PaymentFailed {
        /// The order.
        order: OrderId,
        /// As the provider says.
        why: String,
    },
    /// Somebody paid what the order does not ask for: another sum, or once more. No credits came of it; a person decides.
    OddPayment {
        /// The order.
        order: OrderId,
        /// The payment.
        reference: String,
        /// What was paid.
        paid: Money,
        /// What the order asks for.
        price: Money,
    },
    /// A month of a number is not covered (N1).
    PastDue {
        /// Which number.
        subscription: SubscriptionId,
        /// Which month, 0 for the first.
        month: u32,
    },
    /// A number does not work any more, since a month was not paid (N1).
    Suspended {
        /// Which number.
        subscription: SubscriptionId,
        /// Which month, 0 for the first.
        month: u32,
    },
}

impl Event {
    /// An event about an order, a payment or a number: its key is made of what it says.
    pub(crate) fn new(account: &AccountId, news: News) -> Self {
        let key = match &news {
            News::OrderWanted { order, .. } => format!("order-wanted/{order}"),
            News::PaymentFailed { order, .. } => format!("payment-failed/{order}"),
            News::OddPayment {
                order,
                reference,
                paid,
                ..
            } => format!("odd-payment/{order}/{reference}/{paid}"),
            News::PastDue {
                subscription,
                month,
            } => format!("past-due/{subscription}/{month}"),
            News::Suspended {
                subscription,
                month,
            } => format!("suspended/{subscription}/{month}"),
            News::LowBalance { .. } => "low-balance".to_owned(),
            News::TopUpBound { .. } => "top-up-bound".to_owned(),
        };
        Self {
            key: EventKey::new(key),
            account: account.clone(),
            news,
        }
    }

    /// Returns the key of the entry with which a balance crossed a limit; none of any other event.
    pub fn crossing(&self) -> Option<Key> {
        let kind = match self.news {
            News::LowBalance { .. } | News::TopUpBound { .. } => self.key_of_what_it_says(),
            _ => return None,
        };
        let crossing = self.key.as_str().strip_prefix(kind.as_str())?;
        crossing.strip_prefix('/').map(|key| Key(key.to_owned()))
    }

    /// Returns whether its key is made of what it says.
    pub fn is_named_for_its_news(&self) -> bool {
        self.key == self.key_of_what_it_says() || self.crossing().is_some()
    }

    fn key_of_what_it_says(&self) -> EventKey {
        Self::new(&self.account, self.news.clone()).key
    }

    /// The same, of a balance that crossed a limit with an entry.
    pub(crate) fn at_crossing(self, crossing: &Key) -> Self {
        Self {
            key: EventKey::new(format!("{}/{crossing}", self.key)),
            ..self
        }
    }
}

/// The text that a store keeps; [`News::parse`] reads it back.
impl fmt::Display for News {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OrderWanted {
                order,
                credits,
                price,
            } => write!(out, "order-wanted {} {price} {order}", credits.0),
            Self::LowBalance { available, limit } => write!(out, "low-balance {available} {limit}"),
            Self::TopUpBound { available } => write!(out, "top-up-bound {available}"),
            Self::PaymentFailed { order, why } => {
                write!(out, "payment-failed {} {why}", Word(order.as_str()))
            }
            Self::OddPayment {
                order,
                reference,
                paid,
                price,
            } => {
                write!(out, "odd-payment {} ", Word(order.as_str()))?;
                write!(out, "{paid} {price} {reference}")
            }
            Self::PastDue {
                subscription,
                month,
            } => write!(out, "past-due {month} {subscription}"),
            Self::Suspended {
                subscription,
                month,
            } => write!(out, "suspended {month} {subscription}"),
        }
    }
}

impl News {
    /// Reads what [`Display`](fmt::Display) writes.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = Words::of(text);
        Some(match words.stored()? {
            "order-wanted" => Self::OrderWanted {
                credits: Credits(words.number()?),
                price: Money::parse(words.stored()?)?,
                order: OrderId::new(words.rest()?),
            },
            "low-balance" => Self::LowBalance {
                available: Balance(words.number()?),
                limit: Balance(words.number()?),
            },
            "top-up-bound" => Self::TopUpBound {
                available: Balance(words.number()?),
            },
            "payment-failed" => Self::PaymentFailed {
                order: OrderId::new(words.word()?),
                why: words.rest()?,
            },
            "odd-payment" => Self::OddPayment {
                order: OrderId::new(words.word()?),
                paid: Money::parse(words.stored()?)?,
                price: Money::parse(words.stored()?)?,
                reference: words.rest()?,
            },
            "past-due" => Self::PastDue {
                month: words.number()?,
                subscription: SubscriptionId::new(words.rest()?),
            },
            "suspended" => Self::Suspended {
                month: words.number()?,
                subscription: SubscriptionId::new(words.rest()?),
            },
            _ => return None,
        })
    }
}
