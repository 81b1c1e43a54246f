//! A balance that is looked after.

mod alarm;
mod auto_top_up;

use std::collections::VecDeque;

use self::alarm::Alarm;
use self::auto_top_up::Today;
use crate::text::Words;
use crate::{AccountId, Balance, Date, Event, Key, News, Order, OrderId};

pub use self::auto_top_up::AutoTopUp;

/// Watches what an account has available: says when it runs low, and orders credits if it is told to (M13). Both are off by default.
///
/// It is shown each new entry of the account with the balance after it. A balance crosses a limit when it reaches it or falls below, and not
/// again before it has been above. What is reserved is not available, so a reservation may cross, and a release may lead above again.
///
/// The key of an event, and the name of an order, are made of the key of the entry that crossed. So whoever loses an answer, or dies between asking
/// and writing down, asks for the same order again.
///
/// ```
/// use housecall_meter::{AccountId, Balance, Date, Key, Watch};
///
/// let today = Date::new(2026, 11, 28).expect("a day");
/// let mut watch = Watch::new(AccountId::new("practice:1"));
/// watch.alert_at(Some(Balance(10)));
/// watch.handle_entry(today, &Key("a/end".to_owned()), Balance(10));
/// watch.handle_entry(today, &Key("b/end".to_owned()), Balance(4));
/// let event = watch.poll_event().expect("it reached the limit");
/// assert_eq!(event.key.as_str(), "low-balance/a/end");
/// assert!(watch.poll_event().is_none());
/// ```
#[derive(Clone, Debug)]
pub struct Watch {
    account: AccountId,
    alert: Alarm,
    top_up: Alarm,
    rule: Option<AutoTopUp>,
    /// The automatic order whose payment is waited for.
    open: Option<OrderId>,
    today: Today,
    events: VecDeque<Event>,
    orders: VecDeque<Order>,
}

impl Watch {
    /// A watch that is told nothing.
    pub fn new(account: AccountId) -> Self {
        Self {
            account,
            alert: Alarm::default(),
            top_up: Alarm::default(),
            rule: None,
            open: None,
            today: Today::default(),
            events: VecDeque::new(),
            orders: VecDeque::new(),
        }
    }

    /// Sets the balance at which to say that it runs low, or none. A new limit is looked at with the next entry.
    pub fn alert_at(&mut self, limit: Option<Balance>) {
        self.alert.set(limit);
    }

    /// Sets when and what to order, or nothing. A new limit is looked at with the next entry.
    pub fn top_up_by(&mut self, rule: Option<AutoTopUp>) {
        self.top_up.set(rule.as_ref().map(|rule| rule.at));
        self.rule = rule;
    }

    /// Returns the balance at which it says that it runs low.
    pub fn alert_limit(&self) -> Option<Balance> {
        self.alert.limit()
    }

    /// Returns when and what it orders.
    pub fn top_up_rule(&self) -> Option<AutoTopUp> {
        self.rule
    }

    /// Sees a new entry of the account, and what is available after it, on a day of whatever time zone the orders of a day are counted in.
    pub fn handle_entry(&mut self, today: Date, key: &Key, available: Balance) {
        if let Some(limit) = self.alert.hear(available) {
            self.tell(key, News::LowBalance { available, limit });
        }
        let crossed = self.top_up.hear(available).is_some();
        // What is ordered already will come.
        if crossed && self.open.is_none() {
            self.order(today, key, available);
        }
    }

    /// Hears that an order is paid, failed or expired: the next crossing orders again.
    pub fn order_over(&mut self, order: &OrderId) {
        self.open.take_if(|open| open == order);
    }

    /// Returns the automatic order whose payment is waited for.
    pub fn open_order(&self) -> Option<&OrderId> {
        self.open.as_ref()
    }

    /// Returns the next outward event, to be written together with the entry that caused it.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Returns the next order, to be written together with the entry that caused it.
    pub fn poll_order(&mut self) -> Option<Order> {
        self.orders.pop_front()
    }

    fn order(&mut self, today: Date, crossing: &Key, available: Balance) {
        let Some(rule) = &self.rule else { return };
        let Some(day) = self.today.on(today).with_order(rule) else {
            return self.tell(crossing, News::TopUpBound { available });
        };
        let order = OrderId::new(format!("auto/{crossing}"));
        self.today = day;
        self.open = Some(order.clone());
        let order = Order::ask(order, self.account.clone(), rule.credits, rule.price);
        self.orders.push_back(order);
    }

    fn tell(&mut self, crossing: &Key, news: News) {
        let event = Event::new(&self.account, news).at_crossing(crossing);
        self.events.push_back(event);
    }

    /// Returns all that a store must keep of it, beside the account, as text.
    pub fn stored(&self) -> String {
        let open = self.open.as_ref().map_or("", OrderId::as_str);
        let rule = self.rule.map_or("-".to_owned(), |rule| rule.stored());
        format!(
            "{} {} {rule} {} {open}",
            self.alert, self.top_up, self.today
        )
    }

    /// A watch as [`Watch::stored`] wrote it.
    pub fn restored(account: AccountId, stored: &str) -> Option<Self> {
        let mut words = Words::of(stored);
        let watch = Self {
            alert: Alarm::parse(words.stored()?)?,
            top_up: Alarm::parse(words.stored()?)?,
            rule: match words.stored()? {
                "-" => None,
                rule => Some(AutoTopUp::parse(rule)?),
            },
            today: Today::parse(&mut words)?,
            ..Self::new(account)
        };
        let open = words.rest()?;
        Some(Self {
            open: Some(OrderId::new(open)).filter(|open| !open.as_str().is_empty()),
            ..watch
        })
    }
}
