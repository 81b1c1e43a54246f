mod ended;
mod line;
mod open;
mod outputs;
mod seated;
mod sound;
mod waiting;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use housecall_browser::{Options, Peer, Shape, SrtpProfile, Timeouts};

use crate::connection::Connection;
use crate::phone::PhoneLeg;
use crate::{
    Ending, Fact, Gone, Hears, Input, JoinRefused, Joined, Output, PatientSeat, PeerId, PeerState,
    PhoneStats, RoomView, Seat, WrongMoment,
};
use ended::Ended;
use line::Line;
use open::Open;
use outputs::Outputs;
use waiting::Waiting;

/// One consultation's media room. See the crate's page for its life.
#[derive(Debug)]
pub struct Room {
    state: State,
    options: RoomOptions,
    out: Outputs,
    next_peer: u64,
}

/// How a room is set up.
#[derive(Clone, Debug)]
pub struct RoomOptions {
    /// ICE-lite for all peers; see [`Options::lite`].
    pub lite: bool,
    /// The protection of media; see [`Options::srtp`].
    pub srtp: Vec<SrtpProfile>,
    /// How long a peer may be silent.
    pub timeouts: Timeouts,
    /// How long a room stays open with nobody in it (V15).
    pub empty_limit: Duration,
}

impl Default for RoomOptions {
    fn default() -> Self {
        Self {
            lite: false,
            srtp: vec![SrtpProfile::AeadAes128Gcm],
            timeouts: Timeouts::default(),
            empty_limit: Duration::from_secs(5 * 60),
        }
    }
}

#[derive(Debug)]
enum State {
    Waiting(Waiting),
    Open(Box<Open>),
    Ended(Ended),
}

impl Room {
    /// A room in which nobody is yet.
    #[must_use]
    pub fn new(_now: Instant, options: RoomOptions) -> Self {
        let state = State::Waiting(Waiting::default());
        Self {
            state,
            options,
            out: Outputs::default(),
            next_peer: 0,
        }
    }

    /// A patient comes into the waiting room. One who was let in before is let in at once (V9).
    ///
    /// # Errors
    /// The room has ended.
    pub fn arrive(&mut self, now: Instant, seat: PatientSeat) -> Result<(), WrongMoment> {
        match &mut self.state {
            State::Waiting(waiting) => waiting.arrive(now, seat),
            State::Open(open) => open.arrive(now, seat),
            State::Ended(_) => return Err(over("arrive")),
        }
        self.out.changed();
        Ok(())
    }

    /// The practitioner lets a waiting patient in (V10): at once, or as soon as the practitioner joins.
    ///
    /// # Errors
    /// The room has ended, or the patient is not waiting.
    pub fn admit(&mut self, now: Instant, seat: PatientSeat) -> Result<(), WrongMoment> {
        match &mut self.state {
            State::Waiting(waiting) => waiting.admit(seat)?,
            State::Open(open) => {
                open.admit(seat)?;
                self.out.push(Output::Fact(Fact::PatientAdmitted(seat)));
            }
            State::Ended(_) => return Err(over("admit")),
        }
        self.out.changed();
        self.run(now);
        Ok(())
    }

    /// Lets all waiting patients in.
    ///
    /// # Errors
    /// The room has ended.
    pub fn admit_all(&mut self, now: Instant) -> Result<(), WrongMoment> {
        if let State::Ended(_) = self.state {
            return Err(over("admit"));
        }
        for seat in PatientSeat::ALL {
            // Who is not waiting need not be let in.
            let _ = self.admit(now, seat);
        }
        Ok(())
    }

    /// Sends a patient back to the waiting room; their connection ends.
    ///
    /// # Errors
    /// The room has ended, or the patient has not been let in.
    pub fn send_back(&mut self, now: Instant, seat: PatientSeat) -> Result<(), WrongMoment> {
        match &mut self.state {
            State::Waiting(waiting) => waiting.send_back(now, seat)?,
            State::Open(open) => {
                let line = open.send_back(now, seat)?;
                self.out.retire(now, Seat::Patient(seat), line, Gone::Left);
            }
            State::Ended(_) => return Err(over("send back")),
        }
        self.out.changed();
        self.run(now);
        Ok(())
    }

    /// Removes a patient, wherever they are; their seat is as if they had never come.
    ///
    /// # Errors
    /// The room has ended.
    pub fn remove(&mut self, now: Instant, seat: PatientSeat) -> Result<(), WrongMoment> {
        match &mut self.state {
            State::Waiting(waiting) => waiting.remove(seat),
            State::Open(open) => {
                let line = open.remove(now, seat);
                self.out.retire(now, Seat::Patient(seat), line, Gone::Left);
            }
            State::Ended(_) => return Err(over("remove")),
        }
        self.out.changed();
        self.run(now);
        Ok(())
    }

