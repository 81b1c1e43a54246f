//! Meters an imaginary visit: a quarter of an hour and a minute, with two patients, in no time at all.
//!
//! ```text
//! cargo run -p housecall-examples --example book
//! ```
//!
//! A [`Session`] is told what happened and when, and says what the journal must write. Here the journal is [`Books`], which
//! keeps everything in memory; a program with a database does the same three things: record, say so, go on.
#![expect(clippy::print_stdout, reason = "an example speaks to its reader")]

use std::error::Error;

use housecall_meter::{
    Account, AccountId, Booked, Books, Credits, Fact, Millis, Opening, Patient, Session, SessionId,
    Transaction,
};

fn main() -> Result<(), Box<dyn Error>> {
    let practice = AccountId::new("practice:1");
    let mut books = Books::default();
    let bought = Transaction::grant("order 17", practice.clone(), Credits(20), "bought");
    write(&mut books, &bought)?;

    // Join: the first block of both patients is reserved before anything starts.
    let two = Booked::new(2).ok_or("a room seats one to three patients")?;
    let opening = Opening::visit(SessionId::new("visit:1"), practice.clone(), two);
    let mut session = Session::open(opening);
    let reserve = session.poll_output().ok_or("nothing was reserved")?;
    write(&mut books, &reserve)?;
    let grant = session
        .recorded(&reserve.key)
        .ok_or("the visit may not start")?;
    // A program hands this to what it starts: without it, nothing can start unpaid. Here nothing starts.
    drop(grant);

    // The world speaks. Times are the visit's own: zero is the practitioner's Join.
    session.handle_input(
        Millis(30_000),
        Fact::PatientAdmitted(Patient::from_seat(1).ok_or("no such seat")?),
    )?;
    session.handle_input(
        Millis(70_000),
        Fact::PatientAdmitted(Patient::from_seat(2).ok_or("no such seat")?),
    )?;

    // Time passes: the session names the moments at which it wants to be woken.
    let end = Millis::from_minutes(16);
    while let Some(due) = session.poll_timeout().filter(|due| *due < end) {
        session.handle_timeout(due);
        drain(&mut session, &mut books)?;
    }
    session.handle_input(end, Fact::Ended)?;
    drain(&mut session, &mut books)?;

    let cost = session.settled().ok_or("the visit is not settled")?;
    println!("\ncost       {cost}");
    for account in Account::ALL {
        println!(
            "{:<10} {}",
            account.as_str(),
            books.balance(&practice, account)
        );
    }
    Ok(())
}

/// Takes every entry from the session. A core is drained after each thing that it is told.
fn drain(session: &mut Session, books: &mut Books) -> Result<(), Box<dyn Error>> {
    while let Some(entry) = session.poll_output() {
        write(books, &entry)?;
        // Only the first reservation yields a grant; the session waits for its word all the same.
        let _ = session.recorded(&entry.key);
    }
    Ok(())
}

fn write(books: &mut Books, entry: &Transaction) -> Result<(), Box<dyn Error>> {
    books.record(entry)?;
    let postings: Vec<String> = entry
        .postings
        .iter()
        .map(|posting| format!("{} {:+}", posting.account.as_str(), posting.delta))
        .collect();
    println!(
        "{:>10}  {:<20} {:<18} {}",
        entry.at.to_string(),
        entry.key.as_str(),
        entry.cause.to_string(),
        postings.join(", ")
    );
    Ok(())
}
