//! Orders and what became of their payments.

use std::collections::BTreeSet;

use super::told::{CASES, Random, practice};
use crate::{
    Account, Balance, Books, Credits, Currency, EventKey, Money, News, Order, OrderId, Payment,
    PaymentFact, Refusal, Transaction,
};

pub(super) fn aud(minor: u64) -> Money {
    Money {
        minor,
        currency: Currency::new("AUD").unwrap(),
    }
}

fn paid(reference: &str, amount: Money) -> PaymentFact {
    PaymentFact::Paid(Payment {
        reference: reference.to_owned(),
        amount,
        by: "provider".to_owned(),
    })
}

fn refunded(reference: &str) -> PaymentFact {
    PaymentFact::Refunded {
        reference: reference.to_owned(),
        by: "provider".to_owned(),
    }
}

fn failed() -> PaymentFact {
    PaymentFact::Failed {
        why: "card declined".to_owned(),
    }
}

/// One order of 100 credits for 25 dollars, stored and read back after each fact, as a store does it.
struct World {
    books: Books,
    order: Order,
    told: Vec<News>,
    keys: BTreeSet<EventKey>,
    refused: Option<String>,
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            books: Books::default(),
            order: Order::ask(OrderId::new("17"), practice(), Credits(100), aud(2_500)),
            told: Vec::new(),
            keys: BTreeSet::new(),
            refused: None,
        };
        world.write();
        world
    }

    fn hear(&mut self, fact: PaymentFact) {
        self.order.handle_input(fact);
        self.write();
        let stored = self.order.stored();
        let again = Order::restored(OrderId::new("17"), practice(), &stored).expect(&stored);
        assert_eq!(again.stored(), stored);
        self.order = again;
    }

    fn write(&mut self) {
        self.refused = None;
        while let Some(entry) = self.order.poll_output() {
            let recorded = self.books.record(&entry);
            self.refused = recorded.err().map(|refusal| refusal.to_string());
        }
        while let Some(event) = self.order.poll_event() {
            assert_eq!(
                News::parse(&event.news.to_string()).as_ref(),
                Some(&event.news)
            );
            // Delivered at least once, told once.
            if self.keys.insert(event.key) {
                self.told.push(event.news);
            }
        }
    }

    fn available(&self) -> i64 {
        self.books.balance(&practice(), Account::Available).0
    }
}

/// Runs a script: facts, and behind `->` the state, the credits, and the news if there are any.
fn check(script: &str) {
    let mut world = World::new();
    let first = std::mem::take(&mut world.told);
    assert_eq!(first[0].to_string(), "order-wanted 100 2500-AUD 17");
    for line in script.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        let (deed, expected) = line.split_once("->").unwrap_or((line, ""));
        match deed.split_whitespace().collect::<Vec<_>>()[..] {
            [] => continue,
            ["paid", reference, minor] => world.hear(paid(reference, aud(minor.parse().unwrap()))),
            ["paid", reference] => world.hear(paid(reference, aud(2_500))),
            ["refunded", reference] => world.hear(refunded(reference)),
            ["failed"] => world.hear(failed()),
            ["expired"] => world.hear(PaymentFact::Expired),
            ["spend", much] => {
                let spent = super::ledger::call("c", practice(), much.parse().unwrap());
                for entry in spent {
                    world.books.record(&entry).unwrap();
                }
            }
            ref other => panic!("{other:?} cannot happen"),
        }
        let told: Vec<_> = world.told.drain(..).map(|news| news.to_string()).collect();
        let found = format!(
            "{} {} {}",
            world.order.state(),
            world.available(),
            told.join(", ")
        );
        assert_eq!(found.trim(), expected.trim(), "`{line}`");
        assert_eq!(world.refused, None, "`{line}`");
    }
}

#[test]
fn m13_a_payment_buys_once() {
    check(
        "
        paid r1         -> paid 100
        paid r1         -> paid 100                     # told twice
        failed          -> paid 100                     # of an attempt before
        expired         -> paid 100
        paid r2         -> paid 100 odd-payment 17 2500-AUD 2500-AUD r2
        paid r2         -> paid 100
        refunded r2     -> paid 100                     # the second one went back
        refunded r1     -> refunded 0
        refunded r1     -> refunded 0
        paid r1         -> refunded 0                   # late news
        paid r3         -> refunded 0 odd-payment 17 2500-AUD 2500-AUD r3
    ",
    );
}

#[test]
fn m13_money_that_comes_late_is_money() {
    check(
        "
        failed          -> failed 0 payment-failed 17 card declined
        failed          -> failed 0
        paid r1         -> paid 100
    ",
    );
    check(
        "
        expired         -> expired 0
        failed          -> expired 0
        paid r1         -> paid 100
    ",
    );
    check(
        "
        failed          -> failed 0 payment-failed 17 card declined
        expired         -> expired 0
        paid r1         -> paid 100
    ",
    );
}

