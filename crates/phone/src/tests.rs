//! Conversations between a [`Call`](crate::Call) and scripted far ends, in virtual time.

mod addresses;
mod conversations;
mod descriptions;
mod forks;
mod holds;
mod redirects;
mod routes;
mod settings;
mod silence;
mod stage;
mod world;
