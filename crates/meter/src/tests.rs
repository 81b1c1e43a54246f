//! Conversations with the meter in its own time.

mod properties;
mod rules;
mod script;
