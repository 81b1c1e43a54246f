//! Early dialogs: offers made in them (RFC 3311 §5), and their end before the answer (RFC 6228).

use super::inside::CALL;
use super::stage::{Stage, challenge, ok, response};
use super::world::{ANSWERER, CALLER};
use crate::digest::{Credentials, Guard};
use crate::user_agent::{Body, Reply};
use crate::{Message, Method, Name, StatusCode};

/// A reliable response of the fork `tag`.
fn reliable(invite: &Message, code: u16, tag: &str, rseq: u32, body: &'static str) -> Message {
    let response = response(invite, code, tag)
        .header(Name::Contact, format!("<sip:{tag}@10.0.0.2>"))
        .header(Name::Require, "100rel")
        .header(Name::RSeq, rseq);
    match body {
        "" => response.build(),
        body => response.body("application/sdp", body).build(),
    }
}

/// Dials, and each fork answers our offer before anybody picks up, reliably.
fn answered_early(forks: &[&str]) -> (Stage, Message) {
    let mut stage = Stage::of(CALLER);
    let (_, invite) = stage.dial(None);
    for tag in forks {
        stage.hears(reliable(&invite, 183, tag, 1, "answer"));
    }
    stage.told.clear();
    stage.sent.clear();
    (stage, invite)
}

fn code(stage: &Stage) -> u16 {
    stage.last().status().unwrap().code()
}

fn says_yes(stage: &mut Stage) {
    let reply = Reply::new(StatusCode::OK).with_body(Body::sdp("agreed"));
    stage.agent.respond(stage.now, CALL, reply).unwrap();
    stage.drain();
}

impl Stage {
    /// A request of the fork `tag` in the call that our `invite` is to make.
    fn hears_fork(&mut self, invite: &Message, tag: &str, method: &str, cseq: u32, body: &str) {
        let from = format!("{};tag={tag}", invite.to().unwrap());
        let to = invite.from().unwrap().to_string();
        let request = super::inside::request(method, invite, &from, &to, cseq, "", body);
        self.hears_text(&request.replace("z9hG4bK", &format!("z9hG4bK{tag}")));
    }
}

// RFC 3311 §5.2: our offer is answered, theirs is the next.
#[test]
fn an_early_update_with_an_offer_is_taken_once_ours_is_answered() {
    let (mut stage, invite) = answered_early(&["far"]);
    stage.hears_fork(&invite, "far", "UPDATE", 1, "offer");
    assert_eq!(stage.told, ["offered by UPDATE"]);
    assert!(stage.sent.is_empty(), "the user answers");
    says_yes(&mut stage);
    assert_eq!((code(&stage), stage.last().body()), (200, &b"agreed"[..]));
    assert!(stage.last().contact().unwrap().is_some());
    // The call is made all the same, where the UPDATE has moved it.
    stage.hears_fork(&invite, "far", "UPDATE", 2, "offer");
    says_yes(&mut stage);
    stage.hears(ok(&invite, "far"));
    assert_eq!(stage.told.last().unwrap(), "answered");
    assert_eq!(stage.last().method(), Some(&Method::Ack));
}

// RFC 3311 §5.2: 491 while ours is open, whether it was answered not at all, not reliably, or by another fork only.
#[test]
fn an_early_update_meets_our_offer() {
    let mut stage = Stage::of(CALLER);
    let (_, invite) = stage.dial(None);
    stage.hears(ok_early(&invite, "far"));
    stage.hears(reliable(&invite, 180, "far", 1, ""));
    stage.hears(reliable(&invite, 183, "other", 1, "answer"));
    stage.hears_fork(&invite, "far", "UPDATE", 1, "offer");
    assert_eq!(code(&stage), 491);
    stage.hears(reliable(&invite, 183, "far", 2, "answer"));
    stage.hears_fork(&invite, "far", "UPDATE", 2, "offer");
    assert_eq!(stage.told.last().unwrap(), "offered by UPDATE");
}

/// 183 with a description, not to be confirmed: no more than a foretaste of the answer (RFC 3261 §13.2.1).
fn ok_early(invite: &Message, tag: &str) -> Message {
    response(invite, 183, tag)
        .header(Name::Contact, format!("<sip:{tag}@10.0.0.2>"))
        .body("application/sdp", "answer")
        .build()
}

