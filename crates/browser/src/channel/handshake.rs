use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use rtc::crypto::{HashAlgorithm, RTCCryptoProvider};
use rtc::dtls::config::{
    ClientAuthType, ConfigBuilder, ExtendedMasterSecretType, VerifyPeerCertificateFn,
};
use rtc::dtls::crypto::Certificate;
use rtc::dtls::endpoint::{Endpoint, EndpointEvent};
use rtc::dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc::shared::error::Error;
use rtc::shared::{TransportContext, TransportProtocol};

use super::seals::Seals;

/// The server's side of DTLS 1.2, with the browser as its client.
pub(super) struct Handshake {
    endpoint: Endpoint,
    crypto: Arc<dyn RTCCryptoProvider>,
    is_over: bool,
    /// When the endpoint wants to be woken, as it said last: it is asked only when something may have changed that, not for each packet of sound.
    wake: Option<Instant>,
}

/// What a datagram brought.
pub(super) enum Progress {
    None,
    Keys(Box<Seals>),
    Goodbye,
}

/// The SHA-256 fingerprints of an offer: whose certificate has none of them is not whom we answered (RFC 8122 §5).
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Fingerprints(Vec<String>);

impl Fingerprints {
    /// More than one certificate has nobody; a few are borne with.
    const MAX: usize = 8;

    /// Reads those of a session description. None without any that is SHA-256: we know no other.
    pub(crate) fn of(offer: &str) -> Option<Self> {
        let values = offer.lines().filter_map(|line| {
            let (hash, value) = line
                .strip_prefix("a=fingerprint:")?
                .trim()
                .split_once(' ')?;
            hash.eq_ignore_ascii_case("sha-256")
                .then(|| value.to_ascii_lowercase())
        });
        let values: Vec<String> = values.take(Self::MAX).collect();
        (!values.is_empty()).then_some(Self(values))
    }

    fn expect(&self, crypto: &dyn RTCCryptoProvider, chain: &[Vec<u8>]) -> Result<(), Error> {
        let certificate = chain.first().ok_or(Error::ErrNonCertificate)?;
        let presented = fingerprint(crypto, certificate)?;
        self.0
            .contains(&presented)
            .then_some(())
            .ok_or(Error::ErrNoMatchingCertificateFingerprint)
    }
}

/// SHA-256 of a certificate, as RFC 8122 §5 spells it, in small letters.
fn fingerprint(crypto: &dyn RTCCryptoProvider, certificate: &[u8]) -> Result<String, Error> {
    let hash = crypto
        .crypto()
        .hash(HashAlgorithm::Sha256, certificate)
        .map_err(|error| Error::Crypto(error.to_string()))?;
    let bytes: Vec<String> = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(bytes.join(":"))
}

impl Handshake {
    pub(super) fn new(
        crypto: &Arc<dyn RTCCryptoProvider>,
        profiles: Vec<SrtpProtectionProfile>,
        offered: Fingerprints,
    ) -> Result<(Self, String), Error> {
        let name = vec!["housecall".to_owned()];
        let certificate = Certificate::generate_self_signed(name, crypto.crypto())?;
        let der = certificate.certificate.first();
        let ours = fingerprint(crypto.as_ref(), der.ok_or(Error::ErrNonCertificate)?)?;
        let judge = Arc::clone(crypto);
        let verify: VerifyPeerCertificateFn =
            Arc::new(move |chain, _| offered.expect(judge.as_ref(), chain));
        let config = ConfigBuilder::default()
            .with_crypto_provider(Arc::clone(crypto))
            .with_certificates(vec![certificate])
            .with_srtp_protection_profiles(profiles)
            .with_client_auth(ClientAuthType::RequireAnyClientCert)
            // Nobody signs a browser's certificate: what proves it is its fingerprint.
            .with_insecure_skip_verify(true)
            .with_verify_peer_certificate(Some(verify))
            .with_extended_master_secret(ExtendedMasterSecretType::Require)
            .build(false, None)?;
        let local = TransportContext::default().local_addr;
        let handshake = Self {
            endpoint: Endpoint::new(local, TransportProtocol::UDP, Some(Arc::new(config))),
            crypto: Arc::clone(crypto),
            is_over: false,
            wake: None,
        };
        Ok((handshake, ours.to_ascii_uppercase()))
    }

