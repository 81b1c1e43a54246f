//! Finds whose datagram it is, on the one media port of a shard.

use std::collections::HashMap;
use std::net::SocketAddr;

/// Maps source addresses to peers, learning an address only once the peer has proved it.
///
/// A datagram from an unknown address is offered to the peer whose ufrag its STUN binding request names; the address
/// is committed by [`Demux::prove`], which the shard calls after that peer's agent accepted the request's integrity
/// (RFC 8445 §7.3). So nobody can take over a peer's media by naming its ufrag.
#[derive(Debug)]
pub(crate) struct Demux<K> {
    by_address: HashMap<SocketAddr, K>,
    by_ufrag: HashMap<String, K>,
}

impl<K: Copy + Eq> Demux<K> {
    pub(crate) fn new() -> Self {
        Self {
            by_address: HashMap::new(),
            by_ufrag: HashMap::new(),
        }
    }

    /// Expects STUN for `ufrag` on behalf of `peer`.
    pub(crate) fn expect(&mut self, ufrag: &str, peer: K) {
        self.by_ufrag.insert(ufrag.to_owned(), peer);
    }

    /// Commits an address after authenticated STUN came from it.
    pub(crate) fn prove(&mut self, address: SocketAddr, peer: K) {
        self.by_address.insert(address, peer);
    }

    /// Returns whose datagram this is, if anybody's.
    pub(crate) fn find<'a>(
        &self,
        from: SocketAddr,
        ufrag: impl FnOnce() -> Option<&'a str>,
    ) -> Option<K> {
        if let Some(peer) = self.by_address.get(&from) {
            return Some(*peer);
        }
        self.by_ufrag.get(ufrag()?).copied()
    }

    /// Forgets every peer of which `gone` is true.
    pub(crate) fn forget(&mut self, gone: impl Fn(K) -> bool) {
        self.by_address.retain(|_, peer| !gone(*peer));
        self.by_ufrag.retain(|_, peer| !gone(*peer));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_known_only_after_proof() {
        let stranger = SocketAddr::from(([127, 0, 0, 1], 9));
        let mut demux = Demux::new();
        demux.expect("abcd", 1);
        assert_eq!(demux.find(stranger, || Some("abcd")), Some(1));
        assert_eq!(demux.find(stranger, || None), None);
        demux.prove(stranger, 1);
        assert_eq!(demux.find(stranger, || None), Some(1));
        demux.forget(|peer| peer == 1);
        assert_eq!(demux.find(stranger, || Some("abcd")), None);
    }
}
