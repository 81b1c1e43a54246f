use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::BytesMut;

use super::client::Client;
use crate::{Fact, Gone, Input, JoinRefused, Output, PatientSeat, PeerId, Room, RoomOptions, Seat};

/// A room, its browsers, and a demultiplexer between them as an engine has one.
pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) room: Room,
    /// Browsers by the address they send from.
    browsers: BTreeMap<SocketAddr, Browser>,
    by_addr: BTreeMap<SocketAddr, PeerId>,
    by_ufrag: BTreeMap<String, PeerId>,
    next_port: u16,
    pub(crate) facts: Vec<Fact>,
    pub(crate) gone: Vec<(Seat, Gone)>,
}

struct Browser {
    seat: Seat,
    client: Client,
    films: bool,
    cut: bool,
}

pub(crate) const PRACTITIONER: Seat = Seat::Practitioner;
pub(crate) const ONE: Seat = Seat::Patient(PatientSeat::One);
pub(crate) const TWO: Seat = Seat::Patient(PatientSeat::Two);
pub(crate) const THREE: Seat = Seat::Patient(PatientSeat::Three);
pub(crate) const SECOND: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(10);

impl World {
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        Self {
            now,
            room: Room::new(now, RoomOptions::default()),
            browsers: BTreeMap::new(),
            by_addr: BTreeMap::new(),
            by_ufrag: BTreeMap::new(),
            next_port: 5000,
            facts: Vec::new(),
            gone: Vec::new(),
        }
    }

    /// A room in which the practitioner and these patients see each other.
    pub(crate) fn with(patients: &[PatientSeat]) -> Self {
        let mut world = Self::new();
        world.join(PRACTITIONER).unwrap();
        for seat in patients {
            world.room.arrive(world.now, *seat).unwrap();
            world.room.admit(world.now, *seat).unwrap();
            world.join(Seat::Patient(*seat)).unwrap();
        }
        world.run(SECOND * 2);
        world
    }

    /// Joins from a new page, which films and speaks as soon as it is connected.
    pub(crate) fn join(&mut self, seat: Seat) -> Result<SocketAddr, JoinRefused> {
        let local = "127.0.0.1:4000".parse().unwrap();
        let addr = SocketAddr::from(([127, 0, 0, 1], self.next_port));
        self.next_port += 1;
        let mut client = Client::new(self.now, addr, local);
        let offer = client.offer_room();
        let joined = self.room.join(self.now, seat, local, &offer)?;
        client.accept(&joined.answer);
        self.by_ufrag.insert(joined.ufrag, joined.peer);
        self.browsers.insert(
            addr,
            Browser {
                seat,
                client,
                films: true,
                cut: false,
            },
        );
        Ok(addr)
    }

    /// The newest page of a seat.
    pub(crate) fn client(&mut self, seat: Seat) -> &mut Client {
        &mut self
            .browsers
            .values_mut()
            .rev()
            .find(|browser| browser.seat == seat)
            .unwrap()
            .client
    }

    pub(crate) fn page(&mut self, addr: SocketAddr) -> &mut Client {
        &mut self.browsers.get_mut(&addr).unwrap().client
    }

    pub(crate) fn cut(&mut self, addr: SocketAddr) {
        self.browsers.get_mut(&addr).unwrap().cut = true;
    }

    pub(crate) fn film(&mut self, seat: Seat, films: bool) {
        self.browsers
            .values_mut()
            .filter(|browser| browser.seat == seat)
            .for_each(|browser| browser.films = films);
    }

    pub(crate) fn run(&mut self, time: Duration) {
        let until = self.now + time;
        while self.now < until {
            self.now += TICK;
            self.publish();
            self.tick();
        }
    }

    /// Lets time pass in which nothing moves; for waits of minutes.
    pub(crate) fn sleep_until_due(&mut self) {
        if let Some(due) = self.room.poll_timeout() {
            self.now = self.now.max(due);
            self.room.handle_timeout(self.now);
        }
        self.exchange();
    }

    /// Every connected browser sends a frame and some sound; a key frame when it was asked for one.
    fn publish(&mut self) {
        let now = self.now;
        for browser in self
            .browsers
            .values_mut()
            .filter(|browser| browser.films && browser.client.connected)
        {
            browser.client.speak(now);
            let key = browser.client.owes_keyframe();
            browser.client.film(now, key);
        }
    }

    fn tick(&mut self) {
        let now = self.now;
        self.browsers
            .values_mut()
            .for_each(|browser| browser.client.advance(now));
        if self.room.poll_timeout().is_some_and(|due| due <= now) {
            self.room.handle_timeout(now);
        }
        self.exchange();
    }

    fn exchange(&mut self) {
        while self.deliver_to_room() | self.take_up() {}
    }

    fn deliver_to_room(&mut self) -> bool {
        let mut datagrams = Vec::new();
        for (from, browser) in &mut self.browsers {
            while let Some(datagram) = browser.client.poll_datagram() {
                if !browser.cut {
                    datagrams.push((*from, datagram));
                }
            }
        }
        for (from, datagram) in &datagrams {
            let named = || {
                self.by_ufrag
                    .get(housecall_browser::stun_ufrag(datagram)?)
                    .copied()
            };
            if let Some(peer) = self.by_addr.get(from).copied().or_else(named) {
                let bytes = BytesMut::from(datagram.as_slice());
                self.room.handle_input(
                    self.now,
                    Input::Datagram {
                        peer,
                        from: *from,
                        bytes,
                    },
                );
            }
        }
        !datagrams.is_empty()
    }

    fn take_up(&mut self) -> bool {
        let mut spoke = false;
        while let Some(output) = self.room.poll_output() {
            spoke = true;
            self.on_output(output);
        }
        spoke
    }

    fn on_output(&mut self, output: Output) {
        match output {
            Output::Send { to, bytes } => {
                if let Some(browser) = self.browsers.get_mut(&to).filter(|browser| !browser.cut) {
                    browser.client.receive(self.now, &bytes);
                }
            }
            Output::AddressProved { peer, addr } => {
                self.by_addr.insert(addr, peer);
            }
            Output::PeerGone { peer, seat, why } => {
                self.by_addr.retain(|_, of| *of != peer);
                self.by_ufrag.retain(|_, of| *of != peer);
                self.gone.push((seat, why));
            }
            Output::Fact(fact) => self.facts.push(fact),
            Output::Changed => {}
        }
    }
}
