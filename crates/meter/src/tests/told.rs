//! Sessions made from a seed.

use crate::{
    AccountId, Booked, Books, Credits, Fact, Grid, Kind, Millis, OldGrid, Opening, Patient, Person,
    Session, SessionId, Tariff, Transaction,
};

/// How many cases each property is tried on.
pub(super) const CASES: u64 = 10_000;

pub(super) fn practice() -> AccountId {
    AccountId::new("practice:1")
}

/// One session from its opening to its end, with everything that it heard and wrote.
pub(super) struct Told {
    pub(super) tariff: Tariff,
    pub(super) session: Session,
    pub(super) facts: Vec<(u64, Fact)>,
    pub(super) end: u64,
    pub(super) journal: Vec<Transaction>,
}

/// What happens in a session, in order, without its end.
pub(super) struct Story {
    pub(super) tariff: Tariff,
    pub(super) booked: Booked,
    pub(super) facts: Vec<(u64, Fact)>,
    pub(super) end: u64,
    pub(super) recovers: bool,
}

impl Story {
    /// A session of some tariff.
    pub(super) fn any(random: &mut Random) -> Self {
        let tariff = match random.below(3) {
            0 => Tariff::STANDARD,
            1 => Tariff::ATTENDED,
            _ => Tariff::PHONE,
        };
        match tariff.grid() {
            Grid::FromAnswer => Self::call(random),
            Grid::FromJoin | Grid::FromConnection => Self {
                tariff,
                ..Self::visit(random)
            },
        }
    }

    fn call(random: &mut Random) -> Self {
        let mut at = random.below(60_000);
        let mut facts = Vec::new();
        for _ in 0..random.below(3) {
            facts.push((at, Fact::Answered));
            at += random.below(400_000);
        }
        Self {
            tariff: Tariff::PHONE,
            booked: Booked::ONE,
            facts,
            end: at + random.below(400_000),
            recovers: random.below(4) == 0,
        }
    }

    /// A visit: up to three patients who come, go, and are rung, and a practitioner who goes and comes.
    pub(super) fn visit(random: &mut Random) -> Self {
        let mut at = random.below(300_000) * random.below(2);
        let mut facts = Vec::new();
        for _ in 0..random.below(24) {
            let patient = Patient::ALL[random.below(3) as usize];
            facts.push((
                at,
                match random.below(9) {
                    0 => Fact::PatientAdmitted(patient),
                    1..=3 => Fact::Joined(Person::Patient(patient)),
                    4 => Fact::Left(Person::Patient(patient)),
                    5 => Fact::PhoneAnswered(patient),
                    6 => Fact::PhoneHungUp(patient),
                    7 => Fact::Left(Person::Practitioner),
                    _ => Fact::Joined(Person::Practitioner),
                },
            ));
            at += [0, 1, 59_999, 60_000, 60_001, random.below(900_000)][random.below(6) as usize];
        }
        Self {
            tariff: Tariff::STANDARD,
            booked: Booked::new(1 + random.below(3) as u8).unwrap(),
            facts,
            end: at + [0, 1, random.below(2_000_000)][random.below(3) as usize],
            recovers: random.below(4) == 0,
        }
    }

    /// Lets it happen; between facts the timer runs as late and as often as `random` likes.
    pub(super) fn tell(&self, name: &str, reopens: Option<OldGrid>, random: &mut Random) -> Told {
        let mut session = Session::open(Opening {
            session: SessionId::new(name),
            account: practice(),
            tariff: self.tariff,
            booked: self.booked,
            reopens,
        });
        let mut journal = Vec::new();
        let mut latest = 0;
        for (at, fact) in &self.facts {
            for _ in 0..random.below(4) {
                let tick = latest + random.below(at - latest + 1);
                session.handle_timeout(Millis(tick));
                latest = tick.max(latest);
            }
            session.handle_input(Millis(*at), *fact).unwrap();
            latest = *at;
            if random.below(2) == 0 {
                drain(&mut session, &mut journal);
            }
        }
        let last_evidence = Millis(self.end);
        let end = match self.recovers {
            true => Fact::Recovered { last_evidence },
            false => Fact::Ended,
        };
        session.handle_input(Millis(self.end), end).unwrap();
        // Too late.
        session
            .handle_input(Millis(self.end + 5), Fact::Ended)
            .unwrap();
        drain(&mut session, &mut journal);
        Told {
            tariff: self.tariff,
            session,
            facts: self.facts.clone(),
            end: self.end,
            journal,
        }
    }
}

impl Told {
    pub(super) fn from_seed(seed: u64) -> Self {
        let mut random = Random(seed);
        Story::any(&mut random).tell("s", None, &mut random)
    }

    pub(super) fn cost(&self) -> Credits {
        self.session.settled().unwrap()
    }

    /// Books in which the practice had six credits before.
    pub(super) fn books(&self) -> Books {
        let mut books = bought();
        for entry in &self.journal {
            assert_eq!(books.record(entry), Ok(true));
        }
        books
    }

    pub(super) fn ends(&self) -> usize {
        let is_end = |entry: &&Transaction| matches!(entry.kind, Kind::Settle | Kind::Release);
        self.journal.iter().filter(is_end).count()
    }
}

pub(super) fn bought() -> Books {
    let mut books = Books::default();
    books
        .record(&Transaction::grant("1", practice(), Credits(6), "bought"))
        .unwrap();
    books
}

fn drain(session: &mut Session, journal: &mut Vec<Transaction>) {
    while let Some(entry) = session.poll_output() {
        let _ = session.recorded(&entry.key);
        journal.push(entry);
    }
}

/// SplitMix64: the same seed, the same session.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}
