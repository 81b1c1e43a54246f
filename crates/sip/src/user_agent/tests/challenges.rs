//! Challenges: who gets an answer, how often, and what an answer is good for afterwards.

use super::inside::CALL;
use super::stage::{Stage, challenge, far, response};
use super::world::CALLER;
use crate::digest::{Algorithm, Authorization, Credentials, Denied, Guard};
use crate::user_agent::{Ask, Body, Input, Invite};
use crate::{Message, Method, Name, NameAddr, Peer, ResponseBuilder, StatusCode, Uri};

const REALM: &str = "sip.carrier.test";

fn harbour() -> Credentials {
    Credentials::new("harbour", "secret").for_realm(REALM)
}

/// A trunk that challenges, with the one who checks the answers.
struct Trunk {
    stage: Stage,
    guard: Guard,
}

impl Trunk {
    fn new() -> Self {
        Self {
            stage: Stage::of(CALLER),
            guard: Guard::new(REALM, 1),
        }
    }

    /// Challenges the last request, and returns what comes of it.
    fn challenges(&mut self, stale: bool) -> Message {
        let last = self.stage.last().clone();
        let challenge = challenge(&last, &mut self.guard, self.stage.now, stale);
        self.stage.hears(challenge);
        self.stage.last().clone()
    }

    fn checks(&mut self, request: &Message) -> Result<(), Denied> {
        let answers = request.authorizations(Name::ProxyAuthorization);
        let asked = (request.method().unwrap(), request.request_uri().unwrap());
        let [answer] = answers.as_slice() else {
            panic!("{answers:?}");
        };
        self.guard.check(self.stage.now, answer, asked, &harbour())
    }

    /// A call that was challenged once and is answered at the trunk's own address.
    fn call(&mut self) -> Message {
        self.stage.dial(Some(harbour()));
        let invite = self.challenges(false);
        self.checks(&invite).unwrap();
        self.stage.hears(ok_here(&invite));
        invite
    }
}

fn ok_here(invite: &Message) -> Message {
    response(invite, 200, "far")
        .header(Name::Contact, "<sip:far@10.0.0.2>")
        .header(Name::Allow, "INVITE, ACK, BYE, CANCEL, UPDATE, INFO, PRACK")
        .body("application/sdp", &b"answer"[..])
        .build()
}

fn is_authorized(message: &Message) -> bool {
    [Name::Authorization, Name::ProxyAuthorization]
        .into_iter()
        .any(|name| message.header(name).is_some())
}

fn any_authorized(stage: &Stage) -> bool {
    stage.sent.iter().any(|(_, message)| is_authorized(message))
}

/// A challenge for `realm` with a nonce of its own.
fn asks(request: &Message, realm: &str, nonce: u32) -> Message {
    let value = format!("Digest realm=\"{realm}\", nonce=\"{nonce}\", qop=\"auth\"");
    response(request, 401, "x")
        .header(Name::WwwAuthenticate, value)
        .build()
}

// reliability.md §2, row 6 (CVE-2021-41158): a stranger behind the trunk asks for our password. RFC 3261 §22.1.
#[test]
fn row_6_a_foreign_realm_gets_no_authorization() {
    let mut stage = Stage::of(CALLER);
    let (_, invite) = stage.dial(Some(harbour()));
    stage.hears(asks(&invite, "stranger.test", 1));
    assert_eq!(stage.told, ["ended: refused 401"]);
    assert!(!any_authorized(&stage));
}

#[test]
fn row_6_a_foreign_peer_gets_no_authorization() {
    let mut stage = Stage::of(CALLER);
    let (_, invite) = stage.dial(Some(harbour()));
    let from = Peer::udp("203.0.113.66:5060".parse().unwrap());
    let message = asks(&invite, REALM, 1);
    stage
        .agent
        .handle_input(stage.now, Input::Received { from, message });
    stage.drain();
    assert_eq!(stage.told, ["ended: refused 401"]);
    assert!(!any_authorized(&stage));
}

/// Requests inside a call whose far end sits elsewhere than the trunk.
#[test]
fn row_6_a_stranger_who_takes_the_call_gets_no_authorization() {
    for method in [Method::Bye, Method::Invite, Method::Info, Method::Update] {
        let mut stage = Stage::of(CALLER);
        let (_, invite) = stage.dial(Some(harbour()));
        let taken = response(&invite, 200, "far")
            .header(Name::Contact, "<sip:far@203.0.113.66>")
            .header(Name::Allow, "INVITE, ACK, BYE, CANCEL, UPDATE, INFO")
            .body("application/sdp", &b"answer"[..]);
        stage.hears(taken.build());
        let sent = match method {
            Method::Bye => {
                stage.agent.hang_up(stage.now, CALL);
                Ok(())
            }
            Method::Invite => stage.agent.reinvite(stage.now, CALL, Body::sdp("hold")),
            Method::Info => stage.agent.info(stage.now, CALL, Body::sdp("x")),
            _ => stage.agent.update(stage.now, CALL, None),
        };
        sent.unwrap();
        stage.drain();
        let request = stage.last().clone();
        assert_eq!(request.method(), Some(&method));
        for nonce in 1..4 {
            stage.hears(asks(&request, REALM, nonce));
        }
        assert!(!any_authorized(&stage), "{method}");
    }
}

