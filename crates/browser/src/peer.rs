use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use rtc::peer_connection::event::{RTCPeerConnectionEvent, RTCTrackEvent};
use rtc::peer_connection::message::RTCMessage;
use rtc::peer_connection::state::RTCPeerConnectionState;
use rtc::peer_connection::transport::RTCDtlsTransportState;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtp_transceiver::RTCRtpReceiverId;
use rtc::sansio::Protocol;
use rtc::shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use rtc::statistics::StatsSelector;

use crate::channel::{Channel, Heard};
use crate::offer::Offer;
use crate::proved::Proved;
use crate::seen::Seen;
use crate::stack::{DownTrack, Stack};
use crate::stun::{self, Verdict};
use crate::{
    Closed, DatagramRefused, Down, Input, Kind, OfferRefused, Options, OutPacket, Output,
    SendRefused, Up, VoiceCodec,
};

/// Our end of one browser's peer connection. See the crate's page for its life.
pub struct Peer {
    stack: Stack,
    options: Options,
    life: Life,
    proved: Proved,
    /// What has come in, by the browser's SSRC; at most [`STREAMS_MAX`].
    received: BTreeMap<u32, Seen>,
    /// What has gone out, by our SSRC.
    sent: BTreeMap<u32, Seen>,
    /// Where key frames are asked for, once the camera's first packet has come.
    camera: Option<Camera>,
    receivers: BTreeMap<u32, RTCRtpReceiverId>,
    outputs: VecDeque<Output>,
    /// When the connection and the channel want to be woken.
    wake: Option<Instant>,
    channel_wake: Option<Instant>,
    /// By the browser's last report of a call's sound.
    round_trip: Option<Duration>,
}

/// What the connection has come to.
enum Life {
    Connecting { until: Instant },
    Connected,
    Closed,
}

struct Camera {
    ssrc: u32,
    receiver: RTCRtpReceiverId,
}

/// The longest datagram read; browsers keep to about 1200 bytes, and DTLS certificates to the path's MTU.
const DATAGRAM_BYTES_MAX: usize = 2048;
/// A microphone and a camera, and each once more after a restart of the device.
const STREAMS_MAX: usize = 8;

impl Peer {
    /// Answers a browser's offer; the peer is connecting from then on.
    ///
    /// # Errors
    /// The offer does not have the m-lines of the shape, or lacks what a connection needs.
    pub fn answer(
        now: Instant,
        options: Options,
        offer: &str,
    ) -> Result<(Self, String), OfferRefused> {
        let offer = Offer::read(offer, options.shape, options.voices())?;
        let stack = Stack::answer(now, &options, &offer)?;
        let answer = stack.answer.clone();
        let mut peer = Self {
            stack,
            life: Life::Connecting {
                until: now + options.timeouts.connect,
            },
            options,
            proved: Proved::default(),
            received: BTreeMap::new(),
            sent: BTreeMap::new(),
            camera: None,
            receivers: BTreeMap::new(),
            outputs: VecDeque::new(),
            wake: None,
            channel_wake: None,
            round_trip: None,
        };
        peer.drain();
        Ok((peer, answer))
    }

    /// The fragment by which browsers' STUN requests name this peer (see [`stun_ufrag`](crate::stun_ufrag)).
    #[must_use]
    pub fn ufrag(&self) -> &str {
        &self.stack.ufrag
    }

    /// What the browser's voice is coded in, both ways.
    #[must_use]
    pub fn voice(&self) -> VoiceCodec {
        self.stack.codecs.voice.codec
    }

    /// Takes what the network brought.
    ///
    /// # Errors
    /// The datagram was not taken; ordinary on an open port, and the peer goes on.
    pub fn handle_input(&mut self, now: Instant, input: Input) -> Result<(), DatagramRefused> {
        let Input::Datagram { from, bytes } = input;
        if matches!(self.life, Life::Closed) {
            return Ok(());
        }
        self.check(from, &bytes)?;
        let length = bytes.len();
        let result = match &mut self.stack.channel {
            Some(channel) if !stun::is_stun(&bytes) => {
                let result = channel.handle_datagram(now, from, bytes);
                self.drain_channel();
                result
            }
            _ => {
                let tagged = self.tagged(now, from, bytes);
                let result = self.stack.connection.handle_read(tagged);
                self.drain();
                result
            }
        };
        result.map_err(|error| DatagramRefused::Unreadable {
            bytes: length,
            reason: error.to_string(),
        })
    }

