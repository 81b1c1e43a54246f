#[path = "../../../browser/src/tests/client.rs"]
mod client;
mod comings;
mod media;
mod phones;
mod storm;
mod voices;
mod world;
