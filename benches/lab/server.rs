//! A server under test.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use crate::Result;
use crate::codec::Codec;
use crate::housecall::Housecall;
use crate::inside::CABLE_ADDRESS;
use crate::janus::Janus;
use crate::program::Program;
use crate::rtpengine::Rtpengine;

/// Whose it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Ours.
    Housecall,
    /// Sipwise's, of Debian.
    Rtpengine,
    /// Meetecho's, of Debian, with its AudioBridge plugin.
    Janus,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Housecall => "Housecall",
            Self::Rtpengine => "rtpengine",
            Self::Janus => "Janus",
        })
    }
}

/// What each side of a call needs to know of the server.
#[derive(Clone, Debug)]
pub struct Joined {
    /// The answer for the browser.
    pub answer: String,
    /// Where the telephone sends its sound.
    pub phone_peer: SocketAddr,
}

/// A running server.
#[derive(Debug)]
pub enum Server {
    /// Ours.
    Housecall(Housecall),
    /// Sipwise's.
    Rtpengine(Rtpengine),
    /// Meetecho's.
    Janus(Janus),
}

impl Server {
    /// Starts one that joins browsers that speak `codec` to telephones that speak PCMU. Its log is in `folder`.
    ///
    /// # Errors
    /// It does not start.
    pub async fn start(kind: Kind, codec: Codec, folder: &Path) -> Result<Self> {
        Ok(match kind {
            Kind::Housecall => Self::Housecall(Housecall::start(folder, codec).await?),
            Kind::Rtpengine => Self::Rtpengine(Rtpengine::start(folder, codec).await?),
            Kind::Janus => Self::Janus(Janus::start(folder).await?),
        })
    }

    /// Its process.
    pub fn program(&self) -> &Program {
        match self {
            Self::Housecall(housecall) => &housecall.program,
            Self::Rtpengine(rtpengine) => &rtpengine.program,
            Self::Janus(janus) => &janus.program,
        }
    }

    /// The address that its browsers must have.
    ///
    /// # Errors
    /// Never, as long as that address is one.
    pub fn browser_ip(&self) -> Result<IpAddr> {
        Ok(match self {
            Self::Janus(_) => CABLE_ADDRESS.parse()?,
            _ => IpAddr::V4(Ipv4Addr::LOCALHOST),
        })
    }

    /// Joins a browser that made this offer to a telephone.
    ///
    /// # Errors
    /// The server refuses, in its own words.
    pub async fn join(&mut self, offer: &str, phone: SocketAddr) -> Result<Joined> {
        match self {
            Self::Housecall(housecall) => housecall.join(offer, phone).await,
            Self::Rtpengine(rtpengine) => rtpengine.join(offer, phone).await,
            Self::Janus(janus) => janus.join(offer, phone).await,
        }
    }
}
