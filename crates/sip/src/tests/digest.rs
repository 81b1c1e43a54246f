//! Challenges answered and answers verified.

use std::time::{Duration, Instant};

use super::wire;
use crate::digest::{
    Algorithm, Attempt, Authorization, Challenge, Credentials, Denied, Guard, Unanswerable, answer,
};
use crate::header::Name;
use crate::message::Message;
use crate::method::Method;

const URI: &str = "sip:+61491570006@sip.carrier.test";

fn attempt(nonce_count: u32) -> Attempt<'static> {
    Attempt {
        method: &Method::Invite,
        uri: URI,
        cnonce: "0a4f113b",
        nonce_count,
    }
}

fn harbour() -> Credentials {
    Credentials::new("harbour", "street")
}

// RFC 2617 §3.5 and RFC 7616 §3.9.1 give the hashes.
#[test]
fn vectors_of_the_standards() {
    let challenge = |algorithm: &str| {
        let text = format!(
            "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, \
             nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
        );
        Challenge::parse_all(&text).remove(0)
    };
    let attempt = Attempt {
        method: &Method::Other("GET".to_owned()),
        uri: "/dir/index.html",
        cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
        nonce_count: 1,
    };
    let mufasa = Credentials::new("Mufasa", "Circle of Life");
    let response = |algorithm| {
        challenge(algorithm)
            .answer(&mufasa, attempt)
            .unwrap()
            .response
    };
    assert_eq!(response("MD5"), "8ca523f5e9506fed4657c9700eebdbec");
    assert_eq!(
        response("SHA-256"),
        "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
    );
}

// RFC 2069 §2.4 as corrected by its erratum 749.
#[test]
fn a_challenge_without_qop_is_answered_the_old_way() {
    let text = r#"Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41""#;
    let challenge = Challenge::parse_all(text).remove(0);
    let mufasa = Credentials::new("Mufasa", "CircleOfLife");
    let get = Method::Other("GET".to_owned());
    let attempt = Attempt {
        method: &get,
        uri: "/dir/index.html",
        cnonce: "unused",
        nonce_count: 1,
    };
    let answer = challenge.answer(&mufasa, attempt).unwrap();
    assert_eq!(answer.response, "1949323746fe6a43ef61f9606e7febea");
    assert_eq!((answer.protection, answer.algorithm), (None, None));
}

fn unauthorized(lines: &str) -> Message {
    Message::parse(wire(&format!("SIP/2.0 401 Unauthorized\n{lines}\n"))).unwrap()
}

#[test]
fn the_strongest_challenge_we_speak_is_answered() {
    let response = unauthorized(
        r#"WWW-Authenticate: Basic realm="t"
        WWW-Authenticate: Digest realm="t", nonce="0", algorithm=SHA-512, qop="auth"
        WWW-Authenticate: Digest realm="t", nonce="1", algorithm=MD5, qop="auth"
        WWW-Authenticate: Digest realm="t", nonce="2", algorithm=SHA-256, qop="auth-int,auth"
        WWW-Authenticate: Digest realm="t", nonce="3", algorithm=SHA-256, qop="auth""#,
    );
    let answers = answer(&response, &harbour(), attempt(1)).unwrap();
    let [(name, chosen)] = answers.as_slice() else {
        panic!("{answers:?}");
    };
    assert_eq!(*name, Name::Authorization);
    assert_eq!(
        (chosen.algorithm, chosen.nonce.as_str()),
        (Some(Algorithm::Sha256), "2")
    );
}

#[test]
fn each_realm_and_each_kind_gets_its_answer() {
    let response = unauthorized(
        r#"WWW-Authenticate: Digest realm="t", nonce="1"
        Proxy-Authenticate: Digest realm="p", nonce="2"
        Proxy-Authenticate: Digest realm="q", nonce="3""#,
    );
    let answers = answer(&response, &harbour(), attempt(1)).unwrap();
    let named: Vec<_> = answers
        .iter()
        .map(|(name, answer)| (name.as_str(), answer.realm.as_str()))
        .collect();
    assert_eq!(
        named,
        [
            ("Authorization", "t"),
            ("Proxy-Authorization", "p"),
            ("Proxy-Authorization", "q")
        ]
    );
}

#[test]
fn what_cannot_be_answered_says_why() {
    let none = unauthorized("WWW-Authenticate: Basic realm=\"t\"");
    assert_eq!(
        answer(&none, &harbour(), attempt(1)),
        Err(Unanswerable::NoChallenge)
    );
    let odd = unauthorized(
        r#"WWW-Authenticate: Digest realm="t", nonce="1", algorithm=MD5-sess
        WWW-Authenticate: Digest realm="t", nonce="1", qop="auth-int""#,
    );
    assert_eq!(
        answer(&odd, &harbour(), attempt(1)),
        Err(Unanswerable::Unsupported { offered: 2 })
    );
}

