//! Strangers at the port, each named after the incident it repeats (reliability §2), while a trunk holds a connection: it is still
//! served on that connection afterwards, and so is a newcomer of the trunk.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};

use super::certificates::{Authority, shows};
use super::*;
use crate::shard::stray;

const TRUNK: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const STRANGER: Ipv4Addr = Ipv4Addr::new(127, 0, 66, 6);

/// Sockets that are served beside the test, and a trunk's connection to them.
struct Siege {
    port: SocketAddr,
    trunk: TcpStream,
}

impl Siege {
    async fn begin(mut options: SipOptions, listed: bool) -> Self {
        if listed {
            options.allowed = vec![IpAddr::V4(TRUNK).into()];
        }
        let mut us = End::bind(Ipv4Addr::LOCALHOST, &options).await;
        let port = us.sockets.local();
        tokio::task::spawn_local(async move {
            loop {
                if let FromSip::Message { from, message } = us.hears().await
                    && message.is_request()
                    && us.sockets.may_answer(Instant::now(), from)
                    && let Some((to, answer)) = stray::answer(from, &message)
                {
                    us.sockets.send(to, answer);
                }
            }
        });
        let trunk = connect(TRUNK, port).await.unwrap();
        let mut siege = Self { port, trunk };
        is_served(&mut siege.trunk).await;
        siege
    }

    async fn ends_well(mut self) {
        is_served(&mut self.trunk).await;
        is_served(&mut connect(TRUNK, self.port).await.unwrap()).await;
    }
}

async fn is_served(trunk: &mut TcpStream) {
    let message = request(Transport::Tcp, trunk.local_addr().unwrap());
    trunk.write_all(&message).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        assert!(trunk.read_buf(&mut answer).await.unwrap() > 0, "closed");
    }
    assert!(answer.starts_with(b"SIP/2.0 200 OK\r\n"));
}

async fn connect(from: Ipv4Addr, to: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((from, 0)))?;
    socket.connect(to).await
}

async fn is_closed(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    // A reset is an end too.
    let _ = stream.read_to_end(&mut rest).await;
}

/// CVE-2021-41145, CVE-2021-37624, CVE-2021-41157, CVE-2025-47779: a scanner's flood, MESSAGE and SUBSCRIBE among it. Not one answer.
#[tokio::test]
async fn row_9_and_10_a_flood_is_not_answered() {
    converse(async {
        let siege = Siege::begin(SipOptions::default(), true).await;
        let scanner = UdpSocket::bind((STRANGER, 0)).await.unwrap();
        let whole = request(Transport::Udp, scanner.local_addr().unwrap());
        let methods = ["OPTIONS", "INVITE", "REGISTER", "MESSAGE", "SUBSCRIBE"];
        for n in 0..5_000 {
            let text = String::from_utf8(whole.to_vec()).unwrap();
            let mut message = text.replace("OPTIONS", methods[n % 5]).into_bytes();
            message.truncate(if n % 7 == 0 { n % 300 } else { 2_000 });
            scanner.send_to(&message, siege.port).await.unwrap();
        }
        siege.ends_well().await;
        assert!(scanner.try_recv(&mut [0; 2_000]).is_err(), "answered");
    })
    .await;
}

/// CVE-2018-7286, CVE-2020-28327, CVE-2021-32686: connections dropped in every state of a TLS handshake. The benchmark `sip_flood`
/// does it ten thousand times.
#[tokio::test]
async fn row_13_tls_connections_that_come_and_go() {
    converse(async {
        let own = Authority::new().certify(&["us.example.com"]);
        let siege = Siege::begin(shows(own), false).await;
        // The beginning of a ClientHello of 512 bytes that never comes whole.
        let hello = [&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3][..], &[7; 100]].concat();
        for n in 0..500_u16 {
            let [high, low] = n.to_be_bytes();
            let from = Ipv4Addr::new(127, 66, high, low);
            let mut stream = connect(from, siege.port).await.unwrap();
            let part = &hello[..usize::from(n) % hello.len()];
            let _ = stream.write_all(part).await;
        }
        siege.ends_well().await;
    })
    .await;
}

/// AST-2016-005: two thousand connections that say nothing, from a hundred addresses, and no list of trunks.
#[tokio::test]
async fn row_14_two_thousand_silent_connections() {
    converse(async {
        let siege = Siege::begin(SipOptions::default(), false).await;
        let mut silent = Vec::new();
        for n in 0..2_000_u16 {
            let [high, low] = (n / 20).to_be_bytes();
            let from = Ipv4Addr::new(127, 66, high, low);
            silent.push(connect(from, siege.port).await.unwrap());
        }
        siege.ends_well().await;
    })
    .await;
}

/// CVE-2026-23457: a Content-Length that lies ends its connection, and no other.
#[tokio::test]
async fn row_19_content_lengths_that_lie() {
    converse(async {
        let siege = Siege::begin(SipOptions::default(), true).await;
        for length in [
            "4294967328",
            "4000000000",
            "-1",
            "18446744073709551615",
            "99999999999999999999999",
            "0\r\nContent-Length: 5",
            "65536",
            "0x10",
        ] {
            let mut liar = connect(TRUNK, siege.port).await.unwrap();
            let honest = request(Transport::Tcp, liar.local_addr().unwrap());
            let honest = String::from_utf8(honest.to_vec()).unwrap();
            let lie = honest.replace("Length: 0", &format!("Length: {length}"));
            liar.write_all(lie.as_bytes()).await.unwrap();
            is_closed(&mut liar).await;
        }
        siege.ends_well().await;
    })
    .await;
}

/// Reliability §7: a stream without line ends is cut off at 64 KiB, however long it goes on.
#[tokio::test]
async fn row_19_an_endless_line() {
    converse(async {
        let siege = Siege::begin(SipOptions::default(), true).await;
        let mut endless = connect(TRUNK, siege.port).await.unwrap();
        let mut written = 0;
        while let Ok(bytes) = endless.write(&[b'A'; 16 * 1024]).await {
            written += bytes;
            assert!(written < 64 * 1024 * 1024, "never closed");
        }
        siege.ends_well().await;
    })
    .await;
}
