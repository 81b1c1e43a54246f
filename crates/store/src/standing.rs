//! How the books stand when an entry comes.

use housecall::ports::{Clock, SystemClock};
use housecall_meter::{Cause, Kind, SessionId, Transaction};
use sqlx::AnyConnection;

use crate::append::{Append, SessionPart};
use crate::holder::{self, Holder};
use crate::number::Stored;
use crate::seal::seal;
use crate::{Entry, Epoch, StoreError};

/// All that decides what an entry meets, except what it corrects or follows.
pub(crate) struct Standing {
    /// Whether the journal has an entry of the same key.
    pub(crate) key_is_known: bool,
    holder: Holder,
    last_seq: i64,
    last_seal: Option<String>,
    session: Option<MeteredSession>,
}

struct MeteredSession {
    payer: String,
    has_ended: bool,
}

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(flatten)]
    holder: holder::Row,
    known_seq: Option<i64>,
    last_seq: Option<i64>,
    last_seal: Option<String>,
    payer: Option<String>,
    ended_seq: Option<i64>,
}

impl Standing {
    /// Reads it in one statement: each costs a way to the server and back. Whoever goes on to write has the journal's turn.
    pub(crate) async fn read(
        connection: &mut AnyConnection,
        entry: &Transaction,
    ) -> Result<Self, StoreError> {
        let select = "SELECT h.given, h.watch, b.account, b.credits, known.seq AS known_seq, last.seq AS last_seq, \
                      last.seal AS last_seal, s.account_id AS payer, s.ended_seq \
                      FROM (SELECT CAST($1 AS TEXT) AS id) asked \
                      LEFT JOIN holder h ON h.account_id = asked.id LEFT JOIN balance b ON b.account_id = asked.id \
                      LEFT JOIN journal known ON known.key = $2 LEFT JOIN metered_session s ON s.session = $3 \
                      LEFT JOIN (SELECT seq, seal FROM journal ORDER BY seq DESC LIMIT 1) last ON TRUE";
        let rows = sqlx::query_as(select)
            .bind(entry.account.as_str())
            .bind(entry.key.as_str())
            .bind(entry.session.as_ref().map(SessionId::as_str));
        Self::of(rows.fetch_all(connection).await?, entry)
    }

    /// All rows say the same, except that each has another balance.
    fn of(mut rows: Vec<Row>, entry: &Transaction) -> Result<Self, StoreError> {
        let holder = Holder::of(&entry.account, rows.iter().map(|row| &row.holder))?;
        let Row {
            known_seq,
            last_seq,
            last_seal,
            payer,
            ended_seq,
            ..
        } = rows.pop().ok_or(sqlx::Error::RowNotFound)?;
        Ok(Self {
            key_is_known: known_seq.is_some(),
            holder,
            last_seq: last_seq.unwrap_or(0),
            last_seal,
            session: payer.map(|payer| MeteredSession {
                payer,
                has_ended: ended_seq.is_some(),
            }),
        })
    }

    /// What an entry meets if nothing was written since `last`, and its session is as it should be; none where `last` is of another holder. Only
    /// for [`Append::write_if_so`].
    pub(crate) fn assumed_after(last: Append, entry: &Transaction) -> Option<Self> {
        let Append {
            entry: before,
            holder,
            ..
        } = last;
        let is_of_same_holder = before.transaction.account == entry.account;
        let has_begun = entry.kind != Kind::Reserve;
        is_of_same_holder.then(|| Self {
            key_is_known: false,
            holder,
            last_seq: before.seq.stored(),
            last_seal: before.seal,
            session: has_begun.then(|| MeteredSession {
                payer: entry.account.as_str().to_owned(),
                has_ended: false,
            }),
        })
    }

    /// Returns what is to be written for an entry of a node.
    ///
    /// # Errors
    /// [`StoreError::InsufficientCredits`], [`StoreError::Unbalanced`], [`StoreError::SessionNotOpen`], [`StoreError::Refused`].
    pub(crate) fn after(self, epoch: Epoch, entry: &Transaction) -> Result<Append, StoreError> {
        let unbalanced = || StoreError::Unbalanced {
            key: entry.key.clone(),
        };
        let session = self.part_in_session(entry);
        let holder = self.holder.after(entry)?;
        let mut entry = Entry {
            seq: u64::try_from(self.last_seq.saturating_add(1)).map_err(|_| unbalanced())?,
            recorded: SystemClock.wall(),
            funds_after: holder.funds(),
            seal: None,
            transaction: entry.clone(),
        };
        entry.seal = Some(seal(self.last_seal.as_deref(), &entry));
        Ok(Append {
            entry,
            holder,
            session: session?,
            seal_before: self.last_seal,
            epoch,
        })
    }

    /// A reservation starts a session, a settlement or release ends it, and nothing is written outside of that.
    fn part_in_session(&self, entry: &Transaction) -> Result<Option<SessionPart>, StoreError> {
        // A correction is of the same session as what it corrects, and changes nothing of it.
        if entry.session.is_none() || matches!(entry.cause, Cause::Corrected { .. }) {
            return Ok(None);
        }
        let is_new = self.session.is_none();
        let is_open = self
            .session
            .as_ref()
            .is_some_and(|session| session.payer == entry.account.as_str() && !session.has_ended);
        let part = match entry.kind {
            Kind::Reserve if is_new => Some(SessionPart::Starts),
            Kind::Extend | Kind::Evidence if is_open => Some(SessionPart::Goes),
            Kind::Settle | Kind::Release if is_open => Some(SessionPart::Ends),
            _ => None,
        };
        let part = part.filter(|_| entry.cause.is_of_session());
        part.map(Some).ok_or_else(|| StoreError::SessionNotOpen {
            key: entry.key.clone(),
        })
    }
}
