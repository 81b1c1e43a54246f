//! Provisional responses that are confirmed (RFC 3262).

use std::time::Duration;

use super::stage::{Stage, challenge, far, ok, response};
use super::world::{CALLER, invite};
use crate::digest::{Credentials, Guard};
use crate::user_agent::{Body, Reliable};
use crate::{Message, Method, Name};

const ON: Reliable = Reliable::Supported;

fn with(reliable: Reliable) -> Stage {
    Stage::with(CALLER, |options| options.reliable = reliable)
}

/// A reliable response of the fork `tag`, which sits behind a proxy of its own.
fn reliable(invite: &Message, code: u16, tag: &str, rseq: u32) -> Message {
    response(invite, code, tag)
        .header(Name::Contact, format!("<sip:{tag}@10.0.0.9:5070>"))
        .header(Name::RecordRoute, format!("<sip:{tag}@10.0.0.2;lr>"))
        .header(Name::Require, "100rel")
        .header(Name::RSeq, rseq)
        .build()
}

fn pracks(stage: &Stage) -> Vec<Message> {
    let sent = stage.sent.iter().map(|(_, message)| message);
    let pracks = sent.filter(|message| message.method() == Some(&Method::Prack));
    pracks.cloned().collect()
}

fn racks(stage: &Stage) -> Vec<String> {
    let pracks = pracks(stage);
    let racks = pracks.iter().map(|prack| prack.rack().unwrap().unwrap());
    racks.map(|rack| rack.to_string()).collect()
}

// RFC 3262 §4: Supported where it is offered, Require where it is demanded, neither where it is not understood.
#[test]
fn an_invite_says_what_it_knows_of_100rel() {
    let cases = [
        (Reliable::Off, false, None, false),
        (ON, true, None, true),
        (Reliable::Required, false, Some("100rel"), true),
    ];
    for (reliable, supported, require, prack_allowed) in cases {
        let mut stage = with(reliable);
        let (_, invite) = stage.dial(None);
        assert_eq!(invite.lists(Name::Supported, "100rel"), supported);
        assert_eq!(invite.header(Name::Require), require);
        assert_eq!(invite.lists(Name::Allow, "PRACK"), prack_allowed);
    }
}

// RFC 3262 §5: a reliable response to an INVITE without offer would make one.
#[test]
fn an_invite_without_offer_does_not_offer_100rel() {
    let mut stage = with(ON);
    let without = crate::user_agent::Invite {
        body: None,
        ..invite(far())
    };
    stage.agent.invite(stage.now, without);
    stage.drain();
    assert!(!stage.last().lists(Name::Supported, "100rel"));
}

// RFC 3262 §4, RFC 3261 §12.2.1.1: the PRACK is a request of the early dialog.
#[test]
fn a_reliable_response_is_confirmed_in_its_early_dialog() {
    let mut stage = with(ON);
    let (_, invite) = stage.dial(None);
    stage.hears(reliable(&invite, 183, "one", 988_789));
    let prack = stage.last().clone();
    assert_eq!(prack.method(), Some(&Method::Prack));
    assert_eq!(racks(&stage), ["988789 1 INVITE"]);
    assert_eq!(prack.request_uri(), Some("sip:one@10.0.0.9:5070"));
    assert_eq!(prack.header(Name::Route), Some("<sip:one@10.0.0.2;lr>"));
    assert_eq!(prack.call_id(), invite.call_id());
    assert_eq!(prack.from(), invite.from());
    assert_eq!(prack.to().unwrap().tag(), Some("one"));
    assert_eq!(prack.cseq().unwrap().number, 2);
    assert_eq!(stage.told, ["progress 183"]);
}

// RFC 3262 §4: "retransmissions of that response MUST be discarded".
#[test]
fn a_repetition_is_neither_confirmed_nor_told_again() {
    let mut stage = with(ON);
    let (_, invite) = stage.dial(None);
    for _ in 0..3 {
        stage.hears(reliable(&invite, 183, "one", 7));
    }
    assert_eq!(racks(&stage), ["7 1 INVITE"]);
    assert_eq!(stage.told, ["progress 183"]);
}

// RFC 3262 §4: one that is not one higher "MUST NOT be acknowledged with a PRACK, and MUST NOT be processed further".
#[test]
fn a_gap_waits_for_what_is_missing() {
    let mut stage = with(ON);
    let (_, invite) = stage.dial(None);
    stage.hears(reliable(&invite, 183, "one", 7));
    stage.hears(reliable(&invite, 180, "one", 9));
    assert_eq!(racks(&stage), ["7 1 INVITE"]);
    stage.hears(reliable(&invite, 183, "one", 8));
    stage.hears(reliable(&invite, 180, "one", 9));
    assert_eq!(racks(&stage), ["7 1 INVITE", "8 1 INVITE", "9 1 INVITE"]);
    assert_eq!(stage.told, ["progress 183", "progress 183", "progress 180"]);
    let numbers: Vec<u32> = pracks(&stage)
        .iter()
        .map(|prack| prack.cseq().unwrap().number)
        .collect();
    assert_eq!(numbers, [2, 3, 4]);
}

