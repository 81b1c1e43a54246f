/// What the phones in a room cost, and how they are heard.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PhoneStats {
    /// Phones in the room now.
    pub phones: usize,
    /// Voices that are decoded now, each once: none without a phone, and none while each phone can be given packets as they are.
    pub decoders: usize,
    /// Frames mixed, and encoded where the phone takes packets, so far.
    pub mixed: u64,
    /// Packets given to phones as they came, so far.
    pub straight: u64,
    /// Frames' worth of sound made up for phones because it did not come, so far.
    pub concealed: u64,
}

/// What is counted while a room lives.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counters {
    pub(crate) mixed: u64,
    pub(crate) straight: u64,
    /// Of desks and voices that are no more.
    pub(crate) concealed: u64,
}
