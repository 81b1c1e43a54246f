//! Pretends to be a telephone network.

mod behaviour;
mod ear;
mod report;

pub use behaviour::{Behaviour, Pickup, SUBSCRIBERS, Says};
pub use ear::Sound;
pub use report::{HeardCall, Report, Stage};
