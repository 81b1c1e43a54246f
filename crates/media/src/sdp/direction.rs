use std::fmt;

/// Which way sound may flow, seen from the side that says it (RFC 3264 §5.1).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Direction {
    /// Both ways; what is meant when nothing is said.
    #[default]
    SendRecv,
    /// The speaker of the word sends and does not want to receive: how a hold is asked for.
    SendOnly,
    /// The speaker of the word receives and does not send.
    RecvOnly,
    /// Neither way.
    Inactive,
}

impl Direction {
    /// Makes the direction that sends and receives as told.
    pub const fn new(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    /// Whether its speaker sends.
    pub const fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// Whether its speaker wants to receive.
    pub const fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The same flow seen from the other side.
    pub const fn reversed(self) -> Self {
        Self::new(self.receives(), self.sends())
    }

    /// What both `self` and `other`, seen from the same side, allow (RFC 3264 §6.1).
    pub const fn within(self, other: Self) -> Self {
        Self::new(
            self.sends() && other.sends(),
            self.receives() && other.receives(),
        )
    }

    /// The direction that an attribute such as `sendonly` names.
    pub fn of_attribute(attribute: &str) -> Option<Self> {
        match attribute {
            "sendrecv" => Some(Self::SendRecv),
            "sendonly" => Some(Self::SendOnly),
            "recvonly" => Some(Self::RecvOnly),
            "inactive" => Some(Self::Inactive),
            _ => None,
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_side_answers_recvonly() {
        let theirs = Direction::SendOnly;
        assert_eq!(
            Direction::SendRecv.within(theirs.reversed()),
            Direction::RecvOnly
        );
        assert_eq!(
            Direction::SendOnly.within(theirs.reversed()),
            Direction::Inactive
        );
    }

    #[test]
    fn each_direction_reads_back() {
        for word in ["sendrecv", "sendonly", "recvonly", "inactive"] {
            assert_eq!(
                Direction::of_attribute(word)
                    .map(|d| d.to_string())
                    .as_deref(),
                Some(word)
            );
        }
        assert_eq!(Direction::of_attribute("SENDRECV"), None);
    }
}
