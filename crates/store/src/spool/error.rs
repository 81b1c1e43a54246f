//! Why there is no spool.

use std::io;
use std::path::PathBuf;

use super::directory::FILES_MAX;
use crate::StoreError;

/// Why there is no spool.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpoolError {
    /// The directory, or a file in it, cannot be made, read or written.
    #[error("cannot use {place} to keep what happens while the database is away: {why}")]
    Disk {
        /// Which.
        place: PathBuf,
        /// What the system says.
        why: io::Error,
    },
    /// Other processes have all the files that a directory may have.
    #[error("{place} is used by {FILES_MAX} processes already")]
    Crowded {
        /// The directory.
        place: PathBuf,
    },
    /// What an earlier process left is not in the database yet: it stays in the spool.
    #[error("what was kept while the database was away is not written yet: {0}")]
    Away(#[from] StoreError),
}
