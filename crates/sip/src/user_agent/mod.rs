//! A user agent: the transactions and dialogs of one side, the calling and the answering one (RFC 3261 §8, §12 to §15).
//!
//! ```text
//!   invite() ──► Calling ── 2xx ───────────► Open ──► ended: BYE of either side, no ACK,
//!                   │                         ▲        a request inside the call that nobody answers
//!                   └─► ended: refused,       │
//!                       silence, hang_up()    │ respond(2xx)
//!   INVITE ────► Invited ─────────────────────┘
//!                   └─► ended: respond(3xx..6xx), CANCEL, hang_up()
//! ```
//!
//! | RFC | section | file | test |
//! |---|---|---|---|
//! | 3261 | §8.1, §13.2 (what responses mean to the caller) | `responses.rs` | `tests/scripted.rs`, `tests/conversations.rs` |
//! | 3261 | §8.2, §12.2.2, §15.1.2 (requests of others) | `requests.rs` | `tests/scripted.rs`, `tests/dialogs.rs` |
//! | 3261 | §8.2.7 (strangers are answered without state) | `requests.rs` | `tests/dialogs.rs`: a_flood_of_strangers_leaves_nothing_behind |
//! | 3261 | §9 (CANCEL) | `mod.rs`, `responses.rs`, `requests.rs` | `tests/cancels.rs`, `tests/conversations.rs`, `tests/dialogs.rs` |
//! | 3261 | §8.2.2.2 (an INVITE by two ways: 482) | `requests.rs` | `tests/cancels.rs`: a_merged_invite_gets_482 |
//! | 3261 | §8.1.3.5, §21.4.15, §21.4.16 (again after 420, 421) | `reliable.rs` | `tests/reliable.rs` |
//! | 3261 | §13.2.2.4; 6026 §7.2 (forks and late answers) | `responses.rs` | `tests/cancels.rs`, `tests/forks.rs` |
//! | 3261 | §20.33, §21.3 (Retry-After and Contacts of a refusal) | `event.rs` | `tests/cancels.rs`: a_redirection_and_a_pause_can_be_read |
//! | 3261 | §10.2, §11.1, §22 (what is asked outside any call) | `ask.rs` | `tests/asks.rs` |
//! | 3261 | §12.1, §12.2.1.1 (routes, strict ones too; targets; peers without tags) | `../dialog.rs` | `tests/dialogs.rs` |
//! | 3261 | §13.3 (our answers) | `answers.rs` | `tests/conversations.rs` |
//! | 3261 | §13.3.1.4 (2xx until the ACK) | `timeouts.rs` | `tests/storm.rs` |
//! | 3261 | §14.1, §14.2 (re-INVITE, glare, overlap) | `offers.rs`, `requests.rs` | `tests/session.rs`, `tests/dialogs.rs` |
//! | 3261 | §8.1.1, §22 (our requests, and again with credentials) | `sending.rs` | `tests/scripted.rs` |
//! | 3261 | §18.1.1 (requests too large for a datagram) | `large.rs` | `tests/large.rs` |
//! | 3261 | §22.1 to §22.3; 7616 §3.3 (who gets an answer, nonces used again) | `nonces.rs`, `sending.rs` | `tests/challenges.rs` |
//! | 3262 | §3 to §5 (PRACK, both sides) | `reliable.rs`, `confirming.rs` | `tests/reliable.rs` |
//! | 3311 | §5.1, §5.2 (UPDATE, before the answer too) | `offers.rs`, `requests.rs` | `tests/session.rs` |
//! | 3515, 6665 | REFER and events, refused | `requests.rs` | `tests/scripted.rs`, `tests/infos.rs` |
//! | 4028 | §5, §7, §9, §10 (session timers, both roles, 422) | `session_timer.rs`, `offers.rs` | `tests/session.rs` |
//! | 5407 | §3.2 (messages that cross a BYE) | `requests.rs`, `offers.rs` | `tests/dialogs.rs` |
//! | 6086 | §4.1, §4.2 (INFO) | `info.rs` | `tests/infos.rs` |
//!
//! Every alarm of a transaction or call is in one order (`timed.rs`), so that an agent with 10,000 calls wakes as quickly as one with one.

