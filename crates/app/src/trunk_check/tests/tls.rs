//! A trunk that is spoken to over TLS: what is shown of its certificate, and whose is refused (RFC 5922 §7).

use std::net::SocketAddr;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::*;

/// The name that the configuration wants.
const NAME: &str = "sip.carrier.test";

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// The TLS end of the network, which itself speaks TCP. Closed with this value.
struct Front {
    port: u16,
    task: JoinHandle<()>,
}

impl Front {
    /// Shows a certificate for `name`, and passes on what is said to `behind`.
    async fn open(authority: &Authority, name: &str, behind: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let acceptor = acceptor(authority, name);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // Whoever does not like the certificate breaks off.
                if let Ok(mut secure) = acceptor.accept(stream).await {
                    let mut plain = TcpStream::connect(behind).await.unwrap();
                    let _ = copy_bidirectional(&mut secure, &mut plain).await;
                }
            }
        });
        Self { port, task }
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn acceptor(authority: &Authority, name: &str) -> TlsAcceptor {
    let params = CertificateParams::new([name.to_owned()]).unwrap();
    let key = KeyPair::generate().unwrap();
    let chain = params.signed_by(&key, authority).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![chain.der().clone()], key);
    TlsAcceptor::from(Arc::new(config.unwrap()))
}

impl World {
    /// Checks the network behind `front`, where `trusted` is the authority that the configuration names.
    async fn check_over_tls(&self, front: &Front, trusted: &Authority) -> Seen {
        let roots = self.folder.join("roots.pem");
        std::fs::write(&roots, trusted.pem()).unwrap();
        let mut config = self.config(&format!(
            "registration = true\ntransport = \"tls\"\ntls_name = \"{NAME}\"\n[sip]\nroots_file = \"{}\"\n",
            roots.display()
        ));
        config.trunks[0].port = Some(front.port);
        check(&config, &Wish::default()).await
    }
}

#[tokio::test]
async fn a_certificate_that_is_right_is_shown_and_all_goes_over_it() {
    let world = World::new().await;
    let authority = authority();
    let front = Front::open(&authority, NAME, world.carrier.addr()).await;
    let seen = world.check_over_tls(&front, &authority).await;
    assert_eq!(seen.failed, 0, "{}", seen.text);
    seen.steps(&[
        "Trunk \"Carrier\": 127.0.0.1 over TLS, signs in as harbour, registers",
        "✓ ok find",
        "✓ ok connect",
        "✓ ok sign in",
        "✓ ok register",
        "✓ ok ping",
        "✓ ok leave",
        "Carrier: all is well.",
    ]);
    seen.says(&[
        "TLS 1.3",
        "its certificate is for sip.carrier.test; sip.carrier.test was wanted",
    ]);
    assert!(world.carrier.report().registered.is_empty(), "we left");
}

#[tokio::test]
async fn a_certificate_of_another_name_is_refused_and_both_names_are_said() {
    let world = World::new().await;
    let authority = authority();
    let front = Front::open(&authority, "www.other.test", world.carrier.addr()).await;
    let seen = world.check_over_tls(&front, &authority).await;
    assert_eq!(seen.failed, 1, "{}", seen.text);
    seen.steps(&[
        "✗ failed connect",
        "Meaning: The certificate is somebody else's: sip.carrier.test is what the configuration wants.",
        "To do: If the name that was presented is the provider's own, write it in `tls_name`.",
    ]);
    seen.says(&["www.other.test"]);
    assert!(
        world.carrier.report().registered.is_empty(),
        "nothing was said"
    );
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let world = World::new().await;
    let front = Front::open(&authority(), NAME, world.carrier.addr()).await;
    let seen = world.check_over_tls(&front, &authority()).await;
    assert_eq!(seen.failed, 1, "{}", seen.text);
    seen.steps(&[
        "✗ failed connect",
        "Meaning: Nobody whom we believe vouches for the certificate.",
        "To do: If the provider has a certificate authority of its own, write the PEM file of its root in [sip]",
    ]);
    assert!(
        world.carrier.report().registered.is_empty(),
        "nothing was said"
    );
}