// RFC 3311 §5.2, RFC 3261 §14.2: theirs is open, of this fork or another: 500, and a pause of 0 to 10 s. A re-INVITE is never in time.
#[test]
fn early_offers_that_overlap_are_told_to_wait() {
    let (mut stage, invite) = answered_early(&["one", "two"]);
    stage.hears_fork(&invite, "one", "UPDATE", 1, "offer");
    for fork in ["one", "two"] {
        stage.hears_fork(&invite, fork, "UPDATE", 2, "offer");
        assert_eq!(code(&stage), 500);
        assert!(stage.last().retry_after().unwrap().unwrap().after.as_secs() <= 10);
    }
    stage.hears_fork(&invite, "one", "INVITE", 3, "offer");
    assert_eq!(code(&stage), 491);
    says_yes(&mut stage);
    let answered = stage.last().clone();
    assert_eq!(answered.from().unwrap().tag(), Some("one"));
    stage.hears_fork(&invite, "two", "UPDATE", 3, "offer");
    assert_eq!(stage.told, ["offered by UPDATE"; 2]);
}

// RFC 3261 §15.1.2, §9.1: whatever ends the attempt, an UPDATE that is open gets its answer, and nothing is left.
#[test]
fn an_early_update_that_nobody_answers_any_more_is_refused() {
    type Ending = fn(&mut Stage, &Message);
    let endings: [(Ending, &str); 4] = [
        (
            |stage, _| {
                stage.agent.hang_up(stage.now, CALL);
                stage.drain();
            },
            "ended: by us",
        ),
        (
            |stage, invite| stage.hears(response(invite, 486, "far").build()),
            "ended: refused 486",
        ),
        (|stage, invite| stage.hears(ok(invite, "other")), "answered"),
        (
            |stage, invite| {
                stage.hears(challenge(invite, &mut Guard::new("r", 1), stage.now, false))
            },
            "offered by UPDATE",
        ),
    ];
    for (end, expected) in endings {
        let mut stage = Stage::of(CALLER);
        let (_, invite) = stage.dial(Some(Credentials::new("harbour", "tide")));
        stage.hears(reliable(&invite, 183, "far", 1, "answer"));
        stage.hears_fork(&invite, "far", "UPDATE", 1, "offer");
        end(&mut stage, &invite);
        assert_eq!(stage.told.last().unwrap(), expected);
        let answers = stage
            .sent
            .iter()
            .filter_map(|(_, sent)| Some((sent.status()?.code(), sent.cseq().ok()?.method)));
        assert_eq!(
            answers.collect::<Vec<_>>(),
            [(487, Method::Update)],
            "{expected}"
        );
        assert!(
            stage
                .agent
                .respond(stage.now, CALL, Reply::new(StatusCode::OK))
                .is_err()
        );
    }
}

// RFC 3311 §5.1: the fork that has made an offer is the one that answers; the offer goes on in the call.
#[test]
fn an_early_update_is_answered_after_the_answer() {
    let (mut stage, invite) = answered_early(&["far"]);
    stage.hears_fork(&invite, "far", "UPDATE", 1, "offer");
    stage.hears(ok(&invite, "far"));
    says_yes(&mut stage);
    assert_eq!(
        (code(&stage), stage.last().cseq().unwrap().method),
        (200, Method::Update)
    );
}

/// A call of theirs whose offer we have answered reliably; with `confirmed` they know.
fn answering_early(offer: bool, confirmed: Option<&str>) -> (Stage, Message, Message) {
    let mut stage = Stage::of(ANSWERER);
    let invite = match offer {
        true => stage.hears_invite("Supported: 100rel\n"),
        false => stage.hears_invite_without_offer(),
    };
    let early = Reply::new(StatusCode::SESSION_PROGRESS)
        .with_body(Body::sdp("ours"))
        .reliable();
    stage.agent.respond(stage.now, CALL, early).unwrap();
    stage.drain();
    let early = stage.last().clone();
    if let Some(body) = confirmed {
        let rack = format!("RAck: {} 1 INVITE\n", early.rseq().unwrap().unwrap());
        let (from, to) = (
            invite.from().unwrap().to_string(),
            early.to().unwrap().to_string(),
        );
        stage.hears_text(&super::inside::request(
            "PRACK", &invite, &from, &to, 2, &rack, body,
        ));
        assert_eq!(code(&stage), 200);
    }
    stage.told.clear();
    (stage, invite, early)
}

impl Stage {
    fn hears_invite_without_offer(&mut self) -> Message {
        let text =
            super::stage::inside("INVITE", "far", "", 1, "theirs").replace("10.0.0.2", "10.0.0.1");
        let text = text
            .replace("Content-Length", "Supported: 100rel\nContent-Length")
            .replace('\n', "\r\n");
        let invite = Message::parse(text.into()).unwrap();
        self.hears(invite.clone());
        invite
    }
}

