use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use housecall_sip::digest::Credentials;
use housecall_sip::transaction::Timers;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tracing::info;

use crate::faults::Faults;
use crate::habits::Habits;
use crate::network::{Network, NetworkOptions};
use crate::report::Report;
use crate::sockets::{Sockets, run};

/// What a [`Carrier`] is told about itself.
#[derive(Clone, Debug)]
pub struct CarrierOptions {
    /// Where it listens for SIP, over UDP and TCP. Port 0 takes one that is free for both. Sound uses the same address.
    pub bind: SocketAddr,
    /// Its SIP domain, and the realm of its challenges.
    pub domain: String,
    /// What callers must prove to know.
    pub credentials: Credentials,
    /// How many calls it carries at once; each has an RTP port of its own.
    pub calls_max: u16,
    /// What goes wrong.
    pub faults: Faults,
    /// What it does that others do not.
    pub habits: Habits,
}

impl Default for CarrierOptions {
    /// Loopback, a free port, `sip.carrier.test`, and a password that is new each time.
    fn default() -> CarrierOptions {
        CarrierOptions {
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            domain: "sip.carrier.test".to_owned(),
            credentials: Credentials::new("harbour", &format!("{:016x}", random())),
            calls_max: 32,
            faults: Faults::default(),
            habits: Habits::default(),
        }
    }
}

/// A running network. Ends with [`Carrier::shutdown`], or when dropped.
#[derive(Debug)]
pub struct Carrier {
    addr: SocketAddr,
    domain: String,
    credentials: Credentials,
    network: Arc<Mutex<Network>>,
    /// Dropping it stops the task.
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Carrier {
    /// Opens the sockets and begins to take calls, on the present tokio runtime.
    ///
    /// # Errors
    /// The address cannot be bound.
    pub async fn start(options: CarrierOptions) -> io::Result<Carrier> {
        let (udp, tcp) = bind(options.bind).await?;
        let addr = udp.local_addr()?;
        let media = bind_media(addr, options.calls_max).await?;
        let network = Network::new(NetworkOptions {
            sip: addr,
            media: media.iter().map(|(at, _)| *at).collect(),
            domain: options.domain.clone(),
            credentials: Some(options.credentials.clone()),
            timers: Timers::default(),
            seed: random(),
            faults: options.faults,
            habits: options.habits,
        });
        let network = Arc::new(Mutex::new(network));
        let (stop, stopped) = oneshot::channel();
        let sockets = Sockets::new(udp, tcp, media);
        let task = tokio::spawn(run(network.clone(), sockets, stopped));
        info!(%addr, domain = options.domain, "carrier listens");
        Ok(Carrier {
            addr,
            domain: options.domain,
            credentials: options.credentials,
            network,
            stop,
            task,
        })
    }

    /// Where to send SIP, over UDP or TCP.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The domain for addresses of its subscribers.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// What to answer its challenges with.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// What every subscriber has heard so far.
    pub fn report(&self) -> Report {
        lock(&self.network).report()
    }

    /// Closes the sockets. Calls in progress fall silent, as when a line is cut.
    pub async fn shutdown(self) {
        drop(self.stop);
        // The task ends as soon as it sees the channel closed; how it ended concerns nobody.
        let _ = self.task.await;
    }
}

/// A panic elsewhere must not silence the network: its state is whole between two calls of its methods.
pub(crate) fn lock(network: &Mutex<Network>) -> MutexGuard<'_, Network> {
    network.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How often a free port is looked for that nobody uses over TCP either.
const BIND_ATTEMPTS: u8 = 16;

async fn bind(addr: SocketAddr) -> io::Result<(UdpSocket, TcpListener)> {
    let mut attempts = BIND_ATTEMPTS;
    loop {
        let udp = UdpSocket::bind(addr).await?;
        match TcpListener::bind(udp.local_addr()?).await {
            Ok(tcp) => return Ok((udp, tcp)),
            Err(error) if addr.port() != 0 || attempts == 0 => return Err(error),
            Err(_) => attempts -= 1,
        }
    }
}

async fn bind_media(sip: SocketAddr, count: u16) -> io::Result<Vec<(SocketAddr, UdpSocket)>> {
    let mut media = Vec::new();
    for _ in 0..count {
        let socket = UdpSocket::bind(SocketAddr::new(sip.ip(), 0)).await?;
        media.push((socket.local_addr()?, socket));
    }
    Ok(media)
}

/// The standard library seeds its hash tables from the system's generator; that is random enough for a pretend network.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
