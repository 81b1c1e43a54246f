use std::sync::Arc;
use std::time::Duration;

use housecall_media::sdp::Codec;
use housecall_sip::Peer;
use housecall_sip::digest::Credentials;
use housecall_sip::user_agent::{Reliable, SessionTimer};

use crate::{BadTrunk, Country, Identity, LargeRequests, Overrides, headers};

/// A provider that carries our calls to the telephone network, and how it wants to be spoken to.
///
/// Where it is reached is no part of it: one trunk may have several [`Route`]s.
#[derive(Clone, Debug)]
pub struct Trunk {
    /// What the practice calls it.
    pub name: String,
    /// The host part of the request URI and To, and of From unless [`Identity::from_host`] says otherwise.
    pub domain: String,
    /// What its challenges are answered with; none where it knows us by our address.
    pub credentials: Option<Credentials>,
    /// How it wants to be told who calls.
    pub identity: Identity,
    /// The voices it is offered, best first; at least one. Keys as named events are offered beside them, whatever stands here.
    pub codecs: Vec<Codec>,
    /// Whether the sound is encrypted on the way to it.
    pub srtp: SrtpPolicy,
    /// Further headers of every INVITE, by name and value, such as `X-Telnyx-Token`.
    pub headers: Vec<(String, String)>,
    /// The session timer we ask it for (RFC 4028); none where it cannot bear one.
    pub session_timer: Option<SessionTimer>,
    /// Whether provisional responses are acknowledged (RFC 3262).
    pub reliable: Reliable,
    /// Whether it may lead us to another number.
    pub redirects: Redirects,
    /// How keys are pressed.
    pub dtmf: DtmfMode,
    /// What it means by causes that mean something else elsewhere.
    pub outcomes: Overrides,
    /// How long it may leave an INVITE without any response before the next route is tried; less where several routes share the 5 s
    /// within which the last of them is to be tried.
    pub answer_within: Duration,
    /// How long it may leave an INVITE without any response where there is no next route; then the call is given up, with words. No
    /// longer than 64*T1 in any case (RFC 3261 §17.1.1.2).
    pub give_up_after: Duration,
    /// Whether 408 and every 5xx before the phone rings make us try the next route, as 503 always does. Off unless the trunk sends them
    /// for faults of its own: they may come from behind it, where another trunk rings the same phone again.
    pub next_on_server_error: bool,
    /// How requests go to it that are too large for a datagram (RFC 3261 §18.1.1).
    pub large: LargeRequests,
}

impl Trunk {
    /// G.711 in both laws: what every trunk speaks.
    pub const CODECS: [Codec; 2] = [Codec::Pcma, Codec::Pcmu];

    /// A trunk that is up sends 100 within 200 ms (RFC 3261 §17.2.1): 4 s are four sendings, and leave a second for the next route.
    pub const ANSWER_WITHIN: Duration = Duration::from_secs(4);

    /// 64*T1 (RFC 3261 §17.1.1.2): seven sendings. Where one message in five is lost each way, fewer than one call in 1,000 finds all
    /// seven lost; the sixth, after 15.5 s, would be the last that an impatient installation waits for, and loses 2 in 1,000.
    pub const GIVE_UP_AFTER: Duration = Duration::from_secs(32);

    /// A trunk without credentials that wants the caller id in From and P-Asserted-Identity, and `user=phone`.
    pub fn new(name: &str, domain: &str) -> Self {
        Self {
            name: name.to_owned(),
            domain: domain.to_owned(),
            credentials: None,
            identity: Identity::default(),
            codecs: Self::CODECS.to_vec(),
            srtp: SrtpPolicy::default(),
            headers: Vec::new(),
            session_timer: Some(SessionTimer::default()),
            reliable: Reliable::default(),
            redirects: Redirects::default(),
            dtmf: DtmfMode::default(),
            outcomes: Overrides::default(),
            answer_within: Self::ANSWER_WITHIN,
            give_up_after: Self::GIVE_UP_AFTER,
            next_on_server_error: false,
            large: LargeRequests::default(),
        }
    }

    /// The same trunk with what its challenges are answered with.
    #[must_use]
    pub fn with_credentials(self, credentials: Credentials) -> Self {
        Self {
            credentials: Some(credentials),
            ..self
        }
    }

    /// The same trunk, told our own name instead of our address and its domain: in From and in Contact.
    #[must_use]
    pub fn seen_as(mut self, name: &str) -> Self {
        self.identity.from_host = Some(name.to_owned());
        self.identity.contact_host = Some(name.to_owned());
        self
    }

    /// Says whether calls can be made with these settings, with the caller's own headers beside the trunk's. Every dial asks; whoever reads
    /// settings may ask earlier.
    ///
    /// # Errors
    /// [`BadTrunk`], for an administrator to mend.
    pub fn check(&self) -> Result<(), BadTrunk> {
        let bad = |error| BadTrunk::Header {
            trunk: self.name.clone(),
            error,
        };
        headers::check(&self.headers).map_err(bad)?;
        if !self.codecs.iter().any(|codec| codec.is_voice()) {
            return Err(BadTrunk::NoVoice {
                trunk: self.name.clone(),
            });
        }
        let prefix = &self.identity.prefix;
        let is_dialled = |letter: char| letter.is_ascii_digit() || matches!(letter, '*' | '#');
        // A trunk that does not know the prefix would dial what it begins with.
        if !prefix.chars().all(is_dialled) || Country::is_emergency_anywhere(prefix) {
            return Err(BadTrunk::Prefix {
                trunk: self.name.clone(),
                prefix: prefix.clone(),
            });
        }
        Ok(())
    }
}

/// Whether sound travels encrypted (RFC 3711), keyed by the session description (RFC 4568). Only with SIP over TLS is that worth
/// something: the keys stand in the INVITE.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum SrtpPolicy {
    /// Plain RTP is offered, and nothing else taken.
    #[default]
    Off,
    /// SRTP is offered. A trunk that refuses it (415, 488, 606, or an answer with port 0 or without keys) is asked once more for plain
    /// RTP, and [`Event::EncryptionRefused`](crate::Event::EncryptionRefused) says so.
    Preferred,
    /// SRTP, or no call.
    Required,
}

/// Whether a trunk may redirect a call (3xx).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Redirects {
    /// It may not: a redirect ends the call. Toll fraud likes redirects.
    #[default]
    Refuse,
    /// To another number, which the same trunk carries and [`Dial::destinations`](crate::Dial::destinations) allows; twice at most.
    SameTrunk,
}

/// How keys are pressed towards a trunk.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum DtmfMode {
    /// As named events (RFC 4733) where the trunk takes them, else by INFO, else as tones in the sound.
    #[default]
    Auto,
    /// As named events, else as tones.
    TelephoneEvent,
    /// By INFO (`application/dtmf-relay`), whatever the trunk says it takes.
    Info,
}

/// One way to the telephone network: a trunk and an address at which it is reached.
#[derive(Clone, Debug)]
pub struct Route {
    /// How to speak to it.
    pub trunk: Arc<Trunk>,
    /// Where INVITEs are sent. The trunk's credentials go to nobody else.
    pub peer: Peer,
}

impl Route {
    /// The way to `trunk` by `peer`.
    pub fn new(trunk: impl Into<Arc<Trunk>>, peer: Peer) -> Self {
        Self {
            trunk: trunk.into(),
            peer,
        }
    }
}
