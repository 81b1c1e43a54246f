use housecall::softphone::{Event, Side};
use housecall::trunk::Redirects;
use housecall::{Country, Outcome, Trunk};
use housecall_phone::DestinationPolicy;

use super::{hangs_up, over, sipp};
use crate::caller::{Caller, dial_to, trunk};
use crate::wire::Wire;

/// A refusal with this status, and what the network says of it, has this outcome.
async fn refused(wire: Wire, status: &str, reason: &str, outcome: Outcome) {
    let sipp = sipp!("refuse", wire, words: &[("status", status), ("reason", reason)]);
    let mut caller = Caller::dial(&sipp).await;
    let ended = caller.ended(outcome).await;
    assert_eq!(ended.by, Side::Them);
    assert_eq!(
        ended
            .cause
            .status
            .map(|status| status.to_string())
            .as_deref(),
        status.split(' ').next()
    );
    sipp.passed().await;
}

/// What a network says that has no more to say than the status.
const NORMAL: &str = "Q.850;cause=16;text=\"Normal\"";

over!(busy: Udp, Tcp, Tls);
async fn busy(wire: Wire) {
    refused(wire, "486 Busy Here", NORMAL, Outcome::Busy).await;
}

over!(busy_everywhere: Udp);
async fn busy_everywhere(wire: Wire) {
    refused(wire, "600 Busy Everywhere", NORMAL, Outcome::Busy).await;
}

over!(no_such_number: Udp);
async fn no_such_number(wire: Wire) {
    refused(wire, "404 Not Found", NORMAL, Outcome::WrongNumber).await;
}

over!(not_there: Udp);
async fn not_there(wire: Wire) {
    refused(
        wire,
        "480 Temporarily Unavailable",
        NORMAL,
        Outcome::NoAnswer,
    )
    .await;
}

over!(declined: Udp);
async fn declined(wire: Wire) {
    refused(wire, "603 Decline", NORMAL, Outcome::Declined).await;
}

over!(forbidden: Udp);
async fn forbidden(wire: Wire) {
    refused(wire, "403 Forbidden", NORMAL, Outcome::NotPermitted).await;
}

// RFC 3326: the cause of the telephone network says more than the status.
over!(the_network_knows_better: Udp, Tcp);
async fn the_network_knows_better(wire: Wire) {
    refused(
        wire,
        "480 Temporarily Unavailable",
        "Q.850;cause=17;text=\"User busy\"",
        Outcome::Busy,
    )
    .await;
}

over!(a_redirection_is_not_followed: Udp);
async fn a_redirection_is_not_followed(wire: Wire) {
    let sipp = sipp!("redirect", wire);
    let mut caller = Caller::dial(&sipp).await;
    let ended = caller.ended(Outcome::Failed).await;
    assert_eq!(ended.cause.status, Some(302));
    assert_eq!(caller.sent("INVITE"), 1);
    sipp.passed().await;
}

over!(a_redirection_is_followed_where_the_trunk_may_redirect: Udp, Tcp);
async fn a_redirection_is_followed_where_the_trunk_may_redirect(wire: Wire) {
    let sipp = sipp!("moved", wire, calls: 2);
    let trunk = Trunk {
        redirects: Redirects::SameTrunk,
        ..trunk()
    };
    let mut dial = dial_to(trunk, &[sipp.peer()]);
    dial.destinations = Some(DestinationPolicy::domestic(Country::Au));
    let mut caller = Caller::dial_over(wire, dial).await;
    caller
        .until_event("a redirection", |event| {
            matches!(event, Event::Redirected { .. })
        })
        .await;
    caller.answered().await;
    hangs_up(&mut caller, sipp).await;
    assert_eq!(caller.sent("INVITE"), 2);
}

over!(the_network_says_it_in_words_first: Udp);
async fn the_network_says_it_in_words_first(wire: Wire) {
    let sipp = sipp!("announcement", wire);
    let mut caller = Caller::dial(&sipp).await;
    caller.early_media().await;
    caller.ended(Outcome::Busy).await;
    sipp.passed().await;
}
