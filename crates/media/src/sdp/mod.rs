//! Session descriptions (RFC 4566, RFC 8866) and the offer/answer of one audio stream (RFC 3264).
//!
//! [`Description`] reads what the other side wrote; [`AudioSession`] writes ours and says what was agreed as a [`MediaTarget`].

mod audio_session;
mod codec;
mod description;
mod direction;

pub use audio_session::{Answer, AudioSession, MediaTarget, NotAgreed};
pub use codec::Codec;
pub use description::{Description, Format, Media, MediaKind, Origin, ParseError};
pub use direction::Direction;

#[cfg(test)]
mod tests;
