use std::net::SocketAddr;

use housecall_browser::OfferRefused;
use housecall_media::coder::CodecError;
use housecall_phone::{BadTrunk, Dial, WrongMoment};

use crate::PathOptions;

/// Whom a bridge calls, and where the caller's browser is.
#[derive(Clone, Debug)]
pub struct BridgeOptions {
    /// The phone call.
    pub dial: Dial,
    /// The address by which the browser reaches us.
    pub browser_local: SocketAddr,
    /// Whether our ICE only answers checks (see `housecall_browser::Options::lite`).
    pub ice_lite: bool,
    /// How the sound behaves.
    pub path: PathOptions,
}

impl BridgeOptions {
    /// The defaults: the caller hears the ringing tone of the country that is called.
    pub fn new(dial: Dial, browser_local: SocketAddr) -> Self {
        Self {
            path: PathOptions::of(&dial),
            dial,
            browser_local,
            ice_lite: false,
        }
    }
}

impl PathOptions {
    /// The defaults for a call: the ringing tone is that of the country that is called.
    pub fn of(dial: &Dial) -> Self {
        let country = dial.to.country().map_or("", |country| country.iso());
        // Another stream of numbers than the one that the SIP tags come from.
        Self::new(country, dial.seed.rotate_left(32) ^ 0x5254_5020_5254_4350)
    }
}

/// Why no call was begun.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DialRefused {
    /// The page must send another offer.
    #[error(transparent)]
    Offer(#[from] OfferRefused),
    /// An administrator must mend the trunk's settings.
    #[error(transparent)]
    Trunk(#[from] BadTrunk),
    /// The machine has no memory for a codec.
    #[error(transparent)]
    Codec(#[from] CodecError),
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The user asked at the wrong moment.
    #[error("cannot {action} while {state}")]
    WrongMoment {
        /// What was asked for.
        action: &'static str,
        /// What the call is doing.
        state: &'static str,
    },
    /// No telephone has such a key.
    #[error("no key {0:?}")]
    NoSuchKey(char),
    /// Keys are pressed faster than they can be sent.
    #[error("{waiting} keys wait already")]
    TooManyKeys {
        /// How many wait.
        waiting: usize,
    },
    /// The browser, or who pretends to be it, sent what it should not. The call goes on.
    #[error(transparent)]
    Browser(#[from] housecall_browser::DatagramRefused),
}

impl From<WrongMoment> for Error {
    fn from(wrong: WrongMoment) -> Self {
        Self::WrongMoment {
            action: wrong.action,
            state: wrong.state,
        }
    }
}