    /// Does what is due by `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        if let Life::Connecting { until } = self.life
            && until <= now
        {
            return self.end(Closed::Failed);
        }
        if matches!(self.life, Life::Closed) {
            return;
        }
        let is_due = |wake: Option<Instant>| wake.is_some_and(|wake| wake <= now);
        if is_due(self.wake) {
            // A handler that cannot do its due work says so by its state, which is read below.
            let _ = self.stack.connection.handle_timeout(now);
            self.drain();
        }
        if let Some(channel) = self.stack.channel.as_mut()
            && is_due(self.channel_wake)
        {
            channel.handle_timeout(now);
            self.drain_channel();
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due; `None` once closed.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let until = match self.life {
            Life::Connecting { until } => Some(until),
            Life::Connected => None,
            Life::Closed => return None,
        };
        [until, self.wake, self.channel_wake]
            .into_iter()
            .flatten()
            .min()
    }

    /// What to do next, or what has happened.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Sends one packet on a track to the browser.
    ///
    /// # Errors
    /// The packet is not sent: wrong moment, no such track, too long, or its sequence number was used before.
    pub fn send(&mut self, now: Instant, down: Down, packet: OutPacket) -> Result<(), SendRefused> {
        if !matches!(self.life, Life::Connected) {
            return Err(SendRefused::NotConnected);
        }
        let track = self.track(down)?;
        let (bytes, max) = (packet.payload.len(), self.options.payload_bytes_max);
        if bytes > max {
            return Err(SendRefused::TooLong { bytes, max });
        }
        let sequence = packet.sequence;
        if !self.sent.entry(track.ssrc).or_default().is_first(sequence) {
            return Err(SendRefused::SequenceUsed { sequence });
        }
        self.write(now, track, packet)
    }

    /// Asks the browser for a key frame of its camera (PLI). Does nothing before the camera's first packet.
    pub fn request_keyframe(&mut self, now: Instant) {
        let Some(Camera { ssrc, receiver }) = self.camera else {
            return;
        };
        if let Some(mut receiver) = self.stack.connection.rtp_receiver(receiver) {
            let request = PictureLossIndication {
                sender_ssrc: 0,
                media_ssrc: ssrc,
            };
            // Lost requests are repeated by whoever still waits for the frame.
            let _ = receiver.write_rtcp(now, vec![Box::new(request)]);
            self.drain_datagrams();
        }
    }

    /// How loud the browser says that a packet of its microphone is: the content of the audio-level extension (RFC 6464).
    #[must_use]
    pub fn level(&self, packet: &rtp::Packet) -> Option<u8> {
        let extension = packet.header.get_extension(self.stack.audio_level?)?;
        extension.first().copied()
    }

    /// The round trip to the browser: a call's by the browser's last report (RFC 3550 §6.4.1), a room's by the last check of the path (RFC 8445
    /// §14.3), where our ICE checks it. None before one was measured.
    pub fn round_trip(&mut self, now: Instant) -> Option<Duration> {
        if self.stack.channel.is_some() {
            return self.round_trip;
        }
        let report = self.stack.connection.get_stats(now, StatsSelector::None);
        let trips = report
            .candidate_pairs()
            .map(|pair| pair.current_round_trip_time);
        let trip = trips.filter(|trip| *trip > 0.0).max_by(f64::total_cmp)?;
        Duration::try_from_secs_f64(trip).ok()
    }

    /// Says goodbye (DTLS `close_notify`) and ends.
    pub fn close(&mut self, now: Instant) {
        if !matches!(self.life, Life::Closed) {
            // Its close_notify is stamped with the newest instant it knows.
            let _ = self.stack.connection.handle_timeout(now);
            if let Some(channel) = &mut self.stack.channel {
                channel.close(now);
            }
            self.end(Closed::ByUs);
        }
    }

    /// Lets through what its sender may say, and notes whose address is proved by it.
    fn check(&mut self, from: SocketAddr, bytes: &[u8]) -> Result<(), DatagramRefused> {
        if bytes.is_empty() || bytes.len() > DATAGRAM_BYTES_MAX {
            return Err(DatagramRefused::BadLength {
                bytes: bytes.len(),
                max: DATAGRAM_BYTES_MAX,
            });
        }
        if !stun::is_stun(bytes) {
            return self
                .proved
                .contains(from)
                .then_some(())
                .ok_or(DatagramRefused::UnprovedAddress { from });
        }
        match stun::judge(bytes, &self.stack.password, self.stack.crypto.crypto()) {
            Verdict::Genuine if self.proved.insert(from) => {
                self.outputs.push_back(Output::AddressProved(from))
            }
            Verdict::Genuine | Verdict::Response => {}
            Verdict::Refused => return Err(DatagramRefused::UnauthenticatedStun { from }),
        }
        Ok(())
    }

