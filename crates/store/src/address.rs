//! Where a store is kept.

use std::fmt;
use std::path::{Path, PathBuf};

/// Where a store is kept. Shown without the password that it may hold.
#[derive(Clone, Eq, PartialEq)]
pub enum Address {
    /// A store of its own that is gone when dropped, written `:memory:`.
    Memory,
    /// A SQLite file.
    File(PathBuf),
    /// A PostgreSQL database, made by [`Address::from`] a URL: `postgres://user:password@host:port/database`, or `postgresql://`. A host that
    /// begins with `%2F` is the directory of a Unix socket.
    Postgres(PostgresUrl),
}

/// The URL of a PostgreSQL database. Shown without its password.
#[derive(Clone, Eq, PartialEq)]
pub struct PostgresUrl(String);

impl PostgresUrl {
    pub(crate) fn with_password(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Address {
    fn from(text: &str) -> Self {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            Self::Postgres(PostgresUrl(text.to_owned()))
        } else if text == ":memory:" {
            Self::Memory
        } else {
            Self::File(PathBuf::from(text))
        }
    }
}

impl From<&Path> for Address {
    fn from(file: &Path) -> Self {
        Self::File(file.to_owned())
    }
}

impl From<PathBuf> for Address {
    fn from(file: PathBuf) -> Self {
        Self::File(file)
    }
}

impl From<&Self> for Address {
    fn from(address: &Self) -> Self {
        address.clone()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str(":memory:"),
            Self::File(file) => file.display().fmt(f),
            Self::Postgres(url) => url.fmt(f),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

/// `postgres://host/database`: whoever signs in, how, and what is asked of the connection, is left out.
impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.0.split_once("://").unwrap_or(("postgres", &self.0));
        let shown = rest.split(['?', '#']).next().unwrap_or_default();
        // A password may hold an @ that nobody encoded.
        let shown = shown.rsplit('@').next().unwrap_or_default();
        write!(f, "{scheme}://{shown}")
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn an_address_is_told_by_its_scheme_and_keeps_its_password() {
        for (text, shown) in [
            (":memory:", ":memory:"),
            ("data/clinic.db", "data/clinic.db"),
            ("postgres.db", "postgres.db"),
            (
                "postgres://db.example/clinic",
                "postgres://db.example/clinic",
            ),
            (
                "postgresql://a:se%40cret@[::1]:5433/c?sslmode=require&password=secret",
                "postgresql://[::1]:5433/c",
            ),
            ("postgres://a:p@secret/word@db/c", "postgres://db/c"),
        ] {
            let address = Address::from(text);
            assert_eq!(address.to_string(), shown);
            assert!(!format!("{address:?}").contains("secret"), "{address:?}");
        }
        assert_eq!(Address::from("x.db"), Address::File("x.db".into()));
    }
}
