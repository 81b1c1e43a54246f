//! The ledger and the records, asked as the engine and the reports ask them.

mod concurrency;
mod ledger;
mod records;
mod recovery;
mod script;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use housecall_meter::AccountId;

use crate::Store;

fn practice() -> AccountId {
    AccountId::new("practice:1")
}

/// A directory with one database, gone when dropped.
struct Disk {
    directory: PathBuf,
}

impl Disk {
    fn new() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "housecall-store-{}-{}",
            std::process::id(),
            MADE.fetch_add(1, Ordering::Relaxed)
        );
        let directory = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&directory).unwrap();
        Self { directory }
    }

    fn file(&self) -> PathBuf {
        Path::new(&self.directory).join("clinic.db")
    }

    async fn store(&self) -> Store {
        Store::open(self.file()).await.unwrap()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // A directory that stays behind is the machine's to clean.
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