#[test]
fn row_6_a_stranger_who_rings_gets_no_authorization_in_the_prack() {
    let mut stage = Stage::of(CALLER);
    let (_, invite) = stage.dial(Some(harbour()));
    let ringing = response(&invite, 180, "far")
        .header(Name::Contact, "<sip:far@203.0.113.66>")
        .header(Name::Require, "100rel")
        .header(Name::RSeq, 1);
    stage.hears(ringing.build());
    let prack = stage.last().clone();
    assert_eq!(prack.method(), Some(&Method::Prack));
    stage.hears(asks(&prack, REALM, 1));
    assert!(!any_authorized(&stage));
}

// RFC 3261 §22.1: a CANCEL cannot be sent again, so it must not be challenged.
#[test]
fn row_6_a_challenged_cancel_is_not_answered() {
    let mut stage = Stage::of(CALLER);
    let (call, invite) = stage.dial(Some(harbour()));
    stage.hears(response(&invite, 180, "far").build());
    stage.agent.hang_up(stage.now, call);
    stage.drain();
    let cancel = stage.last().clone();
    stage.hears(asks(&cancel, REALM, 1));
    assert_eq!(stage.sent_methods(), ["INVITE", "CANCEL"]);
    // Nor is an INVITE that nobody waits for any more.
    stage.hears(asks(&invite, REALM, 2));
    assert_eq!(stage.sent_methods(), ["INVITE", "CANCEL", "ACK"]);
    assert!(!any_authorized(&stage));
}

// reliability.md §2, row 7 (CVE-2020-28242): a new nonce each time, for ever.
#[test]
fn row_7_a_request_is_tried_twice_however_many_nonces_there_are() {
    let mut stage = Stage::of(CALLER);
    stage.dial(Some(harbour()));
    for nonce in 0..100 {
        let invites = stage.sent.iter().rev().map(|(_, message)| message);
        let mut invites = invites.filter(|message| message.method() == Some(&Method::Invite));
        let last = invites.next().unwrap().clone();
        stage.hears(asks(&last, REALM, nonce));
    }
    let tries = stage.sent_methods();
    let tries = tries.iter().filter(|method| *method == "INVITE").count();
    assert_eq!(tries, 1 + 2);
    assert_eq!(stage.told, ["ended: refused 401"]);
}

#[test]
fn row_7_a_reinvite_is_tried_twice_too() {
    let mut trunk = Trunk::new();
    trunk.call();
    let stage = &mut trunk.stage;
    stage
        .agent
        .reinvite(stage.now, CALL, Body::sdp("hold"))
        .unwrap();
    stage.drain();
    let before = stage.sent.len();
    for nonce in 0..100 {
        let sent = stage.sent.iter().rev().map(|(_, message)| message);
        let mut sent = sent.filter(|message| message.method() == Some(&Method::Invite));
        let last = sent.next().unwrap().clone();
        stage.hears(asks(&last, REALM, nonce));
    }
    let again = stage.sent[before..].iter();
    let again = again.filter(|(_, message)| message.method() == Some(&Method::Invite));
    assert!(again.count() <= 2);
    assert_eq!(stage.told.last().unwrap(), "re-INVITE refused 401");
}

// reliability.md §2, row 8 (CVE-2014-2288): a challenge where none is expected.
#[test]
fn row_8_every_method_may_be_challenged() {
    let methods = [
        Method::Options,
        Method::Register,
        Method::Bye,
        Method::Info,
        Method::Prack,
        Method::Update,
        Method::Refer,
        Method::Subscribe,
        Method::Notify,
        Method::Publish,
        Method::Message,
        Method::Other("FROB".to_owned()),
    ];
    for method in methods {
        let mut trunk = Trunk::new();
        trunk.stage.agent.ask(trunk.stage.now, ask(method.clone()));
        trunk.stage.drain();
        let again = trunk.challenges(false);
        assert_eq!(trunk.checks(&again), Ok(()), "{method}");
        assert_eq!(again.method(), Some(&method));
        trunk.stage.hears(response(&again, 200, "x").build());
        assert_eq!(trunk.stage.told, ["replied 200"], "{method}");
    }
}