// RFC 3262 §4, RFC 3261 §12.1: each fork has its own dialog, and so its own CSeq and RSeq.
#[test]
fn each_fork_is_confirmed_by_itself() {
    let mut stage = with(ON);
    let (call, invite) = stage.dial(None);
    stage.hears(reliable(&invite, 183, "one", 5));
    stage.hears(reliable(&invite, 183, "two", 100));
    stage.hears(reliable(&invite, 180, "two", 101));
    stage.hears(reliable(&invite, 180, "one", 6));
    assert_eq!(
        racks(&stage),
        ["5 1 INVITE", "100 1 INVITE", "101 1 INVITE", "6 1 INVITE"]
    );
    let dialogs: Vec<(String, u32)> = pracks(&stage)
        .iter()
        .map(|prack| {
            let to = prack.to().unwrap();
            (to.tag().unwrap().to_owned(), prack.cseq().unwrap().number)
        })
        .collect();
    let expected = [("one", 2), ("two", 2), ("two", 3), ("one", 3)];
    assert_eq!(dialogs, expected.map(|(tag, cseq)| (tag.to_owned(), cseq)));

    // The BYEs, of the call and of the fork that answers too late, go on counting where each has got to.
    stage.hears(ok(&invite, "two"));
    stage.hears(ok(&invite, "one"));
    let bye = stage.last().clone();
    assert_eq!(bye.method(), Some(&Method::Bye));
    assert_eq!(
        (bye.to().unwrap().tag(), bye.cseq().unwrap().number),
        (Some("one"), 4)
    );
    stage.agent.hang_up(stage.now, call);
    stage.drain();
    let bye = stage.last().clone();
    assert_eq!(
        (bye.to().unwrap().tag(), bye.cseq().unwrap().number),
        (Some("two"), 4)
    );
}

// RFC 3261 §9.1, RFC 3262 §4: a fork that answers across the CANCEL has had requests before its BYE.
#[test]
fn a_confirmed_fork_that_answers_across_the_cancel_is_hung_up_in_order() {
    let mut stage = with(ON);
    let (call, invite) = stage.dial(None);
    stage.hears(reliable(&invite, 183, "one", 5));
    stage.agent.hang_up(stage.now, call);
    stage.drain();
    assert_eq!(stage.last().method(), Some(&Method::Cancel));
    assert_eq!(stage.last().header(Name::Require), None);
    stage.hears(ok(&invite, "one"));
    let bye = stage.last().clone();
    assert_eq!(
        (bye.method(), bye.cseq().unwrap().number),
        (Some(&Method::Bye), 3)
    );
}

// RFC 3262 §4, RFC 5057 §5.1: the fork may have ended already; the others, and the INVITE, go on.
#[test]
fn a_prack_that_nobody_knows_does_not_end_the_call() {
    for code in [481, 408, 500] {
        let mut stage = with(ON);
        let (_, invite) = stage.dial(None);
        stage.hears(reliable(&invite, 183, "one", 5));
        let prack = stage.last().clone();
        stage.hears(response(&prack, code, "one").build());
        stage.hears(ok(&invite, "one"));
        assert_eq!(stage.told, ["progress 183", "answered"]);
    }
}

#[test]
fn a_prack_is_repeated_until_its_answer_like_any_request() {
    let mut stage = with(ON);
    let (_, invite) = stage.dial(None);
    stage.hears(reliable(&invite, 183, "one", 5));
    let prack = stage.last().clone();
    stage.wait(Duration::from_millis(1_600));
    assert_eq!(
        racks(&stage).len(),
        3,
        "at 0, 500 and 1500 ms (RFC 3261 §17.1.2.2)"
    );
    stage.hears(response(&prack, 200, "one").build());
    stage.wait(Duration::from_millis(20_000));
    assert_eq!(racks(&stage).len(), 3);
}

// RFC 3261 §22.2: with the next number of the early dialog, even after others have been sent.
#[test]
fn a_challenged_prack_is_sent_again_with_credentials() {
    let mut stage = with(ON);
    let mut guard = Guard::new("sip.carrier.test", 1);
    let (_, invite) = stage.dial(Some(Credentials::new("harbour", "secret")));
    stage.hears(reliable_here(&invite, 183, 5));
    let first = stage.last().clone();
    stage.hears(reliable_here(&invite, 180, 6));
    stage.hears(challenge(&first, &mut guard, stage.now, false));
    let again = stage.last().clone();
    assert_eq!(again.method(), Some(&Method::Prack));
    assert_eq!(again.cseq().unwrap().number, 4);
    assert_eq!(again.rack(), first.rack());
    assert!(again.header(Name::ProxyAuthorization).is_some());
}

