//! A process of a test's own, which says what it has done, until it ends or is killed.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::JoinHandle;
use std::time::Duration;

/// What every word of it begins with, as nothing does that its test runner says.
const MARK: &str = "> ";
/// No process says anything later than that.
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
            .stdin(Stdio::piped())
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

    /// Waits for its next word: of the process itself, not of its test runner.
    pub(super) fn word(&mut self) -> &str {
        let word = self.hear.recv_timeout(PATIENCE);
        self.said.push(word.expect("it says something"));
        self.said.last().unwrap()
    }

    /// Lets it go on that waits in [`until_told`].
    pub(super) fn go_on(&mut self) {
        let mut line = self.child.stdin.take().unwrap();
        line.write_all(b"go on\n").unwrap();
    }

    /// Stops it, or lets it go on.
    pub(super) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits for its end.
    pub(super) fn wait(mut self) {
        self.child.wait().unwrap();
        self.reader.join().unwrap();
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

/// Waits until whoever started this process lets it go on.
pub(super) fn until_told() {
    std::io::stdin().read_line(&mut String::new()).unwrap();
}
