//! Given, corrected, transferred and ordered credits, numbers by the month, and the outbox, as they are kept.

use housecall::ports::{Ledger, WallMillis};
use housecall_meter::{
    AccountId, AutoTopUp, Balance, Correction, Credits, Currency, Date, EventKey, Fact, Key,
    Message, MessageFact, MessageId, Millis, Money, Opening, Order, OrderId, Payment, PaymentFact,
    Refusal, Segments, Session, SessionId, SubscriptionFact, SubscriptionId, Transaction, Transfer,
};

use super::{Base, on_each_database, practice};
use crate::{Store, StoreError};

on_each_database! {
    a_charge_is_refunded_once_and_never_beyond_itself,
    refunds_at_the_same_time_give_back_no_more_than_there_was,
    a_transfer_is_whole,
    given_and_forgiven_credits_are_verified,
    a_message_is_charged_when_sent,
    an_order_is_paid_once,
    a_payment_that_is_known_buys_nothing_else,
    a_low_balance_orders_once,
    a_number_is_paid_by_the_month,
    a_month_is_charged_once_by_many,
    an_event_is_delivered_at_least_once,
}

pub(super) fn price() -> Money {
    Money {
        minor: 2_500,
        currency: Currency::new("AUD").unwrap(),
    }
}

fn correction(name: &str, credits: u64) -> Correction {
    Correction {
        name: name.to_owned(),
        credits: Credits(credits),
        by: "Ben".to_owned(),
        reason: "a wrong number".to_owned(),
    }
}

fn transfer(name: &str, to: &AccountId, credits: u64) -> Transfer {
    Transfer {
        name: name.to_owned(),
        from: practice(),
        to: to.clone(),
        credits: Credits(credits),
        by: "Ben".to_owned(),
    }
}

pub(super) fn paid(reference: &str) -> PaymentFact {
    PaymentFact::Paid(Payment {
        reference: reference.to_owned(),
        amount: price(),
        by: "Ben".to_owned(),
    })
}

async fn buy(store: &Store, credits: u64) {
    let entries = store.verify().await.unwrap().entries;
    let bought = Transaction::top_up(practice(), Credits(credits), &entries.to_string(), "Ben");
    store.record(&bought).await.unwrap();
}

/// A phone call of so many minutes; returns the key of its end.
pub(super) async fn call(store: &Store, name: &str, minutes: u64) -> Key {
    let mut call = Session::open(Opening::call(SessionId::new(name), practice()));
    let mut last = None;
    for fact in [
        None,
        Some((0, Fact::Answered)),
        Some((minutes, Fact::Ended)),
    ] {
        if let Some((at, fact)) = fact {
            call.handle_input(Millis::from_minutes(at), fact).unwrap();
        }
        while let Some(entry) = call.poll_output() {
            store.record(&entry).await.unwrap();
            let _ = call.recorded(&entry.key);
            last = Some(entry.key);
        }
    }
    last.unwrap()
}

async fn available(store: &Store, account: &AccountId) -> i64 {
    store.funds(account).await.unwrap().available
}

/// The keys of what is due by now, taken and delivered.
async fn delivered(store: &Store, now: i64) -> Vec<String> {
    let taken = store.take_events(WallMillis(now), 100).await.unwrap();
    for taken in &taken {
        store.sent(&taken.event.key, WallMillis(now)).await.unwrap();
    }
    taken
        .into_iter()
        .map(|taken| taken.event.key.to_string())
        .collect()
}

const FAR: i64 = i64::MAX / 2;

