//! What the office of the simulated clinic does between sessions, and keeps in the ledger's own transactions.

use std::collections::{BTreeMap, BTreeSet};

use super::{Died, Ledger, Process};
use crate::tests::ledger_properties::corrections;
use crate::tests::orders::aud;
use crate::tests::told::{Random, practice};
use crate::{
    Account, AccountId, AutoTopUp, Balance, Books, Cause, Correction, Credits, Date, Event,
    EventKey, Kind, Message, MessageFact, MessageId, Millis, News, Order, OrderId, Payment,
    PaymentFact, Segments, Session, Subscription, SubscriptionFact, SubscriptionId, Transaction,
    Transfer, Watch,
};

const ALERT_AT: i64 = 40;
const PACK: Credits = Credits(100);

/// What outlives a process beside the journal: everything as text, as a database has it.
pub(super) struct Office {
    today: Date,
    number: String,
    watch: String,
    orders: BTreeMap<OrderId, String>,
    outbox: BTreeMap<EventKey, Event>,
    /// Messages whose end is not known.
    queued: BTreeSet<MessageId>,
    /// What was done by now; names what is done next.
    done: u64,
}

impl Default for Office {
    fn default() -> Self {
        let today = Date::new(2026, 1, 31).unwrap();
        let mut watch = Watch::new(practice());
        watch.alert_at(Some(Balance(ALERT_AT)));
        watch.top_up_by(Some(AutoTopUp::new(Balance(20), PACK, aud(2_500))));
        let mut number = Subscription::requested(number(), practice());
        for fact in [SubscriptionFact::Submitted, SubscriptionFact::Approved] {
            number.handle_input(today, fact).unwrap();
        }
        Self {
            today,
            number: number.stored(),
            watch: watch.stored(),
            orders: BTreeMap::new(),
            outbox: BTreeMap::new(),
            queued: BTreeSet::new(),
            done: 0,
        }
    }
}

fn number() -> SubscriptionId {
    SubscriptionId::new("number 1")
}

fn ada() -> AccountId {
    practice().practitioner("ada")
}

impl Office {
    /// A new entry of the practice may cross a limit: what follows from that is written with it.
    pub(super) fn watch(&mut self, entry: &Transaction, available: Balance) {
        if entry.account != practice() {
            return;
        }
        let mut watch = self.restored_watch();
        watch.handle_entry(self.today, &entry.key, available);
        while let Some(event) = watch.poll_event() {
            self.tell(event);
        }
        while let Some(order) = watch.poll_order() {
            self.keep_order(order);
        }
        self.watch = watch.stored();
    }

    fn restored_watch(&self) -> Watch {
        Watch::restored(practice(), &self.watch).unwrap()
    }

    fn keep_order(&mut self, mut order: Order) {
        while let Some(event) = order.poll_event() {
            self.tell(event);
        }
        if !order.is_open() {
            let mut watch = self.restored_watch();
            watch.order_over(order.id());
            self.watch = watch.stored();
        }
        self.orders.insert(order.id().clone(), order.stored());
    }

    fn keep_number(&mut self, number: &mut Subscription) {
        while let Some(event) = number.poll_event() {
            self.tell(event);
        }
        self.number = number.stored();
    }

    /// An event that is made again is the same.
    fn tell(&mut self, event: Event) {
        let known = self.outbox.insert(event.key.clone(), event.clone());
        assert!(known.is_none_or(|known| known == event), "{event:?}");
    }
}

