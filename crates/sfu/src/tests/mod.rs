#[path = "../../../browser/src/tests/client.rs"]
mod client;
mod comings;
mod media;
mod world;
