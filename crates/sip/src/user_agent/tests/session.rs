//! Session timers (RFC 4028) and UPDATE (RFC 3311) against a far end whose messages are written out.

use std::time::Duration;

use super::inside::{CALL, answered};
use super::stage::{Stage, challenge, ok, response};
use super::world::{ANSWERER, CALLER};
use crate::digest::{Credentials, Guard};
use crate::user_agent::{Body, CallHandle, Input, Refresher, Reply, SessionTimer};
use crate::{Message, Method, Name, StatusCode};

const SECOND: Duration = Duration::from_secs(1);

fn timer(seconds: u64, refresher: Refresher) -> SessionTimer {
    SessionTimer {
        expires: Duration::from_secs(seconds),
        refresher,
        ..SessionTimer::default()
    }
}

/// A call that we refresh by UPDATE every 300 s.
fn refreshed_by_us() -> (Stage, CallHandle, Message) {
    answered(&[
        ("Session-Expires", "600;refresher=uac"),
        ("Allow", "UPDATE"),
    ])
}

fn expires(message: &Message) -> &str {
    message.header(Name::SessionExpires).unwrap_or("none")
}

#[test]
fn the_invite_asks_for_a_timer_and_leaves_the_roles_open() {
    // RFC 4028 §7.1
    let mut stage = Stage::of(CALLER);
    let (_, invite) = stage.dial(None);
    assert!(invite.lists(Name::Supported, "timer"));
    assert_eq!(expires(&invite), "1800");
    assert_eq!(invite.header(Name::MinSe), None, "90 s goes without saying");
}

#[test]
fn a_refusal_as_too_small_is_answered_with_the_interval_it_names() {
    // RFC 4028 §7.3, §7.4
    let mut stage = Stage::of(CALLER);
    let (_, first) = stage.dial(None);
    stage.hears(
        response(&first, 422, "x")
            .header(Name::MinSe, "3600")
            .build(),
    );
    let second = stage.last().clone();
    assert_eq!(stage.sent_methods(), ["INVITE", "ACK", "INVITE"]);
    assert_eq!(
        (expires(&second), second.header(Name::MinSe)),
        ("3600", Some("3600"))
    );
    assert_eq!(second.call_id(), first.call_id());
    assert_eq!(
        second.cseq().unwrap().number,
        first.cseq().unwrap().number + 1
    );
    stage.hears(ok(&second, "far"));
    assert_eq!(stage.told, ["answered"]);
}

#[test]
fn refusals_as_too_small_have_an_end() {
    // RFC 4028 §7.3, §8.1: each proxy on the way may want a longer interval than the one before; but not for ever.
    let mut stage = Stage::of(CALLER);
    let (_, mut invite) = stage.dial(None);
    for min_se in 2_000..2_100 {
        let refusal = response(&invite, 422, "x")
            .header(Name::MinSe, min_se)
            .build();
        stage.hears(refusal);
        let last = stage.last().clone();
        if last.method() == Some(&Method::Invite) {
            assert_eq!(expires(&last), min_se.to_string());
            invite = last;
        }
    }
    let invites = stage.sent_methods();
    assert_eq!(
        invites.iter().filter(|method| *method == "INVITE").count(),
        1 + 3
    );
    assert_eq!(stage.told, ["ended: refused 422"]);
}

#[test]
fn a_refusal_as_too_small_that_asks_for_no_more_is_a_refusal() {
    // RFC 4028 §7.3: asking the same again would get the same answer.
    for min_se in [None, Some("90"), Some("x")] {
        let mut stage = Stage::of(CALLER);
        let (_, invite) = stage.dial(None);
        let mut refusal = response(&invite, 422, "x");
        if let Some(min_se) = min_se {
            refusal = refusal.header(Name::MinSe, min_se);
        }
        stage.hears(refusal.build());
        assert_eq!(stage.told, ["ended: refused 422"], "{min_se:?}");
    }
}