impl Process<'_> {
    pub(super) fn work_in_the_office(&mut self) -> Result<(), Died> {
        for _ in 0..2 + self.random.below(10) {
            self.ledger.office.done += 1;
            match self.random.below(7) {
                0 => self.order()?,
                1 | 2 => self.hear_of_payments()?,
                3 => self.correct()?,
                4 => self.transfer()?,
                5 => self.pay_for_the_number()?,
                _ => self.message()?,
            }
        }
        Ok(())
    }

    fn name(&self) -> String {
        self.ledger.office.done.to_string()
    }

    fn order(&mut self) -> Result<(), Died> {
        let order = Order::ask(OrderId::new(self.name()), practice(), PACK, aud(2_500));
        let keep = |office: &mut Office| office.keep_order(order.clone());
        self.send_all(&[], &keep)?;
        Ok(())
    }

    /// The provider says something of every order: perhaps twice, late, or of a wrong sum.
    fn hear_of_payments(&mut self) -> Result<(), Died> {
        let orders: Vec<_> = self.ledger.office.orders.clone().into_iter().collect();
        for (id, stored) in orders {
            let mut order = Order::restored(id, practice(), &stored).unwrap();
            let fact = payment(&order, self.random);
            order.handle_input(fact);
            let entries: Vec<_> = std::iter::from_fn(|| order.poll_output()).collect();
            let keep = |office: &mut Office| office.keep_order(order.clone());
            // Refused is a refund of what was corrected before; then nothing of it is kept.
            self.send_all(&entries, &keep)?;
        }
        Ok(())
    }

    /// Somebody is given back something, or wants more than there is.
    fn correct(&mut self) -> Result<(), Died> {
        let journal = &self.ledger.journal;
        let place = self.random.below(journal.len().max(1) as u64) as usize;
        let Some(entry) = journal.get(place) else {
            return Ok(());
        };
        let correction = Correction {
            name: self.name(),
            credits: Credits(1 + self.random.below(8)),
            by: "Ben".to_owned(),
            reason: "wrong".to_owned(),
        };
        let Ok(entry) = correction.of(entry) else {
            return Ok(());
        };
        self.send(&entry)?;
        Ok(())
    }

    fn transfer(&mut self) -> Result<(), Died> {
        let mut parties = [practice(), ada()];
        if self.random.below(3) == 0 {
            parties.reverse();
        }
        let [from, to] = parties;
        let transfer = Transfer {
            name: self.name(),
            from,
            to,
            credits: Credits(self.random.below(30)),
            by: "Ben".to_owned(),
        };
        self.send_all(&transfer.legs().unwrap(), &|_| ())?;
        Ok(())
    }

    /// The daily run, after some days without one.
    fn pay_for_the_number(&mut self) -> Result<(), Died> {
        for _ in 0..self.random.below(50) {
            self.ledger.office.today = tomorrow(self.ledger.office.today);
        }
        let (today, stored) = (self.ledger.office.today, self.ledger.office.number.clone());
        let mut subscription = Subscription::restored(number(), practice(), &stored).unwrap();
        subscription
            .handle_input(today, SubscriptionFact::Activated)
            .unwrap();
        while let Some(entry) = subscription.poll_output() {
            let mut paid = subscription.clone();
            paid.recorded(&entry.key);
            let keep = |office: &mut Office| office.keep_number(&mut paid.clone());
            match self.send_all(std::slice::from_ref(&entry), &keep)? {
                None => subscription.recorded(&entry.key),
                Some(_) => subscription.refused(&entry.key),
            }
        }
        let keep = |office: &mut Office| office.keep_number(&mut subscription.clone());
        self.send_all(&[], &keep)?;
        Ok(())
    }

    fn message(&mut self) -> Result<(), Died> {
        let id = MessageId::new(self.name());
        let queue = |office: &mut Office| {
            office.queued.insert(id.clone());
        };
        self.send_all(&[], &queue)?;
        self.finish_message(id.clone())
    }

    /// Sends what an earlier process left.
    pub(super) fn finish_messages(&mut self) -> Result<(), Died> {
        let queued: Vec<_> = self.ledger.office.queued.iter().cloned().collect();
        for id in queued {
            self.finish_message(id)?;
        }
        Ok(())
    }

    fn finish_message(&mut self, id: MessageId) -> Result<(), Died> {
        let text = "a".repeat(170);
        let mut message = Message::open(id.clone(), practice(), &Segments::of(&text).unwrap());
        let over = |office: &mut Office| {
            office.queued.remove(&id);
        };
        let reserve = message.poll_output().unwrap();
        if self.send(&reserve)?.is_some() {
            self.send_all(&[], &over)?;
            return Ok(());
        }
        let fact = match message.recorded(&reserve.key).is_some() && self.random.below(3) > 0 {
            true => MessageFact::Sent,
            false => MessageFact::Failed,
        };
        message.handle_input(fact).unwrap();
        let entries: Vec<_> = std::iter::from_fn(|| message.poll_output()).collect();
        self.send_all(&entries, &over)?;
        Ok(())
    }
}

