//! Requests of more than 1300 bytes (RFC 3261 §18.1.1).

use housecall::Trunk;
use housecall::softphone::Traced;
use housecall_sip::Peer;
use housecall_sip::user_agent::LargeRequests;

use super::{hangs_up, sipp};
use crate::caller::{Caller, dial_to, trunk};
use crate::sipp::Sipp;
use crate::wire::Wire;

/// Calls `sipp`, which listens on a wire of its own, as a trunk that is known by its port for datagrams. Returns the INVITEs, repetitions apart.
async fn invites(sipp: Sipp, large: LargeRequests) -> Vec<Traced> {
    let trunk = Trunk { large, ..trunk() };
    let mut dial = dial_to(trunk, &[Peer::udp(sipp.peer().addr)]);
    dial.headers = vec![("X-Large".to_owned(), "x".repeat(1_300))];
    let mut caller = Caller::dial_over(Wire::Udp, dial).await;
    caller.answered().await;
    hangs_up(&mut caller, sipp).await;
    let mut invites: Vec<Traced> = caller.sendings("INVITE").cloned().collect();
    invites.dedup_by(|later, first| later.header("Via") == first.header("Via"));
    assert!(invites.iter().all(|invite| invite.text.len() > 1_300));
    invites
}

fn transports(invites: &[Traced]) -> Vec<&str> {
    let vias = invites.iter().filter_map(|invite| invite.header("Via"));
    vias.filter_map(|via| via.split(' ').next()).collect()
}

#[tokio::test]
async fn a_large_invite_goes_by_tcp_where_the_trunk_takes_it() {
    let sipp = sipp!("answer", Wire::Tcp);
    let invites = invites(sipp, LargeRequests::TcpFirst).await;
    assert_eq!(transports(&invites), ["SIP/2.0/TCP"]);
    assert!(
        invites[0]
            .header("Contact")
            .unwrap()
            .contains("transport=tcp")
    );
}

#[tokio::test]
async fn a_large_invite_stays_a_datagram_otherwise() {
    let sipp = sipp!("answer", Wire::Udp);
    let invites = invites(sipp, LargeRequests::UdpAlone).await;
    assert_eq!(transports(&invites), ["SIP/2.0/UDP"]);
}

#[tokio::test]
async fn a_large_invite_is_a_datagram_after_all_where_tcp_finds_nobody() {
    let sipp = sipp!("answer", Wire::Udp);
    let invites = invites(sipp, LargeRequests::TcpFirst).await;
    assert_eq!(transports(&invites), ["SIP/2.0/TCP", "SIP/2.0/UDP"]);
}
