use std::time::Duration;

use housecall::sip::{Peer, Transport};
use housecall::softphone::{Ended, MediaTarget, RouteFailure, Sound};
use housecall::trunk::SrtpPolicy;
use housecall::{Outcome, TrunkSetup};

use super::super::report::shown;
use super::super::sign_in::SignIn;
use super::super::step::{Advice, Step};
use super::super::text::clean;
use super::super::words::refused;

/// What is quieter is silence: a telephone line hisses at -60 dBFS.
const SILENCE_DBFS: f32 = -60.0;
/// A listener is troubled by one packet lost of twenty.
const LOST_PERCENT_MAX: u64 = 5;

/// Somebody has answered: what was agreed on sound.
pub(super) fn answered(
    said: &str,
    target: &MediaTarget,
    setup: &TrunkSetup,
    transport: Option<Transport>,
) -> Step {
    let is_encrypted = target.srtp.is_some();
    let encrypted = if is_encrypted {
        "encrypted (SRTP)"
    } else {
        "not encrypted"
    };
    let said = format!(
        "{said}; sound is {}, {encrypted}, to {}",
        target.codec, target.remote
    );
    if is_encrypted && transport != Some(Transport::Tls) {
        let advice = Advice::new(
            "Sound is encrypted, and its keys travel readable for all on the way, since SIP is not.",
            "Write `transport = \"tls\"` if the provider offers it.",
        );
        return Step::note("answer", said, advice);
    }
    match setup.trunk.srtp {
        SrtpPolicy::Preferred if !is_encrypted => Step::note("answer", said, plain()),
        _ => Step::ok("answer", said),
    }
}

/// The trunk takes no encrypted sound, and is tried without.
pub(super) fn not_encrypted() -> Step {
    Step::note("dial", "the trunk refuses encrypted sound", plain())
}

fn plain() -> Advice {
    Advice::new(
        "The trunk takes no SRTP: sound travels in the clear, as `srtp = \"preferred\"` allows.",
        "Ask the provider for SRTP, or write `srtp = \"off\"` and save a round trip in each call.",
    )
}

/// What was heard of whoever answered.
pub(super) fn sound(sound: &Sound, listened: Duration) -> Step {
    let stats = &sound.stats;
    let (heard, lost) = (stats.from_phone.received, stats.rtp_lost);
    if heard == 0 {
        let said = format!(
            "nothing came in {}; we sent {} packets",
            shown(listened),
            stats.rtp_sent
        );
        return Step::failed("sound", said, no_sound(stats.strangers, stats.forged));
    }
    let level = sound.level_dbfs.unwrap_or(f32::NEG_INFINITY);
    let loud = match level > SILENCE_DBFS {
        true => format!("{level:.0} dBFS"),
        false => "silence".to_owned(),
    };
    let jitter = stats.jitter.as_millis();
    let said = format!(
        "{heard} packets in {}, {loud}; {lost} lost, jitter {jitter} ms; we sent {}",
        shown(listened),
        stats.rtp_sent
    );
    let lost_percent = (lost * 100).checked_div(heard.saturating_add(lost));
    match lost_percent {
        Some(LOST_PERCENT_MAX..) => Step::note("sound", said, lossy()),
        _ if level <= SILENCE_DBFS => Step::note("sound", said, silent()),
        _ => Step::ok("sound", said),
    }
    .took(listened)
}

fn no_sound(strangers: u64, forged: u64) -> Advice {
    if forged > 0 {
        return Advice::new(
            format!("{forged} packets came that were not protected with the key that was agreed."),
            "Ask the provider to check SRTP of its media gateway, with the Call-ID and time of this call.",
        );
    }
    if strangers > 0 {
        return Advice::new(
            format!(
                "{strangers} packets came from another address than the trunk had named, and were not taken."
            ),
            "Ask the provider where its sound comes from; a NAT or a second firewall may stand between.",
        );
    }
    Advice::new(
        "The call stands, and its sound does not find the way back to us: callers would hear nothing.",
        "Let UDP in to every port of media.address from the provider's media addresses. Behind a NAT, write the address by which this machine appears outside in [sip] external_address.",
    )
}

fn silent() -> Advice {
    Advice::new(
        "Packets come, and there is nothing to hear in them: right for somebody who does not speak.",
        "Ring a number that speaks, such as a speaking clock, to be sure.",
    )
}

fn lossy() -> Advice {
    Advice::new(
        "So much is lost that a conversation would suffer.",
        "Look at the load of this machine's line to the Internet; run the check again at another hour.",
    )
}

/// Whoever answered has hung up, or is gone.
pub(super) fn ended_by_them(ended: &Ended, listened: Duration) -> Step {
    let cause = clean(&ended.cause.to_string());
    let cause = match cause.is_empty() {
        true => String::new(),
        false => format!(" ({cause})"),
    };
    let said = format!(
        "{} by the other side after {}{cause}",
        ended.words,
        shown(listened)
    );
    match ended.outcome {
        Outcome::Completed => Step::ok("hang up", said),
        _ => {
            let advice = Advice::new(
                "The call was answered, and then its connection was lost.",
                "Ask the provider, with the Call-ID and time of this call.",
            );
            Step::failed("hang up", said, advice)
        }
    }
}