#[test]
fn we_refresh_at_half_the_interval_by_update() {
    // RFC 4028 §7.4, §10
    let (mut stage, _, _) = answered(&[
        ("Session-Expires", "600;refresher=uac"),
        ("Allow", "INVITE, UPDATE"),
    ]);
    let start = stage.now;
    for round in 1..=3 {
        stage.wait(300 * SECOND);
        let update = stage.last().clone();
        assert_eq!(update.method(), Some(&Method::Update));
        assert_eq!(stage.now - start, 300 * SECOND * round);
        assert_eq!(expires(&update), "600;refresher=uac");
        assert!(update.body().is_empty());
        let granted =
            response(&update, 200, "far").header(Name::SessionExpires, "600;refresher=uac");
        stage.hears(granted.build());
    }
    assert!(stage.told.is_empty(), "nobody need know: {:?}", stage.told);
}

#[test]
fn without_update_the_user_refreshes_by_reinvite() {
    // RFC 4028 §7.4: an UPDATE only if the other side allows it.
    let (mut stage, call, _) = answered(&[("Session-Expires", "600;refresher=uac")]);
    stage.wait(300 * SECOND);
    assert_eq!(stage.told, ["refresh wanted"]);
    assert!(stage.agent.update(stage.now, call, None).is_err());
    let reinvite = stage.offers(call, "same");
    assert_eq!(expires(&reinvite), "600;refresher=uac");
    let granted = ok_with(&reinvite, "600;refresher=uac");
    stage.hears(granted);
    stage.wait(299 * SECOND);
    assert_eq!(stage.told, ["refresh wanted", "re-INVITE answered"]);
    stage.wait(SECOND);
    assert_eq!(stage.told.last().unwrap(), "refresh wanted");
}

fn ok_with(request: &Message, expires: &str) -> Message {
    response(request, 200, "far")
        .header(Name::Contact, "<sip:far@10.0.0.2>")
        .header(Name::SessionExpires, expires)
        .body("application/sdp", "answer")
        .build()
}

#[test]
fn a_session_that_nobody_refreshes_ends_with_a_reason() {
    // RFC 4028 §10: min(32 s, interval / 3) before the end; RFC 3326.
    for (interval, after) in [(600, 568), (90, 60)] {
        let (mut stage, _, _) =
            answered(&[("Session-Expires", &format!("{interval};refresher=uas"))]);
        stage.wait((after - 1) * SECOND);
        assert!(stage.told.is_empty());
        stage.wait(SECOND);
        assert_eq!(stage.told, ["ended: session expired"]);
        let bye = stage.last();
        assert_eq!(bye.method(), Some(&Method::Bye));
        assert_eq!(bye.reasons()[0].cause, Some(408));
    }
}

#[test]
fn a_timer_we_did_not_ask_for_is_kept_all_the_same() {
    // RFC 4028 §7.2: the 2xx has the last word, whoever wrote the header into it.
    for (role, expected) in [("uac", "UPDATE"), ("uas", "BYE")] {
        let mut stage = Stage::with(CALLER, |options| options.session_timer = None);
        let (_, invite) = stage.dial(None);
        assert_eq!(expires(&invite), "none");
        let answer = response(&invite, 200, "far")
            .header(Name::Contact, "<sip:far@10.0.0.2>")
            .header(Name::Allow, "UPDATE")
            .header(Name::SessionExpires, format!("300;refresher={role}"));
        stage.hears(answer.build());
        stage.wait(270 * SECOND);
        let methods = stage.sent_methods();
        assert_eq!(methods[2], expected);
    }
}

#[test]
fn an_answer_without_the_header_stops_the_timer() {
    // RFC 4028 §7.2
    let (mut stage, _, _) = answered(&[]);
    stage.wait(10_000 * SECOND);
    assert!(stage.told.is_empty() && stage.sent.is_empty());
    let (mut stage, _, _) = refreshed_by_us();
    stage.wait(300 * SECOND);
    let update = stage.last().clone();
    stage.hears(response(&update, 200, "far").build());
    stage.wait(10_000 * SECOND);
    assert!(stage.told.is_empty());
}

