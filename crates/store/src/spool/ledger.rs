//! A ledger for sessions that goes on while its database is away.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use housecall::ports::{Funds, Ledger, LedgerError, Recorded};
use housecall_meter::{Account, AccountId, Cause, Key, Millis, SessionId, Transaction};
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use super::SpoolError;
use super::backlog::Backlog;
use super::directory::{at, take};
use super::disk::OwnFile;
use super::drain::{Counts, Replayed, refuse};
use super::log::NotKept;
use super::record::{Record, What};
use crate::Store;

/// How long the database has for an entry before that goes to the spool: a machine that dies loses what happened since.
const PATIENCE: Duration = Duration::from_secs(2);
/// The pause between two tries at a database that is away.
const PAUSE: Duration = Duration::from_millis(250);

/// A [`Store`] whose sessions go on while its database is away: what happens in them is kept on this machine's disk, each line of it fsynced, and
/// told to the database when that is back, or when the next process starts that uses the same directory. Cheap to clone.
///
/// Blocks, evidence and signs of life are kept so; the end of a session as well, and answered once the database has it. A session's first
/// reservation, and whatever belongs to no session, needs the database. A disk that is full or broken is no reason to end anything either: the
/// ledger is unavailable then, and says why, as it is without a spool.
///
/// ```
/// use housecall::ports::Ledger;
/// use housecall_store::{Spooled, Store};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = std::env::temp_dir().join(format!("housecall-spool-{}", std::process::id()));
/// let store = Store::open(":memory:").await?;
/// let ledger = Spooled::open(&store, &directory).await?; // before the program joins, recovers, and begins anything
/// store.recover().await?;
/// assert!(ledger.may_act().is_ok());
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Spooled {
    store: Store,
    shared: Arc<Shared>,
    pub(crate) patience: Duration,
}

#[derive(Debug)]
struct Shared {
    spool: Mutex<Spool>,
    /// Others wait already, so that nobody may go straight to the database.
    is_behind: AtomicBool,
    /// What accounts had when the database last spoke, and what has moved since.
    funds: Mutex<BTreeMap<AccountId, Funds>>,
}

struct Spool {
    backlog: Backlog<OwnFile>,
    /// Somebody tells the database.
    is_draining: bool,
    /// Whether the disk took the last record.
    is_sound: bool,
    /// Who waits for the end of a session to be in the journal.
    ends: BTreeMap<Key, Vec<oneshot::Sender<Outcome>>>,
}

type Outcome = Result<Recorded, LedgerError>;

impl Spooled {
    /// Takes a file of its own in the directory, which is made if need be, and first tells the database what processes left in others that are no
    /// more. Processes may share a directory, if they share the database.
    ///
    /// To be called before [`Store::join`] and [`Store::recover`], which close what a process left at the evidence that the database has.
    ///
    /// # Errors
    /// [`SpoolError`]. Nothing is lost: what was left is still there.
    pub async fn open(store: &Store, directory: &Path) -> Result<Self, SpoolError> {
        let mut own = None;
        for file in take(directory)? {
            let aside = file.aside();
            let (mut backlog, found) = Backlog::open(file).map_err(at(directory))?;
            if found.is_damaged {
                tracing::error!(bytes = found.torn, file = %aside.display(), "part of a spool cannot be read, and is kept in this file");
            }
            let counts = store.replay_all(&mut backlog).await?;
            tell(&counts);
            backlog.clear().map_err(at(directory))?;
            own.get_or_insert(backlog);
        }
        let place = directory.to_owned();
        let backlog = own.ok_or(SpoolError::Crowded { place })?;
        Ok(Self::over(store.clone(), backlog))
    }

    fn over(store: Store, backlog: Backlog<OwnFile>) -> Self {
        let spool = Spool {
            backlog,
            is_draining: false,
            is_sound: true,
            ends: BTreeMap::new(),
        };
        let shared = Shared {
            spool: Mutex::new(spool),
            is_behind: AtomicBool::new(false),
            funds: Mutex::default(),
        };
        Self {
            store,
            shared: Arc::new(shared),
            patience: PATIENCE,
        }
    }

