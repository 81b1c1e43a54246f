//! Who hums at a telephone.

use super::*;

pub(super) struct Callee {
    pub(super) codec: Codec,
    pub(super) voice: Voice,
    /// How long its own packets are.
    pub(super) ptime_ms: u64,
    pub(super) srtp: Option<Srtp>,
    pub(super) addr: SocketAddr,
    pub(super) hum: Option<Sine>,
    pub(super) rtp: RtpSender,
    pub(super) reception: Option<Reception>,
    pub(super) keys: KeyListener,
    pub(super) keys_heard: String,
    pub(super) heard: Vec<i16>,
    pub(super) packets: Vec<RtpPacket>,
}

impl Callee {
    pub(super) fn new(codec: Codec) -> Self {
        Self {
            codec,
            voice: Voice::new(codec, codec.rate()),
            ptime_ms: 20,
            srtp: None,
            addr: PHONE.parse().unwrap(),
            hum: Some(Sine::new(CALLEE_HERTZ, SENT_DBFS)),
            rtp: RtpSender::new(99),
            reception: None,
            keys: KeyListener::default(),
            keys_heard: String::new(),
            heard: Vec::new(),
            packets: Vec::new(),
        }
    }

    /// Speaks and hears another codec. Under another clock it is another stream (RFC 7160 §4.1).
    pub(super) fn speak(&mut self, codec: Codec) {
        if codec.clock_rate() != self.codec.clock_rate() {
            self.rtp = RtpSender::new(u64::from(self.rtp.ssrc()));
        }
        self.codec = codec;
        self.voice = Voice::new(codec, codec.rate());
    }

    pub(super) fn packet(&mut self) -> Option<(SocketAddr, Bytes)> {
        let ms = self.ptime_ms;
        let payload = self.hum.as_mut().map(|hum| self.voice.says(hum, ms));
        let packet =
            payload.map(|payload| self.rtp.packet(self.codec.payload_type(), false, payload));
        self.rtp
            .advance(self.codec.clock_rate() / 1_000 * ms as u32);
        packet.map(|packet| (self.addr, self.protect(packet.to_bytes())))
    }

    pub(super) fn protect(&mut self, packet: Bytes) -> Bytes {
        match &mut self.srtp {
            Some(srtp) => srtp.protect_rtp(&packet).unwrap(),
            None => packet,
        }
    }

    pub(super) fn open(&mut self, bytes: Bytes) -> RtpPacket {
        let bytes = match &mut self.srtp {
            Some(srtp) => srtp.unprotect_rtp(&bytes).unwrap(),
            None => bytes,
        };
        RtpPacket::parse(bytes).unwrap()
    }

    pub(super) fn hears(&mut self, now: Instant, packet: RtpPacket) {
        let clock_rate = self.codec.clock_rate();
        match &mut self.reception {
            Some(reception) if reception.ssrc() == packet.ssrc => reception.received(now, &packet),
            reception => *reception = Some(Reception::new(now, clock_rate, &packet)),
        }
        if EVENTS.contains(&packet.payload_type) {
            let key = self.keys.packet(packet.timestamp, &packet.payload);
            self.keys_heard.extend(key.map(Key::name));
        } else {
            let Voice { decoder, .. } = &mut self.voice;
            decoder.decode(&packet.payload, &mut self.heard).unwrap();
        }
        self.packets.push(packet);
    }

    /// What it says of the sound that it gets.
    pub(super) fn report(&mut self, now: Instant) -> Option<(SocketAddr, Bytes)> {
        let report = Report {
            ssrc: self.rtp.ssrc(),
            blocks: vec![self.reception.as_mut()?.report(now)],
            ..Report::default()
        };
        Some((PHONE_RTCP.parse().unwrap(), report.to_bytes("phone")))
    }
}
