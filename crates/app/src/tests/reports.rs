use housecall::ports::{Records, WallMillis};
use housecall::record::{
    CallRecord, EndedBy, Judged, Quality, RawCause, Timeline, VisitPatient, VisitRecord,
};
use housecall::{Encryption, SessionId};
use housecall_store::on_each_database;
use housecall_store::testing::Base;

use super::{Clinic, MINUTE, TEN};
use crate::ids::PracticeId;
use crate::money::account;

on_each_database! {
    c1_the_phone_report_has_the_columns_of_p5_and_totals,
    p5_how_a_call_sounded_is_in_the_report_and_drawn_on_its_page,
    c3_a_call_of_nobody_or_of_another_practice_is_not_found,
    c1_filters_hold_together,
    c1_the_video_report_has_a_line_for_each_visit,
}

fn call(number: i64, outcome: &str, talk_ms: u64) -> CallRecord {
    let started = TEN - 60 * MINUTE + number * 1000;
    CallRecord {
        session: SessionId::new(format!("call:{number}")),
        visit: None,
        account: account(PracticeId(1)),
        appointment: None,
        practitioner: "user:1".to_owned(),
        caller: "user:2".to_owned(),
        recipient: "patient:5".to_owned(),
        from_number: "+61255500142".to_owned(),
        to_number: "+61491570159".to_owned(),
        outcome: outcome.to_owned(),
        words: "words".to_owned(),
        ended_by: EndedBy::Us,
        cause: RawCause {
            status: (talk_ms == 0).then_some(480),
            q850: (talk_ms == 0).then_some(17),
            text: "<script>User busy".to_owned(),
            ..RawCause::default()
        },
        started: WallMillis(started),
        answered: (talk_ms > 0).then_some(WallMillis(started + 4000)),
        ended: WallMillis(started + 4000 + i64::try_from(talk_ms).unwrap()),
        talk_ms,
        hold_ms: talk_ms / 10,
        held_by_them_ms: talk_ms / 20,
        encryption: (talk_ms > 0).then_some(match number {
            1 => Encryption::KeysInClear,
            3 => Encryption::None,
            _ => Encryption::Full,
        }),
        credits: talk_ms.div_ceil(60_000),
        quality: (talk_ms > 0).then_some(Quality {
            packets_received: 5000,
            packets_lost: 10,
            jitter_ms: 4,
            ..Quality::default()
        }),
    }
}

