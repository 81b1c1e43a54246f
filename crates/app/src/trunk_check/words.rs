//! What failures mean, and what to do about them.

use std::net::IpAddr;
use std::time::Duration;

use housecall::TrunkSetup;
use housecall::dns::Unresolved;
use housecall::sip::{Obstacle, Peer, Transport, Unreached};
use housecall::softphone::{NoReply, Traced};

use super::address;
use super::report::shown;
use super::sign_in::{Because, SignIn};
use super::step::Advice;
use super::text::clean;

/// Who is spoken with, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) setup: &'a TrunkSetup,
    pub(super) peer: Peer,
    /// Our own address.
    pub(super) ip: IpAddr,
    /// How long an answer is waited for.
    pub(super) patience: Duration,
}

/// What was said, where there was no answer.
pub(super) fn no_reply(why: &NoReply, place: Place<'_>) -> (String, Advice) {
    let peer = place.peer.addr;
    match why {
        NoReply::Silence => {
            let said = format!("{peer} did not answer within {}", shown(place.patience));
            (said, silence(place.peer))
        }
        NoReply::Unreachable(why) => (clean(&why.words), unreached(why, place)),
        other => (
            other.to_string(),
            Advice::new(
                "With these settings there is nothing to send.",
                "Check `domain`, `username` and `from_user` of the trunk.",
            ),
        ),
    }
}

/// `192.0.2.1:5060 says 200 OK`
pub(super) fn reply(message: &Traced) -> String {
    let status = message.start_line().strip_prefix("SIP/2.0 ");
    let status = clean(status.unwrap_or_default());
    format!("{} says {status}", message.peer.addr)
}

/// The same with what the other side calls itself: `…, it is "Kamailio 5.6"`
pub(super) fn introduction(message: &Traced) -> String {
    let mut names = ["Server", "User-Agent"].into_iter();
    let software = names.find_map(|name| message.header(name));
    let software = software.map(|name| format!(", it is {:?}", clean(name)));
    format!("{}{}", reply(message), software.unwrap_or_default())
}

pub(super) fn unresolved(why: &Unresolved, ip: IpAddr) -> Advice {
    let family = if ip.is_ipv4() { "IPv4" } else { "IPv6" };
    match why {
        Unresolved::NotAHost { host } => Advice::new(
            format!("{host:?} is neither a name of DNS nor an address."),
            "Write the provider's name or address in `host`, and a port in `port`.",
        ),
        Unresolved::NotOffered { host, wanted } => Advice::new(
            format!("DNS says that {host} offers no SIP over {wanted}."),
            "Write the `transport` that the provider's documentation names, or leave it out to take what DNS offers.",
        ),
        Unresolved::NoAddress { host } => Advice::new(
            format!(
                "{host} does not exist, or has no address of {family}, which media.address is."
            ),
            "Check the spelling of `host`; ask the provider for the name of its SIP service.",
        ),
        Unresolved::Away { .. } => Advice::new(
            "No name server answered, so nobody knows where the trunk is.",
            "Check this machine's name servers (/etc/resolv.conf) and that port 53 is open to them. An address in `host` needs no name server.",
        ),
        other => Advice::new(other.to_string(), "Check `host`, `port` and `transport`."),
    }
}

