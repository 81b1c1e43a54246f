//! A browser that makes one phone call, or sits in a room: it says 440 Hz and measures what it hears.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use housecall_media::{OpusDecoder, OpusEncoder, Sine, dominant_frequency, level};
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::media::{Direction, MediaKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::RtpWrite;
use str0m::{Candidate, Event, Input, Output, Rtc};
use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, sleep_until};

use super::world::shows;

/// What the person at the browser says, in hertz.
pub(super) const VOICE_HZ: f32 = 440.0;
/// Samples measured at a time: 200 ms at 8 kHz.
const WINDOW: usize = 1_600;
/// RTP clock of Opus in 20 ms.
const TICKS: u32 = 960;

/// What the person at the browser notices.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Noticed {
    pub(super) connected: bool,
    pub(super) packets: u64,
    pub(super) heard_hz: Option<f32>,
    pub(super) heard_dbfs: f32,
}

/// A browser that has made its offer and waits for the answer.
pub(super) struct Offering {
    pub(super) offer: String,
    rtc: Rtc,
    pending: SdpPendingOffer,
    mid: Mid,
    socket: UdpSocket,
}

/// The offer of a seat in a room, as a page makes it; nobody speaks ICE behind it.
pub(super) fn room_offer() -> String {
    let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
    offer_from(addr, lines_of_a_seat()).1.to_sdp_string()
}

/// Sound and picture up, and both of three others down.
fn lines_of_a_seat() -> impl Iterator<Item = (MediaKind, Direction)> {
    let both = [MediaKind::Audio, MediaKind::Video];
    let up = both.map(|kind| (kind, Direction::SendOnly));
    let down = both.map(|kind| (kind, Direction::RecvOnly));
    up.into_iter().chain(down.repeat(3))
}

/// An offer of these m-lines, the first for the voice.
fn offer_from(
    addr: SocketAddr,
    lines: impl IntoIterator<Item = (MediaKind, Direction)>,
) -> (Rtc, SdpOffer, SdpPendingOffer, Mid) {
    let mut rtc = Rtc::builder()
        .set_crypto_provider(Arc::new(str0m::crypto::from_feature_flags()))
        .set_rtp_mode(true)
        .clear_codecs()
        .enable_opus(true, false)
        .enable_vp8(true)
        .build(Instant::now());
    rtc.add_local_candidate(Candidate::host(addr, "udp").unwrap());
    let mut api = rtc.sdp_api();
    let lines = lines.into_iter();
    let mids: Vec<Mid> = lines
        .map(|(kind, direction)| api.add_media(kind, direction, None, None, None))
        .collect();
    let (offer, pending) = api.apply().unwrap();
    (rtc, offer, pending, mids[0])
}

/// A browser in a call. Closing the page is dropping it.
pub(super) struct Browser {
    pub(super) noticed: watch::Receiver<Noticed>,
    task: JoinHandle<()>,
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Offering {
    /// Of a seat in a room.
    pub(super) async fn seat() -> Self {
        Self::of(lines_of_a_seat()).await
    }

    pub(super) async fn new() -> Self {
        Self::of([(MediaKind::Audio, Direction::SendRecv)]).await
    }

    async fn of(lines: impl IntoIterator<Item = (MediaKind, Direction)>) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let (rtc, offer, pending, mid) = offer_from(socket.local_addr().unwrap(), lines);
        Self {
            offer: offer.to_sdp_string(),
            rtc,
            pending,
            mid,
            socket,
        }
    }

    pub(super) fn accept(mut self, answer: &str) -> Browser {
        let answer = SdpAnswer::from_sdp_string(answer).unwrap();
        self.rtc
            .sdp_api()
            .accept_answer(self.pending, answer)
            .unwrap();
        let (notice, noticed) = watch::channel(Noticed::default());
        let page = Page {
            rtc: self.rtc,
            mid: self.mid,
            addr: self.socket.local_addr().unwrap(),
            socket: self.socket,
            wake: Instant::now(),
            voice: Sine::new(VOICE_HZ, -12.0),
            encoder: OpusEncoder::new().unwrap(),
            decoder: OpusDecoder::new().unwrap(),
            said: 0,
            samples: Vec::new(),
            notice,
        };
        Browser {
            noticed,
            task: tokio::spawn(page.run()),
        }
    }
}