pub(super) fn no_farewell() -> Step {
    let advice = Advice::new(
        "The trunk did not confirm that the call is over; it may go on counting.",
        "Check that the trunk's answers come back; behind a NAT, write [sip] external_address.",
    );
    Step::failed("hang up", "our BYE was not answered", advice)
}

/// A way that leads nowhere, and another is tried.
pub(super) fn route_failed(peer: Peer, why: RouteFailure) -> Step {
    Step::failed("dial", route_said(peer, why), route_advice(peer, why))
}

pub(super) fn route_said(peer: Peer, why: RouteFailure) -> String {
    let addr = peer.addr;
    match why {
        RouteFailure::Silence => format!("{addr} does not answer to INVITE"),
        RouteFailure::Unreachable => format!("{addr} cannot be reached"),
        RouteFailure::Unavailable {
            status,
            retry_after: Some(after),
        } => format!(
            "{addr} says {status}, and to come back in {} s",
            after.as_secs()
        ),
        RouteFailure::Unavailable { status, .. } => format!("{addr} says {status}"),
    }
}

pub(super) fn route_advice(peer: Peer, why: RouteFailure) -> Advice {
    match why {
        RouteFailure::Silence if peer.transport == Transport::Udp => Advice::new(
            "INVITEs are dropped: by a provider that does not know our address, or on the way because they are large.",
            "Have the provider list the address by which this machine appears outside; try `transport = \"tcp\"`.",
        ),
        RouteFailure::Silence | RouteFailure::Unreachable => Advice::new(
            "INVITEs do not arrive, or are dropped by a provider that does not know our address.",
            "Have the provider list the address by which this machine appears outside.",
        ),
        RouteFailure::Unavailable { .. } => Advice::new(
            "The trunk is there, and takes no calls just now.",
            "Try again later. If it stays so, ask the provider whether the account has calls left.",
        ),
    }
}

/// The end of a call that nobody answered.
pub(super) fn outcome(outcome: Outcome, status: Option<u16>, sign_in: &SignIn) -> Advice {
    match (outcome, status) {
        (Outcome::Busy, _) => another("The trunk works as far as that phone, which is engaged."),
        (Outcome::NoAnswer, _) => {
            another("The trunk works as far as that phone, which nobody answered.")
        }
        (Outcome::Declined, _) => {
            another("The trunk works as far as that phone, which declined the call.")
        }
        (Outcome::WrongNumber, _) => Advice::new(
            "The network knows no such number, or wants numbers written in another way.",
            "Check the number; then `number_format` and `prefix` against the provider's documentation.",
        ),
        (Outcome::SignInRefused, Some(status)) => refused(status, sign_in),
        (Outcome::NotPermitted, _) => Advice::new(
            "The trunk does not let us call this number, or from this number.",
            "Check that the number to call from belongs to the account, and `from_user` and `asserts`; ask the provider whether the destination is open.",
        ),
        (Outcome::NoCredit, _) => Advice::new(
            "The account with the provider is empty.",
            "Top it up with the provider; the clinic's credits have nothing to do with it.",
        ),
        (Outcome::NoCommonSound, _) => Advice::new(
            "The trunk and we found no common way to carry sound: G.711 is what we offer.",
            "Check `srtp`: some trunks take nothing but SRTP, others none.",
        ),
        (Outcome::Congested, _) => Advice::new(
            "The network has no room, or something in it is out of order.",
            "Try again in a few minutes, then ask the provider with this line.",
        ),
        _ => Advice::new(
            "The call was not connected.",
            "Ask the provider, with this line and the time of this call.",
        ),
    }
}

fn another(means: &str) -> Advice {
    Advice::new(means, "Run the check again with a number that answers.")
}

#[cfg(test)]
mod tests {
    use housecall::sip::Target;
    use housecall::softphone::{Codec, MediaStats};
    use housecall::{Trunk, TrunkSetup};

    use super::*;
    use crate::trunk_check::step::Mark;

    fn says(step: &Step, mark: Mark, words: &[&str]) {
        assert_eq!(step.mark, mark, "{step:?}");
        let advice = step.advice.clone().map(|it| it.means + " " + &it.todo);
        let all = format!("{} {}", step.said, advice.unwrap_or_default());
        for word in words {
            assert!(all.contains(word), "{word:?} in {all}");
        }
    }