pub(super) fn unreached(why: &Unreached, place: Place<'_>) -> Advice {
    let port = place.peer.addr.port();
    let transport = place.peer.transport;
    match why.obstacle {
        Obstacle::Refused => Advice::new(
            format!("The machine is there, and nobody listens at its port {port} for {transport}."),
            "Check `port` and `transport`: SIP is usually at 5060, and over TLS at 5061.",
        ),
        Obstacle::NoRoute if address::is_stuck(place.ip, place.peer.addr.ip()) => stuck(place.ip),
        Obstacle::NoRoute => Advice::new(
            "This machine knows no way there, or may not use it.",
            "Check this machine's network and routes, and that no firewall of its own keeps SIP in.",
        ),
        Obstacle::Slow => Advice::new(
            "Nothing came back: packets are dropped on the way, or by a provider that does not know our address.",
            format!(
                "Open port {port} for outgoing TCP, and have the provider list the address by which this machine appears outside."
            ),
        ),
        Obstacle::OtherName => Advice::new(
            format!(
                "The certificate is somebody else's: {} is what the configuration wants.",
                place.setup.tls_name
            ),
            "If the name that was presented is the provider's own, write it in `tls_name`. If not, you have reached somebody else: check `host` and `port`.",
        ),
        Obstacle::OutOfDate => Advice::new(
            "By this machine's clock the certificate is not valid now.",
            "Check the clock of this machine. If it is right, the provider has to renew its certificate.",
        ),
        Obstacle::Untrusted => Advice::new(
            "Nobody whom we believe vouches for the certificate.",
            "If the provider has a certificate authority of its own, write the PEM file of its root in [sip] roots_file. If not, somebody may stand between.",
        ),
        Obstacle::BadCertificate => Advice::new(
            "The certificate cannot be used.",
            "The provider has to mend it: send it this line.",
        ),
        Obstacle::NoTls => Advice::new(
            "Whoever listens there broke off the TLS handshake, or speaks no TLS of version 1.2 or 1.3.",
            "Check that `port` is the one for TLS, usually 5061. Some providers break off when they do not know our address.",
        ),
        Obstacle::Closed => Advice::new(
            "There was a connection, and the other side closed it without an answer.",
            "Providers do that to whom they do not know: have the provider list the address by which this machine appears outside.",
        ),
        _ => Advice::new(
            "Nothing can be sent there.",
            "Check `host`, `port`, `transport` and `tls_name`.",
        ),
    }
}

/// Nothing outside this machine can be reached from its loopback address.
pub(super) fn stuck(ip: IpAddr) -> Advice {
    Advice::new(
        format!("media.address is {ip}, from where nothing outside this machine can be reached."),
        "Write the address that this machine has in its network in [media] address.",
    )
}

fn silence(peer: Peer) -> Advice {
    let (port, carrier) = match peer.transport {
        Transport::Udp => (peer.addr.port(), "UDP"),
        Transport::Tcp | Transport::Tls => (peer.addr.port(), "TCP"),
    };
    Advice::new(
        "Packets are dropped on the way, as firewalls do, or by a provider that does not know our address.",
        format!(
            "Have the provider list the address by which this machine appears outside; open port {port} for outgoing {carrier} and what comes back; check `host`, `port` and `transport`."
        ),
    )
}

/// A refusal of whatever was asked.
pub(super) fn refused(status: u16, sign_in: &SignIn) -> Advice {
    match (sign_in, status) {
        (SignIn::Unanswered { because, .. }, _) => unanswered(because),
        (SignIn::Answered { times, .. }, 401 | 407) => password_refused(*times),
        (SignIn::Answered { .. }, 403) => Advice::new(
            "The trunk refuses the password, or does not let this account in.",
            "Check `username`, `password_file` and `realm`; ask the provider whether the account is active and may be used from this address.",
        ),
        (SignIn::NotAsked, 403) => Advice::new(
            "The trunk does not know us by our address, and asks for no password.",
            "Have the provider list the address by which this machine appears outside. If it wants a sign-in instead, ask for user name and password.",
        ),
        (_, 300..=399) => Advice::new(
            "The trunk sends us elsewhere, where the password would be a stranger's.",
            "Write the address that it names in `host`, if it is the provider's.",
        ),
        (_, 404 | 604) => Advice::new(
            "The trunk knows no such account, or no such domain.",
            "Check `username` and `domain`: some providers want a domain that is not the `host`.",
        ),
        (_, 405 | 501) => Advice::new(
            "The trunk does not take such requests.",
            "If it takes no registrations, write `registration = false`.",
        ),
        (_, 408 | 480 | 500..=599) => Advice::new(
            "The trunk is there, and cannot serve just now.",
            "Try again in a few minutes. If it stays so, send the provider this line.",
        ),
        _ => Advice::new(
            "The trunk refuses, for a reason of its own.",
            "Ask the provider, with this line.",
        ),
    }
}

