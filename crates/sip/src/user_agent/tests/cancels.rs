//! Forks, and calls that are given up while they ring (RFC 3261 §9, §13.2.2.4, §16.7; RFC 6026).

use std::time::Duration;

use super::inside::CALL;
use super::stage::{Stage, inside, ok, response};
use super::world::{ANSWERER, CALLER};
use crate::user_agent::Reply;
use crate::{Message, Method, Name, StatusCode};

impl Stage {
    fn hang_up(&mut self) {
        self.agent.hang_up(self.now, CALL);
        self.drain();
    }

    fn sent_since(&self, from: usize) -> Vec<String> {
        self.sent_methods().split_off(from)
    }
}

fn ringing() -> (Stage, Message) {
    let mut stage = Stage::of(CALLER);
    let (_, invite) = stage.dial(None);
    stage.hears(response(&invite, 180, "one").build());
    (stage, invite)
}

// RFC 3261 §9.1: the CANCEL is the INVITE's own: its branch, target, From, To, Call-ID and number.
#[test]
fn the_cancel_names_its_invite() {
    let (mut stage, invite) = ringing();
    stage.hang_up();
    let cancel = stage.last().clone();
    assert_eq!(cancel.method(), Some(&Method::Cancel));
    assert_eq!(cancel.request_uri(), invite.request_uri());
    for name in [Name::Via, Name::From, Name::To, Name::CallId] {
        assert_eq!(cancel.header(name), invite.header(name), "{name}");
    }
    assert_eq!(cancel.cseq().unwrap().number, invite.cseq().unwrap().number);
    assert_eq!(cancel.headers(Name::Via).count(), 1);
    assert!(cancel.header(Name::Supported).is_none() && cancel.body().is_empty());
}

// RFC 3261 §9.1: 487 gets its ACK, in the transaction of the INVITE.
#[test]
fn a_cancelled_invite_ends_with_487_and_its_ack() {
    let (mut stage, invite) = ringing();
    stage.hang_up();
    let cancel = stage.last().clone();
    stage.hears(response(&cancel, 200, "one").build());
    stage.hears(response(&invite, 487, "one").build());
    assert_eq!(stage.sent_methods(), ["INVITE", "CANCEL", "ACK"]);
    let ack = stage.last();
    assert_eq!(ack.header(Name::Via), invite.header(Name::Via));
    assert_eq!(stage.told, ["progress 180", "ended: by us"]);
    stage.wait_until_idle();
}

// RFC 3261 §9.1: not before a provisional response, and not after a final one.
#[test]
fn there_is_no_cancel_before_a_provisional_response_or_after_a_final_one() {
    let mut stage = Stage::of(CALLER);
    let (_, invite) = stage.dial(None);
    stage.hang_up();
    assert_eq!(stage.sent_methods(), ["INVITE"]);
    stage.hears(response(&invite, 486, "one").build());
    stage.hears(response(&invite, 180, "one").build());
    assert_eq!(stage.sent_methods(), ["INVITE", "ACK"]);

    let mut stage = Stage::of(CALLER);
    let (_, invite) = stage.dial(None);
    stage.hang_up();
    stage.hears(response(&invite, 100, "").build());
    assert_eq!(stage.sent_methods(), ["INVITE", "CANCEL"], "100 will do");
    stage.hears(response(&invite, 180, "one").build());
    assert_eq!(stage.sent_methods(), ["INVITE", "CANCEL"], "once");
}

// RFC 3261 §9.1, §15: the answer crosses the CANCEL. Every fork that answers gets its ACK and its BYE.
#[test]
fn an_answer_across_the_cancel_gets_ack_and_bye() {
    let (mut stage, invite) = ringing();
    stage.hears(response(&invite, 180, "two").build());
    stage.hang_up();
    let cancel = stage.last().clone();
    stage.hears(response(&cancel, 200, "one").build());
    let before = stage.sent.len();
    for tag in ["one", "two"] {
        stage.hears(ok(&invite, tag));
        let bye = stage.last();
        assert_eq!(bye.method(), Some(&Method::Bye));
        assert_eq!(bye.to().unwrap().tag(), Some(tag));
    }
    stage.hears(ok(&invite, "one"));
    assert_eq!(
        stage.sent_since(before),
        ["ACK", "BYE", "ACK", "BYE", "ACK"]
    );
    let told = &stage.told[2..];
    assert_eq!(
        told,
        ["ended: by us"],
        "the user has hung up, and hears no more"
    );
}

