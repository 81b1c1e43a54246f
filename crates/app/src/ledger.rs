//! `housecall ledger`: an audit of the journal, by whoever runs the clinic.
//!
//! The database is only read, and may be in use meanwhile.

#[cfg(test)]
mod tests;

use std::io::{self, Write};

use housecall::SessionId;
use housecall_store::{Address, Entry, Progress, Store, StoreError};
use serde_json::json;

/// What `ledger --help` prints.
pub const HELP: &str = "\
Audits the ledger. The database is only read, and the clinic may run meanwhile.

Usage: housecall ledger verify              is every entry what it was, and does everything follow from the journal?
       housecall ledger explain SESSION     who was connected when, and which rule charged which block
       housecall ledger replay              tells every session again from its facts, and what it costs
       housecall ledger export              the journal as lines of JSON, oldest entry first

  --config FILE      read this configuration (also HOUSECALL_CONFIG)
  --data DIRECTORY   where the database is, if it is a file (default ./data)
  --help             print this

`verify` prints the seal of the last entry. Note it where nobody who can write to the database can: as long as the same entry
has the same seal, nothing up to it was changed or taken out.

Exit status: 0 all is well, 1 the ledger does not agree with itself, 2 the command makes no sense or there is no ledger.
";

/// What is asked of the ledger.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Audit {
    /// Whether all of it agrees.
    Verify,
    /// Why a session costs what it does.
    Explain(String),
    /// Every session, told again.
    Replay,
    /// All of the journal.
    Export,
}

/// Why nothing can be said of a ledger.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// There is no database, or it is none of ours.
    #[error(
        "cannot read the ledger in {address}: {why}. Name its directory with --data, or a configuration with --config"
    )]
    NoLedger {
        /// Which one.
        address: Address,
        /// What is wrong.
        why: StoreError,
    },
    /// There is no such session.
    #[error("there is no session {0}: a report or `housecall ledger replay` shows the names")]
    NoSession(String),
    /// The database stopped answering.
    #[error(
        "the ledger could not be read to its end: {0}. That says nothing of the ledger: try again"
    )]
    Interrupted(StoreError),
    /// The ledger does not agree with itself.
    #[error(
        "the ledger does not agree with itself: {0}. Keep a copy of the database, and do not bill from it"
    )]
    Disagrees(StoreError),
    /// What was found cannot be written.
    #[error("cannot write: {0}")]
    Output(#[from] io::Error),
}

impl From<StoreError> for AuditError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Database(_) | StoreError::Silent { .. } => Self::Interrupted(error),
            _ => Self::Disagrees(error),
        }
    }
}

impl AuditError {
    /// Returns the exit status that says so.
    pub fn status(&self) -> u8 {
        match self {
            Self::Disagrees(_) => 1,
            Self::NoLedger { .. } | Self::NoSession(_) | Self::Interrupted(_) | Self::Output(_) => {
                2
            }
        }
    }
}

/// Audits the ledger in a database. What is found goes to `out`, how far it is to `progress`.
///
/// # Errors
/// See [`AuditError`].
pub async fn run(
    address: &Address,
    audit: &Audit,
    out: &mut impl Write,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<(), AuditError> {
    let no_ledger = |why| AuditError::NoLedger {
        address: address.clone(),
        why,
    };
    let store = Store::read(address).await.map_err(no_ledger)?;
    // Whatever else is wrong with it, a ledger can list its sessions.
    let sessions = store.sessions().await.map_err(no_ledger)?;
    match audit {
        Audit::Verify => verify(&store, out, progress).await,
        Audit::Explain(name) => explain(&store, name, out).await,
        Audit::Replay => replay(&store, &sessions, out, progress).await,
        Audit::Export => export(&store, out).await,
    }
}

async fn verify(
    store: &Store,
    out: &mut impl Write,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<(), AuditError> {
    let verified = store.verify_telling(progress).await?;
    writeln!(
        out,
        "{} entries, {} sessions: every seal, balance and price follows from the journal",
        verified.entries, verified.sessions
    )?;
    for session in &verified.unrecorded {
        writeln!(
            out,
            "session {session} cost something and has no record of a call or visit"
        )?;
    }
    match verified.seal {
        Some(seal) => writeln!(out, "seal of entry {}: {seal}", verified.entries)?,
        None => writeln!(
            out,
            "no entry is sealed yet: they are older than seals, or there is none"
        )?,
    }
    Ok(())
}

async fn explain(store: &Store, name: &str, out: &mut impl Write) -> Result<(), AuditError> {
    let explanation = store.explain(&SessionId::new(name)).await?;
    let explanation = explanation.ok_or_else(|| AuditError::NoSession(name.to_owned()))?;
    writeln!(out, "{explanation}")?;
    Ok(())
}

async fn replay(
    store: &Store,
    sessions: &[SessionId],
    out: &mut impl Write,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<(), AuditError> {
    let mut total = 0;
    for (done, session) in (1..).zip(sessions) {
        if let Some(told) = store.explain(session).await? {
            let credits = told.bill.total().0;
            total += credits;
            writeln!(out, "{credits:>6}  {}  {session}", told.tariff)?;
        }
        progress(Progress::Sessions(done, sessions.len() as u64));
    }
    writeln!(out, "{total:>6}  in all, {} sessions", sessions.len())?;
    Ok(())
}

async fn export(store: &Store, out: &mut impl Write) -> Result<(), AuditError> {
    let mut last = 0;
    loop {
        let entries = store.journal_after(last).await?;
        let Some(newest) = entries.last() else {
            return Ok(());
        };
        last = newest.seq;
        for entry in &entries {
            writeln!(out, "{}", line(entry))?;
        }
    }
}

fn line(entry: &Entry) -> serde_json::Value {
    let of = &entry.transaction;
    let postings = of.postings.iter();
    let postings: serde_json::Map<_, _> = postings
        .map(|posting| (posting.account.as_str().to_owned(), posting.delta.into()))
        .collect();
    json!({
        "seq": entry.seq,
        "recorded_unix_ms": entry.recorded.0,
        "key": of.key.as_str(),
        "kind": of.kind.as_str(),
        "session": of.session.as_ref().map(SessionId::as_str),
        "account": of.account.as_str(),
        "at_ms": of.at.0,
        "tariff": of.tariff.map(|tariff| tariff.to_string()),
        "cause": of.cause.to_string(),
        "must_be_covered": of.must_be_covered,
        "postings": postings,
        "available_after": entry.funds_after.available,
        "reserved_after": entry.funds_after.reserved,
        "seal": entry.seal,
    })
}
