//! Replays the journal and compares (M12).

mod beside;
mod corrections;
mod numbers;
mod orders;
mod outbox;
mod parts;
mod records;
mod sessions;

use std::collections::BTreeMap;

use housecall_meter::{
    Account, AccountId, Books, Cause, Credits, Date, Key, Kind, OrderId, SessionId, SubscriptionId,
    Transaction,
};

use self::parts::Parts;
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
    /// Sessions that ran to their end, cost something, and have no record of a call or visit: the first hundred. The journal does not say whether one
    /// was ever written. It is missing where a program was cut off before it wrote one, or keeps none, and where somebody has taken it out.
    pub unrecorded: Vec<SessionId>,
    /// The seal of the last entry. Noted elsewhere, it tells later that no entry was changed or cut off up to here.
    pub seal: Option<String>,
}

impl Store {
    /// Replays the whole journal: its numbering has no gap, each entry fits its seal and leaves what it says it leaves, each session follows
    /// from its facts to the same number (M10), and each balance is the sum of its postings. What stands beside the journal must agree with it:
    /// what is corrected, the sessions, what their records say that they cost and each patient of a visit, orders and watches, numbers and their
    /// months, and the outbox.
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
            told.parts = Parts::read(&mut tx, told.last, BATCH).await?;
            for entry in batch {
                told.take(entry)?;
            }
            tell(Progress::Entries(count(told.last), count(all.0)));
        }
        let balances = sqlx::query_as("SELECT account_id, account, credits FROM balance");
        compare(&told.books, balances.fetch_all(&mut *tx).await?)?;
        let given = sqlx::query_as("SELECT account_id, given FROM holder");
        compare_given(&told.books, given.fetch_all(&mut *tx).await?)?;
        told.expect_no_half()?;
        told.replay_open()?;
        beside::check(&mut tx, &told).await?;
        let unrecorded = records::unrecorded(&mut tx).await?;
        Ok(told.verified(unrecorded))
    }
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// The journal as far as it was read.
#[derive(Default)]
struct Told {
    books: Books,
    /// What each correction reverses, by its number, and how much of it.
    corrections: BTreeMap<i64, (Key, i64)>,
    /// What was paid for.
    top_ups: BTreeMap<Key, TopUp>,
    /// What numbers were charged for.
    months: BTreeMap<SubscriptionId, Vec<Month>>,
    last: i64,
    seal: Option<String>,
    /// What was written of each session that has not ended.
    open: BTreeMap<SessionId, Vec<Transaction>>,
    ended: u64,
    /// What records say of the visits that end in the entries that are read together.
    parts: Parts,
    /// The first leg of a transfer, until the second is read.
    half: Option<Entry>,
}

/// Credits that were paid for, and the order, if that is said.
struct TopUp {
    account: AccountId,
    credits: Credits,
    order: Option<OrderId>,
}

/// A month of a number that was charged.
struct Month {
    account: AccountId,
    number: u32,
    from: Date,
}

impl Told {
    fn take(&mut self, entry: Entry) -> Result<(), StoreError> {
        self.check(&entry)?;
        self.note(&entry.transaction);
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
            let told = replay(&session, written)?;
            self.parts.check(&told)?;
            self.open.remove(&session);
            self.ended += 1;
        }
        Ok(())
    }

    /// Notes what rows beside the journal must agree with.
    fn note(&mut self, entry: &Transaction) {
        let account = entry.account.clone();
        let moved = entry.posted(Account::Available).saturating_abs();
        match &entry.cause {
            Cause::Corrected { of, .. } => {
                self.corrections.insert(self.last, (of.clone(), moved));
            }
            Cause::Paid { order, .. } => {
                let top_up = TopUp {
                    account,
                    credits: Credits(moved.unsigned_abs()),
                    order: order.clone(),
                };
                self.top_ups.insert(entry.key.clone(), top_up);
            }
            Cause::Month {
                subscription,
                number,
                from,
            } => {
                let (number, from) = (*number, *from);
                let months = self.months.entry(subscription.clone()).or_default();
                months.push(Month {
                    account,
                    number,
                    from,
                });
            }
            _ => {}
        }
    }

    /// Tells what has not ended as far as it went.
    fn replay_open(&self) -> Result<(), StoreError> {
        for (session, written) in &self.open {
            replay(session, written)?;
        }
        Ok(())
    }

    fn verified(self, unrecorded: Vec<SessionId>) -> Verified {
        Verified {
            unrecorded,
            entries: count(self.last),
            sessions: self.ended + self.open.len() as u64,
            seal: self.seal,
        }
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

/// An error about a row, unless it is as it should be.
fn agree(
    is_so: bool,
    place: impl FnOnce() -> String,
    what: &'static str,
) -> Result<(), StoreError> {
    is_so.then_some(()).ok_or_else(|| StoreError::Contradicts {
        place: place(),
        what,
    })
}
