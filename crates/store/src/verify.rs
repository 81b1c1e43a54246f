//! Replays the journal and compares (M12).

use std::collections::BTreeMap;

use housecall_meter::{Account, AccountId, Books, Cause, Key, Kind, SessionId, Transaction};

use crate::explain::replay;
use crate::journal::{Entry, Line, entries, select_entries, select_next_entries};
use crate::seal::seal;
use crate::{Store, StoreError};

/// How many entries are read at a time.
const BATCH: i64 = 1_000;

/// How far a verification is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Progress {
    /// So many journal entries were read, of so many.
    Entries(u64, u64),
    /// So many sessions were told again, of so many.
    Sessions(u64, u64),
}

/// The journal, and everything derived from it, agree.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verified {
    /// How many entries the journal has.
    pub entries: u64,
    /// How many sessions they tell, ended and running.
    pub sessions: u64,
    /// The seal of the last entry. Noted elsewhere, it tells later that no entry was changed or cut off up to here.
    pub seal: Option<String>,
}

impl Store {
    /// Replays the whole journal: its numbering has no gap, each entry fits its seal and leaves what it says it leaves, each session follows
    /// from its facts to the same number (M10), each balance is the sum of its postings, and what is corrected is noted.
    ///
    /// Sees one moment, while others may write. Keeps in memory what balances follow, and the sessions that have not ended yet.
    ///
    /// # Errors
    /// The first disagreement, or what the database says.
    pub async fn verify(&self) -> Result<Verified, StoreError> {
        self.verify_telling(&mut |_| {}).await
    }

