//! What a session may cost, said before it starts.

use std::fmt;

use crate::{Booked, Credits, Grid, Millis, Tariff};

/// What a session of its booked length would cost, and how that was reached (V6).
///
/// Displayed, it is a sentence for the person who is about to start: `8 to 24 credits: 4 blocks of 15 min, 2 credits a
/// block, 1 to 3 patients`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Estimate {
    /// The cost when one of those booked comes; at the `attended` tariff (M5), when they stay for one block.
    pub at_least: Credits,
    /// The cost when everybody booked comes. A session that outlasts its booking costs more.
    pub up_to: Credits,
    /// How many blocks the booked time begins; at least one.
    pub blocks: u64,
    /// How long each block is.
    pub block: Millis,
    /// What a block costs for one person.
    pub credits_per_block: Credits,
    /// How many people are booked.
    pub booked: Booked,
}

impl Estimate {
    pub(crate) fn new(tariff: Tariff, booked: Booked, booked_time: Millis) -> Self {
        let blocks = tariff.blocks(booked_time).max(1);
        let each = tariff.credits_per_block().times(blocks);
        Self {
            at_least: match tariff.grid() {
                Grid::FromConnection => tariff.credits_per_block(),
                Grid::FromJoin | Grid::FromAnswer => each,
            },
            up_to: each.times(u64::from(booked.count())),
            blocks,
            block: tariff.block(),
            credits_per_block: tariff.credits_per_block(),
            booked,
        }
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.at_least != self.up_to {
            write!(out, "{} to ", self.at_least.0)?;
        }
        let blocks = if self.blocks == 1 { "block" } else { "blocks" };
        write!(
            out,
            "{}: {} {blocks} of {} min, ",
            self.up_to,
            self.blocks,
            self.block.0 / 60_000
        )?;
        write!(out, "{} a block", self.credits_per_block)?;
        match self.booked.count() {
            1 => Ok(()),
            many => write!(out, ", 1 to {many} patients"),
        }
    }
}
