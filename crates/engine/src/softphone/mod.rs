//! A telephone without a browser: one call over real sockets, silent or with a tone.
//!
//! It is what checks a trunk, what rings in the tests against other people's programs, and the shortest way to make a call from a
//! program of one's own. The same machines as in a shard do the work: `phone` speaks SIP, `bridge`'s media path carries the sound.
//!
//! ```text
//!   Softphone::bind ─ dial ─► SoftCall ── next() ──► Noted { at, what: Sip(Traced) | Phone(Event) | … }
//!        │   │                   └─ hold, resume, press, hang_up, sound()
//!        │   └─ connect, ask ─► Connected, Reply
//!        └─ thread: Desk ── SipSockets, RtpPorts ◄─► phone::Call, bridge::MediaPath ◄─► Mouth, Ear
//! ```
//!
//! Every SIP message of the call is told as well, with its secrets hidden ([`Traced`]).

mod call;
mod connections;
mod desk;
mod question;
mod trace;
mod voice;

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::sync::{mpsc, oneshot};

pub use call::{Noted, SoftCall, SoftEvent, Sound};
pub use connections::Connected;
pub use housecall_bridge::MediaStats;
pub use housecall_media::Key;
pub use housecall_media::sdp::{Codec, Direction, MediaTarget};
pub use housecall_phone::{Dial, Ended, Event, RouteFailure, Side};
pub use housecall_sip::Timers;
pub use housecall_sip::digest::{Algorithm, Challenge};
pub use question::{Asked, NoReply, Question, Reply};
pub use trace::{Proof, Traced, Way};
pub use voice::Voice;

use crate::own_thread;
use crate::sip::{Peer, ServerName, SipOptions, Unreached};
use call::Order;
use desk::Desk;

/// Orders waiting for one telephone; nobody gives them faster than a machine that tests.
const ORDERS_MAX: usize = 64;

/// One telephone on its own thread. Dropping it hangs up.
#[derive(Debug)]
pub struct Softphone {
    orders: mpsc::Sender<Order>,
    local: SocketAddr,
}

/// How a telephone is set up.
#[derive(Clone, Debug)]
pub struct SoftphoneOptions {
    /// The address of its sockets. Loopback unless said otherwise.
    pub ip: IpAddr,
    /// The address by which the other side reaches them, where a NAT stands between; `ip` if none is given.
    pub external_ip: Option<IpAddr>,
    /// Its SIP port; 0 takes a free one.
    pub sip_port: u16,
    /// Certificates, and what one SIP peer may take.
    pub sip: SipOptions,
    /// By which name the certificate of a TLS peer is checked. To a peer that is not here nothing is said over TLS.
    pub tls_names: Vec<(Peer, ServerName)>,
    /// What it says. Silence unless said otherwise.
    pub voice: Voice,
    /// Whether [`SoftEvent::Heard`] tells what is heard.
    pub tells_sound: bool,
}

impl Default for SoftphoneOptions {
    fn default() -> Self {
        Self {
            ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            external_ip: None,
            sip_port: 0,
            sip: SipOptions::default(),
            tls_names: Vec::new(),
            voice: Voice::Silence,
            tells_sound: false,
        }
    }
}

impl SoftphoneOptions {
    /// What others are told of one of our sockets. The port is the same on both sides of a NAT.
    fn as_others_see(&self, socket: SocketAddr) -> SocketAddr {
        SocketAddr::new(self.external_ip.unwrap_or(socket.ip()), socket.port())
    }
}

/// Why a telephone has no connection.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotConnected {
    /// Something stands in the way.
    #[error(transparent)]
    Unreached(#[from] Unreached),
    /// The telephone's thread is gone.
    #[error("the telephone has stopped")]
    Stopped,
}

/// Why a telephone did not dial.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotDialed {
    /// A call of this telephone is not over yet.
    #[error("this telephone is in a call")]
    Engaged,
    /// The trunk's settings make no SIP address.
    #[error(transparent)]
    BadTrunk(#[from] housecall_phone::BadTrunk),
    /// The machine has no free ports, or libopus no memory.
    #[error("no sound: {0}")]
    NoSound(#[from] io::Error),
    /// The telephone's thread is gone.
    #[error("the telephone has stopped")]
    Stopped,
}

impl Softphone {
    /// Binds the sockets and starts the thread.
    ///
    /// # Errors
    /// What the operating system says when the address cannot be bound.
    pub async fn bind(options: SoftphoneOptions) -> io::Result<Self> {
        let (orders, inbox) = mpsc::channel(ORDERS_MAX);
        let local = own_thread::start(
            "housecall-softphone".to_owned(),
            async move || {
                let desk = Desk::bind(options).await?;
                let local = desk.local();
                Ok((desk, local))
            },
            async move |desk: Desk| desk.run(inbox).await,
        )
        .await?;
        Ok(Self { orders, local })
    }

    /// The address that its SIP comes from.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// Connects to a peer, or says that a connection lasts; over UDP there is none to make. TLS peers must be among
    /// [`SoftphoneOptions::tls_names`].
    ///
    /// # Errors
    /// [`NotConnected`], after 4 s unless [`SipOptions`] says otherwise.
    pub async fn connect(&self, peer: Peer) -> Result<Connected, NotConnected> {
        let (reply, answer) = oneshot::channel();
        let sent = self.orders.send(Order::Connect { peer, reply }).await;
        sent.map_err(|_| NotConnected::Stopped)?;
        answer.await.unwrap_or(Err(NotConnected::Stopped))
    }

    /// Dials. The telephone puts its own addresses into `dial.contact` and `dial.media`, and a secret into `dial.secret` where there is
    /// none.
    ///
    /// # Errors
    /// [`NotDialed`]: nothing was sent.
    pub async fn dial(&self, dial: Dial) -> Result<SoftCall, NotDialed> {
        let (reply, answer) = oneshot::channel();
        let order = Order::Dial {
            dial: Box::new(dial),
            reply,
        };
        let sent = self.orders.send(order).await;
        sent.map_err(|_| NotDialed::Stopped)?;
        answer.await.unwrap_or(Err(NotDialed::Stopped))
    }

    /// Asks a trunk something, outside any call.
    ///
    /// # Errors
    /// [`NoReply`]; a refusal is a reply.
    pub async fn ask(&self, question: Question) -> Result<Reply, NoReply> {
        let (reply, answer) = oneshot::channel();
        let question = Box::new(question);
        let sent = self.orders.send(Order::Ask { question, reply }).await;
        sent.map_err(|_| NoReply::Stopped)?;
        answer.await.unwrap_or(Err(NoReply::Stopped))
    }
}
