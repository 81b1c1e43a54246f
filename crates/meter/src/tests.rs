//! Conversations with the meter in its own time.

mod by_hand;
mod ledger;
mod ledger_properties;
mod messages;
mod orders;
mod properties;
mod rules;
mod script;
mod simulation;
mod subscriptions;
pub(crate) mod told;
mod watches;
