use std::time::{Duration, Instant};

use housecall_browser::{Closed, Kind, Output as PeerOutput, Peer, Up};

use super::Outputs;
use crate::connection::{Connection, earliest};
use crate::forward::SourceId;
use crate::view::{PersonView, Phase, Place, RoomView};
use crate::{Fact, Gone, Output, PatientSeat, PeerId, PeerState, Seat, WrongMoment};

/// While the session runs: who has a connection sees and hears everybody else who has.
///
/// Only [`Seated`] holds a connection, and a patient becomes `Seated` only by being let in: there is no way from the
/// waiting room to a picture (V10).
#[derive(Debug)]
pub(super) struct Open {
    since: Instant,
    practitioner: Option<Seated>,
    /// There is nowhere to put a fourth (V2).
    patients: [Option<Patient>; 3],
    /// When the last connection went.
    last_departure: Instant,
}

/// A patient while the session runs.
#[derive(Debug)]
pub(super) enum Patient {
    Waiting {
        since: Instant,
    },
    /// Left the waiting room before being let in.
    Left,
    Admitted(Seated),
}

/// Somebody who may be in the room, connected or not.
#[derive(Debug, Default)]
pub(super) struct Seated {
    state: PeerState,
    connection: Option<Box<Connection>>,
    away: Away,
}

/// Why a seated person has no connection.
#[derive(Clone, Copy, Debug, Default)]
enum Away {
    #[default]
    NotYet,
    Lost,
    Left,
}

impl Open {
    pub(super) fn new(now: Instant, patients: [Option<Patient>; 3]) -> Self {
        Self {
            since: now,
            practitioner: None,
            patients,
            last_departure: now,
        }
    }

    pub(super) fn arrive(&mut self, now: Instant, seat: PatientSeat) {
        match self.patient_mut(seat) {
            patient @ (None | Some(Patient::Left)) => {
                *patient = Some(Patient::Waiting { since: now })
            }
            Some(Patient::Admitted(seated)) if seated.connection.is_none() => {
                seated.away = Away::NotYet
            }
            Some(Patient::Waiting { .. } | Patient::Admitted(_)) => {}
        }
    }

    pub(super) fn admit(&mut self, seat: PatientSeat) -> Result<(), WrongMoment> {
        match self.patient_mut(seat) {
            patient @ Some(Patient::Waiting { .. }) => {
                *patient = Some(Patient::Admitted(Seated::default()));
                Ok(())
            }
            Some(Patient::Admitted(_)) => Err(WrongMoment {
                action: "admit",
                state: "the patient is in the room",
            }),
            None | Some(Patient::Left) => Err(WrongMoment {
                action: "admit",
                state: "the patient is not here",
            }),
        }
    }

    pub(super) fn send_back(
        &mut self,
        now: Instant,
        seat: PatientSeat,
    ) -> Result<Option<Box<Connection>>, WrongMoment> {
        if !self.is_admitted(seat) {
            return Err(WrongMoment {
                action: "send back",
                state: "the patient is not in the room",
            });
        }
        let connection = self.take_connection(now, Seat::Patient(seat));
        *self.patient_mut(seat) = Some(Patient::Waiting { since: now });
        Ok(connection)
    }

    pub(super) fn remove(&mut self, now: Instant, seat: PatientSeat) -> Option<Box<Connection>> {
        let connection = self.take_connection(now, Seat::Patient(seat));
        *self.patient_mut(seat) = None;
        connection
    }

    pub(super) fn leave(&mut self, now: Instant, seat: Seat) -> Option<Box<Connection>> {
        let connection = self.take_connection(now, seat);
        if let Some(seated) = self.seated_mut(seat) {
            seated.away = Away::Left;
        } else if let Seat::Patient(seat) = seat
            && let Some(patient) = self.patient_mut(seat)
        {
            *patient = Patient::Left;
        }
        connection
    }

    pub(super) fn is_admitted(&self, seat: PatientSeat) -> bool {
        self.seated(Seat::Patient(seat)).is_some()
    }

