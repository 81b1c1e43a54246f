use std::collections::VecDeque;

use super::Request;
use crate::digest::{Attempt, Authorization, Challenge, Credentials};
use crate::transaction::Peer;
use crate::{Method, Name};

/// The challenges that an agent has answered, so that later requests of the same call carry their answers at once
/// (RFC 3261 §22.3, RFC 7616 §3.3: the nonce count rises with each).
#[derive(Debug, Default)]
pub(super) struct Nonces(VecDeque<Known>);

#[derive(Debug)]
struct Known {
    peer: Peer,
    call_id: String,
    /// Where the answer goes: Authorization or Proxy-Authorization.
    header: Name<'static>,
    challenge: Challenge,
    /// One for the life of the nonce: `-sess` hashes its first value (RFC 7616 §3.4.2).
    cnonce: String,
    count: u32,
}

impl Nonces {
    /// Challenges remembered; the oldest go first, and cost a round trip more.
    const KNOWN_MAX: usize = 256;

    /// Takes challenges that are to be answered. What their realms asked before is void.
    pub(super) fn learn(
        &mut self,
        peer: Peer,
        call_id: &str,
        challenges: Vec<(Name<'static>, Challenge)>,
        cnonce: &str,
    ) {
        for (header, challenge) in challenges {
            self.0.retain(|known| {
                let is_same = known.header == header && known.challenge.realm == challenge.realm;
                !(is_same && known.is_of(peer, call_id))
            });
            if self.0.len() >= Self::KNOWN_MAX {
                self.0.pop_front();
            }
            self.0.push_back(Known {
                peer,
                call_id: call_id.to_owned(),
                header,
                challenge,
                cnonce: cnonce.to_owned(),
                count: 0,
            });
        }
    }

    /// The answers that a request carries, each with its next count. One without qop has no count and is good for the request that
    /// was challenged, whose nonces are `asked`.
    pub(super) fn answers(
        &mut self,
        peer: Peer,
        request: &Request,
        credentials: &Credentials,
        asked: &[String],
    ) -> Vec<(Name<'static>, Authorization)> {
        let known = self.0.iter_mut();
        let known = known.filter(|known| known.is_of(peer, &request.call_id));
        known
            .filter(|known| known.is_reusable() || asked.contains(&known.challenge.nonce))
            .filter_map(|known| Some((known.header, known.answer(request, credentials)?)))
            .collect()
    }

    /// Forgets what was answered in vain.
    pub(super) fn forget(&mut self, peer: Peer, call_id: &str) {
        self.0.retain(|known| !known.is_of(peer, call_id));
    }
}

impl Known {
    fn is_of(&self, peer: Peer, call_id: &str) -> bool {
        self.peer == peer && self.call_id == call_id
    }

    fn is_reusable(&self) -> bool {
        self.challenge.quality().is_some()
    }

    fn answer(&mut self, request: &Request, credentials: &Credentials) -> Option<Authorization> {
        self.count = self.count.checked_add(1)?;
        let attempt = Attempt {
            method: &request.method,
            uri: request.uri.as_str(),
            body: request.body.as_ref().map_or(&[], |body| &body.bytes),
            cnonce: &self.cnonce,
            nonce_count: self.count,
        };
        self.challenge.answer(credentials, attempt)
    }
}

/// Whether requests of this method are challenged at all (RFC 3261 §22.1: nobody may challenge an ACK or a CANCEL).
pub(super) fn can_be_challenged(method: &Method) -> bool {
    !matches!(method, Method::Ack | Method::Cancel)
}