#[test]
fn an_interval_below_ninety_seconds_makes_no_storm() {
    // RFC 4028 §5: 90 s is the least there is.
    let (mut stage, _, _) =
        answered(&[("Session-Expires", "0;refresher=uac"), ("Allow", "UPDATE")]);
    stage.wait(44 * SECOND);
    assert!(stage.sent.is_empty());
}

#[test]
fn a_refresh_that_finds_no_dialog_ends_the_call() {
    // RFC 4028 §7.3
    for status in [408, 481] {
        let (mut stage, _, _) = refreshed_by_us();
        stage.wait(300 * SECOND);
        let update = stage.last().clone();
        stage.hears(response(&update, status, "far").build());
        assert_eq!(stage.told, ["ended: forgotten"], "{status}");
        assert_eq!(stage.last().method(), Some(&Method::Bye));
    }
    let (mut stage, _, _) = refreshed_by_us();
    stage.wait(332 * SECOND);
    assert_eq!(
        stage.told,
        ["ended: forgotten"],
        "silence is as good as 408"
    );
}

#[test]
fn a_refresh_that_fails_is_tried_once_more_and_then_the_session_expires() {
    // RFC 4028 §7.3, §10
    let (mut stage, _, _) = refreshed_by_us();
    stage.wait(300 * SECOND);
    for _ in 0..2 {
        let update = stage.last().clone();
        assert_eq!(update.method(), Some(&Method::Update));
        stage.hears(response(&update, 503, "far").build());
        stage.wait(2 * SECOND);
    }
    assert_eq!(stage.sent_methods(), ["UPDATE", "UPDATE"]);
    stage.wait(264 * SECOND);
    assert_eq!(stage.told, ["ended: session expired"]);
}

#[test]
fn a_peer_that_turns_out_not_to_know_update_is_refreshed_by_reinvite() {
    // RFC 3311 §4: Allow says what is taken; 405 and 501 say what is not.
    for status in [405, 501] {
        let (mut stage, _, _) = refreshed_by_us();
        stage.wait(300 * SECOND);
        let update = stage.last().clone();
        stage.hears(response(&update, status, "far").build());
        stage.wait(2 * SECOND);
        assert_eq!(stage.told, ["refresh wanted"]);
    }
}

#[test]
fn the_roles_flip_when_the_other_side_says_so() {
    // RFC 4028 §7.4: uac and uas are those of the request at hand, so their refresh swaps the words.
    let (mut stage, _, invite) = answered(&[
        ("Session-Expires", "600;refresher=uas"),
        ("Allow", "UPDATE"),
    ]);
    stage.wait(100 * SECOND);
    stage.hears_inside(
        &invite,
        "UPDATE",
        1,
        "Supported: timer\nSession-Expires: 600;refresher=uac\n",
    );
    assert_eq!(
        expires(stage.last()),
        "600;refresher=uac",
        "they go on refreshing"
    );
    assert!(stage.last().lists(Name::Require, "timer"), "RFC 4028 §9");
    stage.wait(500 * SECOND);
    assert!(stage.told.is_empty(), "their refresh put off the end");
    stage.hears_inside(
        &invite,
        "UPDATE",
        2,
        "Supported: timer\nSession-Expires: 600;refresher=uas\n",
    );
    assert_eq!(expires(stage.last()), "600;refresher=uas", "now we do");
    stage.sent.clear();
    stage.wait(300 * SECOND);
    assert_eq!(stage.sent_methods(), ["UPDATE"]);
    assert_eq!(expires(stage.last()), "600;refresher=uac");
}

/// A call of theirs, with `headers` in its INVITE, answered.
fn answering(timer: Option<SessionTimer>, headers: &str) -> (Stage, Message) {
    let mut stage = Stage::with(ANSWERER, |options| options.session_timer = timer);
    let invite = stage.hears_invite(headers);
    stage
        .agent
        .respond(stage.now, CALL, Reply::new(StatusCode::OK))
        .unwrap();
    stage.drain();
    (stage, invite)
}

