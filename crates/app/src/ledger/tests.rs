use housecall::ports::Ledger;
use housecall::{AccountId, Credits};
use housecall_store::testing::Base;
use housecall_store::{Dialect, on_each_database};

use super::*;

on_each_database! {
    a_ledger_that_agrees_says_so_and_shows_its_seal,
    a_ledger_that_was_changed_is_told_apart_from_a_question_that_makes_no_sense,
}

async fn a_ledger_that_agrees_says_so_and_shows_its_seal(base: &Base) {
    buy(base).await;
    let (said, audited) = asked(base, Audit::Verify).await;
    audited.unwrap();
    let agrees = "1 entries, 0 sessions: every seal, balance and price follows from the journal\nseal of entry 1: ";
    assert!(said.starts_with(agrees), "{said}");
    let (exported, audited) = asked(base, Audit::Export).await;
    audited.unwrap();
    let entry: serde_json::Value = serde_json::from_str(&exported).unwrap();
    assert_eq!(entry["postings"], json!({ "issued": -30, "available": 30 }));
    assert_eq!(
        said.lines().last().and_then(|line| line.rsplit(' ').next()),
        entry["seal"].as_str()
    );
    let (said, audited) = asked(base, Audit::Replay).await;
    audited.unwrap();
    assert_eq!(said, "     0  in all, 0 sessions\n");
}

async fn a_ledger_that_was_changed_is_told_apart_from_a_question_that_makes_no_sense(base: &Base) {
    buy(base).await;
    let (_, unknown) = asked(base, Audit::Explain("visit:9".to_owned())).await;
    let unknown = unknown.unwrap_err();
    assert_eq!(unknown.status(), 2);
    assert!(unknown.to_string().contains("visit:9"), "{unknown}");

    let store = Store::open(base.address()).await.unwrap();
    for statement in [
        match store.dialect() {
            Dialect::Sqlite => "DROP TRIGGER journal_is_not_rewritten",
            Dialect::Postgres => "DROP TRIGGER journal_is_not_rewritten ON journal",
        },
        "UPDATE journal SET cause = 'granted more'",
    ] {
        sqlx::query(statement).execute(store.pool()).await.unwrap();
    }
    store.pool().close().await;
    let changed = asked(base, Audit::Verify).await.1.unwrap_err();
    assert_eq!(changed.status(), 1);
    assert!(
        changed
            .to_string()
            .contains("journal entry 1 does not fit its seal"),
        "{changed}"
    );
}

#[tokio::test]
async fn where_there_is_no_ledger_nothing_is_made() {
    let file = std::env::temp_dir().join("housecall-no-such-folder/housecall.sqlite");
    let address = file.as_path().into();
    let audited = run(&address, &Audit::Verify, &mut Vec::new(), &mut |_| {}).await;
    let refused = audited.unwrap_err();
    assert_eq!(refused.status(), 2);
    assert!(refused.to_string().contains("--data"), "{refused}");
    assert!(!file.exists());
}

/// A practice with thirty credits.
async fn buy(base: &Base) {
    let store = crate::db::open(base.address()).await.unwrap();
    let practice = AccountId::new("practice:1");
    let bought = store.grant("17", &practice, Credits(30), "bought").await;
    bought.unwrap();
    assert_eq!(store.funds(&practice).await.unwrap().available, 30);
}

async fn asked(base: &Base, audit: Audit) -> (String, Result<(), AuditError>) {
    let mut out = Vec::new();
    let audited = run(base.address(), &audit, &mut out, &mut |_| {}).await;
    (String::from_utf8(out).unwrap(), audited)
}
