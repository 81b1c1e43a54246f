//! Addresses that a description may name and that no sound may go to (reliability §2, row 20).

use std::net::SocketAddr;

use housecall_media::sdp::{Direction, MediaTarget};
use housecall_sip::{Message, Method, Peer, StatusCode};

use super::stage::{Stage, description, request, response};
use super::world::dial;
use crate::{Event, Outcome};

/// Nobody's own, in the forms that have got past other people's checks: these are refused whoever names them.
const NOBODY: [&str; 33] = [
    "IP4 0.0.0.1",
    "IP4 0.255.255.255",
    "IP4 224.0.0.1",
    "IP4 224.0.0.1/127",
    "IP4 224.2.1.1/127/3",
    "IP4 232.1.2.3",
    "IP4 239.255.255.250",
    "IP4 240.0.0.1",
    "IP4 255.255.255.254",
    "IP4 255.255.255.255",
    "IP6 ::2",
    "IP6 ::7f00:1",
    "IP6 ::127.0.0.1",
    "IP6 ::10.0.0.2",
    "IP6 ::ffff:0.0.0.0",
    "IP6 ::ffff:224.0.0.1",
    "IP6 ::ffff:255.255.255.255",
    "IP6 ff01::1",
    "IP6 ff02::1",
    "IP6 ff02::fb",
    "IP6 ff05::2",
    "IP6 ff0e::1/3",
    "IP6 ffff::1",
    // What is no address at all, but is one to who reads it less strictly (RFC 6943 §3.1.1).
    "IP4 127.1",
    "IP4 2130706433",
    "IP4 0x7f.0.0.1",
    "IP4 0177.0.0.1",
    "IP4 127.000.000.001",
    "IP4 127.0.0.1%lo",
    "IP6 [::1]",
    "IP4 ::1",
    "IP4 localhost",
    "IP4",
];

/// A machine's own and a link's own, which a trunk in the wide world has no business with.
const NEAR: [&str; 19] = [
    "IP4 127.0.0.1",
    "IP4 127.0.0.1/127",
    "IP4 127.0.0.2",
    "IP4 127.0.1.1",
    "IP4 127.255.255.255",
    "IP4 169.254.0.1",
    "IP4 169.254.169.254",
    "IP4 169.254.255.255",
    "IP6 ::1",
    "IP6 0:0:0:0:0:0:0:1",
    "IP6 ::0.0.0.1",
    "IP6 ::ffff:127.0.0.1",
    "IP6 ::ffff:7f00:1",
    "IP6 ::ffff:127.9.9.9",
    "IP6 ::ffff:169.254.169.254",
    "IP6 fe80::1",
    "IP6 fe80::1:2:3:4",
    "IP6 fe90::1",
    "IP6 febf::1",
];

/// Ordinary ones at both sides of each border.
const FAR: [&str; 12] = [
    "IP4 1.0.0.0",
    "IP4 10.0.0.3",
    "IP4 126.255.255.255",
    "IP4 128.0.0.1",
    "IP4 169.253.255.255",
    "IP4 169.255.0.0",
    "IP4 192.168.1.1",
    "IP4 223.255.255.255",
    "IP6 2001:db8::1",
    "IP6 ::ffff:10.0.0.2",
    "IP6 fd00::1",
    "IP6 fec0::1",
];

/// A description with this after `c=IN`.
fn at(address: &str) -> String {
    description(5000).replace("c=IN IP4 10.0.0.2", &format!("c=IN {address}"))
}

fn dialled_at(peer: &str) -> (Stage, Message) {
    let mut dial = dial(1);
    dial.routes[0].peer = Peer::udp(peer.parse().unwrap());
    Stage::dialled(dial)
}

/// A call over a trunk at `peer`, answered with this description.
fn answered_by(peer: &str, body: &str) -> Stage {
    let (mut stage, invite) = dialled_at(peer);
    let answer = response(&invite, 200, "far", 0);
    stage.hears(answer.body("application/sdp", body.to_owned()).build());
    stage
}

fn outcome(stage: &Stage) -> Option<Outcome> {
    match stage.told.last() {
        Some(Event::Ended(ended)) => Some(ended.outcome),
        _ => None,
    }
}

fn agreed(stage: &Stage) -> &MediaTarget {
    match stage.told.last() {
        Some(Event::Answered(target) | Event::MediaChanged(target)) => target,
        other => panic!("{other:?}"),
    }
}

const DISTANT: &str = "10.0.0.2:5060";

/// CVE-2020-26262, CVE-2026-27624: an answer.
#[test]
fn row_20_an_answer_that_leads_nowhere_is_hung_up() {
    for address in NOBODY.into_iter().chain(NEAR) {
        let stage = answered_by(DISTANT, &at(address));
        assert_eq!(outcome(&stage), Some(Outcome::NoCommonSound), "{address}");
        let sent = stage.sent.iter().filter_map(|(_, it)| it.method());
        let sent: Vec<_> = sent.map(ToString::to_string).collect();
        assert_eq!(sent, ["INVITE", "ACK", "BYE"], "{address}");
    }
    for address in FAR {
        let stage = answered_by(DISTANT, &at(address));
        assert!(agreed(&stage).direction.sends(), "{address}");
    }
}

