//! What one turn of the first shard's loop does for the trunks.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use housecall_sip::target::Query;
use housecall_sip::{Message, Peer};
use rand::Rng;

use super::trunk_slot::{TrunkOutput, TrunkSlot};
use super::turn::Turn;
use super::{Command, Machine, TrunkKey, TrunkWord};
use crate::trunks::{Minder, MinderOptions, Trunks};

impl Turn<'_> {
    /// Starts a minder for each trunk.
    pub(super) fn mind_trunks(&mut self, trunks: &Arc<Trunks>) {
        for (key, setup) in trunks.setups() {
            let options = MinderOptions {
                local: self.shard.options.as_trunks_see(self.shard.sip.local()),
                seed: rand::rng().next_u64(),
            };
            match Minder::new(self.now, setup.clone(), options) {
                Ok(minder) => {
                    let name = setup.tls_name.clone();
                    self.mind(TrunkSlot::new(key, minder, trunks.clone(), name), key);
                }
                Err(error) => {
                    tracing::error!(trunk = %setup.trunk.name, %error, "this trunk makes no sip address");
                }
            }
        }
    }

    fn mind(&mut self, slot: TrunkSlot, key: TrunkKey) {
        let call_ids = slot.call_ids().into_iter().map(|id| (id, key));
        self.shard.trunks_by_id.extend(call_ids);
        self.shard.trunks.insert(key, slot);
        self.with_trunk(key, |_, _| {});
    }

    /// A message that belongs to no call is a trunk's answer to its minder, or a stray.
    pub(super) fn hear_of_no_call(&mut self, from: Peer, message: Message) {
        let call_id = message.call_id().ok();
        let trunk = call_id.and_then(|id| self.shard.trunks_by_id.get(id));
        match trunk.copied().filter(|_| !message.is_request()) {
            Some(trunk) => self.with_trunk(trunk, |slot, now| slot.hear(now, from, message)),
            None => self.answer_stray(from, &message),
        }
    }

    pub(super) fn tell_trunks_of(&mut self, failed: Peer, why: &str) {
        let trunks: Vec<TrunkKey> = self.shard.trunks.keys().copied().collect();
        for trunk in trunks {
            self.with_trunk(trunk, |slot, now| slot.transport_failed(now, failed, why));
        }
    }

    pub(super) fn with_trunk(&mut self, key: TrunkKey, work: impl FnOnce(&mut TrunkSlot, Instant)) {
        let Some(mut slot) = self.shard.trunks.remove(&key) else {
            return;
        };
        let now = self.now;
        let mut out = TrunkOutput::default();
        let done = catch_unwind(AssertUnwindSafe(|| {
            work(&mut slot, now);
            slot.drain(&mut out);
        }));
        for (peer, _) in &out.sip {
            self.expect_name(*peer, slot.tls_name());
        }
        self.sip.extend(out.sip);
        out.queries
            .into_iter()
            .for_each(|query| self.ask_dns(key, query));
        if done.is_err() {
            tracing::error!(
                trunk = key.0,
                "a fault: nobody minds this trunk any more; calls go on"
            );
            return;
        }
        self.shard.timers.set(Machine::Trunk(key), slot.deadline());
        self.shard.trunks.insert(key, slot);
    }

    /// Asks beside the loop; the answer comes back as a command.
    fn ask_dns(&self, trunk: TrunkKey, query: Query) {
        let dns = self.shard.options.dns.clone();
        let commands = self.shard.commands.clone();
        tokio::task::spawn_local(async move {
            let heard = dns.ask(&query).await;
            let found = Command::Trunk(trunk, TrunkWord::Found(query, heard));
            if let Some(commands) = commands.upgrade() {
                // An engine that has stopped needs no answer.
                let _ = commands.send(found).await;
            }
        });
    }
}
