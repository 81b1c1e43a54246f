//! Balances that run low.

use std::collections::BTreeSet;

use super::orders::aud;
use super::told::{CASES, Random, practice};
use crate::{AutoTopUp, Balance, Credits, Date, EventKey, Key, News, OrderId, Watch};

fn rule(at: i64) -> AutoTopUp {
    AutoTopUp::new(Balance(at), Credits(100), aud(2_500))
}

/// The day so many days after the first of January.
fn day(number: u8) -> Date {
    Date::new(2026, 1, 1 + number).unwrap()
}

/// Stores a watch and reads it back. Setting what is set changes nothing.
fn restart(watch: &mut Watch, alert: Option<i64>, top_up: Option<AutoTopUp>) {
    let stored = watch.stored();
    *watch = Watch::restored(practice(), &stored).expect(&stored);
    watch.alert_at(alert.map(Balance));
    watch.top_up_by(top_up);
    assert_eq!(watch.stored(), stored);
}

/// Runs a script: `3 a 10` is the entry `a` on day 3 that leaves 10 credits available; behind `->` is what the world is told. `alert 10`
/// and `top-up 10` set limits, `over a` ends the order of that entry.
fn check(script: &str) {
    let mut watch = Watch::new(practice());
    let (mut alert, mut top_up) = (None, None);
    for line in script.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        let (deed, expected) = line.split_once("->").unwrap_or((line, ""));
        match deed.split_whitespace().collect::<Vec<_>>()[..] {
            [] => continue,
            ["alert", limit] => {
                alert = limit.parse().ok();
                watch.alert_at(alert.map(Balance));
            }
            ["top-up", limit] => {
                top_up = limit.parse().ok().map(rule);
                watch.top_up_by(top_up);
            }
            ["over", entry] => watch.order_over(&OrderId::new(format!("auto/{entry}"))),
            ["restart"] => restart(&mut watch, alert, top_up),
            [on, entry, available] => {
                let available = Balance(available.parse().unwrap());
                watch.handle_entry(day(on.parse().unwrap()), &Key(entry.to_owned()), available);
            }
            ref other => panic!("{other:?} cannot happen"),
        }
        let mut told = Vec::new();
        while let Some(event) = watch.poll_event() {
            assert_eq!(News::parse(&event.news.to_string()), Some(event.news));
            told.push(event.key.to_string());
        }
        while let Some(mut order) = watch.poll_order() {
            let wanted = order.poll_event().unwrap();
            told.push(wanted.key.to_string());
        }
        assert_eq!(told.join(" "), expected.trim(), "`{line}`");
    }
}

#[test]
fn m13_a_low_balance_is_told_once() {
    check(
        "
        1 a 5                                              # off by default
        alert 10
        1 b 11
        1 c 10          -> low-balance/c                   # reached
        1 d 9
        restart
        1 e -3
        1 f 11                                             # above: armed again
        1 g 4           -> low-balance/g                   # fallen below
        1 h 10
        alert 10
        1 i 9                                              # the same limit is no other limit
        alert 20
        1 j 12          -> low-balance/j
        alert off
        1 k -100
    ",
    );
}

