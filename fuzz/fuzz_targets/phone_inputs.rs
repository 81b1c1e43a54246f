//! One phone call and a trunk that says and does anything at any time, in virtual time. Whatever happens, the call tells its
//! end once and last, and comes to rest.
#![no_main]

use std::time::{Duration, Instant};

use arbitrary::Arbitrary;
use bytes::Bytes;
use housecall_phone::{Call, Country, Dial, Event, Input, Number, Output, Route, Trunk};
use housecall_sip::digest::Credentials;
use housecall_sip::{
    Message, Method, Name, NameAddr, Peer, RequestBuilder, ResponseBuilder, StatusCode,
    Uri, Via,
};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Step<'a> {
    /// The trunk answers one of our requests.
    Answer {
        request: u8,
        status: u16,
        tag: u8,
        extra: Extra,
        body: Body<'a>,
    },
    /// The trunk asks something, perhaps inside the dialog.
    Ask {
        method: Ask,
        tag: u8,
        cseq: u16,
        extra: Extra,
        body: Body<'a>,
    },
    /// The trunk sends this.
    Raw(&'a [u8]),
    /// The network delivers something of the trunk's again.
    Again(u8),
    HangUp,
    Hold,
    Resume,
    MediaLost,
    TransportFailed,
    Wait(u16),
}

#[derive(Arbitrary, Debug)]
enum Ask {
    Invite,
    Ack,
    Bye,
    Cancel,
    Update,
    Options,
    Info,
    Prack,
}

#[derive(Arbitrary, Debug)]
enum Extra {
    Nothing,
    Contact,
    Reliable(u8),
    Challenge { is_stale: bool, nonce: u8 },
    RetryAfter(u8),
    Reason(u8),
    RecordRoute,
}

#[derive(Arbitrary, Debug)]
enum Body<'a> {
    Empty,
    Usual,
    Held,
    OldHold,
    Refused,
    Raw(&'a [u8]),
}

fuzz_target!(|steps: Vec<Step<'_>>| {
    let mut world = World::new();
    for step in steps.iter().take(200) {
        world.step(step);
        world.settle();
    }
    world.call.hang_up(world.now);
    world.settle();
    assert!(world.call.is_over() && world.is_over);
    // Ten times what any transaction waits.
    world.wait(Duration::from_secs(640));
    assert!(
        world.call.is_finished(),
        "still owes something after ten minutes"
    );
});

struct World {
    now: Instant,
    call: Call,
    trunk: Peer,
    /// What the call has sent, and what the trunk has sent; the last few of each.
    ours: Vec<Message>,
    theirs: Vec<Message>,
    /// Of the present attempt.
    call_id: String,
    is_over: bool,
}

impl World {
    fn new() -> World {
        let now = Instant::now();
        let trunk = Peer::udp(([192, 0, 2, 10], 5060).into());
        let credentials = Credentials::new("harbour", "street");
        let told = Trunk::new("Carrier", "sip.carrier.test").with_credentials(credentials);
        let dial = Dial::new(
            vec![Route::new(told, trunk)],
            number("02 5550 0142"),
            number("0491 570 006"),
            ([192, 0, 2, 1], 5060).into(),
            ([192, 0, 2, 1], 40_000).into(),
            1,
        );
        let call = Call::dial(now, dial).expect("a good trunk");
        let mut world = World {
            now,
            call,
            trunk,
            ours: Vec::new(),
            theirs: Vec::new(),
            call_id: String::new(),
            is_over: false,
        };
        world.settle();
        world
    }

    fn step(&mut self, step: &Step<'_>) {
        match step {
            Step::Answer {
                request,
                status,
                tag,
                extra,
                body,
            } => {
                if let Some(message) = self.answer(*request, *status, *tag, extra, body) {
                    self.deliver(message);
                }
            }
            Step::Ask {
                method,
                tag,
                cseq,
                extra,
                body,
            } => {
                let message = self.ask(method, *tag, *cseq, extra, body);
                self.deliver(message);
            }
            Step::Raw(bytes) => {
                if let Ok(message) = Message::parse(Bytes::copy_from_slice(bytes)) {
                    self.deliver(message);
                }
            }
            Step::Again(which) => {
                if let Some(message) = pick(&self.theirs, *which) {
                    self.deliver(message);
                }
            }
            Step::HangUp => self.call.hang_up(self.now),
            Step::Hold => drop(self.call.hold(self.now)),
            Step::Resume => drop(self.call.resume(self.now)),
            Step::MediaLost => self.call.handle_input(self.now, Input::MediaLost),
            Step::TransportFailed => {
                let peer = self.trunk;
                self.call
                    .handle_input(self.now, Input::TransportFailed { peer });
            }
            Step::Wait(millis) => self.wait(Duration::from_millis(u64::from(*millis))),
        }
    }

    fn deliver(&mut self, message: Message) {
        remember(&mut self.theirs, message.clone());
        let from = self.trunk;
        self.call
            .handle_input(self.now, Input::Sip { from, message });
    }

    /// Takes out all that the call wants done; its messages must read back, its end comes once and last.
    fn settle(&mut self) {
        while let Some(output) = self.call.poll_output() {
            match output {
                Output::CallId(call_id) => self.call_id = call_id,
                Output::SendSip { bytes, .. } => {
                    let message = Message::parse(bytes).expect("a message of ours");
                    remember(&mut self.ours, message);
                }
                Output::Event(event) => {
                    assert!(!self.is_over, "{event:?} after the end");
                    self.is_over = matches!(event, Event::Ended(_));
                }
            }
        }
        assert_eq!(self.call.is_over(), self.is_over);
    }

