//! One `[[trunks]]` of the configuration: a provider that carries calls to the telephone network.
//!
//! A preset says how a well-known provider wants to be spoken to; whatever is written beside it goes before the preset.

use std::collections::BTreeMap;
use std::path::PathBuf;

use housecall::{Outcome, sip, trunk};
use serde::Deserialize;

use super::words::{HeaderName, HostName, Line, Status};

/// A telephone provider. Calls are offered to the first that is up, in the order of the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trunk {
    /// What to call it in the log and in `housecall trunk check`. Each trunk has a name of its own.
    pub name: Line,
    /// Whose habits it has: `twilio`, `telnyx`, `vonage`, `teams` or `registrar`. Default: none.
    pub preset: Option<Preset>,
    /// The domain of its addresses, such as `sip.carrier.example`: the host of request URI, To and From. Default: `host`.
    pub domain: Option<HostName>,
    /// Where to send SIP: a name or an address. Default: `domain`.
    pub host: Option<HostName>,
    /// The port. Default: what DNS says (RFC 3263), else 5060, over TLS 5061.
    pub port: Option<u16>,
    /// `udp`, `tcp` or `tls`. Default: what DNS says, else UDP.
    pub transport: Option<TrunkTransport>,
    /// The name that its certificate must have, over TLS. Default: `host` (RFC 5922 §7.1).
    pub tls_name: Option<HostName>,
    /// The user name for digest authentication. Default: none; the trunk knows us by our address.
    pub username: Option<Line>,
    /// The file that holds the password, and nothing else.
    pub password_file: Option<PathBuf>,
    /// The realm that user name and password are for (RFC 3261 §22.1). Default: whatever realm the trunk asks for.
    pub realm: Option<Line>,
    /// True: register (RFC 3261 §10), so that the trunk knows where we are. Default false, with the preset `registrar` true.
    pub registration: Option<bool>,
    /// How often to ask by OPTIONS whether it is up, in seconds; 0 never. Default 30.
    pub ping_seconds: Option<u32>,
    /// The user of From, where the trunk wants its account there. Default: the caller's number.
    pub from_user: Option<Line>,
    /// The host of From. Default: `domain`.
    pub from_host: Option<HostName>,
    /// The host of Contact, where the trunk wants our name rather than our address, as Teams does. Default: our address.
    pub contact_host: Option<HostName>,
    /// The header that carries the caller's number beside From: `none`, `p_asserted` (default) or `p_preferred` (RFC 3325).
    pub asserts: Option<Asserts>,
    /// True (default): addresses of phones carry `user=phone` (RFC 3261 §19.1.1).
    pub user_is_phone: Option<bool>,
    /// How numbers are written: `e164_plus` (+61…, default), `e164` (61…) or `national` (04…).
    pub number_format: Option<NumberFormat>,
    /// Digits before each number that is called, as some trunks tell customers apart by. Default: none.
    pub prefix: Option<Digits>,
    /// True: ask the network to hide the caller's number (RFC 3323, `Privacy: id`). Default false.
    pub privacy: Option<bool>,
    /// The voices it is offered, best first: `opus`, `g722`, `pcma` and `pcmu`. Default: `pcma` and `pcmu`, which every trunk speaks. Opus goes
    /// from browser to trunk and back as it is, whole and at no cost.
    pub codecs: Option<Vec<TrunkCodec>>,
    /// Whether sound is encrypted: `off` (default), `preferred` or `required` (RFC 4568).
    pub srtp: Option<SrtpWish>,
    /// Whether provisional responses are acknowledged: `off`, `supported` (default) or `required` (RFC 3262).
    pub reliable: Option<ReliableWish>,
    /// After how long without a refresh a call counts as lost, in seconds, from 90; 0 never (RFC 4028). Default 1800.
    pub session_expires: Option<u32>,
    /// What a 3xx does: `refuse` (default) or `same_trunk`, which follows it only to this trunk.
    pub redirects: Option<RedirectPolicy>,
    /// How keys travel: `auto` (default: what the trunk takes), `telephone_event` (RFC 4733) or `info`.
    pub dtmf: Option<DtmfWish>,
    /// How long an INVITE may stay without any response before the next trunk is tried, in milliseconds. Default 4000; less where several
    /// trunks share the 5 s within which the last is tried.
    pub answer_within_ms: Option<u32>,
    /// How long an INVITE may stay without any response where there is no next trunk, in milliseconds. Default 32000.
    pub give_up_after_ms: Option<u32>,
    /// What becomes of what does not fit into a datagram of 1300 bytes (RFC 3261 §18.1.1). True: it goes over TCP. False: over UDP alone.
    /// Default: over UDP, and where nothing comes back for 1.5 s over TCP too.
    pub tcp_for_large: Option<bool>,
    /// Further headers of each INVITE, such as the token of an account.
    #[serde(default)]
    pub headers: BTreeMap<HeaderName, Line>,
    /// What a status of this trunk means, where it uses one in a way of its own: `402 = "not_permitted"`.
    #[serde(default)]
    pub outcomes: BTreeMap<Status, OutcomeName>,
}

/// Words of the configuration; `means` names the type of the engine that has the same ones.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident means $meaning:path { $($(#[$variant_doc:meta])* $variant:ident),+ $(,)? }) => {
        choice! { $(#[$doc])* $name { $($(#[$variant_doc])* $variant),+ } }

        impl From<$name> for $meaning {
            fn from(word: $name) -> Self {
                match word {
                    $($name::$variant => Self::$variant),+
                }
            }
        }
    };
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$variant_doc])* $variant),+
        }
    };
}

