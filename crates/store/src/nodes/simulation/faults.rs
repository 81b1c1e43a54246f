//! What goes wrong in the simulation, and when nothing does any more.

use housecall_meter::SessionId;
use rand::RngExt;

use super::process::Process;
use super::{NODES, STORM_MS, World};
use crate::spool::{Backlog, Platter, Record, What};

/// After a node's death, with another one at work and nothing at fault, what it had is closed within this time: the lease on a slow clock, two
/// slow heartbeats before it, and a look.
const CLOSED_WITHIN_MS: u64 = 27_000;

/// A process whose line is up and that does not stand still for so long has left evidence of each session not longer ago than that.
const SOUND_MS: u64 = 8_000;
const EVIDENCE_WITHIN_MS: u64 = 6_000;

impl World {
    pub(super) fn fail(&mut self) {
        let now_ms = self.now_ms;
        if self.random.random_bool(0.000_5) {
            self.outage_until = now_ms + self.random.random_range(0..25_000);
        }
        let is_away = now_ms < self.outage_until;
        for place in 0..NODES {
            if self.processes[place].is_some() {
                self.trouble(place, is_away);
            } else if self.random.random_bool(0.01) && !is_away {
                self.start(place);
            }
        }
    }

    /// What may happen to a process.
    fn trouble(&mut self, place: usize, is_away: bool) {
        let (now_ms, random, disk) = (self.now_ms, &mut self.random, &self.disks[place]);
        let Some(process) = &mut self.processes[place] else {
            return;
        };
        if random.random_bool(0.003) {
            process.paused_until = now_ms + random.random_range(0..30_000);
        }
        if random.random_bool(if process.link { 0.003 } else { 0.01 }) {
            process.link = !process.link;
        }
        process.link &= !is_away;
        if random.random_bool(0.01) {
            disk.die_after(random.random_range(0..500));
        } else if random.random_bool(0.1) {
            disk.live_again();
        }
        if random.random_bool(0.001) && process.link {
            process.is_draining = true;
            self.db.drain(process.epoch());
        }
        self.seen.set_walls += u64::from(process.wall.step());
        process.note_soundness(now_ms, disk.is_sound());
        if random.random_bool(0.001) {
            self.kill(place);
        }
    }

    fn kill(&mut self, place: usize) {
        let Some(process) = self.processes[place].take() else {
            return;
        };
        self.died.push(process.epoch());
        self.tear(&process, place);
        // More may be on the disk than the process knew: what it wrote, and was not told that it is there.
        let left = Platter::of(&self.disks[place].bytes());
        let (left, _) = Backlog::open(left).unwrap();
        let now = process.now(self.now_ms);
        for room in process.rooms.values() {
            let Some(row) = self.db.sessions.get(room.session.id()) else {
                continue;
            };
            if row.ended || self.db.is_gone(row.epoch) {
                continue;
            }
            let (lasted, evidence) = (room.elapsed(now), row.evidence_ms);
            assert!(evidence <= lasted, "seed {}", self.seed);
            if process.sound_for(self.now_ms) > SOUND_MS {
                let within = lasted - evidence;
                assert!(
                    within <= EVIDENCE_WITHIN_MS,
                    "seed {}: {within} ms",
                    self.seed
                );
            }
            let id = room.session.id().clone();
            let kept = kept_of(&left, &id).max(evidence);
            assert!(kept <= lasted, "seed {}", self.seed);
            self.evidence_at_death.insert(id, (evidence, kept));
        }
    }

    /// It may die in the middle of writing on its disk.
    fn tear(&mut self, process: &Process, place: usize) {
        let disk = &self.disks[place];
        let room = process.rooms.values().next();
        if let Some(room) = room.filter(|_| disk.is_sound() && self.random.random_bool(0.5)) {
            let (session, at) = (room.session.id().clone(), room.session.latest());
            let alive = What::Alive { session, at };
            let epoch = process.epoch();
            let line = Record { epoch, what: alive }.text();
            let torn = self.random.random_range(0..line.len());
            disk.write_torn(&line.as_bytes()[..torn]);
        }
    }

    /// Nothing is at fault any more, and at least one node is there.
    pub(super) fn heal(&mut self) {
        // It may die again over what it finds, and then there is the next moment.
        if self.processes.iter().all(Option::is_none) {
            self.start(0);
        }
        self.disks.iter().for_each(Platter::live_again);
        for process in self.processes.iter_mut().flatten() {
            process.link = true;
            process.paused_until = 0;
        }
        if self.now_ms > STORM_MS + CLOSED_WITHIN_MS {
            let left = self.db.sessions.values();
            let mut left = left.filter(|row| !row.ended && self.died.contains(&row.epoch));
            assert!(
                left.next().is_none(),
                "seed {}: a dead node's session is open",
                self.seed
            );
        }
    }
}

/// How far a session came, by what waits for the database.
fn kept_of(backlog: &Backlog<Platter>, session: &SessionId) -> u64 {
    let of = |record: Record| match record.what {
        What::Entry(entry) => (entry.session.as_ref() == Some(session)).then_some(entry.at.0),
        What::Alive { session: of, at } => (of == *session).then_some(at.0),
    };
    let waiting = backlog.waiting().into_iter();
    waiting.filter_map(of).max().unwrap_or(0)
}
