//! A PostgreSQL server of one test alone, which it may treat as badly as it likes.

use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::Address;

/// How often a start is tried.
const STARTS_MAX: u32 = 10;

/// Stopped, and its data gone, when dropped.
pub(super) struct Server {
    programs: PathBuf,
    directory: PathBuf,
    port: u16,
}

impl Server {
    /// Starts one with its data in that directory, which is made if need be. None, and a word about it, where PostgreSQL is not installed.
    pub(super) fn start(directory: &Path) -> Option<Self> {
        let Some(programs) = programs() else {
            eprintln!("SKIPPED: there is no initdb to make a PostgreSQL server with");
            return None;
        };
        std::fs::create_dir_all(directory).unwrap();
        if is_root() {
            // The server refuses to run as root.
            let [user, group] = ["-u", "-g"].map(|which| id(&[which, "postgres"]));
            chown(directory, Some(user), Some(group)).unwrap();
        }
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            programs,
            directory: directory.to_owned(),
            port: free.local_addr().unwrap().port(),
        };
        drop(free);
        server.run(
            "initdb",
            &[
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
                "--wal-segsize=1",
            ],
        );
        server.go_on();
        Some(server)
    }

    pub(super) fn address(&self) -> Address {
        let port = self.port;
        format!("postgres://postgres@127.0.0.1:{port}/postgres")
            .as_str()
            .into()
    }

    /// Ends all of it at once, as a failure of power does, and starts it again.
    pub(super) fn restart_at_once(&self) {
        self.stop_at_once();
        self.go_on();
    }

    /// Ends all of it at once.
    pub(super) fn stop_at_once(&self) {
        self.run("pg_ctl", &["stop", "-m", "immediate", "-w"]);
    }

    /// Starts it, if it stands still.
    pub(super) fn go_on(&self) {
        if self.try_run("pg_ctl", &["status"]) {
            return;
        }
        let settings = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_wal_size=8MB -c min_wal_size=2MB",
            self.port
        );
        let log = self.directory.join("log");
        let log = log.to_str().unwrap();
        let start = ["start", "-w", "-t", "120", "-l", log, "-o", &settings];
        // Somebody's connection may have the port for a moment, now that nobody listens there; and a machine may stand still.
        let starts = (0..STARTS_MAX).any(|_| {
            let is_there = self.try_run("pg_ctl", &start) || self.try_run("pg_ctl", &["status"]);
            if !is_there {
                std::thread::sleep(Duration::from_secs(1));
            }
            is_there
        });
        let why = || std::fs::read_to_string(log).unwrap_or_default();
        assert!(starts, "{settings}: {}", why());
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        assert!(self.try_run(program, arguments), "{program} {arguments:?}");
    }

    fn try_run(&self, program: &str, arguments: &[&str]) -> bool {
        let program = self.programs.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args([
                "--reuid=postgres",
                "--regid=postgres",
                "--init-groups",
                "--",
            ]);
            command.arg(program);
            command
        } else {
            Command::new(program)
        };
        let data = self.directory.join("data");
        let command = command.arg("-D").arg(data).args(arguments);
        let command = command
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.status().unwrap().success()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.try_run("pg_ctl", &["stop", "-m", "immediate", "-w"]);
        // What stays behind is the machine's to clean.
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// Where the programs of the newest PostgreSQL are; Debian has them in no PATH.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&path).find(|folder| folder.join("initdb").exists());
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let newest = versions
        .filter_map(|version| {
            Some((
                version.file_name().to_str()?.parse::<u32>().ok()?,
                version.path(),
            ))
        })
        .max();
    let newest = newest.map(|(_, path)| path.join("bin"));
    in_path.or(newest.filter(|folder| folder.join("initdb").exists()))
}

pub(super) fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

fn id(arguments: &[&str]) -> u32 {
    let said = Command::new("id").args(arguments).output().unwrap();
    String::from_utf8(said.stdout)
        .unwrap()
        .trim()
        .parse()
        .unwrap()
}