    /// Returns the store behind it.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Returns whether something waits for the database.
    pub fn is_behind(&self) -> bool {
        self.shared.is_behind.load(Ordering::Acquire)
    }

    /// Asks the database, unless others wait before; what is to be kept instead says why.
    async fn ask<T>(
        &self,
        asked: impl Future<Output = Result<T, LedgerError>>,
    ) -> Result<Result<T, LedgerError>, String> {
        if self.is_behind() {
            return Err("what came before waits for the database".to_owned());
        }
        match timeout(self.patience, asked).await {
            Ok(Err(LedgerError::Unavailable(why))) => Err(why),
            Ok(heard) => Ok(heard),
            Err(_) => Err(format!("no answer for {} ms", self.patience.as_millis())),
        }
    }

    /// Keeps an entry, and waits for the database if it is the end of a session.
    async fn keep_entry(&self, entry: &Transaction, why: String) -> Outcome {
        let (tell, hear) = oneshot::channel();
        let end = entry.kind.ends_session().then_some(tell);
        self.keep(What::Entry(entry.clone()), end, why).await?;
        if !entry.kind.ends_session() {
            return Ok(self.projected(entry));
        }
        let stopped = |_| LedgerError::Unavailable("the program stops".to_owned());
        hear.await.map_err(stopped)?
    }

    async fn keep(
        &self,
        what: What,
        end: Option<oneshot::Sender<Outcome>>,
        why: String,
    ) -> Result<(), LedgerError> {
        let epoch = self.store.tenure.epoch();
        let record = Record { epoch, what };
        let whole = self.clone();
        let kept = spawn_blocking(move || {
            let mut spool = whole.shared.spool();
            let begins = spool.keep(record, end, &why)?;
            whole.shared.is_behind.store(true, Ordering::Release);
            Ok::<_, String>(begins)
        });
        let kept = kept.await.map_err(|error| error.to_string());
        let begins = kept.flatten().map_err(LedgerError::Unavailable)?;
        if begins {
            tokio::spawn(self.clone().drain());
        }
        Ok(())
    }

    /// Tells the database what waits, until nothing does.
    async fn drain(self) {
        while let Some(record) = self.next().await {
            match self.store.replay(&record).await {
                Ok(replayed) => self.hear(record, replayed).await,
                Err(away) => {
                    tracing::debug!(%away, "what is in the spool waits on");
                    sleep(PAUSE).await;
                }
            }
        }
    }

    /// What is to be told next; none once nothing waits, and then whoever comes goes to the database again.
    async fn next(&self) -> Option<Record> {
        let shared = self.shared.clone();
        let next = spawn_blocking(move || {
            let mut spool = shared.spool();
            let next = spool.next();
            let is_behind = next.is_some();
            shared.is_behind.store(is_behind, Ordering::Release);
            next
        });
        // It ends with the program only.
        next.await.ok().flatten()
    }

    async fn hear(&self, record: Record, replayed: Replayed) {
        let shared = self.shared.clone();
        let heard = spawn_blocking(move || {
            if let (What::Entry(entry), Replayed::Written(recorded)) = (&record.what, &replayed) {
                shared.note(&entry.account, recorded.funds);
            }
            shared.spool().hear(&record, replayed);
        });
        // It ends with the program only.
        let _ = heard.await;
    }

    /// What an account has, as far as is known here.
    fn projected(&self, entry: &Transaction) -> Recorded {
        let mut known = self.shared.funds();
        let funds = known.entry(entry.account.clone()).or_default();
        let moved = |of| entry.posted(of);
        funds.available = funds.available.saturating_add(moved(Account::Available));
        funds.reserved = funds.reserved.saturating_add(moved(Account::Reserved));
        Recorded {
            already: false,
            funds: *funds,
        }
    }
}

