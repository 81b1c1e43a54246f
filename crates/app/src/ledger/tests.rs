use std::path::PathBuf;

use housecall::ports::Ledger;
use housecall::{AccountId, Credits};

use super::*;

/// A database of one practice in a folder of its own, which is gone with this value.
struct Folder(PathBuf);

impl Folder {
    async fn with_credits(name: &str) -> Self {
        let name = format!("housecall-ledger-{name}-{}", std::process::id());
        let folder = Self(std::env::temp_dir().join(name));
        std::fs::create_dir_all(&folder.0).unwrap();
        let store = crate::db::open(&folder.file()).await.unwrap();
        let practice = AccountId::new("practice:1");
        store
            .grant("17", &practice, Credits(30), "bought")
            .await
            .unwrap();
        assert_eq!(store.funds(&practice).await.unwrap().available, 30);
        folder
    }

    fn file(&self) -> PathBuf {
        self.0.join("housecall.sqlite")
    }

    async fn asked(&self, audit: Audit) -> (String, Result<(), AuditError>) {
        let mut out = Vec::new();
        let audited = run(&self.file(), &audit, &mut out, &mut |_| {}).await;
        (String::from_utf8(out).unwrap(), audited)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn a_ledger_that_agrees_says_so_and_shows_its_seal() {
    let folder = Folder::with_credits("agrees").await;
    let (said, audited) = folder.asked(Audit::Verify).await;
    audited.unwrap();
    let agrees = "1 entries, 0 sessions: every seal, balance and price follows from the journal\nseal of entry 1: ";
    assert!(said.starts_with(agrees), "{said}");
    let (exported, audited) = folder.asked(Audit::Export).await;
    audited.unwrap();
    let entry: serde_json::Value = serde_json::from_str(&exported).unwrap();
    assert_eq!(entry["postings"], json!({ "issued": -30, "available": 30 }));
    assert_eq!(
        said.lines().last().and_then(|line| line.rsplit(' ').next()),
        entry["seal"].as_str()
    );
    let (said, audited) = folder.asked(Audit::Replay).await;
    audited.unwrap();
    assert_eq!(said, "     0  in all, 0 sessions\n");
}

#[tokio::test]
async fn a_ledger_that_was_changed_is_told_apart_from_a_question_that_makes_no_sense() {
    let folder = Folder::with_credits("changed").await;
    let (_, unknown) = folder.asked(Audit::Explain("visit:9".to_owned())).await;
    let unknown = unknown.unwrap_err();
    assert_eq!(unknown.status(), 2);
    assert!(unknown.to_string().contains("visit:9"), "{unknown}");

    let store = crate::db::open(&folder.file()).await.unwrap();
    for statement in [
        "DROP TRIGGER journal_is_not_rewritten",
        "UPDATE journal SET cause = 'granted more'",
    ] {
        sqlx::query(statement).execute(store.pool()).await.unwrap();
    }
    store.pool().close().await;
    let changed = folder.asked(Audit::Verify).await.1.unwrap_err();
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
    let audited = run(&file, &Audit::Verify, &mut Vec::new(), &mut |_| {}).await;
    let refused = audited.unwrap_err();
    assert_eq!(refused.status(), 2);
    assert!(refused.to_string().contains("--data"), "{refused}");
    assert!(!file.exists());
}