fn payment(order: &Order, random: &mut Random) -> PaymentFact {
    let reference = format!("{} {}", order.id(), random.below(8) / 7);
    let paid = |amount| {
        PaymentFact::Paid(Payment {
            reference: reference.clone(),
            amount: aud(amount),
            by: "provider".to_owned(),
        })
    };
    match random.below(12) {
        0 => paid(2_400),
        1 => PaymentFact::Failed {
            why: "declined".to_owned(),
        },
        2 => PaymentFact::Expired,
        3 => PaymentFact::Refunded {
            reference,
            by: "provider".to_owned(),
        },
        _ => paid(2_500),
    }
}

fn tomorrow(day: Date) -> Date {
    let (year, month) = (day.year(), day.month());
    let next = Date::new(year, month, day.day() + 1).or_else(|| Date::new(year, month + 1, 1));
    next.or_else(|| Date::new(year + 1, 1, 1)).unwrap()
}

/// Everything that was bought, charged, corrected and told follows from what happened, once.
pub(super) fn check(ledger: &Ledger, granted: i64, seed: u64) {
    let books = &ledger.books;
    let all = |of| [practice(), ada()].map(|holder| books.balance(&holder, of).0);
    assert_eq!(
        all(Account::Transferred).iter().sum::<i64>(),
        0,
        "seed {seed}"
    );
    assert_eq!(all(Account::Reserved), [0, 0], "seed {seed}");
    check_replay(ledger, granted, seed);
    check_purchases(ledger, granted, seed);
    check_corrections(ledger, seed);
    check_months(ledger, seed);
    check_news(ledger, seed);
}

/// The journal, read again, makes the same holdings.
fn check_replay(ledger: &Ledger, granted: i64, seed: u64) {
    let granted = Credits(granted.unsigned_abs());
    let mut again = Books::default();
    let first = Transaction::grant("1", practice(), granted, "bought");
    again.record(&first).unwrap();
    let mut rest = &ledger.journal[..];
    while let Some(first) = rest.first() {
        let legs = 1 + usize::from(first.kind == Kind::TransferOut);
        assert_eq!(again.record_all(&rest[..legs]), Ok(true), "seed {seed}");
        rest = &rest[legs..];
    }
    for holder in [practice(), ada()] {
        assert_eq!(
            again.holdings(&holder),
            ledger.books.holdings(&holder),
            "seed {seed}"
        );
    }
}

/// Each order that is paid bought its credits once; what is refunded, or corrected, is gone.
fn check_purchases(ledger: &Ledger, granted: i64, seed: u64) {
    let corrected: i64 = of_kind(ledger, Kind::Correct)
        .map(|entry| entry.posted(Account::Issued))
        .sum();
    let bought: Vec<_> = of_kind(ledger, Kind::TopUp).collect();
    let stated = ledger.office.orders.values();
    let paid = stated.filter(|order| order.contains(" paid ")).count();
    let refunded = of_kind(ledger, Kind::Correct)
        .filter(|entry| entry.key.as_str().ends_with("/correct/refund"));
    assert_eq!(bought.len(), paid + refunded.count(), "seed {seed}");
    let issued = ledger.books.balance(&practice(), Account::Issued).0;
    let bought = bought.len() as i64 * PACK.posted();
    assert_eq!(-issued, granted + bought - corrected, "seed {seed}");
}

