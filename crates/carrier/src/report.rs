use crate::ear::Sound;

/// What the network knows of the calls it has carried, oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// The last calls, up to a hundred; the oldest are forgotten first.
    pub calls: Vec<HeardCall>,
    /// The Contacts that are registered.
    pub registered: Vec<String>,
}

impl Report {
    /// The latest call to a number, however the number is written.
    pub fn last_to(&self, number: &str) -> Option<&HeardCall> {
        let digits = crate::behaviour::international(number);
        self.calls.iter().rev().find(|call| call.number == digits)
    }
}

/// What one subscriber heard of one call.
#[derive(Clone, Debug, PartialEq)]
pub struct HeardCall {
    /// Digits of the international number that was dialled.
    pub number: String,
    /// Whom the caller said to be: the user part of `From`.
    pub caller_id: String,
    /// SIP's name of the call.
    pub call_id: String,
    /// Where the call is in its life.
    pub stage: Stage,
    /// Whether the caller has put the subscriber on hold.
    pub held: bool,
    /// Whether its sound is secured by SRTP.
    pub encrypted: bool,
    /// RTP packets of sound that arrived.
    pub packets: u64,
    /// What the line sounds like, or sounded like when the call ended.
    pub sound: Sound,
    /// Digits pressed by the caller, in order, whether they came as telephone-events or as tones.
    pub digits: String,
}

/// Where a call is in its life, seen from the subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The subscriber's phone rings.
    Ringing,
    /// The subscriber speaks before answering.
    Early,
    /// Answered.
    Talking,
    /// Over.
    Ended,
}
