//! One user agent, several peers who say anything at any time, and a user who does, in virtual time. Whatever happens, each call
//! is told its end once and last, and when all are hung up nothing is left.
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use arbitrary::{Arbitrary, Unstructured};
use bytes::Bytes;
use housecall_sip::digest::Credentials;
use housecall_sip::user_agent::{
    AgentOptions, Body, CallHandle, Event, Input, Invite, Output, Refresher, Reply, SessionTimer,
};
use housecall_sip::{
    Message, Method, Name, NameAddr, Peer, RequestBuilder, ResponseBuilder, StatusCode, Uri,
    UserAgent, Via,
};

#[derive(Arbitrary, Debug)]
enum Step<'a> {
    Dial {
        peer: u8,
        has_offer: bool,
    },
    Respond {
        call: u8,
        status: u16,
        has_body: bool,
        is_reliable: bool,
    },
    Reinvite(u8),
    Update {
        call: u8,
        has_body: bool,
    },
    HangUp(u8),
    Wait(u16),
    WaitSeconds(u16),
    TransportFailed(u8),
    /// A peer answers one of our requests.
    Answer {
        peer: u8,
        request: u8,
        status: u16,
        tag: u8,
        extra: Extra<'a>,
        has_body: bool,
    },
    /// A peer asks something.
    Ask {
        peer: u8,
        method: u8,
        dialog: u8,
        tag: u8,
        cseq: u8,
        branch: u8,
        extra: Extra<'a>,
        has_body: bool,
    },
    /// Something of a peer's comes again, from anybody, perhaps with a byte changed.
    Again {
        peer: u8,
        which: u8,
        change: Option<(u16, u8)>,
    },
    Raw(&'a [u8]),
}

#[derive(Arbitrary, Debug)]
enum Extra<'a> {
    Nothing,
    Contact(u8),
    Reliable(u8),
    Challenge(u8),
    RetryAfter(u8),
    Timer {
        seconds: u16,
        refresher: u8,
        min_se: u16,
    },
    RecordRoute(bool),
    Allow(bool),
    Any(&'a str, &'a str),
}

/// Panics where something is not as it must be.
pub(crate) fn check(data: &[u8]) {
    let Ok(steps) = <Vec<Step<'_>>>::arbitrary_take_rest(Unstructured::new(data)) else {
        return;
    };
    let mut world = World::new();
    for step in steps.iter().take(300) {
        world.step(step);
        world.settle();
    }
    for call in world.calls.clone() {
        world.agent.hang_up(world.now, call);
    }
    world.settle();
    // An answer of ours that nobody acknowledges is waited for, then the BYE, then what comes late.
    world.wait(Duration::from_secs(200));
    assert!(
        world.agent.is_idle(),
        "still holds something: {:?}",
        world.agent
    );
    assert_eq!(
        world.ended.len(),
        world.calls.len(),
        "every call has an end"
    );
}

struct World {
    now: Instant,
    agent: UserAgent,
    calls: Vec<CallHandle>,
    ended: BTreeSet<CallHandle>,
    /// The last few messages of ours and of the peers'.
    ours: Vec<Message>,
    theirs: Vec<Message>,
}

impl World {
    fn new() -> World {
        let timer = SessionTimer {
            expires: Duration::from_secs(100),
            refresher: Refresher::Either,
            ..SessionTimer::default()
        };
        let agent = UserAgent::new(AgentOptions {
            accepts_calls: true,
            session_timer: Some(timer),
            ..AgentOptions::new(([192, 0, 2, 1], 5060).into(), 7)
        });
        World {
            now: Instant::now(),
            agent,
            calls: Vec::new(),
            ended: BTreeSet::new(),
            ours: Vec::new(),
            theirs: Vec::new(),
        }
    }

