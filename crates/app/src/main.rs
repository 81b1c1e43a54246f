//! The clinic as one program.
fn main() {}
