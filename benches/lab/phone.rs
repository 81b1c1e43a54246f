//! A telephone: plain RTP with PCMU, on a pair of ports.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use tokio::net::UdpSocket;
use tokio::task::JoinHandle;
use tokio::time::sleep_until;

use crate::Result;
use crate::codec::PCMU_TICKS;
use crate::leg::{Heard, LISTENS_ON, LegLog, Mouth};
use crate::network::Network;
use crate::rtp::Header;

/// Longer than any packet here.
const DATAGRAM_MAX: usize = 2_048;

/// A telephone that waits to be told where to speak to.
#[derive(Debug)]
pub struct Phone {
    rtp: UdpSocket,
    /// Bound, so that reports are no errors; nobody reads them.
    rtcp: UdpSocket,
}

impl Phone {
    /// A telephone on `port` and the one above it.
    ///
    /// # Errors
    /// What the operating system says.
    pub async fn bind(ip: IpAddr, port: u16) -> Result<Self> {
        Ok(Self {
            rtp: UdpSocket::bind((ip, port)).await?,
            rtcp: UdpSocket::bind((ip, port + 1)).await?,
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn addr(&self) -> Result<SocketAddr> {
        Ok(self.rtp.local_addr()?)
    }

    /// Speaks to `peer` and listens until its mouth is shut.
    pub fn talk(self, peer: SocketAddr, mut mouth: Mouth, network: Network) -> JoinHandle<LegLog> {
        mouth.open(Instant::now());
        let talk = Talk {
            phone: self,
            peer,
            mouth,
            network,
            heard: Vec::new(),
            header: Header {
                payload_type: 0,
                sequence: 0,
                timestamp: 0,
                ssrc: u32::from(peer.port()) + 1,
            },
        };
        tokio::spawn(talk.run())
    }
}

struct Talk {
    phone: Phone,
    peer: SocketAddr,
    mouth: Mouth,
    network: Network,
    heard: Vec<Heard>,
    header: Header,
}

impl Talk {
    async fn run(mut self) -> LegLog {
        let mut datagram = [0; DATAGRAM_MAX];
        let mut end = None;
        while end.is_none_or(|end| Instant::now() < end) {
            let wakes = [self.mouth.due(), self.network.next(), end];
            let wake = wakes.into_iter().flatten().min();
            tokio::select! {
                received = self.phone.rtp.recv(&mut datagram) => {
                    let packet = received.ok().and_then(|length| datagram.get(..length));
                    self.hear(packet.unwrap_or_default());
                }
                () = sleep_until(wake.unwrap_or_else(Instant::now).into()) => self.speak(),
            }
            if self.mouth.is_shut() {
                end.get_or_insert_with(|| Instant::now() + LISTENS_ON);
            }
        }
        drop(self.phone.rtcp);
        self.mouth.log(self.heard)
    }

    fn hear(&mut self, packet: &[u8]) {
        if let Some((header, payload)) = Header::read(packet) {
            self.heard.push(Heard {
                at: Instant::now(),
                payload_type: header.payload_type,
                sequence: header.sequence,
                timestamp: header.timestamp,
                ssrc: header.ssrc,
                payload: payload.into(),
            });
        }
    }

    /// Says what is due and sends what has come through the network.
    fn speak(&mut self) {
        let now = Instant::now();
        if let Some(said) = self.mouth.say(now) {
            if said.first {
                self.network.restart();
            }
            self.network.send(now, self.header.packet(&said.payload));
            self.header.sequence = self.header.sequence.wrapping_add(1);
            self.header.timestamp = self.header.timestamp.wrapping_add(PCMU_TICKS);
        }
        while let Some(packet) = self.network.arrived(now) {
            // A datagram that does not fit the socket's buffer is lost, as on any network.
            let _ = self.phone.rtp.try_send_to(&packet, self.peer);
        }
    }
}

/// The session description of a telephone (RFC 8866): PCMU, 20 ms.
pub fn description(phone: SocketAddr) -> String {
    let (ip, port) = (phone.ip(), phone.port());
    format!(
        "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n\
         a=rtpmap:0 PCMU/8000\r\na=ptime:20\r\na=sendrecv\r\n"
    )
}

/// Where a session description wants its sound.
///
/// # Errors
/// It does not say.
pub fn audio_addr(description: &str) -> Result<SocketAddr> {
    let after = |prefix: &str| {
        let mut lines = description.lines();
        let rest = lines.find_map(|line| line.trim_end().strip_prefix(prefix));
        rest.and_then(|rest| rest.split(' ').next())
    };
    let ip: IpAddr = after("c=IN IP4 ").ok_or("no c= line")?.parse()?;
    let port = after("m=audio ").ok_or("no m=audio line")?.parse()?;
    Ok(SocketAddr::new(ip, port))
}
