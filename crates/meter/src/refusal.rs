//! Why a journal does not write an entry.

use std::fmt;

use crate::{AccountId, Balance, Credits, Key};

/// Why a journal does not write an entry.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Refusal {
    /// The account does not cover it (M7).
    InsufficientCredits {
        /// What is asked.
        needed: Credits,
        /// What there is; of a transfer, what was bought of it.
        available: Balance,
    },
    /// The key belongs to another entry.
    KeyConflict {
        /// The key.
        key: Key,
    },
    /// The postings do not sum to zero, a transfer lacks a leg, or a balance would leave the range of its type.
    Unbalanced {
        /// The key.
        key: Key,
    },
    /// More is forgiven than is owed.
    NoSuchDebt {
        /// What is forgiven.
        forgiven: Credits,
        /// What is owed.
        owed: Credits,
    },
    /// There is no such entry of this holder, or it is one that moved nothing for good (M12).
    NotCorrectable {
        /// The key of what is to be corrected.
        key: Key,
    },
    /// Nothing would be given back, or more than the entry moved and earlier corrections left (M12).
    BeyondCorrection {
        /// The key of what is to be corrected.
        key: Key,
        /// What is to be reversed.
        asked: Credits,
        /// What is left to reverse.
        left: Credits,
    },
    /// The two are the same, or do not belong to one practice (M13).
    NotOfOnePractice {
        /// Who gives.
        from: AccountId,
        /// Who gets.
        to: AccountId,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InsufficientCredits { needed, available } => {
                write!(out, "{needed} needed, {available} available")
            }
            Self::KeyConflict { key } => write!(out, "journal key {key} is taken by another entry"),
            Self::Unbalanced { key } => write!(out, "postings of {key} do not balance"),
            Self::NoSuchDebt { forgiven, owed } => {
                write!(out, "{forgiven} to be forgiven, {owed} owed")
            }
            Self::NotCorrectable { key } => write!(out, "journal entry {key} cannot be corrected"),
            Self::BeyondCorrection { key, asked, left } => {
                write!(out, "{asked} of {key} to be reversed, {left} left")
            }
            Self::NotOfOnePractice { from, to } => {
                write!(out, "{from} and {to} are not two accounts of one practice")
            }
        }
    }
}

impl std::error::Error for Refusal {}
