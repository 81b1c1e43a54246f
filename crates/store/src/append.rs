//! An entry, and all that follows from it in the tables, written at once.

use housecall::ports::Recorded;
use housecall_meter::{Account, SessionId};
use sqlx::AnyConnection;

use crate::holder::Holder;
use crate::{Dialect, Entry, Epoch, StoreError};

/// Lines of an entry at most: what the statement has room for. The end of a session has three.
const POSTINGS_MAX: usize = 4;

/// What is to be written.
#[derive(Debug)]
pub(crate) struct Append {
    pub(crate) entry: Entry,
    /// As it is then.
    pub(crate) holder: Holder,
    pub(crate) session: Option<SessionPart>,
    /// The seal of the entry before it, over which its own is.
    pub(crate) seal_before: Option<String>,
    /// The node that writes it, and to which the session belongs that it starts.
    pub(crate) epoch: Epoch,
}

/// What an entry is to its session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SessionPart {
    Starts,
    Goes,
    Ends,
}

/// The entry, its postings, the balances after them, and its session, with what stands before each of the four: a database takes them one after the
/// other, or all as one statement. They share their parameters. `$if` may say what must be so for the entry to be written, and `$from` then has the
/// other three wait for it.
macro_rules! append_entry {
    ($journal:literal, $if:literal, $posting:literal, $from:literal, $balance:literal, $session:literal, $end:literal) => {
        concat!(
            $journal,
            "INSERT INTO journal (seq, key, kind, session, account_id, at_ms, tariff, tariff_version, cause, must_be_covered, ",
            "available_after, reserved_after, recorded_unix_ms, seal) ",
            "SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14",
            $if,
            $posting,
            "INSERT INTO posting (seq, line, account, delta) SELECT $1, column1, column2, column3 FROM ",
            $from,
            "(VALUES (0, $17, $18), (1, $20, $21), (2, $23, $24), (3, $26, $27)) AS lines WHERE column2 IS NOT NULL",
            $balance,
            "INSERT INTO balance (account_id, account, credits) SELECT $5, column1, column2 FROM ",
            $from,
            "(VALUES ($17, $19), ($20, $22), ($23, $25), ($26, $28)) AS changed WHERE column1 IS NOT NULL ",
            "ON CONFLICT (account_id, account) DO UPDATE SET credits = excluded.credits",
            $session,
            "INSERT INTO metered_session (session, account_id, started_unix_ms, evidence_ms, ended_seq, epoch) ",
            "SELECT $15, $5, $13, $6, $16, $29 FROM ",
            $from,
            "(VALUES (1)) AS one WHERE $15 IS NOT NULL ON CONFLICT (session) DO UPDATE SET ended_seq = excluded.ended_seq, ",
            "evidence_ms = CASE WHEN metered_session.evidence_ms < excluded.evidence_ms THEN excluded.evidence_ms ",
            "ELSE metered_session.evidence_ms END",
            $end
        )
    };
}
pub(crate) use append_entry;

impl Append {
    /// Writes it, in the journal's turn.
    pub(crate) async fn write(&self, tx: &mut AnyConnection) -> Result<(), StoreError> {
        let statement = Dialect::of(tx)?.append_entry();
        self.write_by(statement, tx).await?;
        Ok(())
    }

    /// Writes it by a statement that looks whether the books stand as it was made for. False, and nothing written, where they do not.
    pub(crate) async fn write_if_so(
        &self,
        statement: &'static str,
        connection: &mut AnyConnection,
    ) -> Result<bool, StoreError> {
        Ok(self.write_by(statement, connection).await? > 0)
    }

    /// Returns how many rows the statement says that it has written.
    async fn write_by(
        &self,
        statement: &'static str,
        connection: &mut AnyConnection,
    ) -> Result<u64, StoreError> {
        let unbalanced = || StoreError::Unbalanced {
            key: self.entry.transaction.key.clone(),
        };
        let Entry {
            recorded,
            funds_after,
            seal,
            transaction,
            ..
        } = &self.entry;
        if transaction.postings.len() > POSTINGS_MAX {
            return Err(unbalanced());
        }
        let seq = i64::try_from(self.entry.seq).map_err(|_| unbalanced())?;
        let at_ms = i64::try_from(transaction.at.0).map_err(|_| unbalanced())?;
        let session = transaction.session.as_ref().map(SessionId::as_str);
        let mut query = sqlx::query(statement)
            .bind(seq)
            .bind(transaction.key.as_str())
            .bind(transaction.kind.as_str())
            .bind(session)
            .bind(transaction.account.as_str())
            .bind(at_ms)
            .bind(transaction.tariff.map(|tariff| tariff.name))
            .bind(transaction.tariff.map(|tariff| i64::from(tariff.version)))
            .bind(transaction.cause.to_string())
            .bind(i64::from(transaction.must_be_covered))
            .bind(funds_after.available)
            .bind(funds_after.reserved)
            .bind(recorded.0)
            .bind(seal)
            .bind(session.filter(|_| self.session.is_some()))
            .bind((self.session == Some(SessionPart::Ends)).then_some(seq));
        for line in 0..POSTINGS_MAX {
            let posting = transaction.postings.get(line);
            query = query
                .bind(posting.map(|posting| posting.account.as_str()))
                .bind(posting.map(|posting| posting.delta))
                .bind(posting.map(|posting| self.balance(posting.account)));
        }
        let written = query
            .bind(self.epoch.stored())
            .bind(self.seal_before.as_deref())
            .bind(self.holder.watch_read())
            .bind(self.session.and_then(SessionPart::stands_open))
            .execute(connection)
            .await?;
        Ok(written.rows_affected())
    }

    pub(crate) fn recorded(&self) -> Recorded {
        Recorded {
            already: false,
            funds: self.entry.funds_after,
        }
    }

    fn balance(&self, of: Account) -> i64 {
        self.holder.holdings.balance(of).0
    }
}

impl SessionPart {
    /// What the database must say of its session: 1, that it is there and has not ended, or nothing, since it is not there yet.
    fn stands_open(self) -> Option<i64> {
        (self != Self::Starts).then_some(1)
    }
}
