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
//! | RFC · section | what | test (here) |
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ResponseBuilder;
    use crate::user_agent::{Event, Input, Output, UserAgent};

    const HOUR: Duration = Duration::from_secs(3600);

    fn peer(number: u8) -> Peer {
        Peer::udp(([192, 0, 2, number], 5060).into())
    }

    /// A registration on a user agent of its own, in virtual time, and the registrars it speaks to.
    struct Clinic {
        now: Instant,
        agent: UserAgent,
        registration: Registration,
        sent: Vec<(Peer, Message)>,
    }

    impl Clinic {
        fn with_peers(peers: &[Peer], seed: u64) -> Self {
            let now = Instant::now();
            let local = "[2001:db8::10]:5080".parse().unwrap();
            let agent = AgentOptions {
                contact_user: "clinic".to_owned(),
                ..AgentOptions::new(local, seed)
            };
            let address = Uri::parse("sip:clinic@sip.carrier.test").unwrap();
            let registrar = Uri::parse("sip:sip.carrier.test").unwrap();
            let options = RegistrationOptions::new(address, registrar, agent.clone());
            let mut clinic = Self {
                now,
                agent: UserAgent::new(agent),
                registration: Registration::new(now, options, seed),
                sent: Vec::new(),
            };
            clinic.registration.set_peers(now, peers.to_vec());
            clinic.wake();
            clinic
        }

        fn state(&self) -> RegistrationState {
            self.registration.state(self.now)
        }

        /// Wakes whoever is due.
        fn wake(&mut self) {
            let ask = self.registration.handle_timeout(self.now);
            self.follow(ask);
            self.agent.handle_timeout(self.now);
            self.drain();
        }

        fn follow(&mut self, ask: Option<Ask>) {
            if let Some(ask) = ask {
                self.agent.ask(self.now, ask);
            }
        }

        fn drain(&mut self) {
            while let Some(output) = self.agent.poll_output() {
                let ask = match output {
                    Output::Send { to, bytes } => {
                        self.sent.push((to, Message::parse(bytes).unwrap()));
                        None
                    }
                    Output::Event(Event::Replied { message, .. }) => {
                        self.registration.replied(self.now, &message)
                    }
                    Output::Event(Event::AskFailed { end, .. }) => {
                        self.registration.failed(self.now, end)
                    }
                    Output::Event(other) => panic!("{other:?}"),
                };
                self.follow(ask);
            }
        }

        /// Lets time pass until the next REGISTER that is not a repetition, and says how much of it.
        fn next_register(&mut self) -> Duration {
            let start = self.now;
            let known = self.last().1.cseq().unwrap();
            while self.last().1.cseq().unwrap() == known {
                let next = self.agent.poll_timeout().into_iter();
                self.now = next.chain(self.registration.poll_timeout()).min().unwrap();
                self.wake();
            }
            self.now - start
        }

        fn last(&self) -> &(Peer, Message) {
            self.sent.last().unwrap()
        }

        /// The registrar answers the last REGISTER.
        fn hears(&mut self, status: u16, headers: &[(&str, &str)]) {
            let (from, request) = self.last().clone();
            let mut builder = ResponseBuilder::new(&request, StatusCode::new(status).unwrap());
            for (name, value) in headers {
                builder = builder.header(Name::from_text(name), value);
            }
            let message = builder.to_tag("r").build();
            let input = Input::Received { from, message };
            self.agent.handle_input(self.now, input);
            self.drain();
        }

        fn grant(&mut self, seconds: u32) {
            let contact = self.last().1.header(Name::Contact).unwrap();
            let contact = format!("{contact};expires={seconds}");
            self.hears(200, &[("Contact", &contact)]);
        }
    }

    /// RFC 3261 §10.2: no user in the request URI, To and From alike, the same Call-ID, a CSeq that rises.
    #[test]
    fn every_register_is_of_one_registration() {
        let mut clinic = Clinic::with_peers(&[peer(1)], 1);
        let (to, first) = clinic.last().clone();
        assert_eq!(to, peer(1));
        assert_eq!(first.method(), Some(&Method::Register));
        assert_eq!(first.request_uri(), Some("sip:sip.carrier.test"));
        assert_eq!(first.from().unwrap().uri, first.to().unwrap().uri);
        let contact = first.contact().unwrap().unwrap();
        assert_eq!(contact.uri.as_str(), "sip:clinic@[2001:db8::10]:5080");
        assert_eq!(first.expires().unwrap(), Some(HOUR));
        for _ in 0..5 {
            let before = clinic.last().1.clone();
            clinic.grant(60);
            clinic.next_register();
            let after = &clinic.last().1;
            assert_eq!(after.call_id(), before.call_id());
            assert!(after.cseq().unwrap().number > before.cseq().unwrap().number);
        }
    }

    /// RFC 3261 §10.2.4: the `expires` of our Contact among all of them, else the Expires header, else what we asked for.
    #[test]
    fn what_the_registrar_grants_is_what_counts() {
        let ours = "<sip:clinic@[2001:db8::10]:5080>";
        let theirs = "<sip:clinic@192.0.2.99>;expires=5";
        let both = format!("{theirs}, {ours};expires=120");
        for (headers, granted) in [
            (vec![("Contact", both.as_str())], 120),
            (vec![("Contact", ours), ("Expires", "240")], 240),
            (vec![("Expires", "300")], 300),
            (vec![], 3600),
            // A registrar that sees us behind a translator of addresses.
            (
                vec![("Contact", "<sip:clinic@203.0.113.5:1024>;expires=90")],
                90,
            ),
        ] {
            let mut clinic = Clinic::with_peers(&[peer(1)], 2);
            clinic.hears(200, &headers);
            let until = clinic.now + Duration::from_secs(granted);
            let peer = peer(1);
            assert_eq!(
                clinic.state(),
                RegistrationState::Registered { peer, until }
            );
            let pause = clinic.next_register().as_secs_f64() / granted as f64;
            assert!((0.75..=0.9).contains(&pause), "{headers:?}: after {pause}");
        }
        let mut clinic = Clinic::with_peers(&[peer(1)], 2);
        clinic.hears(200, &[("Contact", &format!("{ours};expires=0"))]);
        assert_eq!(clinic.state(), RegistrationState::Failed(Trouble::NotBound));
    }

    #[test]
    fn refreshes_of_many_do_not_come_in_step() {
        let pause = |seed| {
            let mut clinic = Clinic::with_peers(&[peer(1)], seed);
            clinic.grant(3600);
            clinic.next_register()
        };
        let pauses: std::collections::BTreeSet<_> = (0..20).map(pause).collect();
        assert!(pauses.len() > 15, "{pauses:?}");
    }

    /// RFC 3261 §10.2.8: after a 423 it may be tried again with what Min-Expires names, or more.
    #[test]
    fn a_423_asks_for_longer_once() {
        let mut clinic = Clinic::with_peers(&[peer(1)], 3);
        clinic.hears(423, &[("Min-Expires", "7200")]);
        assert_eq!(clinic.sent.len(), 2);
        assert_eq!(clinic.last().1.expires().unwrap(), Some(2 * HOUR));
        // A registrar that is never content is not asked in a loop.
        clinic.hears(423, &[("Min-Expires", "7300")]);
        assert_eq!(clinic.sent.len(), 2);
        let refused = Trouble::Refused(StatusCode::INTERVAL_TOO_BRIEF);
        assert_eq!(clinic.state(), RegistrationState::Failed(refused));

        let mut clinic = Clinic::with_peers(&[peer(1)], 3);
        clinic.hears(423, &[("Min-Expires", "4294967295")]);
        assert_eq!(clinic.state(), RegistrationState::Failed(refused));
    }

    /// RFC 3263 §4.3: 503, silence and closed ports lead to the next peer; RFC 5626 §4.5 to a pause after the last.
    #[test]
    fn the_next_peer_is_tried_at_once() {
        let mut clinic = Clinic::with_peers(&[peer(1), peer(2), peer(3)], 4);
        clinic.hears(503, &[("Retry-After", "600")]);
        assert_eq!(clinic.last().0, peer(2));
        let peer2 = Input::TransportFailed { peer: peer(2) };
        clinic.agent.handle_input(clinic.now, peer2);
        clinic.drain();
        assert_eq!(clinic.last().0, peer(3));
        let silence = clinic.next_register();
        assert!(silence >= PATIENCE + Duration::from_secs(30), "{silence:?}");
        assert_eq!(clinic.last().0, peer(1));
        clinic.grant(60);
        let registered = matches!(clinic.state(), RegistrationState::Registered { peer, .. } if peer == self::peer(1));
        assert!(registered, "{:?}", clinic.state());
    }

    /// RFC 5626 §4.5: min(max, base * 2^failures), of that between half and all.
    #[test]
    fn pauses_grow_and_differ() {
        for seed in 0..30 {
            let mut clinic = Clinic::with_peers(&[peer(1)], seed);
            for longest in [60.0, 120.0, 240.0, 480.0, 960.0, 1800.0, 1800.0] {
                clinic.hears(500, &[]);
                let pause = clinic.next_register().as_secs_f64();
                assert!(
                    (longest / 2.0..=longest).contains(&pause),
                    "seed {seed}: {pause} of {longest}"
                );
            }
            clinic.grant(3600);
            clinic.next_register();
            clinic.hears(500, &[]);
            let pause = clinic.next_register().as_secs_f64();
            assert!(pause <= 60.0, "seed {seed}: a success forgets the failures");
        }
    }

    /// RFC 3261 §20.33.
    #[test]
    fn a_registrar_that_asks_for_time_gets_it() {
        for (asked, waited) in [("300", 300), ("4294967295", 3600)] {
            let mut clinic = Clinic::with_peers(&[peer(1)], 5);
            clinic.hears(503, &[("Retry-After", asked)]);
            assert_eq!(clinic.next_register().as_secs(), waited);
        }
    }

    /// A wrong password that is tried every minute locks the account.
    #[test]
    fn a_wrong_password_is_tried_rarely() {
        for status in [401, 403, 407] {
            let mut clinic = Clinic::with_peers(&[peer(1)], 6);
            clinic.hears(status, &[]);
            let trouble = Trouble::NotAccepted(StatusCode::new(status).unwrap());
            assert_eq!(clinic.state(), RegistrationState::Failed(trouble));
            assert!(clinic.next_register() >= Duration::from_secs(900));
        }
    }

    /// A binding holds until it runs out, even if its refresh finds nobody.
    #[test]
    fn a_binding_holds_until_it_runs_out() {
        let mut clinic = Clinic::with_peers(&[peer(1)], 7);
        clinic.grant(100);
        let until = clinic.now + Duration::from_secs(100);
        clinic.next_register();
        let registered = RegistrationState::Registered {
            peer: peer(1),
            until,
        };
        clinic.now = until - Duration::from_millis(1);
        clinic.wake();
        assert_eq!(clinic.state(), registered);
        assert!(clinic.registration.poll_timeout() <= Some(until));
        clinic.now = until;
        assert_eq!(clinic.state(), RegistrationState::Failed(Trouble::Silence));
    }

    /// RFC 3261 §10.2.2: an Expires of 0 removes; nothing follows.
    #[test]
    fn a_stop_removes_the_binding() {
        let mut clinic = Clinic::with_peers(&[peer(1)], 8);
        clinic.grant(3600);
        let ask = clinic.registration.stop(clinic.now);
        clinic.follow(ask);
        clinic.drain();
        assert_eq!(clinic.last().1.expires().unwrap(), Some(Duration::ZERO));
        clinic.hears(200, &[]);
        assert_eq!(clinic.state(), RegistrationState::Stopped);
        assert_eq!(clinic.registration.poll_timeout(), None);
        // What was never registered has nothing to remove.
        let mut clinic = Clinic::with_peers(&[peer(1)], 8);
        assert!(clinic.registration.stop(clinic.now).is_none());
    }

    #[test]
    fn a_registrar_that_moves_is_followed() {
        let mut clinic = Clinic::with_peers(&[peer(1), peer(2)], 9);
        clinic.grant(3600);
        // The order changes with every lookup; the binding stays where it is.
        clinic
            .registration
            .set_peers(clinic.now, vec![peer(2), peer(1)]);
        clinic.wake();
        assert_eq!(clinic.sent.len(), 1);
        clinic.registration.set_peers(clinic.now, vec![peer(3)]);
        clinic.wake();
        assert_eq!((clinic.sent.len(), clinic.last().0), (2, peer(3)));
    }

    #[test]
    fn nothing_is_asked_while_no_peer_is_known() {
        let mut clinic = Clinic::with_peers(&[], 10);
        assert!(clinic.sent.is_empty());
        assert_eq!(clinic.registration.poll_timeout(), None);
        clinic.registration.set_peers(clinic.now, vec![peer(1)]);
        clinic.wake();
        assert_eq!(clinic.sent.len(), 1);
    }
}