/// The same of a trunk on this machine, or on this link: it may name what is as near as itself, and no more than that.
#[test]
fn row_20_who_is_near_may_name_what_is_near() {
    let is_taken = |peer, address| outcome(&answered_by(peer, &at(address))).is_none();
    for address in NOBODY {
        assert!(!is_taken("127.0.0.1:5060", address), "{address}");
    }
    for address in NEAR.into_iter().chain(FAR) {
        assert!(is_taken("127.0.0.1:5060", address), "{address}");
        assert!(is_taken("[::1]:5060", address), "{address}");
        // Our own address.
        assert!(is_taken("10.0.0.1:5070", address), "{address}");
    }
    let link = "[fe80::7]:5060";
    for address in ["IP6 fe80::1", "IP4 169.254.0.1", "IP4 10.0.0.3"] {
        assert!(is_taken(link, address), "{address}");
    }
    for address in ["IP6 ::1", "IP4 127.0.0.1", "IP6 ::ffff:127.0.0.1"] {
        assert!(!is_taken(link, address), "{address}");
    }
}

/// Sound that is sent to ourselves would come back for ever.
#[test]
fn row_20_nobody_sends_us_to_ourselves() {
    let ours = |address: &str, port| at(address).replace("5000", port);
    for (address, port) in [
        ("IP4 10.0.0.1", "40000"),
        ("IP4 10.0.0.1", "5060"),
        ("IP6 ::ffff:10.0.0.1", "40000"),
    ] {
        let stage = answered_by(DISTANT, &ours(address, port));
        assert_eq!(
            outcome(&stage),
            Some(Outcome::NoCommonSound),
            "{address} {port}"
        );
    }
    let neighbour = answered_by(DISTANT, &ours("IP4 10.0.0.1", "40002"));
    assert_eq!(agreed(&neighbour).remote.port(), 40_002);
}

/// Sound before the answer, and by UPDATE (RFC 3311 §5.2): nothing is heard from there, and the phone may be answered all the same.
#[test]
fn row_20_early_sound_that_leads_nowhere_is_not_heard() {
    for address in NOBODY.into_iter().chain(NEAR) {
        let (mut stage, invite) = Stage::dial();
        let early = response(&invite, 183, "far", 0);
        stage.hears(early.body("application/sdp", at(address)).build());
        assert_eq!(stage.told, [], "{address}");
        stage.hears(response(&invite, 200, "far", 5000).build());
        assert_eq!(agreed(&stage).remote.port(), 5000, "{address}");
    }
}

/// RFC 3261 §14.2: 488 to re-INVITE and UPDATE, and everything stays as it was, our version of the description too.
#[test]
fn row_20_a_change_that_leads_nowhere_is_refused() {
    for method in [Method::Invite, Method::Update] {
        let (mut stage, invite) = Stage::dial();
        stage.hears(response(&invite, 200, "far", 5000).build());
        let mut cseq = 0;
        for address in NOBODY.into_iter().chain(NEAR) {
            cseq += 1;
            stage.hears(request(&invite, "far", method.clone(), cseq, &at(address)));
            let refused = Some(StatusCode::NOT_ACCEPTABLE_HERE);
            assert_eq!(stage.last().status(), refused, "{method} {address}");
            if method == Method::Invite {
                stage.hears(request(&invite, "far", Method::Ack, cseq, ""));
            }
        }
        let before: SocketAddr = "10.0.0.2:5000".parse().unwrap();
        assert_eq!(agreed(&stage).remote, before);
        let moved = description(5100);
        stage.hears(request(&invite, "far", method.clone(), cseq + 1, &moved));
        let answer = String::from_utf8_lossy(stage.last().body()).into_owned();
        assert_eq!(agreed(&stage).remote.port(), 5100);
        let version = answer.lines().find(|line| line.starts_with("o="));
        let version = version.and_then(|line| line.split(' ').nth(2));
        assert_eq!(version, Some("2"), "one above our offer: {answer}");
    }
}

/// RFC 3264 §8.4: `0.0.0.0`, and `::` for those who do the same in IPv6, mean "send me nothing".
#[test]
fn row_20_the_unspecified_address_is_a_hold() {
    for address in ["IP4 0.0.0.0", "IP6 ::", "IP6 0:0:0:0:0:0:0:0"] {
        let stage = answered_by(DISTANT, &at(address));
        let target = agreed(&stage);
        assert_eq!(target.direction, Direction::RecvOnly, "{address}");
        assert_eq!(target.rtcp, None, "{address}");
    }
}

/// RFC 3605: reports have an address of their own, which is held to the same. Without one there are none.
#[test]
fn row_20_reports_go_nowhere_else_either() {
    let all = ["IP4 0.0.0.0", "IP6 ::"].into_iter();
    for address in all.chain(NOBODY).chain(NEAR) {
        let body = description(5000) + &format!("a=rtcp:5001 IN {address}\r\n");
        let stage = answered_by(DISTANT, &body);
        let target = agreed(&stage);
        let own = target.remote.ip();
        assert!(
            target.rtcp.is_none_or(|rtcp| rtcp.ip() == own),
            "{address}: {:?}",
            target.rtcp
        );
    }
    let body = description(5000) + "a=rtcp:5001 IN IP4 10.0.0.3\r\n";
    let stage = answered_by(DISTANT, &body);
    assert_eq!(agreed(&stage).rtcp, Some("10.0.0.3:5001".parse().unwrap()));
}