#[test]
fn who_refreshes_as_the_answerer_settles_it() {
    // RFC 4028 §9, table 2
    let cases = [
        (Refresher::Either, "", "1800;refresher=uas", false),
        (
            Refresher::Either,
            "Session-Expires: 600\n",
            "600;refresher=uas",
            false,
        ),
        (
            Refresher::Either,
            "Supported: timer\nSession-Expires: 600\n",
            "600;refresher=uac",
            true,
        ),
        (
            Refresher::Us,
            "Supported: timer\nSession-Expires: 600\n",
            "600;refresher=uas",
            true,
        ),
        (
            Refresher::Them,
            "k: timer\nx: 600;refresher=uas\n",
            "600;refresher=uas",
            true,
        ),
        (
            Refresher::Us,
            "k: timer\nx: 600;refresher=uac\n",
            "600;refresher=uac",
            true,
        ),
        (
            Refresher::Either,
            "k: timer\nx: 7200\n",
            "1800;refresher=uac",
            true,
        ),
        (
            Refresher::Either,
            "k: timer\nx: 7200\nMin-SE: 3600\n",
            "3600;refresher=uac",
            true,
        ),
        (
            Refresher::Either,
            "k: timer\nMin-SE: 3600\n",
            "3600;refresher=uac",
            true,
        ),
    ];
    for (refresher, headers, expected, required) in cases {
        let (stage, _) = answering(Some(timer(1800, refresher)), headers);
        assert_eq!(expires(stage.last()), expected, "{headers}");
        assert_eq!(
            stage.last().lists(Name::Require, "timer"),
            required,
            "{headers}"
        );
    }
}

#[test]
fn an_interval_too_short_for_us_is_refused() {
    // RFC 4028 §9: only to those who know what a 422 is.
    let ours = SessionTimer {
        min_se: 300 * SECOND,
        ..SessionTimer::default()
    };
    let mut stage = Stage::with(ANSWERER, |options| options.session_timer = Some(ours));
    stage.hears_invite("Supported: timer\nSession-Expires: 120\n");
    assert_eq!(stage.last().status().unwrap().code(), 422);
    assert_eq!(stage.last().header(Name::MinSe), Some("300"));
    assert!(stage.told.is_empty());
    let (stage, _) = answering(Some(ours), "Session-Expires: 120\n");
    assert_eq!(expires(stage.last()), "120;refresher=uas");
}

#[test]
fn whoever_wants_no_timer_sets_up_none() {
    let (stage, _) = answering(None, "Supported: timer\nSession-Expires: 600\n");
    assert_eq!(expires(stage.last()), "none");
}

#[test]
fn an_answerer_whose_caller_vanishes_hangs_up() {
    // RFC 4028 §10
    let (mut stage, invite) = answering(
        Some(SessionTimer::default()),
        "Supported: timer\nSession-Expires: 600;refresher=uac\n",
    );
    let answer = stage.last().clone();
    stage.hears_from_caller(&invite, &answer, "ACK", 1, "");
    stage.wait(567 * SECOND);
    assert_eq!(stage.told, ["invited", "acknowledged"]);
    stage.wait(SECOND);
    assert_eq!(stage.told.last().unwrap(), "ended: session expired");
}

#[test]
fn update_makes_an_offer_and_moves_the_target() {
    // RFC 3311 §5.1, §5.2; RFC 3261 §12.2.1.2
    let (mut stage, call, _) = answered(&[("Allow", "UPDATE")]);
    stage
        .agent
        .update(stage.now, call, Some(Body::sdp("hold")))
        .unwrap();
    stage.drain();
    let update = stage.last().clone();
    assert_eq!(update.method(), Some(&Method::Update));
    assert!(update.contact().unwrap().is_some());
    assert!(
        stage
            .agent
            .update(stage.now, call, Some(Body::sdp("again")))
            .is_err(),
        "one offer at a time"
    );
    stage.hears(ok(&update, "moved"));
    assert_eq!(stage.told, ["re-INVITE answered"]);
    stage.agent.hang_up(stage.now, call);
    stage.drain();
    assert_eq!(stage.last().request_uri(), Some("sip:moved@10.0.0.9:5070"));
}

