//! Part of a long answer.

/// Which part of a long answer is wanted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Page {
    /// How many rows to leave out first.
    pub offset: u32,
    /// How many rows to return at most; more than [`Page::MOST`] counts as that.
    pub limit: u32,
}

impl Page {
    /// The longest page.
    pub const MOST: u32 = 10_000;

    /// The first `limit` rows.
    pub fn first(limit: u32) -> Self {
        Self { offset: 0, limit }
    }

    /// The page after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self {
            offset: self.offset.saturating_add(self.limit.min(Self::MOST)),
            ..self
        }
    }

    pub(crate) fn offset(self) -> i64 {
        i64::from(self.offset)
    }

    pub(crate) fn limit(self) -> i64 {
        i64::from(self.limit.min(Self::MOST))
    }
}

/// Fifty rows, the first of them.
impl Default for Page {
    fn default() -> Self {
        Self::first(50)
    }
}
