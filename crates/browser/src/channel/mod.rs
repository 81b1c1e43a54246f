//! The media of a call: DTLS-SRTP between the browser and us, and nothing else (RFC 5763, RFC 5764).
//!
//! `rtc` negotiates and keeps the path open; DTLS and media of a call do not pass through it. Its pipeline is made for all that a peer
//! connection may carry, and costs a voice more than all the rest of its way.

mod handshake;
mod reports;
mod seals;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use rtc::crypto::RTCCryptoProvider;
use rtc::dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc::shared::error::Error;
use rtc::shared::marshal::Unmarshal;

use handshake::{Handshake, Progress};
use reports::Reports;
use seals::Seals;

pub(crate) use handshake::Fingerprints;

/// Agrees on keys, and carries sound by them.
pub(crate) struct Channel {
    handshake: Handshake,
    /// None before the handshake is done.
    seals: Option<Seals>,
    reports: Reports,
    /// Where the browser's last genuine packet came from.
    to: Option<SocketAddr>,
    heard: VecDeque<Heard>,
    datagrams: VecDeque<Bytes>,
}

/// What came of a datagram.
#[derive(Debug)]
pub(crate) enum Heard {
    /// There are keys: media may flow.
    Connected,
    /// The browser said goodbye.
    Goodbye,
    /// A packet of its sound, for the first time or again.
    Media(rtp::Packet),
    /// How well it receives ours.
    Report(reports::Heard),
}

/// A stream from us, for the reports about it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stream {
    pub(crate) ssrc: u32,
    /// Of its RTP clock, in Hz.
    pub(crate) clock_rate: u32,
}

impl Channel {
    /// Waits for the handshake of whoever has a certificate of the offer. Returns the fingerprint of ours too.
    ///
    /// # Errors
    /// There is no certificate to be had, or no profile that our cryptography knows.
    pub(crate) fn new(
        now: Instant,
        crypto: &Arc<dyn RTCCryptoProvider>,
        profiles: Vec<SrtpProtectionProfile>,
        offered: Fingerprints,
        ours: Stream,
    ) -> Result<(Self, String), Error> {
        let (handshake, fingerprint) = Handshake::new(crypto, profiles, offered)?;
        let channel = Self {
            handshake,
            seals: None,
            reports: Reports::new(now, ours),
            to: None,
            heard: VecDeque::new(),
            datagrams: VecDeque::new(),
        };
        Ok((channel, fingerprint))
    }

    /// Takes a datagram that is no STUN, from an address that has proved itself by STUN.
    ///
    /// # Errors
    /// It is neither DTLS, SRTP nor SRTCP (RFC 7983 §7), or not the browser's.
    pub(crate) fn handle_datagram(
        &mut self,
        now: Instant,
        from: SocketAddr,
        bytes: BytesMut,
    ) -> Result<(), Error> {
        match bytes.first() {
            Some(20..=63) => self.handshake(now, from, bytes),
            Some(128..=191) => self.media(now, from, &bytes),
            _ => Err(Error::Other("neither DTLS nor media".to_owned())),
        }
    }

    fn handshake(&mut self, now: Instant, from: SocketAddr, bytes: BytesMut) -> Result<(), Error> {
        if self.seals.is_none() {
            self.to = Some(from);
        }
        let progress = self.handshake.read(now, bytes);
        self.datagrams.extend(self.handshake.answers());
        match progress? {
            Progress::None => {}
            Progress::Keys(seals) => {
                self.seals = Some(*seals);
                self.heard.push_back(Heard::Connected);
            }
            Progress::Goodbye => self.heard.push_back(Heard::Goodbye),
        }
        Ok(())
    }

    fn media(&mut self, now: Instant, from: SocketAddr, bytes: &[u8]) -> Result<(), Error> {
        let no_keys = || Error::Other("media before the handshake".to_owned());
        let seals = self.seals.as_mut().ok_or_else(no_keys)?;
        if is_rtcp(bytes) {
            let plain = seals.open_rtcp(bytes)?;
            let said = self.reports.heard(now, &plain);
            let said = said.map_err(|error| Error::Other(error.to_string()))?;
            self.heard.extend(said.into_iter().map(Heard::Report));
        } else {
            let mut plain = seals.open_rtp(bytes)?;
            let packet = rtp::Packet::unmarshal(&mut plain)?;
            self.reports.received(now, &packet.header);
            self.heard.push_back(Heard::Media(packet));
        }
        // Only now is it known to be the browser's: where it moves to, we follow.
        self.to = Some(from);
        Ok(())
    }

    /// Sends a packet.
    ///
    /// # Errors
    /// There are no keys yet, or they refuse it.
    pub(crate) fn send(&mut self, now: Instant, packet: &rtp::Packet) -> Result<(), Error> {
        let no_keys = || Error::Other("no handshake yet".to_owned());
        let seals = self.seals.as_mut().ok_or_else(no_keys)?;
        self.datagrams.push_back(seals.seal_rtp(packet)?);
        self.reports.sent(now, packet);
        Ok(())
    }

    /// Repeats what was lost of a handshake, and says how sound comes and goes.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.handshake.handle_timeout(now);
        self.datagrams.extend(self.handshake.answers());
        if let (Some(seals), Some(report)) = (&mut self.seals, self.reports.due(now)) {
            // One that cannot be sealed is not missed: there is another in a second.
            self.datagrams.extend(seals.seal_rtcp(&report));
        }
    }

    pub(crate) fn poll_timeout(&mut self) -> Option<Instant> {
        let handshake = self.handshake.poll_timeout();
        let reports = self.seals.is_some().then(|| self.reports.poll_timeout());
        handshake.into_iter().chain(reports).min()
    }

    pub(crate) fn poll_heard(&mut self) -> Option<Heard> {
        self.heard.pop_front()
    }

    /// What to send, and where to.
    pub(crate) fn poll_datagram(&mut self) -> Option<(SocketAddr, Bytes)> {
        let to = self.to?;
        Some((to, self.datagrams.pop_front()?))
    }

    /// Says goodbye.
    pub(crate) fn close(&mut self, now: Instant) {
        self.handshake.close(now);
        self.datagrams.extend(self.handshake.answers());
    }
}

/// RFC 5761 §4: what shares a port with RTP is known by its second byte.
fn is_rtcp(bytes: &[u8]) -> bool {
    matches!(bytes.get(1), Some(192..=223))
}
