//! Names and numbers of people stay out of the log (A4).

use std::fmt;

/// A value about a person. Prints as `[person]`, both for people and for programmers.
///
/// ```
/// use housecall_app::pii::Pii;
/// assert_eq!(format!("{} {:?}", Pii("Sam"), Pii("Sam")), "[person] [person]");
/// ```
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Pii<T>(pub T);

impl<T> fmt::Debug for Pii<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[person]")
    }
}

impl<T> fmt::Display for Pii<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[person]")
    }
}
