use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::answers::HeardKey;
use super::confirming::Confirming;
use super::early::Early;
use super::info::Infos;
use super::sending::{Outgoing, SentKey};
use super::session_timer::Session;
use super::{CallHandle, Request};
use crate::Message;
use crate::dialog::Dialog;
use crate::digest::Credentials;
use crate::header::RAck;
use crate::transaction::Peer;

/// One call by what it waits for. An ended call is no longer here; its messages live on in their transactions.
#[derive(Debug)]
pub(super) enum Call {
    Calling(Box<Calling>),
    Invited(Box<Invited>),
    Open(Box<Open>),
}

/// We have sent an INVITE and wait for its answer.
#[derive(Debug)]
pub(super) struct Calling {
    /// The INVITE now on its way; another one after a challenge.
    pub(super) invite: SentKey,
    pub(super) call_id: String,
    pub(super) local_tag: String,
    /// One early dialog for each To-tag that a forking network shows us (RFC 3261 §12.1).
    pub(super) early: BTreeMap<String, Early>,
    /// The UPDATE of one of them that we have not answered.
    pub(super) offered: Option<HeardKey>,
    pub(super) peer: Peer,
    pub(super) credentials: Option<Credentials>,
    pub(super) session: Session,
}

/// They have sent an INVITE and wait for our answer.
#[derive(Debug)]
pub(super) struct Invited {
    pub(super) heard: HeardKey,
    pub(super) local_tag: String,
    pub(super) dialog: Dialog,
    pub(super) session: Session,
    pub(super) confirming: Confirming,
    /// Their UPDATE that we have not answered.
    pub(super) offered: Option<HeardKey>,
}

/// Answered.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) dialog: Dialog,
    /// Whom the credentials are for.
    pub(super) peer: Peer,
    pub(super) credentials: Option<Credentials>,
    /// Whether we made the call: who owns the Call-ID waits longer after a glare (RFC 3261 §14.1).
    pub(super) by_us: bool,
    /// Our 2xx that still lack their ACK.
    pub(super) unacknowledged: Vec<Unacknowledged>,
    pub(super) change: Change,
    pub(super) refresh: Refresh,
    pub(super) session: Session,
    /// Their re-INVITE or UPDATE that we have not answered.
    pub(super) offered: Option<HeardKey>,
    pub(super) infos: Infos,
    /// A provisional response of ours that the 2xx has overtaken; its PRACK may still come.
    pub(super) unconfirmed: Option<RAck>,
    /// The user has hung up, but the BYE must wait for the ACK of our first 2xx (RFC 3261 §15).
    pub(super) hung_up: bool,
}

/// Where an offer of ours inside the call stands.
#[derive(Debug)]
pub(super) enum Change {
    None,
    Sent,
    /// It met one of theirs; try again then.
    Pausing(Instant),
}

/// Where an UPDATE of ours without an offer stands; it goes its way beside offers.
#[derive(Debug)]
pub(super) enum Refresh {
    None,
    /// `is_told` if the user asked for it, and hears of its answer.
    Sent {
        is_told: bool,
    },
}

/// A 2xx that is repeated until its ACK comes (RFC 3261 §13.3.1.4), over every transport.
#[derive(Debug)]
pub(super) struct Unacknowledged {
    pub(super) cseq: u32,
    pub(super) to: Peer,
    pub(super) bytes: Bytes,
    pub(super) again_at: Instant,
    pub(super) period: Duration,
    pub(super) period_max: Duration,
    pub(super) give_up_at: Instant,
    /// Answers the INVITE that made the call, rather than a re-INVITE.
    pub(super) first: bool,
}

impl Call {
    /// Where requests inside the dialog find it: Call-ID and our tag.
    pub(super) fn key(&self) -> (String, String) {
        let of = |dialog: &Dialog| (dialog.call_id().to_owned(), dialog.local_tag().to_owned());
        match self {
            Self::Calling(calling) => (calling.call_id.clone(), calling.local_tag.clone()),
            Self::Invited(invited) => of(&invited.dialog),
            Self::Open(open) => of(&open.dialog),
        }
    }