/// A reliable response of a far end at the peer's own address.
fn reliable_here(invite: &Message, code: u16, rseq: u32) -> Message {
    response(invite, code, "one")
        .header(Name::Contact, "<sip:one@10.0.0.2>")
        .header(Name::Require, "100rel")
        .header(Name::RSeq, rseq)
        .build()
}

// RFC 3262 §4 confirms only what says it is reliable; RFC 3261 §12.1 makes no dialog without a tag.
#[test]
fn what_is_not_reliable_is_not_confirmed() {
    let lines = [
        response(&dialled(ON).1, 183, "a").header(Name::RSeq, 1),
        response(&dialled(ON).1, 183, "a").header(Name::Require, "100rel"),
        response(&dialled(ON).1, 183, "a")
            .header(Name::Require, "100rel")
            .header(Name::RSeq, "4294967296"),
    ];
    for line in lines {
        let mut stage = dialled(ON).0;
        stage.hears(line.build());
        assert_eq!(stage.told, ["progress 183"]);
        assert!(pracks(&stage).is_empty());
    }
    let (mut stage, invite) = dialled(Reliable::Off);
    stage.hears(reliable(&invite, 183, "one", 5));
    assert_eq!(stage.told, ["progress 183"]);
    assert!(pracks(&stage).is_empty(), "never offered");
}

fn dialled(reliable: Reliable) -> (Stage, Message) {
    let mut stage = with(reliable);
    let (_, invite) = stage.dial(None);
    (stage, invite)
}

// RFC 3261 §21.4.15: an odd device objects to an extension that we merely know.
#[test]
fn after_420_the_call_is_made_without_100rel() {
    let (mut stage, invite) = dialled(ON);
    let refusal = response(&invite, 420, "x").header(Name::Unsupported, "100rel");
    stage.hears(refusal.build());
    assert_eq!(stage.sent_methods(), ["INVITE", "ACK", "INVITE"]);
    let again = stage.last().clone();
    assert!(!again.lists(Name::Supported, "100rel"));
    assert_eq!(again.cseq().unwrap().number, 2);
    assert_eq!(
        (again.call_id(), again.from(), again.body()),
        (invite.call_id(), invite.from(), invite.body())
    );
    let refusal = response(&again, 420, "x").header(Name::Unsupported, "100rel");
    stage.hears(refusal.build());
    assert_eq!(stage.told, ["ended: refused 420"], "once");
}

// RFC 3261 §21.4.16.
#[test]
fn after_421_the_call_is_made_with_100rel_demanded() {
    let (mut stage, invite) = dialled(ON);
    stage.hears(
        response(&invite, 421, "x")
            .header(Name::Require, "100rel")
            .build(),
    );
    let again = stage.last().clone();
    assert_eq!(again.header(Name::Require), Some("100rel"));
    assert!(!again.lists(Name::Supported, "100rel"));
    stage.hears(
        response(&again, 421, "x")
            .header(Name::Require, "100rel")
            .build(),
    );
    assert_eq!(stage.told, ["ended: refused 421"], "once");
}

#[test]
fn what_the_operator_decided_is_not_negotiated() {
    let (mut stage, invite) = dialled(Reliable::Required);
    stage.hears(
        response(&invite, 420, "x")
            .header(Name::Unsupported, "100rel")
            .build(),
    );
    assert_eq!(stage.told, ["ended: refused 420"]);
    let (mut stage, invite) = dialled(Reliable::Off);
    stage.hears(
        response(&invite, 421, "x")
            .header(Name::Require, "100rel")
            .build(),
    );
    assert_eq!(stage.told, ["ended: refused 421"]);
    let (mut stage, invite) = dialled(ON);
    stage.hears(
        response(&invite, 421, "x")
            .header(Name::Require, "timer")
            .build(),
    );
    assert_eq!(stage.told, ["ended: refused 421"]);
}

// A re-INVITE after many PRACKs takes the next number of the dialog.
#[test]
fn a_reinvite_counts_on_from_the_pracks() {
    let mut stage = with(ON);
    let (call, invite) = stage.dial(None);
    stage.hears(reliable(&invite, 183, "one", 5));
    stage.hears(reliable(&invite, 180, "one", 6));
    stage.hears(ok(&invite, "one"));
    stage
        .agent
        .reinvite(stage.now, call, Body::sdp("hold"))
        .unwrap();
    stage.drain();
    assert_eq!(stage.last().cseq().unwrap().number, 4);
    assert!(!stage.last().lists(Name::Supported, "100rel"));
}