    fn step(&mut self, step: &Step<'_>) {
        let now = self.now;
        match step {
            Step::Dial { peer, has_offer } => {
                if self.calls.len() < 20 {
                    let call = self.agent.invite(now, invite(*peer, *has_offer));
                    self.calls.push(call);
                }
            }
            Step::Respond {
                call,
                status,
                has_body,
                is_reliable,
            } => {
                let status = StatusCode::new(101 + status % 599);
                if let (Some(call), Some(status)) = (pick(&self.calls, *call), status) {
                    let mut reply = Reply::new(status);
                    reply.reliable = *is_reliable;
                    reply.body = has_body.then(|| Body::sdp("answer"));
                    let _ = self.agent.respond(now, call, reply);
                }
            }
            Step::Reinvite(call) => {
                if let Some(call) = pick(&self.calls, *call) {
                    let _ = self.agent.reinvite(now, call, Body::sdp("offer"));
                }
            }
            Step::Update { call, has_body } => {
                if let Some(call) = pick(&self.calls, *call) {
                    let body = has_body.then(|| Body::sdp("offer"));
                    let _ = self.agent.update(now, call, body);
                }
            }
            Step::HangUp(call) => {
                if let Some(call) = pick(&self.calls, *call) {
                    self.agent.hang_up(now, call);
                }
            }
            Step::Wait(millis) => self.wait(Duration::from_millis(u64::from(*millis))),
            Step::WaitSeconds(seconds) => self.wait(Duration::from_secs(u64::from(*seconds))),
            Step::TransportFailed(peer) => {
                let peer = way_to(*peer);
                self.agent
                    .handle_input(now, Input::TransportFailed { peer });
            }
            Step::Answer {
                peer,
                request,
                status,
                tag,
                extra,
                has_body,
            } => {
                if let Some(message) = self.answer(*request, *status, *tag, extra, *has_body) {
                    self.hear(*peer, message);
                }
            }
            Step::Ask {
                peer,
                method,
                dialog,
                tag,
                cseq,
                branch,
                extra,
                has_body,
            } => {
                let names = self.names(*dialog, *tag);
                let message = ask(names, *method, *cseq, *branch, extra, *has_body);
                self.hear(*peer, message);
            }
            Step::Again {
                peer,
                which,
                change,
            } => {
                if let Some(message) = pick(&self.theirs, *which).and_then(|m| changed(&m, *change))
                {
                    self.hear(*peer, message);
                }
            }
            Step::Raw(bytes) => {
                if let Ok(message) = Message::parse(Bytes::copy_from_slice(bytes)) {
                    self.hear(0, message);
                }
            }
        }
    }

    fn hear(&mut self, peer: u8, message: Message) {
        remember(&mut self.theirs, message.clone());
        let from = way_to(peer);
        self.agent
            .handle_input(self.now, Input::Received { from, message });
    }

    /// Takes out all that the agent wants done; its messages must read back, the end of a call comes once and last.
    fn settle(&mut self) {
        while let Some(output) = self.agent.poll_output() {
            match output {
                Output::Send { bytes, .. } => {
                    let message = Message::parse(bytes).expect("a message of ours");
                    remember(&mut self.ours, message);
                }
                Output::Event(event) => self.told(&event),
            }
        }
    }

    fn told(&mut self, event: &Event) {
        let call = match event {
            Event::Invited { call, .. } => {
                self.calls.push(*call);
                *call
            }
            Event::Ended { call, .. } => {
                assert!(self.ended.insert(*call), "ended twice");
                return;
            }
            Event::Progress { call, .. }
            | Event::Answered { call, .. }
            | Event::Acknowledged { call, .. }
            | Event::Reinvited { call, .. }
            | Event::ReinviteAnswered { call, .. }
            | Event::ReinviteRefused { call, .. }
            | Event::ReinviteAgain { call }
            | Event::RefreshWanted { call } => *call,
            _ => return,
        };
        assert!(!self.ended.contains(&call), "{event:?} after the end");
    }

    fn wait(&mut self, time: Duration) {
        let until = self.now + time;
        let mut wakes = 0;
        while let Some(at) = self.agent.poll_timeout().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.agent.handle_timeout(self.now);
            self.settle();
            wakes += 1;
            assert!(wakes < 1_000_000, "the clock stands still at {at:?}");
        }
        self.now = until;
    }

    fn answer(
        &self,
        request: u8,
        status: u16,
        tag: u8,
        extra: &Extra<'_>,
        has_body: bool,
    ) -> Option<Message> {
        let requests: Vec<Message> = self
            .ours
            .iter()
            .filter(|message| message.is_request())
            .cloned()
            .collect();
        let request = pick(&requests, request)?;
        let status = StatusCode::new(100 + status % 600)?;
        let mut builder = ResponseBuilder::new(&request, status);
        if !tag.is_multiple_of(4) {
            builder = builder.to_tag(&format!("t{}", tag % 4));
        }
        for (name, value) in headers(extra) {
            builder = builder.header(Name::from_text(&name), &value);
        }
        if has_body {
            builder = builder.body("application/sdp", "answer");
        }
        Some(builder.build())
    }

    /// Call-ID, From and To as a peer would say them inside a dialog that one of our messages shows, or inside none.
    fn names(&self, dialog: u8, tag: u8) -> (String, NameAddr, NameAddr) {
        let stranger = || {
            let name = |user| NameAddr::new(Uri::parse(user).expect("a URI"));
            (
                format!("c{tag}"),
                name("sip:them@h").with_tag("t1"),
                name("sip:us@h"),
            )
        };
        let Some(message) = pick(&self.ours, dialog).filter(|_| dialog < 200) else {
            return stranger();
        };
        let (Ok(call_id), Ok(from), Ok(to)) = (message.call_id(), message.from(), message.to())
        else {
            return stranger();
        };
        let (from, to) = (from.into_owned(), to.into_owned());
        match message.is_request() {
            true if to.tag().is_some() => (call_id.to_owned(), to, from),
            true => (
                call_id.to_owned(),
                to.with_tag(&format!("t{}", tag % 4)),
                from,
            ),
            false => (call_id.to_owned(), from, to),
        }
    }
}

