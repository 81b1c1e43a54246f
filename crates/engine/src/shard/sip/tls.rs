use std::fmt;
use std::io;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use housecall_sip::Peer;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{self, CertificateDer, PrivateKeyDer, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, ProtocolVersion,
    RootCertStore, ServerConfig, SignatureScheme,
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

use super::obstacle::Obstacle;
use super::options::{OwnCertificate, TlsOptions};

/// Makes TLS 1.2 and 1.3 of TCP connections (RFC 3261 §26.2.1).
#[derive(Clone)]
pub(super) struct Tls {
    client: Arc<ClientConfig>,
    verifier: Arc<WebPkiServerVerifier>,
    server: Option<TlsAcceptor>,
}

/// The name a peer must prove: a host name, or an IP address only where that was configured.
///
/// It is compared with the certificate's subject alternative names (RFC 5922 §7.2); a common name proves nothing.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct ServerName(pki_types::ServerName<'static>);

/// The text is no name that a certificate could carry.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{text:?} is neither a host name nor an ip address")]
pub struct NameError {
    text: String,
}

/// What was agreed with a peer over TLS.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Secured {
    /// The version, as people write it: `TLS 1.3`.
    pub version: &'static str,
    /// The cipher suite, as its standard names it.
    pub cipher: String,
    /// The host names of the certificate, eight at most. One of them is the name that was asked for, unless that is an address.
    pub names: Vec<String>,
}

/// A certificate or key that was configured cannot be used; the administrator's move.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsSetup {
    /// A PEM file without a certificate.
    #[error("no certificate in {what}: {error}")]
    NoCertificate {
        /// Which of those that are configured.
        what: &'static str,
        /// What is wrong with it.
        error: pem::Error,
    },
    /// A PEM file without a private key.
    #[error("our private key cannot be read: {0}")]
    Key(pem::Error),
    /// Nobody would be believed.
    #[error("no root is trusted at all: trust the public roots or name some of your own")]
    NoRoots(#[from] rustls::client::VerifierBuilderError),
    /// Certificate and key do not belong together, or are of a kind that we do not speak.
    #[error("our certificates cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
}

impl TlsOptions {
    /// Reads every certificate and key. An engine does so when it starts; whoever reads settings may ask earlier.
    ///
    /// # Errors
    /// What cannot be used.
    pub fn check(&self) -> Result<(), TlsSetup> {
        Tls::new(self).map(drop)
    }
}

/// A peer with which no TLS connection could be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum TlsRefused {
    #[error("{peer} was expected to be {expected} and presented {presented}: {why}")]
    Certificate {
        peer: Peer,
        expected: ServerName,
        presented: Presented,
        obstacle: Obstacle,
        why: String,
    },
    #[error("{peer}, expected to be {expected}, broke off the tls handshake: {error}")]
    Handshake {
        peer: Peer,
        expected: ServerName,
        error: io::Error,
    },
}

impl Tls {
    pub(super) fn new(options: &TlsOptions) -> Result<Self, TlsSetup> {
        let provider = Arc::new(ring::default_provider());
        let roots = Arc::new(roots(options)?);
        let verifier =
            WebPkiServerVerifier::builder_with_provider(roots, provider.clone()).build()?;
        let server = options
            .own
            .as_ref()
            .map(|own| server_config(own, provider.clone()))
            .transpose()?;
        Ok(Self {
            client: Arc::new(client_config(options, verifier.clone(), provider)?),
            verifier,
            server: server.map(|config| TlsAcceptor::from(Arc::new(config))),
        })
    }

    /// Whether others may connect to us by TLS: we have a certificate to show.
    pub(super) fn accepts(&self) -> bool {
        self.server.is_some()
    }

    /// Makes sure that `stream` leads to `name`.
    pub(super) async fn connect(
        &self,
        stream: TcpStream,
        peer: Peer,
        name: &ServerName,
    ) -> Result<client::TlsStream<TcpStream>, TlsRefused> {
        let witness = Arc::new(Witness::new(self.verifier.clone()));
        let mut config = (*self.client).clone();
        config.dangerous().set_certificate_verifier(witness.clone());
        TlsConnector::from(Arc::new(config))
            .connect(name.0.clone(), stream)
            .await
            .map_err(|error| witness.testify(peer, name, error))
    }

