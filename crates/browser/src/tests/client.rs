//! A browser played by `str0m`, an independent stack, in virtual time. The tests of rooms use it too.
#![allow(dead_code)] // each crate's tests use their own part

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::media::{Direction, KeyframeRequestKind, MediaKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{ExtensionValues, RtpPacket, RtpWrite};
use str0m::{Candidate, Event, Input, Output, Rtc};

pub(crate) struct Client {
    rtc: Rtc,
    addr: SocketAddr,
    server: SocketAddr,
    mids: Vec<Mid>,
    pending: Option<SdpPendingOffer>,
    /// Which m-line a stream of the server belongs to.
    lines: BTreeMap<u32, usize>,
    outbox: VecDeque<Vec<u8>>,
    wake: Instant,
    sent: [u16; 2],
    pub(crate) connected: bool,
    /// Has given up.
    failed: bool,
    pub(crate) keyframes_asked: usize,
    keyframes_sent: usize,
    pub(crate) heard: Vec<Heard>,
}

/// A packet that came in.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    /// The m-line it came by.
    pub(crate) line: usize,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    /// The audio level in dBov, and whether it is taken for speech (RFC 6464).
    pub(crate) level: Option<(i8, Option<bool>)>,
    pub(crate) payload: Vec<u8>,
}

impl Client {
    pub(crate) fn new(now: Instant, addr: SocketAddr, server: SocketAddr) -> Self {
        let mut rtc = Rtc::builder()
            .set_crypto_provider(Arc::new(str0m::crypto::from_feature_flags()))
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_vp8(true)
            .enable_opus(true, false)
            .enable_pcmu(true, false)
            .build(now);
        rtc.add_local_candidate(Candidate::host(addr, "udp").unwrap());
        Self {
            rtc,
            addr,
            server,
            mids: Vec::new(),
            pending: None,
            lines: BTreeMap::new(),
            outbox: VecDeque::new(),
            wake: now,
            sent: [100, 60_000],
            connected: false,
            failed: false,
            keyframes_asked: 0,
            keyframes_sent: 0,
            heard: Vec::new(),
        }
    }

    pub(crate) fn offer_room(&mut self) -> String {
        let mut lines = vec![
            (MediaKind::Audio, Direction::SendOnly),
            (MediaKind::Video, Direction::SendOnly),
        ];
        for _slot in 0..3 {
            lines.extend([
                (MediaKind::Audio, Direction::RecvOnly),
                (MediaKind::Video, Direction::RecvOnly),
            ]);
        }
        self.offer(&lines)
    }

    pub(crate) fn offer_call(&mut self) -> String {
        self.offer(&[(MediaKind::Audio, Direction::SendRecv)])
    }

    fn offer(&mut self, lines: &[(MediaKind, Direction)]) -> String {
        let mut api = self.rtc.sdp_api();
        self.mids = lines
            .iter()
            .map(|(kind, way)| api.add_media(*kind, *way, None, None, None))
            .collect();
        let (offer, pending) = api.apply().unwrap();
        self.pending = Some(pending);
        offer.to_sdp_string()
    }

    pub(crate) fn accept(&mut self, answer: &str) {
        for (line, section) in answer.split("m=").skip(1).enumerate() {
            let ssrcs = section.lines().filter_map(|line| {
                line.strip_prefix("a=ssrc:")?
                    .split(' ')
                    .next()?
                    .parse()
                    .ok()
            });
            self.lines.extend(ssrcs.map(|ssrc: u32| (ssrc, line)));
        }
        let answer = SdpAnswer::from_sdp_string(answer).unwrap();
        self.rtc
            .sdp_api()
            .accept_answer(self.pending.take().unwrap(), answer)
            .unwrap();
    }

    pub(crate) fn receive(&mut self, now: Instant, datagram: &[u8]) {
        if let Ok(receive) = Receive::new(Protocol::Udp, self.server, self.addr, datagram) {
            self.handle(Input::Receive(now, receive));
        }
    }

    pub(crate) fn advance(&mut self, now: Instant) {
        if self.wake <= now && !self.failed {
            self.handle(Input::Timeout(now));
        }
    }

