use axum::http::StatusCode;
use housecall::Credits;
use housecall_store::testing::Base;
use housecall_store::{Currency, Money, Order, OrderId, Transfer, on_each_database};

use super::{Browser, Clinic, Reply, fields};
use crate::ids::PracticeId;
use crate::money;

on_each_database! {
    m13_a_recorded_payment_buys_credits_once_however_often_it_is_sent,
    m13_an_automatic_order_waits_for_its_payment,
    m13_the_page_says_that_credits_run_low,
    a_payment_that_went_back_takes_its_credits_with_it,
    a_practitioner_may_look_and_change_nothing,
    an_order_of_another_practice_does_not_exist,
    what_is_typed_wrongly_is_said_and_stays,
    every_entry_has_its_words_and_pages_go_back,
}

async fn send(browser: &mut Browser, path: &str, pairs: &[(&str, &str)]) -> Reply {
    browser.post(path, &fields(pairs)).await
}

/// The value of a hidden field, the first of that name.
fn hidden<'a>(page: &'a str, name: &str) -> &'a str {
    let begin = format!("type=\"hidden\" name=\"{name}\" value=\"");
    let (_, after) = page.split_once(&begin).expect("a hidden field");
    after.split_once('"').expect("its end").0
}

async fn available(clinic: &Clinic) -> i64 {
    let funds = money::funds(&clinic.app, PracticeId(1)).await;
    funds.unwrap().available
}

async fn pay(browser: &mut Browser, once: &str, credits: &str, reference: &str) -> Reply {
    let fields = [
        ("once", once),
        ("credits", credits),
        ("price", "25.00"),
        ("reference", reference),
    ];
    send(browser, "/credits/payments", &fields).await
}

async fn m13_a_recorded_payment_buys_credits_once_however_often_it_is_sent(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut staff = clinic.administrator().await;
    let before = available(&clinic).await;
    let page = staff.get("/credits").await.body;
    let once = hidden(&page, "once").to_owned();
    for _ in 0..2 {
        let reply = pay(&mut staff, &once, "100", "receipt 12").await;
        assert_eq!(
            (reply.status, reply.location()),
            (StatusCode::SEE_OTHER, "/credits")
        );
        assert_eq!(available(&clinic).await, before + 100);
    }
    let page = staff.get("/credits").await.body;
    assert!(page.contains("receipt 12") && page.contains("25.00 AUD") && page.contains("+100"));
    assert!(page.contains("Paid: receipt 12, says Robin"), "{page}");

    // The same payment, typed again on a new page; and the old form with other words in it.
    let again = hidden(&page, "once").to_owned();
    let reply = pay(&mut staff, &again, "100", "receipt 12").await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(reply.body.contains("recorded before"), "{}", reply.body);
    let reply = pay(&mut staff, &once, "900", "receipt 13").await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(reply.body.contains("sent before with something else"));
    assert_eq!(available(&clinic).await, before + 100);
    clinic.app.store.verify().await.unwrap();
    let tried = "SELECT COUNT(*) FROM audit_log WHERE action = 'credits.pay' AND subject LIKE 'order:recorded/practice:1/%'";
    let tried: i64 = sqlx::query_scalar(tried)
        .fetch_one(&clinic.app.db)
        .await
        .unwrap();
    assert_eq!(tried, 4, "each attempt is noted");
}

async fn spend(clinic: &Clinic, left: i64) {
    let spent = available(clinic).await - left;
    let account = money::account(PracticeId(1));
    let spent = Transfer {
        name: "spent".to_owned(),
        from: account.clone(),
        to: account.practitioner("elsewhere"),
        credits: Credits(u64::try_from(spent).unwrap()),
        by: "user:1".to_owned(),
    };
    clinic.app.store.transfer(&spent).await.unwrap();
}

async fn m13_an_automatic_order_waits_for_its_payment(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut staff = clinic.administrator().await;
    let rule = [
        ("alert", ""),
        ("orders", "on"),
        ("at", "10"),
        ("credits", "200"),
        ("price", "50"),
    ];
    let saved = send(&mut staff, "/credits/watch", &rule).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER);
    spend(&clinic, 7).await;
    let page = staff.get("/credits").await.body;
    assert!(
        page.contains("Payment awaited") && page.contains("200 credits were ordered for 50.00 AUD")
    );
    assert_eq!(available(&clinic).await, 7, "not before it is paid");

    let order = hidden(&page, "order").to_owned();
    for (reference, status) in [
        ("", StatusCode::UNPROCESSABLE_ENTITY),
        ("transfer 9", StatusCode::SEE_OTHER),
    ] {
        let paid = [
            ("order", order.as_str()),
            ("what", "paid"),
            ("reference", reference),
        ];
        let reply = send(&mut staff, "/credits/orders", &paid).await;
        assert_eq!(reply.status, status, "{reference}");
    }
    assert_eq!(available(&clinic).await, 207);
    let page = staff.get("/credits").await.body;
    assert!(!page.contains("Payment awaited") && page.contains("transfer 9"));
}