    fn tagged(&self, now: Instant, from: SocketAddr, message: BytesMut) -> TaggedBytesMut {
        let transport = TransportContext {
            local_addr: self.options.local,
            peer_addr: from,
            ecn: None,
            transport_protocol: TransportProtocol::UDP,
        };
        TaggedBytesMut {
            now,
            transport,
            message,
        }
    }

    fn track(&self, down: Down) -> Result<DownTrack, SendRefused> {
        let found = self.stack.tracks.iter().find(|track| track.down == down);
        found.copied().ok_or(SendRefused::NoSuchTrack {
            kind: down.kind,
            slot: down.slot,
        })
    }

    fn write(
        &mut self,
        now: Instant,
        track: DownTrack,
        packet: OutPacket,
    ) -> Result<(), SendRefused> {
        let mut header = rtp::Header {
            version: 2,
            marker: packet.marker,
            payload_type: track.payload_type,
            sequence_number: packet.sequence,
            timestamp: packet.timestamp,
            ssrc: track.ssrc,
            ..Default::default()
        };
        let level = packet.level.filter(|_| track.down.kind == Kind::Audio);
        if let (Some(id), Some(level)) = (self.stack.audio_level, level) {
            // An id that fits into no extension was not negotiated with us.
            let _ = header.set_extension(id, Bytes::copy_from_slice(&[level]));
        }
        let packet = rtp::Packet {
            header,
            payload: packet.payload,
        };
        if let Some(channel) = &mut self.stack.channel {
            let result = channel.send(now, &packet);
            self.drain_sealed();
            return result.map_err(|error| SendRefused::Stack(error.to_string()));
        }
        let Some(mut sender) = self.stack.connection.rtp_sender(track.sender) else {
            return Err(SendRefused::NoSuchTrack {
                kind: track.down.kind,
                slot: track.down.slot,
            });
        };
        let result = sender.write_rtp(now, packet);
        self.drain_datagrams();
        result.map_err(|error| SendRefused::Stack(error.to_string()))
    }

    /// Takes up all that the stack has to say, and when it wants to be woken.
    fn drain(&mut self) {
        self.drain_datagrams();
        while let Some(event) = self.stack.connection.poll_event() {
            self.on_event(event);
        }
        while let Some(message) = self.stack.connection.poll_read() {
            self.on_message(message.message);
        }
        self.drain_datagrams();
        if self.has_said_goodbye() {
            self.end(Closed::ByPeer);
        }
        self.wake = self.stack.connection.poll_timeout();
    }

    /// Takes up all that the channel of a call has heard and wants sent.
    fn drain_channel(&mut self) {
        while let Some(heard) = self.stack.channel.as_mut().and_then(Channel::poll_heard) {
            match heard {
                Heard::Connected => self.connected(),
                Heard::Goodbye => self.end(Closed::ByPeer),
                Heard::Media(packet) => self.on_media(packet),
                Heard::Report(said) => {
                    self.round_trip = said.round_trip.or(self.round_trip);
                    self.on_report(said.ssrc, said.fraction_lost);
                }
            }
        }
        self.drain_sealed();
        self.channel_wake = self.stack.channel.as_mut().and_then(Channel::poll_timeout);
    }

    fn drain_sealed(&mut self) {
        while let Some((to, bytes)) = self.stack.channel.as_mut().and_then(Channel::poll_datagram) {
            self.outputs.push_back(Output::Send { to, bytes });
        }
    }

    fn drain_datagrams(&mut self) {
        while let Some(datagram) = self.stack.connection.poll_write() {
            let to = datagram.transport.peer_addr;
            self.outputs.push_back(Output::Send {
                to,
                bytes: datagram.message.freeze(),
            });
        }
    }

