//! Which addresses can speak with which.

use std::net::{IpAddr, SocketAddr};

use super::step::{Advice, Step};
use super::words;

/// Whether nothing that is sent from `ours` can arrive at `theirs`.
pub(super) fn is_stuck(ours: IpAddr, theirs: IpAddr) -> bool {
    ours.is_loopback() && !theirs.is_loopback()
}

/// Where we send from, and whether the trunk can answer there.
pub(super) fn step(local: SocketAddr, external: Option<IpAddr>, theirs: IpAddr) -> Step {
    let told = external.unwrap_or(local.ip());
    let said = match external {
        Some(external) => format!("we send from {local} and tell the trunk {external}"),
        None => format!("we send from {local}"),
    };
    if is_stuck(local.ip(), theirs) {
        return Step::failed("us", said, words::stuck(local.ip()));
    }
    if told.is_unspecified() {
        let advice = Advice::new(
            format!("{told} is no address that a trunk could answer to."),
            "Write this machine's own address in [media] address, and the one by which trunks reach it in [sip] external_address if that is another.",
        );
        return Step::failed("us", said, advice);
    }
    if is_inside(told) && !is_inside(theirs) {
        let advice = Advice::new(
            format!(
                "The trunk is outside and is told {told}, which only the own network can reach: sound may not find its way back."
            ),
            "Write the address by which this machine appears outside in [sip] external_address.",
        );
        return Step::note("us", said, advice);
    }
    Step::ok("us", said)
}

/// Addresses that mean nothing outside their own network (RFC 1918, 6598, 3927, 4193, 4291).
fn is_inside(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [first, second, ..] = ip.octets();
            let is_shared = first == 100 && second & 0xc0 == 64;
            ip.is_private() || ip.is_loopback() || ip.is_link_local() || is_shared
        }
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trunk_check::step::Mark;

    #[test]
    fn an_address_that_the_trunk_cannot_answer_to_is_told() {
        for (local, external, theirs, mark, words) in [
            ("127.0.0.1", None, "127.0.0.1", Mark::Ok, ""),
            ("192.0.2.7", None, "203.0.113.5", Mark::Ok, ""),
            ("10.0.0.5", None, "10.9.9.9", Mark::Ok, ""),
            ("10.0.0.5", Some("192.0.2.7"), "203.0.113.5", Mark::Ok, ""),
            (
                "10.0.0.5",
                None,
                "203.0.113.5",
                Mark::Note,
                "external_address",
            ),
            ("100.64.3.3", None, "203.0.113.5", Mark::Note, "100.64.3.3"),
            (
                "fd00::5",
                None,
                "2001:db8::5",
                Mark::Note,
                "external_address",
            ),
            (
                "127.0.0.1",
                None,
                "203.0.113.5",
                Mark::Failed,
                "[media] address",
            ),
            (
                "0.0.0.0",
                None,
                "203.0.113.5",
                Mark::Failed,
                "external_address",
            ),
            ("0.0.0.0", Some("192.0.2.7"), "203.0.113.5", Mark::Ok, ""),
        ] {
            let local = SocketAddr::new(local.parse().unwrap(), 5060);
            let external = external.map(|ip| ip.parse().unwrap());
            let step = step(local, external, theirs.parse().unwrap());
            assert_eq!(step.mark, mark, "{local} {external:?} {theirs}");
            let advice = step
                .advice
                .map(|it| it.means + &it.todo)
                .unwrap_or_default();
            assert!(advice.contains(words), "{words} in {advice}");
        }
    }
}
