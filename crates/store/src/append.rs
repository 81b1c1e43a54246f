//! An entry, and all that follows from it in the tables, written at once.

use housecall::ports::Recorded;
use housecall_meter::{Account, SessionId};
use sqlx::AnyConnection;

use crate::holder::Holder;
use crate::{Dialect, Entry, Epoch, StoreError};

/// Lines of an entry at most: what the statement has room for. The end of a session has three.
const POSTINGS_MAX: usize = 4;

/// What is to be written.
pub(crate) struct Append {
    pub(crate) entry: Entry,
    /// As it is then.
    pub(crate) holder: Holder,
    pub(crate) session: Option<SessionPart>,
    /// The node that writes it, and to which the session belongs that it starts.
    pub(crate) epoch: Epoch,
}

/// What an entry is to its session.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum SessionPart {
    /// It starts it, or happens in it.
    Goes,
    Ends,
}

/// The entry, its postings, the balances after them, and its session, with what stands before each of the four: a database takes them one after the
/// other, or all as one statement. They share their parameters. Last comes what the number of the entry is, which is where an epoch that is over
/// can be refused.
macro_rules! append_entry {
    ($journal:literal, $posting:literal, $balance:literal, $session:literal, $seq:literal) => {
        concat!(
            $journal,
            "INSERT INTO journal (seq, key, kind, session, account_id, at_ms, tariff, tariff_version, cause, must_be_covered, ",
            "available_after, reserved_after, recorded_unix_ms, seal) ",
            "VALUES (",
            $seq,
            ", $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
            $posting,
            "INSERT INTO posting (seq, line, account, delta) SELECT $1, line, account, delta FROM (",
            "SELECT 0 AS line, $17 AS account, $18 AS delta UNION ALL SELECT 1, $20, $21 ",
            "UNION ALL SELECT 2, $23, $24 UNION ALL SELECT 3, $26, $27) AS lines WHERE account IS NOT NULL",
            $balance,
            "INSERT INTO balance (account_id, account, credits) SELECT $5, account, credits FROM (",
            "SELECT $17 AS account, $19 AS credits UNION ALL SELECT $20, $22 ",
            "UNION ALL SELECT $23, $25 UNION ALL SELECT $26, $28) AS changed WHERE account IS NOT NULL ",
            "ON CONFLICT (account_id, account) DO UPDATE SET credits = excluded.credits",
            $session,
            "INSERT INTO metered_session (session, account_id, started_unix_ms, evidence_ms, ended_seq, epoch) ",
            "SELECT $15, $5, $13, $6, $16, $29 WHERE $15 IS NOT NULL ON CONFLICT (session) DO UPDATE SET ended_seq = excluded.ended_seq, ",
            "evidence_ms = CASE WHEN metered_session.evidence_ms < excluded.evidence_ms THEN excluded.evidence_ms ",
            "ELSE metered_session.evidence_ms END"
        )
    };
}
pub(crate) use append_entry;

impl Append {
    /// Writes it, in the journal's turn.
    pub(crate) async fn write(&self, tx: &mut AnyConnection) -> Result<(), StoreError> {
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
        let mut query = sqlx::query(Dialect::of(tx)?.append_entry())
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
        query.bind(self.epoch.stored()).execute(tx).await?;
        Ok(())
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