    fn on_event(&mut self, event: RTCPeerConnectionEvent) {
        match event {
            RTCPeerConnectionEvent::OnConnectionStateChangeEvent(state) => self.on_state(state),
            RTCPeerConnectionEvent::OnTrack(RTCTrackEvent::OnOpen(track))
                if self.receivers.len() < STREAMS_MAX =>
            {
                self.receivers.insert(track.ssrc, track.receiver_id);
            }
            _ => {}
        }
    }

    fn on_state(&mut self, state: RTCPeerConnectionState) {
        match (state, &self.life) {
            (RTCPeerConnectionState::Connected, _) => self.connected(),
            (RTCPeerConnectionState::Failed, Life::Connecting { .. }) => self.end(Closed::Failed),
            (RTCPeerConnectionState::Failed, Life::Connected) => self.end(Closed::Disconnected),
            _ => {}
        }
    }

    fn connected(&mut self) {
        if matches!(self.life, Life::Connecting { .. }) {
            self.life = Life::Connected;
            self.outputs.push_back(Output::Connected);
        }
    }

    /// The stack keeps a `close_notify` to its DTLS transport: for it the connection stays connected.
    fn has_said_goodbye(&mut self) -> bool {
        let sender = self.stack.tracks.first().map(|track| track.sender);
        sender
            .and_then(|sender| self.stack.connection.rtp_sender(sender))
            .is_some_and(|sender| {
                sender
                    .transport()
                    .is_some_and(|dtls| dtls.state() == RTCDtlsTransportState::Closed)
            })
    }

    fn on_message(&mut self, message: RTCMessage) {
        match message {
            RTCMessage::RtpPacket(_, packet) => self.on_media(packet),
            RTCMessage::RtcpPacket(_, packets) => {
                for packet in &packets {
                    let packet = packet.as_any();
                    if let Some(loss) = packet.downcast_ref::<PictureLossIndication>() {
                        self.on_keyframe_wanted(loss.media_ssrc);
                    } else if let Some(report) = packet.downcast_ref::<ReceiverReport>() {
                        report
                            .reports
                            .iter()
                            .for_each(|block| self.on_report(block.ssrc, block.fraction_lost));
                    }
                }
            }
            // No shape has data channels.
            _ => {}
        }
    }

    fn on_media(&mut self, packet: rtp::Packet) {
        let ssrc = packet.header.ssrc;
        let Some(track) = self.track_of(packet.header.payload_type) else {
            return;
        };
        if !self.received.contains_key(&ssrc) && self.received.len() == STREAMS_MAX {
            return;
        }
        if !self
            .received
            .entry(ssrc)
            .or_default()
            .is_first(packet.header.sequence_number)
        {
            return;
        }
        if track == Up::Video {
            self.camera = self.receivers.get(&ssrc).map(|receiver| Camera {
                ssrc,
                receiver: *receiver,
            });
        }
        self.outputs.push_back(Output::Media { track, packet });
    }

    fn track_of(&self, payload_type: u8) -> Option<Up> {
        let codecs = &self.stack.codecs;
        if payload_type == codecs.voice.payload_type {
            Some(Up::Audio)
        } else if codecs.vp8.is_some_and(|(vp8, _)| vp8 == payload_type) {
            Some(Up::Video)
        } else {
            (codecs.telephone_event == Some(payload_type)).then_some(Up::Digits)
        }
    }

    fn on_keyframe_wanted(&mut self, ssrc: u32) {
        let track = self.stack.tracks.iter().find(|track| track.ssrc == ssrc);
        if let Some(Down {
            kind: Kind::Video,
            slot,
        }) = track.map(|track| track.down)
        {
            self.outputs.push_back(Output::KeyframeWanted { slot });
        }
    }

    fn on_report(&mut self, ssrc: u32, fraction_lost: u8) {
        let track = self.stack.tracks.iter().find(|track| track.ssrc == ssrc);
        if let Some(DownTrack { down, .. }) = track {
            self.outputs.push_back(Output::Reported {
                down: *down,
                fraction_lost,
            });
        }
    }

    fn end(&mut self, why: Closed) {
        if matches!(self.life, Life::Closed) {
            return;
        }
        self.life = Life::Closed;
        // Closing cannot fail in a way that would leave anything to do.
        let _ = self.stack.connection.close();
        self.drain_datagrams();
        self.drain_sealed();
        self.outputs.push_back(Output::Closed(why));
    }
}

impl std::fmt::Debug for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Peer")
            .field("ufrag", &self.stack.ufrag)
            .finish_non_exhaustive()
    }
}
