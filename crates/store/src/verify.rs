//! Replays the journal and compares (M12).

use std::collections::BTreeMap;

use housecall_meter::{Account, AccountId, Books, Session, SessionId, Transaction};

use crate::journal::{Entry, Line, entries, select_entries};
use crate::{Store, StoreError};

/// How many entries are read at a time.
const BATCH: i64 = 1_000;

/// The journal, and everything derived from it, agree.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Verified {
    /// How many entries the journal has.
    pub entries: u64,
    /// How many sessions they tell, ended and running.
    pub sessions: u64,
}

impl Store {
    /// Replays the whole journal: its numbering has no gap, each entry leaves what it says it leaves, each session follows
    /// from its facts to the same number (M10), and each balance is the sum of its postings.
    ///
    /// Sees one moment, while others may write. Memory grows with the journal.
    ///
    /// # Errors
    /// The first disagreement, or what the database says.
    pub async fn verify(&self) -> Result<Verified, StoreError> {
        let mut tx = self.pool().begin().await?;
        let mut books = Books::default();
        let mut last = 0;
        loop {
            let lines = sqlx::query_as::<_, Line>(select_entries!(
                "WHERE j.seq IN (SELECT seq FROM journal WHERE seq > $1 ORDER BY seq LIMIT $2)"
            ));
            let batch = entries(lines.bind(last).bind(BATCH).fetch_all(&mut *tx).await?)?;
            if batch.is_empty() {
                break;
            }
            for entry in &batch {
                last = replay(&mut books, entry, last)?;
            }
        }
        compare(
            &books,
            sqlx::query_as("SELECT account_id, account, credits FROM balance")
                .fetch_all(&mut *tx)
                .await?,
        )?;
        drop(tx);
        Ok(Verified {
            entries: u64::try_from(last).unwrap_or(0),
            sessions: self.verify_sessions().await?,
        })
    }

    async fn verify_sessions(&self) -> Result<u64, StoreError> {
        let names: Vec<(String,)> =
            sqlx::query_as("SELECT session FROM metered_session ORDER BY session")
                .fetch_all(self.pool())
                .await?;
        let mut sessions = 0;
        for (name,) in names {
            let session = SessionId::new(name);
            let told: Vec<Transaction> = self
                .entries(&session)
                .await?
                .into_iter()
                .map(|e| e.transaction)
                .collect();
            Session::replay(&told).map_err(|why| StoreError::Replay { session, why })?;
            sessions += 1;
        }
        Ok(sessions)
    }
}

/// Takes one entry into the books; returns its number.
fn replay(books: &mut Books, entry: &Entry, last: i64) -> Result<i64, StoreError> {
    let seq = i64::try_from(entry.seq).unwrap_or(i64::MAX);
    expect(
        || "the number of a journal entry".to_owned(),
        seq,
        last.saturating_add(1),
    )?;
    let place = || format!("journal entry {seq}");
    let taken = books.record(&entry.transaction);
    taken.map_err(|_| StoreError::Unreadable {
        what: "movement of credits",
        place: place(),
    })?;
    let balance = |of| books.balance(&entry.transaction.account, of).0;
    expect(
        || format!("available after {}", place()),
        entry.funds_after.available,
        balance(Account::Available),
    )?;
    expect(
        || format!("reserved after {}", place()),
        entry.funds_after.reserved,
        balance(Account::Reserved),
    )?;
    Ok(seq)
}

fn compare(books: &Books, stored: Vec<(String, String, i64)>) -> Result<(), StoreError> {
    let mut found = BTreeMap::new();
    for (name, of, credits) in stored {
        let what = || format!("the balance {of} of {name}");
        let account = Account::parse(&of).ok_or_else(|| StoreError::Unreadable {
            what: "account",
            place: what(),
        })?;
        let holder = AccountId::new(name.clone());
        expect(what, credits, books.balance(&holder, account).0)?;
        found.insert((holder, account), credits);
    }
    for (holder, account, replayed) in books.balances() {
        let stored = found.get(&(holder.clone(), account)).copied().unwrap_or(0);
        expect(
            || format!("the balance {} of {holder}", account.as_str()),
            stored,
            replayed.0,
        )?;
    }
    Ok(())
}

fn expect(what: impl FnOnce() -> String, stored: i64, replayed: i64) -> Result<(), StoreError> {
    if stored == replayed {
        Ok(())
    } else {
        Err(StoreError::Differs {
            what: what(),
            stored,
            replayed,
        })
    }
}
