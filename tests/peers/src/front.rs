//! The TLS end of a trunk, in front of a program that speaks SIP over TCP alone.
//!
//! ```text
//!   our telephone ◄── TLS, one connection after the other ──► Front ◄── one TCP connection ──► sipp
//! ```

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{
    ClientConfig, ProtocolVersion, RootCertStore, ServerConfig, SupportedProtocolVersion, version,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

use crate::certificates::{Authority, NAME, TRUSTED};

/// Nothing that is waited for takes longer.
const LIMIT: Duration = Duration::from_secs(10);
/// RFC 5626 §4.4.1.
const PING: &[u8] = b"\r\n\r\n";
const PONG: &[u8] = b"\r\n";

/// The name in the certificate of our telephones.
pub(crate) const OUR_NAME: &str = "clinic.test";

/// What the trunk shows of itself.
pub(crate) struct Shown {
    pub(crate) authority: &'static Authority,
    pub(crate) name: &'static str,
    pub(crate) versions: Vec<&'static SupportedProtocolVersion>,
}

impl Default for Shown {
    /// The certificate that is expected, and both versions.
    fn default() -> Self {
        Self {
            authority: &TRUSTED,
            name: NAME,
            versions: rustls::ALL_VERSIONS.to_vec(),
        }
    }
}

/// What the trunk has seen of us so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// One for each handshake that came about: which name we asked for, and the version.
    pub(crate) handshakes: Vec<(Option<String>, Option<ProtocolVersion>)>,
    /// Handshakes that came to nothing.
    pub(crate) refused: usize,
    /// Connections that have ended on both sides.
    pub(crate) closed: usize,
    /// Bytes of ours, apart from pings and pongs.
    pub(crate) bytes: usize,
    pub(crate) pings: usize,
    pub(crate) pongs: usize,
}

enum Order {
    /// Ends the connection without a word of TLS, as a machine does that restarts.
    Cut,
    /// Does so when the program behind next says something that begins with this, and says it on the next connection.
    CutBefore(&'static [u8]),
    Ping,
    /// Connects to us.
    Dial(SocketAddr),
}

/// A TLS port. Closed with this value.
pub(crate) struct Front {
    pub(crate) port: u16,
    seen: Arc<Mutex<Seen>>,
    orders: mpsc::UnboundedSender<Order>,
    task: JoinHandle<()>,
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Front {
    /// Opens `port`, for what is said to be passed on to `behind`.
    pub(crate) async fn open(port: u16, behind: SocketAddr, shown: Shown) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
        let (orders, inbox) = mpsc::unbounded_channel();
        let seen = Arc::default();
        let relay = Relay {
            listener: listener.unwrap(),
            acceptor: acceptor(shown),
            addr: behind,
            behind: None,
            cut_before: None,
            kept: Vec::new(),
            orders: inbox,
            seen: Arc::clone(&seen),
        };
        Self {
            port,
            seen,
            orders,
            task: tokio::spawn(relay.run()),
        }
    }

    pub(crate) fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }

    /// Waits until it has seen what is wanted.
    pub(crate) async fn sees(&self, what: &str, wanted: impl Fn(&Seen) -> bool) {
        let until = async {
            while !wanted(&self.seen()) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        let seen = timeout(LIMIT, until).await;
        assert!(seen.is_ok(), "in vain: {what}: {:?}", self.seen());
    }

    /// Loses the connection, and waits until we have noticed.
    pub(crate) async fn loses_the_connection(&self) {
        let closed = self.seen().closed;
        self.order(Order::Cut);
        self.sees("our end closed", |seen| seen.closed > closed)
            .await;
    }

    /// Will lose the connection in the moment in which the program behind begins with `word`.
    pub(crate) fn will_lose_the_connection_at(&self, word: &'static str) {
        self.order(Order::CutBefore(word.as_bytes()));
    }

    pub(crate) fn pings(&self) {
        self.order(Order::Ping);
    }

    pub(crate) fn dials(&self, to: SocketAddr) {
        self.order(Order::Dial(to));
    }

    fn order(&self, order: Order) {
        assert!(self.orders.send(order).is_ok(), "the front has panicked");
    }
}

struct Relay {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    addr: SocketAddr,
    /// The program behind has one connection for all of ours, as behind any balancer of load.
    behind: Option<TcpStream>,
    cut_before: Option<&'static [u8]>,
    /// What the program behind said when the connection was lost.
    kept: Vec<u8>,
    orders: mpsc::UnboundedReceiver<Order>,
    seen: Arc<Mutex<Seen>>,
}

impl Relay {
    async fn run(mut self) {
        loop {
            let secure = tokio::select! {
                accepted = self.listener.accept() => self.accept(accepted.unwrap().0).await,
                order = self.orders.recv() => match order {
                    Some(Order::Dial(to)) => Some(dial(to).await),
                    Some(Order::CutBefore(word)) => {
                        self.cut_before = Some(word);
                        None
                    }
                    Some(Order::Cut | Order::Ping) => panic!("there is no connection"),
                    None => return,
                },
            };
            if let Some(secure) = secure {
                self.pass_on(secure).await;
                self.note(|seen| seen.closed += 1);
            }
        }
    }

