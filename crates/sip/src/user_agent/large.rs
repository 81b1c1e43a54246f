use std::time::Instant;

use super::UserAgent;
use super::sending::{Outgoing, SentKey, Wanted};
use crate::Transport;

/// What becomes of a request that is too large for a datagram: above 1300 bytes, where the path's MTU is not known
/// (RFC 3261 §18.1.1).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum LargeRequests {
    /// It goes by UDP all the same and may be cut into fragments. For peers that take no TCP, of which there are many.
    #[default]
    StayUdp,
    /// It goes by TCP, and its dialog with it; by UDP after all where TCP fails before anything was answered.
    SwitchToTcp,
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

impl UserAgent {
    /// Moves a request of `bytes` to TCP where its size and the options ask for it. True if it moved, and its Via is to be written
    /// anew: responses come back over the transport that it names.
    pub(super) fn outgrows_udp(&self, what: &mut Outgoing, bytes: usize) -> bool {
        let outgrows = bytes > DATAGRAM_BYTES_MAX
            && what.to.transport == Transport::Udp
            && what.size == Size::AsAsked
            && self.options.large == LargeRequests::SwitchToTcp;
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
}
