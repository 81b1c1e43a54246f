//! A browser: ICE, DTLS-SRTP and Opus or PCMU, by `str0m`, a stack that no server here has.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::media::{Direction, MediaKind, Mid, Pt};
use str0m::net::{Protocol, Receive};
use str0m::rtp::RtpWrite;
use str0m::{Candidate, Event, Input, Output, Rtc};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;
use tokio::time::sleep_until;

use crate::Result;
use crate::codec::Codec;
use crate::leg::{Heard, LISTENS_ON, LegLog, Mouth};
use crate::network::Network;
use crate::rtp;

/// Longer than any packet here.
const DATAGRAM_MAX: usize = 2_048;

/// A browser that has made its offer and waits for the answer.
pub struct Offering {
    /// The session description.
    pub offer: String,
    codec: Codec,
    rtc: Rtc,
    pending: SdpPendingOffer,
    mid: Mid,
    socket: UdpSocket,
    addr: SocketAddr,
}

impl Offering {
    /// Offers `codec` first. Opus is offered in any case, as by every browser.
    ///
    /// # Errors
    /// What the operating system or the stack says.
    pub async fn new(ip: IpAddr, codec: Codec) -> Result<Self> {
        let socket = UdpSocket::bind((ip, 0)).await?;
        let addr = socket.local_addr()?;
        let builder = Rtc::builder()
            .set_crypto_provider(Arc::new(str0m::crypto::from_feature_flags()))
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_pcmu(codec == Codec::Pcmu, false)
            .enable_opus(true, false);
        let mut rtc = builder.build(Instant::now());
        rtc.add_local_candidate(Candidate::host(addr, "udp")?);
        let mut api = rtc.sdp_api();
        let mid = api.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None);
        let (offer, pending) = api.apply().ok_or("nothing to offer")?;
        Ok(Self {
            offer: offer.to_sdp_string(),
            codec,
            rtc,
            pending,
            mid,
            socket,
            addr,
        })
    }

    /// Takes the answer, connects, speaks and listens until the mouth is shut.
    ///
    /// # Errors
    /// The answer is none, or prefers another codec than the one that is to be measured.
    pub fn talk(
        mut self,
        answer: &str,
        mouth: Mouth,
        network: Network,
        connected: impl FnOnce() + Send + 'static,
    ) -> Result<JoinHandle<LegLog>> {
        let parsed = SdpAnswer::from_sdp_string(&with_group(answer, self.mid))?;
        self.rtc.sdp_api().accept_answer(self.pending, parsed)?;
        let agreed = self.rtc.media(self.mid).ok_or("the answer has no audio")?;
        let payload_type = *agreed.remote_pts().first().ok_or("no codec was agreed")?;
        let is_pcmu = *payload_type == Codec::PCMU_TYPE;
        if is_pcmu != (self.codec == Codec::Pcmu) {
            return Err(format!("the answer prefers payload type {payload_type}").into());
        }
        let page = Page {
            rtc: self.rtc,
            mid: self.mid,
            payload_type,
            ticks: self.codec.ticks(),
            socket: self.socket,
            addr: self.addr,
            wake: Instant::now(),
            mouth,
            network,
            server: None,
            heard: Vec::new(),
            said: 0,
            connected: Some(Box::new(connected)),
        };
        Ok(tokio::spawn(page.run()))
    }
}

/// The answer with the bundle of its one m-line, which rtpengine leaves out and this stack insists on; browsers do not.
fn with_group(answer: &str, mid: Mid) -> String {
    if answer.contains("a=group:BUNDLE") {
        return answer.to_owned();
    }
    answer.replacen("m=audio", &format!("a=group:BUNDLE {mid}\r\nm=audio"), 1)
}

struct Page {
    rtc: Rtc,
    mid: Mid,
    payload_type: Pt,
    ticks: u32,
    socket: UdpSocket,
    addr: SocketAddr,
    wake: Instant,
    mouth: Mouth,
    network: Network,
    /// Where the server is, once anything was sent to it.
    server: Option<SocketAddr>,
    heard: Vec<Heard>,
    said: u32,
    /// Told once, when the page begins to speak.
    connected: Option<Box<dyn FnOnce() + Send>>,
}

