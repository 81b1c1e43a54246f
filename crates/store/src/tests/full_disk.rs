//! A disk that is full: whoever writes is told so, nothing is lost, and work goes on when there is room.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::server::{Server, is_root};
use super::work::{Worker, as_told, buy, expect_nothing_lost_or_doubled};
use crate::Store;
use crate::testing::new_directory;

/// How often the disk is filled.
const FILLED: &str = "HOUSECALL_FILLED";
const FILLED_BY_ITSELF: u64 = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_full_disk_is_survived_by_sqlite() {
    let Some(disk) = Disk::of("8m") else { return };
    let file = disk.directory.join("clinic.db");
    let store = Store::open(file.as_path()).await.unwrap();
    survive(&disk, &store, || ()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_full_disk_is_survived_by_postgresql() {
    let Some(disk) = Disk::of("160m") else { return };
    let Some(server) = Server::start(&disk.directory.join("server")) else {
        return;
    };
    let store = Store::open(server.address()).await.unwrap();
    // One that cannot write its log ends itself, and is started again by whoever made room.
    survive(&disk, &store, || server.go_on()).await;
    drop(server);
}

/// Fills the disk while somebody settles sessions, makes room once that is felt, and so on.
async fn survive(disk: &Disk, store: &Store, start_again: impl Fn()) {
    /// Long enough for more than one attempt.
    const FULL_FOR: Duration = Duration::from_millis(500);
    buy(store).await;
    let mut workers = [Worker::new(store, 1)];
    let mut random = StdRng::seed_from_u64(1);
    let filled = as_told(FILLED, FILLED_BY_ITSELF);
    for _ in 0..filled {
        disk.fill(random.random_range(0..64) * 1_024);
        let over = AtomicBool::new(false);
        let room = async {
            tokio::time::sleep(FULL_FOR).await;
            disk.make_room();
            tokio::task::block_in_place(&start_again);
            over.store(true, Ordering::Relaxed);
        };
        let [worker] = &mut workers;
        tokio::join!(room, worker.work_while(|| !over.load(Ordering::Relaxed)));
        worker.settle().await;
    }
    let [worker] = &workers;
    eprintln!(
        "filled {filled} times, {} sessions, {} attempts failed: {:?}",
        worker.sessions,
        worker.errors.len(),
        worker.told()
    );
    assert!(
        worker
            .told()
            .iter()
            .any(|said| said.contains("its disk is full, make room there"))
    );
    expect_nothing_lost_or_doubled(store, &workers).await;
}

/// A small disk of its own, mounted for one test.
pub(super) struct Disk {
    pub(super) directory: PathBuf,
}

impl Disk {
    /// None, and a word about it, where it cannot be mounted.
    pub(super) fn of(size: &str) -> Option<Self> {
        let directory = new_directory();
        std::fs::create_dir_all(&directory).unwrap();
        let options = format!("size={size},mode=0755");
        let mut mount = Command::new("mount");
        let mount = mount
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(&directory);
        if !is_root() || !mount.status().is_ok_and(|status| status.success()) {
            eprintln!("SKIPPED: only root may mount the small disk that is to be full");
            return None;
        }
        Some(Self { directory })
    }

    /// Leaves at most so many bytes.
    pub(super) fn fill(&self, free: usize) {
        let mut ballast = File::create(self.ballast()).unwrap();
        while ballast.write_all(&[0; 4_096]).is_ok() {}
        let length = ballast.metadata().unwrap().len();
        ballast.set_len(length.saturating_sub(free as u64)).unwrap();
    }

    pub(super) fn make_room(&self) {
        std::fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        self.directory.join("ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        unmount(&self.directory);
    }
}

fn unmount(directory: &Path) {
    // A store that is still closing its files keeps it busy: it goes when they do.
    let _ = Command::new("umount").arg("--lazy").arg(directory).status();
    let _ = std::fs::remove_dir(directory);
}
