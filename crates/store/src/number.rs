//! Quantities between their own types and the one integer that a database has.

use crate::StoreError;

/// A quantity that a BIGINT column takes.
pub(crate) trait Stored {
    /// Returns what the column holds: at most `i64::MAX`, which no real quantity reaches.
    fn stored(self) -> i64;
}

impl Stored for u64 {
    fn stored(self) -> i64 {
        i64::try_from(self).unwrap_or(i64::MAX)
    }
}

/// Reads a quantity back; `place` names the row.
pub(crate) fn read<T: TryFrom<i64>>(
    what: &'static str,
    place: &str,
    column: i64,
) -> Result<T, StoreError> {
    T::try_from(column).map_err(|_| StoreError::Unreadable {
        what,
        place: place.to_owned(),
    })
}
