//! Grids of visits that have ended, for those that reopen them (M5).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use housecall_meter::{Millis, OldGrid};

use crate::call::millis;

/// How long an ended visit is remembered: longer than anybody goes on with it.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// What ended visits have left, by appointment, in memory: one that is reopened after a restart begins a fresh grid.
#[derive(Clone, Debug, Default)]
pub(crate) struct Grids(Arc<Mutex<BTreeMap<String, Left>>>);

#[derive(Clone, Copy, Debug)]
struct Left {
    /// On the clock of charges.
    ended: Instant,
    grid: OldGrid,
}

impl Grids {
    /// Keeps what a visit has left that ended then.
    pub(crate) fn keep(&self, appointment: &str, ended: Instant, grid: OldGrid) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, left| ended.saturating_duration_since(left.ended) < KEPT);
        all.insert(appointment.to_owned(), Left { ended, grid });
    }

    /// What the visit before has left for one that begins now.
    pub(crate) fn reopened(&self, appointment: &str, now: Instant) -> Option<OldGrid> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = all.get(appointment)?;
        Some(left.grid.later(Millis(millis(left.ended, now))))
    }
}

#[cfg(test)]
mod tests {
    use housecall_meter::{
        AccountId, Booked, Fact, Opening, Patient, Person, Session, SessionId, Tariff,
    };

    use super::*;

    fn attended(name: &str, reopens: Option<OldGrid>) -> Session {
        let (session, account) = (SessionId::new(name), AccountId::new("practice:1"));
        let mut session = Session::open(Opening {
            tariff: Tariff::ATTENDED,
            reopens,
            ..Opening::visit(session, account, Booked::ONE)
        });
        let joined = Fact::Joined(Person::Patient(Patient::One));
        session.handle_input(Millis::ZERO, joined).unwrap();
        session
    }

    /// M5: 0:00 to 10:00, reopened 12:00 to 14:00: one block in all.
    #[test]
    fn a_reopened_visit_goes_on_with_the_grid_for_a_day() {
        let grids = Grids::default();
        let mut first = attended("a", None);
        first
            .handle_input(Millis::from_minutes(10), Fact::Ended)
            .unwrap();
        let ended = Instant::now();
        grids.keep(
            "appointment:1",
            ended,
            first.reopening(Millis::ZERO).unwrap(),
        );
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        let reopens = grids.reopened("appointment:1", ended + minutes(2));
        assert!(reopens.is_some());
        let mut second = attended("b", reopens);
        second
            .handle_input(Millis::from_minutes(2), Fact::Ended)
            .unwrap();
        assert_eq!(
            [first, second].map(|it| it.settled().map(|it| it.0)),
            [Some(2), Some(0)]
        );
        assert_eq!(grids.reopened("appointment:2", ended), None);
        let other = attended("c", None);
        assert_eq!(other.reopening(Millis::ZERO), None, "it has not ended");
        let later = ended + minutes(60 * 24);
        grids.keep("appointment:3", later, reopens.unwrap());
        assert_eq!(grids.reopened("appointment:1", later), None);
    }
}
