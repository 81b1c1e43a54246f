use std::collections::VecDeque;
use std::net::SocketAddr;

/// The addresses that authenticated STUN requests have come from.
#[derive(Debug, Default)]
pub(crate) struct Proved(VecDeque<SocketAddr>);

/// A browser that changes networks proves a new address each time; the oldest are forgotten.
const ADDRESSES_MAX: usize = 16;

impl Proved {
    pub(crate) fn contains(&self, address: SocketAddr) -> bool {
        self.0.contains(&address)
    }

    /// Notes the address; true if it is new.
    pub(crate) fn insert(&mut self, address: SocketAddr) -> bool {
        if self.contains(address) {
            return false;
        }
        if self.0.len() == ADDRESSES_MAX {
            self.0.pop_front();
        }
        self.0.push_back(address);
        true
    }
}
