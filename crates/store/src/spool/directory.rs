//! The files of a directory: one of each process that uses it, and those that processes left which are no more.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::SpoolError;
use super::disk::OwnFile;

/// Processes that share a directory.
pub(super) const FILES_MAX: u32 = 16;

/// The files that no other process has, each of which may hold what one left: at least one of them, which is new if need be. None is ever removed,
/// so that nobody has a file in hand that is not there any more.
pub(super) fn take(directory: &Path) -> Result<Vec<OwnFile>, SpoolError> {
    fs::create_dir_all(directory).map_err(at(directory))?;
    let mut taken = Vec::new();
    for number in 1..=FILES_MAX {
        let path = directory.join(format!("{number}.spool"));
        let is_new = !fs::exists(&path).map_err(at(&path))?;
        if is_new && !taken.is_empty() {
            break;
        }
        taken.extend(OwnFile::open(&path).map_err(at(&path))?);
        if is_new {
            // A file is lost with its name, unless that is on the disk too.
            let synced = fs::File::open(directory).and_then(|own| own.sync_all());
            synced.map_err(at(directory))?;
        }
    }
    if taken.is_empty() {
        let place = directory.to_owned();
        return Err(SpoolError::Crowded { place });
    }
    Ok(taken)
}

/// Says where something happened.
pub(super) fn at(place: &Path) -> impl FnOnce(io::Error) -> SpoolError {
    let place = PathBuf::from(place);
    move |why| SpoolError::Disk { place, why }
}