    #[test]
    fn what_is_heard_is_judged() {
        let heard = |received, lost, level_dbfs, strangers, forged| {
            let mut stats = MediaStats {
                rtp_lost: lost,
                rtp_sent: 250,
                strangers,
                forged,
                ..MediaStats::default()
            };
            stats.from_phone.received = received;
            let frequency_hz = None;
            sound(
                &Sound {
                    stats,
                    level_dbfs,
                    frequency_hz,
                },
                Duration::from_secs(5),
            )
        };
        let loud = Some(-16.2);
        says(
            &heard(250, 0, loud, 0, 0),
            Mark::Ok,
            &["250 packets in 5000 ms, -16 dBFS", "we sent 250"],
        );
        says(
            &heard(250, 20, loud, 0, 0),
            Mark::Note,
            &["20 lost", "suffer"],
        );
        says(
            &heard(250, 0, Some(-90.0), 0, 0),
            Mark::Note,
            &["silence", "speaking clock"],
        );
        says(&heard(250, 0, None, 0, 0), Mark::Note, &["silence"]);
        says(
            &heard(0, 0, None, 0, 0),
            Mark::Failed,
            &["nothing came", "external_address", "UDP"],
        );
        says(
            &heard(0, 0, None, 12, 0),
            Mark::Failed,
            &["12 packets", "another address"],
        );
        says(
            &heard(0, 0, None, 0, 7),
            Mark::Failed,
            &["7 packets", "key"],
        );
    }

    #[test]
    fn what_was_agreed_is_told() {
        let step = |srtp, transport| {
            let mut trunk = Trunk::new("A", "a.test");
            trunk.srtp = srtp;
            let setup = TrunkSetup::new(trunk, Target::new("a.test"));
            let remote = "203.0.113.9:20000".parse().unwrap();
            let target = MediaTarget {
                remote,
                rtcp: None,
                codec: Codec::Pcma,
                payload_type: 8,
                telephone_event: None,
                heard: vec![(8, Codec::Pcma)],
                opus: Default::default(),
                direction: housecall::softphone::Direction::SendRecv,
                ptime_ms: 20,
                maxptime_ms: 60,
                srtp: None,
            };
            answered(
                "203.0.113.5:5060 says 200 OK",
                &target,
                &setup,
                Some(transport),
            )
        };
        let open = step(SrtpPolicy::Off, Transport::Udp);
        says(
            &open,
            Mark::Ok,
            &["PCMA, not encrypted, to 203.0.113.9:20000"],
        );
        let disappointed = step(SrtpPolicy::Preferred, Transport::Tls);
        says(
            &disappointed,
            Mark::Note,
            &["takes no SRTP", "srtp = \"off\""],
        );
        says(&not_encrypted(), Mark::Note, &["refuses encrypted sound"]);
    }

    #[test]
    fn a_call_that_was_not_answered_says_why_and_what_to_do() {
        for (why, words) in [
            (Outcome::Busy, &["engaged", "a number that answers"][..]),
            (Outcome::NoAnswer, &["nobody answered"]),
            (Outcome::Declined, &["declined"]),
            (Outcome::WrongNumber, &["`number_format`", "`prefix`"]),
            (Outcome::SignInRefused, &["configuration has none"]),
            (
                Outcome::NotPermitted,
                &["`from_user`", "destination is open"],
            ),
            (Outcome::NoCredit, &["Top it up"]),
            (Outcome::NoCommonSound, &["`srtp`", "G.711"]),
            (Outcome::Congested, &["no room"]),
            (Outcome::Failed, &["Ask the provider"]),
        ] {
            let sign_in = SignIn::Unanswered {
                asked: "407".to_owned(),
                because: crate::trunk_check::sign_in::Because::NoPassword,
            };
            let advice = outcome(why, Some(407), &sign_in);
            says(&Step::failed("dial", "", advice), Mark::Failed, words);
        }
    }

    #[test]
    fn ways_that_lead_nowhere() {
        let addr = "203.0.113.5:5060".parse().unwrap();
        let after = Some(Duration::from_secs(30));
        for (peer, why, words) in [
            (
                Peer::udp(addr),
                RouteFailure::Silence,
                &["does not answer to INVITE", "because they are large"][..],
            ),
            (
                Peer::tcp(addr),
                RouteFailure::Silence,
                &["does not answer", "list the address"],
            ),
            (
                Peer::tcp(addr),
                RouteFailure::Unreachable,
                &["cannot be reached"],
            ),
            (
                Peer::udp(addr),
                RouteFailure::Unavailable {
                    status: 503,
                    retry_after: after,
                },
                &["says 503, and to come back in 30 s"],
            ),
            (
                Peer::udp(addr),
                RouteFailure::Unavailable {
                    status: 500,
                    retry_after: None,
                },
                &["says 500", "takes no calls"],
            ),
        ] {
            says(&route_failed(peer, why), Mark::Failed, words);
        }
    }

    #[test]
    fn ends() {
        let ended = |outcome| Ended::by_us(outcome);
        let second = Duration::from_secs(1);
        says(
            &ended_by_them(&ended(Outcome::Completed), second),
            Mark::Ok,
            &["after 1000 ms"],
        );
        says(
            &ended_by_them(&ended(Outcome::MediaLost), second),
            Mark::Failed,
            &["lost", "Call-ID"],
        );
        says(&no_farewell(), Mark::Failed, &["BYE was not answered"]);
    }
}
