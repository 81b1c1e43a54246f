use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};

use super::client::Client;
use crate::{Closed, DatagramRefused, Down, Input, Options, OutPacket, Output, Peer, Shape, Up};

/// A peer and a browser, and a network between them that takes no time.
pub(crate) struct Pair {
    pub(crate) now: Instant,
    pub(crate) peer: Peer,
    pub(crate) client: Client,
    pub(crate) client_addr: SocketAddr,
    pub(crate) connected: bool,
    pub(crate) closed: Option<Closed>,
    pub(crate) proved: Vec<SocketAddr>,
    pub(crate) media: Vec<(Up, rtp::Packet)>,
    pub(crate) keyframes_wanted: Vec<u8>,
    /// What the browser reported lost of each track, of 256.
    pub(crate) reported: Vec<(Down, u8)>,
    pub(crate) sent: Vec<Bytes>,
    /// The network is cut.
    pub(crate) cut: bool,
    /// Every how many of the browser's media packets one is lost; never if `None`.
    pub(crate) lose_every: Option<usize>,
    /// How many media packets the browser has sent.
    pub(crate) media_sent: usize,
}

pub(crate) const TICK: Duration = Duration::from_millis(5);

pub(crate) fn options(shape: Shape) -> Options {
    Options::new("127.0.0.1:4000".parse().unwrap(), shape)
}

impl Pair {
    pub(crate) fn new(options: Options) -> Self {
        Self::of(options, |offer| offer)
    }

    /// With an offer that was changed on its way to us.
    pub(crate) fn of(options: Options, change: impl FnOnce(String) -> String) -> Self {
        let now = Instant::now();
        let client_addr = "127.0.0.1:5000".parse().unwrap();
        let mut client = Client::new(now, client_addr, options.local);
        let offer = match options.shape {
            Shape::Call => client.offer_call(),
            Shape::Room => client.offer_room(),
        };
        let (peer, answer) = Peer::answer(now, options, &change(offer)).unwrap();
        client.accept(&answer);
        Self {
            now,
            peer,
            client,
            client_addr,
            connected: false,
            closed: None,
            proved: Vec::new(),
            media: Vec::new(),
            keyframes_wanted: Vec::new(),
            reported: Vec::new(),
            sent: Vec::new(),
            cut: false,
            lose_every: None,
            media_sent: 0,
        }
    }

    pub(crate) fn connected(options: Options) -> Self {
        let mut pair = Self::new(options);
        pair.run(Duration::from_secs(3));
        assert!(pair.connected && pair.client.connected);
        pair
    }

    pub(crate) fn run(&mut self, time: Duration) {
        let until = self.now + time;
        while self.now < until {
            self.now += TICK;
            self.tick(|_, _, _| {});
        }
    }

    /// One moment; `meddle` sees each datagram from the browser before the peer does.
    pub(crate) fn tick(&mut self, mut meddle: impl FnMut(&mut Peer, Instant, &[u8])) {
        self.client.advance(self.now);
        if self.peer.poll_timeout().is_some_and(|due| due <= self.now) {
            self.peer.handle_timeout(self.now);
        }
        loop {
            let mut quiet = true;
            while let Some(datagram) = self.client.poll_datagram() {
                quiet = false;
                meddle(&mut self.peer, self.now, &datagram);
                if !self.cut && !self.is_lost(&datagram) {
                    // Media may overtake the STUN that proves its address.
                    let _ = self.deliver(self.client_addr, &datagram);
                }
            }
            while let Some(output) = self.peer.poll_output() {
                quiet = false;
                self.on_output(output);
            }
            if quiet {
                return;
            }
        }
    }

    pub(crate) fn deliver(
        &mut self,
        from: SocketAddr,
        datagram: &[u8],
    ) -> Result<(), DatagramRefused> {
        self.peer.handle_input(
            self.now,
            Input::Datagram {
                from,
                bytes: BytesMut::from(datagram),
            },
        )
    }

    pub(crate) fn send(&mut self, down: Down, sequence: u16) {
        let payload = Bytes::from(vec![0x10, 0, 0, 0, down.slot]);
        let packet = OutPacket {
            marker: true,
            sequence,
            timestamp: u32::from(sequence) * 960,
            level: Some(0x80 | 23),
            payload,
        };
        self.peer.send(self.now, down, packet).unwrap();
    }

    /// Lets both sides say so many packets, one every 20 ms.
    pub(crate) fn talk(&mut self, down: Down, packets: u16) {
        for sequence in 0..packets {
            self.client.speak(self.now);
            self.send(down, sequence);
            self.run(Duration::from_millis(20));
        }
    }

    fn is_lost(&mut self, datagram: &[u8]) -> bool {
        // RFC 5761 §4: RTCP has 192 to 223 in its second byte.
        let is_media = datagram[0] >> 6 == 2 && !(192..=223).contains(&datagram[1]);
        self.media_sent += usize::from(is_media);
        is_media
            && self
                .lose_every
                .is_some_and(|every| self.media_sent.is_multiple_of(every))
    }

    fn on_output(&mut self, output: Output) {
        match output {
            Output::Send { to, bytes } => {
                if !self.cut && to == self.client_addr {
                    self.client.receive(self.now, &bytes);
                }
                self.sent.push(bytes);
            }
            Output::AddressProved(address) => self.proved.push(address),
            Output::Connected => self.connected = true,
            Output::Closed(why) => self.closed = Some(why),
            Output::Media { track, packet } => self.media.push((track, packet)),
            Output::KeyframeWanted { slot } => self.keyframes_wanted.push(slot),
            Output::Reported {
                down,
                fraction_lost,
            } => self.reported.push((down, fraction_lost)),
        }
    }
}