    fn note(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.seen.lock().unwrap());
    }

    async fn accept(&self, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
        match self.acceptor.accept(stream).await {
            Ok(secure) => {
                let (_, tls) = secure.get_ref();
                let handshake = (tls.server_name().map(str::to_owned), tls.protocol_version());
                self.note(|seen| seen.handshakes.push(handshake));
                Some(secure.into())
            }
            Err(_) => {
                self.note(|seen| seen.refused += 1);
                None
            }
        }
    }

    async fn pass_on(&mut self, mut secure: TlsStream<TcpStream>) {
        let mut behind = match self.behind.take() {
            Some(behind) => behind,
            None => TcpStream::connect(self.addr).await.unwrap(),
        };
        say(&mut secure, &std::mem::take(&mut self.kept)).await;
        self.carry(&mut secure, &mut behind).await;
        self.behind = Some(behind);
    }

    /// Carries what is said, until our side has closed. The program behind may be gone before.
    async fn carry(&mut self, secure: &mut TlsStream<TcpStream>, behind: &mut TcpStream) {
        let (mut ours, mut theirs) = (vec![0; 65_536], vec![0; 65_536]);
        let mut is_there = true;
        loop {
            tokio::select! {
                read = secure.read(&mut ours) => match read {
                    Ok(length @ 1..) => self.hear_us(secure, behind, &ours[..length]).await,
                    _ => return,
                },
                read = behind.read(&mut theirs), if is_there => match read {
                    Ok(length @ 1..) if self.is_to_cut(&theirs[..length]) => {
                        self.kept = theirs[..length].to_vec();
                        return cut(secure).await;
                    }
                    Ok(length @ 1..) => say(secure, &theirs[..length]).await,
                    _ => is_there = false,
                },
                order = self.orders.recv() => match order {
                    Some(Order::Cut) => return cut(secure).await,
                    Some(Order::CutBefore(word)) => self.cut_before = Some(word),
                    Some(Order::Ping) => say(secure, PING).await,
                    Some(Order::Dial(_)) => panic!("there is a connection"),
                    None => return,
                },
            }
        }
    }

    fn is_to_cut(&mut self, said: &[u8]) -> bool {
        let is_it = |word: &mut &[u8]| said.starts_with(word);
        self.cut_before.take_if(is_it).is_some()
    }

    /// SIPp takes pings for messages, so they are answered here.
    async fn hear_us(
        &self,
        secure: &mut TlsStream<TcpStream>,
        behind: &mut TcpStream,
        said: &[u8],
    ) {
        match said {
            PING => {
                self.note(|seen| seen.pings += 1);
                say(secure, PONG).await;
            }
            PONG => self.note(|seen| seen.pongs += 1),
            said => {
                // A pong may come in one read with a message before it that has no body.
                let pongs = usize::from(said.ends_with(b"\r\n\r\n\r\n"));
                self.note(|seen| {
                    seen.bytes += said.len();
                    seen.pongs += pongs;
                });
                // A program that has ended wants to hear no more.
                let _ = behind.write_all(said).await;
            }
        }
    }
}

async fn say(secure: &mut TlsStream<TcpStream>, what: &[u8]) {
    // Whoever has gone hears nothing; the next read says so.
    let _ = secure.write_all(what).await;
    let _ = secure.flush().await;
}

/// Says that nothing more comes, and waits until the other side has closed too.
async fn cut(secure: &mut TlsStream<TcpStream>) {
    let (stream, _) = secure.get_mut();
    stream.shutdown().await.unwrap();
    while let Ok(1..) = stream.read(&mut [0; 4_096]).await {}
}

async fn dial(to: SocketAddr) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(&TRUSTED.root_pem());
    roots.add(root.unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(to).await.unwrap();
    let secure = TlsConnector::from(Arc::new(config))
        .connect(OUR_NAME.try_into().unwrap(), stream)
        .await;
    secure.unwrap().into()
}

fn acceptor(shown: Shown) -> TlsAcceptor {
    let own = shown.authority.certify(shown.name);
    let chain = CertificateDer::from_pem_slice(&own.chain_pem).unwrap();
    let key = PrivateKeyDer::from_pem_slice(&own.key_pem).unwrap();
    let config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&shown.versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![chain], key);
    TlsAcceptor::from(Arc::new(config.unwrap()))
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
