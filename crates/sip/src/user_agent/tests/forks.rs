use std::collections::BTreeMap;

use bytes::Bytes;

use crate::{Message, Method, Name, RequestBuilder, ResponseBuilder, StatusCode};

/// A forking network: it copies the caller's INVITE to several people, shows the caller all their tags, lets every 2xx through, and
/// keeps refusals to itself while somebody may still answer (RFC 3261 §16.7), but for a 199 (RFC 6228 §6).
///
/// It stands for a proxy and everything behind it, so its Via is the caller's own.
pub(super) struct Forks {
    count: usize,
    /// Whether it cancels the others when one answers, as it should; else they may answer too.
    cancels: bool,
    invite: Option<Message>,
    /// Who has which tag.
    tags: BTreeMap<String, usize>,
    /// Who has given a final answer, by status.
    finals: BTreeMap<usize, u16>,
}

/// A message on its way to somebody: 0 is the caller.
pub(super) struct Way {
    pub(super) to: usize,
    pub(super) bytes: Bytes,
}

impl Forks {
    pub(super) fn new(count: usize, cancels: bool) -> Self {
        Self {
            count,
            cancels,
            invite: None,
            tags: BTreeMap::new(),
            finals: BTreeMap::new(),
        }
    }

    pub(super) fn leave_caller(&mut self, message: &Message) -> Vec<Way> {
        let tag = match message.is_request() {
            true => message.to(),
            false => message.from(),
        };
        let tag = tag.unwrap().tag().map(str::to_owned);
        if message.method() == Some(&Method::Invite) && tag.is_none() {
            self.invite = Some(message.clone());
        }
        let is_invite = message.method() == Some(&Method::Invite);
        let receivers: Vec<usize> = match tag {
            Some(tag) => self.tags.get(&tag).copied().into_iter().collect(),
            // A repeated INVITE is nothing to those who have refused it.
            None => (1..=self.count)
                .filter(|fork| !is_invite || self.finals.get(fork).is_none_or(|code| *code < 300))
                .collect(),
        };
        let bytes = || message.bytes().clone();
        receivers
            .into_iter()
            .map(|to| Way { to, bytes: bytes() })
            .collect()
    }

    pub(super) fn leave_fork(&mut self, fork: usize, message: &Message) -> Vec<Way> {
        let theirs = match message.is_request() {
            true => message.from(),
            false => message.to(),
        };
        if let Some(tag) = theirs.unwrap().tag() {
            self.tags.insert(tag.to_owned(), fork);
        }
        let up = || Way {
            to: 0,
            bytes: message.bytes().clone(),
        };
        match message.status().filter(|_| self.answers_invite(message)) {
            Some(status) if status.is_success() => {
                let mut ways = vec![up()];
                if self.finals.insert(fork, status.code()).is_none() && self.cancels {
                    ways.extend(self.cancel_others());
                }
                ways
            }
            Some(status) if status.is_final() => self.refused(fork, status, message, up),
            _ => vec![up()],
        }
    }

    /// The last refusal goes to the caller, if nobody has answered; the others end here.
    fn refused(
        &mut self,
        fork: usize,
        status: StatusCode,
        message: &Message,
        up: impl Fn() -> Way,
    ) -> Vec<Way> {
        let is_last =
            (1..=self.count).all(|other| other == fork || self.finals.contains_key(&other));
        let is_known = self.finals.contains_key(&fork);
        let nobody_answered = self.finals.values().all(|code| *code >= 300);
        if nobody_answered && is_last && (!is_known || self.is_told(fork)) {
            self.finals.insert(fork, Self::TOLD + status.code());
            return vec![up()];
        }
        self.finals.entry(fork).or_insert(status.code());
        let to = message.to().unwrap().to_string();
        let bytes = self.hop(Method::Ack, &to);
        let mut ways = vec![Way { to: fork, bytes }];
        if nobody_answered {
            ways.push(self.ended(message));
        }
        ways
    }

    /// Tells the caller that this fork has ended.
    fn ended(&self, refusal: &Message) -> Way {
        let tag = refusal.to().unwrap().tag().unwrap().to_owned();
        let invite = self.invite.as_ref().unwrap();
        let ended = ResponseBuilder::new(invite, StatusCode::EARLY_DIALOG_TERMINATED).to_tag(&tag);
        let bytes = ended.build().bytes().clone();
        Way { to: 0, bytes }
    }

    /// Added to the status of the refusal that the caller was told.
    const TOLD: u16 = 1_000;

    fn is_told(&self, fork: usize) -> bool {
        self.finals
            .get(&fork)
            .is_some_and(|code| *code >= Self::TOLD)
    }

    fn cancel_others(&self) -> Vec<Way> {
        let waiting = (1..=self.count).filter(|fork| !self.finals.contains_key(fork));
        let to = self.invite.as_ref().unwrap().to().unwrap().to_string();
        let cancel = |fork| Way {
            to: fork,
            bytes: self.hop(Method::Cancel, &to),
        };
        waiting.map(cancel).collect()
    }

    /// A request of this hop about the INVITE: its ACK or CANCEL (RFC 3261 §9.1, §17.1.1.3).
    fn hop(&self, method: Method, to: &str) -> Bytes {
        let invite = self.invite.as_ref().unwrap();
        RequestBuilder::new(method, &invite.target().unwrap())
            .via(&invite.via().unwrap())
            .max_forwards(70)
            .from(&invite.from().unwrap())
            .header(Name::To, to)
            .call_id(invite.call_id().unwrap())
            .cseq(invite.cseq().unwrap().number)
            .build()
            .bytes()
            .clone()
    }

    fn answers_invite(&self, message: &Message) -> bool {
        let branch = |message: &Message| message.via().unwrap().branch().map(str::to_owned);
        let is_about_invite = message.cseq().unwrap().method == Method::Invite;
        let invite = self.invite.as_ref();
        is_about_invite && invite.is_some_and(|invite| branch(invite) == branch(message))
    }
}
