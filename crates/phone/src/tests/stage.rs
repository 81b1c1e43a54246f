use std::time::Instant;

use bytes::Bytes;
use housecall_sip::{Message, Method, Name, Peer, ResponseBuilder, StatusCode};

use super::world::{dial, far_peer};
use crate::{Call, Dial, Event, Input, Output};

/// A call and a far end whose messages are written out.
pub(super) struct Stage {
    pub(super) now: Instant,
    pub(super) call: Call,
    pub(super) told: Vec<Event>,
    pub(super) sent: Vec<(Peer, Message)>,
}

impl Stage {
    /// Dials, and returns the INVITE too.
    pub(super) fn dial() -> (Self, Message) {
        Self::dialled(dial(1))
    }

    pub(super) fn dialled(dial: Dial) -> (Self, Message) {
        let now = Instant::now();
        let mut stage = Self {
            now,
            call: Call::dial(now, dial).unwrap(),
            told: Vec::new(),
            sent: Vec::new(),
        };
        stage.drain();
        let invite = stage.last().clone();
        (stage, invite)
    }

    pub(super) fn hears(&mut self, message: Message) {
        let from = far_peer(0);
        self.call
            .handle_input(self.now, Input::Sip { from, message });
        self.drain();
    }

    pub(super) fn last(&self) -> &Message {
        &self.sent.last().unwrap().1
    }

    pub(super) fn drain(&mut self) {
        while let Some(output) = self.call.poll_output() {
            match output {
                Output::CallId(_) => {}
                Output::SendSip { to, bytes } => {
                    self.sent.push((to, Message::parse(bytes).unwrap()))
                }
                Output::Event(event) => self.told.push(event),
            }
        }
    }
}

/// A response of the fork `tag`, at whose `port` sound is wanted; 0 for one that says nothing of it.
pub(super) fn response(invite: &Message, code: u16, tag: &str, port: u16) -> ResponseBuilder {
    let builder = ResponseBuilder::new(invite, StatusCode::new(code).unwrap())
        .to_tag(tag)
        .header(Name::Contact, format!("<sip:{tag}@10.0.0.2>"));
    match port {
        0 => builder,
        port => builder.body("application/sdp", description(port)),
    }
}

pub(super) fn description(port: u16) -> String {
    format!(
        "v=0\r\no=- 7 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio {port} RTP/AVP 8 101\r\n\
         a=rtpmap:101 telephone-event/8000\r\n"
    )
}

/// A request of the fork `tag` in the call that our `invite` makes.
pub(super) fn request(
    invite: &Message,
    tag: &str,
    method: Method,
    cseq: u32,
    body: &str,
) -> Message {
    let text = format!(
        "{method} sip:housecall@10.0.0.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK{tag}{method}{cseq}\r\n\
         Max-Forwards: 70\r\nFrom: {};tag={tag}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {cseq} {method}\r\n\
         Contact: <sip:{tag}@10.0.0.2>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
        invite.to().unwrap(),
        invite.from().unwrap(),
        invite.call_id().unwrap(),
        body.len(),
    );
    Message::parse(Bytes::from(text)).unwrap()
}
