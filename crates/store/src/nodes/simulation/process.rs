//! A process of the simulation: what it believes, which rooms it has, and what is on its way between it and the database.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use housecall_meter::{Fact, Millis, Opening, Session, SessionId, Transaction};
use rand::RngExt;
use rand::rngs::StdRng;

use super::super::membership::{BEAT_PATIENCE, Membership};
use super::super::{Epoch, NodeView, Standing};
use super::database::{Database, Written};
use super::practice;

const EVIDENCE_MS: u64 = 5_000;

pub(super) struct Process {
    pub(super) membership: Membership,
    /// Reads this clock and no other: it began anywhere, and runs up to a tenth too fast or too slow.
    clock: Clock,
    /// True while the database is reached.
    pub(super) link: bool,
    pub(super) paused_until: u64,
    /// Since when nothing is at fault with it.
    sound_since_ms: u64,
    pub(super) rooms: BTreeMap<u64, Room>,
    beat: Option<Beat>,
    /// Ends of sessions of nodes that are gone, worked out and not yet written.
    closing: Vec<Transaction>,
}

#[derive(Clone, Copy)]
struct Clock {
    zero: Instant,
    began_ms: u64,
    per_mille: u64,
}

/// A heartbeat on its way.
struct Beat {
    sent: Instant,
    arrives_ms: u64,
    answer_ms: u64,
    /// What the database said; none before it heard.
    said: Option<Option<Vec<NodeView>>>,
}

pub(super) struct Room {
    pub(super) session: Session,
    began: Instant,
    unwritten: Vec<Transaction>,
    evidence_ms: u64,
}

impl Clock {
    fn at(self, now_ms: u64) -> Instant {
        self.zero + Duration::from_micros((now_ms - self.began_ms) * self.per_mille)
    }
}

impl Process {
    pub(super) fn start(
        now_ms: u64,
        zero: Instant,
        db: &mut Database,
        random: &mut StdRng,
    ) -> Self {
        let clock = Clock {
            zero: zero + Duration::from_secs(random.random_range(0..1_000)),
            began_ms: now_ms,
            per_mille: random.random_range(900..=1_100),
        };
        Self {
            membership: Membership::joined(db.enter(), clock.at(now_ms)),
            clock,
            link: true,
            paused_until: 0,
            sound_since_ms: now_ms,
            rooms: BTreeMap::new(),
            beat: None,
            closing: Vec::new(),
        }
    }

    pub(super) fn epoch(&self) -> Epoch {
        self.membership.epoch()
    }

    pub(super) fn now(&self, now_ms: u64) -> Instant {
        self.clock.at(now_ms)
    }

    pub(super) fn standing(&self, now_ms: u64) -> Standing {
        self.membership.standing(self.now(now_ms))
    }

    pub(super) fn note_soundness(&mut self, now_ms: u64) {
        if !self.link || !self.is_running(now_ms) {
            self.sound_since_ms = now_ms;
        }
    }

    pub(super) fn sound_for(&self, now_ms: u64) -> u64 {
        now_ms - self.sound_since_ms
    }

    pub(super) fn is_running(&self, now_ms: u64) -> bool {
        now_ms >= self.paused_until
    }

    /// Whether it acts for a room at this moment.
    pub(super) fn acts_for(&self, room: u64, now_ms: u64) -> bool {
        self.is_running(now_ms)
            && self.rooms.contains_key(&room)
            && self.standing(now_ms) == Standing::Holds
    }

    /// What the network carries, whether the process runs or not.
    pub(super) fn carry(&mut self, now_ms: u64, db: &mut Database) {
        let epoch = self.epoch();
        if let Some(beat) = &mut self.beat
            && beat.said.is_none()
            && now_ms >= beat.arrives_ms
        {
            beat.said = Some(db.beat(epoch));
        }
    }

    pub(super) fn turn(&mut self, now_ms: u64, db: &mut Database, random: &mut StdRng) {
        self.hear(now_ms, db);
        self.send(now_ms, random);
        if self.standing(now_ms) == Standing::Over {
            return self.begin_again(now_ms, db);
        }
        self.meter(now_ms, db, random);
        if self.link && self.standing(now_ms) == Standing::Holds {
            self.look_after(now_ms, db, random);
        }
    }

    fn hear(&mut self, now_ms: u64, db: &Database) {
        let now = self.now(now_ms);
        let Some(beat) = &self.beat else { return };
        let is_late = now.duration_since(beat.sent) > BEAT_PATIENCE;
        match &beat.said {
            Some(said) if now_ms >= beat.answer_ms && self.link && !is_late => {
                match said.clone() {
                    Some(there) => self.membership.handle_answer(now, beat.sent, there),
                    None => self.membership.handle_over(db.newest()),
                }
                self.beat = None;
            }
            // Given up; it may still arrive.
            _ if is_late && beat.said.is_some() => self.beat = None,
            _ => {}
        }
    }

