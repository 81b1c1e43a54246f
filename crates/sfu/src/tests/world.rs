use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::BytesMut;

use super::client::Client;
use super::voices::{Phone, Singer};
use crate::{
    Fact, Gone, Hears, Input, JoinRefused, Output, PatientSeat, PeerId, Room, RoomOptions, Seat,
};

/// A room, its browsers, and a demultiplexer between them as an engine has one.
pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) room: Room,
    /// Browsers by the address they send from.
    browsers: BTreeMap<SocketAddr, Browser>,
    by_addr: BTreeMap<SocketAddr, PeerId>,
    by_ufrag: BTreeMap<String, PeerId>,
    /// Phones that sit, or have sat, in the room.
    phones: BTreeMap<PeerId, Phone>,
    /// What pages sing instead of just making noise, by seat.
    singers: BTreeMap<Seat, Singer>,
    next_port: u16,
    ticks: u64,
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
            phones: BTreeMap::new(),
            singers: BTreeMap::new(),
            next_port: 5000,
            ticks: 0,
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

    /// A patient's phone answers and takes the seat. It says nothing at first.
    pub(crate) fn call(&mut self, seat: PatientSeat, hears: Hears) -> Result<PeerId, JoinRefused> {
        let id = self.room.join_by_phone(self.now, seat, hears)?;
        self.phones.insert(id, Phone::new(hears));
        self.exchange();
        Ok(id)
    }

    pub(crate) fn phone(&mut self, id: PeerId) -> &mut Phone {
        self.phones.get_mut(&id).unwrap()
    }

    pub(crate) fn hang_up(&mut self, id: PeerId) {
        self.room.handle_input(self.now, Input::HungUp { peer: id });
        self.exchange();
    }

    /// Lets whatever page holds a seat sing from now on.
    pub(crate) fn sing(&mut self, seat: Seat, hertz: f32, dbfs: f32) {
        self.singers.insert(seat, Singer::new(hertz, dbfs));
    }

    pub(crate) fn singer(&mut self, seat: Seat) -> &mut Singer {
        self.singers.get_mut(&seat).unwrap()
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
            self.ticks += 1;
            self.publish();
            if self.ticks.is_multiple_of(2) {
                self.speak_into_phones();
            }
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

    fn speak_into_phones(&mut self) {
        let now = self.now;
        for (peer, phone) in &mut self.phones {
            if let Some(sound) = phone.speak() {
                self.room
                    .handle_input(now, Input::Phone { peer: *peer, sound });
            }
        }
    }

    /// Every connected browser sends a frame and some sound; a key frame when it was asked for one.
    fn publish(&mut self) {
        let now = self.now;
        let in_time = self.ticks.is_multiple_of(2);
        let newest: BTreeMap<Seat, SocketAddr> = self
            .browsers
            .iter()
            .map(|(addr, browser)| (browser.seat, *addr))
            .collect();
        for (addr, browser) in self
            .browsers
            .iter_mut()
            .filter(|(_, browser)| browser.films && browser.client.connected)
        {
            match self.singers.get_mut(&browser.seat) {
                Some(singer) if in_time && newest.get(&browser.seat) == Some(addr) => {
                    singer.sing(now, &mut browser.client);
                }
                Some(_) => {}
                None => browser.client.speak(now),
            }
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
            Output::Phone { peer, sound } => self.phone(peer).hear(sound),
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