    pub(crate) fn poll_datagram(&mut self) -> Option<Vec<u8>> {
        self.outbox.pop_front()
    }

    /// Sends 20 ms of what passes for Opus.
    pub(crate) fn speak(&mut self, now: Instant) {
        self.say(now, vec![0xfc, 1, 2, 3], -30);
    }

    /// Sends 20 ms of Opus, and says how loud they are, in dBov; below -60 that is no voice.
    pub(crate) fn say(&mut self, now: Instant, payload: Vec<u8>, level: i8) {
        let [audio, _] = self.sent;
        self.send(now, 0, u32::from(audio) * 960, (payload, level));
    }

    /// Lets a packet of sound get lost.
    pub(crate) fn lose_sound(&mut self) {
        let [audio, _] = &mut self.sent;
        *audio = audio.wrapping_add(1);
    }

    /// Sends a frame of what passes for VP8, in one packet, with a 15-bit picture id.
    pub(crate) fn film(&mut self, now: Instant, key: bool) {
        let [_, video] = self.sent;
        let [high, low] = (video | 0x8000).to_be_bytes();
        self.send(
            now,
            1,
            u32::from(video) * 3000,
            (vec![0x90, 0x80, high, low, u8::from(!key), 0xaa, 0xbb], -30),
        );
    }

    fn send(&mut self, now: Instant, line: usize, timestamp: u32, (payload, level): (Vec<u8>, i8)) {
        let payload_type = self.rtc.media(self.mids[line]).unwrap().remote_pts()[0];
        self.sent[line] = self.sent[line].wrapping_add(1);
        let sequence = u64::from(self.sent[line]);
        let packet = RtpWrite::new(payload_type, sequence.into(), timestamp, now, payload);
        let levels = ExtensionValues {
            audio_level: Some(level),
            voice_activity: Some(level >= -60),
            ..ExtensionValues::default()
        };
        let mut api = self.rtc.direct_api();
        api.stream_tx_by_mid(self.mids[line], None)
            .unwrap()
            .write_rtp(packet.marker(true).nackable(line == 1).ext_vals(levels));
        self.handle(Input::Timeout(now));
    }

    /// True once for each key frame that was asked for.
    pub(crate) fn owes_keyframe(&mut self) -> bool {
        let owes = self.keyframes_sent < self.keyframes_asked;
        self.keyframes_sent = self.keyframes_asked;
        owes
    }

    /// Says that the picture of an m-line cannot be decoded.
    pub(crate) fn lose_picture(&mut self, now: Instant, line: usize) {
        let mut api = self.rtc.direct_api();
        let stream = api.stream_rx_by_mid(self.mids[line], None).unwrap();
        stream.request_keyframe(KeyframeRequestKind::Pli);
        self.handle(Input::Timeout(now));
    }

    pub(crate) fn heard_on(&self, line: usize) -> Vec<&Heard> {
        self.heard
            .iter()
            .filter(|heard| heard.line == line)
            .collect()
    }

    fn handle(&mut self, input: Input<'_>) {
        self.failed |= self.rtc.handle_input(input).is_err();
        self.drain();
    }

    fn drain(&mut self) {
        loop {
            let Ok(output) = self.rtc.poll_output() else {
                self.failed = true;
                return;
            };
            match output {
                Output::Timeout(wake) => return self.wake = wake,
                Output::Transmit(transmit) => self.outbox.push_back(transmit.contents.to_vec()),
                Output::Event(Event::Connected) => self.connected = true,
                Output::Event(Event::KeyframeRequest(_)) => self.keyframes_asked += 1,
                Output::Event(Event::RtpPacket(packet)) => self.hear(&packet),
                Output::Event(_) => {}
            }
        }
    }

    fn hear(&mut self, packet: &RtpPacket) {
        let line = self.lines[&*packet.header.ssrc];
        let values = &packet.header.ext_vals;
        self.heard.push(Heard {
            line,
            sequence: packet.header.sequence_number,
            timestamp: packet.header.timestamp,
            level: values
                .audio_level
                .map(|level| (level, values.voice_activity)),
            payload: packet.payload.to_vec(),
        });
    }
}
