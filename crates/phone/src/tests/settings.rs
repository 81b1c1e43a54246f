//! What a trunk's settings make of a call: encryption, identity, headers, redirects.

use housecall_media::sdp::{Codec, Description};
use housecall_sip::{Message, Method, Name};

use super::world::{GOOD, Plan, Script, World, dial_by, secs, trunk};
use crate::{
    BadTrunk, Call, Dial, Event, Identity, Outcome, Override, Overrides, Privacy, Secret,
    SrtpPolicy, Trunk,
};

fn secured(srtp: SrtpPolicy) -> Dial {
    let trunk = Trunk { srtp, ..trunk() };
    Dial {
        secret: Some(Secret::new([3; Secret::BYTES])),
        ..dial_by(1, &[trunk])
    }
}

fn outcome(world: &World) -> Outcome {
    match world.last_told() {
        Event::Ended(ended) => ended.outcome,
        other => panic!("{other:?}"),
    }
}

/// The protocols of the audio lines that were offered to the far end, one for each INVITE.
fn offered(world: &World) -> Vec<String> {
    let invites = world.heard.iter();
    let invites = invites.filter(|message| message.method() == Some(&Method::Invite));
    invites
        .map(|invite| {
            Description::parse(invite.body()).unwrap().media[0]
                .protocol
                .clone()
        })
        .collect()
}

fn answered_securely(world: &World) -> Option<bool> {
    world.told.iter().find_map(|event| match event {
        Event::Answered(target) => Some(target.srtp.is_some()),
        _ => None,
    })
}

fn invite(dial: Dial) -> Message {
    let mut world = World::with(dial, GOOD, &[Script::Silent]);
    world.run(secs(1));
    world.heard[0].clone()
}

// RFC 4568 §5.1.2, §7.1.
#[test]
fn srtp_is_offered_and_taken() {
    for policy in [SrtpPolicy::Preferred, SrtpPolicy::Required] {
        let mut world = World::with(secured(policy), GOOD, &[Script::Srtp(secs(1))]);
        world.run(secs(5));
        assert_eq!(offered(&world), ["RTP/SAVP"]);
        assert_eq!(answered_securely(&world), Some(true));
        assert!(!world.told.contains(&Event::EncryptionRefused));
    }
}

#[test]
fn srtp_preferred_falls_back_by_a_second_invite_and_says_so() {
    for status in [415, 488, 606] {
        let script = Script::PlainOnly(status);
        let mut world = World::with(secured(SrtpPolicy::Preferred), GOOD, &[script]);
        world.run(secs(5));
        assert_eq!(offered(&world), ["RTP/SAVP", "RTP/AVP"], "{status}");
        assert_eq!(world.told[0], Event::EncryptionRefused);
        assert_eq!(answered_securely(&world), Some(false));
        assert_eq!(world.call_ids.len(), 2);
    }
}

#[test]
fn srtp_required_never_falls_back() {
    let script = Script::PlainOnly(488);
    let mut world = World::with(secured(SrtpPolicy::Required), GOOD, &[script]);
    world.run(secs(70));
    assert_eq!(offered(&world), ["RTP/SAVP"]);
    assert_eq!(outcome(&world), Outcome::NoCommonSound);
}