    fn wait(&mut self, time: Duration) {
        let until = self.now + time;
        let mut wakes = 0;
        while let Some(at) = self.call.poll_timeout().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.call.handle_timeout(self.now);
            self.settle();
            wakes += 1;
            assert!(wakes < 100_000, "the clock stands still at {at:?}");
        }
        self.now = until;
    }

    fn answer(
        &self,
        request: u8,
        status: u16,
        tag: u8,
        extra: &Extra,
        body: &Body<'_>,
    ) -> Option<Message> {
        let requests: Vec<Message> = self
            .ours
            .iter()
            .filter(|message| message.is_request())
            .cloned()
            .collect();
        let request = pick(&requests, request)?;
        let status = StatusCode::new(100 + status % 600)?;
        let builder = ResponseBuilder::new(&request, status).to_tag(&format!("t{}", tag % 3));
        let builder = headers(extra, status)
            .iter()
            .fold(builder, |builder, (name, value)| {
                builder.header(*name, value)
            });
        Some(match text(body) {
            Some(text) => builder.body("application/sdp", text).build(),
            None => builder.build(),
        })
    }

    fn ask(&self, method: &Ask, tag: u8, cseq: u16, extra: &Extra, body: &Body<'_>) -> Message {
        let target = Uri::parse("sip:192.0.2.1:5060").expect("a URI");
        let (us, them) = self.names(tag);
        let via = Via::new("UDP", self.trunk.addr.into(), &format!("z9hG4bKt{cseq}"));
        let builder = RequestBuilder::new(method_of(method), &target)
            .via(&via)
            .from(&them)
            .to(&us)
            .call_id(&self.call_id)
            .cseq(u32::from(cseq));
        let headers = headers(extra, StatusCode::OK);
        let builder = headers.iter().fold(builder, |builder, (name, value)| {
            builder.header(*name, value)
        });
        match text(body) {
            Some(text) => builder.body("application/sdp", text).build(),
            None => builder.build(),
        }
    }

    /// How the trunk names us, and itself with one of its tags.
    fn names(&self, tag: u8) -> (NameAddr, NameAddr) {
        let us = self.ours.iter().find_map(|message| message.from().ok());
        let us = us.map_or_else(
            || NameAddr::new(Uri::parse("sip:us@h").expect("a URI")),
            |us| us.into_owned(),
        );
        let them = NameAddr::new(Uri::parse("sip:them@h").expect("a URI"));
        (us, them.with_tag(&format!("t{}", tag % 3)))
    }
}

fn number(text: &str) -> Number {
    Number::parse(text, Country::Au).expect("a number")
}

fn pick(messages: &[Message], which: u8) -> Option<Message> {
    let at = usize::from(which) % messages.len().max(1);
    messages.get(at).cloned()
}

fn remember(messages: &mut Vec<Message>, message: Message) {
    if messages.len() == 16 {
        // The first is kept: the INVITE is what most answers are to.
        messages.remove(1);
    }
    messages.push(message);
}

fn method_of(ask: &Ask) -> Method {
    match ask {
        Ask::Invite => Method::Invite,
        Ask::Ack => Method::Ack,
        Ask::Bye => Method::Bye,
        Ask::Cancel => Method::Cancel,
        Ask::Update => Method::Update,
        Ask::Options => Method::Options,
        Ask::Info => Method::Info,
        Ask::Prack => Method::Prack,
    }
}

fn headers(extra: &Extra, status: StatusCode) -> Vec<(Name<'static>, String)> {
    let contact = (Name::Contact, "<sip:them@192.0.2.10:5060>".to_owned());
    match extra {
        Extra::Nothing => vec![],
        Extra::Contact => vec![contact],
        Extra::Reliable(number) => {
            vec![
                contact,
                (Name::Require, "100rel".to_owned()),
                (Name::RSeq, number.to_string()),
            ]
        }
        Extra::Challenge { is_stale, nonce } => {
            let name = match status {
                StatusCode::UNAUTHORIZED => Name::WwwAuthenticate,
                _ => Name::ProxyAuthenticate,
            };
            let value =
                format!("Digest realm=\"r\", nonce=\"{nonce}\", qop=\"auth\", stale={is_stale}");
            vec![(name, value)]
        }
        Extra::RetryAfter(seconds) => vec![(Name::RetryAfter, seconds.to_string())],
        Extra::Reason(cause) => vec![(Name::Reason, format!("Q.850;cause={cause}"))],
        Extra::RecordRoute => vec![
            contact,
            (Name::RecordRoute, "<sip:192.0.2.10;lr>".to_owned()),
        ],
    }
}

fn text(body: &Body<'_>) -> Option<Bytes> {
    let description = |address: &str, port: u16, attribute: &str| {
        let text = format!(
            "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\nm=audio {port} RTP/AVP 8 0 101\r\n\
             a=rtpmap:101 telephone-event/8000\r\na={attribute}\r\n"
        );
        Some(Bytes::from(text))
    };
    match body {
        Body::Empty => None,
        Body::Usual => description("192.0.2.10", 30_000, "sendrecv"),
        Body::Held => description("192.0.2.10", 30_000, "sendonly"),
        Body::OldHold => description("0.0.0.0", 30_000, "sendrecv"),
        Body::Refused => description("192.0.2.10", 0, "inactive"),
        Body::Raw(bytes) => Some(Bytes::copy_from_slice(bytes)),
    }
}
