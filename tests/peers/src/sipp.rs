//! SIPp plays the carrier.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use housecall_sip::Peer;
use tokio::process::{Child, Command};
use tokio::time::timeout;

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
    /// Starts `scenarios/NAME.xml` and waits until it listens. None where there is no sipp.
    pub(crate) async fn start(scenario: &str, wire: Wire) -> Option<Self> {
        Self::start_with(scenario, wire, &[]).await
    }

    /// The same with further arguments.
    pub(crate) async fn start_with(scenario: &str, wire: Wire, further: &[&str]) -> Option<Self> {
        let program = program::find("sipp")?;
        let port = free_ports(wire.ip(), 4);
        let folder = std::env::temp_dir().join(format!("housecall-peers-{}-{port}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("scenarios/{scenario}.xml"));
        let child = Command::new(program)
            .current_dir(&folder)
            .arg("-sf").arg(file)
            .args(["-i", &wire.ip().to_string(), "-p", &port.to_string()])
            .args(["-mi", &wire.ip().to_string(), "-mp", &(port + 2).to_string()])
            .args(["-t", if wire == Wire::Tcp { "t1" } else { "u1" }])
            // One call; nothing that is owed may take longer than we wait.
            .args(["-m", "1", "-nostdin", "-recv_timeout", "20000", "-timeout", "35s", "-timeout_error"])
            .args(["-trace_err", "-error_file", "errors", "-trace_msg", "-message_file", "messages"])
            .args(further)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut sipp = Self { child, scenario: scenario.to_owned(), folder, wire, port };
        sipp.listens().await;
        Some(sipp)
    }

    pub(crate) fn peer(&self) -> Peer {
        self.wire.peer(self.port)
    }

    pub(crate) fn wire(&self) -> Wire {
        self.wire
    }

    /// Waits for the end of the scenario.
    ///
    /// # Panics
    /// SIPp objected to something, or waits in vain.
    pub(crate) async fn passed(mut self) {
        match timeout(LIMIT, self.child.wait()).await {
            Ok(status) if status.as_ref().is_ok_and(std::process::ExitStatus::success) => {}
            Ok(status) => panic!("sipp {}: {status:?}\n{}", self.scenario, self.told()),
            Err(_) => panic!("sipp {}: no end\n{}", self.scenario, self.told()),
        }
        let _ = fs::remove_dir_all(&self.folder);
    }

    /// Its port is in use once it listens.
    async fn listens(&mut self) {
        for _ in 0..400 {
            if in_use(self.wire, self.port) {
                return;
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("sipp {} does not start: {status}\n{}", self.scenario, self.told());
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

/// Whether somebody holds the port.
fn in_use(wire: Wire, port: u16) -> bool {
    let addr = wire.peer(port).addr;
    match wire {
        Wire::Tcp => std::net::TcpListener::bind(addr).is_err(),
        Wire::Udp | Wire::Udp6 => std::net::UdpSocket::bind(addr).is_err(),
    }
}
