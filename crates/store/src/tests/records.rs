//! Reports on calls and visits (C1).

use housecall::Encryption;
use housecall::ports::{Records, WallMillis};
use housecall::record::{
    CallRecord, EndedBy, Judged, Quality, RawCause, Timeline, VisitPatient, VisitRecord,
};
use housecall_meter::{AccountId, SessionId};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::{Base, on_each_database, practice};
use crate::{CallFilter, CallTotals, Page, Store, VisitFilter, VisitTotals};

on_each_database! {
    p5_a_call_is_read_back_as_written_and_written_once,
    p5_a_call_that_was_never_judged_is_read,
    c1_calls_are_filtered_by_what_the_report_asks,
    c2_totals_are_of_all_pages,
    c2_totals_are_the_sum_of_the_calls_whatever_is_asked,
    c1_pages_of_a_number_hold_both_ways_in_order,
    p5_a_visit_is_read_back_as_written_and_written_once,
    c1_visits_have_a_line_for_each_patient,
}

async fn p5_a_call_is_read_back_as_written_and_written_once(base: &Base) {
    let store = Store::open(base.address()).await.unwrap();
    let call = answered(1);
    store.save_call(&call).await.unwrap();
    store
        .save_call(&CallRecord {
            credits: 99,
            ..call.clone()
        })
        .await
        .unwrap();
    assert_eq!(
        store.call(&practice(), &call.session).await.unwrap(),
        Some(call.clone())
    );
    assert_eq!(
        store
            .call(&AccountId::new("practice:2"), &call.session)
            .await
            .unwrap(),
        None
    );
    for other in [busy(2), answered(4)] {
        store.save_call(&other).await.unwrap();
        assert_eq!(
            store.call(&practice(), &other.session).await.unwrap(),
            Some(other)
        );
    }
}

/// A record from before calls were judged has no rows for it, and is read all the same.
async fn p5_a_call_that_was_never_judged_is_read(base: &Base) {
    let store = Store::open(base.address()).await.unwrap();
    store.save_call(&answered(2)).await.unwrap();
    sqlx::query("DELETE FROM call_quality")
        .execute(store.pool())
        .await
        .unwrap();
    sqlx::query("UPDATE call_record SET round_trip_ms = NULL")
        .execute(store.pool())
        .await
        .unwrap();
    let calls = store
        .calls(&practice(), &CallFilter::default(), Page::first(10))
        .await
        .unwrap();
    let quality = calls[0].quality.as_ref().unwrap();
    assert_eq!(
        (
            quality.packets_received,
            quality.class(),
            quality.round_trip_ms
        ),
        (3_050, None, None)
    );
}

async fn c1_calls_are_filtered_by_what_the_report_asks(base: &Base) {
    let store = Store::open(base.address()).await.unwrap();
    for call in [answered(1), busy(2), answered(3)] {
        store.save_call(&call).await.unwrap();
    }
    store
        .save_call(&CallRecord {
            account: AccountId::new("practice:2"),
            ..answered(4)
        })
        .await
        .unwrap();
    let everything = CallFilter::default;
    let text = |text: &str| Some(text.to_owned());
    for (filter, expected) in [
        (everything(), vec![3, 2, 1]),
        (
            CallFilter {
                from: Some(WallMillis(2_000)),
                ..everything()
            },
            vec![3, 2],
        ),
        (
            CallFilter {
                before: Some(WallMillis(2_000)),
                ..everything()
            },
            vec![1],
        ),
        (
            CallFilter {
                outcome: text("busy"),
                ..everything()
            },
            vec![2],
        ),
        (
            CallFilter {
                practitioner: text("practitioner:1"),
                ..everything()
            },
            vec![1],
        ),
        (
            CallFilter {
                caller: text("user:9"),
                ..everything()
            },
            vec![3, 2, 1],
        ),
        (
            CallFilter {
                caller: text("user:8"),
                ..everything()
            },
            vec![],
        ),
        (
            CallFilter {
                recipient: text("patient:3"),
                ..everything()
            },
            vec![3],
        ),
        (
            CallFilter {
                number: text("+61491570002"),
                ..everything()
            },
            vec![2],
        ),
        (
            CallFilter {
                number: text("+61255500142"),
                ..everything()
            },
            vec![3, 2, 1],
        ),
        (
            CallFilter {
                talk_ms_min: Some(61_000),
                ..everything()
            },
            vec![3, 1],
        ),
        (
            CallFilter {
                talk_ms_min: Some(61_001),
                ..everything()
            },
            vec![],
        ),
        (
            CallFilter {
                outcome: text("completed"),
                from: Some(WallMillis(2_000)),
                ..everything()
            },
            vec![3],
        ),
    ] {
        let found = store
            .calls(&practice(), &filter, Page::default())
            .await
            .unwrap();
        let names: Vec<_> = found
            .iter()
            .map(|call| call.session.as_str().to_owned())
            .collect();
        let expected: Vec<_> = expected.into_iter().map(|n| format!("call:{n}")).collect();
        assert_eq!(names, expected, "{filter:?}");
        assert_eq!(
            store.call_totals(&practice(), &filter).await.unwrap().calls,
            names.len() as u64,
            "{filter:?}"
        );
    }
}

