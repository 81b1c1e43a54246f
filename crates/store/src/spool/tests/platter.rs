//! A disk in memory that dies when it is told to.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use super::super::disk::Disk;

/// Outlives the process that writes on it: its clones are the same disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Platter(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    bytes: Vec<u8>,
    aside: Vec<u8>,
    /// Bytes written, and one for each time that they reach the disk.
    steps: usize,
    /// After how many it dies; in the middle of what is written then.
    dies_after: Option<usize>,
}

impl Platter {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let disk = Self::default();
        disk.inner().bytes = bytes.to_vec();
        disk
    }

    pub(crate) fn die_after(&self, steps: usize) {
        let mut inner = self.inner();
        inner.dies_after = Some(inner.steps + steps);
    }

    pub(crate) fn live_again(&self) {
        self.inner().dies_after = None;
    }

    /// Whether it takes what is written.
    pub(crate) fn is_sound(&self) -> bool {
        self.inner().dies_after.is_none()
    }

    /// The beginning of something, behind all else.
    pub(crate) fn write_torn(&self, bytes: &[u8]) {
        self.inner().bytes.extend(bytes);
    }

    pub(super) fn steps(&self) -> usize {
        self.inner().steps
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.inner().bytes.clone()
    }

    pub(super) fn aside(&self) -> Vec<u8> {
        self.inner().aside.clone()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }
}

impl Inner {
    /// How many of so many steps are made.
    fn go(&mut self, steps: usize) -> usize {
        let left = self.dies_after.map(|at| at.saturating_sub(self.steps));
        let made = left.map_or(steps, |left| left.min(steps));
        self.steps += made;
        made
    }
}

impl Disk for Platter {
    fn read(&mut self) -> io::Result<Vec<u8>> {
        Ok(self.bytes())
    }

    fn append(&mut self, length: u64, bytes: &[u8]) -> io::Result<()> {
        let mut inner = self.inner();
        let made = inner.go(bytes.len() + 1);
        let length = usize::try_from(length).unwrap();
        assert!(
            inner.bytes.len() <= length,
            "what is ragged is cut off first"
        );
        inner.bytes.resize(length, 0);
        inner.bytes.extend(bytes.iter().take(made));
        if made > bytes.len() {
            Ok(())
        } else {
            Err(io::ErrorKind::StorageFull.into())
        }
    }

    /// May be done, and still fail.
    fn cut(&mut self, length: u64) -> io::Result<()> {
        let mut inner = self.inner();
        let made = inner.go(2);
        if made > 0 {
            inner.bytes.truncate(usize::try_from(length).unwrap());
        }
        if made == 2 {
            Ok(())
        } else {
            Err(io::ErrorKind::StorageFull.into())
        }
    }

    fn set_aside(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.inner().aside.extend(bytes);
        Ok(())
    }
}