/// Of nothing more is given back than it moved; a session's journal tells what it cost, corrections included.
fn check_corrections(ledger: &Ledger, seed: u64) {
    corrections(&ledger.journal, seed);
    let mut sessions: BTreeMap<_, Vec<&Transaction>> = BTreeMap::new();
    for entry in &ledger.journal {
        sessions.entry(&entry.session).or_default().push(entry);
    }
    sessions.remove(&None);
    for entries in sessions.into_values() {
        let earned: i64 = entries
            .iter()
            .map(|entry| entry.posted(Account::Earned))
            .sum();
        let told = Session::replay(entries).unwrap().explain(Millis::ZERO);
        assert_eq!(told.total().posted(), earned, "seed {seed}");
    }
}

/// Months are charged in their order, each once, none before the activation or ahead of its time.
fn check_months(ledger: &Ledger, seed: u64) {
    let months = of_kind(ledger, Kind::Charge).map(|entry| match entry.cause {
        Cause::Month { number, from, .. } => (number, from),
        _ => panic!("seed {seed}: {}", entry.key),
    });
    let months: Vec<_> = months.collect();
    let suspended = ledger
        .office
        .outbox
        .values()
        .any(|event| matches!(event.news, News::Suspended { .. }));
    for (place, (number, from)) in months.iter().enumerate() {
        assert!(*from <= ledger.office.today, "seed {seed}: {from}");
        assert!(
            suspended || *number as usize == place,
            "seed {seed}: {months:?}"
        );
    }
    assert!(
        months.is_sorted_by(|one, two| one.0 < two.0 && one.1 < two.1),
        "seed {seed}: {months:?}"
    );
}

/// Alerts are the crossings that one counts in the journal; each order is asked for once.
fn check_news(ledger: &Ledger, seed: u64) {
    let mut expected = BTreeSet::new();
    let own = ledger
        .journal
        .iter()
        .filter(|entry| entry.account == practice());
    let mut available = ledger.books.balance(&practice(), Account::Available).0;
    available -= own
        .clone()
        .map(|entry| entry.posted(Account::Available))
        .sum::<i64>();
    // The first entry that is seen may find the balance low already.
    let mut was_low = false;
    for entry in own {
        available += entry.posted(Account::Available);
        let is_low = available <= ALERT_AT;
        if is_low && !was_low {
            expected.insert(EventKey::new(format!("low-balance/{}", entry.key)));
        }
        was_low = is_low;
    }
    let outbox = &ledger.office.outbox;
    let told = |prefix: &str| -> BTreeSet<EventKey> {
        let keys = outbox.keys().filter(|key| key.as_str().starts_with(prefix));
        keys.cloned().collect()
    };
    assert_eq!(told("low-balance/"), expected, "seed {seed}");
    let orders = ledger
        .office
        .orders
        .keys()
        .map(|order| format!("order-wanted/{order}"));
    assert_eq!(
        told("order-wanted/"),
        orders.map(EventKey::new).collect(),
        "seed {seed}"
    );
}

fn of_kind(ledger: &Ledger, kind: Kind) -> impl Iterator<Item = &Transaction> {
    ledger
        .journal
        .iter()
        .filter(move |entry| entry.kind == kind)
}

/// The office does what it says: everything happens in it often enough to be tested.
#[test]
fn the_office_is_busy() {
    let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in 0..300 {
        let ledger = super::simulated(seed);
        for entry in &ledger.journal {
            *seen.entry(entry.kind.as_str()).or_default() += 1;
        }
        for event in ledger.office.outbox.values() {
            let name = match event.news {
                News::OrderWanted { .. } => "order wanted",
                News::LowBalance { .. } => "low balance",
                News::TopUpBound { .. } => "top-up bound",
                News::PaymentFailed { .. } => "payment failed",
                News::OddPayment { .. } => "odd payment",
                News::PastDue { .. } => "past due",
                News::Suspended { .. } => "suspended",
            };
            *seen.entry(name).or_default() += 1;
        }
    }
    for what in [
        "top-up",
        "correct",
        "transfer-out",
        "transfer-in",
        "charge",
        "settle",
        "release",
        "order wanted",
        "low balance",
        "payment failed",
        "odd payment",
        "past due",
    ] {
        assert!(
            seen.get(what).is_some_and(|times| *times > 20),
            "{what}: {seen:?}"
        );
    }
}
