//! What is written down of a phone call when it is over (P5), whoever paid for it.

use housecall_meter::{AccountId, SessionId};
use housecall_phone::{Number, Side};

use crate::call::{CallView, DialRequest};
use crate::limits::Who;
use crate::ports::{Ports, WallMillis};
use crate::record::{CallRecord, EndedBy, PartyRef};
use crate::shard::CallEnd;

/// Who rings whom, for whom, and with what numbers.
#[derive(Clone, Debug)]
pub(crate) struct Parties {
    pub(crate) account: AccountId,
    pub(crate) appointment: Option<PartyRef>,
    pub(crate) practitioner: PartyRef,
    pub(crate) caller: PartyRef,
    pub(crate) recipient: PartyRef,
    pub(crate) from: Number,
    pub(crate) to: Number,
}

/// One call that will have a record.
pub(crate) struct Book {
    pub(crate) ports: Ports,
    pub(crate) parties: Parties,
    pub(crate) session: SessionId,
    /// The visit that it is a part of, and whose meter counts it (M9).
    pub(crate) visit: Option<SessionId>,
    pub(crate) started: WallMillis,
}

/// What a call came to: how long it took from the click to its end, and what it cost by itself.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Came {
    pub(crate) elapsed_ms: u64,
    pub(crate) credits: u64,
}

impl Parties {
    /// By whom the limits on dialling count the call (P6).
    pub(crate) fn who(&self) -> Who {
        Who {
            account: self.account.to_string(),
            caller: self.caller.clone(),
            number: self.to.to_string(),
        }
    }
}

impl From<&DialRequest> for Parties {
    fn from(request: &DialRequest) -> Self {
        Self {
            account: request.account.clone(),
            appointment: request.appointment.clone(),
            practitioner: request.practitioner.clone(),
            caller: request.caller.clone(),
            recipient: request.recipient.clone(),
            from: request.from.clone(),
            to: request.to.clone(),
        }
    }
}

impl Book {
    pub(crate) fn record(&self, came: Came, end: &CallEnd, view: &CallView) -> CallRecord {
        let now = self.ports.clock.now();
        let talk_ms = end.talk_ms.unwrap_or(0);
        let ended = WallMillis(self.started.0.saturating_add_unsigned(came.elapsed_ms));
        let answered = end
            .talk_ms
            .map(|talk| WallMillis(ended.0.saturating_sub_unsigned(talk)));
        let parties = &self.parties;
        CallRecord {
            session: self.session.clone(),
            visit: self.visit.clone(),
            account: parties.account.clone(),
            appointment: parties.appointment.clone(),
            practitioner: parties.practitioner.clone(),
            caller: parties.caller.clone(),
            recipient: parties.recipient.clone(),
            from_number: parties.from.to_string(),
            to_number: parties.to.to_string(),
            outcome: end.ended.outcome.name().to_owned(),
            words: end.ended.words.to_owned(),
            ended_by: match end.ended.by {
                Side::Us => EndedBy::Us,
                Side::Them => EndedBy::Them,
            },
            cause: end.ended.cause.clone(),
            started: self.started,
            answered,
            ended,
            talk_ms,
            hold_ms: view.held.ms(now).min(talk_ms),
            held_by_them_ms: view.held_by_them.ms(now).min(talk_ms),
            encryption: view.encryption,
            credits: came.credits,
            quality: end.quality.clone(),
        }
    }
}
