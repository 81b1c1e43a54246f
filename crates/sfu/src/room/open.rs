use std::time::{Duration, Instant};

use housecall_browser::{Closed, Kind, Output as PeerOutput, Up};
use housecall_media::AudioLevel;

use super::line::Line;
use super::outputs::Outputs;
use super::seated::{Away, Seated};
use super::sound::Said;
use crate::connection::{Connection, earliest};
use crate::forward::SourceId;
use crate::phone::{Counters, Desk, PhoneLeg};
use crate::speaker::ActiveSpeaker;
use crate::view::{PersonView, Phase, Place, RoomView};
use crate::{Fact, Gone, Output, PatientSeat, PeerId, PeerState, Seat, WrongMoment};

/// While the session runs: who has a line sees and hears everybody else who has.
///
/// Only [`Seated`] holds a line, and a patient becomes `Seated` only by being let in: there is no way from the
/// waiting room to a picture (V10).
#[derive(Debug)]
pub(super) struct Open {
    since: Instant,
    practitioner: Option<Seated>,
    /// There is nowhere to put a fourth (V2).
    patients: [Option<Patient>; 3],
    /// When the last line went.
    last_departure: Instant,
    pub(super) speaker: ActiveSpeaker,
    /// There only while some phone needs a mix.
    pub(super) desk: Option<Box<Desk>>,
    pub(super) counters: Counters,
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

impl Open {
    pub(super) fn new(now: Instant, patients: [Option<Patient>; 3]) -> Self {
        Self {
            since: now,
            practitioner: None,
            patients,
            last_departure: now,
            speaker: ActiveSpeaker::default(),
            desk: None,
            counters: Counters::default(),
        }
    }

    pub(super) fn arrive(&mut self, now: Instant, seat: PatientSeat) {
        match self.patient_mut(seat) {
            patient @ (None | Some(Patient::Left)) => {
                *patient = Some(Patient::Waiting { since: now })
            }
            Some(Patient::Admitted(seated)) if seated.line.is_none() => seated.away = Away::NotYet,
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
    ) -> Result<Option<Line>, WrongMoment> {
        if !self.is_admitted(seat) {
            return Err(WrongMoment {
                action: "send back",
                state: "the patient is not in the room",
            });
        }
        let line = self.take_line(now, Seat::Patient(seat));
        *self.patient_mut(seat) = Some(Patient::Waiting { since: now });
        Ok(line)
    }

    pub(super) fn remove(&mut self, now: Instant, seat: PatientSeat) -> Option<Line> {
        let line = self.take_line(now, Seat::Patient(seat));
        *self.patient_mut(seat) = None;
        line
    }

    pub(super) fn leave(&mut self, now: Instant, seat: Seat) -> Option<Line> {
        let line = self.take_line(now, seat);
        if let Some(seated) = self.seated_mut(seat) {
            seated.away = Away::Left;
        } else if let Seat::Patient(seat) = seat
            && let Some(patient) = self.patient_mut(seat)
        {
            *patient = Patient::Left;
        }
        line
    }

    pub(super) fn is_admitted(&self, seat: PatientSeat) -> bool {
        self.seated(Seat::Patient(seat)).is_some()
    }

    /// Gives a seat a new line and returns the one it replaces.
    pub(super) fn sit(&mut self, seat: Seat, line: Line) -> Option<Line> {
        let seated = match seat {
            Seat::Practitioner => self.practitioner.get_or_insert_default(),
            Seat::Patient(_) => self.seated_mut(seat)?,
        };
        seated.sit(line)
    }

    pub(super) fn set_state(&mut self, seat: Seat, state: PeerState) -> Result<(), WrongMoment> {
        let absent = WrongMoment {
            action: "set state",
            state: "the person is not in the room",
        };
        self.seated_mut(seat).ok_or(absent)?.state = state;
        Ok(())
    }

    /// Whose line this is, if it is still somebody's.
    pub(super) fn seat_of(&self, id: PeerId) -> Option<Seat> {
        Seat::ALL
            .into_iter()
            .find(|seat| self.line(*seat).is_some_and(|line| line.id() == id))
    }

    pub(super) fn connection_by_id(&mut self, id: PeerId) -> Option<&mut Connection> {
        self.connection_mut(self.seat_of(id)?)
    }

    pub(super) fn take_line(&mut self, now: Instant, seat: Seat) -> Option<Line> {
        let line = self.seated_mut(seat)?.line.take();
        line.inspect(|_| {
            self.last_departure = now;
            self.speaker.forget(seat);
        })
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
        let mix = self.desk.as_ref().map(|desk| desk.poll_timeout());
        let empty = self.empty_since().map(|since| since + empty_limit);
        earliest(earliest(connections, mix), empty)
    }

    /// Since when nobody has a line; `None` if somebody has.
    pub(super) fn empty_since(&self) -> Option<Instant> {
        let empty = Seat::ALL.into_iter().all(|seat| self.line(seat).is_none());
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
                break;
            }
        }
        self.tidy_desk();
        self.mix(now, out);
    }

    pub(super) fn view(&self) -> RoomView {
        RoomView {
            phase: Phase::Open { since: self.since },
            people: Seat::ALL.map(|seat| self.person(seat)),
            speaker: self.speaker.speaker(),
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
            PeerOutput::Media { track, packet } => self.on_media(now, seat, track, &packet, out),
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
        let Some(line) = self.take_line(now, seat) else {
            return;
        };
        if let Some(seated) = self.seated_mut(seat) {
            seated.away = Away::Lost;
        }
        out.gone(seat, &line, Gone::Lost);
        out.changed();
    }

    fn on_media(
        &mut self,
        now: Instant,
        from: Seat,
        track: Up,
        packet: &rtp::Packet,
        out: &mut Outputs,
    ) {
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
        if kind == Kind::Audio {
            let level = publisher.peer.level(packet).map(AudioLevel::of_byte);
            let said = Said {
                from,
                id,
                packet,
                level,
            };
            self.on_sound(now, &said, out);
        }
        if self.show_to_others(now, from, id, kind, packet)
            && let Some(publisher) = self.connection_mut(from)
        {
            publisher.keyframes.wish();
        }
    }

    /// Shows a packet to everybody else; true if somebody can go on only with a key frame.
    pub(super) fn show_to_others(
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
        seated.view(seat)
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

    pub(super) fn is_up(&self, seat: Seat) -> bool {
        self.line(seat).is_some_and(Line::is_up)
    }

    pub(super) fn phone(&self, seat: Seat) -> Option<&PhoneLeg> {
        self.line(seat)?.phone()
    }

    pub(super) fn phone_mut(&mut self, seat: Seat) -> Option<&mut PhoneLeg> {
        self.seated_mut(seat)?.line.as_mut()?.phone_mut()
    }

    fn line(&self, seat: Seat) -> Option<&Line> {
        self.seated(seat)?.line.as_ref()
    }

    fn connection(&self, seat: Seat) -> Option<&Connection> {
        self.line(seat)?.browser()
    }

    fn connection_mut(&mut self, seat: Seat) -> Option<&mut Connection> {
        self.seated_mut(seat)?.line.as_mut()?.browser_mut()
    }

    fn patient(&self, seat: PatientSeat) -> Option<&Patient> {
        seat.of(&self.patients).as_ref()
    }

    fn patient_mut(&mut self, seat: PatientSeat) -> &mut Option<Patient> {
        seat.of_mut(&mut self.patients)
    }
}