choice! {
    /// Providers whose habits are known.
    Preset means trunk::Preset {
        /// Twilio Elastic SIP Trunking.
        Twilio,
        /// Telnyx.
        Telnyx,
        /// Vonage.
        Vonage,
        /// Microsoft Teams Direct Routing.
        Teams,
        /// A telephone system or provider that wants a registration.
        Registrar,
    }
}

choice! {
    /// How SIP travels to a trunk.
    TrunkTransport means sip::Transport {
        /// Datagrams.
        Udp,
        /// A connection.
        Tcp,
        /// An encrypted connection.
        Tls,
    }
}

choice! {
    /// The header that carries the caller's number beside From.
    Asserts means trunk::Asserted {
        /// None.
        None,
        /// P-Asserted-Identity.
        PAsserted,
        /// P-Preferred-Identity.
        PPreferred,
    }
}

choice! {
    /// How numbers are written.
    NumberFormat {
        /// `+61491570006`
        E164Plus,
        /// `61491570006`
        E164,
        /// `0491570006`
        National,
    }
}

choice! {
    /// What a voice is coded in.
    TrunkCodec means trunk::Codec {
        /// Opus (RFC 7587).
        Opus,
        /// G.722: twice the bandwidth of a telephone.
        G722,
        /// G.711, A-law: outside North America and Japan.
        Pcma,
        /// G.711, µ-law: North America and Japan.
        Pcmu,
    }
}

choice! {
    /// Whether sound is encrypted.
    SrtpWish means trunk::SrtpPolicy {
        /// It is not.
        Off,
        /// Where the trunk agrees.
        Preferred,
        /// Always: without it there is no call.
        Required,
    }
}

choice! {
    /// Whether provisional responses are acknowledged.
    ReliableWish means sip::Reliable {
        /// They are not.
        Off,
        /// Where the trunk wants it.
        Supported,
        /// Always.
        Required,
    }
}

choice! {
    /// What a 3xx does.
    RedirectPolicy means trunk::Redirects {
        /// It ends the call.
        Refuse,
        /// It is followed, to this trunk only.
        SameTrunk,
    }
}

choice! {
    /// How keys travel.
    DtmfWish means trunk::DtmfMode {
        /// As the trunk takes them.
        Auto,
        /// As named events in RTP.
        TelephoneEvent,
        /// As INFO.
        Info,
    }
}

choice! {
    /// What a refusal can mean.
    OutcomeName means Outcome {
        /// The line was engaged.
        Busy,
        /// Nobody answered in time.
        NoAnswer,
        /// The called person refused.
        Declined,
        /// There is no such number.
        WrongNumber,
        /// The trunk does not let us call this number, or at all.
        NotPermitted,
        /// Our account with the trunk is empty.
        NoCredit,
        /// The network has no room.
        Congested,
        /// Anything else.
        Failed,
    }
}

/// The longest session that may be asked for: a day.
const SESSION_SECONDS_MAX: u32 = 86_400;
/// RFC 4028 §5.
const SESSION_SECONDS_MIN: u32 = 90;

impl Trunk {
    /// Where SIP is sent.
    pub fn host(&self) -> Option<&str> {
        let host = self.host.as_ref().or(self.domain.as_ref());
        host.map(HostName::as_str)
    }

    /// The host of its addresses.
    pub fn domain(&self) -> Option<&str> {
        let domain = self.domain.as_ref().or(self.host.as_ref());
        domain.map(HostName::as_str)
    }

    /// Whether it wants a registration.
    pub fn registers(&self) -> bool {
        let usual = self.preset == Some(Preset::Registrar);
        self.registration.unwrap_or(usual)
    }

    /// What of this trunk contradicts itself, if anything does.
    pub(super) fn contradiction(&self) -> Option<String> {
        let name = self.name.as_str();
        let wrong = self.wrong_alone()?;
        Some(format!("trunk {name:?}: {wrong}"))
    }

    fn wrong_alone(&self) -> Option<&'static str> {
        let is_tls = self.transport == Some(TrunkTransport::Tls) || self.transport.is_none();
        let session = self.session_expires.unwrap_or(0);
        [
            (
                self.host().is_none(),
                "say `host` or `domain`: there is nowhere to send calls",
            ),
            (self.port == Some(0), "port 0 is none"),
            (
                self.codecs.as_ref().is_some_and(Vec::is_empty),
                "`codecs` names at least one of opus, g722, pcma and pcmu, or is left out",
            ),
            (
                self.username.is_some() != self.password_file.is_some(),
                "`username` and `password_file` go together",
            ),
            (
                self.realm.is_some() && self.username.is_none(),
                "`realm` says what `username` and `password_file` are for: write both, or leave it out",
            ),
            (
                self.registers() && self.username.is_none(),
                "`registration` needs a `username`",
            ),
            (
                self.tls_name.is_some() && !is_tls,
                "`tls_name` needs `transport = \"tls\"`",
            ),
            (
                session != 0 && session < SESSION_SECONDS_MIN,
                "`session_expires` is at least 90 (RFC 4028 §5), or 0 for none",
            ),
            (
                session > SESSION_SECONDS_MAX,
                "`session_expires` is a day at most",
            ),
        ]
        .into_iter()
        .find_map(|(is_wrong, why)| is_wrong.then_some(why))
    }
}

/// Up to twelve digits, and `#` and `*`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "String")]
pub struct Digits(String);

impl Digits {
    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Digits {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let plain = text
            .bytes()
            .all(|b| b.is_ascii_digit() || b == b'#' || b == b'*');
        if plain && (1..=12).contains(&text.len()) {
            Ok(Self(text))
        } else {
            Err(format!("`{text}` is no prefix: 1 to 12 of 0-9, # and *"))
        }
    }
}
