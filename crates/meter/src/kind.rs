//! Sorts of movements.

/// What sort of movement an entry is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Kind {
    /// Credits come to a practice: Issued → Available.
    Grant,
    /// The first reservation of a session or message, which must be covered (M7): Available → Reserved.
    Reserve,
    /// More blocks, or an unbooked patient: Available → Reserved, which may take the balance below zero (M8).
    Extend,
    /// Nothing moves: a fact that the price depends on.
    Evidence,
    /// The end of a session that cost something, or a message that was sent: Reserved → Earned, the rest → Available.
    Settle,
    /// The end of a session that cost nothing (P7), or a message that was not sent: Reserved → Available.
    Release,
    /// Credits are bought (M13): Issued → Available.
    TopUp,
    /// Credits are given: Promotional → Available.
    Gift,
    /// A debt is forgiven, at most as far as zero: WrittenOff → Available.
    WriteOff,
    /// An earlier entry is reversed, wholly or in part (M12): Earned → Available, or Available → where it came from.
    Correct,
    /// The first leg of a transfer, which bought credits must cover (M13): Available → Transferred.
    TransferOut,
    /// The second leg of a transfer, at the other holder: Transferred → Available.
    TransferIn,
    /// A month of a number (N1), which must be covered: Available → Earned.
    Charge,
}

impl Kind {
    const ALL: [Self; 13] = [
        Self::Grant,
        Self::Reserve,
        Self::Extend,
        Self::Evidence,
        Self::Settle,
        Self::Release,
        Self::TopUp,
        Self::Gift,
        Self::WriteOff,
        Self::Correct,
        Self::TransferOut,
        Self::TransferIn,
        Self::Charge,
    ];

    /// Returns the name that a journal stores.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Grant => "grant",
            Self::Reserve => "reserve",
            Self::Extend => "extend",
            Self::Evidence => "evidence",
            Self::Settle => "settle",
            Self::Release => "release",
            Self::TopUp => "top-up",
            Self::Gift => "gift",
            Self::WriteOff => "write-off",
            Self::Correct => "correct",
            Self::TransferOut => "transfer-out",
            Self::TransferIn => "transfer-in",
            Self::Charge => "charge",
        }
    }

    /// Returns the kind of a stored name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Returns whether this ends a session or message.
    pub fn ends_session(self) -> bool {
        matches!(self, Self::Settle | Self::Release)
    }

    /// Returns whether the journal refuses such an entry unless there are credits for it (M7).
    pub(crate) fn must_be_covered(self) -> bool {
        matches!(self, Self::Reserve | Self::TransferOut | Self::Charge)
    }
}
