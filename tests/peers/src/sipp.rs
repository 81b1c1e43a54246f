//! SIPp plays the carrier.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use housecall_sip::Peer;

use crate::front::{Front, Shown};
use crate::program;
use crate::wire::{Wire, free_ports};

/// No scenario takes longer.
const LIMIT: Duration = Duration::from_secs(40);

/// Ports of one run: SIP, two pairs for sound, the TLS end.
const PORTS: u16 = 8;
/// The TLS end is so many ports above SIPp's own.
const FRONT: u16 = 6;

/// How SIPp is run.
pub(crate) struct Run<'a> {
    /// `scenarios/NAME.xml`.
    pub(crate) scenario: &'a str,
    pub(crate) wire: Wire,
    /// What stands for `{words}` in it.
    pub(crate) words: &'a [(&'a str, &'a str)],
    /// How its TLS end shows itself, if it has one.
    pub(crate) shown: Shown,
    /// So many calls, each of which goes through the scenario.
    pub(crate) calls: u32,
    /// Whom it calls; none to be called.
    pub(crate) target: Option<SocketAddr>,
}

/// A run of a scenario.
pub(crate) struct Sipp {
    child: Child,
    scenario: String,
    folder: PathBuf,
    wire: Wire,
    port: u16,
    /// Its TLS end, where it has one.
    front: Option<Front>,
}

impl<'a> Run<'a> {
    /// Waits for one call.
    pub(crate) fn of(scenario: &'a str, wire: Wire) -> Self {
        Self {
            scenario,
            wire,
            words: &[],
            shown: Shown::default(),
            calls: 1,
            target: None,
        }
    }

    /// Starts it, and waits until it listens. None where there is no sipp.
    pub(crate) async fn start(self) -> Option<Sipp> {
        let program = program::find("sipp")?;
        let wire = self.wire;
        let port = free_ports(wire.ip(), PORTS);
        let folder =
            std::env::temp_dir().join(format!("housecall-peers-{}-{port}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let text = seen_over(wire, port, filled_in(self.scenario, self.words));
        fs::write(folder.join("scenario.xml"), text).unwrap();
        let child = Command::new(program)
            .current_dir(&folder)
            .args(self.target.map(|target| target.to_string()))
            .args(["-sf", "scenario.xml", "-rtp_echo"])
            .args(["-i", &wire.ip().to_string(), "-p", &port.to_string()])
            .args(["-mi", &wire.ip().to_string(), "-mp", &(port + 2).to_string()])
            .args(["-t", if wire.is_connection() { "t1" } else { "u1" }])
            .args(["-m", &self.calls.to_string(), "-nostdin"])
            // Nothing that is owed may take longer than we wait.
            .args(["-recv_timeout", "20000", "-timeout", "35s", "-timeout_error"])
            .args(["-trace_err", "-error_file", "errors", "-trace_msg", "-message_file", "messages"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut sipp = Sipp {
            child,
            scenario: self.scenario.to_owned(),
            folder,
            wire,
            port,
            front: None,
        };
        if self.target.is_none() {
            sipp.listens().await;
        }
        if wire == Wire::Tls {
            let behind = SocketAddr::new(wire.ip(), port);
            sipp.front = Some(Front::open(port + FRONT, behind, self.shown).await);
        }
        Some(sipp)
    }
}

impl Sipp {
    pub(crate) fn peer(&self) -> Peer {
        let port = self.front.as_ref().map_or(self.port, |front| front.port);
        self.wire.peer(port)
    }

    /// Its TLS end.
    ///
    /// # Panics
    /// It has none: the wire is another.
    pub(crate) fn front(&self) -> &Front {
        self.front.as_ref().unwrap()
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

    async fn listens(&mut self) {
        for _ in 0..400 {
            if is_listening(self.wire, self.port) {
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

/// Over TLS the peer is its TLS end: that is what its messages name.
fn seen_over(wire: Wire, port: u16, scenario: String) -> String {
    if wire != Wire::Tls {
        return scenario;
    }
    scenario
        .replace("[local_port]", &(port + FRONT).to_string())
        .replace("[transport]", "TLS")
}

impl Drop for Sipp {
    fn drop(&mut self) {
        // Nothing to do for one that has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether somebody listens there. Asked of the kernel's tables: trying it would take the port away from SIPp.
///
/// A connection that has ended keeps its port in them for a minute, and is no listener.
fn is_listening(wire: Wire, port: u16) -> bool {
    let (table, listening) = match wire {
        Wire::Udp => ("/proc/net/udp", "07"),
        Wire::Udp6 => ("/proc/net/udp6", "07"),
        Wire::Tcp | Wire::Tls => ("/proc/net/tcp", "0A"),
    };
    let local = format!(":{port:04X}");
    let is_ours = |line: &str| {
        let mut columns = line.split_whitespace().skip(1);
        let address = columns.next().unwrap_or_default();
        let state = columns.nth(1).unwrap_or_default();
        address.ends_with(&local) && state == listening
    };
    fs::read_to_string(table).unwrap().lines().any(is_ours)
}
