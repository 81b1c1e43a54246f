use std::fmt;

use bytes::Bytes;

use super::receiver::Receiver;
use super::sender::Sender;
use super::{SrtpPair, SrtpSuite};

/// Both directions of one stream: protects what leaves and unprotects what arrives.
///
/// No error ends anything: a packet that is refused is counted by its reader, and the next is read as if it had never come.
pub struct Srtp {
    suite: SrtpSuite,
    sender: Sender,
    receiver: Receiver,
    /// What arrived under the keys before, until the present ones have shown themselves: packets are on their way when keys change.
    previous: Option<Receiver>,
}

/// Why a packet is not taken, or not made.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SrtpError {
    /// It ends before its header and its tag do, or its header is none.
    #[error("{bytes} bytes are no packet with a tag")]
    Malformed {
        /// Bytes there are.
        bytes: usize,
    },
    /// Its tag is not made with the key: somebody else sent it, or changed it.
    #[error("the tag is not of this key")]
    Forged,
    /// It was taken before, or is too old to know.
    #[error("replayed")]
    Replayed,
    /// RTCP that says of itself that it is not encrypted, which nobody agreed to.
    #[error("not encrypted")]
    NotEncrypted,
    /// It names another key than the one agreed.
    #[error("another key's name")]
    WrongMki,
    /// More authentic sources than one stream has.
    #[error("more than {cap} sources")]
    TooManySources {
        /// The cap.
        cap: usize,
    },
    /// As many packets have been protected as one key may protect (RFC 3711 §9.2).
    #[error("the key is worn out")]
    WornOut,
    /// This build has no cipher for the suite.
    #[error("no cipher")]
    NoCipher,
}

impl Srtp {
    /// Begins with the keys that were agreed.
    ///
    /// # Errors
    /// [`SrtpError::NoCipher`]
    pub fn new(pair: &SrtpPair) -> Result<Self, SrtpError> {
        Ok(Self {
            suite: pair.suite,
            sender: Sender::new(pair.suite, &pair.ours)?,
            receiver: Receiver::new(pair.suite, &pair.theirs)?,
            previous: None,
        })
    }

    /// Takes the keys of a later description. A direction whose key is the same goes on as it is, so that a hold neither begins its
    /// numbers again nor lets anything be replayed; one whose key is new keeps its roll-over counter (RFC 3711 §3.3.1).
    ///
    /// With `overlap`, packets under the key before are still taken until the first under the new one.
    ///
    /// # Errors
    /// [`SrtpError::NoCipher`]: nothing has changed.
    pub fn rekey(&mut self, pair: &SrtpPair, overlap: bool) -> Result<(), SrtpError> {
        if !self.sender.uses(pair.suite, &pair.ours) {
            self.sender = self.sender.rekeyed(pair.suite, &pair.ours)?;
        }
        if !self.receiver.uses(pair.suite, &pair.theirs) {
            let next = self.receiver.rekeyed(pair.suite, &pair.theirs)?;
            let before = std::mem::replace(&mut self.receiver, next);
            // Keys that were never heard leave the ones before them in place.
            if before.has_heard() {
                self.previous = Some(before);
            }
            self.previous = self.previous.take().filter(|_| overlap);
        }
        self.suite = pair.suite;
        Ok(())
    }

    /// The suite in force.
    pub fn suite(&self) -> SrtpSuite {
        self.suite
    }

    /// Encrypts an RTP packet and adds its tag (RFC 3711 §3.3).
    ///
    /// # Errors
    /// [`SrtpError::Malformed`], [`SrtpError::WornOut`]
    pub fn protect_rtp(&mut self, packet: &[u8]) -> Result<Bytes, SrtpError> {
        self.sender.rtp(packet)
    }

    /// Encrypts a compound of RTCP packets and adds its index and tag (RFC 3711 §3.4).
    ///
    /// # Errors
    /// [`SrtpError::Malformed`]
    pub fn protect_rtcp(&mut self, packet: &[u8]) -> Result<Bytes, SrtpError> {
        self.sender.rtcp(packet)
    }

    /// The RTP packet in a datagram, if it is authentic and new.
    ///
    /// # Errors
    /// [`SrtpError`]; count the datagram and drop it.
    pub fn unprotect_rtp(&mut self, datagram: &[u8]) -> Result<Bytes, SrtpError> {
        let read = self.receiver.rtp(datagram);
        self.or_before(read, |before| before.rtp(datagram))
    }

    /// The RTCP packets in a datagram, if they are authentic and new.
    ///
    /// # Errors
    /// [`SrtpError`]; count the datagram and drop it.
    pub fn unprotect_rtcp(&mut self, datagram: &[u8]) -> Result<Bytes, SrtpError> {
        let read = self.receiver.rtcp(datagram);
        self.or_before(read, |before| before.rtcp(datagram))
    }

    fn or_before(
        &mut self,
        read: Result<Bytes, SrtpError>,
        again: impl FnOnce(&mut Receiver) -> Result<Bytes, SrtpError>,
    ) -> Result<Bytes, SrtpError> {
        match (&mut self.previous, read) {
            (previous, Ok(packet)) => {
                *previous = None;
                Ok(packet)
            }
            (Some(before), Err(error)) => again(before).map_err(|_| error),
            (None, Err(error)) => Err(error),
        }
    }
}

impl fmt::Debug for Srtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Srtp")
            .field("suite", &self.suite)
            .finish_non_exhaustive()
    }
}
