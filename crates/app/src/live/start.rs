//! Starts what is alive behind the pages: the engine, and in a demonstration its telephone network.

use std::io;
use std::path::Path;
use std::sync::Arc;

use housecall::ports::Ports;
use housecall::sip::Peer;
use housecall::trunk::SrtpPolicy;
use housecall::{Country, Engine, EngineOptions, Trunk, TrunkSetup};
use housecall_carrier::{Carrier, CarrierOptions};
use housecall_store::{Node, Spooled};
use tokio::sync::Mutex;

use super::MoneyClock;
use crate::config::{Config, ExternalAddress};

/// What is alive: visits and calls, the clock that charges run on, and the pretend network of a demonstration.
#[derive(Clone)]
pub struct Live {
    /// Holds visits and makes calls.
    pub engine: Engine,
    /// The time by which money is counted.
    pub money: MoneyClock,
    /// This process among others on its database.
    pub node: Node,
    /// Taken by whoever claims a room and opens it, or gives it back because it is not open.
    pub(crate) claiming: Arc<Mutex<()>>,
    /// The demonstration's telephone network.
    pub carrier: Option<Arc<Carrier>>,
}

/// Why the engine did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LiveError {
    /// An address or port cannot be bound.
    #[error(
        "cannot bind the ports of media and telephony at {address}: {why}. Change [media] in the configuration"
    )]
    Ports {
        /// The configured address.
        address: std::net::IpAddr,
        /// What the system says.
        why: io::Error,
    },
    /// The settings make no trunk.
    #[error(transparent)]
    Trunk(#[from] housecall::trunk::BadTrunk),
    /// A file that the configuration names cannot be read.
    #[error("cannot read {what} from {file}: {why}")]
    Unreadable {
        /// What is in it.
        what: String,
        /// The file.
        file: String,
        /// What the system says.
        why: io::Error,
    },
    /// The music is none.
    #[error(
        "media.hold_music is {file}, which cannot be played: {why}. Write the name of a WAV or Ogg Opus file, or leave the line out for our own music"
    )]
    Music {
        /// The file.
        file: String,
        /// What is wrong with it.
        why: housecall::SoundError,
    },
    /// The further roots are none.
    #[error(
        "sip.roots_file is {file}, which cannot be used: {why}. Write the name of a PEM file with the certificates of the trunk's authority"
    )]
    Roots {
        /// The file.
        file: String,
        /// What is wrong with it.
        why: housecall::sip::TlsSetup,
    },
}

impl LiveError {
    /// Says of what in which file the system says something.
    pub(super) fn unreadable(
        what: impl Into<String>,
        file: &Path,
    ) -> impl FnOnce(io::Error) -> Self {
        let (what, file) = (what.into(), file.display().to_string());
        move |why| Self::Unreadable { what, file, why }
    }
}

impl Live {
    /// Starts the engine for practices in `country`, with the trunk of the configuration, or the demonstration's.
    ///
    /// # Errors
    /// When a port cannot be bound or a secret cannot be read.
    pub async fn start(
        config: &Config,
        node: Node,
        ledger: Spooled,
        country: Country,
    ) -> Result<Self, LiveError> {
        let address = config.media.address;
        let ports_error = |why| LiveError::Ports { address, why };
        let carrier = match (config.trunks.is_empty(), config.demo) {
            (true, true) => Some(Arc::new(
                Carrier::start(CarrierOptions::default())
                    .await
                    .map_err(ports_error)?,
            )),
            _ => None,
        };
        let money = MoneyClock::default();
        let ports = Ports {
            ledger: Arc::new(ledger),
            records: Arc::new(node.store().clone()),
            clock: Arc::new(money.clone()),
        };
        let options = EngineOptions {
            trunks: trunks(config, country, carrier.as_deref())?,
            sip: super::roots::sip_options(config)?,
            hold_music: super::music::hold_music(config)?,
            ..options(config, country)
        };
        let engine = Engine::start(options, ports).await.map_err(ports_error)?;
        Ok(Self {
            engine,
            money,
            node,
            claiming: Arc::default(),
            carrier,
        })
    }
}

fn options(config: &Config, country: Country) -> EngineOptions {
    let defaults = EngineOptions::new(country);
    EngineOptions {
        ip: config.media.address,
        external_ip: config.sip.external_address.map(ExternalAddress::ip),
        media_port: config.media.port,
        ice_lite: config.media.ice_lite,
        suppress_noise: config.media.suppress_noise,
        hear_tones: config.media.hear_tones,
        straight_g711: config.media.straight_g711,
        shards: match config.media.shards {
            0 => defaults.shards,
            shards => usize::from(shards),
        },
        ..defaults
    }
}

fn trunks(
    config: &Config,
    country: Country,
    carrier: Option<&Carrier>,
) -> Result<Vec<TrunkSetup>, LiveError> {
    if let Some(carrier) = carrier {
        let trunk = Trunk::new("the pretend network", carrier.domain());
        let trunk = Trunk {
            srtp: SrtpPolicy::Preferred,
            ..trunk.with_credentials(carrier.credentials().clone())
        };
        return Ok(vec![TrunkSetup::new(trunk, Peer::udp(carrier.addr()))]);
    }
    let configured = config.trunks.iter();
    configured
        .map(|trunk| super::trunk::setup(trunk, country))
        .collect()
}