#[test]
fn an_update_meets_theirs() {
    // RFC 3311 §5.1 with RFC 3261 §14.1: 491 both ways; the owner of the Call-ID waits 2.1 to 4 s.
    let (mut stage, call, invite) = answered(&[("Allow", "UPDATE")]);
    stage
        .agent
        .update(stage.now, call, Some(Body::sdp("hold")))
        .unwrap();
    stage.drain();
    let update = stage.last().clone();
    stage.hears_offer(&invite, "UPDATE", 1);
    assert_eq!(stage.last().status().unwrap().code(), 491);
    stage.hears(response(&update, 491, "far").build());
    let start = stage.now;
    stage.wait_for("re-INVITE again");
    let pause = (stage.now - start).as_millis();
    assert!((2100..=4000).contains(&pause) && pause % 10 == 0, "{pause}");
}

#[test]
fn who_owns_the_call_id_waits_longer_after_a_glare() {
    // RFC 3261 §14.1: 2.1 to 4 s for the side that made the call, 0 to 2 s for the other, in steps of 10 ms, for re-INVITE and UPDATE.
    let mut pauses: [Vec<u128>; 2] = Default::default();
    for seed in 0..50 {
        for side in [CALLER, ANSWERER] {
            let mut stage = glaring(side, seed);
            let start = stage.now;
            stage.wait_for("re-INVITE again");
            pauses[side].push((stage.now - start).as_millis());
        }
    }
    let [owner, other] = pauses;
    assert!(
        owner.iter().all(|pause| (2_100..=4_000).contains(pause)),
        "{owner:?}"
    );
    assert!(
        other.iter().all(|pause| (0..=2_000).contains(pause)),
        "{other:?}"
    );
    for pauses in [owner, other] {
        assert!(pauses.iter().all(|pause| pause % 10 == 0), "{pauses:?}");
        assert!(pauses.iter().max() > pauses.iter().min(), "{pauses:?}");
    }
}

/// A call in which an offer of ours has just met one of theirs.
fn glaring(side: usize, seed: u64) -> Stage {
    let mut stage = Stage::with(side, |options| options.seed = seed);
    if side == CALLER {
        let (_, invite) = stage.dial(None);
        stage.hears(ok(&invite, "far"));
    } else {
        let invite = stage.hears_invite("");
        stage
            .agent
            .respond(stage.now, CALL, Reply::new(StatusCode::OK))
            .unwrap();
        stage.drain();
        let answer = stage.last().clone();
        stage.hears_from_caller(&invite, &answer, "ACK", 1, "");
    }
    let ours = stage.offers(CALL, "hold");
    stage.hears(response(&ours, 491, "far").build());
    stage
}

#[test]
fn an_overlapping_update_is_told_to_wait() {
    // RFC 3311 §5.2, RFC 3261 §14.2: 500 with a Retry-After of 0 to 10 s.
    let (mut stage, _, invite) = answered(&[("Allow", "UPDATE")]);
    stage.hears_offer(&invite, "UPDATE", 1);
    stage.hears_offer(&invite, "UPDATE", 2);
    let refusal = stage.last();
    assert_eq!(refusal.status().unwrap().code(), 500);
    let pause = refusal.retry_after().unwrap().unwrap().after;
    assert!(pause <= 10 * SECOND, "{pause:?}");
}

#[test]
fn told_to_wait_we_offer_again_afterwards() {
    // RFC 3261 §14.2 read from the other side.
    let (mut stage, call, _) = answered(&[]);
    let reinvite = stage.offers(call, "hold");
    let later = response(&reinvite, 500, "far").header(Name::RetryAfter, "7");
    stage.hears(later.build());
    let start = stage.now;
    stage.wait_for("re-INVITE again");
    assert_eq!(stage.now - start, 7 * SECOND);
}

