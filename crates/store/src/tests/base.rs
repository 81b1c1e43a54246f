//! Databases for tests, gone when dropped.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};

use crate::{Address, Dialect, Store};

/// Names the server that tests may make databases on, as the URL of one who may. Without it, what needs PostgreSQL is skipped.
const SERVER: &str = "HOUSECALL_TEST_POSTGRES";

/// Makes two tests of each named conversation: `sqlite::…` and `postgres::…`.
macro_rules! on_each_database {
    ($($conversation:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $conversation() {
                super::$conversation(&$crate::tests::base::Base::sqlite()).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $conversation() {
                if let Some(base) = $crate::tests::base::Base::postgres().await {
                    super::$conversation(&base).await;
                }
            })*
        }
    };
}
pub(super) use on_each_database;

/// A place for one store.
pub(super) struct Base {
    pub(super) address: Address,
    made: Made,
}

enum Made {
    Directory(PathBuf),
    /// On this server, by this name.
    Database(String, String),
}

impl Base {
    pub(super) fn sqlite() -> Self {
        let directory = std::env::temp_dir().join(name());
        std::fs::create_dir_all(&directory).unwrap();
        Self {
            address: directory.join("clinic.db").into(),
            made: Made::Directory(directory),
        }
    }

    /// A new database on the server; none, and a word about it, where there is no server.
    pub(super) async fn postgres() -> Option<Self> {
        Self::postgres_with("").await
    }

    /// As [`Base::postgres`], made with further options of `CREATE DATABASE`.
    pub(super) async fn postgres_with(options: &str) -> Option<Self> {
        let Ok(server) = std::env::var(SERVER) else {
            eprintln!("SKIPPED: {SERVER} names no PostgreSQL server to make databases on");
            return None;
        };
        let name = name();
        on_server(&server, format!("CREATE DATABASE {name} {options}")).await;
        Some(Self {
            address: in_database(&server, &name).as_str().into(),
            made: Made::Database(server, name),
        })
    }

    pub(super) async fn store(&self) -> Store {
        Store::open(&self.address).await.unwrap()
    }

    /// Another place of the same kind.
    pub(super) async fn another(&self) -> Self {
        match self.made {
            Made::Directory(_) => Self::sqlite(),
            Made::Database(..) => Self::postgres().await.unwrap(),
        }
    }

    /// The server's URL and the name of the database on it.
    pub(super) fn on_server(&self) -> (&str, &str) {
        match &self.made {
            Made::Database(server, name) => (server, name),
            Made::Directory(_) => panic!("a file is on no server"),
        }
    }
}

impl Drop for Base {
    fn drop(&mut self) {
        match &self.made {
            // A directory that stays behind is the machine's to clean.
            Made::Directory(directory) => drop(std::fs::remove_dir_all(directory)),
            Made::Database(server, name) => {
                let (server, drop) = (server.clone(), format!("DROP DATABASE {name} WITH (FORCE)"));
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build();
                let dropping =
                    std::thread::spawn(move || runtime.unwrap().block_on(on_server(&server, drop)));
                if dropping.join().is_err() {
                    eprintln!("database {name} is left behind");
                }
            }
        }
    }
}

/// No two tests and no two runs share a name.
fn name() -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let made = MADE.fetch_add(1, Ordering::Relaxed);
    format!("housecall_store_{}_{made}", std::process::id())
}

/// Does something as the one who may make databases.
pub(super) async fn on_server(server: &str, statement: String) {
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(server).await.unwrap();
    connection.execute(AssertSqlSafe(statement)).await.unwrap();
    connection.close().await.unwrap();
}

/// The URL of another database on the same server.
pub(super) fn in_database(server: &str, name: &str) -> String {
    let (server, options) = server
        .split_once('?')
        .map_or((server, String::new()), |(url, options)| {
            (url, format!("?{options}"))
        });
    let host_ends = server.find("://").map_or(0, |at| at + 3);
    let host = server[host_ends..]
        .find('/')
        .map_or(server, |at| &server[..host_ends + at]);
    format!("{host}/{name}{options}")
}

/// Lets a test rewrite the journal.
pub(super) async fn forget_that_the_journal_is_append_only(store: &Store) {
    let forget = match store.dialect() {
        Dialect::Sqlite => "DROP TRIGGER journal_is_not_rewritten",
        Dialect::Postgres => "DROP TRIGGER journal_is_not_rewritten ON journal",
    };
    sqlx::query(forget).execute(store.pool()).await.unwrap();
}
