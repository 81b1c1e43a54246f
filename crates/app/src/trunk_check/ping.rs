use housecall::softphone::{NoReply, Reply};

use super::sign_in::SignIn;
use super::step::{Advice, Step};
use super::text::clean;
use super::words::{self, Place};

/// What came of asking by OPTIONS whether a trunk lives.
pub(super) fn step(answer: &Result<Reply, NoReply>, place: Place<'_>) -> Step {
    match answer {
        Ok(reply) => replied(reply, place).took(reply.took),
        Err(why) => {
            let (said, Advice { means, todo }) = words::no_reply(why, place);
            let todo = match why {
                NoReply::Silence => {
                    format!(
                        "{todo} A provider that answers no OPTIONS is asked none with `ping_seconds = 0`."
                    )
                }
                _ => todo,
            };
            Step::failed("ping", said, Advice { means, todo })
        }
    }
}

/// A trunk that is asked nothing: neither registered with nor pinged.
pub(super) fn unasked() -> Step {
    let advice = Advice::new(
        "Nothing was sent to this trunk, so nothing is known of it: it wants no registration and is asked no OPTIONS.",
        "See with `--call` whether it takes calls.",
    );
    Step::note("ping", "`ping_seconds = 0`", advice)
}

fn replied(reply: &Reply, place: Place<'_>) -> Step {
    let status = reply.message.status().unwrap_or_default();
    let sign_in = SignIn::of(&reply.trace, place.setup.trunk.credentials.as_ref());
    let mut said = words::introduction(&reply.message);
    if let Some(words) = sign_in.said() {
        said = format!("{said}; {words}");
    }
    let allows: Vec<&str> = reply.message.headers("Allow").collect();
    if !allows.is_empty() {
        said = format!("{said}; it allows {}", clean(&allows.join(", ")));
    }
    match status {
        // Most of what else is said is a sign of life too (RFC 3261 §11.2).
        300..=399 | 401 | 403 | 407 | 408 | 500 | 503 => {
            Step::failed("ping", said, words::refused(status, &sign_in))
        }
        _ if !allows.is_empty() && !allows.iter().any(|it| it.contains("INVITE")) => {
            let advice = Advice::new(
                "It answers, and INVITE, by which calls are made, is not among what it allows.",
                "Ask the provider whether this is the address for calls. `--call` tries one.",
            );
            Step::note("ping", said, advice)
        }
        _ => Step::ok("ping", said),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use housecall::sip::{Peer, Target};
    use housecall::softphone::{Traced, Way};
    use housecall::{Trunk, TrunkSetup};

    use super::*;
    use crate::trunk_check::step::Mark;

    #[test]
    fn a_sign_of_life_is_not_always_good_news() {
        let setup = TrunkSetup::new(Trunk::new("A", "a.test"), Target::new("a.test"));
        let peer = Peer::udp("203.0.113.5:5060".parse().unwrap());
        let place = Place {
            setup: &setup,
            peer,
            ip: "192.0.2.7".parse().unwrap(),
            patience: Duration::from_secs(8),
        };
        for (text, mark, words) in [
            (
                "200 OK\r\nAllow: INVITE, ACK\r\nAllow: BYE",
                Mark::Ok,
                "it allows INVITE, ACK, BYE",
            ),
            ("200 OK\r\nAllow: OPTIONS", Mark::Note, "it allows OPTIONS"),
            ("404 Not Found", Mark::Ok, "says 404 Not Found"),
            ("403 Who are you", Mark::Failed, "says 403 Who are you"),
            ("503 Full", Mark::Failed, "says 503 Full"),
            (
                "401 No\r\nWWW-Authenticate: Digest realm=\"a\", nonce=\"n\"",
                Mark::Failed,
                "401 for realm \"a\" with MD5; not answered",
            ),
        ] {
            let message = Traced {
                way: Way::Received,
                peer,
                text: format!("SIP/2.0 {text}\r\n\r\n"),
                proofs: Vec::new(),
            };
            let reply = Reply {
                trace: vec![message.clone()],
                message,
                took: Duration::from_millis(9),
                granted: None,
            };
            let step = step(&Ok(reply), place);
            assert_eq!(step.mark, mark, "{text}");
            assert!(step.said.contains(words), "{words} in {}", step.said);
        }
        let silent = step(&Err(NoReply::Silence), place);
        assert!(silent.advice.unwrap().todo.contains("ping_seconds = 0"));
    }
}
