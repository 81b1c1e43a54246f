use bytes::Bytes;

use super::{AskEnd, AskHandle};
use crate::transaction::Peer;
use crate::{Message, StatusCode};

/// Names one call within its [`UserAgent`](super::UserAgent), from the first INVITE to the end. Never used twice.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CallHandle(pub(crate) u64);

/// What the world said to a user agent.
#[derive(Debug)]
pub enum Input {
    /// A message came in.
    Received {
        /// Who sent it: the source address of the datagram, or the other end of the connection.
        from: Peer,
        /// The message.
        message: Message,
    },
    /// Nothing can be sent to `peer`: the port is closed, the connection is gone.
    TransportFailed {
        /// The peer out of reach.
        peer: Peer,
    },
}

/// What a user agent wants done.
#[derive(Debug)]
pub enum Output {
    /// Send `bytes`, one whole message, to `to`.
    Send {
        /// Where to.
        to: Peer,
        /// The message.
        bytes: Bytes,
    },
    /// Something happened.
    Event(Event),
}

/// What happened to a call, or to a question outside any. [`Event::Ended`] comes exactly once for each call, and last.
#[derive(Debug)]
pub enum Event {
    /// Our INVITE got a provisional response other than 100. A forking network sends them with several To-tags.
    Progress {
        /// The call we make.
        call: CallHandle,
        /// The response, perhaps with an early answer in its body.
        message: Message,
    },
    /// Our INVITE was answered with 2xx; the ACK is sent. A second fork that answers is hung up without a word here.
    Answered {
        /// The call we make.
        call: CallHandle,
        /// The 2xx.
        message: Message,
    },
    /// Somebody calls; 100 is sent. Answer with [`UserAgent::respond`](super::UserAgent::respond), more than once if it rings first.
    Invited {
        /// The call they make.
        call: CallHandle,
        /// Who sent the INVITE.
        from: Peer,
        /// The INVITE.
        message: Message,
    },
    /// Our 2xx has arrived (to an INVITE or a re-INVITE).
    Acknowledged {
        /// The call.
        call: CallHandle,
        /// The ACK, with the answer in its body if our 2xx made the offer.
        message: Message,
    },
    /// Our [reliable](super::Reply::reliable) provisional response has arrived.
    Confirmed {
        /// The call they make.
        call: CallHandle,
        /// The PRACK, with the answer in its body if the response made the offer.
        message: Message,
    },
    /// The other side sent a re-INVITE or UPDATE. Answer with [`UserAgent::respond`](super::UserAgent::respond).
    Reinvited {
        /// The call.
        call: CallHandle,
        /// The request. No body means that the 2xx shall make an offer (re-INVITE), or nothing changes (UPDATE).
        message: Message,
    },
    /// Our re-INVITE or UPDATE was granted; the ACK is sent.
    ReinviteAnswered {
        /// The call.
        call: CallHandle,
        /// The 2xx.
        message: Message,
    },
    /// Our re-INVITE or UPDATE was refused; the call goes on as before.
    ReinviteRefused {
        /// The call.
        call: CallHandle,
        /// The status; 408 if nobody answered.
        status: StatusCode,
    },
    /// Our re-INVITE or UPDATE met one of theirs (491, 500), and the pause is over: make a new one (RFC 3261 §14.1).
    ReinviteAgain {
        /// The call.
        call: CallHandle,
    },
    /// The other side sent an INFO with a key in its body; it is answered.
    Info {
        /// The call.
        call: CallHandle,
        /// The INFO, its body `application/dtmf-relay` or `application/dtmf`.
        message: Message,
    },
    /// The oldest [INFO](super::UserAgent::info) of ours that had no answer has got one. The call goes on in any case.
    InfoAnswered {
        /// The call.
        call: CallHandle,
        /// The final status; 408 if nobody answered, 503 if the peer could not be reached.
        status: StatusCode,
    },
    /// A final response to what was [asked](super::UserAgent::ask) outside any call; a challenge only if it could not be answered.
    Replied {
        /// The question.
        ask: AskHandle,
        /// The response. Its CSeq is that of the last try.
        message: Message,
    },
    /// What was asked outside any call got no final response.
    AskFailed {
        /// The question.
        ask: AskHandle,
        /// Why.
        end: AskEnd,
    },
    /// The session timer wants a refresh that must be a re-INVITE: send one with the description unchanged (RFC 4028 §7.4).
    RefreshWanted {
        /// The call.
        call: CallHandle,
    },
    /// The call is over.
    Ended {
        /// The call.
        call: CallHandle,
        /// Why.
        end: End,
    },
}

/// Why a call is over.
#[derive(Debug)]
pub enum End {
    /// Our INVITE was refused with this 3xx to 6xx.
    Refused(Message),
    /// Nobody answered our INVITE at all.
    Unanswered,
    /// The peer cannot be reached.
    Unreachable,
    /// We hung up, whether before or after the answer, or refused their INVITE.
    ByUs,
    /// They hung up: the BYE, with its Reason if it gives one.
    ByThem(Message),
    /// They gave up before we answered (CANCEL).
    Cancelled,
    /// They never acknowledged our 2xx.
    NotAcknowledged,
    /// They know the call no longer (408 or 481 to a request inside it).
    Forgotten,
    /// Nobody refreshed the session in time (RFC 4028 §10).
    SessionExpired,
}

impl From<AskEnd> for End {
    fn from(why: AskEnd) -> Self {
        match why {
            AskEnd::Unanswered => Self::Unanswered,
            AskEnd::Unreachable => Self::Unreachable,
        }
    }
}
