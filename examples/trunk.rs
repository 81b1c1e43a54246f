//! A trunk, as these examples are told of it: `HOST:PORT` over UDP, or a TOML file.
//!
//! ```toml
//! host = "sip.carrier.example"   # the one line that must be there
//! port = 5060                    # else what DNS says
//! transport = "udp"              # or tcp, tls; else what DNS says
//! domain = "carrier.example"     # else the host
//! username = "clinic"
//! password = "secret"
//! from = "+61 2 5550 0142"       # the number that is shown; the provider has to know it as yours
//! encrypted = true               # SRTP, or no call
//! pings = false                  # whether `bridge` asks by OPTIONS if it lives; else it does
//! ```

use std::error::Error;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;

use housecall::dns::{self, Dns, SystemDns};
use housecall::sip::{Credentials, Families, Peer, Target, Transport};
use housecall::trunk::SrtpPolicy;
use housecall::{Country, Number, NumberError, Trunk, TrunkSetup};
use serde::Deserialize;

/// The country whose numbers are written without a prefix.
pub(crate) const COUNTRY: Country = Country::Au;

/// What a person knows of a trunk.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Account {
    host: String,
    port: Option<u16>,
    transport: Option<String>,
    domain: Option<String>,
    username: Option<String>,
    #[serde(default)]
    password: String,
    from: Option<String>,
    #[serde(default)]
    encrypted: bool,
    pings: Option<bool>,
}

impl Account {
    /// Reads an address, or else a file.
    pub(crate) fn read(text: &str) -> Result<Self, Box<dyn Error>> {
        if let Ok(addr) = text.parse::<SocketAddr>() {
            let toml = format!("host = \"{}\"\nport = {}", addr.ip(), addr.port());
            return Ok(toml::from_str(&toml)?);
        }
        let file = std::fs::read_to_string(text).map_err(|why| format!("{text}: {why}"))?;
        Ok(toml::from_str(&file).map_err(|why| format!("{text}: {why}"))?)
    }

    /// Where it is, best first (RFC 3263).
    pub(crate) async fn peers(&self) -> Result<Vec<Peer>, Box<dyn Error>> {
        let transport = match self.transport.as_deref() {
            None => None,
            Some("udp") => Some(Transport::Udp),
            Some("tcp") => Some(Transport::Tcp),
            Some("tls") => Some(Transport::Tls),
            Some(other) => return Err(format!("transport = {other:?} is not known").into()),
        };
        let target = Target {
            port: self.port,
            transport,
            ..Target::new(&self.host)
        };
        let dns: Arc<dyn Dns> = Arc::new(SystemDns::default());
        let found = dns::find(&dns, &target, Families::V4).await;
        Ok(found.result?.peers)
    }

    /// How to speak to it, at these peers.
    pub(crate) fn setup(&self, peers: &[Peer]) -> TrunkSetup {
        let domain = self.domain.as_ref().unwrap_or(&self.host);
        let mut trunk = Trunk::new("trunk", domain);
        if let Some(username) = &self.username {
            trunk = trunk.with_credentials(Credentials::new(username, &self.password));
        }
        if self.encrypted {
            trunk.srtp = SrtpPolicy::Required;
        }
        let setup = TrunkSetup::new(trunk, peers.to_vec());
        TrunkSetup {
            tls_name: self.host.clone(),
            ping: setup.ping.filter(|_| self.pings.unwrap_or(true)),
            ..setup
        }
    }

    /// The number that whoever is rung sees. Without one, one that was set aside for fiction.
    pub(crate) fn from(&self) -> Result<Number, NumberError> {
        Number::parse(self.from.as_deref().unwrap_or("02 5550 0142"), COUNTRY)
    }
}

/// The address of this machine that a peer sees: the one from which packets leave for it.
pub(crate) fn address_towards(peer: &Peer) -> std::io::Result<IpAddr> {
    let any: IpAddr = match peer.addr {
        SocketAddr::V4(_) => [0; 4].into(),
        SocketAddr::V6(_) => [0; 16].into(),
    };
    let socket = UdpSocket::bind((any, 0))?;
    // Nothing is sent: this only asks for the way.
    socket.connect(peer.addr)?;
    Ok(socket.local_addr()?.ip())
}
