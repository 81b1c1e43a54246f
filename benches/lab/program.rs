//! A program of the system, started, measured and ended.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::Result;

/// Where a program of this name is, if it is installed.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// Those of `names` that are not installed.
pub fn missing<'a>(names: &[&'a str]) -> Vec<&'a str> {
    let absent = |name: &&&str| find(name).is_none();
    names.iter().filter(absent).copied().collect()
}

/// Gives this process, and what it starts unpinned, the second processor, if there are two: the first is the server's.
pub fn take_second_processor() -> Result<()> {
    if processors() > 1 {
        let own = std::process::id().to_string();
        let pinned = Command::new("taskset")
            .args(["-a", "-cp", "1", &own])
            .stdout(Stdio::null())
            .status()?;
        if !pinned.success() {
            return Err("taskset cannot pin this process".into());
        }
    }
    Ok(())
}

/// Processors of the machine, whatever this process is pinned to.
fn processors() -> usize {
    let online = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    online
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count()
}

/// A running server. It is killed with this value.
#[derive(Debug)]
pub struct Program {
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Starts `command` on the first processor, its errors written to `folder/name.log`.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(name: &str, command: &Command, folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let log = folder.join(format!("{name}.log"));
        let mut pinned = pinned(command);
        let child = pinned
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?)
            .spawn()?;
        Ok(Self { child, log })
    }

    /// What it reads and writes, once.
    pub fn pipes(&mut self) -> Option<(ChildStdin, ChildStdout)> {
        Some((self.child.stdin.take()?, self.child.stdout.take()?))
    }

    /// Lets it write without anybody reading.
    pub fn ignore_output(&mut self) {
        if let Some(mut output) = self.child.stdout.take() {
            thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        }
    }

    /// Its process number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The end of what it wrote to its log.
    pub fn last_words(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let from = log.len().saturating_sub(2_000);
        log.get(from..).unwrap_or(&log).to_owned()
    }

    /// Processor time of all its threads so far, those that have ended left out.
    pub fn cpu(&self) -> Duration {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.pid()));
        let nanos = tasks.into_iter().flatten().flatten().filter_map(|task| {
            let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
            text.split(' ').next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(nanos.sum())
    }

    /// Memory that it has resident, in bytes.
    pub fn rss(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
        kib.unwrap_or_default() * 1024
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // A port must be free again before the next server binds it.
        thread::sleep(Duration::from_millis(50));
    }
}

/// The same command on the first processor. `taskset` becomes the program, so the process number is the server's.
fn pinned(command: &Command) -> Command {
    let mut pinned = Command::new("taskset");
    pinned.args(["-c", "0"]);
    pinned.arg(command.get_program()).args(command.get_args());
    pinned
}