struct Page {
    rtc: Rtc,
    mid: Mid,
    addr: SocketAddr,
    socket: UdpSocket,
    wake: Instant,
    voice: Sine,
    encoder: OpusEncoder,
    decoder: OpusDecoder,
    said: u32,
    samples: Vec<i16>,
    notice: watch::Sender<Noticed>,
}

impl Page {
    async fn run(mut self) {
        let mut datagram = [0; 2_000];
        let mut frames = interval(Duration::from_millis(20));
        frames.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                received = self.socket.recv_from(&mut datagram) => {
                    // An engine that has gone may show as "connection refused"; the page goes on.
                    if let Ok((length, from)) = received {
                        self.receive(from, &datagram[..length]);
                    }
                }
                _ = frames.tick() => self.speak(),
                () = sleep_until(self.wake.into()) => self.advance(),
            }
            if !self.drain() {
                return;
            }
        }
    }

    fn receive(&mut self, from: SocketAddr, datagram: &[u8]) {
        if let Ok(receive) = Receive::new(Protocol::Udp, from, self.addr, datagram) {
            let _ = self
                .rtc
                .handle_input(Input::Receive(Instant::now(), receive));
        }
    }

    fn advance(&mut self) {
        let _ = self.rtc.handle_input(Input::Timeout(Instant::now()));
    }

    fn speak(&mut self) {
        if !self.notice.borrow().connected {
            return;
        }
        let payload_type = self.rtc.media(self.mid).unwrap().remote_pts()[0];
        let payload = self.encoder.encode(&self.voice.frame()).unwrap().to_vec();
        let packet = RtpWrite::new(
            payload_type,
            u64::from(self.said).into(),
            self.said.wrapping_mul(TICKS),
            Instant::now(),
            payload,
        );
        self.said += 1;
        let mut api = self.rtc.direct_api();
        if let Some(stream) = api.stream_tx_by_mid(self.mid, None) {
            stream.write_rtp(packet);
        }
        self.advance();
    }

    /// Sends and hears what there is. Returns false once the connection has failed for good.
    fn drain(&mut self) -> bool {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(wake)) => {
                    self.wake = wake;
                    return self.rtc.is_alive();
                }
                Ok(Output::Transmit(send)) => {
                    // A datagram that does not fit the socket's buffer is lost, as on any network.
                    let _ = self.socket.try_send_to(&send.contents, send.destination);
                }
                Ok(Output::Event(event)) => self.note(event),
                Err(_) => return false,
            }
        }
    }

    fn note(&mut self, event: Event) {
        match event {
            Event::Connected => self.notice.send_modify(|noticed| noticed.connected = true),
            Event::RtpPacket(packet) => self.hear(&packet.payload),
            _ => {}
        }
    }

    fn hear(&mut self, payload: &[u8]) {
        self.decoder.decode(payload, &mut self.samples).unwrap();
        self.notice.send_modify(|noticed| noticed.packets += 1);
        if self.samples.len() < WINDOW {
            return;
        }
        let (hertz, loud) = (dominant_frequency(&self.samples), level(&self.samples).0);
        self.samples.clear();
        self.notice.send_modify(|noticed| {
            noticed.heard_hz = hertz;
            noticed.heard_dbfs = loud;
        });
    }
}

/// Waits until a page hears a tone.
pub(super) async fn hears(noticed: &mut watch::Receiver<Noticed>, hertz: f32) {
    shows(noticed, "a tone", |it| is_near(it.heard_hz, hertz)).await;
}

/// Whether this is what was heard.
pub(super) fn is_near(heard: Option<f32>, hertz: f32) -> bool {
    heard.is_some_and(|heard| (heard - hertz).abs() < 3.0)
}
