use bytes::Bytes;
use housecall_media::sdp::MediaTarget;
use housecall_media::srtp::{Srtp, SrtpError};

/// What stands between the phone's datagrams and everybody who learns anything from them.
#[derive(Debug)]
pub(super) enum Protection {
    /// Plain RTP, as both agreed.
    Open,
    /// SRTP.
    Secured(Box<Srtp>),
    /// SRTP with keys that this build cannot use: nothing leaves and nothing is heard, rather than leave open what was to be secured.
    Unusable,
}

impl Protection {
    pub(super) fn new(target: &MediaTarget) -> Self {
        match target.srtp.as_ref().map(Srtp::new) {
            None => Self::Open,
            Some(Ok(srtp)) => Self::Secured(Box::new(srtp)),
            Some(Err(_)) => Self::Unusable,
        }
    }

    /// Takes the keys of a later description. `overlaps` hears, for a moment, what is still on its way under the keys before; those of
    /// another fork are not.
    pub(super) fn change(&mut self, target: &MediaTarget, overlaps: bool) {
        let goes_on = match (&mut *self, &target.srtp) {
            (Self::Secured(srtp), Some(pair)) => srtp.rekey(pair, overlaps).is_ok(),
            (Self::Open, None) => true,
            _ => false,
        };
        if !goes_on {
            *self = Self::new(target);
        }
    }

    /// Whether what is read proves by itself who sent it.
    pub(super) fn authenticates(&self) -> bool {
        matches!(self, Self::Secured(_))
    }

    pub(super) fn protect_rtp(&mut self, packet: Bytes) -> Option<Bytes> {
        match self {
            Self::Open => Some(packet),
            Self::Secured(srtp) => srtp.protect_rtp(&packet).ok(),
            Self::Unusable => None,
        }
    }

    pub(super) fn protect_rtcp(&mut self, packet: Bytes) -> Option<Bytes> {
        match self {
            Self::Open => Some(packet),
            Self::Secured(srtp) => srtp.protect_rtcp(&packet).ok(),
            Self::Unusable => None,
        }
    }

    pub(super) fn read_rtp(&mut self, datagram: Bytes) -> Result<Bytes, SrtpError> {
        match self {
            Self::Open => Ok(datagram),
            Self::Secured(srtp) => srtp.unprotect_rtp(&datagram),
            Self::Unusable => Err(SrtpError::NoCipher),
        }
    }

    pub(super) fn read_rtcp(&mut self, datagram: &[u8]) -> Result<Bytes, SrtpError> {
        match self {
            Self::Open => Ok(Bytes::copy_from_slice(datagram)),
            Self::Secured(srtp) => srtp.unprotect_rtcp(datagram),
            Self::Unusable => Err(SrtpError::NoCipher),
        }
    }
}
