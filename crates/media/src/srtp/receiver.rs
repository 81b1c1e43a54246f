use std::borrow::Cow;

use bytes::Bytes;

use super::head::{Head, RTCP_INDEX, RtcpHead};
use super::source::{Source, Sources};
use super::{SrtpError, SrtpSuite, TheirKey};

/// The direction to us under one key.
pub(super) struct Receiver {
    suite: SrtpSuite,
    their: TheirKey,
    rtp: Sources,
    rtcp: Sources,
}

impl Receiver {
    pub(super) fn new(suite: SrtpSuite, their: &TheirKey) -> Result<Self, SrtpError> {
        Ok(Self {
            suite,
            their: their.clone(),
            rtp: Sources::new(suite, &their.key)?,
            rtcp: Sources::new(suite, &their.key)?,
        })
    }

    pub(super) fn uses(&self, suite: SrtpSuite, their: &TheirKey) -> bool {
        self.suite == suite && self.their == *their
    }

    /// Whether anything authentic has come.
    pub(super) fn has_heard(&self) -> bool {
        !(self.rtp.is_empty() && self.rtcp.is_empty())
    }

    /// The same sources under another key.
    pub(super) fn rekeyed(&self, suite: SrtpSuite, their: &TheirKey) -> Result<Self, SrtpError> {
        let mut next = Self::new(suite, their)?;
        next.rtp.expect(&self.rtp)?;
        Ok(next)
    }

    pub(super) fn rtp(&mut self, datagram: &[u8]) -> Result<Bytes, SrtpError> {
        let tag = self.suite.rtp_tag_len();
        let datagram = self.without_mki(datagram, tag)?;
        let head = Head::read(&datagram, tag)?;
        self.rtp
            .read(head.ssrc, |source| source.rtp(&datagram, &head))
    }

    pub(super) fn rtcp(&mut self, datagram: &[u8]) -> Result<Bytes, SrtpError> {
        let tag = self.suite.rtcp_tag_len();
        let datagram = self.without_mki(datagram, tag)?;
        let head = RtcpHead::read(&datagram)?;
        let index = rtcp_index(&datagram, tag)?;
        self.rtcp.read(head.ssrc, |source: &mut Source| {
            source.rtcp(&datagram, index)
        })
    }

    /// Takes the key's name out, which stands before the tag and is not covered by it (RFC 3711 §3.1).
    fn without_mki<'a>(&self, datagram: &'a [u8], tag: usize) -> Result<Cow<'a, [u8]>, SrtpError> {
        let Some(mki) = self.their.mki else {
            return Ok(Cow::Borrowed(datagram));
        };
        let bytes = datagram.len();
        let malformed = SrtpError::Malformed { bytes };
        let end = bytes.checked_sub(tag).ok_or(malformed)?;
        let begin = end.checked_sub(mki.len()).ok_or(malformed)?;
        let part = |range| datagram.get(range).unwrap_or_default();
        if !mki.is(part(begin..end)) {
            return Err(SrtpError::WrongMki);
        }
        Ok(Cow::Owned([part(0..begin), part(end..bytes)].concat()))
    }
}

/// The number of an RTCP packet, which stands before its tag, behind a bit that says whether it is encrypted.
///
/// `rtc-srtp` does not look at the tag of a packet that says it is not, so such a packet must not come to it.
fn rtcp_index(datagram: &[u8], tag: usize) -> Result<u64, SrtpError> {
    let malformed = SrtpError::Malformed {
        bytes: datagram.len(),
    };
    let index = datagram
        .len()
        .checked_sub(tag + RTCP_INDEX)
        .filter(|at| *at >= RtcpHead::LEN)
        .and_then(|at| datagram.get(at..)?.first_chunk())
        .map(|index| u32::from_be_bytes(*index))
        .ok_or(malformed)?;
    if index >> 31 == 0 {
        return Err(SrtpError::NotEncrypted);
    }
    Ok(u64::from(index & 0x7fff_ffff))
}
