//! What a reopened session knows of the one before.

use std::fmt;

use crate::blocks::Blocks;
use crate::pricing::Priced;
use crate::{Millis, Patient, Tariff};

/// The grid of blocks that a session before has begun, and how far it is paid, for the one that reopens it (M5).
///
/// [`Session::reopening`](crate::Session::reopening) gives it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OldGrid {
    /// How long before the new start the first block began.
    began_before: Millis,
    /// The first block that each patient has not paid, by seat.
    unpaid: [u64; 3],
}

impl OldGrid {
    /// What a session leaves that was priced so, for one that begins at its end. `continued` is the grid that it went on with, if it did.
    pub(crate) fn left(priced: &Priced, continued: Option<OldGrid>, ended: Millis) -> Self {
        let lines = priced.bill.lines();
        let unpaid = Patient::ALL.map(|patient| {
            let own = lines.iter().filter(|line| line.patient == patient);
            let now = own.map(|line| priced.blocks.of(line.to)).max();
            let then = continued.map(|old| old.first_unpaid(patient));
            now.max(then).unwrap_or(0)
        });
        Self {
            began_before: priced.blocks.began_before(ended),
            unpaid,
        }
    }

    /// Returns the same, seen from a start that is so much later.
    pub fn later(self, by: Millis) -> Self {
        Self {
            began_before: self.began_before.plus(by),
            ..self
        }
    }

    pub(crate) fn blocks(self, tariff: Tariff) -> Blocks {
        Blocks::before_start(self.began_before, tariff.block())
    }

    pub(crate) fn first_unpaid(self, patient: Patient) -> u64 {
        *patient.of(&self.unpaid)
    }

    /// Reads what [`Display`](fmt::Display) writes.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split(' ').map(|number| number.parse().ok());
        let mut next = || numbers.next().flatten();
        let grid = Self {
            began_before: Millis(next()?),
            unpaid: [next()?, next()?, next()?],
        };
        numbers.next().is_none().then_some(grid)
    }
}

impl fmt::Display for OldGrid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [one, two, three] = self.unpaid;
        write!(out, "{} {one} {two} {three}", self.began_before.0)
    }
}
