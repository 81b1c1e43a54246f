use bytes::Bytes;

use super::Content;

/// What to play next. Every kind says how long, in ticks of the RTP clock.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Play {
    /// A packet in its turn.
    Packet {
        /// The sound, or what is said of the background.
        payload: Bytes,
        /// Which of the two.
        content: Content,
        /// How long it plays.
        ticks: u32,
        /// Whether it continues what was played before it, if that was a packet.
        follows: bool,
    },
    /// A packet did not come, or up to 60 ms of them: make something up.
    Lost {
        /// The voice that follows at once, if it is there: it may tell of what was lost, and is where what is made up leads to.
        next: Option<Bytes>,
        /// How long to make something up.
        ticks: u32,
    },
    /// Nobody speaks.
    Silence {
        /// How long.
        ticks: u32,
    },
}

impl Play {
    /// How long it plays, in ticks of the RTP clock.
    pub fn ticks(&self) -> u32 {
        let (Self::Packet { ticks, .. } | Self::Lost { ticks, .. } | Self::Silence { ticks }) =
            self;
        *ticks
    }
}