    /// One name for all addresses that the browser may have: the connection stays when it moves.
    fn browser() -> SocketAddr {
        TransportContext::default().peer_addr
    }

    pub(super) fn read(&mut self, now: Instant, bytes: BytesMut) -> Result<Progress, Error> {
        if self.is_over {
            return Ok(Progress::None);
        }
        let mut progress = Progress::None;
        let events = self.endpoint.read(now, Self::browser(), None, bytes);
        self.note_wake();
        for event in events? {
            match event {
                EndpointEvent::HandshakeComplete => progress = self.keys()?,
                EndpointEvent::PeerClosed => {
                    self.is_over = true;
                    progress = Progress::Goodbye;
                }
                // No data channel was answered.
                _ => {}
            }
        }
        Ok(progress)
    }

    fn keys(&self) -> Result<Progress, Error> {
        let state = self.endpoint.get_connection_state(Self::browser());
        let state = state.ok_or(Error::ErrNoSuchSrtpProfile)?;
        let seals = Seals::of(state, self.crypto.as_ref())?;
        Ok(Progress::Keys(Box::new(seals)))
    }

    /// What is to be sent to the browser now.
    pub(super) fn answers(&mut self) -> impl Iterator<Item = Bytes> {
        std::iter::from_fn(|| Some(self.endpoint.poll_transmit()?.message.freeze()))
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        // There is nothing to repeat where nobody has come yet.
        let _ = self.endpoint.handle_timeout(Self::browser(), now);
        self.note_wake();
    }

    fn note_wake(&mut self) {
        self.wake = self.endpoint.poll_timeout(&Self::browser());
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.wake
    }

    pub(super) fn close(&mut self, now: Instant) {
        self.is_over = true;
        // Where there is no connection nobody waits for a goodbye.
        let _ = self.endpoint.close(now);
        self.note_wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_read_wherever_they_stand_and_other_hashes_are_passed_over() {
        let offer = "v=0\r\na=fingerprint:SHA-256 AA:0b\r\nm=audio\r\na=fingerprint:sha-1 11\r\n\
                     a=fingerprint:sha-256 CC:DD\r\n";
        let read = Fingerprints::of(offer).unwrap();
        assert_eq!(read.0, ["aa:0b", "cc:dd"]);
        for offer in [
            "v=0\r\na=fingerprint:sha-1 11\r\n",
            "v=0\r\na=fingerprint:sha-256\r\n",
            "",
        ] {
            assert_eq!(Fingerprints::of(offer), None, "{offer:?}");
        }
        let many = "a=fingerprint:sha-256 AA\r\n".repeat(1_000);
        assert_eq!(Fingerprints::of(&many).unwrap().0.len(), Fingerprints::MAX);
    }

    /// RFC 8122 §5, by a known digest: SHA-256 of "abc".
    #[test]
    fn a_certificate_is_known_by_its_digest_alone() {
        let crypto = rtc::crypto::default_provider().unwrap();
        let known = "BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:15:AD";
        let offered = Fingerprints::of(&format!("a=fingerprint:sha-256 {known}\r\n")).unwrap();
        let expect = |chain: &[&[u8]]| {
            let chain: Vec<Vec<u8>> = chain.iter().map(|der| der.to_vec()).collect();
            offered.expect(crypto.as_ref(), &chain).is_ok()
        };
        assert!(expect(&[b"abc"]));
        assert!(expect(&[b"abc", b"abd"]));
        assert!(!expect(&[b"abd", b"abc"]), "the first is whom we talk to");
        assert!(!expect(&[]));
    }
}
