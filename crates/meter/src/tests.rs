//! Conversations with the meter in its own time.

mod by_hand;
mod ledger;
mod ledger_properties;
mod properties;
mod rules;
mod script;
mod simulation;
pub(crate) mod told;
