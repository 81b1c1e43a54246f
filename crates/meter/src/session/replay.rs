//! A session told again from its journal entries.

use std::fmt;

use super::{Opening, Session};
use crate::{Cause, Key, Tariff, Transaction};

impl Session {
    /// Rebuilds a session from its journal entries, oldest first, checking that each follows from the one before (M10).
    ///
    /// A session that a crash left open comes back as it was at its last entry; [`Fact::Recovered`](crate::Fact) ends it.
    ///
    /// # Errors
    /// [`ReplayError`] when the entries are not those of one session, or the same facts make other entries now.
    pub fn replay<'a>(
        entries: impl IntoIterator<Item = &'a Transaction>,
    ) -> Result<Self, ReplayError> {
        let mut entries = entries.into_iter();
        let first = entries.next().ok_or(ReplayError::Empty)?;
        let mut session = Self::open(opening(first)?);
        session.expect(first)?;
        // The grant was spent, or lost, by the session that first ran.
        let _ = session.recorded(&first.key);
        for entry in entries {
            session.retell(entry)?;
        }
        Ok(session)
    }

    fn retell(&mut self, entry: &Transaction) -> Result<(), ReplayError> {
        let differs = || ReplayError::Differs {
            key: entry.key.clone(),
        };
        match &entry.cause {
            Cause::BlockBegan => self.handle_timeout(entry.at),
            Cause::Heard(fact) => self.handle_input(entry.at, *fact).map_err(|_| differs())?,
            Cause::Corrected { .. } => return self.corrections.take(entry).ok_or_else(differs),
            _ => return Err(differs()),
        }
        self.expect(entry)?;
        if entry.kind.ends_session() {
            self.corrections.note(entry);
        }
        Ok(())
    }

    fn expect(&mut self, entry: &Transaction) -> Result<(), ReplayError> {
        match self.poll_output() {
            Some(made) if made == *entry => Ok(()),
            _ => Err(ReplayError::Differs {
                key: entry.key.clone(),
            }),
        }
    }
}

fn opening(first: &Transaction) -> Result<Opening, ReplayError> {
    let differs = || ReplayError::Differs {
        key: first.key.clone(),
    };
    let Cause::Opened { booked, reopens } = first.cause else {
        return Err(differs());
    };
    let pinned = first.tariff.ok_or_else(differs)?;
    Ok(Opening {
        session: first.session.clone().ok_or_else(differs)?,
        account: first.account.clone(),
        tariff: Tariff::pinned(pinned.name, pinned.version).ok_or_else(differs)?,
        booked,
        reopens,
    })
}

/// The entries do not tell a session.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ReplayError {
    /// There is no entry.
    Empty,
    /// This entry does not follow from those before it.
    Differs {
        /// Its key.
        key: Key,
    },
}

impl fmt::Display for ReplayError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => out.write_str("no journal entries"),
            Self::Differs { key } => write!(
                out,
                "journal entry {key} does not follow from those before it"
            ),
        }
    }
}

impl std::error::Error for ReplayError {}