    /// Connects somebody's page. A page that held the seat before is evicted at once (V9).
    ///
    /// The practitioner's first join opens the room (V7).
    ///
    /// # Errors
    /// The person may not be here now, or the offer cannot be answered; whoever held the seat keeps it then.
    pub fn join(
        &mut self,
        now: Instant,
        seat: Seat,
        local: SocketAddr,
        offer: &str,
    ) -> Result<Joined, JoinRefused> {
        self.may_join(seat)?;
        let (peer, answer) = Peer::answer(now, self.peer_options(local), offer)?;
        let ufrag = peer.ufrag().to_owned();
        let id = self.new_peer();
        self.open_at_first_join(now);
        self.sit(
            now,
            seat,
            Line::Browser(Box::new(Connection::new(id, peer))),
        );
        self.run(now);
        Ok(Joined {
            peer: id,
            ufrag,
            answer,
        })
    }

    /// Gives a patient's seat to their phone, which has just answered (V13): they hear everybody and are heard by everybody.
    ///
    /// Their page, if it still holds the seat, is evicted, as is a phone before this one; a page that [`join`](Self::join)s later takes
    /// the seat back. `hears` is the form in which the phone's leg takes sound; what it says may come in either.
    ///
    /// # Errors
    /// A phone may sit where its patient's page may: in an open room, after being let in (V10).
    pub fn join_by_phone(
        &mut self,
        now: Instant,
        seat: PatientSeat,
        hears: Hears,
    ) -> Result<PeerId, JoinRefused> {
        self.check_phone(seat)?;
        let id = self.new_peer();
        let leg = PhoneLeg::new(now, id, hears);
        self.sit(now, Seat::Patient(seat), Line::Phone(Box::new(leg)));
        self.out.push(Output::Fact(Fact::PhoneJoined(seat)));
        self.run(now);
        Ok(id)
    }

    /// Says whether [`join_by_phone`](Self::join_by_phone) would be refused now: asked before anybody's phone rings.
    ///
    /// # Errors
    /// As `join_by_phone`.
    pub fn check_phone(&self, seat: PatientSeat) -> Result<(), JoinRefused> {
        self.may_join(Seat::Patient(seat))
    }

    /// Says whether [`join`](Self::join) would be refused now; nothing comes of it.
    ///
    /// # Errors
    /// As `join`.
    pub fn check(
        &self,
        now: Instant,
        seat: Seat,
        local: SocketAddr,
        offer: &str,
    ) -> Result<(), JoinRefused> {
        self.may_join(seat)?;
        Peer::answer(now, self.peer_options(local), offer)?;
        Ok(())
    }

    /// Somebody leaves by their own choice. They may come back, until the practitioner disconnects (V8).
    ///
    /// # Errors
    /// The room has ended.
    pub fn leave(&mut self, now: Instant, seat: Seat) -> Result<(), WrongMoment> {
        match &mut self.state {
            State::Waiting(waiting) => waiting.leave(seat),
            State::Open(open) => {
                let line = open.leave(now, seat);
                self.out.retire(now, seat, line, Gone::Left);
            }
            State::Ended(_) => return Err(over("leave")),
        }
        self.out.changed();
        self.run(now);
        Ok(())
    }

    /// The practitioner ends the session for everyone (V8).
    ///
    /// # Errors
    /// The room is not open.
    pub fn disconnect(&mut self, now: Instant) -> Result<(), WrongMoment> {
        self.open("disconnect")?;
        self.end(now, Ending::Disconnected);
        Ok(())
    }

    /// Notes what somebody's controls say, for the others to see.
    ///
    /// # Errors
    /// The person is not in the room.
    pub fn set_state(
        &mut self,
        _now: Instant,
        seat: Seat,
        state: PeerState,
    ) -> Result<(), WrongMoment> {
        self.open("set state")?.set_state(seat, state)?;
        self.out.changed();
        Ok(())
    }