#[test]
fn m13_automatic_top_up_orders_once_a_crossing() {
    check("
        top-up 10
        1 a 11
        1 b 10          -> order-wanted/auto/b
        1 c 9
        1 d 12                                             # above, and the order is not paid yet
        restart
        1 e 10                                             # so it will come
        over b
        1 f 110
        1 g 8           -> order-wanted/auto/g
        over g
        1 h 108
        1 i 8           -> top-up-bound/i                  # two a day
        2 j 7                                              # no crossing
        2 k 20
        2 l 10          -> order-wanted/auto/l
        over l
        2 m 110
        1 n 9           -> order-wanted/auto/n             # the clock steps back: it is the second of day 2
        over n
        1 o 109
        1 p 9           -> top-up-bound/p
    ");
}

/// A card that was declined is not tried again and again.
#[test]
fn m13_an_order_that_failed_waits_for_the_next_crossing() {
    check(
        "
        top-up 10
        alert 5
        1 a 10          -> order-wanted/auto/a
        over a
        1 b 9
        1 c 5           -> low-balance/c
        1 d 11
        1 e 10          -> order-wanted/auto/e
    ",
    );
}

#[test]
fn m13_the_sum_of_a_day_is_bound_too() {
    let mut watch = Watch::new(practice());
    watch.top_up_by(Some(AutoTopUp {
        orders_a_day_max: 100,
        credits_a_day_max: Credits(299),
        ..rule(10)
    }));
    let mut ordered = 0;
    for number in 0..20 {
        let key = |what: &str| Key(format!("{what} {number}"));
        watch.handle_entry(day(1), &key("up"), Balance(11));
        watch.handle_entry(day(1), &key("down"), Balance(10));
        while let Some(order) = watch.poll_order() {
            watch.order_over(order.id());
            ordered += 1;
        }
    }
    assert_eq!(ordered, 2);
}

/// M13: once for each crossing, as somebody counts who looks at the balances alone; and orders within their bounds. What dies between an
/// entry and its answer asks for the same order again.
#[test]
fn once_a_crossing_whatever_dies() {
    let (mut orders, mut bounds) = (0, 0);
    for seed in 0..CASES {
        let mut random = Random(seed);
        let (alert, top_up) = (random.below(20) as i64, rule(random.below(20) as i64));
        let mut watch = Watch::new(practice());
        watch.alert_at(Some(Balance(alert)));
        watch.top_up_by(Some(top_up));
        let (mut balance, mut on) = (30, 0);
        let mut told = BTreeSet::new();
        let mut expected = BTreeSet::new();
        let mut a_day = [0; 30];
        for number in 0..40 {
            let before = balance;
            balance = random.below(40) as i64 - 5;
            on += random.below(8) as usize / 7;
            let key = Key(format!("{number}"));
            if before > alert && balance <= alert {
                expected.insert(EventKey::new(format!("low-balance/{key}")));
            }
            let unaware = watch.clone();
            watch.handle_entry(day(on as u8), &key, Balance(balance));
            let mut news = outputs(&mut watch);
            if random.below(4) == 0 {
                // It died before anything was written, and sees the entry again.
                watch = unaware;
                watch.handle_entry(day(on as u8), &key, Balance(balance));
                let again = outputs(&mut watch);
                assert_eq!(news, again, "seed {seed}");
                news = again;
            }
            restart(&mut watch, Some(alert), Some(top_up));
            for key in news {
                assert!(told.insert(key.clone()), "seed {seed}: {key} twice");
                if key.as_str().starts_with("order-wanted") {
                    assert!(
                        before > top_up.at.0 && balance <= top_up.at.0,
                        "seed {seed}: {key}"
                    );
                    a_day[on] += 1;
                    orders += 1;
                }
                bounds += usize::from(key.as_str().starts_with("top-up-bound"));
            }
            if random.below(3) == 0 {
                let last = told
                    .iter()
                    .rev()
                    .find_map(|key| key.as_str().strip_prefix("order-wanted/"));
                let all = told
                    .iter()
                    .filter_map(|key| key.as_str().strip_prefix("order-wanted/"));
                for order in all.chain(last) {
                    watch.order_over(&OrderId::new(order));
                }
            }
        }
        assert!(
            a_day.iter().all(|orders| *orders <= 2),
            "seed {seed}: {a_day:?}"
        );
        let alerts: BTreeSet<_> = told
            .into_iter()
            .filter(|key| key.as_str().starts_with("low-balance"))
            .collect();
        assert_eq!(alerts, expected, "seed {seed}");
    }
    assert!(orders > 1_000 && bounds > 1_000, "{orders}, {bounds}");
}

fn outputs(watch: &mut Watch) -> Vec<EventKey> {
    let mut keys: Vec<_> = std::iter::from_fn(|| watch.poll_event())
        .map(|event| event.key)
        .collect();
    while let Some(mut order) = watch.poll_order() {
        keys.extend(std::iter::from_fn(|| order.poll_event()).map(|event| event.key));
    }
    keys
}
