//! Where credits can be.

/// The accounts that each account holder has, be it a practice or one of its practitioners.
///
/// What came in equals what is there, at every prefix of the journal:
/// bought + given + forgiven + transferred = available + reserved + earned. The accounts on the left are below zero by as much.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Account {
    /// Where bought credits come from: minus everything ever bought. Credits that were granted before there was
    /// [`Account::Promotional`] count as bought.
    Issued,
    /// Free to spend, whether bought or given.
    Available,
    /// Set aside for sessions and messages in progress (M7).
    Reserved,
    /// Spent.
    Earned,
    /// Where given credits come from: minus everything ever given. [`Holdings::given`](crate::Holdings::given) is what is left of them.
    Promotional,
    /// Where forgiven debts come from: minus everything ever forgiven.
    WrittenOff,
    /// Credits that went to another holder of the same practice, less those that came from one (M13). Zero over a whole practice.
    Transferred,
}

impl Account {
    /// How many there are.
    pub(crate) const COUNT: usize = 7;

    /// Every account, in the order of its name in a report.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Issued,
        Self::Available,
        Self::Reserved,
        Self::Earned,
        Self::Promotional,
        Self::WrittenOff,
        Self::Transferred,
    ];

    /// Returns the name that a journal stores.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Available => "available",
            Self::Reserved => "reserved",
            Self::Earned => "earned",
            Self::Promotional => "promotional",
            Self::WrittenOff => "written-off",
            Self::Transferred => "transferred",
        }
    }

    /// Returns the account of a stored name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|account| account.as_str() == name)
    }

    /// Returns whether credits come from here or end here: an entry that moved them did so for good, and can be reversed (M12).
    pub(crate) fn can_be_reversed(self) -> bool {
        match self {
            Self::Issued | Self::Promotional | Self::WrittenOff | Self::Earned => true,
            Self::Available | Self::Reserved | Self::Transferred => false,
        }
    }
}
