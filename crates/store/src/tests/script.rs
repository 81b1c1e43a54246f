//! Ledgers told as tables.

use std::collections::BTreeMap;

use housecall::ports::{Funds, Ledger, LedgerError};
use housecall_meter::{Booked, Credits, Fact, Millis, Opening, Patient, Session, SessionId};

use super::practice;
use crate::Store;

/// Runs a script against a store: every line does one thing, and what stands behind `->` must hold after it.
///
/// ```text
/// buy 10                     -> 10 0                # available, reserved
/// a call                     -> 9 1                 # a session with a name
/// a answer 0:04
/// a tick 1:04                -> 8 2
/// a end 1:05                 -> 8 0
/// ```
/// At the end the journal, told again, agrees with everything.
pub(super) async fn check(store: &Store, script: &str) {
    let mut world = World {
        store,
        sessions: BTreeMap::new(),
        refused: None,
    };
    for line in script
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim())
    {
        let (deed, expected) = line.split_once("->").unwrap_or((line, ""));
        world.refused = None;
        match deed.split_whitespace().collect::<Vec<_>>()[..] {
            [] => {}
            ["buy", credits] => world.buy(credits).await,
            ["crash"] => world.sessions.clear(),
            ["recover"] => assert!(store.recover().await.unwrap().unreadable.is_empty()),
            [name, ref what @ ..] => world.act(name, what).await,
        }
        world.expect(expected.trim(), line).await;
    }
    store.verify().await.unwrap();
}

struct World<'a> {
    store: &'a Store,
    sessions: BTreeMap<String, Session>,
    refused: Option<LedgerError>,
}

impl World<'_> {
    async fn buy(&mut self, credits: &str) {
        let credits = Credits(credits.parse().unwrap());
        let order = format!("order {}", self.store.verify().await.unwrap().entries);
        self.store
            .grant(&order, &practice(), credits, "bought")
            .await
            .unwrap();
    }

    async fn act(&mut self, name: &str, what: &[&str]) {
        let id = SessionId::new(name);
        match *what {
            ["call"] => self.open(Opening::call(id, practice())),
            ["visit", booked] => {
                let booked = Booked::new(booked.parse().unwrap()).unwrap();
                self.open(Opening::visit(id, practice(), booked));
            }
            ["tick", at] => self.session(name).handle_timeout(clock(at)),
            ["alive", at] => return self.store.heartbeat(&id, clock(at).0).await.unwrap(),
            ["admit", seat, at] => {
                let patient = Patient::from_seat(seat.parse().unwrap()).unwrap();
                self.session(name)
                    .handle_input(clock(at), Fact::PatientAdmitted(patient))
                    .unwrap();
            }
            ["answer", at] => self
                .session(name)
                .handle_input(clock(at), Fact::Answered)
                .unwrap(),
            ["end", at] => self
                .session(name)
                .handle_input(clock(at), Fact::Ended)
                .unwrap(),
            ["unanswered", at] => self
                .session(name)
                .handle_input(clock(at), Fact::NeverAnswered)
                .unwrap(),
            _ => panic!("{name} cannot {what:?}"),
        }
        self.write_down(name).await;
    }

    fn open(&mut self, opening: Opening) {
        self.sessions
            .insert(opening.session.as_str().to_owned(), Session::open(opening));
    }

    fn session(&mut self, name: &str) -> &mut Session {
        self.sessions
            .get_mut(name)
            .unwrap_or_else(|| panic!("no session {name}"))
    }

    /// Every entry is sent twice, as an engine does that did not hear the first answer.
    async fn write_down(&mut self, name: &str) {
        while let Some(entry) = self.session(name).poll_output() {
            match self.store.record(&entry).await {
                Err(error) => return self.refused = Some(error),
                Ok(first) => {
                    let again = self.store.record(&entry).await.unwrap();
                    assert_eq!(
                        (first.already, again.already, again.funds),
                        (false, true, first.funds)
                    );
                }
            }
            let _ = self.session(name).recorded(&entry.key);
        }
    }

    async fn expect(&self, expected: &str, line: &str) {
        match expected.split_whitespace().collect::<Vec<_>>()[..] {
            [] => assert!(self.refused.is_none(), "{:?} in `{line}`", self.refused),
            ["needs", needed, "has", available] => {
                let Some(LedgerError::InsufficientCredits {
                    needed: n,
                    available: a,
                }) = &self.refused
                else {
                    panic!("{:?} in `{line}`", self.refused)
                };
                assert_eq!(
                    (n.to_string(), a.to_string()),
                    (needed.to_owned(), available.to_owned()),
                    "`{line}`"
                );
            }
            [available, reserved] => {
                let funds = self.store.funds(&practice()).await.unwrap();
                let expected = Funds {
                    available: available.parse().unwrap(),
                    reserved: reserved.parse().unwrap(),
                };
                assert_eq!(funds, expected, "`{line}`");
            }
            _ => panic!("cannot expect `{expected}`"),
        }
    }
}

/// Reads `15:00`.
fn clock(text: &str) -> Millis {
    Millis(
        text.split(':')
            .fold(0, |sum, part| sum * 60 + part.parse::<u64>().unwrap())
            * 1_000,
    )
}
