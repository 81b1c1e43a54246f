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
use super::room::{Line, Room};
use super::wall::Wall;
use crate::spool::{Backlog, Platter, Record, What};

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
    /// What happened in its sessions that the database has not heard.
    pub(super) backlog: Backlog<Platter>,
    pub(super) wall: Wall,
    /// It takes nothing new, and leaves when what it has is over.
    pub(super) is_draining: bool,
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

impl Clock {
    fn at(self, now_ms: u64) -> Instant {
        self.zero + Duration::from_micros((now_ms - self.began_ms) * self.per_mille)
    }
}

impl Process {
    /// Tells the database what the process before it left on the disk, and takes an epoch of its own. None if it dies over that.
    pub(super) fn start(
        now_ms: u64,
        zero: Instant,
        db: &mut Database,
        random: &mut StdRng,
        disk: &Platter,
        wall: Wall,
    ) -> Option<Self> {
        let (mut backlog, found) = Backlog::open(disk.clone()).ok()?;
        assert!(!found.is_damaged);
        while let Some(record) = backlog.next() {
            if random.random_bool(0.05) {
                return None;
            }
            tell(db, &record, &wall, now_ms);
            if random.random_bool(0.9) {
                backlog.done(&record);
            }
        }
        if random.random_bool(0.1) {
            return None;
        }
        backlog.clear().ok()?;
        let clock = Clock {
            zero: zero + Duration::from_secs(random.random_range(0..1_000)),
            began_ms: now_ms,
            per_mille: random.random_range(900..=1_100),
        };
        Some(Self {
            membership: Membership::joined(db.enter(), clock.at(now_ms)),
            clock,
            link: true,
            paused_until: 0,
            sound_since_ms: now_ms,
            rooms: BTreeMap::new(),
            beat: None,
            backlog,
            wall,
            is_draining: false,
            closing: Vec::new(),
        })
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

    pub(super) fn note_soundness(&mut self, now_ms: u64, disk_is_sound: bool) {
        if !self.link || !self.is_running(now_ms) || !disk_is_sound {
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
        if self.link {
            self.tell_what_waits(now_ms, db, random);
        }
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

    /// Whether it has left, because it was told to and has nothing more to do.
    pub(super) fn has_left(&self, db: &mut Database) -> bool {
        let is_done = self.rooms.is_empty() && self.backlog.is_empty();
        let leaves = self.is_draining && is_done && self.link;
        if leaves {
            db.leave(self.epoch());
        }
        leaves
    }

    /// Its rooms are closed, and it joins again under a new epoch. What waits is of the one before, and stays that.
    fn begin_again(&mut self, now_ms: u64, db: &mut Database) {
        self.rooms.clear();
        self.closing.clear();
        self.is_draining = false;
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
            if db.write(self.epoch(), &reserve, self.wall.at(now_ms)) != Written::Done {
                return;
            }
            let _grant = session.recorded(&reserve.key);
            session.handle_input(Millis(0), Fact::Answered).unwrap();
            self.rooms
                .insert(room, Room::new(session, self.now(now_ms)));
        }
    }

    /// Blocks begin, signs of life are left, and what the database does not hear is kept on the disk, or in memory where that is full too.
    fn meter(&mut self, now_ms: u64, db: &mut Database, random: &mut StdRng) {
        let (now, epoch) = (self.now(now_ms), self.epoch());
        let mut fenced = false;
        let mut line = Line {
            link: self.link,
            epoch,
            wall_ms: self.wall.at(now_ms),
            backlog: &mut self.backlog,
        };
        for room in self.rooms.values_mut() {
            fenced |= room.turn(now, &mut line, db, random);
        }
        let waiting = self.backlog.waiting();
        self.rooms.retain(|_, room| !room.is_over(&waiting));
        if fenced {
            self.membership.handle_over(db.newest());
        }
    }

    /// Tells the database some of what waits, in its order. An answer that is lost makes it be told again.
    pub(super) fn tell_what_waits(&mut self, now_ms: u64, db: &mut Database, random: &mut StdRng) {
        for _ in 0..20 {
            let Some(record) = self.backlog.next() else {
                // A disk that fails has it again for the next process, and nothing follows from that.
                let _ = self.backlog.clear();
                return;
            };
            if random.random_bool(0.05) {
                return;
            }
            let written = tell(db, &record, &self.wall, now_ms);
            if random.random_bool(0.05) {
                return;
            }
            self.backlog.done(&record);
            if written == Written::Fenced && record.epoch == self.epoch() {
                self.membership.handle_over(db.newest());
            }
        }
    }

    /// Two janitors may be at it at once, each with what it read a while ago.
    fn look_after(&mut self, now_ms: u64, db: &mut Database, random: &mut StdRng) {
        let epoch = self.epoch();
        for entry in std::mem::take(&mut self.closing) {
            // Whoever was faster has written it; and this node may be gone itself by now, without knowing.
            let _ = db.write(epoch, &entry, self.wall.at(now_ms));
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

/// Tells the database a record, in the name of its epoch.
fn tell(db: &mut Database, record: &Record, wall: &Wall, now_ms: u64) -> Written {
    match &record.what {
        What::Entry(entry) => {
            let written = db.write(record.epoch, entry, wall.at(now_ms));
            assert_ne!(written, Written::Refused, "{entry:?}");
            written
        }
        What::Alive { session, at } => {
            db.note_alive(session, at.0);
            Written::Done
        }
    }
}