/// RFC 3264 §6: the secured line is switched off, or left open, in the answer. What was answered is hung up; then the trunk is asked in the
/// open, once, and that is said.
#[test]
fn an_answer_that_refuses_srtp_is_hung_up_and_asked_again_in_the_open() {
    for script in [Script::SwitchesSrtpOff, Script::AnswersAfter(secs(1))] {
        let mut world = World::with(secured(SrtpPolicy::Preferred), GOOD, &[script]);
        world.run(secs(5));
        assert_eq!(offered(&world), ["RTP/SAVP", "RTP/AVP"]);
        assert_eq!(answered_securely(&world), Some(false));
        let told = world.told.iter();
        let refused = told.filter(|event| **event == Event::EncryptionRefused);
        assert_eq!(refused.count(), 1);
        assert_eq!(
            (
                world.heard_count(Method::Ack),
                world.heard_count(Method::Bye)
            ),
            (2, 1)
        );
        let ids: Vec<&str> = world
            .heard
            .iter()
            .map(|message| message.call_id().unwrap())
            .collect();
        let bye = world
            .heard
            .iter()
            .position(|it| it.method() == Some(&Method::Bye));
        assert_eq!(ids[bye.unwrap()], ids[0], "of the first attempt");
        world.plan(secs(0), Plan::HangUp);
        world.run(secs(70));
        assert_eq!(outcome(&world), Outcome::Completed);
        assert!(world.call.is_finished());
    }
}

/// RFC 3711 §9.1: whoever demands SRTP speaks to nobody without.
#[test]
fn srtp_required_ends_a_call_that_is_answered_without() {
    for script in [Script::SwitchesSrtpOff, Script::AnswersAfter(secs(1))] {
        let mut world = World::with(secured(SrtpPolicy::Required), GOOD, &[script]);
        world.run(secs(70));
        assert_eq!(offered(&world), ["RTP/SAVP"]);
        assert_eq!(answered_securely(&world), None);
        assert_eq!(outcome(&world), Outcome::NoCommonSound);
        assert_eq!(world.heard_count(Method::Bye), 1);
        assert!(world.call.is_finished());
    }
}

/// A secured answer with nothing in common is no refusal of SRTP: the open would bring nothing in common either.
#[test]
fn a_secured_answer_without_a_common_codec_is_not_asked_again() {
    let mut world = World::with(secured(SrtpPolicy::Preferred), GOOD, &[Script::SrtpNoCodec]);
    world.run(secs(70));
    assert_eq!(offered(&world), ["RTP/SAVP"]);
    assert_eq!(outcome(&world), Outcome::NoCommonSound);
}

#[test]
fn no_trunk_that_takes_srtp_is_dialled_without_a_secret() {
    let dial = Dial {
        secret: None,
        ..secured(SrtpPolicy::Preferred)
    };
    let refused = Call::dial(std::time::Instant::now(), dial).unwrap_err();
    assert!(matches!(refused, BadTrunk::NoSecret { .. }), "{refused}");
}

#[test]
fn headers_of_the_trunk_and_of_the_caller_go_out() {
    let named = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let trunk = Trunk {
        headers: vec![named("X-Telnyx-Token", "abc")],
        ..trunk()
    };
    let diversion = "<sip:+61255500143@sip.carrier.test>;reason=unconditional";
    let dial = Dial {
        headers: vec![named("Diversion", diversion)],
        ..dial_by(1, &[trunk])
    };
    let invite = invite(dial);
    assert_eq!(invite.header(Name::Other("X-Telnyx-Token")), Some("abc"));
    assert_eq!(invite.header(Name::Other("Diversion")), Some(diversion));
}

#[test]
fn a_header_that_would_smuggle_another_is_refused_before_anything_is_sent() {
    let headers = vec![("X-A".to_owned(), "a\r\nRoute: <sip:evil.test>".to_owned())];
    let by_trunk = dial_by(
        1,
        &[Trunk {
            headers: headers.clone(),
            ..trunk()
        }],
    );
    let by_caller = Dial {
        headers,
        ..dial_by(1, &[trunk()])
    };
    for dial in [by_trunk, by_caller] {
        let refused = Call::dial(std::time::Instant::now(), dial).unwrap_err();
        assert!(matches!(refused, BadTrunk::Header { .. }), "{refused}");
    }
}

/// The format line of the offer: payload types in order.
fn formats(dial: Dial) -> Vec<String> {
    let offer = String::from_utf8(invite(dial).body().to_vec()).unwrap();
    let audio = offer.lines().find(|line| line.starts_with("m=audio"));
    let formats = audio.unwrap().split(' ').skip(3);
    formats.map(str::to_owned).collect()
}