mod answers;
mod ask;
mod call;
mod confirming;
mod early;
mod event;
mod info;
mod invite;
mod large;
mod nonces;
mod offered;
mod offers;
mod options;
mod reliable;
mod request;
mod requests;
mod responses;
mod sending;
mod session_timer;
mod timed;
mod timeouts;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Instant;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

pub use ask::{Ask, AskEnd, AskHandle};
pub use event::{CallHandle, End, Event, Input, Output};
pub use invite::{Body, Invite, Reply};
pub use large::LargeRequests;
pub use options::AgentOptions;
pub use reliable::Reliable;
pub(crate) use request::Request;
pub use session_timer::{Refresher, SessionTimer};

use crate::header::Reason;
use crate::{Abilities, Method, Name, StatusCode};
use answers::{Heard, HeardKey};
use call::{Call, Calling, Open};
use early::Early;
use nonces::Nonces;
use sending::{Outgoing, Sent, SentKey, Wanted};
use session_timer::Session;
use timed::TimedMap;

/// Makes and answers calls: says which messages to send, and what happened.
///
/// ```
/// use std::time::Instant;
/// use housecall_sip::user_agent::{AgentOptions, Event, Input, Invite, Output, Reply, UserAgent};
/// use housecall_sip::{Message, NameAddr, Peer, StatusCode, Uri};
///
/// let (alice, bob) = (Peer::udp("192.0.2.1:5060".parse()?), Peer::udp("192.0.2.2:5060".parse()?));
/// let agent = |at: Peer| UserAgent::new(AgentOptions {
///     accepts_calls: true,
///     ..AgentOptions::new(at.addr, u64::from(at.addr.port()))
/// });
/// let (mut caller, mut answerer) = (agent(alice), agent(bob));
/// let now = Instant::now();
/// caller.invite(now, Invite {
///     to_peer: bob,
///     uri: Uri::parse("sip:bob@192.0.2.2")?,
///     from: NameAddr::parse("<sip:alice@192.0.2.1>")?,
///     to: NameAddr::parse("<sip:bob@192.0.2.2>")?,
///     headers: Vec::new(),
///     body: None,
///     credentials: None,
/// });
/// let Some(Output::Send { bytes, .. }) = caller.poll_output() else { panic!() };
/// answerer.handle_input(now, Input::Received { from: alice, message: Message::parse(bytes)? });
/// while let Some(output) = answerer.poll_output() {
///     if let Output::Event(Event::Invited { call, .. }) = output {
///         answerer.respond(now, call, Reply::new(StatusCode::BUSY_HERE))?;
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// No socket, no clock: give it what came in with [`handle_input`](UserAgent::handle_input), wake it with
/// [`handle_timeout`](UserAgent::handle_timeout) at [`poll_timeout`](UserAgent::poll_timeout), and after each of these, and each
/// verb, take everything from [`poll_output`](UserAgent::poll_output).
#[derive(Debug)]
pub struct UserAgent {
    options: AgentOptions,
    abilities: Abilities,
    random: StdRng,
    /// Requests of ours that are not forgotten yet.
    sent: TimedMap<SentKey, Sent>,
    /// Requests of others that are not forgotten yet.
    heard: TimedMap<HeardKey, Heard>,
    /// Memory that they take.
    heard_bytes: usize,
    calls: TimedMap<CallHandle, Call>,
    /// Which call a request inside a dialog is about, by Call-ID and our tag.
    dialogs: BTreeMap<(String, String), CallHandle>,
    /// What we need not be asked again.
    nonces: Nonces,
    outputs: VecDeque<Output>,
    /// The last call or question that was given a handle.
    last_handle: u64,
}

/// The verb does not fit the state of the call; the caller of this API is too early or too late.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("cannot {action} while {state}")]
pub struct WrongMoment {
    /// What was asked for.
    pub action: &'static str,
    /// What the call is doing.
    pub state: &'static str,
}

impl UserAgent {
    /// Makes a user agent without calls.
    pub fn new(options: AgentOptions) -> Self {
        Self {
            random: StdRng::seed_from_u64(options.seed),
            abilities: abilities(&options),
            options,
            sent: TimedMap::new(),
            heard: TimedMap::new(),
            heard_bytes: 0,
            calls: TimedMap::new(),
            dialogs: BTreeMap::new(),
            nonces: Nonces::default(),
            outputs: VecDeque::new(),
            last_handle: 0,
        }
    }