async fn m13_the_page_says_that_credits_run_low(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut staff = clinic.administrator().await;
    let saved = send(&mut staff, "/credits/watch", &[("alert", "20")]).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER);
    let page = staff.get("/credits").await.body;
    assert!(page.contains("name=\"alert\" value=\"20\"") && !page.contains("credits were left"));
    spend(&clinic, 20).await;
    let page = staff.get("/credits").await.body;
    assert!(
        page.contains("20 credits were left: the limit is 20"),
        "{page}"
    );
}

async fn a_payment_that_went_back_takes_its_credits_with_it(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut staff = clinic.administrator().await;
    let before = available(&clinic).await;
    let page = staff.get("/credits").await.body;
    pay(&mut staff, hidden(&page, "once"), "40", "receipt 1").await;
    let page = staff.get("/credits").await.body;
    let order = hidden(&page, "order").to_owned();
    for _ in 0..2 {
        let fields = [("order", order.as_str()), ("what", "refunded")];
        let reply = send(&mut staff, "/credits/orders", &fields).await;
        assert!(matches!(reply.status, StatusCode::SEE_OTHER));
        assert_eq!(available(&clinic).await, before);
    }
    let page = staff.get("/credits").await.body;
    assert!(
        page.contains("Taken back") && page.contains("Corrected by Robin"),
        "{page}"
    );
    clinic.app.store.verify().await.unwrap();
}

async fn a_practitioner_may_look_and_change_nothing(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut staff = clinic.practitioner().await;
    let before = available(&clinic).await;
    let page = staff.get("/credits").await.body;
    assert!(page.contains("Statement") && !page.contains("Record a payment"));
    let once = crate::token::Token::random().unwrap();
    assert_eq!(
        pay(&mut staff, once.reveal(), "100", "receipt 1")
            .await
            .status,
        StatusCode::FORBIDDEN
    );
    for path in ["/credits/orders", "/credits/watch"] {
        assert_eq!(
            send(&mut staff, path, &[("order", "x")]).await.status,
            StatusCode::FORBIDDEN,
            "{path}"
        );
    }
    assert_eq!(available(&clinic).await, before);
}

async fn an_order_of_another_practice_does_not_exist(base: &Base) {
    let clinic = Clinic::open(base).await;
    let order = OrderId::new("theirs");
    let price = Money {
        minor: 1,
        currency: Currency::new("AUD").unwrap(),
    };
    let theirs = Order::ask(
        order.clone(),
        money::account(PracticeId(99)),
        Credits(5),
        price,
    );
    clinic.app.store.ask_for(theirs).await.unwrap();
    let mut staff = clinic.administrator().await;
    for name in ["theirs", "nobody's", ""] {
        for what in ["paid", "unpaid", "refunded", "eaten"] {
            let fields = [("order", name), ("what", what), ("reference", "r")];
            let reply = send(&mut staff, "/credits/orders", &fields).await;
            assert_eq!(reply.status, StatusCode::NOT_FOUND, "{name} {what}");
        }
    }
    assert!(clinic.app.store.order(&order).await.unwrap().is_open());
}

async fn what_is_typed_wrongly_is_said_and_stays(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut staff = clinic.administrator().await;
    let before = available(&clinic).await;
    let once = crate::token::Token::random().unwrap();
    let long = "9".repeat(200);
    for (credits, reference, said) in [
        ("0", "r", "no number of credits"),
        ("-5", "r", "no number of credits"),
        ("1000001", "r", "the most that are bought at once"),
        (long.as_str(), "r", "no number of credits"),
        ("5", "", "needs a reference"),
        ("5", long.as_str(), "200 characters long"),
    ] {
        let reply = pay(&mut staff, once.reveal(), credits, reference).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{said}");
        assert!(
            reply.body.contains(said) && reply.body.contains("Nothing was recorded"),
            "{said}"
        );
        assert!(
            reply
                .body
                .contains(&format!("name=\"credits\" value=\"{credits}\"")),
            "{said}"
        );
    }
    assert_eq!(
        pay(&mut staff, "made up", "5", "r").await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let rule = [
        ("alert", "soon"),
        ("orders", "on"),
        ("at", "x"),
        ("credits", ""),
        ("price", "?"),
    ];
    let reply = send(&mut staff, "/credits/watch", &rule).await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(reply.body.matches("<li>“").count(), 4, "{}", reply.body);
    assert_eq!(available(&clinic).await, before);
}

async fn every_entry_has_its_words_and_pages_go_back(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut staff = clinic.administrator().await;
    let account = money::account(PracticeId(1));
    for n in 0..60 {
        let (name, reason) = (format!("g{n}"), format!("gift number {n}."));
        let granted = clinic.app.store.grant(&name, &account, Credits(1), &reason);
        granted.await.unwrap();
    }
    let newest = staff.get("/credits").await.body;
    assert!(newest.contains("Gift number 59.") && !newest.contains("Gift number 3."));
    assert!(newest.contains("/credits?page=1") && newest.contains("class=\"balance\""));
    let older = staff.get("/credits?page=1").await.body;
    assert!(older.contains("Gift number 3.") && older.contains("/credits?page=0"));
    for page in ["999999", "4294967295"] {
        let nothing = staff.get(&format!("/credits?page={page}")).await;
        assert_eq!(nothing.status, StatusCode::OK);
        assert!(nothing.body.contains("Nothing has moved yet"));
    }
}
