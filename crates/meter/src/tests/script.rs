//! Sessions told as text: each line does something or says what must be true.

use crate::{
    Account, AccountId, Balance, Booked, Books, Credits, Fact, Millis, Opening, Patient, Person,
    Refusal, Session,
};
use crate::{SessionId, Tariff, Transaction};

/// Runs a script against books in memory, and panics at the first line that is not so.
///
/// ```text
/// buy 10                        available 10           # credits of the practice
/// visit 2                       reserved 4             # a visit booked for two; or `attended 2`, or `call`
/// at 3:00 admit 1
/// at 15:00 tick                 reserved 8
/// at 20:00 end                  cost 4   available 6
/// reopen 2:00                   reserved 2             # the same again, two minutes after that end
/// ```
/// Facts are `admit 1`, `join 1`, `leave 1` (or `practitioner`), `phone 1`, `hangup 1`, `answer`, `unanswered`, `end` and `recover 5:00`.
/// What follows the deed on a line must hold after it.
pub(super) fn check(script: &str) {
    let mut world = World::default();
    for line in script
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default())
    {
        let mut words = line.split_whitespace();
        while let Some(word) = words.next() {
            let mut next = || {
                words
                    .next()
                    .unwrap_or_else(|| panic!("`{word}` wants a word after it in `{line}`"))
            };
            match word {
                "buy" => world.buy(number(next())),
                "visit" => world.open(Opening::visit(world.name(), practice(), booked(next()))),
                "attended" => world.open(Opening {
                    tariff: Tariff::ATTENDED,
                    ..Opening::visit(world.name(), practice(), booked(next()))
                }),
                "call" => world.open(Opening::call(world.name(), practice())),
                "reopen" => world.reopen(clock(next())),
                "at" => {
                    let at = clock(next());
                    world.act(at, next(), &mut next);
                }
                fact => world.expect(fact, next(), line),
            }
        }
    }
    world.expect_explained();
}

/// Reads `15:00`, `15:00.001` and `3:16:00`.
pub(super) fn clock(text: &str) -> Millis {
    let (whole, millis) = text.split_once('.').unwrap_or((text, "0"));
    let seconds = whole
        .split(':')
        .fold(0, |sum, part| sum * 60 + number(part));
    Millis(seconds * 1_000 + number(millis))
}

fn number(text: &str) -> u64 {
    text.parse()
        .unwrap_or_else(|_| panic!("`{text}` is no number"))
}

fn booked(text: &str) -> Booked {
    Booked::new(u8::try_from(number(text)).unwrap()).unwrap()
}

fn patient(text: &str) -> Patient {
    Patient::from_seat(u8::try_from(number(text)).unwrap()).unwrap()
}

fn person(text: &str) -> Person {
    match text {
        "practitioner" => Person::Practitioner,
        seat => Person::Patient(patient(seat)),
    }
}

#[derive(Default)]
struct World {
    books: Books,
    session: Option<Session>,
    journal: Vec<Transaction>,
    counted: u32,
    refused: Option<Refusal>,
}

impl World {
    fn buy(&mut self, credits: u64) {
        self.counted += 1;
        let grant = Transaction::grant(
            &self.counted.to_string(),
            practice(),
            Credits(credits),
            "bought",
        );
        self.books.record(&grant).unwrap();
    }

    fn name(&self) -> SessionId {
        SessionId::new(format!("session {}", self.counted))
    }

    /// Opens the session again that has ended, so long after it.
    fn reopen(&mut self, after: Millis) {
        let before = self.session.as_ref().expect("a session first");
        let tariff = before.tariff();
        let reopens = before.reopening(after);
        assert!(reopens.is_some(), "it has not ended");
        self.open(Opening {
            tariff,
            reopens,
            ..Opening::visit(self.name(), practice(), Booked::ONE)
        });
    }

    fn open(&mut self, opening: Opening) {
        self.expect_explained();
        self.counted += 1;
        self.session = Some(Session::open(opening));
        self.journal.clear();
        self.write_down();
    }

    fn act<'a>(&mut self, at: Millis, what: &str, next: &mut impl FnMut() -> &'a str) {
        let session = self.session.as_mut().expect("a session first");
        let fact = match what {
            "tick" => return self.tick(at),
            "admit" => Fact::PatientAdmitted(patient(next())),
            "join" => Fact::Joined(person(next())),
            "leave" => Fact::Left(person(next())),
            "phone" => Fact::PhoneAnswered(patient(next())),
            "hangup" => Fact::PhoneHungUp(patient(next())),
            "answer" => Fact::Answered,
            "end" => Fact::Ended,
            "unanswered" => Fact::NeverAnswered,
            "recover" => Fact::Recovered {
                last_evidence: clock(next()),
            },
            other => panic!("`{other}` cannot happen"),
        };
        session.handle_input(at, fact).unwrap();
        self.write_down();
    }

    fn tick(&mut self, at: Millis) {
        self.session
            .as_mut()
            .expect("a session first")
            .handle_timeout(at);
        self.write_down();
    }

    fn write_down(&mut self) {
        let Some(session) = self.session.as_mut() else {
            return;
        };
        self.refused = None;
        while let Some(entry) = session.poll_output() {
            if let Err(refusal) = self.books.record(&entry) {
                self.refused = Some(refusal);
                self.session = None;
                return;
            }
            let _ = session.recorded(&entry.key);
            self.journal.push(entry);
        }
    }

    fn expect(&self, what: &str, value: &str, line: &str) {
        let session = || {
            self.session
                .as_ref()
                .expect("a session that was not refused")
        };
        let found = match what {
            "available" => self.balance(Account::Available),
            "reserved" => self.balance(Account::Reserved),
            "earned" => self.balance(Account::Earned),
            "cost" => session()
                .settled()
                .map_or("running".to_owned(), |cost| cost.0.to_string()),
            "next" => session()
                .next_block_at()
                .map_or("none".to_owned(), |at| at.to_string()),
            "entries" => self.journal.len().to_string(),
            "refused" => match &self.refused {
                Some(Refusal::InsufficientCredits { needed, available }) => {
                    format!("{}/{available}", needed.0)
                }
                other => format!("{other:?}"),
            },
            other => panic!("`{other}` is no deed and no fact"),
        };
        assert_eq!(found, value, "{what} in `{}`", line.trim());
    }

    fn balance(&self, of: Account) -> String {
        let Balance(balance) = self.books.balance(&practice(), of);
        balance.to_string()
    }

    /// M10: the journal of the session, told again, comes to the same end.
    fn expect_explained(&self) {
        let Some(session) = &self.session else { return };
        let again = Session::replay(&self.journal).expect("the journal tells the session");
        assert_eq!(again.settled(), session.settled());
        let at = Millis(u64::MAX / 2);
        assert_eq!(again.explain(at), session.explain(at));
        if let Some(cost) = session.settled() {
            assert_eq!(session.explain(at).bill.total(), cost);
        }
    }
}

fn practice() -> AccountId {
    AccountId::new("practice:1")
}
