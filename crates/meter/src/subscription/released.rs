//! The number was given back, or never given: the end.

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Released;
