//! A call between two people who hum, in virtual time.

use super::*;

/// A caller at a browser who hums 440 Hz, a callee at a phone who hums 1004 Hz, and a path between them, in virtual time.
pub(super) struct World {
    pub(super) seed: u64,
    pub(super) start: Instant,
    pub(super) now_ms: u64,
    pub(super) path: MediaPath,
    pub(super) caller: Caller,
    pub(super) callee: Callee,
    /// How much later than at once packets arrive, at most, in each direction.
    pub(super) jitter_ms: u64,
    /// Of 100 packets in each direction.
    pub(super) lost: u64,
    /// Worse than that: what the caller's, the callee's and our own packets come through.
    pub(super) weather: Option<[Network; 3]>,
    /// What is on its way: arrival in ms.
    pub(super) to_path: Vec<(u64, Packet)>,
    pub(super) phone_lost: u32,
    /// What was sent to the callee in named events, heard or not.
    pub(super) sent_keys: SentKeys,
    /// What the callee pressed, as the path tells.
    pub(super) keys_heard: String,
    pub(super) reports: Vec<Report>,
}

#[derive(Clone)]
pub(super) enum Packet {
    Ear(EarPacket),
    Rtp(SocketAddr, Bytes),
    Rtcp(SocketAddr, Bytes),
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        Self::with(PathOptions::new("AU", seed))
    }

    pub(super) fn with(options: PathOptions) -> Self {
        let start = Instant::now();
        Self {
            seed: options.seed,
            start,
            now_ms: 0,
            caller: Caller::new(options.ear.codec),
            path: MediaPath::new(start, options).unwrap(),
            callee: Callee::new(Codec::Pcma),
            jitter_ms: 0,
            lost: 0,
            weather: None,
            to_path: Vec::new(),
            phone_lost: 0,
            sent_keys: SentKeys::default(),
            keys_heard: String::new(),
            reports: Vec::new(),
        }
    }

    /// A world whose callee has answered.
    pub(super) fn talking(seed: u64, codec: Codec) -> Self {
        let mut world = Self::new(seed);
        world.agree(target(codec));
        world.path.answered(world.start);
        world
    }

    /// The callee speaks another codec, or in another way, from now on, and has said so.
    pub(super) fn agree(&mut self, target: MediaTarget) {
        if self.callee.codec != target.codec {
            self.callee.speak(target.codec);
        }
        // A caller who could speak more than the callee hears is measured at what the callee hears.
        let rate = target.codec.rate().min(self.caller.codec.rate());
        if self.caller.voice.rate != rate {
            self.caller.voice = Voice::new(self.caller.codec, rate);
        }
        self.path.target(self.now(), target);
    }

    pub(super) fn now(&self) -> Instant {
        self.start + Duration::from_millis(self.now_ms)
    }

    pub(super) fn random(&mut self, below: u64) -> u64 {
        self.seed = self
            .seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) % below.max(1)
    }

    /// Lets time pass, a millisecond at a time; everybody hums in packets.
    pub(super) fn run(&mut self, ms: u64) {
        for _ in 0..ms {
            self.speak();
            self.deliver();
            if self.path.poll_timeout() <= self.now() {
                self.path.handle_timeout(self.now());
            }
            self.take_outputs();
            self.now_ms += 1;
        }
    }

    pub(super) fn speak(&mut self) {
        if self.now_ms.is_multiple_of(20)
            && let Some(packet) = self.caller.packet()
        {
            self.send(Packet::Ear(packet));
        }
        if self.now_ms.is_multiple_of(self.callee.ptime_ms)
            && let Some((from, bytes)) = self.callee.packet()
        {
            self.send(Packet::Rtp(from, bytes));
        }
        let reports = self.weather.is_some() && self.now_ms.is_multiple_of(REPORT_EVERY_MS);
        if reports && let Some((from, bytes)) = self.callee.report(self.now()) {
            self.send(Packet::Rtcp(from, bytes));
        }
    }

    pub(super) fn send(&mut self, packet: Packet) {
        if let Some([caller, callee, _]) = &mut self.weather {
            let network = match &packet {
                Packet::Ear(_) => caller,
                Packet::Rtp(..) | Packet::Rtcp(..) => callee,
            };
            let arrivals = network.arrivals(self.now_ms * 1_000);
            let arrivals = arrivals.into_iter().map(|at_us| at_us / 1_000);
            self.to_path.extend(arrivals.map(|at| (at, packet.clone())));
            return;
        }
        let lost = self.random(100) < self.lost;
        let at = self.now_ms + self.random(self.jitter_ms + 1);
        if !lost {
            self.to_path.push((at, packet));
        }
    }

    pub(super) fn deliver(&mut self) {
        let now = self.now();
        let (due, later) = std::mem::take(&mut self.to_path)
            .into_iter()
            .partition(|(at, _)| *at <= self.now_ms);
        self.to_path = later;
        let mut due: Vec<(u64, Packet)> = due;
        due.sort_by_key(|(at, _)| *at);
        for (_, packet) in due {
            match packet {
                Packet::Ear(packet) => self.path.ear(now, packet),
                Packet::Rtp(from, bytes) => self.path.rtp(now, from, bytes),
                Packet::Rtcp(from, bytes) => self.path.rtcp(now, from, &bytes),
            }
        }
    }

    pub(super) fn take_outputs(&mut self) {
        while let Some(output) = self.path.poll_output() {
            let lost = self.is_lost_on_the_way_out();
            match output {
                PathOutput::Rtp { to, bytes } => {
                    assert_eq!(to, self.callee.addr);
                    let packet = self.callee.open(bytes);
                    if EVENTS.contains(&packet.payload_type) {
                        self.sent_keys.note(&packet, !lost);
                    }
                    if !lost {
                        self.callee.hears(self.now(), packet);
                    }
                }
                PathOutput::Ear(frame) if !lost => self.caller.hears(frame),
                PathOutput::Ear(_) => {}
                PathOutput::Rtcp { bytes, .. } => {
                    let bytes = match &mut self.callee.srtp {
                        Some(srtp) => srtp.unprotect_rtcp(&bytes).unwrap(),
                        None => bytes,
                    };
                    self.reports.push(Report::parse(&bytes).unwrap());
                }
                PathOutput::KeyHeard(key) => self.keys_heard.push(key.name()),
                PathOutput::PhoneLost => self.phone_lost += 1,
            }
        }
    }

    pub(super) fn is_lost_on_the_way_out(&mut self) -> bool {
        match &mut self.weather {
            Some([.., ours]) => ours.arrivals(self.now_ms * 1_000).is_empty(),
            None => self.random(100) < self.lost,
        }
    }

    /// Forgets what was heard, lets `ms` pass, and gives what the caller and the callee heard meanwhile.
    pub(super) fn listen(&mut self, ms: u64) -> (Vec<i16>, Vec<i16>) {
        self.caller.heard.clear();
        self.callee.heard.clear();
        self.run(ms);
        (
            std::mem::take(&mut self.caller.heard),
            std::mem::take(&mut self.callee.heard),
        )
    }

    pub(super) fn press(&mut self, keys: &str) {
        for name in keys.chars() {
            self.path.press(Key::new(name).unwrap()).unwrap();
        }
    }

    pub(super) fn stats(&self) -> MediaStats {
        self.path.stats()
    }
}