    fn send(&mut self, now_ms: u64, random: &mut StdRng) {
        let sent = self.now(now_ms);
        if self.beat.is_some() || !self.membership.beat(sent) || !self.link {
            return;
        }
        let slow = if random.random_bool(0.05) { 6_000 } else { 300 };
        let arrives_ms = now_ms + random.random_range(0..slow);
        self.beat = Some(Beat {
            sent,
            arrives_ms,
            answer_ms: arrives_ms + random.random_range(0..slow),
            said: None,
        });
    }

    /// Its rooms are closed, and it joins again under a new epoch.
    fn begin_again(&mut self, now_ms: u64, db: &mut Database) {
        self.rooms.clear();
        self.closing.clear();
        if self.link {
            self.beat = None;
            self.membership = Membership::joined(db.enter(), self.now(now_ms));
        }
    }

    /// Somebody comes to a room: they are let in, or sent away.
    pub(super) fn let_in(&mut self, room: u64, name: &str, now_ms: u64, db: &mut Database) {
        let may_act = self.standing(now_ms) == Standing::Holds;
        if !may_act || self.rooms.contains_key(&room) || !self.link {
            return;
        }
        if db.claim(room, self.epoch()) {
            let session = SessionId::new(name);
            let mut session = Session::open(Opening::call(session, practice()));
            let reserve = session.poll_output().unwrap();
            // A start that is refused, or not answered, is none.
            if db.write(self.epoch(), &reserve) != Written::Done {
                return;
            }
            let _grant = session.recorded(&reserve.key);
            session.handle_input(Millis(0), Fact::Answered).unwrap();
            let room_of = Room {
                session,
                began: self.now(now_ms),
                unwritten: Vec::new(),
                evidence_ms: 0,
            };
            self.rooms.insert(room, room_of);
        }
    }

    /// Blocks begin, signs of life are left, and what the database does not hear is kept until it does.
    fn meter(&mut self, now_ms: u64, db: &mut Database, random: &mut StdRng) {
        let (now, link, epoch) = (self.now(now_ms), self.link, self.epoch());
        let mut fenced = false;
        self.rooms.retain(|_, room| {
            let at = room.elapsed(now);
            if room.session.settled().is_none() {
                room.session.handle_timeout(Millis(at));
                if random.random_bool(0.002) {
                    room.session.handle_input(Millis(at), Fact::Ended).unwrap();
                }
            }
            while let Some(entry) = room.session.poll_output() {
                room.unwritten.push(entry);
            }
            if link {
                fenced |= room.flush(epoch, at, db, random);
            }
            room.session.settled().is_none() || !room.unwritten.is_empty()
        });
        if fenced {
            self.membership.handle_over(db.newest());
        }
    }

    /// Two janitors may be at it at once, each with what it read a while ago.
    fn look_after(&mut self, now_ms: u64, db: &mut Database, random: &mut StdRng) {
        let epoch = self.epoch();
        for entry in std::mem::take(&mut self.closing) {
            // Whoever was faster has written it; and this node may be gone itself by now, without knowing.
            let _ = db.write(epoch, &entry);
        }
        for suspect in self.membership.suspects(self.now(now_ms)) {
            db.bury(epoch, suspect);
        }
        if random.random_bool(0.5) {
            for session in db.left_open() {
                self.closing.extend(db.end_of(&session));
            }
        }
    }
}

impl Room {
    pub(super) fn elapsed(&self, now: Instant) -> u64 {
        u64::try_from(now.duration_since(self.began).as_millis()).unwrap()
    }

    /// Returns whether the node is gone, as the database says. An answer that is lost makes an entry be sent again.
    fn flush(&mut self, epoch: Epoch, at: u64, db: &mut Database, random: &mut StdRng) -> bool {
        while let Some(entry) = self.unwritten.first() {
            if random.random_bool(0.1) {
                return false;
            }
            match db.write(epoch, entry) {
                Written::Done if random.random_bool(0.1) => return false,
                Written::Done => drop(self.unwritten.remove(0)),
                Written::Fenced => return true,
                Written::Refused => panic!("{entry:?} is refused"),
            }
        }
        if at >= self.evidence_ms + EVIDENCE_MS && self.session.settled().is_none() {
            self.evidence_ms = at;
            db.note_alive(self.session.id(), at);
        }
        false
    }
}
