use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use housecall_sip::{Peer, Transport};
use tokio::sync::oneshot;

use super::NotConnected;
use crate::sip::{Secured, Unreached};

/// A peer to which things can be sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Connected {
    /// How long it took, the TLS handshake included.
    pub took: Duration,
    /// What was agreed, over TLS.
    pub secured: Option<Secured>,
}

pub(super) type Waiting = oneshot::Sender<Result<Connected, NotConnected>>;

/// The connections of a telephone, and who waits for one.
#[derive(Default)]
pub(super) struct Connections {
    open: BTreeMap<Peer, Option<Secured>>,
    waiting: Vec<(Peer, Instant, Waiting)>,
}

impl Connections {
    /// Notes that somebody waits for a connection to `peer`, or says at once that there is one. Datagrams need none.
    pub(super) fn wait(&mut self, now: Instant, peer: Peer, reply: Waiting) {
        match self.open.get(&peer) {
            Some(secured) => connected(reply, Duration::ZERO, secured.clone()),
            None if peer.transport == Transport::Udp => connected(reply, Duration::ZERO, None),
            None => self.waiting.push((peer, now, reply)),
        }
    }

    pub(super) fn opened(&mut self, now: Instant, peer: Peer, secured: Option<Secured>) {
        for (since, reply) in self.waiting_for(peer) {
            connected(reply, now.saturating_duration_since(since), secured.clone());
        }
        self.open.insert(peer, secured);
    }

    pub(super) fn failed(&mut self, peer: Peer, why: &Unreached) {
        self.open.remove(&peer);
        for (_, reply) in self.waiting_for(peer) {
            // Whoever asked may have stopped waiting.
            let _ = reply.send(Err(NotConnected::Unreached(why.clone())));
        }
    }

    fn waiting_for(&mut self, peer: Peer) -> Vec<(Instant, Waiting)> {
        let waited = self.waiting.extract_if(.., |(to, ..)| *to == peer);
        waited.map(|(_, since, reply)| (since, reply)).collect()
    }
}

fn connected(reply: Waiting, took: Duration, secured: Option<Secured>) {
    let _ = reply.send(Ok(Connected { took, secured }));
}