#[test]
fn the_nonce_count_is_eight_hexadecimal_digits() {
    let challenge = Challenge::parse_all(r#"Digest realm="t", nonce="1", qop="auth""#).remove(0);
    let text = challenge
        .answer(&harbour(), attempt(26))
        .unwrap()
        .to_string();
    assert!(
        text.contains("qop=auth, nc=0000001a, cnonce=\"0a4f113b\""),
        "{text}"
    );
    assert_eq!(Authorization::parse(&text).unwrap().to_string(), text);
}

#[test]
fn quoted_values_are_repeated_letter_by_letter() {
    let challenge = Challenge::parse_all(r#"Digest realm="the \"inner\" realm", nonce="a,b=c=="#)
        .first()
        .cloned();
    assert_eq!(challenge, None, "a quote that never ends");
    let text = r#"Digest realm="the \"inner\" realm", nonce="a,b=c==""#;
    let challenge = Challenge::parse_all(text).remove(0);
    let answer = challenge
        .answer(&Credentials::new("o\"neil", "x"), attempt(1))
        .unwrap();
    let text = answer.to_string();
    assert!(
        text.contains(r#"username="o\"neil", realm="the \"inner\" realm", nonce="a,b=c==""#),
        "{text}"
    );
    assert_eq!(Authorization::parse(&text), Ok(answer));
}

#[test]
fn a_password_is_never_printed() {
    assert_eq!(
        format!("{:?}", harbour()),
        "Credentials(harbour, password kept)"
    );
}

/// A carrier and a caller who talk through header values.
struct Door {
    guard: Guard,
    now: Instant,
}

impl Door {
    fn new() -> Door {
        Door {
            guard: Guard::new("sip.carrier.test", 7),
            now: Instant::now(),
        }
    }

    fn challenges(&mut self) -> Vec<Challenge> {
        let values = self.guard.challenge(self.now, false);
        values
            .iter()
            .flat_map(|value| Challenge::parse_all(value))
            .collect()
    }

    fn knock(&mut self, answer: &Authorization) -> Result<(), Denied> {
        let answer = Authorization::parse(&answer.to_string()).unwrap();
        self.guard
            .check(self.now, &answer, (&Method::Invite, URI), &harbour())
    }
}

#[test]
fn both_algorithms_open_the_door() {
    for which in [0, 1] {
        let mut door = Door::new();
        let challenge = door.challenges().remove(which);
        let answer = challenge.answer(&harbour(), attempt(1)).unwrap();
        assert_eq!(door.knock(&answer), Ok(()));
    }
}

#[test]
fn an_overheard_answer_opens_nothing() {
    let mut door = Door::new();
    let challenge = door.challenges().remove(0);
    let first = challenge.answer(&harbour(), attempt(1)).unwrap();
    assert_eq!(door.knock(&first), Ok(()));
    assert_eq!(
        door.knock(&first),
        Err(Denied::Replayed { count: 1, last: 1 })
    );
    let second = challenge.answer(&harbour(), attempt(2)).unwrap();
    assert_eq!(door.knock(&second), Ok(()));
}

#[test]
fn an_old_nonce_is_stale_and_an_unknown_one_too() {
    let mut door = Door::new();
    let challenge = door.challenges().remove(0);
    let answer = challenge.answer(&harbour(), attempt(1)).unwrap();
    door.now += Duration::from_secs(301);
    assert_eq!(door.knock(&answer), Err(Denied::Stale));
    let invented = Challenge {
        nonce: "mine".to_owned(),
        ..challenge
    };
    let answer = invented.answer(&harbour(), attempt(1)).unwrap();
    assert_eq!(door.knock(&answer), Err(Denied::Stale));
    assert!(door.guard.challenge(door.now, true)[0].contains("stale=true"));
}

#[test]
fn the_wrong_password_user_realm_or_target_stays_outside() {
    let mut door = Door::new();
    let challenge = door.challenges().remove(0);
    let answer_as = |credentials: &Credentials| challenge.answer(credentials, attempt(1)).unwrap();
    let wrong = answer_as(&Credentials::new("harbour", "guess"));
    assert_eq!(door.knock(&wrong), Err(Denied::WrongPassword));
    let stranger = answer_as(&Credentials::new("nobody", "street"));
    assert_eq!(door.knock(&stranger), Err(Denied::Elsewhere("user")));
    let elsewhere = Authorization {
        uri: "sip:premium@x".to_owned(),
        ..answer_as(&harbour())
    };
    assert_eq!(
        door.knock(&elsewhere),
        Err(Denied::Elsewhere("Request-URI"))
    );
    let other = Authorization {
        realm: "x".to_owned(),
        ..answer_as(&harbour())
    };
    assert_eq!(door.knock(&other), Err(Denied::Elsewhere("realm")));
}

#[test]
fn nonces_are_not_hoarded() {
    let mut door = Door::new();
    let first = door
        .challenges()
        .remove(0)
        .answer(&harbour(), attempt(1))
        .unwrap();
    for _ in 0..5000 {
        door.challenges();
    }
    assert_eq!(door.knock(&first), Err(Denied::Stale));
    let last = door
        .challenges()
        .remove(0)
        .answer(&harbour(), attempt(1))
        .unwrap();
    assert_eq!(door.knock(&last), Ok(()));
}
