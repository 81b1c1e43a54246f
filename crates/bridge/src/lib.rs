//! Joins a browser to a phone call.

mod path;

pub use path::{EarFrame, EarPacket, MediaPath, MediaStats, PathOptions, PathOutput};