#[test]
fn an_update_before_the_answer() {
    // RFC 3311 §5.2: our offer is open, so theirs gets 491; theirs is unanswered, so another gets 500. Without a body both are fine.
    // Offers that are in time are in `early.rs`.
    let mut stage = Stage::of(CALLER);
    let (_, invite) = stage.dial(None);
    stage.hears(response(&invite, 183, "far").build());
    stage.hears_offer(&invite, "UPDATE", 1);
    assert_eq!(stage.last().status().unwrap().code(), 491);
    stage.hears_inside(&invite, "UPDATE", 2, "");
    assert_eq!(stage.last().status().unwrap().code(), 200);

    let mut stage = Stage::of(ANSWERER);
    let invite = stage.hears_invite("");
    stage
        .agent
        .respond(stage.now, CALL, Reply::new(StatusCode::SESSION_PROGRESS))
        .unwrap();
    stage.drain();
    let progress = stage.last().clone();
    stage.hears_from_caller(&invite, &progress, "UPDATE", 2, "offer");
    assert_eq!(stage.last().status().unwrap().code(), 500);
    assert!(stage.last().retry_after().unwrap().is_some());
    stage.hears_from_caller(&invite, &progress, "UPDATE", 3, "");
    assert_eq!(stage.last().status().unwrap().code(), 200);
    stage.hears_from_caller(&invite, &progress, "BYE", 4, "");
    assert_eq!(stage.told.last().unwrap(), "ended: by them");
}

#[test]
fn a_change_that_is_refused_between_refreshes_brings_none_forward() {
    // RFC 4028 §10: half the interval counts from the last refresh.
    let (mut stage, call, _) = refreshed_by_us();
    stage.wait(100 * SECOND);
    let reinvite = stage.offers(call, "hold");
    stage.hears(response(&reinvite, 488, "far").build());
    stage.sent.clear();
    stage.wait(199 * SECOND);
    assert!(stage.sent.is_empty());
    stage.wait(SECOND);
    assert_eq!(stage.sent_methods(), ["UPDATE"]);
}

#[test]
fn a_refresh_that_cannot_be_sent_is_tried_again() {
    // RFC 3261 §8.1.3.1: as if answered 503. A connection that breaks while people talk ends no call.
    let (mut stage, call, _) = refreshed_by_us();
    stage.wait(300 * SECOND);
    let lost = |stage: &mut Stage| {
        let peer = stage.sent.last().unwrap().0;
        stage
            .agent
            .handle_input(stage.now, Input::TransportFailed { peer });
        stage.drain();
    };
    lost(&mut stage);
    stage.wait(2 * SECOND);
    assert_eq!(stage.sent_methods(), ["UPDATE", "UPDATE"]);
    stage.offers(call, "hold");
    lost(&mut stage);
    assert_eq!(stage.told, ["re-INVITE refused 503"]);
}

#[test]
fn a_refresh_that_is_challenged_is_answered() {
    // RFC 3261 §22.2 inside a dialog: the next CSeq of the dialog.
    let mut stage = Stage::of(CALLER);
    let mut guard = Guard::new("sip.carrier.test", 1);
    let (_, invite) = stage.dial(Some(Credentials::new("harbour", "secret")));
    let answer = response(&invite, 200, "far")
        .header(Name::Contact, "<sip:far@10.0.0.2>")
        .header(Name::Allow, "UPDATE")
        .header(Name::SessionExpires, "600;refresher=uac");
    stage.hears(answer.build());
    stage.wait(300 * SECOND);
    let first = stage.last().clone();
    stage.hears(challenge(&first, &mut guard, stage.now, false));
    let second = stage.last().clone();
    assert_eq!(second.method(), Some(&Method::Update));
    assert_eq!(
        second.cseq().unwrap().number,
        first.cseq().unwrap().number + 1
    );
    assert!(second.header(Name::ProxyAuthorization).is_some());
    assert_eq!(expires(&second), "600;refresher=uac");
    stage.hears(
        response(&second, 200, "far")
            .header(Name::SessionExpires, "600;refresher=uac")
            .build(),
    );
    stage.wait(299 * SECOND);
    assert_eq!(stage.told, ["answered"]);
}
