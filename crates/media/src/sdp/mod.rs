//! Session descriptions (RFC 4566, RFC 8866) and the offer/answer of one audio stream (RFC 3264).
//!
//! [`Crypto`] is one line of keys for SRTP (RFC 4568).
//! [`Description`] reads what the other side wrote; [`AudioSession`] writes ours and says what was agreed as a [`MediaTarget`].

mod audio_session;
mod codec;
mod crypto;
mod description;
mod direction;
mod line;
mod media_target;
mod opus_parameters;

pub use audio_session::{Answer, AudioSession, NotAgreed, SrtpOffer};
pub use codec::Codec;
pub use crypto::{BadCrypto, Crypto};
pub use description::{Description, Format, Media, MediaKind, Origin, ParseError};
pub use direction::Direction;
pub use media_target::MediaTarget;
pub use opus_parameters::OpusParameters;

#[cfg(test)]
mod tests;