impl Page {
    async fn run(mut self) -> LegLog {
        let mut datagram = [0; DATAGRAM_MAX];
        let mut end = None;
        while end.is_none_or(|end| Instant::now() < end) {
            let wakes = [self.mouth.due(), self.network.next(), end];
            let wake = wakes.into_iter().flatten().fold(self.wake, Instant::min);
            tokio::select! {
                received = self.socket.recv_from(&mut datagram) => {
                    if let Ok((length, from)) = received {
                        self.receive(from, datagram.get(..length).unwrap_or_default());
                    }
                }
                () = sleep_until(wake.into()) => self.speak(),
            }
            if !self.drain() {
                break;
            }
            if self.mouth.is_shut() {
                end.get_or_insert_with(|| Instant::now() + LISTENS_ON);
            }
        }
        self.mouth.log(self.heard)
    }

    fn receive(&mut self, from: SocketAddr, datagram: &[u8]) {
        // A browser knows a stream that no description names by its payload type (RFC 8843 §9.2); this stack must be told.
        if let Some(ssrc) = rtp::ssrc(datagram).map(Into::into) {
            let mut api = self.rtc.direct_api();
            if api.stream_rx(&ssrc).is_none() {
                api.expect_stream_rx(ssrc, None, self.mid, None);
            }
        }
        if let Ok(receive) = Receive::new(Protocol::Udp, from, self.addr, datagram) {
            let input = Input::Receive(Instant::now(), receive);
            let _ = self.rtc.handle_input(input);
        }
    }

    fn speak(&mut self) {
        let now = Instant::now();
        if let Some(said) = self.mouth.say(now) {
            if said.first {
                self.network.restart();
            }
            self.write(now, said.payload);
        }
        let _ = self.rtc.handle_input(Input::Timeout(now));
    }

    fn write(&mut self, now: Instant, payload: Arc<[u8]>) {
        let packet = RtpWrite::new(
            self.payload_type,
            u64::from(self.said).into(),
            self.said.wrapping_mul(self.ticks),
            now,
            payload,
        );
        self.said += 1;
        let mut api = self.rtc.direct_api();
        if let Some(stream) = api.stream_tx_by_mid(self.mid, None) {
            stream.write_rtp(packet);
        }
    }

    /// Sends and hears what there is. Returns false once the connection has failed for good.
    fn drain(&mut self) -> bool {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(wake)) => {
                    self.wake = wake;
                    break;
                }
                Ok(Output::Transmit(send)) => self.transmit(&send.contents, send.destination),
                Ok(Output::Event(event)) => self.note(event),
                Err(_) => return false,
            }
        }
        self.deliver();
        self.rtc.is_alive()
    }

    fn transmit(&mut self, datagram: &[u8], to: SocketAddr) {
        if rtp::is_rtp(datagram) {
            self.server = Some(to);
            self.network.send(Instant::now(), datagram.to_vec());
        } else {
            // What connects is not what is measured, so it always arrives.
            let _ = self.socket.try_send_to(datagram, to);
        }
    }

    /// Sends what has come through the network.
    fn deliver(&mut self) {
        let Some(server) = self.server else {
            return;
        };
        while let Some(packet) = self.network.arrived(Instant::now()) {
            let _ = self.socket.try_send_to(&packet, server);
        }
    }

    fn note(&mut self, event: Event) {
        match event {
            Event::Connected => {
                if let Some(connected) = self.connected.take() {
                    connected();
                    self.mouth.open(Instant::now());
                }
            }
            Event::RtpPacket(packet) => self.heard.push(Heard {
                at: packet.timestamp,
                payload_type: *packet.header.payload_type,
                sequence: packet.header.sequence_number,
                timestamp: packet.header.timestamp,
                ssrc: *packet.header.ssrc,
                payload: packet.payload,
            }),
            _ => {}
        }
    }
}
