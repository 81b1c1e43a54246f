//! A process of a test's own, which says what it has done, until it is killed.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::JoinHandle;
use std::time::Duration;

/// What every word of it begins with, as nothing does that its test runner says.
const MARK: &str = "> ";
/// No process begins later than that.
const PATIENCE: Duration = Duration::from_secs(30);

/// Killed when told to be.
pub(super) struct Process {
    child: Child,
    hear: Receiver<String>,
    reader: JoinHandle<()>,
    said: Vec<String>,
}

impl Process {
    /// Starts this program again as one of its tests, which finds its orders in the environment.
    pub(super) fn start(test: &str, orders: &[(&str, String)]) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .envs(orders.iter().map(|(name, order)| (name, order)))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (tell, hear) = mpsc::channel();
        let reader = std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some(word) = line.strip_prefix(MARK) {
                    let _ = tell.send(word.to_owned());
                }
            }
        });
        Self {
            child,
            hear,
            reader,
            said: Vec::new(),
        }
    }

    /// Waits until it has said something.
    pub(super) fn wait_for_a_word(&mut self) {
        let word = self.hear.recv_timeout(PATIENCE);
        self.said.push(word.expect("it says something"));
    }

    /// Kills it, and returns all that it has said.
    pub(super) fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.reader.join().unwrap();
        self.said.extend(self.hear.try_iter());
        self.said
    }
}

/// What such a process says.
pub(super) fn say(word: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{MARK}{word}").unwrap();
    out.flush().unwrap();
}
