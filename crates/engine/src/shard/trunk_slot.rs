//! One trunk on the first shard: its minder, and where it tells what it sees.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use housecall_sip::target::{Answer, NoAnswer, Query};
use housecall_sip::{Message, Peer};
use tokio::sync::oneshot;

use super::TrunkKey;
use crate::trunks::{Minder, Output, Trunks};

/// What a trunk's minder is told from elsewhere.
#[derive(Debug)]
pub(crate) enum TrunkWord {
    /// The domain name system said something.
    Found(Query, Result<Answer, NoAnswer>),
    /// A call found this peer wanting.
    Suspect(Peer),
    /// Watch no more, and end the registration; say when it is done.
    Leave(oneshot::Sender<()>),
}

/// A trunk that is minded.
pub(crate) struct TrunkSlot {
    key: TrunkKey,
    minder: Minder,
    trunks: Arc<Trunks>,
    left: Option<oneshot::Sender<()>>,
    tls_name: String,
}

/// What a trunk wants done.
#[derive(Default)]
pub(crate) struct TrunkOutput {
    pub(crate) sip: Vec<(Peer, Bytes)>,
    pub(crate) queries: Vec<Query>,
}

impl TrunkSlot {
    pub(crate) fn new(
        key: TrunkKey,
        minder: Minder,
        trunks: Arc<Trunks>,
        tls_name: String,
    ) -> Self {
        Self {
            key,
            minder,
            trunks,
            left: None,
            tls_name,
        }
    }

    /// The name that its certificates must carry.
    pub(crate) fn tls_name(&self) -> &str {
        &self.tls_name
    }

    pub(crate) fn call_ids(&self) -> Vec<String> {
        self.minder.call_ids().map(str::to_owned).collect()
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.minder.poll_timeout()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.minder.handle_timeout(now);
    }

    pub(crate) fn hear(&mut self, now: Instant, from: Peer, message: Message) {
        self.minder.hear(now, from, message);
    }

    pub(crate) fn transport_failed(&mut self, now: Instant, peer: Peer, why: &str) {
        self.minder.transport_failed(now, peer, why);
    }

    pub(crate) fn obey(&mut self, now: Instant, word: TrunkWord) {
        match word {
            TrunkWord::Found(query, heard) => self.minder.found(now, &query, heard),
            TrunkWord::Suspect(peer) => self.minder.suspect(now, peer),
            TrunkWord::Leave(left) => {
                self.minder.leave(now);
                self.left = Some(left);
            }
        }
    }

    /// Takes what the minder wants done, and shows what it sees.
    pub(crate) fn drain(&mut self, out: &mut TrunkOutput) {
        while let Some(output) = self.minder.poll_output() {
            match output {
                Output::Send { to, bytes } => out.sip.push((to, bytes)),
                Output::Query(query) => out.queries.push(query),
                Output::Seen(seen) => self.trunks.learn(self.key, seen),
            }
        }
        if self.minder.is_idle()
            && let Some(left) = self.left.take()
        {
            // Whoever waited may have run out of patience.
            let _ = left.send(());
        }
    }
}
