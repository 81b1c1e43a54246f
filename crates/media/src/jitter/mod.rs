//! The one buffer per direction that turns arrival as it happens into a frame every 20 ms.

mod buffer;
mod delay;
mod timeline;

#[cfg(test)]
mod tests;

pub use buffer::{Arrival, JitterBuffer, JitterStats, Play};
