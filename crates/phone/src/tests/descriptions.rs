//! Session descriptions as real networks write them, in answers, in re-INVITEs and in the ACK of one that made no offer.

use housecall_media::sdp::{Codec, Description, Direction, MediaTarget};
use housecall_sip::{Message, Method, Name, ResponseBuilder, StatusCode};

use super::stage::{Stage, description, request, response};
use crate::{Ended, Event, Outcome};

/// A call that is answered with this description.
fn answered_with(content_type: &str, body: &str) -> Stage {
    let (mut stage, invite) = Stage::dial();
    let answer = ResponseBuilder::new(&invite, StatusCode::OK).to_tag("far");
    let answer = answer.header(Name::Contact, "<sip:far@10.0.0.2>");
    stage.hears(answer.body(content_type, body.to_owned()).build());
    stage
}

fn agreed(stage: &Stage) -> &MediaTarget {
    match stage.told.last() {
        Some(Event::Answered(target) | Event::MediaChanged(target)) => target,
        other => panic!("{other:?}"),
    }
}

/// A call that goes on, and its INVITE.
fn talking() -> (Stage, Message) {
    let (mut stage, invite) = Stage::dial();
    stage.hears(response(&invite, 200, "far", 5000).build());
    (stage, invite)
}

fn answers(stage: &mut Stage, invite: &Message, cseq: u32, offer: &str) -> Description {
    stage.hears(request(invite, "far", Method::Invite, cseq, offer));
    let answer = stage.last().clone();
    assert_eq!(answer.status(), Some(StatusCode::OK), "{offer}");
    stage.hears(request(invite, "far", Method::Ack, cseq, ""));
    Description::parse(answer.body()).unwrap()
}

// RFC 8866 §5, RFC 3264 §6, RFC 3551 §6: what an answer may look like.
#[test]
fn answers_of_all_sorts_make_a_call() {
    let usual = description(5000);
    let head = "v=0\r\no=- 7 1 IN IP4 10.0.0.2\r\ns=-\r\n";
    let shapes = [
        ("without rtpmap of a static type", usual.clone()),
        ("without a last line end", usual.trim_end().to_owned()),
        ("with bare line feeds", usual.replace("\r\n", "\n")),
        (
            "with the direction of the session",
            usual.replace("t=0 0", "t=0 0\r\na=sendrecv"),
        ),
        (
            "with an address of the line",
            format!("{head}t=0 0\r\nm=audio 5000 RTP/AVP 8 101\r\nc=IN IP4 10.0.0.2\r\n"),
        ),
        (
            "with a second line switched off",
            format!("{usual}m=video 0 RTP/AVP 31\r\n"),
        ),
        (
            "with a line switched off before it",
            usual.replace("m=audio", "m=video 0 RTP/AVP 31\r\nm=audio"),
        ),
        (
            "with both lengths of a packet",
            format!("{usual}a=ptime:20\r\na=maxptime:40\r\n"),
        ),
        (
            "with what nobody knows",
            usual.replace("t=0 0", "b=AS:84\r\nt=0 0\r\nz=0\r\na=x-y:z"),
        ),
    ];
    for (shape, body) in shapes {
        let stage = answered_with("application/sdp", &body);
        let target = agreed(&stage);
        assert_eq!(target.remote, "10.0.0.2:5000".parse().unwrap(), "{shape}");
        assert_eq!(
            (target.codec, target.payload_type),
            (Codec::Pcma, 8),
            "{shape}"
        );
        assert_eq!(target.direction, Direction::SendRecv, "{shape}");
    }
}

// RFC 5621 §3: the telephone network adds parts of its own.
#[test]
fn an_answer_among_other_parts_is_found() {
    let body = format!(
        "--b\r\nContent-Type: application/isup;version=itu-t92+\r\nContent-Disposition: signal;handling=optional\r\n\r\n\u{1}\u{2}\r\n\
         --b\r\nContent-Type: application/sdp\r\n\r\n{}\r\n--b--\r\n",
        description(5000)
    );
    let stage = answered_with("multipart/mixed;boundary=b", &body);
    assert_eq!(agreed(&stage).remote.port(), 5000);
}

