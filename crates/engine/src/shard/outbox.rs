//! Where the machines of a shard put what is to be sent.

use std::net::SocketAddr;

use bytes::Bytes;
use housecall_sip::Peer;

use crate::shard::udp::Datagram;

/// Collects what one turn of the loop sends, so that it leaves in few system calls.
pub(crate) struct Outbox<'a> {
    pub(crate) media: &'a mut Vec<Datagram>,
    pub(crate) sip: &'a mut Vec<(Peer, Bytes)>,
    pub(crate) proved: &'a mut Vec<SocketAddr>,
    pub(crate) call_ids: &'a mut Vec<String>,
}

impl Outbox<'_> {
    pub(crate) fn media(&mut self, to: SocketAddr, bytes: Bytes) {
        self.media.push(Datagram { to, bytes });
    }

    pub(crate) fn sip(&mut self, to: Peer, bytes: Bytes) {
        self.sip.push((to, bytes));
    }

    /// The machine being drained has seen authenticated STUN from `address`.
    pub(crate) fn proved(&mut self, address: SocketAddr) {
        self.proved.push(address);
    }

    /// SIP messages with this Call-ID are for the call being drained.
    pub(crate) fn call_id(&mut self, call_id: String) {
        self.call_ids.push(call_id);
    }
}
