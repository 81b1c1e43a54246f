//! Provisional responses that are confirmed (RFC 3262).

use std::time::Duration;

use super::inside::CALL;
use super::stage::{Stage, challenge, far, ok, response};
use super::world::{ANSWERER, Answers, BAD, CALLER, GOOD, Plan, World, invite};
use crate::digest::{Credentials, Guard};
use crate::user_agent::{Body, Reliable, Reply};
use crate::{Message, Method, Name, StatusCode};

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

// RFC 3262 §4: a response that comes again is dropped.
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

// RFC 3262 §4: one that is not one higher gets no PRACK and is not looked at.
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

/// An agent that is called by somebody who says `more` of 100rel.
fn called(reliable: Reliable, more: &str) -> Stage {
    let mut stage = Stage::with(ANSWERER, |options| options.reliable = reliable);
    let invite = format!(
        "INVITE sip:housecall@10.0.0.2 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKinvite\nMax-Forwards: 70\n\
         From: <sip:far@10.0.0.1>;tag=far\nTo: <sip:housecall@10.0.0.2>\nCall-ID: c\nCSeq: 7 INVITE\n\
         Contact: <sip:far@10.0.0.1>\n{more}Content-Type: application/sdp\nContent-Length: 5\n\noffer"
    );
    stage.hears_text(&invite);
    stage
}

/// The far end confirms `response`, or another one by its number.
fn prack(response: &Message, cseq: u32, rack: &str, body: &str) -> String {
    let kind = match body {
        "" => "",
        _ => "Content-Type: application/sdp\n",
    };
    format!(
        "PRACK sip:housecall@10.0.0.2 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK{cseq}\nMax-Forwards: 70\n\
         From: <sip:far@10.0.0.1>;tag=far\nTo: {}\nCall-ID: c\nCSeq: {cseq} PRACK\nRAck: {rack}\n{kind}Content-Length: {}\n\n{body}",
        response.header(Name::To).unwrap(),
        body.len()
    )
}

fn rack_of(response: &Message) -> String {
    format!(
        "{} {}",
        response.rseq().unwrap().unwrap(),
        response.header(Name::CSeq).unwrap()
    )
}

fn codes(stage: &Stage) -> Vec<u16> {
    let sent = stage
        .sent
        .iter()
        .filter_map(|(_, message)| message.status());
    sent.map(StatusCode::code).collect()
}

fn says(stage: &mut Stage, reply: Reply) {
    stage.agent.respond(stage.now, CALL, reply).unwrap();
    stage.drain();
}

fn early() -> Reply {
    Reply::new(StatusCode::SESSION_PROGRESS)
        .with_body(Body::sdp("answer"))
        .reliable()
}

// RFC 3262 §3: after T1, then after pauses that double, until the PRACK.
#[test]
fn our_response_is_repeated_until_its_prack() {
    let mut stage = called(ON, "Supported: timer, 100REL\n");
    says(&mut stage, early());
    let response = stage.last().clone();
    assert!(response.lists(Name::Require, "100rel"));
    assert!(response.contact().unwrap().is_some());
    stage.wait(Duration::from_millis(7_600));
    assert_eq!(
        codes(&stage),
        [100, 183, 183, 183, 183, 183],
        "at 0.5, 1.5, 3.5 and 7.5 s"
    );
    let first = response.bytes();
    assert!(
        stage.sent[1..]
            .iter()
            .all(|(_, again)| again.bytes() == first)
    );
    stage.hears_text(&prack(&response, 8, &rack_of(&response), ""));
    stage.wait(Duration::from_secs(60));
    assert_eq!(codes(&stage)[6..], [200]);
    assert_eq!(stage.told, ["invited", "confirmed"]);
}

