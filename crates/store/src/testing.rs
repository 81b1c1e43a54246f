//! Databases for tests, gone when dropped: of the store, and of programs that embed it (feature `testing`).

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use housecall_meter::Transaction;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};

use crate::ledger::write_in;
use crate::{Address, Store, StoreError};

/// Names the server that tests may make databases on, as the URL of one who may. Without it, what needs PostgreSQL is skipped.
pub const SERVER: &str = "HOUSECALL_TEST_POSTGRES";

/// Makes two tests of each named conversation, an async function that is given a [`Base`](crate::testing::Base) with nothing in it:
/// `on_sqlite::…` and `on_postgres::…`.
#[macro_export]
macro_rules! on_each_database {
    ($($conversation:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $conversation() {
                let base = $crate::testing::Base::sqlite().unwrap();
                super::$conversation(&base).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $conversation() {
                if let Some(base) = $crate::testing::Base::postgres("").await.unwrap() {
                    super::$conversation(&base).await;
                }
            })*
        }
    };
}

/// A place for one store, with nothing in it yet.
#[derive(Debug)]
pub struct Base {
    address: Address,
    made: Made,
}

#[derive(Debug)]
enum Made {
    Directory(PathBuf),
    Database { server: String, name: String },
}

impl Base {
    /// A file in a directory of its own.
    ///
    /// # Errors
    /// The directory cannot be made.
    pub fn sqlite() -> std::io::Result<Self> {
        let directory = new_directory();
        std::fs::create_dir_all(&directory)?;
        Ok(Self {
            address: directory.join("clinic.db").into(),
            made: Made::Directory(directory),
        })
    }

    /// A new database on the server that [`SERVER`] names, made with these options of `CREATE DATABASE`; none, and a word about it on stderr,
    /// where it names none.
    ///
    /// # Errors
    /// What the server says.
    #[expect(
        clippy::print_stderr,
        reason = "who runs tests must see what was not tested"
    )]
    pub async fn postgres(options: &str) -> Result<Option<Self>, StoreError> {
        let Ok(server) = std::env::var(SERVER) else {
            eprintln!("SKIPPED: {SERVER} names no PostgreSQL server to make databases on");
            return Ok(None);
        };
        let name = new_name();
        as_owner(&server, format!("CREATE DATABASE {name} {options}")).await?;
        Ok(Some(Self {
            address: on(&server, &name).as_str().into(),
            made: Made::Database { server, name },
        }))
    }

    /// Another place of the same kind.
    ///
    /// # Errors
    /// As [`Base::sqlite`] and [`Base::postgres`].
    pub async fn another(&self) -> Result<Self, StoreError> {
        let another = match self.made {
            Made::Directory(_) => Some(Self::sqlite().map_err(sqlx::Error::from)?),
            Made::Database { .. } => Self::postgres("").await?,
        };
        another.ok_or_else(|| StoreError::UnknownDatabase {
            name: SERVER.to_owned(),
        })
    }

    /// Where it is.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// A place for something else of the same test, which nobody has made, and which is gone with this.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.directory().join(name)
    }

    fn directory(&self) -> PathBuf {
        match &self.made {
            Made::Directory(directory) => directory.clone(),
            Made::Database { name, .. } => std::env::temp_dir().join(name),
        }
    }

    /// The URL of the server that it is on, and its name there; none of a file.
    pub fn server(&self) -> Option<(&str, &str)> {
        match &self.made {
            Made::Database { server, name } => Some((server, name)),
            Made::Directory(_) => None,
        }
    }
}

impl Drop for Base {
    fn drop(&mut self) {
        // What stays behind is the machine's to clean.
        let _ = std::fs::remove_dir_all(self.directory());
        match &self.made {
            Made::Directory(_) => {}
            Made::Database { server, name } => {
                let statement = format!("DROP DATABASE {name} WITH (FORCE)");
                let server = server.clone();
                // A runtime of its own: this may be the end of another.
                let dropping = std::thread::spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread()
                        .enable_all()
                        .build();
                    runtime.map(|runtime| runtime.block_on(as_owner(&server, statement)))
                });
                let _ = dropping.join();
            }
        }
    }
}

/// Writes many entries in one transaction, which waits for the disk once: a journal to read, where the writing is not what is looked at.
///
/// # Errors
/// The first that is refused, and then none is written; or what the database says.
pub async fn record_all(store: &Store, entries: &[Transaction]) -> Result<(), StoreError> {
    let written = store.in_turn(|mut tx| async move {
        for entry in entries {
            write_in(&mut tx, entry).await?;
        }
        Ok((tx, ()))
    });
    written.await
}

/// A directory that nobody has made.
pub(crate) fn new_directory() -> PathBuf {
    std::env::temp_dir().join(new_name())
}

/// No two tests and no two runs share a name.
fn new_name() -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let made = MADE.fetch_add(1, Ordering::Relaxed);
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = since.map_or(0, |since| since.as_micros());
    format!("housecall_test_{}_{now}_{made}", std::process::id())
}

/// Does something as the one who may make databases.
///
/// # Errors
/// What the server says.
pub async fn as_owner(server: &str, statement: String) -> Result<(), StoreError> {
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(server).await?;
    connection.execute(AssertSqlSafe(statement)).await?;
    Ok(connection.close().await?)
}

/// Returns the URL of another database on a server.
pub fn on(server: &str, name: &str) -> String {
    let (url, options) = server.split_once('?').unwrap_or((server, ""));
    let (scheme, host) = url.split_once("://").unwrap_or(("postgres", url));
    let host = host.split('/').next().unwrap_or_default();
    format!("{scheme}://{host}/{name}?{options}")
}
