#[path = "../../../browser/src/tests/client.rs"]
mod client;
mod comings;
mod media;
mod phones;
mod voices;
mod world;