/// M12.
async fn a_charge_is_refunded_once_and_never_beyond_itself(base: &Base) {
    let store = Store::open(base.address()).await.unwrap();
    buy(&store, 20).await;
    let end = call(&store, "call 1", 9).await;
    let first = store.correct(&end, &correction("1", 4)).await.unwrap();
    assert_eq!((first.already, first.funds.available), (false, 15));
    assert!(
        store
            .correct(&end, &correction("1", 4))
            .await
            .unwrap()
            .already
    );
    let refused = store.correct(&end, &correction("2", 6)).await;
    let beyond = Refusal::BeyondCorrection {
        key: end.clone(),
        asked: Credits(6),
        left: Credits(5),
    };
    assert!(matches!(refused, Err(StoreError::Refused(why)) if why == beyond));
    store.correct(&end, &correction("3", 5)).await.unwrap();
    assert_eq!(available(&store, &practice()).await, 20);
    let told = store
        .explain(&SessionId::new("call 1"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((told.total(), told.corrections.len()), (Credits(0), 2));
    let nothing = store
        .correct(&Key("nothing".to_owned()), &correction("1", 1))
        .await;
    assert!(matches!(
        nothing,
        Err(StoreError::Refused(Refusal::NotCorrectable { .. }))
    ));
    store.verify().await.unwrap();
    sqlx::query("DELETE FROM correction WHERE credits = 4")
        .execute(store.pool())
        .await
        .unwrap();
    assert_eq!(
        store.verify().await.unwrap_err().to_string(),
        format!("what corrects {end} is 5, the journal says 9")
    );
}

/// M12: eight people press Refund at the same time, each a refund of its own.
async fn refunds_at_the_same_time_give_back_no_more_than_there_was(base: &Base) {
    let store = Store::open(base.address()).await.unwrap();
    buy(&store, 20).await;
    let end = call(&store, "call 1", 9).await;
    let refunds = (0..8).map(|name| {
        let (store, end) = (store.clone(), end.clone());
        tokio::spawn(async move { store.correct(&end, &correction(&name.to_string(), 4)).await })
    });
    let mut given_back = 0;
    for refund in refunds.collect::<Vec<_>>() {
        given_back += usize::from(refund.await.unwrap().is_ok());
    }
    assert_eq!(given_back, 2);
    assert_eq!(available(&store, &practice()).await, 19);
    store.verify().await.unwrap();
}

/// M13: both legs or none.
async fn a_transfer_is_whole(base: &Base) {
    let store = Store::open(base.address()).await.unwrap();
    let ada = practice().practitioner("ada");
    buy(&store, 10).await;
    let given = Transaction::gift("1", practice(), Credits(5), "new");
    store.record(&given).await.unwrap();
    let refused = store.transfer(&transfer("1", &ada, 11)).await;
    assert!(matches!(
        refused,
        Err(StoreError::InsufficientCredits {
            needed: 11,
            available: 10
        })
    ));
    let done = store.transfer(&transfer("1", &ada, 10)).await.unwrap();
    assert_eq!((done.already, done.funds.available), (false, 5));
    assert!(
        store
            .transfer(&transfer("1", &ada, 10))
            .await
            .unwrap()
            .already
    );
    assert_eq!(available(&store, &ada).await, 10);
    // Half a transfer is none.
    let [half, _] = transfer("3", &ada, 1).legs().unwrap();
    assert!(store.record(&half).await.is_err());
    store.verify().await.unwrap();
}

/// A debt is forgiven, and given credits are spent first; verify replays what is left of them.
async fn given_and_forgiven_credits_are_verified(base: &Base) {
    let store = Store::open(base.address()).await.unwrap();
    let given = Transaction::gift("1", practice(), Credits(5), "new");
    store.record(&given).await.unwrap();
    call(&store, "call 1", 9).await;
    assert_eq!(available(&store, &practice()).await, -4);
    let forgive =
        |credits| Transaction::write_off("1", practice(), Credits(credits), "Ben", "closed");
    assert!(store.record(&forgive(5)).await.is_err());
    store.record(&forgive(4)).await.unwrap();
    store
        .record(&Transaction::gift("2", practice(), Credits(3), "new"))
        .await
        .unwrap();
    store.verify().await.unwrap();
    sqlx::query("UPDATE holder SET given = 2")
        .execute(store.pool())
        .await
        .unwrap();
    let found = store.verify().await;
    assert!(
        matches!(
            found,
            Err(StoreError::Differs {
                stored: 2,
                replayed: 3,
                ..
            })
        ),
        "{found:?}"
    );
}

/// R1: a message is no session; its end follows its reservation.
async fn a_message_is_charged_when_sent(base: &Base) {
    let store = Store::open(base.address()).await.unwrap();
    buy(&store, 2).await;
    let mut message = Message::open(
        MessageId::new("m1"),
        practice(),
        &Segments::of("hello").unwrap(),
    );
    let reserve = message.poll_output().unwrap();
    let _ = message.recorded(&reserve.key);
    message.handle_input(MessageFact::Sent).unwrap();
    let sent = message.poll_output().unwrap();
    assert!(store.record(&sent).await.is_err(), "it was never reserved");
    store.record(&reserve).await.unwrap();
    assert!(store.recover().await.unwrap().closed.is_empty());
    store.record(&sent).await.unwrap();
    assert!(store.record(&sent).await.unwrap().already);
    assert_eq!(available(&store, &practice()).await, 1);
    store.verify().await.unwrap();
}

/// M13: a person records a payment, twice; the provider's late refund takes the credits back.
async fn an_order_is_paid_once(base: &Base) {
    let store = Store::open(base.address()).await.unwrap();
    let id = OrderId::new("17");
    let order = || Order::ask(id.clone(), practice(), Credits(100), price());
    store.ask_for(order()).await.unwrap();
    store.ask_for(order()).await.unwrap();
    assert_eq!(delivered(&store, FAR).await, ["order-wanted/17"]);
    for _ in 0..2 {
        let order = store
            .hear_of_payment(&id, paid("receipt 12"))
            .await
            .unwrap();
        assert_eq!(order.state(), "paid");
        assert_eq!(available(&store, &practice()).await, 100);
    }
    store.ask_for(order()).await.unwrap();
    assert_eq!(store.order(&id).await.unwrap().state(), "paid");
    let refunded = || PaymentFact::Refunded {
        reference: "receipt 12".to_owned(),
        by: "provider".to_owned(),
    };
    store.hear_of_payment(&id, refunded()).await.unwrap();
    assert_eq!(available(&store, &practice()).await, 0);
    let unknown = store.hear_of_payment(&OrderId::new("18"), paid("x")).await;
    assert!(matches!(unknown, Err(StoreError::Unknown { .. })));
    store.verify().await.unwrap();
}

/// M13: a payment that bought something else changes nothing, the order included.
async fn a_payment_that_is_known_buys_nothing_else(base: &Base) {
    let store = Store::open(base.address()).await.unwrap();
    for (id, credits) in [("1", 100), ("2", 200)] {
        let order = Order::ask(OrderId::new(id), practice(), Credits(credits), price());
        store.ask_for(order).await.unwrap();
    }
    store
        .hear_of_payment(&OrderId::new("1"), paid("r"))
        .await
        .unwrap();
    let refused = store.hear_of_payment(&OrderId::new("2"), paid("r")).await;
    assert!(matches!(refused, Err(StoreError::KeyConflict { .. })));
    assert_eq!(
        store.order(&OrderId::new("2")).await.unwrap().state(),
        "asked"
    );
    assert_eq!(available(&store, &practice()).await, 100);
}

/// M13: the entry that crosses the limit carries the alert and the order with it, once.
async fn a_low_balance_orders_once(base: &Base) {
    let store = Store::open(base.address()).await.unwrap();
    let rule = AutoTopUp::new(Balance(10), Credits(100), price());
    store
        .watch(&practice(), Some(Balance(5)), Some(rule))
        .await
        .unwrap();
    buy(&store, 14).await;
    assert!(delivered(&store, FAR).await.is_empty());
    call(&store, "call 1", 5).await;
    // What was set aside for a sixth minute led below 10.
    let wanted = delivered(&store, FAR).await;
    assert_eq!(wanted, ["order-wanted/auto/call 1/extend/5"]);
    let order = OrderId::new("auto/call 1/extend/5");
    drop(store);
    let store = Store::open(base.address()).await.unwrap();
    call(&store, "call 2", 4).await;
    assert_eq!(
        delivered(&store, FAR).await,
        ["low-balance/call 2/extend/4"]
    );
    store.hear_of_payment(&order, paid("r1")).await.unwrap();
    assert_eq!(available(&store, &practice()).await, 105);
    store.watch(&practice(), None, None).await.unwrap();
    call(&store, "call 3", 104).await;
    assert!(delivered(&store, FAR).await.is_empty(), "off is off");
    store.verify().await.unwrap();
}

/// N1: a run that is repeated charges once; what is missed is caught up; a top-up brings the number back.
async fn a_number_is_paid_by_the_month(base: &Base) {
    let store = Store::open(base.address()).await.unwrap();
    let id = SubscriptionId::new("number 1");
    let day = |text| Date::parse(text).unwrap();
    buy(&store, 160).await;
    store.request_number(&id, &practice()).await.unwrap();
    let early = store
        .number_hears(&id, day("2026-01-31"), SubscriptionFact::Activated)
        .await;
    assert!(matches!(early, Err(StoreError::WrongMoment(_))));
    for fact in [
        SubscriptionFact::Submitted,
        SubscriptionFact::Approved,
        SubscriptionFact::Activated,
    ] {
        store
            .number_hears(&id, day("2026-01-31"), fact)
            .await
            .unwrap();
    }
    store.request_number(&id, &practice()).await.unwrap();
    let numbers = store.numbers().await.unwrap();
    assert_eq!(numbers, std::slice::from_ref(&id));
    for _ in 0..2 {
        store.number_day(&id, day("2026-03-31")).await.unwrap();
        assert_eq!(available(&store, &practice()).await, 10);
    }
    let number = store.number_day(&id, day("2026-04-30")).await.unwrap();
    assert_eq!((number.state(), number.works()), ("past due", true));
    assert_eq!(delivered(&store, FAR).await, ["past-due/number 1/3"]);
    buy(&store, 40).await;
    let number = store.number_day(&id, day("2026-05-01")).await.unwrap();
    assert_eq!(
        (number.state(), available(&store, &practice()).await),
        ("active", 0)
    );
    store.verify().await.unwrap();
}

/// Two programs run the same day of the same number at the same time.
async fn a_month_is_charged_once_by_many(base: &Base) {
    let store = Store::open(base.address()).await.unwrap();
    let id = SubscriptionId::new("number 1");
    let today = Date::parse("2026-01-31").unwrap();
    buy(&store, 1_000).await;
    store.request_number(&id, &practice()).await.unwrap();
    for fact in [
        SubscriptionFact::Submitted,
        SubscriptionFact::Approved,
        SubscriptionFact::Activated,
    ] {
        store.number_hears(&id, today, fact).await.unwrap();
    }
    let later = Date::parse("2026-06-30").unwrap();
    let runs = (0..8).map(|_| {
        let (store, id) = (store.clone(), id.clone());
        tokio::spawn(async move { store.number_day(&id, later).await.map(drop) })
    });
    for run in runs.collect::<Vec<_>>() {
        run.await.unwrap().unwrap();
    }
    assert_eq!(available(&store, &practice()).await, 1_000 - 6 * 50);
    store.verify().await.unwrap();
}

/// At least once: who takes an event and dies leaves it to others; who fails waits longer each time.
async fn an_event_is_delivered_at_least_once(base: &Base) {
    let store = Store::open(base.address()).await.unwrap();
    let order = Order::ask(OrderId::new("17"), practice(), Credits(100), price());
    store.ask_for(order).await.unwrap();
    let take = async |at: i64| store.take_events(WallMillis(at), 10).await.unwrap();
    assert_eq!(take(0).await, [], "not due");
    let mut now = FAR;
    let mut taken = take(now).await.remove(0);
    // Nobody says what became of it.
    assert_eq!(take(now + 59_999).await, []);
    now += 60_000;
    for (attempt, wait_s) in (1..).zip([0, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 3_600, 3_600]) {
        if attempt > 1 {
            store.not_sent(&taken, WallMillis(now)).await.unwrap();
            assert_eq!(take(now + wait_s * 1_000 - 1).await, [], "{attempt}");
            now += wait_s * 1_000;
        }
        taken = take(now).await.remove(0);
        assert_eq!(taken.attempt, attempt + 1);
    }
    store.sent(&taken.event.key, WallMillis(now)).await.unwrap();
    store.not_sent(&taken, WallMillis(now)).await.unwrap();
    assert_eq!(take(i64::MAX).await, [], "what is sent is sent");
    let nothing = EventKey::new("nothing");
    store.sent(&nothing, WallMillis(now)).await.unwrap();
}
