//! Sound made by code: tones of the network (ITU-T E.180), keys (Q.23) and music to hold by.

mod cadence;
mod hold_music;
mod key_tone;
mod national;
mod sine;

pub use cadence::Cadence;
pub use hold_music::HoldMusic;
pub use key_tone::KeyTone;
pub use national::Tones;
pub use sine::Sine;