    /// Takes what the network brought. What is for a peer that is no more, or that its peer refuses, is dropped.
    pub fn handle_input(&mut self, now: Instant, input: Input) {
        let State::Open(open) = &mut self.state else {
            return;
        };
        match input {
            Input::Datagram { peer, from, bytes } => {
                if let Some(connection) = open.connection_by_id(peer) {
                    // Anybody can send anything to an open port; what its peer refuses is nobody's concern.
                    let input = housecall_browser::Input::Datagram { from, bytes };
                    let _ = connection.peer.handle_input(now, input);
                }
            }
            Input::Phone { peer, sound } => open.on_phone(now, peer, sound, &mut self.out),
            Input::HungUp { peer } => {
                if let Some(seat) = open.seat_of(peer)
                    && open.phone(seat).is_some()
                {
                    let line = open.leave(now, seat);
                    self.out.retire(now, seat, line, Gone::Left);
                    self.out.changed();
                }
            }
        }
        self.run(now);
    }

    /// Does what is due by `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        if let State::Open(open) = &mut self.state {
            open.handle_timeout(now);
            self.run(now);
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Open(open) => open.poll_timeout(self.options.empty_limit),
            State::Waiting(_) | State::Ended(_) => None,
        }
    }

    /// What to do next, or what has happened.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.out.poll()
    }

    /// Who is where.
    #[must_use]
    pub fn view(&self) -> RoomView {
        match &self.state {
            State::Waiting(waiting) => waiting.view(),
            State::Open(open) => open.view(),
            State::Ended(ended) => ended.view().clone(),
        }
    }

    /// What the phones in the room cost, and how they are heard. All zero outside a session.
    #[must_use]
    pub fn phone_stats(&self) -> PhoneStats {
        match &self.state {
            State::Open(open) => open.phone_stats(),
            State::Waiting(_) | State::Ended(_) => PhoneStats::default(),
        }
    }

    fn open(&mut self, action: &'static str) -> Result<&mut Open, WrongMoment> {
        match &mut self.state {
            State::Open(open) => Ok(open),
            State::Waiting(_) => Err(WrongMoment {
                action,
                state: "the practitioner has not joined yet",
            }),
            State::Ended(_) => Err(over(action)),
        }
    }

    fn may_join(&self, seat: Seat) -> Result<(), JoinRefused> {
        match (&self.state, seat) {
            (State::Ended(_), _) => Err(JoinRefused::Ended),
            (_, Seat::Practitioner) => Ok(()),
            (State::Waiting(_), Seat::Patient(_)) => Err(JoinRefused::NotOpenYet),
            (State::Open(open), Seat::Patient(patient)) => open
                .is_admitted(patient)
                .then_some(())
                .ok_or(JoinRefused::NotAdmitted),
        }
    }

    fn peer_options(&self, local: SocketAddr) -> Options {
        Options {
            lite: self.options.lite,
            srtp: self.options.srtp.clone(),
            timeouts: self.options.timeouts,
            ..Options::new(local, Shape::Room)
        }
    }

    fn new_peer(&mut self) -> PeerId {
        let id = PeerId(self.next_peer);
        self.next_peer += 1;
        id
    }

    /// Gives a seat a new line in the open room; who held it is evicted.
    fn sit(&mut self, now: Instant, seat: Seat, line: Line) {
        if let State::Open(open) = &mut self.state {
            let before = open.sit(seat, line);
            self.out.retire(now, seat, before, Gone::Evicted);
        }
        self.out.changed();
    }

    fn open_at_first_join(&mut self, now: Instant) {
        if let State::Waiting(waiting) = &mut self.state {
            let admitted: Vec<PatientSeat> = waiting.admitted().collect();
            let open = std::mem::take(waiting).open(now);
            self.state = State::Open(Box::new(open));
            self.out.push(Output::Fact(Fact::PractitionerJoined));
            for seat in admitted {
                self.out.push(Output::Fact(Fact::PatientAdmitted(seat)));
            }
        }
    }

    /// Lets media flow until nobody has anything more to say, then ends the room if it has been empty for too long.
    fn run(&mut self, now: Instant) {
        let State::Open(open) = &mut self.state else {
            return;
        };
        open.run(now, &mut self.out);
        if let Some(since) = open.empty_since()
            && since + self.options.empty_limit <= now
        {
            self.end(now, Ending::Empty { since });
        }
    }

    fn end(&mut self, now: Instant, ending: Ending) {
        let State::Open(open) = &mut self.state else {
            return;
        };
        for seat in Seat::ALL {
            let line = open.take_line(now, seat);
            self.out.retire(now, seat, line, Gone::RoomEnded);
        }
        self.state = State::Ended(Ended::new(now, &open.view(), ending));
        self.out.push(Output::Fact(Fact::Ended(ending)));
        self.out.changed();
    }
}

fn over(action: &'static str) -> WrongMoment {
    WrongMoment {
        action,
        state: "the room has ended",
    }
}