#[test]
fn m13_a_wrong_sum_buys_nothing_and_is_told() {
    check(
        "
        paid r1 2499    -> asked 0 odd-payment 17 2499-AUD 2500-AUD r1
        paid r1 2499    -> asked 0
        paid r2 2501    -> asked 0 odd-payment 17 2501-AUD 2500-AUD r2
        failed          -> failed 0 payment-failed 17 card declined
        paid r3 0       -> failed 0 odd-payment 17 0-AUD 2500-AUD r3
        expired         -> expired 0
        paid r3 1       -> expired 0 odd-payment 17 1-AUD 2500-AUD r3    # another sum is other news
        paid r3 1       -> expired 0
        paid r4         -> paid 100
        paid r4 7       -> paid 100
    ",
    );
}

#[test]
fn m13_news_may_overtake_each_other() {
    check(
        "
        refunded r1     -> refunded 0
        paid r1         -> refunded 0
    ",
    );
}

/// What was spent of refunded money is owed.
#[test]
fn m13_a_refund_may_leave_a_debt() {
    check(
        "
        paid r1         -> paid 100
        spend 30        -> paid 70
        refunded r1     -> refunded -30
    ",
    );
}

/// A payment that somebody records for two orders buys once, and the second is told.
#[test]
fn m13_a_reference_buys_once_for_all_orders() {
    let mut books = Books::default();
    let mut order = |id: &str, credits| {
        let mut order = Order::ask(OrderId::new(id), practice(), Credits(credits), aud(2_500));
        order.handle_input(paid("receipt 12", aud(2_500)));
        let entry: Transaction = order.poll_output().unwrap();
        books.record(&entry)
    };
    assert_eq!(order("1", 100), Ok(true));
    assert_eq!(order("1", 100), Ok(false));
    for (id, credits) in [("2", 100), ("3", 101)] {
        let refused = order(id, credits);
        let is_known = matches!(refused, Err(Refusal::KeyConflict { .. }));
        assert!(is_known, "{refused:?}");
    }
    assert_eq!(books.balance(&practice(), Account::Available), Balance(100));
}

/// A refund of a purchase that a person has corrected is refused as a whole, and told.
#[test]
fn m12_a_refund_takes_no_more_back_than_there_was() {
    let mut world = World::new();
    world.hear(paid("r1", aud(2_500)));
    let bought = Transaction::top_up(practice(), Credits(100), "r1", "provider");
    let correction = crate::Correction {
        name: "1".to_owned(),
        credits: Credits(40),
        by: "Ada".to_owned(),
        reason: "a gift by mistake".to_owned(),
    };
    world
        .books
        .record(&correction.of(&bought).unwrap())
        .unwrap();
    world.hear(refunded("r1"));
    assert_eq!(
        world.refused.as_deref(),
        Some("100 credits of top-up/r1 to be reversed, 60 credits left")
    );
    assert_eq!(world.available(), 60);
}

/// Facts about one payment lead to the same end, whatever their order and number.
#[test]
fn the_order_of_the_news_changes_nothing() {
    for seed in 0..CASES {
        let mut random = Random(seed);
        let mut facts = Vec::new();
        let (is_paid, is_refunded) = (random.below(3) > 0, random.below(3) == 0);
        facts.extend(is_paid.then(|| paid("r1", aud(2_500))));
        facts.extend(is_refunded.then(|| refunded("r1")));
        facts.extend((random.below(2) == 0).then(failed));
        facts.extend((random.below(2) == 0).then_some(PaymentFact::Expired));
        facts.extend((random.below(2) == 0).then(|| paid("r0", aud(1))));
        let mut told = facts.clone();
        for _ in 0..random.below(6) {
            told.extend(
                (!facts.is_empty())
                    .then(|| facts[random.below(facts.len() as u64) as usize].clone()),
            );
        }
        for place in (1..told.len()).rev() {
            told.swap(place, random.below(place as u64 + 1) as usize);
        }
        let mut world = World::new();
        for fact in &told {
            world.hear(fact.clone());
            assert_eq!(world.refused, None, "seed {seed}: {told:?}");
            assert!(
                [0, 100].contains(&world.available()),
                "seed {seed}: {told:?}"
            );
        }
        let expected = if is_paid && !is_refunded { 100 } else { 0 };
        assert_eq!(world.available(), expected, "seed {seed}: {told:?}");
        // Until the right money is there, the wrong one is told of.
        let odd = world
            .told
            .iter()
            .filter(|news| matches!(news, News::OddPayment { .. }));
        assert!(odd.count() <= 1, "seed {seed}: {told:?}");
    }
}

/// However many payments there are, the order gives its credits once.
#[test]
fn several_payments_buy_once() {
    for seed in 0..CASES {
        let mut random = Random(seed);
        let mut world = World::new();
        for _ in 0..random.below(12) {
            let reference = format!("r{}", random.below(3));
            world.hear(match random.below(5) {
                0 => refunded(&reference),
                1 => failed(),
                2 => paid(&reference, aud(2_499)),
                _ => paid(&reference, aud(2_500)),
            });
            assert_eq!(world.refused, None, "seed {seed}");
            assert!([0, 100].contains(&world.available()), "seed {seed}");
            assert_eq!(
                world.available() == 100,
                world.order.state() == "paid",
                "seed {seed}"
            );
        }
    }
}