async fn c2_totals_are_of_all_pages(base: &Base) {
    let store = Store::open(base.address()).await.unwrap();
    for n in 1..=5 {
        store
            .save_call(&if n == 2 { busy(n) } else { answered(n) })
            .await
            .unwrap();
    }
    let everything = CallFilter::default();
    let page = Page::first(2);
    let mut seen = Vec::new();
    for page in [page, page.next(), page.next().next()] {
        let calls = store.calls(&practice(), &everything, page).await.unwrap();
        seen.extend(calls.into_iter().map(|call| call.started.0 / 1_000));
    }
    assert_eq!(seen, [5, 4, 3, 2, 1]);
    let totals = store.call_totals(&practice(), &everything).await.unwrap();
    let expected = CallTotals {
        calls: 5,
        answered: 4,
        talk_ms: 4 * 61_000,
        hold_ms: 4 * 5_000,
        credits: 8,
    };
    assert_eq!(totals, expected);
    let nobody = AccountId::new("practice:2");
    assert_eq!(
        store.call_totals(&nobody, &everything).await.unwrap(),
        CallTotals::default()
    );
}

/// Days that are added up beforehand, and what a question begins and ends with.
async fn c2_totals_are_the_sum_of_the_calls_whatever_is_asked(base: &Base) {
    const DAY_MS: i64 = 86_400_000;
    let store = Store::open(base.address()).await.unwrap();
    let mut random = StdRng::seed_from_u64(2);
    let of = |random: &mut StdRng, what: &str| format!("{what}:{}", random.random_range(0..3));
    for n in 0..150 {
        let call = if random.random_bool(0.3) {
            busy(n)
        } else {
            answered(n)
        };
        let call = CallRecord {
            started: WallMillis(
                random.random_range(0..5 * DAY_MS) / DAY_MS * DAY_MS
                    + random.random_range(-1..2)
                    + DAY_MS,
            ),
            practitioner: of(&mut random, "practitioner"),
            caller: of(&mut random, "caller"),
            from_number: of(&mut random, "number"),
            to_number: of(&mut random, "number"),
            recipient: of(&mut random, "patient"),
            ..call
        };
        store.save_call(&call).await.unwrap();
        store.save_call(&call).await.unwrap();
    }
    for question in 0..120 {
        let sets = |random: &mut StdRng| random.random_bool(0.3);
        let at = |random: &mut StdRng| {
            let day = random.random_range(0..8) * DAY_MS;
            sets(random).then(|| WallMillis(day + random.random_range(-1..2)))
        };
        let filter = CallFilter {
            from: at(&mut random),
            before: at(&mut random),
            practitioner: sets(&mut random).then(|| of(&mut random, "practitioner")),
            caller: sets(&mut random).then(|| of(&mut random, "caller")),
            recipient: random.random_bool(0.1).then(|| of(&mut random, "patient")),
            number: sets(&mut random).then(|| of(&mut random, "number")),
            outcome: sets(&mut random).then(|| "completed".to_owned()),
            talk_ms_min: random.random_bool(0.1).then_some(1),
        };
        let payer = practice();
        let calls = store.calls(&payer, &filter, Page::first(1_000));
        let mut expected = CallTotals::default();
        for call in calls.await.unwrap() {
            expected.calls += 1;
            expected.answered += u64::from(call.answered.is_some());
            expected.talk_ms += call.talk_ms;
            expected.hold_ms += call.hold_ms;
            expected.credits += call.credits;
        }
        let totals = store.call_totals(&practice(), &filter).await.unwrap();
        assert_eq!(totals, expected, "question {question}: {filter:?}");
    }
}

