//! The simulated world.

#[cfg(test)]
mod manifests;
