//! The way of the sound between a browser and a phone, apart from who calls whom.

mod ear;
mod heard_keys;
mod keys;
mod leg;
mod media_path;
mod music;
mod packer;
mod phone;
mod playout;
mod protection;
mod quality;
mod rest;
mod source;
mod stats;
mod straight;
mod to_browser;
mod to_phone;

pub use ear::{Ear, EarFrame, EarPacket, Levels};
pub use media_path::{MediaPath, Output as PathOutput, PathOptions};
pub use quality::Quality;
pub use stats::MediaStats;

#[cfg(test)]
mod tests;
