use std::time::Instant;

use super::UserAgent;
use super::sending::{Outgoing, Sent, SentKey, Wanted};
use crate::transaction::{Peer, Transport};

/// What becomes of a request that is too large for a datagram: above 1300 bytes, where the path's MTU is not known
/// (RFC 3261 §18.1.1). It may be cut into fragments, which some networks drop.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum LargeRequests {
    /// It goes by UDP alone.
    UdpAlone,
    /// It goes by UDP first, and with its third sending by TCP too where nothing has come back by then.
    ///
    /// Many trunks take no TCP, and some leave a connection unanswered for as long as a person waits; the RFC's order would cost each of
    /// their calls that time. This order costs nobody any, and a trunk that the fragments do not reach is asked 1.5 s later (3*T1).
    #[default]
    TcpWhereUdpIsSilent,
    /// It goes by TCP, as the RFC wants it, and its dialog with it; by UDP after all where TCP fails before anything was answered.
    TcpFirst,
}

/// Whether the size of a request has changed its transport.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Size {
    #[default]
    AsAsked,
    Switched,
    /// The peer took no TCP: back to UDP, and no second try.
    FellBack,
}

/// The largest request that RFC 3261 §18.1.1 lets go by UDP.
const DATAGRAM_BYTES_MAX: usize = 1_300;
/// The repetition of a large request that goes by TCP too: the second, 3*T1 after the request (RFC 3261 §17.1.1.2).
const REPETITION_BY_TCP: u32 = 2;

impl UserAgent {
    /// Moves a request of `bytes` to TCP where its size and the options ask for it. True if it moved, and its Via is to be written
    /// anew: responses come back over the transport that it names.
    pub(super) fn outgrows_udp(&self, what: &mut Outgoing, bytes: usize) -> bool {
        let outgrows = bytes > DATAGRAM_BYTES_MAX
            && what.to.transport == Transport::Udp
            && what.size == Size::AsAsked
            && self.options.large == LargeRequests::TcpFirst;
        if outgrows {
            what.to.transport = Transport::Tcp;
            what.size = Size::Switched;
        }
        outgrows
    }

    /// Sends a request by UDP after all that went to TCP for its size and found nobody there (RFC 3261 §18.1.1). False if it is
    /// none of those.
    pub(super) fn fall_back_to_udp(&mut self, now: Instant, key: &SentKey) -> bool {
        let Some(sent) = self.sent.get(key) else {
            return false;
        };
        let found_nobody = sent.client.is_unanswered() && sent.wanted == Wanted::Answer;
        if sent.what.size != Size::Switched || !found_nobody {
            return false;
        }
        let mut again = sent.what.clone();
        again.to.transport = Transport::Udp;
        again.size = Size::FellBack;
        let sent = self.send_again(now, again, Vec::new());
        if sent {
            self.forget(key);
        }
        sent
    }

    /// Sends a large request that UDP may have lost by TCP too.
    ///
    /// It keeps its branch: whoever has heard it already takes the copy for a repetition (RFC 3261 §17.2.3), and no phone rings twice.
    pub(super) fn send_by_tcp_too(&mut self, key: &SentKey) {
        let is_allowed = self.options.large == LargeRequests::TcpWhereUdpIsSilent;
        let Some(sent) = self.sent.get_mut(key).filter(|_| is_allowed) else {
            return;
        };
        sent.repetitions = sent.repetitions.saturating_add(1);
        let is_large = sent.bytes.len() > DATAGRAM_BYTES_MAX;
        let is_due = sent.repetitions == REPETITION_BY_TCP && sent.client.is_unanswered();
        if !is_large || !is_due || sent.what.size != Size::AsAsked {
            return;
        }
        let (request, to) = (sent.what.request.clone(), sent.what.by_tcp());
        let copy = self.write(&request, Transport::Tcp, &key.branch);
        if let Some(sent) = self.sent.get_mut(key) {
            sent.by_tcp = Some(copy.clone());
        }
        self.put(to, copy);
    }
}

impl Outgoing {
    fn by_tcp(&self) -> Peer {
        Peer::tcp(self.to.addr)
    }
}

impl Sent {
    /// Goes on by TCP if that is where a response to the copy came from: its ACK, its CANCEL and its dialog.
    pub(super) fn heard_from(&mut self, from: Peer) {
        let copy = self.by_tcp.take();
        if let Some(copy) = copy.filter(|_| from.transport == Transport::Tcp) {
            self.bytes = copy;
            self.what.to = self.what.by_tcp();
            self.what.size = Size::Switched;
        }
    }
}
