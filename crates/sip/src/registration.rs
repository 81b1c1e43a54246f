//! Keeps us registered with a registrar (RFC 3261 §10), so that the trunk knows where we are and lets us call.
//!
//! ```text
//!   due ──REGISTER──► asked ──2xx──► due at 75 to 90 % of what was granted
//!    ▲                  ├──423──► due now, for longer
//!    │                  ├──silence, 408, 503──► due now, at the next peer
//!    └──── pause ◄──────┴──anything else, or no peer left
//!   stop() ──REGISTER, Expires: 0──► stopped
//! ```
//!
//! A binding that is granted holds until it runs out, whatever happens to its refresh.
//!
//! | RFC · section | what | test (`registration/tests.rs`) |
//! |---|---|---|
//! | 3261 §10.2 | request URI, To, From; one Call-ID and a CSeq that rises | every_register_is_of_one_registration |
//! | 3261 §10.2.1.1, §10.2.4 | how long the binding holds | what_the_registrar_grants_is_what_counts |
//! | 3261 §10.2.2 | removal with `Expires: 0` | a_stop_removes_the_binding |
//! | 3261 §10.2.8 | 423 and Min-Expires | a_423_asks_for_longer_once |
//! | 3261 §20.33, §21.5.4 | Retry-After | a_registrar_that_asks_for_time_gets_it |
//! | 3263 §4.3 | the next peer after silence or 503 | the_next_peer_is_tried_at_once |
//! | 3261 §22.1 | a wrong password is not tried all the time | a_wrong_password_is_tried_rarely |
//! | 3261 §10.2.4 | refreshes before the end, not all at once | a_binding_holds_until_it_runs_out, refreshes_of_many_do_not_come_in_step |
//! | 5626 §4.5 | pauses after failures | pauses_grow_and_differ |

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::digest::Credentials;
use crate::header::Contacts;
use crate::user_agent::{Ask, AskEnd};
use crate::{
    AgentOptions, Message, Method, Name, NameAddr, NameAddrRef, Peer, StatusCode, Uri, text,
};

/// The longest pause that a Retry-After gets, and the longest binding that is believed.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);
const EXPIRES_MAX: Duration = Duration::from_secs(7 * 24 * 3600);
/// A binding is not refreshed more often than this, whatever a registrar grants.
const REFRESH_MIN: Duration = Duration::from_secs(10);
/// How long a REGISTER may go unanswered before the next peer is tried.
const PATIENCE: Duration = Duration::from_secs(8);

/// One registration. It sends nothing itself: [`handle_timeout`](Registration::handle_timeout) gives the REGISTER that is due, for
/// [`UserAgent::ask`](crate::UserAgent::ask), and what comes of it is said with [`replied`](Registration::replied) or
/// [`failed`](Registration::failed).
#[derive(Debug)]
pub struct Registration {
    options: RegistrationOptions,
    random: StdRng,
    call_id: String,
    next_cseq: u32,
    /// What we ask for: longer than at first where a registrar wanted so.
    expires: Duration,
    peers: Vec<Peer>,
    /// Which peer is asked next.
    at: usize,
    /// Peers found wanting since the last pause.
    tried: usize,
    /// Rounds without success, in a row.
    failures: u32,
    bound: Option<Bound>,
    trouble: Option<Trouble>,
    step: Step,
}

/// What is registered, and with whom.
#[derive(Clone, Debug)]
pub struct RegistrationOptions {
    /// Our address of record, such as `sip:clinic@sip.carrier.test`.
    pub address: Uri,
    /// The registrar's domain, such as `sip:sip.carrier.test`: no user part (RFC 3261 §10.2).
    pub registrar: Uri,
    /// What challenges are answered with.
    pub credentials: Option<Credentials>,
    /// The agent whose contact is registered.
    pub agent: AgentOptions,
    /// How long a binding shall hold.
    pub expires: Duration,
    /// The pause after the first failed round, doubled with each (RFC 5626 §4.5: 30 s where nobody can be reached).
    pub pause_base: Duration,
    /// The longest pause (RFC 5626 §4.5: 1800 s).
    pub pause_max: Duration,
}

