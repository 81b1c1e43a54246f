//! The background that is heard while nobody speaks: its estimate, its description on the wire, and its sound.

mod background;
mod generator;
mod shape;

pub use background::Background;
pub use generator::ComfortNoise;
pub use shape::NoiseShape;
