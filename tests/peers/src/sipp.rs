//! SIPp plays the carrier.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use housecall_sip::Peer;

use crate::program;
use crate::wire::{Wire, free_ports};

/// No scenario takes longer.
const LIMIT: Duration = Duration::from_secs(40);

/// One run of a scenario: one call.
pub(crate) struct Sipp {
    child: Child,
    scenario: String,
    folder: PathBuf,
    wire: Wire,
    port: u16,
}

impl Sipp {
    /// Starts `scenarios/NAME.xml`, its `{words}` filled in, and waits until it listens. None where there is no sipp.
    pub(crate) async fn start(scenario: &str, wire: Wire, words: &[(&str, &str)]) -> Option<Self> {
        let program = program::find("sipp")?;
        let port = free_ports(wire.ip(), 6);
        let folder =
            std::env::temp_dir().join(format!("housecall-peers-{}-{port}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("scenario.xml"), filled_in(scenario, words)).unwrap();
        let child = Command::new(program)
            .current_dir(&folder)
            .args(["-sf", "scenario.xml", "-rtp_echo"])
            .args(["-i", &wire.ip().to_string(), "-p", &port.to_string()])
            .args(["-mi", &wire.ip().to_string(), "-mp", &(port + 2).to_string()])
            .args(["-t", if wire == Wire::Tcp { "t1" } else { "u1" }])
            // One call; nothing that is owed may take longer than we wait.
            .args(["-m", "1", "-nostdin", "-recv_timeout", "20000", "-timeout", "35s", "-timeout_error"])
            .args(["-trace_err", "-error_file", "errors", "-trace_msg", "-message_file", "messages"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut sipp = Self {
            child,
            scenario: scenario.to_owned(),
            folder,
            wire,
            port,
        };
        sipp.listens().await;
        Some(sipp)
    }

    pub(crate) fn peer(&self) -> Peer {
        self.wire.peer(self.port)
    }

    /// Where it wants sound.
    pub(crate) fn media_port(&self) -> u16 {
        self.port + 2
    }

    pub(crate) fn wire(&self) -> Wire {
        self.wire
    }

    /// Waits for the end of the scenario.
    ///
    /// # Panics
    /// SIPp objected to something, or waits in vain.
    pub(crate) async fn passed(mut self) {
        let until = Instant::now() + LIMIT;
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status,
                None if Instant::now() > until => {
                    panic!("sipp {}: no end\n{}", self.scenario, self.told())
                }
                None => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        };
        assert!(
            ExitStatus::success(&status),
            "sipp {}: {status:?}\n{}",
            self.scenario,
            self.told()
        );
        let _ = fs::remove_dir_all(&self.folder);
    }

    /// Its port is in use once it listens.
    async fn listens(&mut self) {
        for _ in 0..400 {
            if in_use(self.wire, self.port) {
                return;
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!(
                    "sipp {} does not start: {status}\n{}",
                    self.scenario,
                    self.told()
                );
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("sipp {} does not listen", self.scenario);
    }

    fn told(&self) -> String {
        let read = |name| fs::read_to_string(self.folder.join(name)).unwrap_or_default();
        format!("{}\n{}", read("errors"), read("messages"))
    }
}

/// SIPp's own keywords cannot stand in every place, such as a status.
fn filled_in(scenario: &str, words: &[(&str, &str)]) -> String {
    let file = format!("{}/scenarios/{scenario}.xml", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(&file).unwrap();
    words.iter().fold(text, |text, (word, filling)| {
        text.replace(&format!("{{{word}}}"), filling)
    })
}

impl Drop for Sipp {
    fn drop(&mut self) {
        // Nothing to do for one that has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether somebody holds the port. Asked of the kernel's tables: trying it would take the port away from SIPp.
fn in_use(wire: Wire, port: u16) -> bool {
    let table = match wire {
        Wire::Udp => "/proc/net/udp",
        Wire::Udp6 => "/proc/net/udp6",
        Wire::Tcp => "/proc/net/tcp",
    };
    let local = format!(":{port:04X}");
    let is_ours = |line: &str| {
        let address = line.split_whitespace().nth(1);
        address.is_some_and(|address| address.ends_with(&local))
    };
    fs::read_to_string(table).unwrap().lines().any(is_ours)
}
