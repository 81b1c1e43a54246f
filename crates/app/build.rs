//! Rebuilds the crate when a migration or an asset changes: both travel inside the binary.
fn main() {
    println!("cargo:rerun-if-changed=migrations");
    println!("cargo:rerun-if-changed=web");
}
