use std::time::{Duration, Instant};

use housecall_meter::{
    Account, AccountId, Balance, BlockGrant, Books, Credits, Fact, Kind, Millis, Opening, Session,
    SessionId, Transaction,
};

/// The practice's money, and the meter of its one call.
pub(super) struct Till {
    books: Books,
    journal: Vec<Transaction>,
    metered: Option<(Instant, Session)>,
}

impl Till {
    /// A practice that has bought this many credits.
    pub(super) fn with(credits: Credits) -> Till {
        let mut books = Books::default();
        let grant = Transaction::grant("order 1", practice(), credits, "bought");
        books.record(&grant).unwrap();
        Till {
            books,
            journal: Vec::new(),
            metered: None,
        }
    }

    /// Reserves the first minute of a call. None when the credits do not cover it.
    pub(super) fn open(&mut self, now: Instant) -> Option<BlockGrant> {
        let mut session = Session::open(Opening::call(SessionId::new("call:1"), practice()));
        let reserve = session.poll_output().unwrap();
        self.books.record(&reserve).ok()?;
        let grant = session.recorded(&reserve.key);
        self.journal.push(reserve);
        self.metered = Some((now, session));
        grant
    }

    pub(super) fn hear(&mut self, now: Instant, fact: Fact) {
        let (zero, session) = self.metered.as_mut().unwrap();
        session.handle_input(since(*zero, now), fact).unwrap();
        self.write();
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let (zero, session) = self.metered.as_ref()?;
        let Millis(at) = session.poll_timeout()?;
        Some(*zero + Duration::from_millis(at))
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if let Some((zero, session)) = &mut self.metered {
            session.handle_timeout(since(*zero, now));
            self.write();
        }
    }

    pub(super) fn balance(&self, of: Account) -> i64 {
        let Balance(balance) = self.books.balance(&practice(), of);
        balance
    }

    /// What the call cost; none while it lasts.
    pub(super) fn cost(&self) -> Option<Credits> {
        self.metered
            .as_ref()
            .and_then(|(_, session)| session.settled())
    }

    /// How many entries of the journal end the reservation.
    pub(super) fn ends(&self) -> usize {
        let is_end = |entry: &&Transaction| matches!(entry.kind, Kind::Settle | Kind::Release);
        self.journal.iter().filter(is_end).count()
    }

    /// What the journal alone says that the call cost (M10).
    pub(super) fn replayed(&self) -> Option<Credits> {
        Session::replay(&self.journal).unwrap().settled()
    }

    fn write(&mut self) {
        let Some((_, session)) = &mut self.metered else {
            return;
        };
        while let Some(entry) = session.poll_output() {
            assert!(
                self.books.record(&entry).unwrap(),
                "written twice: {entry:?}"
            );
            self.journal.push(entry);
        }
    }
}

fn since(zero: Instant, now: Instant) -> Millis {
    Millis(u64::try_from((now - zero).as_millis()).unwrap())
}

fn practice() -> AccountId {
    AccountId::new("practice:1")
}