impl RegistrationOptions {
    /// A registration for an hour, with the pauses of RFC 5626 §4.5.
    pub fn new(address: Uri, registrar: Uri, agent: AgentOptions) -> Self {
        Self {
            address,
            registrar,
            credentials: None,
            agent,
            expires: Duration::from_secs(3600),
            pause_base: Duration::from_secs(30),
            pause_max: Duration::from_secs(1800),
        }
    }
}

/// Whether we are registered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RegistrationState {
    /// Asked for, and nothing has come of it yet.
    Registering,
    /// The registrar knows where we are.
    Registered {
        /// Who granted it.
        peer: Peer,
        /// Until when, unless it is refreshed.
        until: Instant,
    },
    /// We are not; it is tried again.
    Failed(Trouble),
    /// [`Registration::stop`] has been said.
    Stopped,
}

/// Why we are not registered.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Trouble {
    /// No registrar answered.
    #[error("the registrar does not answer")]
    Silence,
    /// No registrar can be reached.
    #[error("the registrar cannot be reached")]
    Unreachable,
    /// User name and password are not accepted: an administrator has to mend them.
    #[error("the registrar does not accept our user name and password ({0})")]
    NotAccepted(StatusCode),
    /// Refused for another reason.
    #[error("the registrar refuses us ({0})")]
    Refused(StatusCode),
    /// Granted without our address in it.
    #[error("the registrar forgot our address at once")]
    NotBound,
}

#[derive(Clone, Copy, Debug)]
struct Bound {
    peer: Peer,
    until: Instant,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// A REGISTER is to be sent at this time.
    Due(Instant),
    Asked {
        peer: Peer,
        cseq: u32,
        until: Instant,
        /// This round has been told that it asked for too little.
        was_brief: bool,
    },
    Stopped,
}

impl Registration {
    /// Wants to register as soon as a peer is known.
    pub fn new(now: Instant, options: RegistrationOptions, seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        Self {
            call_id: format!("{:032x}", random.random::<u128>()),
            next_cseq: 1,
            expires: options.expires,
            peers: Vec::new(),
            at: 0,
            tried: 0,
            failures: 0,
            bound: None,
            trouble: None,
            step: Step::Due(now),
            options,
            random,
        }
    }

    /// The Call-ID of every REGISTER.
    pub fn call_id(&self) -> &str {
        &self.call_id
    }

    /// Whether we are registered now.
    pub fn state(&self, now: Instant) -> RegistrationState {
        let bound = self.bound.filter(|bound| now < bound.until);
        match (self.step, bound, self.trouble) {
            (Step::Stopped, _, _) => RegistrationState::Stopped,
            (_, Some(Bound { peer, until }), _) => RegistrationState::Registered { peer, until },
            (_, None, Some(trouble)) => RegistrationState::Failed(trouble),
            (_, None, None) => RegistrationState::Registering,
        }
    }

    /// Says where the registrar is, best first. A binding at a peer that is gone from the list is made anew elsewhere.
    pub fn set_peers(&mut self, now: Instant, peers: Vec<Peer>) {
        if peers == self.peers {
            return;
        }
        let kept = self.bound.and_then(|bound| {
            let mut peers = peers.iter();
            peers.position(|peer| *peer == bound.peer)
        });
        self.at = kept.unwrap_or(0);
        self.tried = 0;
        self.peers = peers;
        if let (Step::Due(_), None) = (self.step, kept) {
            self.step = Step::Due(now);
        }
    }