// RFC 3261 §9.2: the CANCEL found no transaction, for the answer was on its way; the answer decides.
#[test]
fn a_cancel_answered_481_changes_nothing() {
    let (mut stage, invite) = ringing();
    stage.hang_up();
    let cancel = stage.last().clone();
    stage.hears(response(&cancel, 481, "one").build());
    let before = stage.sent.len();
    stage.hears(ok(&invite, "one"));
    assert_eq!(stage.sent_since(before), ["ACK", "BYE"]);
    let bye = stage.last().clone();
    stage.hears(response(&bye, 200, "one").build());
    stage.wait_until_idle();
}

// RFC 3261 §9.1: an INVITE that is cancelled and has no final response in 64*T1 is over.
#[test]
fn a_cancel_answered_without_a_final_response_is_forgotten_after_64_t1() {
    for code in [200, 481] {
        let (mut stage, _) = ringing();
        stage.hang_up();
        let cancel = stage.last().clone();
        let start = stage.now;
        stage.hears(response(&cancel, code, "one").build());
        stage.wait_until_idle();
        assert_eq!(stage.now - start, Duration::from_secs(32), "{code}");
        assert_eq!(stage.told, ["progress 180", "ended: by us"]);
    }
}

// RFC 3261 §17.1.1 figure 5, §9.1: the connection is lost while a phone rings. It must not ring on for nobody: the CANCEL opens another.
#[test]
fn a_connection_lost_while_it_rings_brings_a_cancel() {
    let lost = |stage: &mut Stage| {
        let peer = super::stage::far();
        stage.agent.handle_input(
            stage.now,
            crate::user_agent::Input::TransportFailed { peer },
        );
        stage.drain();
    };
    let (mut stage, invite) = ringing();
    lost(&mut stage);
    assert_eq!(stage.told, ["progress 180", "ended: unreachable"]);
    assert_eq!(stage.sent_methods(), ["INVITE", "CANCEL"]);
    // And once more, with the new connection.
    lost(&mut stage);
    assert_eq!(stage.sent_methods(), ["INVITE", "CANCEL"]);
    stage.hears(response(&invite, 487, "one").build());
    assert_eq!(stage.last().method(), Some(&Method::Ack));
    stage.wait_until_idle();

    let (mut stage, invite) = ringing();
    lost(&mut stage);
    stage.hears(ok(&invite, "one"));
    assert_eq!(
        stage.sent_since(2),
        ["ACK", "BYE"],
        "the answer was on its way"
    );
    assert_eq!(stage.told.len(), 2);
}

// RFC 3261 §13.2.2.4, RFC 6026 §7.2: forks answer for 64*T1 after the first, even when its call is over.
#[test]
fn a_fork_that_answers_after_the_call_is_over_is_hung_up() {
    let (mut stage, invite) = ringing();
    stage.hears(ok(&invite, "one"));
    stage.hang_up();
    let before = stage.sent.len();
    stage.wait(Duration::from_secs(20));
    let repeated = stage.sent_since(before).len();
    stage.hears(ok(&invite, "two"));
    assert_eq!(stage.sent_since(before + repeated), ["ACK", "BYE"]);
    assert_eq!(stage.told.last().unwrap(), "ended: by us");
    stage.wait(Duration::from_secs(13));
    let before = stage.sent.len();
    stage.hears(ok(&invite, "three"));
    assert_eq!(stage.sent.len(), before, "too late for everybody");
}