#[async_trait]
impl Ledger for Spooled {
    async fn record(&self, transaction: &Transaction) -> Result<Recorded, LedgerError> {
        let heard = match goes_on(&transaction.cause) {
            true => match self.ask(self.store.record(transaction)).await {
                Ok(heard) => heard,
                Err(why) => return self.keep_entry(transaction, why).await,
            },
            false => self.store.record(transaction).await,
        };
        if let Ok(recorded) = &heard {
            self.shared.note(&transaction.account, recorded.funds);
        }
        heard
    }

    async fn funds(&self, account: &AccountId) -> Result<Funds, LedgerError> {
        self.store.funds(account).await
    }

    fn may_act(&self) -> Result<(), LedgerError> {
        self.store.may_act()
    }

    async fn heartbeat(&self, session: &SessionId, elapsed_ms: u64) -> Result<(), LedgerError> {
        match self.ask(self.store.heartbeat(session, elapsed_ms)).await {
            Ok(heard) => heard,
            Err(why) => {
                let (session, at) = (session.clone(), Millis(elapsed_ms));
                self.keep(What::Alive { session, at }, None, why).await
            }
        }
    }
}

/// Whether an entry is of a session in progress.
fn goes_on(cause: &Cause) -> bool {
    matches!(cause, Cause::BlockBegan | Cause::Heard(_))
}

impl Shared {
    fn spool(&self) -> MutexGuard<'_, Spool> {
        self.spool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn funds(&self) -> MutexGuard<'_, BTreeMap<AccountId, Funds>> {
        self.funds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, account: &AccountId, funds: Funds) {
        self.funds().insert(account.clone(), funds);
    }
}

impl Spool {
    /// Returns whether somebody is to begin to tell the database; or the words for why it is not kept.
    fn keep(
        &mut self,
        record: Record,
        end: Option<oneshot::Sender<Outcome>>,
        why: &str,
    ) -> Result<bool, String> {
        let key = match &record.what {
            What::Entry(entry) => Some(entry.key.clone()),
            What::Alive { .. } => None,
        };
        let kept = self.backlog.keep(record);
        self.note_soundness(kept.as_ref().err());
        kept.map_err(|error| format!("{why}; {error}"))?;
        if let Some((key, end)) = key.zip(end) {
            self.ends.entry(key).or_default().push(end);
        }
        let begins = !std::mem::replace(&mut self.is_draining, true);
        if begins {
            tracing::warn!(%why, "the database is away: what happens in sessions is kept on the disk");
        }
        Ok(begins)
    }

    fn note_soundness(&mut self, error: Option<&NotKept>) {
        match error {
            Some(error) if self.is_sound => {
                tracing::error!(%error, "the database is away, and nothing is kept: calls go on, a crash would lose what happens now");
            }
            None if !self.is_sound => tracing::info!("what happens in sessions is kept again"),
            _ => {}
        }
        self.is_sound = error.is_none();
    }

    fn next(&mut self) -> Option<Record> {
        let next = self.backlog.next();
        if next.is_none() {
            self.is_draining = false;
            match self.backlog.clear() {
                Ok(()) => tracing::info!("the database has all that happened while it was away"),
                Err(error) => tracing::warn!(%error, "the spool is not emptied yet"),
            }
        }
        next
    }

    fn hear(&mut self, record: &Record, replayed: Replayed) {
        let outcome = match replayed {
            Replayed::Written(recorded) => Some(Ok(recorded)),
            Replayed::Noted => None,
            Replayed::Refused(error) => {
                refuse(&mut self.backlog, record, &error);
                Some(Err(LedgerError::from(error)))
            }
        };
        self.backlog.done(record);
        if let (What::Entry(entry), Some(outcome)) = (&record.what, outcome) {
            for end in self.ends.remove(&entry.key).unwrap_or_default() {
                // Who does not wait any more has no use for it.
                let _ = end.send(outcome.clone());
            }
        }
    }
}

impl fmt::Debug for Spool {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Spool")
    }
}

fn tell(counts: &Counts) {
    let Counts {
        written,
        already,
        refused,
    } = counts;
    if written + already + refused > 0 {
        tracing::warn!(
            written,
            already,
            refused,
            "what an earlier process kept while the database was away is told now"
        );
    }
}