    /// Gives a seat a new connection and returns the one it replaces.
    pub(super) fn seat(&mut self, seat: Seat, id: PeerId, peer: Peer) -> Option<Box<Connection>> {
        let seated = match seat {
            Seat::Practitioner => self.practitioner.get_or_insert_default(),
            Seat::Patient(_) => self.seated_mut(seat)?,
        };
        let before = seated
            .connection
            .replace(Box::new(Connection::new(id, peer)));
        if before
            .as_ref()
            .is_some_and(|connection| connection.connected)
        {
            seated.away = Away::Lost;
        }
        before
    }

    pub(super) fn set_state(&mut self, seat: Seat, state: PeerState) -> Result<(), WrongMoment> {
        let absent = WrongMoment {
            action: "set state",
            state: "the person is not in the room",
        };
        self.seated_mut(seat).ok_or(absent)?.state = state;
        Ok(())
    }

    pub(super) fn connection_by_id(&mut self, id: PeerId) -> Option<&mut Connection> {
        let seat = Seat::ALL
            .into_iter()
            .find(|seat| self.connection(*seat).is_some_and(|c| c.id == id))?;
        self.connection_mut(seat)
    }

    pub(super) fn take_connection(&mut self, now: Instant, seat: Seat) -> Option<Box<Connection>> {
        let connection = self.seated_mut(seat)?.connection.take();
        connection.inspect(|_| self.last_departure = now)
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        for seat in Seat::ALL {
            if let Some(connection) = self.connection_mut(seat) {
                connection.handle_timeout(now);
            }
        }
    }

    pub(super) fn poll_timeout(&self, empty_limit: Duration) -> Option<Instant> {
        let connections = Seat::ALL
            .into_iter()
            .filter_map(|seat| self.connection(seat)?.poll_timeout())
            .min();
        earliest(
            connections,
            self.empty_since().map(|since| since + empty_limit),
        )
    }

    /// Since when nobody has a connection; `None` if somebody has.
    pub(super) fn empty_since(&self) -> Option<Instant> {
        let empty = Seat::ALL
            .into_iter()
            .all(|seat| self.connection(seat).is_none());
        empty.then_some(self.last_departure)
    }

    /// Takes up what the peers have to say; showing a packet makes other peers speak, so until all are silent.
    pub(super) fn run(&mut self, now: Instant, out: &mut Outputs) {
        loop {
            let mut silent = true;
            for seat in Seat::ALL {
                while let Some(output) =
                    self.connection_mut(seat).and_then(|c| c.peer.poll_output())
                {
                    silent = false;
                    self.on_output(now, seat, output, out);
                }
            }
            self.ask_for_keyframes(now);
            if silent {
                return;
            }
        }
    }

    pub(super) fn view(&self) -> RoomView {
        RoomView {
            phase: Phase::Open { since: self.since },
            people: Seat::ALL.map(|seat| self.person(seat)),
        }
    }

    fn on_output(&mut self, now: Instant, seat: Seat, output: PeerOutput, out: &mut Outputs) {
        match output {
            PeerOutput::Send { to, bytes } => out.push(Output::Send { to, bytes }),
            PeerOutput::AddressProved(addr) => {
                if let Some(peer) = self.connection(seat).map(|connection| connection.id) {
                    out.push(Output::AddressProved { peer, addr });
                }
            }
            PeerOutput::Connected => self.on_connected(seat, out),
            PeerOutput::Closed(why) => self.on_closed(now, seat, why, out),
            PeerOutput::Media { track, packet } => self.on_media(now, seat, track, &packet),
            // Browsers adapt to what they hear of each other by what is forwarded; a room takes no part in that yet.
            PeerOutput::Reported { .. } => {}
            PeerOutput::KeyframeWanted { slot } => {
                let camera = seat
                    .sees_in(slot)
                    .and_then(|seen| self.connection_mut(seen));
                if let Some(connection) = camera {
                    connection.keyframes.wish();
                }
            }
        }
    }

    fn on_connected(&mut self, seat: Seat, out: &mut Outputs) {
        if let Some(connection) = self.connection_mut(seat) {
            connection.connected = true;
            out.push(Output::Fact(Fact::Connected(seat)));
            out.changed();
        }
    }

    fn on_closed(&mut self, now: Instant, seat: Seat, _why: Closed, out: &mut Outputs) {
        let Some(connection) = self.take_connection(now, seat) else {
            return;
        };
        if let Some(seated) = self.seated_mut(seat) {
            seated.away = Away::Lost;
        }
        out.gone(seat, &connection, Gone::Lost);
        out.changed();
    }

