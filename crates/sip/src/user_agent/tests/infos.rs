//! INFO, and what a telephone refuses inside and outside a call.

use super::inside::CALL;
use super::stage::{Stage, inside, ok, response};
use super::world::{ANSWERER, CALLER};
use crate::Message;
use crate::Name;
use crate::user_agent::Body;

fn key(signal: &str) -> Body {
    Body {
        content_type: "application/dtmf-relay".to_owned(),
        bytes: format!("Signal={signal}\r\nDuration=160\r\n").into(),
    }
}

fn open() -> (Stage, Message) {
    let mut stage = Stage::of(CALLER);
    let (_, invite) = stage.dial(None);
    stage.hears(ok(&invite, "far"));
    stage.told.clear();
    stage.sent.clear();
    (stage, invite)
}

fn bodies(stage: &Stage) -> Vec<String> {
    let sent = stage.sent.iter().map(|(_, message)| message);
    let text = |message: &Message| String::from_utf8(message.body().to_vec()).unwrap();
    sent.map(|message| text(message)[..8].to_owned()).collect()
}

// RFC 6086 §4.1.
#[test]
fn keys_are_sent_one_after_the_other() {
    let (mut stage, _) = open();
    for signal in ["1", "2", "#"] {
        stage.agent.info(stage.now, CALL, key(signal)).unwrap();
    }
    stage.drain();
    assert_eq!(bodies(&stage), ["Signal=1"]);
    for (code, told) in [(200, "info answered 200"), (481, "info answered 481")] {
        let info = stage.last().clone();
        assert_eq!(
            info.header(Name::ContentType),
            Some("application/dtmf-relay")
        );
        stage.hears(response(&info, code, "far").build());
        assert_eq!(stage.told.last().unwrap(), told);
    }
    assert_eq!(bodies(&stage), ["Signal=1", "Signal=2", "Signal=#"]);
    let numbers = stage
        .sent
        .iter()
        .map(|(_, info)| info.cseq().unwrap().number);
    assert_eq!(numbers.collect::<Vec<_>>(), [2, 3, 4]);
    stage.agent.hang_up(stage.now, CALL);
    stage.drain();
    assert_eq!(
        stage.told.last().unwrap(),
        "ended: by us",
        "a refused key ends no call"
    );
}

#[test]
fn a_key_that_nobody_answers_makes_room_for_the_next() {
    let (mut stage, _) = open();
    stage.agent.info(stage.now, CALL, key("1")).unwrap();
    stage.agent.info(stage.now, CALL, key("2")).unwrap();
    stage.drain();
    stage.wait_for("info answered 408");
    assert_eq!(bodies(&stage).last().unwrap(), "Signal=2");
}

#[test]
fn keys_do_not_pile_up() {
    let (mut stage, _) = open();
    let mut press = || stage.agent.info(stage.now, CALL, key("1"));
    assert!(
        (0..33).all(|_| press().is_ok()),
        "one on its way, 32 behind it"
    );
    assert!(press().is_err());
}

#[test]
fn nothing_is_sent_before_the_answer_or_after_the_end() {
    let mut stage = Stage::of(CALLER);
    let (call, invite) = stage.dial(None);
    assert!(stage.agent.info(stage.now, call, key("1")).is_err());
    stage.hears(ok(&invite, "far"));
    stage.agent.hang_up(stage.now, call);
    assert!(stage.agent.info(stage.now, call, key("1")).is_err());
}

fn info(invite: &Message, number: u32, content_type: &str, more: &str, body: &str) -> String {
    let ours = invite.from().unwrap().tag().unwrap().to_owned();
    let head = inside("INFO", "far", &ours, number, invite.call_id().unwrap());
    let fields = format!(
        "Content-Type: {content_type}\n{more}Content-Length: {}\n\n{body}",
        body.len()
    );
    head.replace("Content-Length: 0\n\n", &fields)
}

// RFC 6086 §4.2.2.
#[test]
fn a_key_of_the_other_side_is_told_and_what_nobody_reads_is_refused() {
    let (mut stage, invite) = open();
    let cases = [
        ("application/dtmf-relay", "", "Signal=5", 200),
        ("APPLICATION/DTMF;x=y", "", "5", 200),
        ("application/media_control+xml", "", "<x/>", 415),
        (
            "application/dtmf-relay",
            "Info-Package: infoDtmf\n",
            "Signal=5",
            469,
        ),
        ("application/dtmf", "", "", 200),
    ];
    for (number, (kind, more, body, expected)) in (10..).zip(cases) {
        stage.hears_text(&info(&invite, number, kind, more, body));
        assert_eq!(
            stage.last().status().unwrap().code(),
            expected,
            "{kind} {more}"
        );
    }
    assert_eq!(stage.told, ["info Signal=5", "info 5"]);
}

// RFC 3515 §2.4.2, RFC 6665 §4.2.1.1, RFC 3261 §8.2.1, §12.2.2.
#[test]
fn nobody_has_us_do_anything_outside_a_call() {
    for side in [CALLER, ANSWERER] {
        let mut stage = Stage::of(side);
        for method in [
            "REFER",
            "SUBSCRIBE",
            "NOTIFY",
            "MESSAGE",
            "REGISTER",
            "PUBLISH",
        ] {
            stage.hears_text(&inside(method, "a", "", 7, ""));
            assert_eq!(stage.last().status().unwrap().code(), 405, "{method}");
            assert!(stage.last().header(Name::Allow).is_some(), "{method}");
        }
        stage.hears_text(&inside("INFO", "a", "b", 7, ""));
        assert_eq!(stage.last().status().unwrap().code(), 481);
        assert!(stage.told.is_empty() && stage.agent.is_idle());
    }
}