fn ask(method: Method) -> Ask {
    Ask {
        method,
        to_peer: far(),
        uri: Uri::parse("sip:sip.carrier.test").unwrap(),
        from: NameAddr::parse("<sip:harbour@sip.carrier.test>").unwrap(),
        to: NameAddr::parse("<sip:harbour@sip.carrier.test>").unwrap(),
        headers: Vec::new(),
        body: None,
        credentials: Some(harbour()),
        call_id: Some("a@b".to_owned()),
        cseq: None,
    }
}

/// A challenge to what was never sent: an ACK, a request of nobody, a method that does not fit its branch.
#[test]
fn row_8_a_challenge_to_nothing_is_nothing() {
    let mut trunk = Trunk::new();
    let invite = trunk.call();
    let sent = trunk.stage.sent.len();
    let branch = invite.via().unwrap().branch().unwrap().to_owned();
    for (method, branch) in [
        ("ACK", branch.as_str()),
        ("OPTIONS", branch.as_str()),
        ("FROB", branch.as_str()),
        ("INVITE", "z9hG4bKnobody"),
        ("CANCEL", branch.as_str()),
    ] {
        let request = invite.bytes().to_vec();
        let request = String::from_utf8(request).unwrap();
        let old = invite.via().unwrap().branch().unwrap().to_owned();
        let request = request
            .replace("CSeq: 2 INVITE", &format!("CSeq: 2 {method}"))
            .replace(&old, branch);
        let request = Message::parse(request.into()).unwrap();
        let unasked = ResponseBuilder::new(&request, StatusCode::UNAUTHORIZED)
            .to_tag("x")
            .header(
                Name::WwwAuthenticate,
                "Digest realm=\"sip.carrier.test\", nonce=\"1\"",
            );
        trunk.stage.hears(unasked.build());
        assert_eq!(trunk.stage.sent.len(), sent, "{method}");
    }
    assert_eq!(trunk.stage.told, ["answered"]);
}

// RFC 3261 §22.3, RFC 7616 §3.3: the nonce serves on, its count rises.
#[test]
fn later_requests_of_the_call_carry_their_answer_at_once() {
    let mut trunk = Trunk::new();
    let invite = trunk.call();
    let stage = &mut trunk.stage;
    stage.agent.info(stage.now, CALL, Body::sdp("x")).unwrap();
    stage
        .agent
        .reinvite(stage.now, CALL, Body::sdp("hold"))
        .unwrap();
    stage.drain();
    let reinvite = stage.last().clone();
    stage.hears(ok_here(&reinvite));
    stage.agent.hang_up(stage.now, CALL);
    stage.drain();
    let sent: Vec<Message> = stage
        .sent
        .iter()
        .map(|(_, message)| message.clone())
        .collect();
    let asked = |message: &&Message| message.method() != Some(&Method::Ack);
    let later: Vec<&Message> = sent[3..].iter().filter(asked).collect();
    let methods: Vec<&str> = later
        .iter()
        .map(|sent| sent.method().unwrap().as_str())
        .collect();
    assert_eq!(methods, ["INFO", "INVITE", "BYE"]);
    for request in later {
        assert_eq!(trunk.checks(request), Ok(()));
    }
    let counts: Vec<u32> = sent.iter().filter(asked).flat_map(count).collect();
    assert_eq!(counts, [1, 2, 3, 4]);
    // RFC 3261 §13.2.2.4: the ACK of the 2xx repeats the INVITE's.
    let ack = sent
        .iter()
        .find(|sent| sent.method() == Some(&Method::Ack) && is_authorized(sent));
    let same = |message: &Message| message.authorizations(Name::ProxyAuthorization);
    assert_eq!(same(ack.unwrap()), same(&invite));
}

fn count(message: &Message) -> Vec<u32> {
    let answers = message.authorizations(Name::ProxyAuthorization);
    let protections = answers.into_iter().filter_map(|answer| answer.protection);
    protections.map(|protection| protection.count).collect()
}

// RFC 7616 §3.3: stale means that only the nonce is too old.
#[test]
fn a_stale_nonce_is_replaced_without_a_word() {
    let mut trunk = Trunk::new();
    trunk.call();
    let stage = &mut trunk.stage;
    stage.agent.hang_up(stage.now, CALL);
    stage.drain();
    let bye = trunk.challenges(true);
    assert_eq!(bye.method(), Some(&Method::Bye));
    assert_eq!(trunk.checks(&bye), Ok(()));
    assert_eq!(count(&bye), [1], "a new nonce begins with 1");
}