async fn c1_pages_of_a_number_hold_both_ways_in_order(base: &Base) {
    let store = Store::open(base.address()).await.unwrap();
    let number = "+61255500199".to_owned();
    for n in 1..=7 {
        let mut call = answered(n);
        match n % 3 {
            0 => call.to_number.clone_from(&number),
            1 => call.from_number.clone_from(&number),
            _ => {}
        }
        store.save_call(&call).await.unwrap();
    }
    let filter = CallFilter {
        number: Some(number),
        ..CallFilter::default()
    };
    let first = Page::first(2);
    let mut seen = Vec::new();
    for page in [first, first.next(), first.next().next()] {
        let calls = store.calls(&practice(), &filter, page).await.unwrap();
        // Each is judged, whichever way it went.
        let judged = |call: &CallRecord| call.quality.as_ref().is_some_and(|q| q.heard.is_some());
        assert!(calls.iter().all(judged));
        seen.extend(calls.into_iter().map(|call| call.started.0 / 1_000));
    }
    assert_eq!(seen, [7, 6, 4, 3, 1]);
}

async fn p5_a_visit_is_read_back_as_written_and_written_once(base: &Base) {
    let store = Store::open(base.address()).await.unwrap();
    let visit = visit(1);
    store.save_visit(&visit).await.unwrap();
    store
        .save_visit(&VisitRecord {
            credits: 99,
            patients: Vec::new(),
            ..visit.clone()
        })
        .await
        .unwrap();
    assert_eq!(
        store.visit(&practice(), &visit.session).await.unwrap(),
        Some(visit.clone())
    );
    assert_eq!(
        store
            .visit(&AccountId::new("practice:2"), &visit.session)
            .await
            .unwrap(),
        None
    );
}

async fn c1_visits_have_a_line_for_each_patient(base: &Base) {
    let store = Store::open(base.address()).await.unwrap();
    for n in 1..=2 {
        store.save_visit(&visit(n)).await.unwrap();
    }
    let everything = VisitFilter::default;
    let text = |text: &str| Some(text.to_owned());
    for (filter, expected) in [
        (
            everything(),
            vec![
                "2/1 patient:20",
                "2/3 patient:5",
                "1/1 patient:10",
                "1/3 patient:5",
            ],
        ),
        (
            VisitFilter {
                patient: text("patient:5"),
                ..everything()
            },
            vec!["2/3 patient:5", "1/3 patient:5"],
        ),
        (
            VisitFilter {
                admitted: Some(false),
                ..everything()
            },
            vec!["2/3 patient:5", "1/3 patient:5"],
        ),
        (
            VisitFilter {
                practitioner: text("practitioner:1"),
                ..everything()
            },
            vec!["1/1 patient:10", "1/3 patient:5"],
        ),
        (
            VisitFilter {
                before: Some(WallMillis(1_001)),
                admitted: Some(true),
                ..everything()
            },
            vec!["1/1 patient:10"],
        ),
        (
            VisitFilter {
                from: Some(WallMillis(2_001)),
                ..everything()
            },
            vec![],
        ),
        (
            VisitFilter {
                elapsed_ms_min: Some(2_000_000),
                ..everything()
            },
            vec![],
        ),
    ] {
        let rows = store
            .visits(&practice(), &filter, Page::default())
            .await
            .unwrap();
        let names = rows.iter().map(|r| {
            let session = r.session.as_str().trim_start_matches("visit:");
            format!("{session}/{} {}", r.patient.seat, r.patient.patient)
        });
        assert_eq!(names.collect::<Vec<_>>(), expected, "{filter:?}");
    }
    let totals = store
        .visit_totals(&practice(), &everything())
        .await
        .unwrap();
    assert_eq!(
        totals,
        VisitTotals {
            visits: 2,
            rows: 4,
            connected_ms: 2 * 900_000,
            credits: 8
        }
    );
}

