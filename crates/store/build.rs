//! Rebuilds the crate when a migration changes: they travel inside the library.
fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