// A network that shows a new tag each time does not fill our memory, and the call it answers is made all the same.
#[test]
fn endless_forks_fill_no_memory() {
    let mut stage = Stage::of(CALLER);
    let (_, invite) = stage.dial(None);
    for fork in 0..1000 {
        let ringing = response(&invite, 180, &format!("fork{fork}"))
            .header(Name::Require, "100rel")
            .header(Name::RSeq, 1);
        stage.hears(ringing.build());
    }
    let pracks = stage.sent_since(1);
    assert_eq!(pracks.len(), 16, "one for each early dialog that is kept");
    stage.hears(ok(&invite, "fork999"));
    assert_eq!(stage.told.last().unwrap(), "answered");
    let before = stage.sent.len();
    for fork in 0..1000 {
        stage.hears(ok(&invite, &format!("fork{fork}")));
    }
    let acks = stage.sent_since(before);
    assert_eq!(acks.iter().filter(|method| *method == "BYE").count(), 15);
}

// RFC 3261 §12.1, §13.2.2.4: the tag of the 2xx makes the call, though the phone rang under another (an SBC in between).
#[test]
fn a_tag_that_changes_with_the_answer_makes_the_call() {
    let (mut stage, invite) = ringing();
    stage.hears(ok(&invite, "other"));
    assert_eq!(stage.told, ["progress 180", "answered"]);
    stage.hang_up();
    assert_eq!(stage.last().to().unwrap().tag(), Some("other"));
}

// RFC 3261 §8.2.2.2: the same INVITE by two ways.
#[test]
fn a_merged_invite_gets_482() {
    let again = |cseq: &str, branch: &str, tag: &str| {
        inside("INVITE", tag, "", 1, "c")
            .replace("CSeq: 1 ", &format!("CSeq: {cseq} "))
            .replace("z9hG4bKINVITE1", branch)
    };
    for is_answered in [false, true] {
        let mut stage = Stage::of(ANSWERER);
        stage.hears_text(&again("1", "z9hG4bKone", "a"));
        if is_answered {
            let reply = Reply::new(StatusCode::OK);
            stage.agent.respond(stage.now, CALL, reply).unwrap();
            stage.drain();
        }
        stage.hears_text(&again("1", "z9hG4bKtwo", "a"));
        assert_eq!(stage.last().status(), Some(StatusCode::LOOP_DETECTED));
        assert_eq!(stage.told, ["invited"]);
        // Another call of the same Call-ID, and one that comes later, are no copies.
        stage.hears_text(&again("1", "z9hG4bKthree", "b"));
        stage.hears_text(&again("2", "z9hG4bKfour", "a"));
        assert_eq!(stage.told, ["invited"; 3]);
    }
}

// RFC 3261 §21.3, §20.33: what a refusal says besides its status is there to be read.
#[test]
fn a_redirection_and_a_pause_can_be_read() {
    use crate::user_agent::{End, Event, Input, Output};
    let refusals = [
        (
            302,
            Name::Contact,
            "<sip:b@203.0.113.7>;q=0.5, <sip:c@203.0.113.8>",
        ),
        (503, Name::RetryAfter, "120 (maintenance);duration=60"),
    ];
    for (code, name, value) in refusals {
        let mut stage = Stage::of(CALLER);
        let (_, invite) = stage.dial(None);
        let message = response(&invite, code, "one").header(name, value).build();
        let from = super::stage::far();
        stage
            .agent
            .handle_input(stage.now, Input::Received { from, message });
        let ended =
            std::iter::from_fn(|| stage.agent.poll_output()).find_map(|output| match output {
                Output::Event(Event::Ended {
                    end: End::Refused(message),
                    ..
                }) => Some(message),
                _ => None,
            });
        let refusal = ended.unwrap();
        assert_eq!(refusal.status().unwrap().code(), code);
        match name {
            Name::Contact => {
                let contact = refusal.contact().unwrap().unwrap();
                assert_eq!(contact.uri.as_str(), "sip:b@203.0.113.7");
                assert_eq!(stage.sent_methods(), ["INVITE"], "nobody is dialled for it");
            }
            _ => {
                let pause = refusal.retry_after().unwrap().unwrap();
                assert_eq!(pause.after, Duration::from_secs(120));
            }
        }
    }
}
