//! Conversations of a call with a far end in virtual time.

mod conversations;
mod world;