fn ask(
    (call_id, from, to): (String, NameAddr, NameAddr),
    method: u8,
    cseq: u8,
    branch: u8,
    extra: &Extra<'_>,
    has_body: bool,
) -> Message {
    let methods = [
        Method::Invite,
        Method::Ack,
        Method::Bye,
        Method::Cancel,
        Method::Update,
        Method::Options,
        Method::Info,
        Method::Prack,
        Method::Refer,
        Method::Notify,
    ];
    let method = pick(&methods, method).unwrap_or(Method::Bye);
    let target = Uri::parse("sip:192.0.2.1:5060").expect("a URI");
    let via = Via::new("UDP", peer_of(0).addr.into(), &format!("z9hG4bKt{branch}"));
    let mut builder = RequestBuilder::new(method, &target)
        .via(&via)
        .max_forwards(70)
        .from(&from)
        .to(&to)
        .call_id(&call_id)
        .cseq(u32::from(cseq));
    for (name, value) in headers(extra) {
        builder = builder.header(Name::from_text(&name), &value);
    }
    match has_body {
        true => builder.body("application/sdp", "offer").build(),
        false => builder.build(),
    }
}

fn headers(extra: &Extra<'_>) -> Vec<(String, String)> {
    let header = |name: &str, value: String| (name.to_owned(), value);
    match extra {
        Extra::Nothing => vec![],
        Extra::Contact(host) => vec![header("Contact", format!("<sip:them@192.0.2.{host}:5060>"))],
        Extra::Reliable(number) => vec![
            header("Require", "100rel".to_owned()),
            header("RSeq", number.to_string()),
            header("RAck", format!("{number} 1 INVITE")),
        ],
        Extra::Challenge(nonce) => {
            let value = format!("Digest realm=\"r\", nonce=\"{nonce}\", qop=\"auth\"");
            vec![
                header("Proxy-Authenticate", value.clone()),
                header("WWW-Authenticate", value),
            ]
        }
        Extra::RetryAfter(seconds) => vec![header("Retry-After", seconds.to_string())],
        Extra::Timer {
            seconds,
            refresher,
            min_se,
        } => {
            let role = ["", ";refresher=uac", ";refresher=uas"][usize::from(refresher % 3)];
            vec![
                header("Supported", "timer, 100rel".to_owned()),
                header("Session-Expires", format!("{seconds}{role}")),
                header("Min-SE", min_se.to_string()),
                header("Allow", "UPDATE".to_owned()),
            ]
        }
        Extra::RecordRoute(is_loose) => {
            let lr = if *is_loose { ";lr=on" } else { "" };
            vec![header(
                "Record-Route",
                format!("<sip:192.0.2.10{lr};ftag=x>"),
            )]
        }
        Extra::Allow(has_update) => {
            let allow = if *has_update {
                "INVITE, UPDATE"
            } else {
                "INVITE"
            };
            vec![
                header("Allow", allow.to_owned()),
                header("Contact", "<sip:them@192.0.2.9>".to_owned()),
            ]
        }
        Extra::Any(name, value) => vec![header(name, (*value).to_owned())],
    }
}

fn changed(message: &Message, change: Option<(u16, u8)>) -> Option<Message> {
    let Some((at, byte)) = change else {
        return Some(message.clone());
    };
    let mut bytes = message.bytes().to_vec();
    let length = bytes.len().max(1);
    *bytes.get_mut(usize::from(at) % length)? = byte;
    Message::parse(bytes.into()).ok()
}

fn invite(peer: u8, has_offer: bool) -> Invite {
    let name = |text| NameAddr::parse(text).expect("a name");
    Invite {
        to_peer: peer_of(peer),
        uri: Uri::parse("sip:them@192.0.2.9").expect("a URI"),
        from: name("<sip:us@192.0.2.1>"),
        to: name("<sip:them@192.0.2.9>"),
        headers: Vec::new(),
        body: has_offer.then(|| offer(peer)),
        credentials: Some(Credentials::new("harbour", "street")),
    }
}

/// An offer; one for the upper half of the peers makes an INVITE too large for a datagram.
fn offer(peer: u8) -> Body {
    Body::sdp("offer".repeat(if peer < 128 { 1 } else { 300 }))
}

/// How something comes from a peer, or fails to go there: in the upper half by TCP, whatever the peer is called by.
fn way_to(peer: u8) -> Peer {
    match peer {
        ..128 => peer_of(peer),
        128.. => Peer::tcp(peer_of(peer).addr),
    }
}

/// Three peers, one of them over TCP.
fn peer_of(peer: u8) -> Peer {
    let addr = ([192, 0, 2, 9 + peer % 3], 5060).into();
    match peer % 3 {
        0 | 1 => Peer::udp(addr),
        _ => Peer::tcp(addr),
    }
}

fn pick<T: Clone>(values: &[T], which: u8) -> Option<T> {
    values
        .get(usize::from(which) % values.len().max(1))
        .cloned()
}

fn remember(messages: &mut Vec<Message>, message: Message) {
    if messages.len() == 24 {
        // The first is kept: the INVITE is what most answers are to.
        messages.remove(1);
    }
    messages.push(message);
}
