//! How an engine is set up.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use housecall_media::sound::Sound;
use housecall_phone::{Country, DestinationPolicy, Dial};

use crate::dns::{Dns, SystemDns};
use crate::limits::DialLimits;
use crate::shard::SipOptions;
use crate::trunks::TrunkSetup;

/// The options of one engine, with the reason of each default.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// The address that media and SIP sockets are bound to, and that browsers and, unless `external_ip` differs, trunks are told.
    ///
    /// Loopback unless said otherwise: a first run is seen by nobody else.
    pub ip: IpAddr,
    /// The address by which trunks reach [`EngineOptions::ip`], where a NAT with forwarded ports stands between: it is what Via, Contact
    /// and session descriptions say. None: they say where the sockets are.
    pub external_ip: Option<IpAddr>,
    /// Media threads. One for each core, at most [`SHARDS_MAX`].
    pub shards: usize,
    /// The media port of the first shard, the others counting up from it; 0 takes free ports.
    pub media_port: u16,
    /// The SIP port of the first shard, the others counting up from it; 0 takes free ports.
    pub sip_port: u16,
    /// Certificates, the addresses of trunks, and what one SIP peer may take.
    pub sip: SipOptions,
    /// Only answer ICE checks (RFC 8445 §2.5). Off, since Firefox never reaches a lite agent on loopback.
    pub ice_lite: bool,
    /// The providers that carry phone calls, best first; without one every dial is refused with words.
    pub trunks: Vec<TrunkSetup>,
    /// Who is asked where trunks are. The machine's name servers.
    pub dns: Arc<dyn Dns>,
    /// The country whose numbers are written without a prefix.
    pub country: Country,
    /// Which numbers may be rung.
    pub destinations: DestinationPolicy,
    /// How often and how many at once.
    pub limits: DialLimits,
    /// What a phone on hold hears, again and again; our own music if none.
    pub hold_music: Option<Sound>,
    /// Whether noise around the far end's voice is taken away. Off: it delays the voice, and takes tones and music for noise.
    pub suppress_noise: bool,
    /// Whether keys pressed at a phone are also heard as tones, where its trunk agrees to no telephone events (RFC 4733).
    pub hear_tones: bool,
    /// Whether a browser is asked for G.711 where the trunk's codecs begin with it, which then goes straight through while its packets come
    /// evenly and whole: a third of the work and no delay, but a narrower voice and nothing that bridges a loss. Off.
    pub straight_g711: bool,
    /// How long a phone rings before it counts as not answered (P7).
    pub ring_limit: Duration,
}

/// More media threads than this help nobody.
pub const SHARDS_MAX: usize = 64;

impl EngineOptions {
    /// What a trunk is told of one of our sockets. The port is the same on both sides of a NAT.
    pub(crate) fn as_trunks_see(&self, socket: SocketAddr) -> SocketAddr {
        SocketAddr::new(self.external_ip.unwrap_or(socket.ip()), socket.port())
    }

    /// The defaults for a practice in `country`.
    #[must_use]
    pub fn new(country: Country) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            external_ip: None,
            shards: cores.min(SHARDS_MAX),
            media_port: 0,
            sip_port: 0,
            sip: SipOptions::default(),
            ice_lite: false,
            trunks: Vec::new(),
            dns: Arc::new(SystemDns::default()),
            country,
            destinations: DestinationPolicy::domestic(country),
            limits: DialLimits::default(),
            hold_music: None,
            suppress_noise: false,
            hear_tones: false,
            straight_g711: false,
            ring_limit: Dial::RING_LIMIT,
        }
    }
}