// RFC 2069: without qop there is no count, so the nonce is good for one request.
#[test]
fn a_nonce_without_count_is_not_used_again() {
    let mut trunk = Trunk::new();
    let stage = &mut trunk.stage;
    let (_, invite) = stage.dial(Some(harbour()));
    let asked = trunk.guard.challenge_for(stage.now, Algorithm::Md5, "");
    stage.hears(
        response(&invite, 407, "x")
            .header(Name::ProxyAuthenticate, asked)
            .build(),
    );
    let again = stage.last().clone();
    stage.hears(ok_here(&again));
    stage.agent.hang_up(stage.now, CALL);
    stage.drain();
    let bye = stage.last().clone();
    assert!(!is_authorized(&bye));
    assert_eq!(trunk.checks(&again), Ok(()));
}

// RFC 3261 §22.3: a proxy and the server behind it, one after the other and both at once.
#[test]
fn proxy_and_server_both_get_their_answer() {
    let server = "Digest realm=\"sip.carrier.test\", nonce=\"s\", qop=\"auth\"";
    let proxy = "Digest realm=\"sip.carrier.test\", nonce=\"p\", qop=\"auth\"";
    let (name, other) = (Name::WwwAuthenticate, Name::ProxyAuthenticate);
    let mut stage = Stage::of(CALLER);
    let (_, invite) = stage.dial(Some(harbour()));
    stage.hears(response(&invite, 407, "x").header(other, proxy).build());
    let second = stage.last().clone();
    stage.hears(response(&second, 401, "x").header(name, server).build());
    let third = stage.last().clone();
    let read = |message: &Message, name| -> Vec<(String, u32)> {
        let answers: Vec<Authorization> = message.authorizations(name);
        let used = |answer: Authorization| (answer.nonce, answer.protection.unwrap().count);
        answers.into_iter().map(used).collect()
    };
    assert_eq!(
        read(&second, Name::ProxyAuthorization),
        [("p".to_owned(), 1)]
    );
    assert_eq!(
        read(&third, Name::ProxyAuthorization),
        [("p".to_owned(), 2)]
    );
    assert_eq!(read(&third, Name::Authorization), [("s".to_owned(), 1)]);
    assert_eq!(third.cseq().unwrap().number, 3);

    let mut stage = Stage::of(CALLER);
    let (_, invite) = stage.dial(Some(harbour()));
    let both = response(&invite, 401, "x")
        .header(name, server)
        .header(other, proxy);
    stage.hears(both.build());
    let second = stage.last().clone();
    assert_eq!(read(&second, Name::ProxyAuthorization).len(), 1);
    assert_eq!(read(&second, Name::Authorization).len(), 1);
}

// RFC 3261 §22.2, §8.1.3.5: what else the INVITE says stays, and so does its offer.
#[test]
fn an_invite_sent_again_keeps_what_it_said() {
    let mut trunk = Trunk::new();
    let stage = &mut trunk.stage;
    let headers = [
        ("P-Asserted-Identity", "<sip:+61255500142@sip.carrier.test>"),
        ("Privacy", "none"),
        ("X-Telnyx-Token", "t"),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let dialled = Invite {
        headers: headers.to_vec(),
        credentials: Some(harbour()),
        ..super::world::invite(far())
    };
    stage.agent.invite(stage.now, dialled);
    stage.drain();
    let first = stage.last().clone();
    let second = trunk.challenges(false);
    let third = trunk.challenges(true);
    for again in [&second, &third] {
        let said = |message: &Message| {
            let fields = message.fields();
            let changed = ["Via", "CSeq", "Proxy-Authorization"];
            let kept = fields.filter(|(name, _)| !changed.contains(name));
            kept.map(|(name, value)| format!("{name}: {value}"))
                .collect::<Vec<_>>()
        };
        assert_eq!(said(again), said(&first));
        assert_eq!(again.body(), first.body());
        assert_eq!(again.from(), first.from());
        assert_eq!(again.call_id(), first.call_id());
    }
    assert_eq!(
        third.cseq().unwrap().number,
        first.cseq().unwrap().number + 2
    );
    assert_eq!(third.headers(Name::ProxyAuthorization).count(), 1);
}

// A password that was refused is not shown around in what follows.
#[test]
fn what_was_answered_in_vain_is_forgotten() {
    let mut trunk = Trunk::new();
    trunk.call();
    let stage = &mut trunk.stage;
    stage
        .agent
        .reinvite(stage.now, CALL, Body::sdp("hold"))
        .unwrap();
    stage.drain();
    trunk.challenges(true);
    trunk.challenges(true);
    assert_eq!(trunk.stage.told.last().unwrap(), "re-INVITE refused 407");
    let stage = &mut trunk.stage;
    stage.agent.hang_up(stage.now, CALL);
    stage.drain();
    assert!(!is_authorized(stage.last()));
}