    fn on_media(&mut self, now: Instant, from: Seat, track: Up, packet: &rtp::Packet) {
        let kind = match track {
            Up::Audio => Kind::Audio,
            Up::Video => Kind::Video,
            // Keys are for phones; nobody in a room hears them.
            Up::Digits => return,
        };
        let Some(publisher) = self
            .connection_mut(from)
            .filter(|connection| connection.connected)
        else {
            return;
        };
        publisher.note_published(track, packet);
        let id = SourceId {
            peer: publisher.id,
            ssrc: packet.header.ssrc,
        };
        if self.show_to_others(now, from, id, kind, packet)
            && let Some(publisher) = self.connection_mut(from)
        {
            publisher.keyframes.wish();
        }
    }

    /// Shows a packet to everybody else; true if somebody can go on only with a key frame.
    fn show_to_others(
        &mut self,
        now: Instant,
        from: Seat,
        id: SourceId,
        kind: Kind,
        packet: &rtp::Packet,
    ) -> bool {
        let mut awaited = false;
        for viewer in Seat::ALL {
            if let Some(slot) = from.slot_for(viewer)
                && let Some(connection) = self.connection_mut(viewer)
            {
                awaited |= connection.show(now, slot, id, kind, packet);
            }
        }
        awaited
    }

    fn ask_for_keyframes(&mut self, now: Instant) {
        for seat in Seat::ALL {
            if let Some(connection) = self.connection_mut(seat)
                && connection.keyframes.ask(now)
            {
                connection.peer.request_keyframe(now);
            }
        }
    }

    fn person(&self, seat: Seat) -> PersonView {
        let Some(seated) = self.seated(seat) else {
            return PersonView::away(seat, self.place_outside(seat));
        };
        let connected = seated
            .connection
            .as_ref()
            .is_some_and(|connection| connection.connected);
        PersonView {
            seat,
            place: seated.place(),
            connected,
            state: seated.state,
        }
    }

    fn place_outside(&self, seat: Seat) -> Place {
        let Seat::Patient(seat) = seat else {
            return Place::Absent;
        };
        match self.patient(seat) {
            Some(Patient::Waiting { since }) => Place::Waiting { since: *since },
            Some(Patient::Left) => Place::Left,
            Some(Patient::Admitted(_)) | None => Place::Absent,
        }
    }

    fn seated(&self, seat: Seat) -> Option<&Seated> {
        match seat {
            Seat::Practitioner => self.practitioner.as_ref(),
            Seat::Patient(seat) => match self.patient(seat) {
                Some(Patient::Admitted(seated)) => Some(seated),
                _ => None,
            },
        }
    }

    fn seated_mut(&mut self, seat: Seat) -> Option<&mut Seated> {
        match seat {
            Seat::Practitioner => self.practitioner.as_mut(),
            Seat::Patient(seat) => match self.patient_mut(seat) {
                Some(Patient::Admitted(seated)) => Some(seated),
                _ => None,
            },
        }
    }

    fn connection(&self, seat: Seat) -> Option<&Connection> {
        self.seated(seat)?.connection.as_deref()
    }

    fn connection_mut(&mut self, seat: Seat) -> Option<&mut Connection> {
        self.seated_mut(seat)?.connection.as_deref_mut()
    }

    fn patient(&self, seat: PatientSeat) -> Option<&Patient> {
        let [one, two, three] = &self.patients;
        match seat {
            PatientSeat::One => one.as_ref(),
            PatientSeat::Two => two.as_ref(),
            PatientSeat::Three => three.as_ref(),
        }
    }

    fn patient_mut(&mut self, seat: PatientSeat) -> &mut Option<Patient> {
        let [one, two, three] = &mut self.patients;
        match seat {
            PatientSeat::One => one,
            PatientSeat::Two => two,
            PatientSeat::Three => three,
        }
    }
}

impl Seated {
    fn place(&self) -> Place {
        match (&self.connection, self.away) {
            (Some(connection), Away::Lost) if !connection.connected => Place::Reconnecting,
            (Some(_), _) | (None, Away::NotYet) => Place::InRoom,
            (None, Away::Lost) => Place::Reconnecting,
            (None, Away::Left) => Place::Left,
        }
    }
}
