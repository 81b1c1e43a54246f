//! The file of a spool: lines that are on the disk before anybody relies on them.

use std::io;

use sha2::{Digest, Sha256};

use super::disk::Disk;
use super::record::{Record, What};

/// How large a spool grows: four hours of a hundred calls.
pub(super) const BYTES_MAX: u64 = 32 << 20;

/// Signs of life leave room for what cannot be made up for: a missed one only moves the evidence back.
const BYTES_MAX_OF_LIFE: u64 = BYTES_MAX / 4 * 3;

/// Records in the order they came, each in a line: the checksum over the line and all before it, a tab, and the record.
#[derive(Debug)]
pub(super) struct Log<D> {
    disk: D,
    /// Up to here it is whole.
    length: u64,
    checksum: Checksum,
    /// Something that failed may have left more, or may be there again after a crash.
    is_ragged: bool,
}

/// Why a record is not on the disk.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotKept {
    #[error("the spool is full ({BYTES_MAX} bytes)")]
    Full,
    #[error("the spool cannot be written: {0}")]
    Disk(#[from] io::Error),
}

/// What was found in a log.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Found {
    pub(crate) records: Vec<Record>,
    /// Bytes behind them that are no records.
    pub(crate) torn: usize,
    /// Whether there are whole lines among those: they were not left by an end in the middle of writing.
    pub(crate) is_damaged: bool,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Checksum(u64);

impl Checksum {
    fn of(before: Self, text: &str) -> Self {
        let hash = Sha256::new().chain_update(before.0.to_le_bytes());
        let hash = hash.chain_update(text).finalize();
        let first = hash.first_chunk().copied().unwrap_or_default();
        Self(u64::from_le_bytes(first))
    }
}

impl<D: Disk> Log<D> {
    /// Reads what is there. What is behind the last whole record is cut off; if it is damage, and no torn end, it is set aside first.
    pub(super) fn open(mut disk: D) -> io::Result<(Self, Found)> {
        let bytes = disk.read()?;
        let mut log = Self {
            disk,
            length: 0,
            checksum: Checksum::default(),
            is_ragged: false,
        };
        let mut found = Found::default();
        let mut rest = bytes.as_slice();
        while let Some((record, behind)) = log.next_in(rest) {
            found.records.push(record);
            rest = behind;
        }
        found.torn = rest.len();
        found.is_damaged = rest.contains(&b'\n');
        if found.is_damaged {
            log.disk.set_aside(rest)?;
        }
        log.is_ragged = found.torn > 0;
        log.smooth()?;
        Ok((log, found))
    }

    /// The next whole record, and what is behind it.
    fn next_in<'b>(&mut self, bytes: &'b [u8]) -> Option<(Record, &'b [u8])> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let (line, behind) = bytes.split_at_checked(end.saturating_add(1))?;
        let line = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
        let (checksum, text) = line.split_once('\t')?;
        let follows = Checksum::of(self.checksum, text);
        if checksum != format!("{:016x}", follows.0) {
            return None;
        }
        let record = Record::parse(text)?;
        self.checksum = follows;
        self.length = self.length.saturating_add(line.len() as u64 + 1);
        Some((record, behind))
    }

    /// Keeps a record: it is on the disk when this returns.
    pub(super) fn append(&mut self, record: &Record) -> Result<(), NotKept> {
        self.smooth()?;
        let text = record.text();
        let checksum = Checksum::of(self.checksum, &text);
        let line = format!("{:016x}\t{text}\n", checksum.0);
        let length = self.length.saturating_add(line.len() as u64);
        let at_most = match record.what {
            What::Entry(_) => BYTES_MAX,
            What::Alive { .. } => BYTES_MAX_OF_LIFE,
        };
        if length > at_most {
            return Err(NotKept::Full);
        }
        self.is_ragged = true;
        self.disk.append(self.length, line.as_bytes())?;
        self.is_ragged = false;
        (self.length, self.checksum) = (length, checksum);
        Ok(())
    }

    /// Forgets all of it: the database has it. Where that fails, it is tried again before the next record, and a process that starts in the meantime
    /// finds all of it again, which changes nothing.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        if self.length == 0 && !self.is_ragged {
            return Ok(());
        }
        (self.length, self.checksum) = (0, Checksum::default());
        self.is_ragged = true;
        self.smooth()
    }

    /// Keeps a record for a person that the journal refuses for good.
    pub(super) fn set_aside(&mut self, record: &Record) -> io::Result<()> {
        let line = record.text() + "\n";
        self.disk.set_aside(line.as_bytes())
    }

    pub(super) fn disk(&self) -> &D {
        &self.disk
    }

    #[cfg(test)]
    pub(super) fn pretend_length(&mut self, length: u64) {
        self.length = length;
    }

    /// Cuts off what is no part of it.
    fn smooth(&mut self) -> io::Result<()> {
        if self.is_ragged {
            self.disk.cut(self.length)?;
            self.is_ragged = false;
        }
        Ok(())
    }
}
