//! Conversations of two user agents over a network that loses, repeats and reorders.

mod conversations;
mod scripted;
mod world;
