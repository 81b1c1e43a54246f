use housecall_sip::user_agent::SessionTimer;

/// What one network does and another does not: by default nothing that any caller would stumble over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Habits {
    /// With what it asks who is calling.
    pub challenge: Challenge,
    /// Whether it offers only MD5, as old networks do, instead of SHA-256 and then MD5.
    pub md5_only: bool,
    /// Whether it secures sound.
    pub security: Security,
    /// Whether its provisional responses are repeated until the caller confirms them, if the caller can (RFC 3262).
    pub reliable: bool,
    /// How it refreshes its sessions (RFC 4028); none does not.
    pub session_timer: Option<SessionTimer>,
}

/// The status of a challenge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Challenge {
    /// 407, as a proxy (RFC 3261 §22.3).
    #[default]
    Proxy,
    /// 401, as who answers himself (RFC 3261 §22.2).
    Server,
}

/// Whether sound is secured by SRTP, keyed by the descriptions (RFC 4568).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Security {
    /// If the caller offers it.
    #[default]
    AsOffered,
    /// Never: an offer of nothing else is refused with 488.
    Never,
    /// Always: an offer of plain RTP is refused with 488.
    Always,
}

impl Default for Habits {
    fn default() -> Habits {
        Habits {
            challenge: Challenge::Proxy,
            md5_only: false,
            security: Security::AsOffered,
            reliable: false,
            session_timer: Some(SessionTimer::default()),
        }
    }
}