fn ended(stage: &Stage) -> &Ended {
    match stage.told.last() {
        Some(Event::Ended(ended)) => ended,
        other => panic!("{other:?}"),
    }
}

// RFC 3264 §6: what nobody can talk over is acknowledged and hung up, and costs nothing.
#[test]
fn an_answer_that_carries_no_voice_is_hung_up() {
    let usual = description(5000);
    for body in [
        usual.replace("audio 5000", "audio 0"),
        usual.replace("RTP/AVP 8 101", "RTP/AVP 101"),
        usual.replace("RTP/AVP 8 101", "RTP/AVP 18"),
        usual.replace("RTP/AVP", "RTP/SAVP"),
        usual.replace("m=audio", "m=video"),
        "nonsense".to_owned(),
    ] {
        let stage = answered_with("application/sdp", &body);
        assert_eq!(ended(&stage).outcome, Outcome::NoCommonSound, "{body}");
        let sent = stage
            .sent
            .iter()
            .filter_map(|(_, message)| message.method());
        let sent: Vec<String> = sent.map(ToString::to_string).collect();
        assert_eq!(sent, ["INVITE", "ACK", "BYE"], "{body}");
    }
}

// RFC 4733 §2.4.2, §2.5.1.1: events run on the clock of the voice; those of another clock are not for us.
#[test]
fn keys_are_events_on_the_clock_of_the_voice() {
    let with = |map: &str| description(5000).replace("telephone-event/8000", map);
    let stage = answered_with("application/sdp", &with("telephone-event/8000"));
    assert_eq!(agreed(&stage).telephone_event, Some(101));
    assert!(!stage.call.presses_by_info());
    let stage = answered_with("application/sdp", &with("telephone-event/48000"));
    assert_eq!(agreed(&stage).telephone_event, None);
    assert!(stage.call.presses_by_info());
    let both =
        description(5000).replace("8 101", "8 100 101") + "a=rtpmap:100 telephone-event/48000\r\n";
    let stage = answered_with("application/sdp", &both);
    assert_eq!(agreed(&stage).telephone_event, Some(101));
}

// RFC 3264 §6.1, §8, §8.4: each hold of theirs is answered with its counterpart, in a version one higher; never with sendrecv.
#[test]
fn a_hold_of_theirs_is_answered_with_its_counterpart() {
    let holds = [
        ("a=sendonly\r\n", Direction::RecvOnly),
        ("a=inactive\r\n", Direction::Inactive),
        ("a=recvonly\r\n", Direction::SendOnly),
    ];
    for (line, ours) in holds {
        let (mut stage, invite) = talking();
        let held = answers(&mut stage, &invite, 1, &(description(5000) + line));
        assert_eq!(held.media[0].direction, Some(ours), "{line}");
        assert_eq!(held.origin.session_version, "2");
        let resumed = answers(&mut stage, &invite, 2, &description(5000));
        assert_eq!(resumed.media[0].direction, Some(Direction::SendRecv));
        assert_eq!(resumed.origin.session_version, "3");
        // Said again, it is the same version (RFC 3264 §8).
        let again = answers(&mut stage, &invite, 3, &description(5000));
        assert_eq!(again.origin, resumed.origin);
    }
    // The old way (RFC 2543), and at the level of the session.
    let old = description(5000).replace("c=IN IP4 10.0.0.2", "c=IN IP4 0.0.0.0");
    let session = description(5000).replace("t=0 0", "t=0 0\r\na=sendonly");
    for offer in [old, session] {
        let (mut stage, invite) = talking();
        let held = answers(&mut stage, &invite, 1, &offer);
        assert_eq!(
            held.media[0].direction,
            Some(Direction::RecvOnly),
            "{offer}"
        );
        assert!(!stage.call.expects_media());
    }
}

// RFC 3264 §6, §8.2: every line is answered; what we do not speak is switched off, in its place.
#[test]
fn every_line_of_a_reinvite_is_answered() {
    let (mut stage, invite) = talking();
    let offer = description(5100).replace("m=audio", "m=video 6000 RTP/AVP 31\r\nm=audio")
        + "m=image 7000 udptl t38\r\n";
    let answer = answers(&mut stage, &invite, 1, &offer);
    let ports: Vec<u16> = answer.media.iter().map(|line| line.port).collect();
    assert_eq!(ports, [0, 40_000, 0]);
    assert_eq!(agreed(&stage).remote.port(), 5100);
}

