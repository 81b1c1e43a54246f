//! Conversations of two user agents over a network that loses, repeats and reorders.

mod asks;
mod conversations;
mod dialogs;
mod inside;
mod scripted;
mod session;
mod stage;
mod world;