fn password_refused(times: usize) -> Advice {
    let times = match times {
        1 => String::new(),
        2 => " twice".to_owned(),
        times => format!(" {times} times"),
    };
    Advice::new(
        format!("The trunk refused the password{times}."),
        "Check `username`, `password_file` (the password and nothing else in it) and `realm`. Do not try often: providers lock accounts.",
    )
}

fn unanswered(because: &Because) -> Advice {
    match because {
        Because::NoPassword => Advice::new(
            "The trunk wants a user name and a password, and the configuration has none.",
            "Write `username` and `password_file`; or, if the provider should know us by our address, have it list that.",
        ),
        Because::OtherRealm { ours, theirs } => Advice::new(
            format!(
                "The password is for realm {ours:?}, and the trunk asks for realm {theirs:?}, so it was not given."
            ),
            format!(
                "If that realm is the provider's, write `realm = {theirs:?}`, or leave `realm` out."
            ),
        ),
        Because::NotSpoken => Advice::new(
            "The trunk wants a proof that we do not speak: we know digest with MD5, SHA-256 and SHA-512-256.",
            "Ask the provider for one of these.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use housecall::Trunk;
    use housecall::sip::Target;
    use housecall::softphone::{Algorithm, Proof, Way};

    use super::*;

    fn setup() -> TrunkSetup {
        TrunkSetup::new(
            Trunk::new("Carrier", "carrier.test"),
            Target::new("carrier.test"),
        )
    }

    fn place<'a>(setup: &'a TrunkSetup, transport: Transport, ip: &str) -> Place<'a> {
        let addr = "203.0.113.5:5061".parse().unwrap();
        Place {
            setup,
            peer: Peer { transport, addr },
            ip: ip.parse().unwrap(),
            patience: Duration::from_secs(8),
        }
    }

    /// Each of these words is in the meaning or in what to do.
    fn says(advice: &Advice, words: &[&str]) {
        let all = format!("{} {}", advice.means, advice.todo);
        for word in words {
            assert!(all.contains(word), "{word:?} in {all}");
        }
    }

    #[test]
    fn what_keeps_us_from_a_peer() {
        let setup = setup();
        for (obstacle, transport, ip, words) in [
            (
                Obstacle::Refused,
                Transport::Tls,
                "192.0.2.7",
                &["5061 for TLS", "`port`"][..],
            ),
            (
                Obstacle::NoRoute,
                Transport::Udp,
                "127.0.0.1",
                &["media.address is 127.0.0.1", "[media] address"],
            ),
            (
                Obstacle::NoRoute,
                Transport::Udp,
                "192.0.2.7",
                &["no way there", "routes"],
            ),
            (
                Obstacle::Slow,
                Transport::Tcp,
                "192.0.2.7",
                &["dropped", "5061 for outgoing TCP", "list the address"],
            ),
            (
                Obstacle::OtherName,
                Transport::Tls,
                "192.0.2.7",
                &["carrier.test", "`tls_name`", "`host`"],
            ),
            (
                Obstacle::OutOfDate,
                Transport::Tls,
                "192.0.2.7",
                &["clock", "renew"],
            ),
            (
                Obstacle::Untrusted,
                Transport::Tls,
                "192.0.2.7",
                &["vouches", "roots_file"],
            ),
            (
                Obstacle::BadCertificate,
                Transport::Tls,
                "192.0.2.7",
                &["certificate", "provider"],
            ),
            (
                Obstacle::NoTls,
                Transport::Tls,
                "192.0.2.7",
                &["TLS handshake", "`port`"],
            ),
            (
                Obstacle::Nameless,
                Transport::Tls,
                "192.0.2.7",
                &["`tls_name`"],
            ),
            (
                Obstacle::Closed,
                Transport::Tcp,
                "192.0.2.7",
                &["closed it", "list the address"],
            ),
            (
                Obstacle::Crowded,
                Transport::Tcp,
                "192.0.2.7",
                &["Nothing can be sent"],
            ),
        ] {
            let why = Unreached {
                obstacle,
                words: "why".to_owned(),
            };
            says(&unreached(&why, place(&setup, transport, ip)), words);
        }
    }

    #[test]
    fn silence_names_firewalls_and_lists() {
        let setup = setup();
        let place = place(&setup, Transport::Udp, "192.0.2.7");
        let (said, advice) = no_reply(&NoReply::Silence, place);
        assert_eq!(said, "203.0.113.5:5061 did not answer within 8000 ms");
        says(&advice, &["firewalls", "list the address", "outgoing UDP"]);
        let why = Unreached {
            obstacle: Obstacle::Refused,
            words: "port closed\u{1b}".to_owned(),
        };
        let (said, _) = no_reply(&NoReply::Unreachable(why), place);
        assert_eq!(said, "port closed");
        says(
            &no_reply(&NoReply::NoRegistration, place).1,
            &["`username`"],
        );
    }

    #[test]
    fn who_cannot_be_found() {
        let host = || "carrier.test".to_owned();
        for (why, words) in [
            (
                Unresolved::NotAHost { host: host() },
                &["carrier.test", "`host`"][..],
            ),
            (
                Unresolved::NotOffered {
                    host: host(),
                    wanted: "TLS".to_owned(),
                },
                &["no SIP over TLS", "`transport`"],
            ),
            (
                Unresolved::NoAddress { host: host() },
                &["no address of IPv6", "spelling"],
            ),
            (
                Unresolved::Away { host: host() },
                &["No name server", "resolv.conf", "port 53"],
            ),
        ] {
            says(&unresolved(&why, "2001:db8::7".parse().unwrap()), words);
        }
    }

    #[test]
    fn why_we_are_refused() {
        let answered = |times| SignIn::Answered {
            asked: "401".to_owned(),
            proof: Proof {
                username: "u".to_owned(),
                realm: "r".to_owned(),
                algorithm: Algorithm::Md5,
            },
            times,
        };
        let unanswered = |because| SignIn::Unanswered {
            asked: "401".to_owned(),
            because,
        };
        let realms = Because::OtherRealm {
            ours: "mine".to_owned(),
            theirs: "theirs".to_owned(),
        };
        for (sign_in, status, words) in [
            (
                answered(2),
                401,
                &[
                    "refused the password twice.",
                    "`username`",
                    "`password_file`",
                    "`realm`",
                ][..],
            ),
            (
                answered(1),
                407,
                &["refused the password.", "lock accounts"],
            ),
            (answered(3), 401, &["3 times"]),
            (answered(1), 403, &["refuses the password", "active"]),
            (
                SignIn::NotAsked,
                403,
                &["by our address", "list the address"],
            ),
            (
                unanswered(Because::NoPassword),
                401,
                &["configuration has none", "`password_file`"],
            ),
            (unanswered(realms), 401, &["\"mine\"", "realm = \"theirs\""]),
            (unanswered(Because::NotSpoken), 407, &["SHA-512-256"]),
            (SignIn::NotAsked, 302, &["elsewhere", "`host`"]),
            (answered(1), 404, &["no such account", "`domain`"]),
            (SignIn::NotAsked, 405, &["registration = false"]),
            (SignIn::NotAsked, 503, &["cannot serve", "few minutes"]),
            (SignIn::NotAsked, 400, &["reason of its own"]),
        ] {
            says(&refused(status, &sign_in), words);
        }
    }

    #[test]
    fn a_reply_is_told_with_its_software_and_without_its_tricks() {
        let message = |software: &str| Traced {
            way: Way::Received,
            peer: Peer::udp("203.0.113.5:5060".parse().unwrap()),
            text: format!("SIP/2.0 200 OK\u{1b}[31m\r\n{software}\r\n\r\n"),
            proofs: Vec::new(),
        };
        assert_eq!(
            introduction(&message("Server: Kamailio\u{7} 5.6")),
            "203.0.113.5:5060 says 200 OK [31m, it is \"Kamailio  5.6\""
        );
        assert_eq!(
            introduction(&message("X: y")),
            "203.0.113.5:5060 says 200 OK [31m"
        );
    }
}
