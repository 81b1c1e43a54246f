//! What a log is written on.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// One file; in the simulation, one that fails. What returns without an error is on the disk, and stays there when the power goes.
pub(crate) trait Disk {
    fn read(&mut self) -> io::Result<Vec<u8>>;

    /// Writes behind the first `length` bytes.
    fn append(&mut self, length: u64, bytes: &[u8]) -> io::Result<()>;

    fn cut(&mut self, length: u64) -> io::Result<()>;

    /// Keeps something for a person, beside the file.
    fn set_aside(&mut self, bytes: &[u8]) -> io::Result<()>;
}

/// A file that no other process has while this one lives.
#[derive(Debug)]
pub(crate) struct OwnFile {
    file: File,
    path: PathBuf,
}

/// What is set aside takes at most so much; who has not looked by then has it in the program's log.
const ASIDE_MAX: u64 = 8 << 20;

impl OwnFile {
    /// Opens a file, making it if need be; none if another process has it.
    pub(crate) fn open(path: &Path) -> io::Result<Option<Self>> {
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let file = options.open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self {
                file,
                path: path.to_owned(),
            })),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(error),
        }
    }

    /// Where what is set aside is.
    pub(super) fn aside(&self) -> PathBuf {
        self.path.with_extension("refused")
    }
}

impl Disk for OwnFile {
    fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(0))?;
        self.file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn append(&mut self, length: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(length))?;
        self.file.write_all(bytes)?;
        self.file.sync_data()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)?;
        self.file.sync_data()
    }

    fn set_aside(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut aside = options.create(true).append(true).open(self.aside())?;
        if aside.metadata()?.len().saturating_add(bytes.len() as u64) > ASIDE_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        aside.write_all(bytes)?;
        aside.sync_data()
    }
}
