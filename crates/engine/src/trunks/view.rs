use crate::ports::WallMillis;

/// What can be seen of a trunk at a moment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TrunkView {
    /// What the practice calls it.
    pub name: String,
    /// Whether it can be used.
    pub state: TrunkState,
    /// Since when.
    pub since: WallMillis,
    /// What an administrator reads.
    pub words: String,
    /// Calls on it now.
    pub calls: usize,
}

/// Whether a trunk can be used. Calls try one that is down all the same, when there is no better.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum TrunkState {
    /// It answers, and knows us where it has to.
    Up,
    /// Nothing is known yet, or nobody watches it.
    Unknown,
    /// We have asked to be registered.
    Registering,
    /// It does not answer, refuses us, or cannot be found.
    Down,
}