// RFC 3311 §5.2 on the answering side: 500 while their offer is open, 491 while ours is; taken when both are agreed.
#[test]
fn an_answerer_takes_an_early_update_once_the_first_offer_is_agreed() {
    let cases = [
        (true, None, Some(500)),
        (true, Some(""), None),
        (false, None, Some(491)),
        (false, Some("theirs"), None),
    ];
    for (offer, confirmed, refused) in cases {
        let (mut stage, invite, early) = answering_early(offer, confirmed);
        stage.hears_from_caller(&invite, &early, "UPDATE", 3, "offer");
        match refused {
            Some(status) => assert_eq!(code(&stage), status, "{offer} {confirmed:?}"),
            None => assert_eq!(stage.told, ["offered by UPDATE"], "{offer} {confirmed:?}"),
        }
    }
    let (mut stage, invite, early) = answering_early(true, Some(""));
    stage.hears_from_caller(&invite, &early, "UPDATE", 3, "offer");
    stage.hears_from_caller(&invite, &early, "UPDATE", 4, "offer");
    assert_eq!(code(&stage), 500, "one at a time");
    says_yes(&mut stage);
    assert_eq!(
        (code(&stage), stage.last().cseq().unwrap().method),
        (200, Method::Update)
    );
    // And then the INVITE has its answer.
    says_yes(&mut stage);
    assert_eq!(
        (code(&stage), stage.last().cseq().unwrap().method),
        (200, Method::Invite)
    );
    stage.hears_from_caller(&invite, &early, "ACK", 1, "");
    stage.hears_from_caller(&invite, &early, "BYE", 5, "");
    assert_eq!(
        stage.told,
        ["offered by UPDATE", "acknowledged", "ended: by them"]
    );
}

// RFC 6228 §4: whoever sends an INVITE says that it understands.
#[test]
fn an_invite_says_that_199_is_understood() {
    let mut stage = Stage::of(CALLER);
    let (_, invite) = stage.dial(None);
    assert!(invite.lists(Name::Supported, "199"));
}

// RFC 6228 §4: that early dialog ends, the others and the INVITE go on.
#[test]
fn a_199_ends_its_early_dialog_alone() {
    let (mut stage, invite) = answered_early(&["one", "two"]);
    stage.hears(response(&invite, 199, "one").build());
    assert_eq!(stage.told, ["progress 199"]);
    for (fork, expected) in [("one", 481), ("two", 200)] {
        stage.hears_fork(&invite, fork, "UPDATE", 1, "");
        assert_eq!(code(&stage), expected, "{fork}");
    }
    stage.hears(ok(&invite, "two"));
    assert_eq!(stage.told.last().unwrap(), "answered");
}

// RFC 6228 §4, RFC 3262 §4: one that is sent reliably is confirmed like any other.
#[test]
fn a_reliable_199_is_confirmed() {
    let (mut stage, invite) = answered_early(&["one"]);
    stage.hears(reliable(&invite, 199, "one", 2, ""));
    assert_eq!(stage.sent_methods(), ["PRACK"]);
    assert_eq!(stage.last().header(Name::RAck), Some("2 1 INVITE"));
}

// RFC 6228 §4: an answer that comes all the same is an answer; its dialog goes on counting (RFC 3261 §12.2.1.1).
#[test]
fn a_fork_that_answers_after_its_199_is_answered() {
    let (mut stage, invite) = answered_early(&["one"]);
    stage.hears(response(&invite, 199, "one").build());
    stage.hears(ok(&invite, "one"));
    assert_eq!(stage.told.last().unwrap(), "answered");
    stage.agent.hang_up(stage.now, CALL);
    stage.drain();
    let bye = stage.last();
    // The INVITE was 1, the PRACK 2.
    assert_eq!(
        (bye.method(), bye.cseq().unwrap().number),
        (Some(&Method::Bye), 3)
    );
}

// RFC 6228 §4: no final response: the call may still be given up, and is waited for.
#[test]
fn a_call_all_of_whose_forks_have_ended_can_be_given_up() {
    let (mut stage, invite) = answered_early(&["one"]);
    stage.hears(response(&invite, 199, "one").build());
    stage.agent.hang_up(stage.now, CALL);
    stage.drain();
    assert_eq!(stage.last().method(), Some(&Method::Cancel));
    stage.hears(response(&invite, 487, "one").build());
    stage.wait_until_idle();
}