// RFC 3262 §3: without a PRACK in time the INVITE is refused with a 5xx.
#[test]
fn without_a_prack_the_invite_is_refused_after_64_t1() {
    let mut stage = called(ON, "Supported: 100rel\n");
    says(&mut stage, early());
    let start = stage.now;
    stage.wait_for("ended: not acknowledged");
    assert_eq!(stage.now - start, Duration::from_secs(32));
    assert_eq!(
        stage.last().status(),
        Some(StatusCode::SERVER_INTERNAL_ERROR)
    );
}

// RFC 3262 §3: the second waits for the PRACK of the first.
#[test]
fn the_second_response_waits_for_the_first() {
    let mut stage = called(ON, "Supported: 100rel\n");
    says(&mut stage, early());
    says(&mut stage, Reply::new(StatusCode::RINGING).reliable());
    assert_eq!(codes(&stage), [100, 183]);
    let first = stage.last().clone();
    stage.hears_text(&prack(&first, 8, &rack_of(&first), ""));
    assert_eq!(codes(&stage), [100, 183, 200, 180]);
    let second = stage.last().clone();
    let number = |message: &Message| message.rseq().unwrap().unwrap();
    assert_eq!(number(&first).next(), Some(number(&second)));
}

// RFC 3262 §3, §5: the answer was in the 183, so the 200 must not overtake it.
#[test]
fn a_2xx_waits_for_the_prack_of_the_answer() {
    let mut stage = called(ON, "Supported: 100rel\n");
    says(&mut stage, early());
    let response = stage.last().clone();
    says(&mut stage, Reply::new(StatusCode::OK));
    assert_eq!(codes(&stage), [100, 183]);
    let again = stage
        .agent
        .respond(stage.now, CALL, Reply::new(StatusCode::OK));
    assert!(again.is_err(), "it is answered already");
    stage.hears_text(&prack(&response, 8, &rack_of(&response), ""));
    assert_eq!(codes(&stage), [100, 183, 200, 200]);
    assert_eq!(stage.last().cseq().unwrap().method, Method::Invite);
}

// RFC 3262 §3: a response without a session may be overtaken; it is not repeated then, but its PRACK is still answered.
#[test]
fn a_2xx_overtakes_mere_ringing() {
    let mut stage = called(ON, "Supported: 100rel\n");
    says(&mut stage, Reply::new(StatusCode::RINGING).reliable());
    let ringing = stage.last().clone();
    says(
        &mut stage,
        Reply::new(StatusCode::OK).with_body(Body::sdp("answer")),
    );
    stage.wait(Duration::from_millis(1_600));
    assert_eq!(codes(&stage), [100, 180, 200, 200, 200]);
    for expected in [200, 481] {
        let cseq = 8 + u32::from(expected == 481);
        stage.hears_text(&prack(&ringing, cseq, &rack_of(&ringing), ""));
        assert_eq!(stage.last().status().unwrap().code(), expected);
    }
}

// RFC 3262 §3: a PRACK that matches nothing gets 481, and changes nothing.
#[test]
fn a_prack_of_something_else_is_refused() {
    let mut stage = called(ON, "Supported: 100rel\n");
    says(&mut stage, early());
    let response = stage.last().clone();
    let rseq = response.rseq().unwrap().unwrap().number();
    let wrong = [
        (format!("{} 7 INVITE", rseq + 1), 481),
        (format!("{rseq} 8 INVITE"), 481),
        (format!("{rseq} 7 OPTIONS"), 481),
        ("nonsense".to_owned(), 400),
    ];
    for (cseq, (rack, expected)) in (8..).zip(wrong) {
        stage.hears_text(&prack(&response, cseq, &rack, ""));
        assert_eq!(stage.last().status().unwrap().code(), expected, "{rack}");
    }
    stage.hears_text(&prack(&response, 20, &rack_of(&response), ""));
    stage.hears_text(&prack(&response, 20, &rack_of(&response), ""));
    assert_eq!(
        codes(&stage)[6..],
        [200, 200],
        "and repeated, the same again (RFC 3261 §17.2.2)"
    );
    assert_eq!(stage.told, ["invited", "confirmed"]);
}