pub(super) fn answered(n: i64) -> CallRecord {
    CallRecord {
        session: SessionId::new(format!("call:{n}")),
        // A part of a visit now and then (V13).
        visit: (n % 2 == 0).then(|| SessionId::new(format!("visit:{n}"))),
        account: practice(),
        appointment: Some(format!("appointment:{n}")),
        practitioner: format!("practitioner:{n}"),
        caller: "user:9".to_owned(),
        recipient: format!("patient:{n}"),
        from_number: "+61255500142".to_owned(),
        to_number: format!("+6149157000{n}"),
        outcome: "completed".to_owned(),
        words: "Call ended".to_owned(),
        ended_by: EndedBy::Them,
        cause: RawCause::default(),
        started: WallMillis(n * 1_000),
        answered: Some(WallMillis(n * 1_000 + 100)),
        ended: WallMillis(n * 1_000 + 61_100),
        talk_ms: 61_000,
        hold_ms: 5_000,
        held_by_them_ms: 1_500,
        encryption: [Encryption::None, Encryption::KeysInClear, Encryption::Full]
            .get(n as usize % 3)
            .copied(),
        credits: 2,
        quality: Some(Quality {
            packets_received: 3_050,
            packets_lost: 7,
            jitter_ms: 4,
            round_trip_ms: Some(85),
            heard: Some(judged(86)),
            sent: (n % 2 == 0).then(|| judged(61)),
        }),
    }
}

fn judged(rating: u8) -> Judged {
    Judged {
        rating,
        worst_minute: rating - 20,
        good_s: 50,
        fair_s: 7,
        poor_s: 3,
        lost_per_10k: 23,
        concealed_per_10k: 41,
        jitter_ms: 6,
        timeline: Timeline::of_bytes(&[rating, 255, 0, 100]),
    }
}

fn busy(n: i64) -> CallRecord {
    CallRecord {
        appointment: None,
        outcome: "busy".to_owned(),
        words: "Busy".to_owned(),
        ended_by: EndedBy::Us,
        cause: RawCause {
            status: Some(480),
            reason_phrase: "Temporarily Unavailable".to_owned(),
            q850: Some(17),
            text: "<b>User busy</b>".to_owned(),
        },
        answered: None,
        talk_ms: 0,
        hold_ms: 0,
        held_by_them_ms: 0,
        encryption: None,
        credits: 0,
        quality: None,
        ..answered(n)
    }
}

pub(super) fn visit(n: i64) -> VisitRecord {
    let came = VisitPatient {
        seat: 1,
        patient: format!("patient:{n}0"),
        admitted: true,
        connected_ms: 900_000,
        by_phone_ms: 120_000,
        credits: 4,
    };
    let missed = VisitPatient {
        seat: 3,
        patient: "patient:5".to_owned(),
        admitted: false,
        connected_ms: 0,
        by_phone_ms: 0,
        credits: 0,
    };
    VisitRecord {
        session: SessionId::new(format!("visit:{n}")),
        account: practice(),
        appointment: format!("appointment:{n}"),
        practitioner: format!("practitioner:{n}"),
        started: WallMillis(n * 1_000),
        ended: WallMillis(n * 1_000 + 1_200_000),
        elapsed_ms: 1_200_000,
        words: "Disconnected".to_owned(),
        credits: 4,
        patients: vec![came, missed],
    }
}
