use bytes::Bytes;
use housecall_media::{AudioLevel, Frame, Rate};

/// Sound on its way between a room and the leg of a phone that sits in it, in either form and either direction.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PhoneSound {
    /// A packet of Opus.
    Packet(OpusPacket),
    /// The next 20 ms, linear, at the rate that the frame says.
    Frame(Box<Frame>),
}

/// A packet of Opus, of at most 120 ms, in a stream that is one for as long as the phone sits: what repeats a number is dropped.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OpusPacket {
    /// Whether it is the first after a pause.
    pub marker: bool,
    /// Rises by one a packet, wraps; by more where packets were lost.
    pub sequence: u16,
    /// In units of 1/48000 s (RFC 7587 §4.1); wraps.
    pub timestamp: u32,
    /// How loud it is (RFC 6464), if whoever made it knows.
    pub level: Option<AudioLevel>,
    /// The sound.
    pub payload: Bytes,
}

/// The form in which a phone's leg takes what the others say.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Hears {
    /// Packets of Opus, in one stream whose numbers go on whoever speaks: for a leg that speaks Opus itself or has a jitter buffer and a
    /// codec of its own. What there is only one of goes through as it is.
    Packets,
    /// A frame every 20 ms, for a leg that encodes linear sound: at this rate, or at a lower one while a phone in the room has no better.
    Frames(Rate),
}

impl Hears {
    /// The finest sound of use to it.
    pub(crate) fn rate(self) -> Rate {
        match self {
            Self::Packets => Rate::Wide,
            Self::Frames(rate) => rate,
        }
    }
}