    /// Shows our certificate to whoever connected.
    pub(super) async fn accept(
        &self,
        stream: TcpStream,
    ) -> io::Result<server::TlsStream<TcpStream>> {
        match &self.server {
            Some(server) => server.accept(stream).await,
            None => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}

fn roots(options: &TlsOptions) -> Result<RootCertStore, TlsSetup> {
    let mut roots = RootCertStore::empty();
    if options.public_roots {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    if !options.roots_pem.is_empty() {
        for root in certificates("the further roots", &options.roots_pem)? {
            roots.add(root)?;
        }
    }
    Ok(roots)
}

fn client_config(
    options: &TlsOptions,
    verifier: Arc<WebPkiServerVerifier>,
    provider: Arc<CryptoProvider>,
) -> Result<ClientConfig, TlsSetup> {
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_webpki_verifier(verifier);
    Ok(match &options.own {
        Some(own) => config.with_client_auth_cert(own.chain()?, own.key()?)?,
        None => config.with_no_client_auth(),
    })
}

fn server_config(
    own: &OwnCertificate,
    provider: Arc<CryptoProvider>,
) -> Result<ServerConfig, TlsSetup> {
    Ok(ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(own.chain()?, own.key()?)?)
}

impl OwnCertificate {
    fn chain(&self) -> Result<Vec<CertificateDer<'static>>, TlsSetup> {
        certificates("our own chain", &self.chain_pem)
    }

    fn key(&self) -> Result<PrivateKeyDer<'static>, TlsSetup> {
        PrivateKeyDer::from_pem_slice(&self.key_pem).map_err(TlsSetup::Key)
    }
}

fn certificates(what: &'static str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsSetup> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(none) if none.is_empty() => Err(pem::Error::NoItemsFound),
        found => found,
    }
    .map_err(|error| TlsSetup::NoCertificate { what, error })
}

impl FromStr for ServerName {
    type Err = NameError;

    /// Reads `sip.example.com`, or an IP address, which then must stand in the certificate.
    fn from_str(text: &str) -> Result<Self, NameError> {
        pki_types::ServerName::try_from(text.to_owned())
            .map(Self)
            .map_err(|_| NameError {
                text: text.to_owned(),
            })
    }
}

impl fmt::Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_str())
    }
}

impl Secured {
    pub(super) fn of(agreed: &ClientConnection) -> Self {
        let version = match agreed.protocol_version() {
            Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
            Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
            _ => "TLS",
        };
        let cipher = agreed.negotiated_cipher_suite();
        let shown = agreed.peer_certificates().and_then(<[_]>::first);
        Self {
            version,
            cipher: cipher.map_or_else(String::new, |cipher| format!("{:?}", cipher.suite())),
            names: shown.map(Presented::of).unwrap_or_default().0,
        }
    }
}

/// The host names of a certificate, as shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Presented(Vec<String>);

impl Presented {
    /// Names shown at most; certificates of large providers carry a hundred.
    const SHOWN_MAX: usize = 8;

    fn of(certificate: &CertificateDer<'_>) -> Self {
        let names = webpki::EndEntityCert::try_from(certificate).map(|certificate| {
            let names = certificate.valid_dns_names().take(Self::SHOWN_MAX);
            names.map(str::to_owned).collect()
        });
        Self(names.unwrap_or_default())
    }
}

impl fmt::Display for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.is_empty() {
            true => f.write_str("no host name"),
            false => f.write_str(&self.0.join(", ")),
        }
    }
}

/// The verifier of rustls, with a memory of what it was shown, so that a refusal can be told in words. Decides nothing itself.
#[derive(Debug)]
struct Witness {
    verifier: Arc<WebPkiServerVerifier>,
    presented: Mutex<Presented>,
}

impl Witness {
    fn new(verifier: Arc<WebPkiServerVerifier>) -> Self {
        Self {
            verifier,
            presented: Mutex::default(),
        }
    }

    fn testify(&self, peer: Peer, expected: &ServerName, error: io::Error) -> TlsRefused {
        let expected = expected.clone();
        let cause = error.get_ref().and_then(|error| error.downcast_ref());
        let Some(rustls::Error::InvalidCertificate(fault)) = cause else {
            return TlsRefused::Handshake {
                peer,
                expected,
                error,
            };
        };
        TlsRefused::Certificate {
            peer,
            expected,
            presented: self.presented().clone(),
            obstacle: obstacle(fault),
            why: words(fault),
        }
    }

    fn presented(&self) -> std::sync::MutexGuard<'_, Presented> {
        self.presented
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl TlsRefused {
    pub(super) fn obstacle(&self) -> Obstacle {
        match self {
            Self::Certificate { obstacle, .. } => *obstacle,
            Self::Handshake { .. } => Obstacle::NoTls,
        }
    }
}

fn obstacle(fault: &CertificateError) -> Obstacle {
    match fault {
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            Obstacle::OtherName
        }
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => Obstacle::OutOfDate,
        CertificateError::UnknownIssuer | CertificateError::BadSignature => Obstacle::Untrusted,
        _ => Obstacle::BadCertificate,
    }
}

/// What is wrong with a certificate, for somebody who can ask for a better one.
fn words(fault: &CertificateError) -> String {
    let days =
        |from: &UnixTime, to: &UnixTime| to.as_secs().saturating_sub(from.as_secs()) / 86_400;
    match fault {
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is somebody else's certificate".to_owned()
        }
        CertificateError::ExpiredContext { time, not_after } => {
            format!("it expired {} days ago", days(not_after, time))
        }
        CertificateError::NotValidYetContext { time, not_before } => {
            format!("it is valid only in {} days", days(time, not_before))
        }
        // A bad signature: a root of ours is named and did not sign.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "no root that we trust vouches for it (a root of its own can be configured)".to_owned()
        }
        other => other.to_string(),
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &pki_types::ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.presented() = Presented::of(end_entity);
        self.verifier
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
