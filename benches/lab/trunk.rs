//! A telephone network that answers every call with the telephone it was given.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::Result;
use crate::phone::{audio_addr, description};

/// How long a call may take to arrive.
const CALL_LIMIT: Duration = Duration::from_secs(5);

/// The network's side of SIP: as much as one INVITE after the other needs.
#[derive(Debug)]
pub struct Trunk {
    /// Where calls are to be sent.
    pub addr: SocketAddr,
    phones: mpsc::Sender<SocketAddr>,
    peers: mpsc::Receiver<SocketAddr>,
}

impl Trunk {
    /// Binds a socket and answers there until this value is dropped.
    ///
    /// # Errors
    /// What the operating system says.
    pub async fn start() -> Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let addr = socket.local_addr()?;
        let (phones, next_phone) = mpsc::channel(1);
        let (tell, peers) = mpsc::channel(1);
        let desk = Desk {
            socket,
            addr,
            next_phone,
            tell,
            answered: Vec::new(),
        };
        tokio::spawn(desk.run());
        Ok(Self {
            addr,
            phones,
            peers,
        })
    }

    /// Lets `phone` answer the next call.
    ///
    /// # Errors
    /// The socket is gone.
    pub async fn expect(&self, phone: SocketAddr) -> Result<()> {
        Ok(self.phones.send(phone).await?)
    }

    /// Where the telephone of that call is to send its sound.
    ///
    /// # Errors
    /// No call came.
    pub async fn called(&mut self) -> Result<SocketAddr> {
        let peer = timeout(CALL_LIMIT, self.peers.recv()).await?;
        peer.ok_or_else(|| "the telephone network is gone".into())
    }
}

struct Desk {
    socket: UdpSocket,
    addr: SocketAddr,
    next_phone: mpsc::Receiver<SocketAddr>,
    tell: mpsc::Sender<SocketAddr>,
    /// Call-ID and answer of each call, for an INVITE that comes again.
    answered: Vec<(String, String)>,
}

impl Desk {
    async fn run(mut self) -> std::io::Result<()> {
        let mut datagram = vec![0; 65_536];
        while !self.tell.is_closed() {
            let (length, from) = self.socket.recv_from(&mut datagram).await?;
            let text = String::from_utf8_lossy(datagram.get(..length).unwrap_or_default());
            if let Some(reply) = self.reply(&text).await {
                self.socket.send_to(reply.as_bytes(), from).await?;
            }
        }
        Ok(())
    }

    async fn reply(&mut self, request: &str) -> Option<String> {
        let method = request.split(' ').next()?;
        match method {
            "ACK" | "SIP/2.0" => None,
            "INVITE" => Some(ok(request, self.addr, &self.answer(request).await?)),
            _ => Some(ok(request, self.addr, "")),
        }
    }

    async fn answer(&mut self, invite: &str) -> Option<String> {
        let call_id = headers(invite, "Call-ID").next()?;
        if let Some((_, answer)) = self.answered.iter().find(|(known, _)| known == call_id) {
            return Some(answer.clone());
        }
        let phone = self.next_phone.recv().await?;
        let answer = description(phone);
        self.answered.push((call_id.to_owned(), answer.clone()));
        self.tell.send(audio_addr(invite).ok()?).await.ok()?;
        Some(answer)
    }
}

/// A 200 to this request (RFC 3261 §8.2.6).
fn ok(request: &str, contact: SocketAddr, body: &str) -> String {
    let mut reply = "SIP/2.0 200 OK\r\n".to_owned();
    for name in ["Via", "Record-Route", "From", "To", "Call-ID", "CSeq"] {
        for value in headers(request, name) {
            let tag = if name == "To" && !value.contains(";tag=") {
                ";tag=far"
            } else {
                ""
            };
            reply += &format!("{name}: {value}{tag}\r\n");
        }
    }
    if !body.is_empty() {
        reply += "Content-Type: application/sdp\r\n";
    }
    reply
        + &format!(
            "Contact: <sip:far@{contact}>\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
}

fn headers<'a>(message: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    let head = message.split("\r\n\r\n").next().unwrap_or_default();
    head.lines().filter_map(move |line| {
        let (header, value) = line.split_once(':')?;
        header.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}
