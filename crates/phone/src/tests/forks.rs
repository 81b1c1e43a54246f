//! Forks: each has a session of its own, and the one that answers is the call (RFC 3261 §12.1, §13.2.2.4; RFC 3311; RFC 6228).

use housecall_media::sdp::{Description, MediaTarget};
use housecall_sip::{Message, Method, Name, StatusCode};

use super::stage::{Stage, description, request, response};
use crate::Event;

/// The ports that early sound, and then the answer, was said to come from and go to.
fn ports(stage: &Stage) -> Vec<(&'static str, u16)> {
    let port = |target: &MediaTarget| target.remote.port();
    let ported = stage.told.iter().filter_map(|event| match event {
        Event::EarlyMedia(target) => Some(("early", port(target))),
        Event::Answered(target) => Some(("answered", port(target))),
        Event::MediaChanged(target) => Some(("changed", port(target))),
        _ => None,
    });
    ported.collect()
}

fn reliable(invite: &Message, tag: &str, rseq: u32, port: u16) -> Message {
    let response = response(invite, 183, tag, port);
    response
        .header(Name::Require, "100rel")
        .header(Name::RSeq, rseq)
        .build()
}

// RFC 3261 §13.2.1, RFC 3960 §3.2: each fork's own sound, of which the last is heard.
#[test]
fn the_sound_of_the_fork_that_spoke_last_is_heard() {
    let (mut stage, invite) = Stage::dial();
    for (tag, port) in [("one", 5000), ("two", 6000), ("one", 5000), ("two", 6000)] {
        stage.hears(response(&invite, 183, tag, port).build());
    }
    stage.hears(response(&invite, 180, "one", 0).build());
    let heard = [
        ("early", 5000),
        ("early", 6000),
        ("early", 5000),
        ("early", 6000),
    ];
    assert_eq!(ports(&stage), heard);
}

// RFC 3261 §13.2.2.4: the 2xx's tag says whose call it is. Some put the answer into the early response alone.
#[test]
fn an_answer_without_a_description_means_its_own_fork() {
    for (tag, port) in [("one", 5000), ("two", 6000), ("changed", 6000)] {
        let (mut stage, invite) = Stage::dial();
        stage.hears(response(&invite, 183, "one", 5000).build());
        stage.hears(response(&invite, 183, "two", 6000).build());
        stage.hears(response(&invite, 200, tag, 0).build());
        assert_eq!(ports(&stage).last(), Some(&("answered", port)), "{tag}");
    }
}

// A border controller answers under another tag and with another description than it rang with (baresip#2114, #2819).
#[test]
fn the_description_of_the_answer_counts_whatever_came_before() {
    for tag in ["one", "changed"] {
        let (mut stage, invite) = Stage::dial();
        stage.hears(response(&invite, 183, "one", 5000).build());
        stage.hears(response(&invite, 200, tag, 7000).build());
        assert_eq!(
            ports(&stage),
            [("early", 5000), ("answered", 7000)],
            "{tag}"
        );
    }
}

// RFC 6228 §4: what has ended is heard no longer; the others are.
#[test]
fn a_fork_that_ends_gives_its_place_to_the_one_before() {
    let (mut stage, invite) = Stage::dial();
    stage.hears(response(&invite, 183, "one", 5000).build());
    stage.hears(response(&invite, 183, "two", 6000).build());
    stage.hears(response(&invite, 199, "two", 0).build());
    assert_eq!(
        ports(&stage),
        [("early", 5000), ("early", 6000), ("early", 5000)]
    );
    stage.hears(response(&invite, 199, "one", 0).build());
    // Somebody has heard something: no other route is tried (RFC 3261 §21.5.4 leaves that to us).
    stage.hears(response(&invite, 503, "one", 0).build());
    assert!(matches!(stage.told.last(), Some(Event::Ended(_))));
}

// RFC 3311 §5.2: an announcement is followed by the phone's own sound. The answer repeats what was said first, and that is history.
#[test]
fn an_early_update_moves_the_sound_for_good() {
    let (mut stage, invite) = Stage::dial();
    stage.hears(reliable(&invite, "one", 1, 5000));
    assert_eq!(stage.last().method(), Some(&Method::Prack));
    stage.hears(request(
        &invite,
        "one",
        Method::Update,
        1,
        &description(5500),
    ));
    let answer = stage.last().clone();
    assert_eq!(answer.status(), Some(StatusCode::OK));
    let ours = Description::parse(answer.body()).unwrap();
    assert_eq!(ours.media[0].port, 40_000);
    assert_eq!(
        ours.origin.session_version, "2",
        "RFC 3264 §8: it says less than our offer"
    );
    stage.hears(response(&invite, 183, "one", 5000).build());
    stage.hears(response(&invite, 200, "one", 5000).build());
    assert_eq!(
        ports(&stage),
        [("early", 5000), ("early", 5500), ("answered", 5500)]
    );
}

#[test]
fn an_early_update_of_one_fork_says_nothing_of_another() {
    let (mut stage, invite) = Stage::dial();
    stage.hears(reliable(&invite, "one", 1, 5000));
    stage.hears(reliable(&invite, "two", 1, 6000));
    stage.hears(request(
        &invite,
        "one",
        Method::Update,
        1,
        &description(5500),
    ));
    stage.hears(response(&invite, 200, "two", 6100).build());
    assert_eq!(ports(&stage).last(), Some(&("answered", 6100)));
}

// RFC 3261 §14.2, RFC 3311 §5.2: 488, and what was agreed stays.
#[test]
fn an_early_update_that_we_do_not_speak_changes_nothing() {
    let (mut stage, invite) = Stage::dial();
    stage.hears(reliable(&invite, "one", 1, 5000));
    let video = description(5500).replace("audio", "video");
    stage.hears(request(&invite, "one", Method::Update, 1, &video));
    assert_eq!(stage.last().status(), Some(StatusCode::NOT_ACCEPTABLE_HERE));
    stage.hears(response(&invite, 200, "one", 0).build());
    assert_eq!(ports(&stage), [("early", 5000), ("answered", 5000)]);
}

// A network that shows a new fork each time does not fill our memory.
#[test]
fn endless_forks_fill_no_memory() {
    let (mut stage, invite) = Stage::dial();
    for fork in 0..1_000 {
        stage.hears(response(&invite, 183, &format!("fork{fork}"), 5000 + fork).build());
    }
    assert!(ports(&stage).len() <= 16, "{}", ports(&stage).len());
    stage.hears(response(&invite, 200, "fork999", 7000).build());
    assert_eq!(ports(&stage).last(), Some(&("answered", 7000)));
}