    pub(super) fn call_id(&self) -> &str {
        match self {
            Self::Calling(calling) => &calling.call_id,
            Self::Invited(invited) => invited.dialog.call_id(),
            Self::Open(open) => open.dialog.call_id(),
        }
    }

    pub(super) fn state(call: Option<&Self>) -> &'static str {
        match call {
            None => "the call is over",
            Some(Self::Calling(_)) => "calling",
            Some(Self::Invited(_)) => "being called",
            Some(Self::Open(open)) if open.hung_up => "the call is over",
            Some(Self::Open(_)) => "the call is open",
        }
    }

    pub(super) fn local_tag(&self) -> &str {
        match self {
            Self::Calling(calling) => &calling.local_tag,
            Self::Invited(invited) => &invited.local_tag,
            Self::Open(open) => open.dialog.local_tag(),
        }
    }

    /// Their re-INVITE or UPDATE that we have not answered.
    pub(super) fn offered(&self) -> Option<&HeardKey> {
        match self {
            Self::Calling(calling) => calling.offered.as_ref(),
            Self::Invited(invited) => invited.offered.as_ref(),
            Self::Open(open) => open.offered.as_ref(),
        }
    }

    pub(super) fn offered_mut(&mut self) -> &mut Option<HeardKey> {
        match self {
            Self::Calling(calling) => &mut calling.offered,
            Self::Invited(invited) => &mut invited.offered,
            Self::Open(open) => &mut open.offered,
        }
    }

    /// Whether `tag` is the other side's in this call, or in a part of it that lasts.
    pub(super) fn is_with(&self, tag: &str) -> bool {
        match self {
            Self::Calling(calling) => calling.is_with(tag),
            Self::Invited(invited) => invited.dialog.remote_tag() == tag,
            Self::Open(open) => open.dialog.remote_tag() == tag,
        }
    }

    pub(super) fn dialog(&mut self, tag: &str) -> Option<&mut Dialog> {
        match self {
            Self::Calling(calling) => calling.early.get_mut(tag).map(|early| &mut early.dialog),
            Self::Invited(invited) => Some(&mut invited.dialog),
            Self::Open(open) => Some(&mut open.dialog),
        }
    }
}

impl Calling {
    /// Answered by the fork that `dialog` is with; the other forks come back, for they may yet answer too.
    pub(super) fn opened(
        mut self,
        now: Instant,
        mut dialog: Dialog,
        response: &Message,
    ) -> (Open, BTreeMap<String, Dialog>) {
        if let Some(early) = self.early.remove(dialog.remote_tag()) {
            dialog.inherit(&early.dialog, response);
        }
        self.session.granted(now, response);
        let open = Open {
            dialog,
            peer: self.peer,
            credentials: self.credentials,
            by_us: true,
            unacknowledged: Vec::new(),
            change: Change::None,
            refresh: Refresh::None,
            session: self.session,
            offered: self.offered,
            infos: Infos::default(),
            unconfirmed: None,
            hung_up: false,
        };
        (open, Self::forks(self.early))
    }
}

impl Invited {
    pub(super) fn opened(self, peer: Peer, answer: Unacknowledged) -> Open {
        Open {
            dialog: self.dialog,
            peer,
            credentials: None,
            by_us: false,
            unacknowledged: vec![answer],
            change: Change::None,
            refresh: Refresh::None,
            session: self.session,
            offered: self.offered,
            infos: Infos::default(),
            unconfirmed: self.confirming.unconfirmed(),
            hung_up: false,
        }
    }
}

impl Open {
    pub(super) fn awaits_first_ack(&self) -> bool {
        self.unacknowledged.iter().any(|answer| answer.first)
    }

    /// A request of this call, ready to be sent where the dialog leads.
    pub(super) fn carry(&self, request: Request, call: CallHandle) -> Outgoing {
        let to = self.dialog.next_hop();
        // RFC 3261 §22.1 knows realms, not addresses; we tell our password to nobody but the trunk.
        let credentials = self
            .credentials
            .clone()
            .filter(|_| to.stands_for(self.peer));
        Outgoing::new(request, to, call, credentials)
    }
}
