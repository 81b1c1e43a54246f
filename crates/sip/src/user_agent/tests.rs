//! Conversations of two user agents over a network that loses, repeats and reorders.

mod asks;
mod conversations;
mod scripted;
mod stage;
mod world;
