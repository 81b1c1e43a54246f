//! Questions outside any call: OPTIONS and REGISTER.

use std::time::Duration;

use super::stage::{Stage, challenge, far, response};
use super::world::CALLER;
use crate::digest::{Credentials, Guard};
use crate::user_agent::{Ask, Input};
use crate::{Method, Name, NameAddr, Uri};

fn register() -> Ask {
    Ask {
        method: Method::Register,
        to_peer: far(),
        uri: Uri::parse("sip:sip.carrier.test").unwrap(),
        from: NameAddr::parse("<sip:harbour@sip.carrier.test>").unwrap(),
        to: NameAddr::parse("<sip:harbour@sip.carrier.test>").unwrap(),
        headers: vec![
            (
                "Contact".to_owned(),
                "<sip:harbour@10.0.0.1:5060>".to_owned(),
            ),
            ("Expires".to_owned(), "300".to_owned()),
        ],
        body: None,
        credentials: Some(Credentials::new("harbour", "secret")),
        call_id: Some("registration-7".to_owned()),
        cseq: Some(41),
    }
}

fn options() -> Ask {
    Ask {
        method: Method::Options,
        headers: Vec::new(),
        call_id: None,
        cseq: None,
        ..register()
    }
}

impl Stage {
    fn ask(&mut self, ask: Ask) {
        self.agent.ask(self.now, ask);
        self.drain();
    }
}

// RFC 3261 §10.2.
#[test]
fn a_register_carries_what_its_caller_says() {
    let mut stage = Stage::of(CALLER);
    stage.ask(register());
    let register = stage.last().clone();
    assert_eq!(register.call_id(), Ok("registration-7"));
    assert_eq!(register.cseq().unwrap().number, 41);
    let contact = register.contact().unwrap().unwrap();
    assert_eq!(contact.uri.as_str(), "sip:harbour@10.0.0.1:5060");
    assert_eq!(register.headers(Name::Contact).count(), 1);
    assert_eq!(register.expires(), Ok(Some(Duration::from_secs(300))));
    stage.hears(response(&register, 200, "r").build());
    assert_eq!(stage.told, ["replied 200"]);
    stage.wait_until_idle();
}

// RFC 3261 §22.2: the same Call-ID and From, the next CSeq, a new branch.
#[test]
fn a_challenged_question_is_asked_again_with_credentials() {
    for ask in [register(), options()] {
        let mut stage = Stage::of(CALLER);
        let mut guard = Guard::new("sip.carrier.test", 1);
        stage.ask(ask);
        let first = stage.last().clone();
        stage.hears(challenge(&first, &mut guard, stage.now, false));
        let second = stage.last().clone();
        assert_eq!(second.method(), first.method());
        assert_eq!(second.call_id(), first.call_id());
        assert_eq!(second.from(), first.from());
        let (number, branch) = (first.cseq().unwrap().number, first.via().unwrap());
        assert_eq!(second.cseq().unwrap().number, number + 1);
        assert_ne!(second.via().unwrap().branch(), branch.branch());
        let answers = second.authorizations(Name::ProxyAuthorization);
        let request = (second.method().unwrap(), second.request_uri().unwrap());
        let harbour = Credentials::new("harbour", "secret");
        let checked = guard.check(stage.now, &answers[0], request, &harbour);
        assert_eq!(checked, Ok(()));
        stage.hears(response(&second, 200, "r").build());
        assert_eq!(stage.told, ["replied 200"]);
        stage.wait_until_idle();
    }
}

#[test]
fn a_refusal_is_a_reply_too() {
    let mut stage = Stage::of(CALLER);
    stage.ask(register());
    let register = stage.last().clone();
    let brief = response(&register, 423, "r").header(Name::MinExpires, "1800");
    stage.hears(brief.build());
    assert_eq!(stage.told, ["replied 423"]);
    assert_eq!(stage.sent_methods(), ["REGISTER"], "and no ACK");
}

#[test]
fn a_challenge_that_cannot_be_answered_is_the_reply() {
    let mut stage = Stage::of(CALLER);
    let mut guard = Guard::new("sip.carrier.test", 1);
    let credentials = None;
    stage.ask(Ask {
        credentials,
        ..options()
    });
    let options = stage.last().clone();
    stage.hears(challenge(&options, &mut guard, stage.now, false));
    assert_eq!(stage.told, ["replied 407"]);
    assert_eq!(stage.sent.len(), 1);
}

// RFC 3261 §17.1.2.2: timer F.
#[test]
fn silence_fails_after_64_t1() {
    let mut stage = Stage::of(CALLER);
    stage.ask(options());
    let start = stage.now;
    stage.wait_until_idle();
    assert_eq!(stage.now - start, Duration::from_secs(32));
    assert_eq!(stage.told, ["ask failed: Unanswered"]);
}

#[test]
fn a_closed_port_fails_at_once() {
    let mut stage = Stage::of(CALLER);
    stage.ask(options());
    let peer = far();
    stage
        .agent
        .handle_input(stage.now, Input::TransportFailed { peer });
    stage.drain();
    assert_eq!(stage.told, ["ask failed: Unreachable"]);
    assert!(stage.agent.is_idle());
}

#[test]
fn only_questions_can_be_asked() {
    for method in [Method::Invite, Method::Ack, Method::Cancel] {
        let mut stage = Stage::of(CALLER);
        stage.ask(Ask {
            method,
            ..options()
        });
        assert_eq!(stage.told, ["ask failed: Unreachable"]);
        assert!(stage.sent.is_empty());
    }
}

#[test]
fn an_answer_and_its_repetition_are_told_once() {
    let mut stage = Stage::of(CALLER);
    stage.ask(options());
    let options = stage.last().clone();
    for code in [100, 200, 200] {
        stage.hears(response(&options, code, "r").build());
    }
    assert_eq!(stage.told, ["replied 200"]);
}
