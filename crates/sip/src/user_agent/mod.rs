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
//! | RFC · section | what | file | test |
//! |---|---|---|---|
//! | 3261 §8.1, §13.2 | what responses mean to the caller | `responses.rs` | `tests/conversations.rs`: rings_is_answered_and_hung_up, busy, nobody_there |
//! | 3261 §8.1.1, §12.2.1.1 | our requests | `sending.rs` | `tests/dialogs.rs`: requests_follow_the_recorded_route_with_all_its_parameters |
//! | 3261 §8.1.3.1 | what cannot be sent | `responses.rs` | `tests/scripted.rs`: a_closed_port_ends_the_call_at_once; `tests/session.rs`: a_refresh_that_cannot_be_sent_is_tried_again |
//! | 3261 §8.1.3.5, §21.4.15, §21.4.16 | again after 420, 421 | `reliable.rs` | `tests/reliable.rs`: after_420_the_call_is_made_without_100rel, after_421_the_call_is_made_with_100rel_demanded |
//! | 3261 §8.2, §8.2.7 | requests of strangers, answered without state | `requests.rs` | `tests/dialogs.rs`: row_9_and_10_a_flood_of_strangers_leaves_nothing_behind; `tests/scripted.rs`: the_agent_that_only_dials_cannot_be_called |
//! | 3261 §8.2.2.2 | an INVITE by two ways: 482 | `requests.rs` | `tests/cancels.rs`: a_merged_invite_gets_482 |
//! | 3261 §9.1 | our CANCEL: not before a provisional response, nor after a final one | `mod.rs`, `responses.rs` | `tests/cancels.rs`: the_cancel_names_its_invite, there_is_no_cancel_before_a_provisional_response_or_after_a_final_one |
//! | 3261 §9.1 | 487, no final response, a lost connection | `mod.rs`, `responses.rs` | `tests/cancels.rs`: a_cancelled_invite_ends_with_487_and_its_ack, a_cancel_answered_without_a_final_response_is_forgotten_after_64_t1, a_connection_lost_while_it_rings_brings_a_cancel |
//! | 3261 §9.1, §15 | 200 across the CANCEL: ACK and BYE | `responses.rs` | `tests/cancels.rs`: an_answer_across_the_cancel_gets_ack_and_bye; `tests/conversations.rs`: an_answer_that_crosses_the_cancel_is_hung_up |
//! | 3261 §9.2 | their CANCEL | `requests.rs` | `tests/dialogs.rs`: a_reinvite_that_is_cancelled_leaves_the_call_as_it_was; `tests/conversations.rs`: hanging_up_while_it_rings_reaches_the_other_side |
//! | 3261 §10.2, §11.1, §22 | what is asked outside any call | `ask.rs` | `tests/asks.rs`: a_register_carries_what_its_caller_says, silence_fails_after_64_t1 |
//! | 3261 §11.2 | OPTIONS of theirs: Allow, Accept, Supported | `requests.rs` | `tests/scripted.rs`: whoever_asks_what_we_can_do_is_told |
//! | 3261 §12.1 | one early dialog for each To-tag | `early.rs` | `tests/scripted.rs`: a_second_fork_that_answers_is_acknowledged_and_hung_up; `tests/cancels.rs`: endless_forks_fill_no_memory |
//! | 3261 §12.1.1 | the route as it came, on the called side | `../dialog.rs` | `tests/dialogs.rs`: the_called_side_keeps_the_route_as_it_came |
//! | 3261 §12.1.2, §12.2.1.1 | Record-Route reversed, loose and strict routers | `../dialog.rs` | `tests/dialogs.rs`: requests_follow_the_recorded_route_with_all_its_parameters, a_strict_router_sees_itself_in_the_request_uri |
//! | 3261 §12.2, §12.2.1.2 | both tags; targets that move; peers without tags | `requests.rs`, `../dialog.rs` | `tests/dialogs.rs`: a_dialog_is_known_by_its_call_id_and_both_tags, the_target_moves_with_requests_and_with_answers, a_peer_without_tags_is_a_peer_all_the_same |
//! | 3261 §12.2.2 | requests out of order | `requests.rs` | `tests/dialogs.rs`: requests_out_of_order_get_500 |
//! | 3261 §13.2.2.4 | the ACK of a 2xx, of each repetition too | `responses.rs` | `tests/dialogs.rs`: the_ack_of_a_2xx_goes_by_the_route_to_the_contact, a_2xx_that_comes_again_after_the_bye_gets_its_ack_again |
//! | 3261 §13.2.2.4; 6026 §7.2 | forks and late answers | `responses.rs` | `tests/scripted.rs`: a_second_fork_that_answers_is_acknowledged_and_hung_up; `tests/cancels.rs`: a_fork_that_answers_after_the_call_is_over_is_hung_up, a_tag_that_changes_with_the_answer_makes_the_call |
//! | 3261 §13.3, §13.3.1.4 | our answers; a 2xx until its ACK | `answers.rs`, `timeouts.rs` | `tests/conversations.rs`: the_called_side_hangs_up; `tests/storm.rs` |
//! | 3261 §14.1 | glare: 491, and who waits how long | `offers.rs` | `tests/conversations.rs`: two_offers_that_meet_are_both_made_again; `tests/session.rs`: who_owns_the_call_id_waits_longer_after_a_glare |
//! | 3261 §14.1, §12.2.1.2 | a re-INVITE that is answered as unknown, or not at all | `offers.rs` | `tests/dialogs.rs`: a_reinvite_answered_as_unknown_ends_the_call; `tests/scripted.rs`: a_reinvite_that_gets_only_a_provisional_response_ends_the_call |
//! | 3261 §14.2 | overlap: 500 with Retry-After, both ways | `offered.rs`, `offers.rs` | `tests/session.rs`: an_overlapping_update_is_told_to_wait, told_to_wait_we_offer_again_afterwards |
//! | 3261 §14.2 | a re-INVITE without an offer | `offered.rs` | `tests/dialogs.rs`: a_reinvite_without_an_offer_is_asked_of_the_user |
//! | 3261 §15.1.2; 5407 §3.2 | messages that cross a BYE | `requests.rs`, `offers.rs` | `tests/dialogs.rs`: byes_that_cross_are_both_granted, a_reinvite_that_crosses_our_bye_finds_no_call, a_bye_that_crosses_our_reinvite_ends_the_call_and_its_answer_is_acknowledged |
//! | 3261 §17.1.1.3 | the ACK of a refusal: branch, target, route | `request.rs`, `sending.rs` | `tests/dialogs.rs`: the_ack_of_a_refusal_keeps_the_branch_the_target_and_the_route |
//! | 3261 §18.1.1 | requests too large for a datagram | `large.rs` | `tests/large.rs`: a_request_over_1300_bytes_goes_by_tcp_and_says_so, a_large_request_that_udp_loses_goes_by_tcp_too, the_call_goes_on_over_what_was_heard |
//! | 3261 §19.1.1, §12.2.1.1 | a hop that names its transport | `../dialog.rs` | a_hop_names_its_transport |
//! | 3261 §12.1.2, §26.3.2.1 | TLS: the Contact says so, one connection for the dialog | `options.rs`, `../dialog.rs` | `tests/dialogs.rs`: over_tls_the_contact_says_so_and_the_dialog_keeps_the_connection |
//! | 3261 §20.33, §21.3 | Retry-After and Contacts of a refusal | `event.rs` | `tests/cancels.rs`: a_redirection_and_a_pause_can_be_read |
//! | 3261 §22.1 | who gets an answer to a challenge | `sending.rs`, `nonces.rs` | `tests/challenges.rs`: row_6_a_foreign_realm_gets_no_authorization, row_6_a_foreign_peer_gets_no_authorization |
//! | 3261 §22.2, §8.1.3.5 | again with credentials: the same Call-ID, the next CSeq, a new branch; twice at most | `sending.rs` | `tests/scripted.rs`: a_challenge_is_answered_with_the_next_cseq_and_a_new_branch; `tests/challenges.rs`: an_invite_sent_again_keeps_what_it_said, row_7_a_request_is_tried_twice_however_many_nonces_there_are |
//! | 3261 §22.3; 7616 §3.3 | nonces used again, stale or changed | `nonces.rs` | `tests/challenges.rs`: later_requests_of_the_call_carry_their_answer_at_once, a_stale_nonce_is_replaced_without_a_word, proxy_and_server_both_get_their_answer |
//! | 3262 §3 | our reliable responses | `confirming.rs` | `tests/reliable.rs`: our_response_is_repeated_until_its_prack, the_second_response_waits_for_the_first, a_prack_of_something_else_is_refused |
//! | 3262 §4 | PRACK, for each fork, of each response once | `reliable.rs` | `tests/reliable.rs`: a_reliable_response_is_confirmed_in_its_early_dialog, a_repetition_is_neither_confirmed_nor_told_again, a_gap_waits_for_what_is_missing |
//! | 3262 §5 | offers and answers in them | `confirming.rs`, `reliable.rs` | `tests/reliable.rs`: a_2xx_waits_for_the_prack_of_the_answer, a_new_offer_in_the_prack_is_refused_and_the_response_confirmed, an_invite_without_offer_does_not_offer_100rel |
//! | 3311 §5.1, §5.2 | UPDATE inside the call | `offers.rs`, `offered.rs` | `tests/session.rs`: update_makes_an_offer_and_moves_the_target, an_update_meets_theirs |
//! | 3311 §5.1, §5.2 | UPDATE before the answer, taken where it may be | `offered.rs`, `early.rs` | `tests/early.rs`: an_early_update_with_an_offer_is_taken_once_ours_is_answered, an_early_update_meets_our_offer, early_offers_that_overlap_are_told_to_wait, an_answerer_takes_an_early_update_once_the_first_offer_is_agreed |
//! | 3515 §2.4.2, 6665 §4.2.1.1 | REFER and events, refused | `requests.rs` | `tests/scripted.rs`: requests_inside_a_call_get_what_they_are_owed; `tests/infos.rs`: nobody_has_us_do_anything_outside_a_call |
//! | 4028 §5, §7.1 | a timer is asked for, 90 s at least | `session_timer.rs` | `tests/session.rs`: the_invite_asks_for_a_timer_and_leaves_the_roles_open, an_interval_below_ninety_seconds_makes_no_storm |
//! | 4028 §7.2 | the 2xx has the last word | `session_timer.rs` | `tests/session.rs`: a_timer_we_did_not_ask_for_is_kept_all_the_same, an_answer_without_the_header_stops_the_timer |
//! | 4028 §7.3 | 422 | `session_timer.rs`, `offers.rs` | `tests/session.rs`: a_refusal_as_too_small_is_answered_with_the_interval_it_names, refusals_as_too_small_have_an_end |
//! | 4028 §7.4 | refreshes by UPDATE or re-INVITE; roles that flip | `offers.rs`, `session_timer.rs` | `tests/session.rs`: we_refresh_at_half_the_interval_by_update, without_update_the_user_refreshes_by_reinvite, the_roles_flip_when_the_other_side_says_so |
//! | 4028 §9 | as the answerer: who refreshes, 422 | `session_timer.rs` | `tests/session.rs`: who_refreshes_as_the_answerer_settles_it, an_interval_too_short_for_us_is_refused |
//! | 4028 §10 | BYE min(32 s, interval / 3) before the end | `session_timer.rs` | `tests/session.rs`: a_session_that_nobody_refreshes_ends_with_a_reason, an_answerer_whose_caller_vanishes_hangs_up |
//! | 6086 §4.1, §4.2 | INFO | `info.rs` | `tests/infos.rs`: keys_are_sent_one_after_the_other, a_key_of_the_other_side_is_told_and_what_nobody_reads_is_refused |
//! | 6228 §4 | 199 ends its early dialog | `early.rs` | `tests/early.rs`: a_199_ends_its_early_dialog_alone, a_fork_that_answers_after_its_199_is_answered |
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