// RFC 3261 §14.2: 488, and the call goes on as before. T.38 is what a fax machine asks for.
#[test]
fn a_reinvite_that_we_do_not_speak_changes_nothing() {
    let (mut stage, invite) = talking();
    let fax = description(5000).replace("m=audio 5000 RTP/AVP 8 101", "m=image 7000 udptl t38");
    for offer in [fax, "nonsense".to_owned()] {
        let cseq = 1 + stage.sent.len() as u32;
        stage.hears(request(&invite, "far", Method::Invite, cseq, &offer));
        assert_eq!(stage.last().status(), Some(StatusCode::NOT_ACCEPTABLE_HERE));
        stage.hears(request(&invite, "far", Method::Ack, cseq, ""));
    }
    assert_eq!(agreed(&stage).remote.port(), 5000);
    assert!(stage.call.expects_media());
}

// RFC 3261 §14.2, §13.2.2.4: our 2xx makes the offer, their ACK the answer, whatever it moves.
#[test]
fn the_ack_of_a_reinvite_without_an_offer_brings_the_answer() {
    let (mut stage, invite) = talking();
    stage.hears(request(&invite, "far", Method::Invite, 1, ""));
    let ours = Description::parse(stage.last().body()).unwrap();
    assert_eq!(
        ours.origin.session_version, "1",
        "the same as ever (RFC 3264 §8)"
    );
    assert_eq!(ours.media[0].direction, Some(Direction::SendRecv));
    stage.hears(request(
        &invite,
        "far",
        Method::Ack,
        1,
        &(description(5200) + "a=sendonly\r\n"),
    ));
    assert_eq!(agreed(&stage).remote.port(), 5200);
    assert_eq!(agreed(&stage).direction, Direction::RecvOnly);
    assert!(!stage.call.expects_media(), "they hold us");
    // An ACK that brings none leaves everything as it was; and the next offer may come.
    stage.hears(request(&invite, "far", Method::Invite, 2, ""));
    stage.hears(request(&invite, "far", Method::Ack, 2, ""));
    assert_eq!(agreed(&stage).remote.port(), 5200);
    let back = answers(&mut stage, &invite, 3, &description(5200));
    assert_eq!(back.media[0].direction, Some(Direction::SendRecv));
}

// RFC 3311 §5.2: an UPDATE makes an offer like a re-INVITE; without one it says nothing of the sound.
#[test]
fn an_update_moves_the_sound_of_a_call() {
    let (mut stage, invite) = talking();
    stage.hears(request(
        &invite,
        "far",
        Method::Update,
        1,
        &description(5300),
    ));
    assert_eq!(stage.last().status(), Some(StatusCode::OK));
    assert_eq!(agreed(&stage).remote.port(), 5300);
    stage.hears(request(&invite, "far", Method::Update, 2, ""));
    assert_eq!(
        (stage.last().status(), stage.last().body().len()),
        (Some(StatusCode::OK), 0)
    );
    assert_eq!(agreed(&stage).remote.port(), 5300);
}

// RFC 3960 §3.2: ringing and early sound in either order, each told once.
#[test]
fn ringing_and_early_sound_come_in_either_order() {
    for codes in [
        [(180, 0), (183, 5000)],
        [(183, 5000), (180, 0)],
        [(180, 5000), (180, 5000)],
    ] {
        let (mut stage, invite) = Stage::dial();
        for (code, port) in codes {
            stage.hears(response(&invite, code, "far", port).build());
        }
        let rang = stage.told.iter().filter(|event| **event == Event::Ringing);
        let sounded = stage
            .told
            .iter()
            .filter(|event| matches!(event, Event::EarlyMedia(_)));
        assert_eq!(
            (rang.count(), sounded.count(), stage.told.len()),
            (1, 1, 2),
            "{codes:?}"
        );
    }
}
