//! Sound in an open room, as far as phones and the active speaker are concerned. Pages get each other's packets without any of this.

use std::time::Instant;

use housecall_browser::Kind;
use housecall_media::{AudioLevel, Rate};

use super::open::Open;
use super::outputs::Outputs;
use crate::forward::SourceId;
use crate::phone::{Desk, Hears, PhoneSound, PhoneStats, Spoken};
use crate::{Output, PeerId, Seat};

/// A packet that somebody in the room says.
pub(super) struct Said<'a> {
    pub(super) from: Seat,
    pub(super) id: SourceId,
    pub(super) packet: &'a rtp::Packet,
    /// How loud it is, if that is known.
    pub(super) level: Option<AudioLevel>,
}

/// How the others' sound gets to a phone.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// There is one other, whose packets are given as they come.
    Straight,
    /// All others are mixed, at this rate at the finest.
    Mixed(Rate),
}

impl Open {
    /// Takes what a phone says. Nothing of it is heard if the phone has no seat any more.
    pub(super) fn on_phone(
        &mut self,
        now: Instant,
        peer: PeerId,
        sound: PhoneSound,
        out: &mut Outputs,
    ) {
        let Some(from) = self.seat_of(peer) else {
            return;
        };
        let spoken = self
            .phone_mut(from)
            .and_then(|phone| phone.mouth.speak(now, sound));
        let Some(Spoken { packet, level }) = spoken else {
            return;
        };
        let said = Said {
            from,
            id: SourceId {
                peer,
                ssrc: packet.header.ssrc,
            },
            packet: &packet,
            level,
        };
        self.show_to_others(now, from, said.id, Kind::Audio, &packet);
        self.on_sound(now, &said, out);
    }

    /// Takes what somebody says, for phones to hear and for who speaks.
    pub(super) fn on_sound(&mut self, now: Instant, said: &Said<'_>, out: &mut Outputs) {
        let Said { from, level, .. } = *said;
        if level.is_some_and(|level| self.speaker.heard(now, from, level)) {
            out.changed();
        }
        for listener in Seat::ALL.into_iter().filter(|seat| *seat != from) {
            if let Some(Way::Straight) = self.way_to(listener) {
                self.pass(now, listener, said, out);
            }
        }
        if self.is_mixed(from)
            && let Some(desk) = self.desk(now)
        {
            desk.push(now, from, said.packet);
        }
    }

    /// Lets phones hear the mixes that are due.
    pub(super) fn mix(&mut self, now: Instant, out: &mut Outputs) {
        let Some(mut desk) = self.desk.take() else {
            return;
        };
        for due in desk.due(now) {
            desk.tick(due);
            for seat in Seat::ALL {
                if let Some(Way::Mixed(_)) = self.way_to(seat) {
                    self.let_hear(due, seat, &mut desk, out);
                }
            }
        }
        self.desk = Some(desk);
    }

    /// Leaves no decoder to a voice that is not mixed, and no desk where nothing is.
    pub(super) fn tidy_desk(&mut self) {
        let Some(mut desk) = self.desk.take() else {
            return;
        };
        for seat in Seat::ALL {
            if !self.is_mixed(seat) {
                self.counters.concealed += desk.forget(seat);
            }
        }
        self.desk = Some(desk).filter(|desk| desk.decoders() > 0);
    }

    pub(super) fn phone_stats(&self) -> PhoneStats {
        let phones = || Seat::ALL.into_iter().filter_map(|seat| self.phone(seat));
        let desk = self.desk.as_ref();
        let metering: usize = phones().map(|phone| phone.mouth.decoders()).sum();
        PhoneStats {
            phones: phones().count(),
            decoders: metering + desk.map_or(0, |desk| desk.decoders()),
            mixed: self.counters.mixed,
            straight: self.counters.straight,
            concealed: self.counters.concealed + desk.map_or(0, |desk| desk.concealed()),
        }
    }

    fn pass(&mut self, now: Instant, listener: Seat, said: &Said<'_>, out: &mut Outputs) {
        let Some(phone) = self.phone_mut(listener) else {
            return;
        };
        let peer = phone.id;
        if let Some(sound) = phone.ear.packet(now, said.id, said.packet, said.level) {
            self.counters.straight += 1;
            out.push(Output::Phone { peer, sound });
        }
    }

    fn let_hear(&mut self, due: Instant, listener: Seat, desk: &mut Desk, out: &mut Outputs) {
        let heard = desk.heard_at(listener);
        let Some(phone) = self.phone_mut(listener) else {
            return;
        };
        let peer = phone.id;
        if let Some(sound) = phone.ear.mixed(due, heard) {
            self.counters.mixed += 1;
            out.push(Output::Phone { peer, sound });
        }
    }

    /// The desk, at the rate that phones need now.
    fn desk(&mut self, now: Instant) -> Option<&mut Desk> {
        let rate = self.mix_rate()?;
        if let Some(other) = self.desk.take_if(|desk| desk.rate() != rate) {
            self.counters.concealed += other.concealed();
        }
        Some(
            self.desk
                .get_or_insert_with(|| Box::new(Desk::new(now, rate))),
        )
    }

    /// The rate at which to mix: the narrowest phone's, since nothing is resampled. None if no phone needs a mix.
    fn mix_rate(&self) -> Option<Rate> {
        let ways = Seat::ALL.into_iter().filter_map(|seat| self.way_to(seat));
        let rates = ways.filter_map(|way| match way {
            Way::Mixed(rate) => Some(rate),
            Way::Straight => None,
        });
        rates.min()
    }

    /// Whether somebody's voice is in a mix that another seat's phone hears.
    fn is_mixed(&self, from: Seat) -> bool {
        let mut others = Seat::ALL.into_iter().filter(|seat| *seat != from);
        self.is_up(from) && others.any(|seat| matches!(self.way_to(seat), Some(Way::Mixed(_))))
    }

    /// How a seat's phone hears the others; none if there is no phone, or nobody else.
    fn way_to(&self, listener: Seat) -> Option<Way> {
        let hears = self.phone(listener)?.ear.hears();
        let others = Seat::ALL.into_iter().filter(|seat| *seat != listener);
        match (others.filter(|seat| self.is_up(*seat)).count(), hears) {
            (0, _) => None,
            (1, Hears::Packets) => Some(Way::Straight),
            _ => Some(Way::Mixed(hears.rate())),
        }
    }
}