    /// As [`Store::verify`]; tells how far it is.
    ///
    /// # Errors
    /// The same.
    pub async fn verify_telling(
        &self,
        tell: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<Verified, StoreError> {
        let mut tx = self.begin_reading().await?;
        let all: (i64,) = sqlx::query_as("SELECT COUNT(*) FROM journal")
            .fetch_one(&mut *tx)
            .await?;
        let mut told = Told::default();
        loop {
            let lines = sqlx::query_as::<_, Line>(select_next_entries!())
                .bind(told.last)
                .bind(BATCH);
            let batch = entries(lines.fetch_all(&mut *tx).await?)?;
            if batch.is_empty() {
                break;
            }
            for entry in batch {
                told.take(entry)?;
            }
            tell(Progress::Entries(count(told.last), count(all.0)));
        }
        let balances = sqlx::query_as("SELECT account_id, account, credits FROM balance");
        compare(&told.books, balances.fetch_all(&mut *tx).await?)?;
        let given = sqlx::query_as("SELECT account_id, given FROM holder");
        compare_given(&told.books, given.fetch_all(&mut *tx).await?)?;
        let reversed = sqlx::query_as(
            "SELECT corrects, CAST(SUM(credits) AS BIGINT) FROM correction GROUP BY corrects",
        );
        compare_reversed(&told.reversed, reversed.fetch_all(&mut *tx).await?)?;
        let sessions = "SELECT COUNT(*) FROM metered_session";
        let sessions: (i64,) = sqlx::query_as(sessions).fetch_one(&mut *tx).await?;
        let told = told.end()?;
        expect(
            || "the number of sessions".to_owned(),
            sessions.0,
            i64::try_from(told.sessions).unwrap_or(i64::MAX),
        )?;
        Ok(told)
    }
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// The journal as far as it was read.
#[derive(Default)]
struct Told {
    books: Books,
    /// How much of an entry is corrected.
    reversed: BTreeMap<Key, i64>,
    last: i64,
    seal: Option<String>,
    /// What was written of each session that has not ended.
    open: BTreeMap<SessionId, Vec<Transaction>>,
    ended: u64,
    /// The first leg of a transfer, until the second is read.
    half: Option<Entry>,
}

impl Told {
    fn take(&mut self, entry: Entry) -> Result<(), StoreError> {
        self.check(&entry)?;
        self.note_reversed(&entry.transaction);
        let Some(session) = entry.transaction.session.clone() else {
            return Ok(());
        };
        // It is written after the end of what it corrects, and the books have seen that it reverses no more than was charged.
        if matches!(entry.transaction.cause, Cause::Corrected { .. }) {
            return Ok(());
        }
        let ends = entry.transaction.kind.ends_session();
        let written = self.open.entry(session.clone()).or_default();
        written.push(entry.transaction);
        if ends {
            replay(&session, written)?;
            self.open.remove(&session);
            self.ended += 1;
        }
        Ok(())
    }

    fn note_reversed(&mut self, entry: &Transaction) {
        if let Cause::Corrected { of, .. } = &entry.cause {
            let credits = entry.posted(Account::Available).saturating_abs();
            let reversed = self.reversed.entry(of.clone()).or_default();
            *reversed = reversed.saturating_add(credits);
        }
    }

    /// Tells what has not ended as far as it went.
    fn end(self) -> Result<Verified, StoreError> {
        self.expect_no_half()?;
        for (session, written) in &self.open {
            replay(session, written)?;
        }
        Ok(Verified {
            entries: count(self.last),
            sessions: self.ended + self.open.len() as u64,
            seal: self.seal,
        })
    }

    fn check(&mut self, entry: &Entry) -> Result<(), StoreError> {
        let seq = i64::try_from(entry.seq).unwrap_or(i64::MAX);
        expect(
            || "the number of a journal entry".to_owned(),
            seq,
            self.last.saturating_add(1),
        )?;
        self.last = seq;
        self.check_seal(entry)?;
        match (self.half.take(), entry.transaction.kind) {
            (None, Kind::TransferOut) => {
                self.half = Some(entry.clone());
                Ok(())
            }
            (None, _) => {
                let taken = self.books.record(&entry.transaction);
                taken.map_err(|_| unreadable(seq))?;
                self.check_funds(entry)
            }
            (Some(first), _) => {
                let legs = [first.transaction.clone(), entry.transaction.clone()];
                let taken = self.books.record_all(&legs);
                taken.map_err(|_| unreadable(seq))?;
                self.check_funds(&first)?;
                self.check_funds(entry)
            }
        }
    }

    /// The last entry is no first leg of a transfer.
    fn expect_no_half(&self) -> Result<(), StoreError> {
        self.half
            .is_none()
            .then_some(())
            .ok_or_else(|| unreadable(self.last))
    }

    fn check_funds(&self, entry: &Entry) -> Result<(), StoreError> {
        let balance = |of| self.books.balance(&entry.transaction.account, of).0;
        expect(
            || format!("available after journal entry {}", entry.seq),
            entry.funds_after.available,
            balance(Account::Available),
        )?;
        expect(
            || format!("reserved after journal entry {}", entry.seq),
            entry.funds_after.reserved,
            balance(Account::Reserved),
        )
    }

    /// Entries of before there were seals have none; behind the first that has one, all have.
    fn check_seal(&mut self, entry: &Entry) -> Result<(), StoreError> {
        let before = self.seal.take();
        let fits = match (&entry.seal, &before) {
            (Some(stored), before) => *stored == seal(before.as_deref(), entry),
            (None, before) => before.is_none(),
        };
        self.seal = entry.seal.clone();
        fits.then_some(())
            .ok_or(StoreError::Unsealed { seq: entry.seq })
    }
}

fn unreadable(seq: i64) -> StoreError {
    StoreError::Unreadable {
        what: "movement of credits",
        place: format!("journal entry {seq}"),
    }
}

/// What is left of given credits, of everybody who has accounts.
fn compare_given(books: &Books, stored: Vec<(String, i64)>) -> Result<(), StoreError> {
    let mut stored: BTreeMap<String, i64> = stored.into_iter().collect();
    for (holder, _, _) in books.balances() {
        stored.entry(holder.as_str().to_owned()).or_insert(0);
    }
    for (name, given) in stored {
        let replayed = books.holdings(&AccountId::new(name.clone())).given();
        expect(
            || format!("what {name} has of given credits"),
            given,
            replayed.posted(),
        )?;
    }
    Ok(())
}

/// How much of each entry is corrected.
fn compare_reversed(
    replayed: &BTreeMap<Key, i64>,
    stored: Vec<(String, i64)>,
) -> Result<(), StoreError> {
    let mut stored: BTreeMap<String, i64> = stored.into_iter().collect();
    for key in replayed.keys() {
        stored.entry(key.as_str().to_owned()).or_insert(0);
    }
    for (key, stored) in stored {
        let replayed = replayed.get(&Key(key.clone())).copied().unwrap_or(0);
        expect(|| format!("what corrects {key}"), stored, replayed)?;
    }
    Ok(())
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
