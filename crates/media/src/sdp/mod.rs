//! Session descriptions (RFC 4566, RFC 8866) and the offer/answer of one audio stream (RFC 3264).
//!
//! [`Crypto`] is one line of keys for SRTP (RFC 4568).
//! [`Description`] reads what the other side wrote; [`AudioSession`] writes ours and says what was agreed as a [`MediaTarget`].

mod audio_session;
mod codec;
mod crypto;
mod description;
mod direction;

pub use audio_session::{Answer, AudioSession, MediaTarget, NotAgreed, SrtpOffer};
pub use codec::Codec;
pub use crypto::{BadCrypto, Crypto};
pub use description::{Description, Format, Media, MediaKind, Origin, ParseError};
pub use direction::Direction;

#[cfg(test)]
mod tests;
