use std::net::Ipv6Addr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::certificates::{Authority, shows};
use super::*;

/// RFC 3261 §18.2.2: the answer comes back on the connection that the request went out on.
#[tokio::test]
async fn a_request_and_its_answer_over_each_transport_and_family() {
    let families: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    for ip in families {
        for transport in [Transport::Udp, Transport::Tcp, Transport::Tls] {
            converse(ask_and_answer(ip, transport)).await;
        }
    }
}

async fn ask_and_answer(ip: IpAddr, transport: Transport) {
    let authority = Authority::new();
    let mut us = End::bind(ip, &authority.trusted()).await;
    let mut trunk = End::bind(ip, &shows(authority.certify(&["sip.example.com"]))).await;
    let to = trunk.peer(transport);
    us.sockets
        .expect_name(to, "sip.example.com".parse().unwrap());

    for round in 0..2 {
        us.sockets.send(to, request(transport, us.sockets.local()));
        let (from, asked) = trunk.hears_message().await;
        assert_eq!(from.transport, transport, "{ip}");
        trunk.sockets.send(from, response_to(from, &asked));
        let (back, answer) = us.hears_message().await;
        assert_eq!((back, answer.is_request()), (to, false), "{ip} {round}");
    }
    let connections = usize::from(transport != Transport::Udp);
    assert_eq!(us.sockets.flows.count(), connections, "one for both rounds");
}

/// RFC 3261 §18.2.1: requests are taken on the port that our Via names. A request of theirs, on the connection we opened, too.
#[tokio::test]
async fn a_request_on_the_connection_we_opened_is_answered_on_it() {
    converse(async {
        let (mut us, mut trunk) = (End::new().await, End::new().await);
        let to = trunk.peer(Transport::Tcp);
        us.sockets
            .send(to, request(Transport::Tcp, us.sockets.local()));
        let (from, _) = trunk.hears_message().await;
        trunk
            .sockets
            .send(from, request(Transport::Tcp, trunk.sockets.local()));
        let (back, asked) = us.hears_message().await;
        assert_eq!(back, to);
        us.sockets.send(back, response_to(back, &asked));
        assert_eq!(trunk.hears_message().await.0, from);
        assert_eq!(
            (us.sockets.flows.count(), trunk.sockets.flows.count()),
            (1, 0)
        );
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_died_is_opened_again() {
    converse(async {
        let mut us = End::new().await;
        let trunk = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let to = Peer::tcp(trunk.local_addr().unwrap());
        let message = request(Transport::Tcp, us.sockets.local());
        for _ in 0..3 {
            us.sockets.send(to, message.clone());
            let (mut stream, _) = trunk.accept().await.unwrap();
            let mut heard = vec![0; message.len()];
            stream.read_exact(&mut heard).await.unwrap();
            assert_eq!(heard, message);
            drop(stream);
            assert_eq!(
                us.hears_failure().await,
                (to, "closed by the peer".to_owned())
            );
        }
    })
    .await;
}

/// RFC 3261 §18.2.2: a response whose connection is gone opens one to the port that the Via names.
#[tokio::test]
async fn a_response_finds_its_way_when_the_connection_is_gone() {
    converse(async {
        let mut us = End::new().await;
        let trunk = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let mut stream = TcpStream::connect(us.sockets.local()).await.unwrap();
        let message = request(Transport::Tcp, trunk.local_addr().unwrap());
        stream.write_all(&message).await.unwrap();
        let (from, asked) = us.hears_message().await;
        drop(stream);
        while us.sockets.flows.accepts(from) {
            tokio::task::yield_now().await;
        }
        let answer = response_to(from, &asked);
        us.sockets.send(from, answer.clone());
        let (mut stream, _) = trunk.accept().await.unwrap();
        let mut heard = vec![0; answer.len()];
        stream.read_exact(&mut heard).await.unwrap();
        assert_eq!(heard, answer);
    })
    .await;
}

#[tokio::test]
async fn nobody_there_is_told_with_words() {
    converse(async {
        let mut us = End::new().await;
        let gone = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let to = Peer::tcp(gone.local_addr().unwrap());
        drop(gone);
        us.sockets
            .send(to, request(Transport::Tcp, us.sockets.local()));
        let (peer, why) = us.hears_failure().await;
        assert_eq!(peer, to);
        assert!(why.starts_with(&format!("{to} cannot be reached")), "{why}");
    })
    .await;
}

/// A datagram that the system refuses is a failure of that peer, not a silence until a timer.
#[tokio::test]
async fn a_datagram_that_cannot_be_sent_is_told() {
    converse(async {
        let mut us = End::new().await;
        let to = Peer::udp(SocketAddr::from(([127, 0, 0, 1], 9)));
        us.sockets.send(to, Bytes::from(vec![b'x'; 70_000]));
        assert_eq!(us.hears_failure().await.0, to);
    })
    .await;
}

/// RFC 5626 §4.4.1: double line ends are answered with a single one, also behind a message in the same segment.
#[tokio::test]
async fn a_ping_is_answered() {
    converse(async {
        let mut us = End::new().await;
        let mut stream = TcpStream::connect(us.sockets.local()).await.unwrap();
        let message = request(Transport::Tcp, stream.local_addr().unwrap());
        let with_ping = [&message[..], b"\r\n\r\n"].concat();
        stream.write_all(&with_ping).await.unwrap();
        us.hears_message().await;
        let mut pong = [0; 2];
        stream.read_exact(&mut pong).await.unwrap();
        assert_eq!(&pong, b"\r\n");
    })
    .await;
}

/// RFC 5626 §3.5.1: whoever opened the connection keeps it alive.
#[tokio::test]
async fn rest_is_pinged_and_a_pong_that_stays_out_ends_the_connection() {
    converse(async {
        let mut us = End::with_limits(|limits| {
            limits.ping_after = Duration::from_millis(50);
            limits.pong_within = Duration::from_millis(40);
        })
        .await;
        let trunk = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let to = Peer::tcp(trunk.local_addr().unwrap());
        let message = request(Transport::Tcp, us.sockets.local());
        us.sockets.send(to, message.clone());
        let (mut stream, _) = trunk.accept().await.unwrap();
        let mut heard = vec![0; message.len() + 4];
        stream.read_exact(&mut heard).await.unwrap();
        assert!(
            heard.ends_with(b"\r\n\r\n\r\n\r\n"),
            "a ping after the message"
        );
        stream.write_all(b"\r\n").await.unwrap();
        let (peer, why) = us.hears_failure().await;
        assert_eq!((peer, why.as_str()), (to, "a ping not answered in 40ms"));
    })
    .await;
}

/// RFC 5626 §3.5.1: line ends in a datagram keep a NAT open and say nothing.
#[tokio::test]
async fn a_datagram_of_line_ends_is_no_message() {
    converse(async {
        let mut us = End::new().await;
        let nat = tokio::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .unwrap();
        nat.send_to(b"\r\n\r\n", us.sockets.local()).await.unwrap();
        us.sockets.readable().await.unwrap();
        assert!(matches!(us.sockets.read(), Some(Err(NotSip { length: 4 }))));
        assert!(us.sockets.read().is_none());
    })
    .await;
}
