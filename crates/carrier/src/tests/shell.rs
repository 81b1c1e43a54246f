//! The network on real sockets.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use crate::{Carrier, CarrierOptions};

const PATIENCE: Duration = Duration::from_secs(10);

fn invite(transport: &str, from: std::net::SocketAddr) -> String {
    format!(
        "INVITE sip:0491570157@sip.carrier.test SIP/2.0\r\n\
         Via: SIP/2.0/{transport} {from};branch=z9hG4bK1\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:+61255500142@sip.carrier.test>;tag=1\r\n\
         To: <sip:0491570157@sip.carrier.test>\r\n\
         Call-ID: one\r\n\
         CSeq: 1 INVITE\r\n\
         Contact: <sip:{from}>\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

#[tokio::test]
async fn callers_are_challenged_over_udp() {
    let carrier = Carrier::start(CarrierOptions::default()).await.unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let invite = invite("UDP", socket.local_addr().unwrap());
    socket
        .send_to(invite.as_bytes(), carrier.addr())
        .await
        .unwrap();
    let mut buffer = [0; 2048];
    let challenge = timeout(PATIENCE, async {
        loop {
            let length = socket.recv(&mut buffer).await.unwrap();
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if !text.starts_with("SIP/2.0 100") {
                return text;
            }
        }
    });
    is_a_challenge(&challenge.await.unwrap());
    carrier.shutdown().await;
}

#[tokio::test]
async fn callers_are_challenged_over_tcp() {
    let carrier = Carrier::start(CarrierOptions::default()).await.unwrap();
    let mut stream = TcpStream::connect(carrier.addr()).await.unwrap();
    let invite = invite("TCP", stream.local_addr().unwrap());
    stream.write_all(invite.as_bytes()).await.unwrap();
    let mut text = String::new();
    let read = timeout(PATIENCE, async {
        let mut buffer = [0; 2048];
        while !(text.contains("SIP/2.0 407") && text.ends_with("\r\n\r\n")) {
            let length = stream.read(&mut buffer).await.unwrap();
            assert!(length > 0, "closed after {text}");
            text += &String::from_utf8_lossy(&buffer[..length]);
        }
    });
    read.await.unwrap();
    is_a_challenge(text.split_once("SIP/2.0 407").unwrap().1);
    carrier.shutdown().await;
}

fn is_a_challenge(text: &str) {
    for word in ["sip.carrier.test", "algorithm=SHA-256", "algorithm=MD5"] {
        assert!(text.contains(word), "{word} in {text}");
    }
}
