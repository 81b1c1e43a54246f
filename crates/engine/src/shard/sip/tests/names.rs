use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion, version};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::certificates::{Authority, shows};
use super::*;

const NAME: &str = "sip.example.com";

/// Dials a trunk that shows `shown`, expecting `expected`, and returns the words of the refusal, which is for this `obstacle`.
async fn refusal(
    obstacle: Obstacle,
    authority: &Authority,
    shown: OwnCertificate,
    expected: Option<&str>,
) -> String {
    let mut us = End::bind(Ipv4Addr::LOCALHOST, &authority.trusted()).await;
    let trunk = End::bind(Ipv4Addr::LOCALHOST, &shows(shown)).await;
    let to = trunk.peer(Transport::Tls);
    if let Some(name) = expected {
        us.sockets.expect_name(to, name.parse().unwrap());
    }
    us.sockets
        .send(to, request(Transport::Tls, us.sockets.local()));
    let (peer, why) = us.is_kept_from().await;
    assert_eq!((peer, why.obstacle), (to, obstacle), "{why}");
    assert!(why.words.contains(&to.to_string()), "who: {why}");
    why.words
}

#[tokio::test]
async fn a_certificate_must_carry_the_configured_name() {
    converse(async {
        let authority = Authority::new();
        let shown = authority.certify(&["other.example.com", "www.example.com"]);
        let why = refusal(Obstacle::OtherName, &authority, shown, Some(NAME)).await;
        for part in [
            NAME,
            "presented other.example.com, www.example.com",
            "somebody else's certificate",
        ] {
            assert!(why.contains(part), "{part} in {why}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_certificate_that_expired_is_refused_with_its_age() {
    converse(async {
        let authority = Authority::new();
        let shown = authority.certify_expired(&[NAME]);
        let why = refusal(Obstacle::OutOfDate, &authority, shown, Some(NAME)).await;
        assert!(
            why.contains("it expired ") && why.contains(" days ago"),
            "{why}"
        );
        assert!(why.contains("presented sip.example.com"), "{why}");
    })
    .await;
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused() {
    converse(async {
        for pretender in [Authority::named("another root"), Authority::new()] {
            let shown = pretender.certify(&[NAME]);
            let obstacle = Obstacle::Untrusted;
            let why = refusal(obstacle, &Authority::new(), shown, Some(NAME)).await;
            assert!(
                why.contains("no root that we trust vouches for it"),
                "{why}"
            );
        }
    })
    .await;
}

/// The address is no name: an attacker on the way has it too.
#[tokio::test]
async fn a_peer_without_a_name_is_not_spoken_to() {
    converse(async {
        let authority = Authority::new();
        let shown = authority.certify(&[NAME, "127.0.0.1"]);
        let why = refusal(Obstacle::Nameless, &authority, shown, None).await;
        assert!(why.contains("no configured name"), "{why}");
    })
    .await;
}

#[tokio::test]
async fn an_address_is_a_name_only_where_it_was_configured() {
    converse(async {
        let authority = Authority::new();
        let shown = authority.certify(&[NAME]);
        let why = refusal(Obstacle::OtherName, &authority, shown, Some("127.0.0.1")).await;
        assert!(why.contains("somebody else's certificate"), "{why}");

        let own = authority.certify(&["127.0.0.1"]);
        let mut us = End::bind(Ipv4Addr::LOCALHOST, &authority.trusted()).await;
        let mut trunk = End::bind(Ipv4Addr::LOCALHOST, &shows(own)).await;
        let to = trunk.peer(Transport::Tls);
        us.sockets.expect_name(to, "127.0.0.1".parse().unwrap());
        us.sockets
            .send(to, request(Transport::Tls, us.sockets.local()));
        assert_eq!(trunk.hears_message().await.0.transport, Transport::Tls);
    })
    .await;
}

/// What was checked under one name is not used under another.
#[tokio::test]
async fn another_name_for_the_same_address_is_checked_anew() {
    converse(async {
        let authority = Authority::new();
        let mut us = End::bind(Ipv4Addr::LOCALHOST, &authority.trusted()).await;
        let own = shows(authority.certify(&[NAME]));
        let mut trunk = End::bind(Ipv4Addr::LOCALHOST, &own).await;
        let to = trunk.peer(Transport::Tls);
        let message = request(Transport::Tls, us.sockets.local());
        us.sockets.expect_name(to, NAME.parse().unwrap());
        us.sockets.send(to, message.clone());
        trunk.hears_message().await;
        us.sockets
            .expect_name(to, "other.example.com".parse().unwrap());
        us.sockets.send(to, message);
        let mut why = us.hears_failure().await.1;
        if why == "closed by us" {
            why = us.hears_failure().await.1;
        }
        assert!(why.contains("somebody else's certificate"), "{why}");
    })
    .await;
}

/// A trunk of somebody else's making: asks for a certificate, and speaks `versions`.
async fn accept(
    authority: &Authority,
    versions: &[&'static SupportedProtocolVersion],
    listener: &TcpListener,
) -> TlsStream<TcpStream> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(&authority.root_pem()).unwrap();
    roots.add(root).unwrap();
    let asks = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .unwrap();
    let own = authority.certify(&[NAME]);
    let chain = vec![CertificateDer::from_pem_slice(&own.chain_pem).unwrap()];
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_client_cert_verifier(asks)
        .with_single_cert(chain, PrivateKeyDer::from_pem_slice(&own.key_pem).unwrap())
        .unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    TlsAcceptor::from(Arc::new(config))
        .accept(stream)
        .await
        .unwrap()
}

#[tokio::test]
async fn our_certificate_and_the_name_we_want_are_shown_over_both_versions() {
    for versions in [[&version::TLS12], [&version::TLS13]] {
        converse(async {
            let authority = Authority::new();
            let mut options = authority.trusted();
            options.tls.own = Some(authority.certify(&["us.example.com"]));
            let mut us = End::bind(Ipv4Addr::LOCALHOST, &options).await;
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            let to = Peer::tls(listener.local_addr().unwrap());
            let message = request(Transport::Tls, us.sockets.local());
            us.sockets.expect_name(to, NAME.parse().unwrap());
            us.sockets.send(to, message.clone());
            let mut stream = accept(&authority, &versions, &listener).await;
            let mut heard = vec![0; message.len()];
            stream.read_exact(&mut heard).await.unwrap();
            assert_eq!(heard, message);
            let (_, tls) = stream.get_ref();
            assert_eq!(tls.server_name(), Some(NAME));
            assert_eq!(tls.peer_certificates().map(<[_]>::len), Some(1));
        })
        .await;
    }
}

/// What was agreed is told before anything is sent, and what speaks no TLS is told apart from what shows a wrong certificate.
#[tokio::test]
async fn a_connection_says_what_was_agreed() {
    converse(async {
        let authority = Authority::new();
        let mut us = End::bind(Ipv4Addr::LOCALHOST, &authority.trusted()).await;
        let own = shows(authority.certify(&[NAME, "other.example.com"]));
        let trunk = End::bind(Ipv4Addr::LOCALHOST, &own).await;
        let to = trunk.peer(Transport::Tls);
        us.sockets.expect_name(to, NAME.parse().unwrap());
        us.sockets.connect(to);
        let (peer, secured) = us.connects().await;
        let secured = secured.unwrap();
        assert_eq!((peer, secured.version), (to, "TLS 1.3"));
        assert_eq!(secured.names, [NAME, "other.example.com"]);
        assert!(secured.cipher.starts_with("TLS13_"), "{}", secured.cipher);

        us.sockets.connect(trunk.peer(Transport::Tcp));
        assert_eq!(us.connects().await.1, None);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let plain = Peer::tls(listener.local_addr().unwrap());
        us.sockets.expect_name(plain, NAME.parse().unwrap());
        us.sockets.connect(plain);
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"SIP/2.0 400 What\r\n\r\n").await.unwrap();
        let (_, why) = us.is_kept_from().await;
        assert_eq!(why.obstacle, Obstacle::NoTls, "{why}");
    })
    .await;
}

#[tokio::test]
async fn certificates_that_cannot_be_read_are_told_at_the_start() {
    for (change, words) in [
        (
            (|tls: &mut TlsOptions| tls.roots_pem = b"none".to_vec()) as fn(&mut TlsOptions),
            "no certificate in the further roots",
        ),
        (|tls| tls.public_roots = false, "no root is trusted at all"),
        (
            |tls| {
                let key_pem = b"none".to_vec();
                let own = Authority::new().certify(&[NAME]);
                tls.own = Some(OwnCertificate { key_pem, ..own });
            },
            "our private key cannot be read",
        ),
    ] {
        let mut options = SipOptions::default();
        change(&mut options.tls);
        let (sender, _inbox) = mpsc::channel(1);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let error = SipSockets::bind(address, &options, sender)
            .await
            .err()
            .unwrap();
        assert!(error.to_string().contains(words), "{error}");
    }
    let own = Authority::new().certify(&[NAME]);
    assert!(!format!("{own:?}").contains("PRIVATE"));
}
