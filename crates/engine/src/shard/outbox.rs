//! Where the machines of a shard put what is to be sent.

use std::net::SocketAddr;

use bytes::Bytes;
use housecall_bridge::PhoneOutput;
use housecall_sip::Peer;

use super::rtp::{Port, RtpPorts};
use super::udp::Datagram;

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

    /// Does what the phone's half of a call asks, by the call's own ports.
    pub(crate) fn phone(&mut self, ports: &RtpPorts, output: PhoneOutput) {
        match output {
            PhoneOutput::SendRtp { to, bytes } => ports.send(Port::Rtp, to, &bytes),
            PhoneOutput::SendRtcp { to, bytes } => ports.send(Port::Rtcp, to, &bytes),
            PhoneOutput::CallId(call_id) => self.call_id(call_id),
            PhoneOutput::SendSip { to, bytes } => self.sip(to, bytes),
        }
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