    /// Takes what the world said. Messages that make no sense are answered with the status they are owed, or dropped.
    pub fn handle_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::Received { from, message } if message.is_request() => {
                self.request(now, from, message);
            }
            Input::Received { from, message } => self.response(now, from, message),
            Input::TransportFailed { peer } => self.transport_failed(now, peer),
        }
    }

    /// Calls somebody: sends an INVITE. Progress, answer and end come as events.
    pub fn invite(&mut self, now: Instant, invite: Invite) -> CallHandle {
        let call = self.next_call();
        let tag = self.tag();
        let call_id = self.word(32);
        let mut request = Request {
            method: Method::Invite,
            uri: invite.uri,
            from: invite.from.with_tag(&tag),
            to: invite.to,
            call_id: call_id.clone(),
            cseq: 1,
            routes: Vec::new(),
            headers: reliable::with_offer(self.options.reliable, invite.headers, &invite.body),
            body: invite.body,
            in_dialog: false,
        };
        let session = Session::new(self.options.session_timer);
        request.headers.push(Early::supported());
        request.headers.extend(session.ask());
        let what = Outgoing::new(request, invite.to_peer, call, invite.credentials.clone());
        let invite_key = self.send(now, what);
        let calling = Calling {
            invite: invite_key,
            call_id: call_id.clone(),
            local_tag: tag.clone(),
            early: BTreeMap::new(),
            offered: None,
            peer: invite.to_peer,
            credentials: invite.credentials,
            session,
        };
        self.calls.insert(call, Call::Calling(Box::new(calling)));
        self.dialogs.insert((call_id, tag), call);
        call
    }

    /// Ends a call at any moment; [`Event::Ended`] follows at once, the messages in their own time.
    ///
    /// Before the answer of the other side this is a CANCEL (once a provisional response has come), or ACK and BYE if the answer
    /// crosses it; before ours it is 480; afterwards it is BYE, if need be after the ACK of our 2xx (RFC 3261 §15).
    pub fn hang_up(&mut self, now: Instant, call: CallHandle) {
        if let Some(Call::Open(open)) = self.calls.get_mut(&call)
            && open.awaits_first_ack()
        {
            // The BYE goes out when the ACK has come, or is given up.
            let told = std::mem::replace(&mut open.hung_up, true);
            if !told {
                self.tell(Event::Ended {
                    call,
                    end: End::ByUs,
                });
            }
            return;
        }
        match self.take(now, call) {
            Some(Call::Calling(calling)) => self.abandon(now, *calling),
            Some(Call::Invited(invited)) => {
                let reply = Reply::new(StatusCode::TEMPORARILY_UNAVAILABLE);
                self.answer(now, &invited.heard, &reply, &invited.local_tag);
            }
            Some(Call::Open(open)) => self.leave(now, call, open, None),
            None => return,
        }
        self.tell(Event::Ended {
            call,
            end: End::ByUs,
        });
    }

    /// Answers an INVITE, re-INVITE or UPDATE that came as [`Event::Invited`] or [`Event::Reinvited`].
    ///
    /// A 2xx is repeated until its ACK comes; without one the call ends after 64*T1 (RFC 3261 §13.3.1.4). Refusing an INVITE ends the
    /// call, refusing a re-INVITE does not. While an UPDATE is open before the call is answered, it is what this answers.
    ///
    /// # Errors
    /// Nothing of this call waits for an answer.
    pub fn respond(
        &mut self,
        now: Instant,
        call: CallHandle,
        reply: Reply,
    ) -> Result<(), WrongMoment> {
        let action = "respond";
        let state = Call::state(self.calls.get(&call));
        match self.calls.get(&call) {
            Some(Call::Open(open)) if open.hung_up => Err(WrongMoment { action, state }),
            Some(known) if known.offered().is_some() => {
                self.respond_to_offer(now, call, &reply);
                Ok(())
            }
            Some(Call::Invited(_)) => self.respond_in_order(now, call, reply),
            Some(Call::Open(_)) => {
                let state = "no offer of the other side is open";
                Err(WrongMoment { action, state })
            }
            Some(Call::Calling(_)) | None => Err(WrongMoment { action, state }),
        }
    }

    /// The Call-ID of a call that is not over.
    pub fn call_id(&self, call: CallHandle) -> Option<&str> {
        self.calls.get(&call).map(Call::call_id)
    }

    /// A random number from the agent's own source, for what else of the call must be hard to guess.
    pub fn random(&mut self) -> u64 {
        self.random.random()
    }

    /// Takes the next thing to do, in order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Whether no call is open and no message of an ended one is still owed to the network.
    pub fn is_idle(&self) -> bool {
        self.calls.is_empty() && self.sent.is_empty() && self.heard.is_empty()
    }

    /// Gives up an INVITE: CANCEL now or with the first provisional response (RFC 3261 §9.1).
    fn abandon(&mut self, now: Instant, calling: Calling) {
        let Some(sent) = self.sent.get_mut(&calling.invite) else {
            return;
        };
        sent.wanted = Wanted::Cancel;
        sent.forks = Calling::forks(calling.early);
        if sent.client.is_proceeding() {
            self.send_cancel(now, &calling.invite);
        }
    }

    /// Sends the BYE of a call that has left [`UserAgent::calls`].
    fn leave(&mut self, now: Instant, call: CallHandle, mut open: Box<Open>, why: Option<Reason>) {
        let mut bye = open.dialog.request(Method::Bye);
        let header = |why: Reason| (Name::Reason.as_str().to_owned(), why.to_string());
        bye.headers.extend(why.map(header));
        let what = open.carry(bye, call);
        // Until the BYE is answered we know what theirs is about.
        self.dialogs.insert(Call::Open(open).key(), call);
        self.send(now, what);
    }

    /// Forgets a call and says so, unless its user has hung up already.
    fn end(&mut self, now: Instant, call: CallHandle, end: End) {
        match self.take(now, call) {
            Some(Call::Open(open)) if open.hung_up => {}
            Some(_) => self.tell(Event::Ended { call, end }),
            None => {}
        }
    }

    /// Takes a call out that ends, and refuses what of it is open.
    fn take(&mut self, now: Instant, call: CallHandle) -> Option<Call> {
        self.refuse_offer(now, call);
        let taken = self.calls.remove(&call)?;
        self.dialogs.remove(&taken.key());
        Some(taken)
    }

    /// Forgets a request of ours, and with a BYE the dialog.
    fn forget(&mut self, key: &SentKey) {
        let Some(Sent { what, .. }) = self.sent.remove(key) else {
            return;
        };
        let Some(call) = what.call().filter(|call| !self.calls.contains_key(call)) else {
            return;
        };
        let tag = what.request.from.tag().unwrap_or("").to_owned();
        let dialog = (what.request.call_id, tag);
        if what.request.method == Method::Bye && self.dialogs.get(&dialog) == Some(&call) {
            self.dialogs.remove(&dialog);
        }
    }

    fn open(&mut self, call: CallHandle, action: &'static str) -> Result<&mut Open, WrongMoment> {
        let state = Call::state(self.calls.get(&call));
        match self.calls.get_mut(&call) {
            Some(Call::Open(open)) if !open.hung_up => Ok(open),
            _ => Err(WrongMoment { action, state }),
        }
    }

    fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    fn next_call(&mut self) -> CallHandle {
        CallHandle(self.next_number())
    }

    fn next_number(&mut self) -> u64 {
        self.last_handle = self.last_handle.saturating_add(1);
        self.last_handle
    }

    /// A tag of 64 random bits (RFC 3261 §19.3 asks for 32).
    fn tag(&mut self) -> String {
        self.word(16)
    }

    /// A tag that is the same whenever it is asked for, for answers of which nothing is kept (RFC 3261 §8.2.7).
    fn tag_for(&self, request: &HeardKey) -> String {
        let mut hasher = DefaultHasher::new();
        (self.options.seed, request).hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }

    /// `digits` random hexadecimal digits.
    fn word(&mut self, digits: usize) -> String {
        let digit = |_| char::from_digit(self.random.random_range(0..16), 16).unwrap_or('0');
        (0..digits).map(digit).collect()
    }
}

fn abilities(options: &AgentOptions) -> Abilities {
    let mut methods = vec![
        Method::Invite,
        Method::Ack,
        Method::Cancel,
        Method::Bye,
        Method::Options,
        Method::Update,
        Method::Info,
    ];
    if options.reliable != Reliable::Off {
        methods.push(Method::Prack);
    }
    Abilities {
        methods,
        extensions: options.extensions(),
        body_types: vec![
            "application/sdp",
            "multipart/mixed",
            "multipart/alternative",
        ],
    }
}
