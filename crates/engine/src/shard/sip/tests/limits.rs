use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::certificates::{Authority, shows};
use super::*;

/// Waits until the other side has closed.
async fn is_closed(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    // A reset is an end too.
    let _ = stream.read_to_end(&mut rest).await;
}

async fn connect_from(ip: [u8; 4], to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from((ip, 0))).unwrap();
    socket.connect(to).await.unwrap()
}

async fn says_hello(stream: &mut TcpStream) {
    let message = request(Transport::Tcp, stream.local_addr().unwrap());
    stream.write_all(&message).await.unwrap();
}

#[tokio::test]
async fn a_listed_trunk_may_connect_and_nobody_else() {
    converse(async {
        let options = SipOptions {
            allowed: vec!["127.0.0.2".parse().unwrap()],
            ..SipOptions::default()
        };
        let mut us = End::bind(Ipv4Addr::LOCALHOST, &options).await;
        let mut stranger = connect_from([127, 0, 0, 3], us.sockets.local()).await;
        is_closed(&mut stranger).await;
        let mut trunk = connect_from([127, 0, 0, 2], us.sockets.local()).await;
        says_hello(&mut trunk).await;
        let (from, _) = us.hears_message().await;
        assert_eq!(from, Peer::tcp(trunk.local_addr().unwrap()));
        let now = Instant::now();
        assert!(us.sockets.may_answer(now, from));
        let stranger = Peer::udp(SocketAddr::from(([127, 0, 0, 3], 5060)));
        assert!(!us.sockets.may_answer(now, stranger));
    })
    .await;
}

#[tokio::test]
async fn one_address_holds_so_many_connections_and_others_still_get_in() {
    converse(async {
        let mut us = End::with_limits(|limits| limits.connections_per_source = 2).await;
        let to = us.sockets.local();
        let _first = connect_from([127, 0, 0, 3], to).await;
        let _second = connect_from([127, 0, 0, 3], to).await;
        is_closed(&mut connect_from([127, 0, 0, 3], to).await).await;
        let mut other = connect_from([127, 0, 0, 4], to).await;
        says_hello(&mut other).await;
        us.hears_message().await;
    })
    .await;
}

/// Where there is no room the oldest stranger that never said anything goes, and a trunk of ours stays.
#[tokio::test]
async fn a_full_house_makes_room_for_a_newcomer() {
    converse(async {
        let mut us = End::with_limits(|limits| limits.connections = 2).await;
        let to = us.sockets.local();
        let trunk_ip = [127, 0, 0, 2];
        us.sockets.send(
            Peer::udp(SocketAddr::from((trunk_ip, 9))),
            request(Transport::Udp, to),
        );
        let mut trunk = connect_from(trunk_ip, to).await;
        says_hello(&mut trunk).await;
        let (on_trunk, asked) = us.hears_message().await;
        let mut silent = connect_from([127, 0, 0, 3], to).await;
        let mut newcomer = connect_from([127, 0, 0, 4], to).await;
        says_hello(&mut newcomer).await;
        us.hears_message().await;
        is_closed(&mut silent).await;
        let answer = response_to(on_trunk, &asked);
        us.sockets.send(on_trunk, answer.clone());
        let mut heard = vec![0; answer.len()];
        trunk.read_exact(&mut heard).await.unwrap();
        assert_eq!(heard, answer);
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed() {
    converse(async {
        let authority = Authority::new();
        for with_tls in [false, true] {
            let mut options = SipOptions::default();
            if with_tls {
                options = shows(authority.certify(&["us.example.com"]));
            }
            options.limits.silent = Duration::from_millis(30);
            let us = End::bind(Ipv4Addr::LOCALHOST, &options).await;
            let mut silent = TcpStream::connect(us.sockets.local()).await.unwrap();
            is_closed(&mut silent).await;
        }
    })
    .await;
}

/// RFC 8446 §5.1: a handshake that begins and never ends.
#[tokio::test]
async fn a_handshake_has_its_time_on_both_sides() {
    converse(async {
        let authority = Authority::new();
        let mut options = shows(authority.certify(&["us.example.com"]));
        options.limits.connect = Duration::from_millis(30);
        let mut us = End::bind(Ipv4Addr::LOCALHOST, &options).await;
        let mut half = TcpStream::connect(us.sockets.local()).await.unwrap();
        half.write_all(&[0x16, 3, 1]).await.unwrap();
        is_closed(&mut half).await;

        let mute = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let to = Peer::tls(mute.local_addr().unwrap());
        us.sockets
            .expect_name(to, "sip.example.com".parse().unwrap());
        us.sockets
            .send(to, request(Transport::Tls, us.sockets.local()));
        let (peer, why) = us.hears_failure().await;
        assert_eq!(peer, to);
        assert!(why.ends_with("was not connected within 30ms"), "{why}");
    })
    .await;
}

#[tokio::test]
async fn unfinished_messages_share_their_room_and_give_it_back() {
    converse(async {
        let mut us = End::with_limits(|limits| limits.unfinished_bytes = 10_000).await;
        let mut streams = Vec::new();
        for n in 3..7 {
            let mut stream = connect_from([127, 0, 0, n], us.sockets.local()).await;
            let _ = stream.write_all(&[b'A'; 3_000]).await;
            streams.push(stream);
        }
        // Four of three thousand do not fit: one goes.
        let (_, closed, rest) = futures_select(streams).await;
        assert!(closed);
        drop(rest);
        let mut other = connect_from([127, 0, 0, 9], us.sockets.local()).await;
        let message = request(Transport::Tcp, other.local_addr().unwrap());
        other.write_all(&message[..20]).await.unwrap();
        other.write_all(&message[20..]).await.unwrap();
        us.hears_message().await;
    })
    .await;
}

/// Waits until the first of several has been closed.
async fn futures_select(streams: Vec<TcpStream>) -> (usize, bool, Vec<TcpStream>) {
    loop {
        for (n, stream) in streams.iter().enumerate() {
            let mut byte = [0];
            match stream.try_read(&mut byte) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                _ => return (n, true, streams),
            }
        }
        tokio::task::yield_now().await;
    }
}

/// A peer that reads nothing stops its own calls: 64 messages wait, then it has failed.
#[tokio::test]
async fn a_peer_that_does_not_read_fails_and_no_other() {
    converse(async {
        let limit = Duration::from_millis(200);
        let mut us = End::with_limits(|limits| limits.unacknowledged = limit).await;
        let deaf = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let to = Peer::tcp(deaf.local_addr().unwrap());
        let large = Bytes::from(vec![b'x'; 60_000]);
        us.sockets.send(to, large.clone());
        let (_stream, _) = deaf.accept().await.unwrap();
        // More than any socket buffers, in portions that let the connection write.
        for _ in 0..20 {
            (0..70).for_each(|_| us.sockets.send(to, large.clone()));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let (peer, why) = us.hears_failure().await;
        assert_eq!(
            (peer, why.as_str()),
            (to, "64 messages wait for this connection")
        );
        let (peer, why) = us.hears_failure().await;
        assert_eq!((peer, why.as_str()), (to, "the peer reads nothing"));

        let mut trunk = End::new().await;
        let other = trunk.peer(Transport::Tcp);
        us.sockets
            .send(other, request(Transport::Tcp, us.sockets.local()));
        trunk.hears_message().await;
    })
    .await;
}
