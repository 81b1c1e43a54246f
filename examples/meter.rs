//! Meters an imaginary hour in no time at all, at both tariffs, and explains every credit.
//!
//! ```text
//! cargo run -p housecall-examples --example meter
//! ```
//!
//! Two patients are booked. The first comes late and goes early, the second drops out of the video and is rung on the telephone. The
//! practitioner is called away for a while. [`Session::explain`] says who was connected when, and which rule made which block.
#![expect(clippy::print_stdout, reason = "an example speaks to its reader")]

use std::error::Error;

use housecall_meter::{
    AccountId, Booked, Books, Credits, Fact, Millis, Opening, Patient, Person, Session, SessionId,
    Tariff, Transaction,
};

/// What happens, and when, in minutes and seconds of the visit.
const HOUR: [(u64, u64, Fact); 9] = [
    (2, 0, Fact::Joined(Person::Patient(Patient::One))),
    (3, 30, Fact::Joined(Person::Patient(Patient::Two))),
    (14, 10, Fact::Left(Person::Patient(Patient::Two))),
    (15, 40, Fact::PhoneAnswered(Patient::Two)),
    (24, 0, Fact::Left(Person::Patient(Patient::One))),
    (28, 20, Fact::PhoneHungUp(Patient::Two)),
    (28, 30, Fact::Left(Person::Practitioner)),
    (51, 0, Fact::Joined(Person::Practitioner)),
    (60, 0, Fact::Ended),
];

fn main() -> Result<(), Box<dyn Error>> {
    let practice = AccountId::new("practice:1");
    let mut books = Books::default();
    books.record(&Transaction::grant(
        "order 17",
        practice.clone(),
        Credits(100),
        "bought",
    ))?;
    for tariff in [Tariff::STANDARD, Tariff::ATTENDED] {
        let two = Booked::new(2).ok_or("a room seats one to three patients")?;
        let session = meter(
            &mut books,
            Opening {
                tariff,
                ..Opening::visit(SessionId::new(tariff.id().name), practice.clone(), two)
            },
        )?;
        println!("{}\n", session.explain(Millis::ZERO));
    }
    Ok(())
}

/// Lets the hour happen. The session names the moments at which it wants to be woken; what it says goes into the books.
fn meter(books: &mut Books, opening: Opening) -> Result<Session, Box<dyn Error>> {
    let mut session = Session::open(opening);
    drain(&mut session, books)?;
    for (minutes, seconds, fact) in HOUR {
        let at = Millis((minutes * 60 + seconds) * 1_000);
        while let Some(due) = session.poll_timeout().filter(|due| *due < at) {
            session.handle_timeout(due);
            drain(&mut session, books)?;
        }
        session.handle_input(at, fact)?;
        drain(&mut session, books)?;
    }
    Ok(session)
}

fn drain(session: &mut Session, books: &mut Books) -> Result<(), Box<dyn Error>> {
    while let Some(entry) = session.poll_output() {
        books.record(&entry)?;
        // The first one is the proof that the visit may start; here nothing starts.
        let _ = session.recorded(&entry.key);
    }
    Ok(())
}
