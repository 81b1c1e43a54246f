use bytes::Bytes;
use srtp::context::Context;

use super::head::{Head, RtcpHead};
use super::window::Window;
use super::{SrtpError, SrtpKey, SrtpSuite};

/// The direction from us: one stream.
pub(super) struct Sender {
    suite: SrtpSuite,
    key: SrtpKey,
    context: Context,
    /// The stream and the index of its last packet.
    stream: Option<(u32, Window)>,
}

impl Sender {
    pub(super) fn new(suite: SrtpSuite, key: &SrtpKey) -> Result<Self, SrtpError> {
        Ok(Self {
            suite,
            context: key.context(suite)?,
            key: key.clone(),
            stream: None,
        })
    }

    pub(super) fn uses(&self, suite: SrtpSuite, key: &SrtpKey) -> bool {
        self.suite == suite && self.key == *key
    }

    /// The same stream under another key: its roll-over counter is not begun again (RFC 3711 §3.3.1).
    pub(super) fn rekeyed(&self, suite: SrtpSuite, key: &SrtpKey) -> Result<Self, SrtpError> {
        let mut next = Self::new(suite, key)?;
        if let Some((ssrc, window)) = &self.stream {
            wind(&mut next.context, *ssrc, window.last());
            next.stream = Some((*ssrc, window.clone()));
        }
        Ok(next)
    }

    pub(super) fn rtp(&mut self, packet: &[u8]) -> Result<Bytes, SrtpError> {
        let head = Head::read(packet, 0)?;
        let header = head.header();
        let protected = self
            .context
            .encrypt_rtp_with_header(packet, &header)
            .map_err(|_| SrtpError::WornOut)?;
        self.count(&head);
        Ok(protected.freeze())
    }

    pub(super) fn rtcp(&mut self, packet: &[u8]) -> Result<Bytes, SrtpError> {
        RtcpHead::read(packet)?;
        let bytes = packet.len();
        self.context
            .encrypt_rtcp(packet)
            .map(|protected| protected.freeze())
            .map_err(|_| SrtpError::Malformed { bytes })
    }

    fn count(&mut self, head: &Head) {
        match &mut self.stream {
            Some((ssrc, window)) if *ssrc == head.ssrc => {
                window.take(window.index_of(head.sequence));
            }
            _ => self.stream = Some((head.ssrc, Window::new(u64::from(head.sequence)))),
        }
    }
}

/// Brings a context that has seen nothing to an index, by protecting packets that nobody gets: `rtc-srtp` has no other way to say which
/// round a stream is in. One packet in each half round, the last one at the index itself.
pub(super) fn wind(context: &mut Context, ssrc: u32, index: u64) {
    let mut at = 0;
    loop {
        let head = Head {
            ssrc,
            sequence: at as u16,
            len: Head::FIXED,
        };
        // It is refused only after 2^48 packets.
        let _ = context.encrypt_rtp_with_header(&[0; Head::FIXED], &head.header());
        if at >= index {
            return;
        }
        at = index.min(at + 0x7fff);
    }
}