// RFC 3264 §5.1: in order of preference. RFC 4733 §2.1: keys under the clock of each voice.
#[test]
fn a_trunk_is_offered_its_voices_in_order_and_keys_beside_them() {
    let by = |codecs: &[Codec]| {
        let codecs = codecs.to_vec();
        formats(dial_by(1, &[Trunk { codecs, ..trunk() }]))
    };
    assert_eq!(formats(dial_by(1, &[trunk()])), ["8", "0", "101"]);
    let wide = by(&[Codec::Opus, Codec::G722, Codec::Pcmu]);
    assert_eq!(wide, ["111", "9", "0", "101", "110"]);
    assert_eq!(by(&[Codec::Opus]), ["111", "110"]);
}

#[test]
fn a_trunk_without_a_voice_is_refused() {
    for codecs in [vec![], vec![Codec::TelephoneEvent]] {
        let dial = dial_by(1, &[Trunk { codecs, ..trunk() }]);
        let refused = Call::dial(std::time::Instant::now(), dial).unwrap_err();
        assert!(matches!(refused, BadTrunk::NoVoice { .. }), "{refused}");
    }
}

/// A prefix that is an emergency number by itself would be dialled as one by a trunk that does not know it.
#[test]
fn p6_no_emergency_number_comes_about_by_a_prefix() {
    for prefix in ["000", "112", "911", "999", "0 0", "+", "a"] {
        let identity = Identity {
            prefix: prefix.to_owned(),
            ..Identity::default()
        };
        let dial = dial_by(
            1,
            &[Trunk {
                identity,
                ..trunk()
            }],
        );
        let refused = Call::dial(std::time::Instant::now(), dial).unwrap_err();
        assert!(matches!(refused, BadTrunk::Prefix { .. }), "{prefix}");
    }
}

#[test]
fn our_own_name_stands_in_from_and_contact() {
    let invite = invite(dial_by(1, &[trunk().seen_as("sbc.practice.test")]));
    assert_eq!(invite.from().unwrap().uri.host(), "sbc.practice.test");
    let contact = invite.contact().unwrap().unwrap();
    assert_eq!(contact.uri.host(), "sbc.practice.test");
    assert_eq!(contact.uri.port(), Some(5060));
}

// RFC 3323 §4.1: nothing that the called side sees names us; §9.3 of RFC 3325: the trunk alone does.
#[test]
fn a_withheld_number_stands_in_one_place_only() {
    let identity = Identity {
        privacy: Privacy::Withheld,
        ..Identity::default()
    };
    let invite = invite(dial_by(
        1,
        &[Trunk {
            identity,
            ..trunk()
        }],
    ));
    let text = String::from_utf8_lossy(invite.bytes()).into_owned();
    assert_eq!(text.matches("61255500142").count(), 1, "{text}");
    assert_eq!(invite.header(Name::Privacy), Some("id"));
    let asserted = invite.header(Name::PAssertedIdentity);
    assert_eq!(asserted, Some("<sip:+61255500142@sip.carrier.test>"));
}

#[test]
fn a_trunk_s_own_meaning_of_a_cause_goes_first() {
    let exception = Override::of_status(403, Outcome::NoCredit).with_text("balance");
    let trunk = Trunk {
        outcomes: Overrides::new(vec![exception]),
        ..trunk()
    };
    for (warning, expected) in [
        ("399 sbc.test \"Insufficient Balance\"", Outcome::NoCredit),
        ("399 sbc.test \"Not on our list\"", Outcome::NotPermitted),
    ] {
        let headers: &'static [(&str, &str)] = Box::leak(Box::new([("Warning", warning)]));
        let script = Script::Refuses(403, headers);
        let mut world = World::with(dial_by(1, std::slice::from_ref(&trunk)), GOOD, &[script]);
        world.run(secs(70));
        assert_eq!(outcome(&world), expected);
    }
}