async fn c1_the_phone_report_has_the_columns_of_p5_and_totals(base: &Base) {
    let clinic = Clinic::open(base).await;
    for record in [
        call(1, "completed", 1_341_000),
        call(2, "busy", 0),
        call(3, "completed", 30_000),
    ] {
        clinic.app.store.save_call(&record).await.unwrap();
    }
    let mut staff = clinic.practitioner().await;
    let page = staff.get("/reports/phone").await.body;
    for words in [
        "Lee Park",
        "0491 570 159",
        "02 5550 0142",
        "Dr Dana Reed",
        "by Robin Hale",
        "22:21",
        "2:14",
        "Completed",
        "Busy",
        "Good",
        "1:07 by them",
        "Encrypted, keys in the clear<",
        "Not encrypted<",
        "24 Nov 9:00:01",
        "9:00:05",
        "9:22:26",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert!(page.contains("<b>24</b>"), "23 credits and 1");
    assert!(page.contains("2 answered"));
    // Anybody in the telephone network writes this text.
    assert!(!page.contains("<script>User"));
    assert!(page.contains("Q.850 17, &#60;script&#62;User busy"));
}

/// A direction with this rating, for the worse in its second half.
fn judged(rating: u8) -> Judged {
    Judged {
        rating,
        worst_minute: rating - 15,
        good_s: 60,
        fair_s: 40,
        poor_s: 0,
        lost_per_10k: 120,
        concealed_per_10k: 210,
        jitter_ms: 7,
        timeline: Timeline::of_bytes(&[90, 90, 255, 70, 70]),
    }
}

async fn p5_how_a_call_sounded_is_in_the_report_and_drawn_on_its_page(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut heard = call(1, "completed", 100_000);
    heard.quality = Some(Quality {
        round_trip_ms: Some(84),
        heard: Some(judged(86)),
        sent: Some(judged(72)),
        ..heard.quality.unwrap()
    });
    for record in [&heard, &call(2, "busy", 0), &call(3, "completed", 9_000)] {
        clinic.app.store.save_call(record).await.unwrap();
    }
    let mut staff = clinic.practitioner().await;
    let report = staff.get("/reports/phone").await.body;
    assert!(report.contains(">Fair</a>"), "the worse direction's word");
    assert!(report.contains(
        "You heard: 4.2 of 4.5 (worst minute 3.6), 1.2 % lost, 2.1 % made up, jitter 7 ms"
    ));
    assert!(report.contains("Round trip 84 ms"));
    let page = staff.get("/reports/phone/call:1").await.body;
    for words in [
        "Call to <a",
        "Lee Park",
        "60\u{a0}% good, 40\u{a0}% fair",
        "Encrypted, keys in the clear<",
        "whoever could read that could listen in",
        "M0 16L150 16M450 48L600 48",
        "took 84 ms",
        "1.2 %",
        "0 min",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert!(
        !page.contains("style="),
        "the pages' policy forbids inline styles"
    );
    let old = staff.get("/reports/phone/call:3").await.body;
    assert!(old.contains("was not judged") && !old.contains("<figure"));
}

/// A record belongs to its practice, and only staff read it.
async fn c3_a_call_of_nobody_or_of_another_practice_is_not_found(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut elsewhere = call(9, "completed", 5_000);
    elsewhere.account = account(PracticeId(77));
    clinic.app.store.save_call(&elsewhere).await.unwrap();
    let mut staff = clinic.practitioner().await;
    for path in [
        "/reports/phone/call:9",
        "/reports/phone/call:10",
        "/reports/phone/%00",
    ] {
        assert_eq!(staff.get(path).await.status, 404, "{path}");
    }
}

async fn c1_filters_hold_together(base: &Base) {
    let clinic = Clinic::open(base).await;
    for record in [
        call(1, "completed", 1_341_000),
        call(2, "busy", 0),
        call(3, "completed", 30_000),
    ] {
        clinic.app.store.save_call(&record).await.unwrap();
    }
    let mut staff = clinic.practitioner().await;
    for (query, rows) in [
        ("", 3),
        ("status=busy", 1),
        ("minimum=1", 1),
        ("status=completed&practitioner=user:1", 2),
        ("caller=user:1", 0),
        ("recipient=patient:5&number=%2B61255500142", 3),
        ("from=2026-11-25&to=2026-11-26", 0),
        ("from=2026-11-24&to=2026-11-24", 3),
        ("to=2026-11-23", 0),
    ] {
        let page = staff.get(&format!("/reports/phone?{query}")).await.body;
        assert_eq!(
            page.matches("data-label=\"Recipient\"").count(),
            rows,
            "{query}"
        );
    }
}

async fn c1_the_video_report_has_a_line_for_each_visit(base: &Base) {
    let clinic = Clinic::open(base).await;
    let patient = |seat: u8, admitted: bool, credits: u64| VisitPatient {
        seat,
        patient: format!("patient:{}", seat + 1),
        admitted,
        connected_ms: credits * 400_000,
        by_phone_ms: 0,
        credits,
    };
    let visit = VisitRecord {
        session: SessionId::new("visit:1"),
        account: account(PracticeId(1)),
        appointment: "appointment:3".to_owned(),
        practitioner: "user:1".to_owned(),
        started: WallMillis(TEN - 50 * MINUTE),
        ended: WallMillis(TEN),
        elapsed_ms: 3_000_000,
        words: "Ended by Dr Dana Reed".to_owned(),
        credits: 16,
        patients: vec![
            patient(1, true, 8),
            patient(2, true, 8),
            patient(3, false, 0),
        ],
    };
    clinic.app.store.save_visit(&visit).await.unwrap();
    let mut staff = clinic.administrator().await;
    assert_eq!(
        staff.get("/reports?type=video").await.location(),
        "/reports/video"
    );
    let page = staff.get("/reports/video").await.body;
    for words in [
        "Sam Okafor",
        "Ruth Okafor",
        "never came",
        "50:00",
        "Ended by Dr Dana Reed",
        "<b>16</b>",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert_eq!(page.matches("data-label=\"Patients\"").count(), 1);
    assert!(page.contains("href=\"/reports/video/visit:1\""));
    let page = staff.get("/reports/video/visit:1").await.body;
    for words in [
        "Why it cost 16 credits",
        "Sam Okafor",
        "never came",
        "Ended by Dr Dana Reed",
        "cannot be told block by block",
        "The ledger has no entry of this visit",
    ] {
        assert!(page.contains(words), "{words}");
    }
    let unknown = staff.get("/reports/video/visit:2").await;
    assert_eq!(unknown.status.as_u16(), 404);
}