// RFC 3262 §5: the PRACK may make a new offer; we have nothing new to say before the answer.
#[test]
fn a_new_offer_in_the_prack_is_refused_and_the_response_confirmed() {
    let mut stage = called(ON, "Supported: 100rel\n");
    says(&mut stage, early());
    let response = stage.last().clone();
    stage.hears_text(&prack(&response, 8, &rack_of(&response), "offer"));
    assert_eq!(stage.last().status(), Some(StatusCode::NOT_ACCEPTABLE_HERE));
    assert_eq!(stage.told, ["invited", "confirmed"]);
}

// RFC 3262 §3, RFC 3261 §8.2.2.3: what each side can do decides.
#[test]
fn both_sides_have_to_know_100rel() {
    let ringing = || Reply::new(StatusCode::RINGING);
    let mut stage = called(ON, "");
    says(&mut stage, ringing().reliable());
    assert_eq!(stage.last().rseq(), Ok(None), "the caller does not");

    let mut stage = called(ON, "Require: 100rel\n");
    assert_eq!(stage.last().rseq(), Ok(None), "never 100");
    says(&mut stage, ringing());
    assert!(
        stage.last().rseq().unwrap().is_some(),
        "the caller demands it"
    );

    let stage = called(Reliable::Off, "Require: 100rel\n");
    assert_eq!(codes(&stage), [420]);
    assert!(stage.last().lists(Name::Unsupported, "100rel"));

    let stage = called(Reliable::Required, "Supported: timer\n");
    assert_eq!(codes(&stage), [421]);
    assert_eq!(stage.last().header(Name::Require), Some("100rel"));
}

#[test]
fn a_refusal_waits_for_nobody() {
    let mut stage = called(ON, "Supported: 100rel\n");
    says(&mut stage, early());
    says(&mut stage, Reply::new(StatusCode::OK));
    says(&mut stage, Reply::new(StatusCode::BUSY_HERE));
    assert_eq!(codes(&stage), [100, 183, 486]);
    assert_eq!(stage.told, ["invited", "ended: by us"]);
}

#[test]
fn both_sides_of_one_conversation() {
    let mut world = World::new(1, GOOD);
    world.answers = Answers::ReliablyAfter(Duration::from_secs(2));
    world.dial();
    world.plan(Duration::from_secs(10), Plan::HangUp(CALLER));
    world.run(Duration::from_secs(120));
    assert_eq!(
        world.told[CALLER],
        ["progress 183", "answered", "ended: by us"]
    );
    let expected = ["invited", "confirmed", "acknowledged", "ended: by them"];
    assert_eq!(world.told[ANSWERER], expected);
    assert_eq!(world.has_arrived("PRACK"), 1);
    assert!(world.is_idle());
}

/// However bad the network: nobody is answered who has not heard the early answer before, once and in order, and no call is stuck.
#[test]
fn an_early_answer_is_heard_before_the_answer_on_a_bad_network() {
    let mut answered = 0;
    for seed in 0..300 {
        let mut world = World::new(seed, BAD);
        world.answers = Answers::ReliablyAfter(Duration::from_millis(seed * 10));
        world.dial();
        world.plan(Duration::from_secs(40 + seed % 20), Plan::HangUp(CALLER));
        world.plan(Duration::from_secs(41 + seed % 20), Plan::HangUp(ANSWERER));
        world.run(Duration::from_secs(200));
        let told = &world.told[CALLER];
        assert!(world.is_idle(), "seed {seed}: {:?}", world.told);
        let early = told.iter().filter(|words| *words == "progress 183").count();
        assert!(early <= 1, "seed {seed}: {told:?}");
        if told.contains(&"answered".to_owned()) {
            assert_eq!(told[0], "progress 183", "seed {seed}: {told:?}");
            answered += 1;
        }
    }
    assert!(answered > 250, "{answered}");
}