    /// When [`handle_timeout`](Registration::handle_timeout) next has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let step = match self.step {
            Step::Due(at) => (!self.peers.is_empty()).then_some(at),
            Step::Asked { until, .. } => Some(until),
            Step::Stopped => return None,
        };
        let runs_out = self.bound.map(|bound| bound.until);
        step.into_iter().chain(runs_out).min()
    }

    /// Counts what nobody answered, and gives the REGISTER that is due.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<Ask> {
        if self.bound.is_some_and(|bound| bound.until <= now) {
            self.bound = None;
        }
        if let Step::Asked { until, .. } = self.step
            && until <= now
        {
            self.next_peer(now, Trouble::Silence, None);
        }
        match self.step {
            Step::Due(at) if at <= now => self.register(now, false),
            _ => None,
        }
    }

    /// Takes the final response to a REGISTER. Gives the one that follows it, if one is due at once.
    #[must_use = "the REGISTER is to be sent"]
    pub fn replied(&mut self, now: Instant, message: &Message) -> Option<Ask> {
        let (status, number) = (message.status()?, message.cseq().ok()?.number);
        self.next_cseq = self.next_cseq.max(number.saturating_add(1));
        let Step::Asked {
            peer,
            cseq,
            was_brief,
            ..
        } = self.step
        else {
            return None;
        };
        // A late answer to an earlier question decides nothing about this one.
        if number < cseq {
            return None;
        }
        match status {
            status if status.is_success() => self.granted(now, peer, message),
            StatusCode::INTERVAL_TOO_BRIEF if !was_brief => {
                if let Some(least) = min_expires(message) {
                    self.expires = least;
                    return self.register(now, true);
                }
                self.pause(now, Trouble::Refused(status), None);
            }
            status => self.refused(now, status, message),
        }
        self.handle_timeout(now)
    }

    /// A REGISTER got no final response. Gives the one that follows it, if one is due at once.
    #[must_use = "the REGISTER is to be sent"]
    pub fn failed(&mut self, now: Instant, end: AskEnd) -> Option<Ask> {
        // The silence of 64*T1 has been counted after our own patience; what fails now is the last question.
        if let (Step::Asked { .. }, AskEnd::Unreachable) = (self.step, end) {
            self.next_peer(now, Trouble::Unreachable, None);
        }
        self.handle_timeout(now)
    }

    /// Ends the registration. Gives the REGISTER that removes the binding, if there is one (RFC 3261 §10.2.2).
    #[must_use = "the REGISTER is to be sent"]
    pub fn stop(&mut self, now: Instant) -> Option<Ask> {
        self.step = Step::Stopped;
        let bound = self.bound.take().filter(|bound| now < bound.until)?;
        self.ask(bound.peer, Duration::ZERO)
    }

    fn register(&mut self, now: Instant, was_brief: bool) -> Option<Ask> {
        let peer = *self.peers.get(self.at)?;
        let cseq = self.next_cseq;
        let ask = self.ask(peer, self.expires)?;
        self.step = Step::Asked {
            peer,
            cseq,
            until: now + PATIENCE,
            was_brief,
        };
        Some(ask)
    }

    /// RFC 3261 §10.2: To and From are the address of record, and every REGISTER has the same Call-ID and a higher CSeq.
    fn ask(&mut self, peer: Peer, expires: Duration) -> Option<Ask> {
        let contact = self.options.agent.contact(peer.transport)?;
        let address = NameAddr::new(self.options.address.clone());
        let header = |name: Name<'_>, value: String| (name.as_str().to_owned(), value);
        let cseq = self.next_cseq;
        self.next_cseq = cseq.saturating_add(Ask::CSEQS_MAX);
        Some(Ask {
            method: Method::Register,
            to_peer: peer,
            uri: self.options.registrar.clone(),
            from: address.clone(),
            to: address,
            headers: vec![
                header(Name::Contact, contact.to_string()),
                header(Name::Expires, expires.as_secs().to_string()),
            ],
            body: None,
            credentials: self.options.credentials.clone(),
            call_id: Some(self.call_id.clone()),
            cseq: Some(cseq),
        })
    }

    fn granted(&mut self, now: Instant, peer: Peer, message: &Message) {
        let granted = self.granted_for(peer, message);
        if granted.is_zero() {
            return self.pause(now, Trouble::NotBound, None);
        }
        let until = now + granted;
        self.bound = Some(Bound { peer, until });
        (self.trouble, self.failures, self.tried) = (None, 0, 0);
        // Early enough for two more tries, and not in step with others that lost the registrar at the same moment.
        let share = self.random.random_range(0.75..0.90);
        self.step = Step::Due(now + granted.mul_f64(share).max(REFRESH_MIN));
    }

    /// How long the binding holds: our Contact's `expires`, else the Expires header, else what we asked for (RFC 3261 §10.2.4).
    fn granted_for(&self, peer: Peer, message: &Message) -> Duration {
        let Ok(Contacts::Addresses(contacts)) = message.contacts() else {
            return self.expires;
        };
        let ours = self.options.agent.contact(peer.transport);
        let is_ours =
            |contact: &&NameAddrRef<'_>| ours.as_ref().is_some_and(|one| same(one, contact));
        // A registrar behind a translator of addresses writes ours as it sees it; the only one is then ours.
        let only = (contacts.len() == 1).then(|| contacts.first()).flatten();
        let Some(contact) = contacts.iter().find(is_ours).or(only) else {
            return match contacts.is_empty() {
                true => message.expires().ok().flatten().unwrap_or(self.expires),
                false => Duration::ZERO,
            };
        };
        let of_contact = contact.params.get("expires").and_then(seconds);
        let of_message = || message.expires().ok().flatten();
        of_contact
            .or_else(of_message)
            .unwrap_or(self.expires)
            .min(EXPIRES_MAX)
    }

    fn refused(&mut self, now: Instant, status: StatusCode, message: &Message) {
        let retry = message.retry_after().ok().flatten();
        let retry = retry.map(|retry| retry.after.min(RETRY_AFTER_MAX));
        match status {
            StatusCode::REQUEST_TIMEOUT => self.next_peer(now, Trouble::Silence, retry),
            StatusCode::SERVICE_UNAVAILABLE => {
                self.next_peer(now, Trouble::Refused(status), retry);
            }
            // Tried again too often, a wrong password locks the account.
            StatusCode::UNAUTHORIZED
            | StatusCode::FORBIDDEN
            | StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                let least = retry.unwrap_or_default().max(self.options.pause_max / 2);
                self.pause(now, Trouble::NotAccepted(status), Some(least));
            }
            status => self.pause(now, Trouble::Refused(status), retry),
        }
    }

    /// RFC 3263 §4.3: after silence, a closed port or 503 the next peer; a pause only after the last one.
    fn next_peer(&mut self, now: Instant, trouble: Trouble, retry: Option<Duration>) {
        self.tried += 1;
        self.at = (self.at + 1) % self.peers.len().max(1);
        if self.tried >= self.peers.len() {
            return self.pause(now, trouble, retry);
        }
        self.trouble = Some(trouble);
        self.step = Step::Due(now);
    }

    /// RFC 5626 §4.5: between half and all of a time that doubles with each failure; never less than `least`.
    fn pause(&mut self, now: Instant, trouble: Trouble, least: Option<Duration>) {
        (self.trouble, self.tried) = (Some(trouble), 0);
        self.failures = self.failures.saturating_add(1);
        let doublings = 1_u32 << self.failures.min(16);
        let longest = self.options.pause_base.saturating_mul(doublings);
        let longest = longest.min(self.options.pause_max);
        let pause = longest.mul_f64(self.random.random_range(0.5..=1.0));
        self.step = Step::Due(now + pause.max(least.unwrap_or_default()));
    }
}

/// Whether two contacts name the same place: user, host and port (the rest is the registrar's to change).
fn same(one: &NameAddr, other: &NameAddrRef<'_>) -> bool {
    let (one, other) = (&one.uri, &other.uri);
    one.user_unescaped() == other.user_unescaped()
        && one.host().eq_ignore_ascii_case(other.host())
        && one.port() == other.port()
}

/// RFC 3261 §10.2.8, §20.23. What is longer than we believe is not asked for.
fn min_expires(message: &Message) -> Option<Duration> {
    let least = seconds(message.header(Name::MinExpires)?)?;
    (least <= EXPIRES_MAX).then_some(least)
}

fn seconds(value: &str) -> Option<Duration> {
    text::decimal::<u32>(text::trim(value)).map(|seconds| Duration::from_secs(u64::from(seconds)))
}
