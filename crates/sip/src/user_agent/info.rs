use std::collections::VecDeque;
use std::time::Instant;

use super::answers::HeardKey;
use super::call::Call;
use super::{Body, CallHandle, Event, Reply, UserAgent, WrongMoment};
use crate::{Message, Method, Name, StatusCode};

/// The INFO requests of one call: one on its way, the others behind it, so that keys arrive in the order they were pressed.
#[derive(Debug, Default)]
pub(super) struct Infos {
    waiting: VecDeque<Body>,
    is_sent: bool,
}

impl Infos {
    /// Requests kept at most while the other side does not answer.
    const WAITING_MAX: usize = 32;
}

/// What an INFO may carry: a key pressed, in the two forms that are in use without an Info-Package.
const READ: [&str; 2] = ["application/dtmf-relay", "application/dtmf"];

impl UserAgent {
    /// Sends an INFO inside an answered call, such as a key as `application/dtmf-relay`. [`Event::InfoAnswered`] follows.
    ///
    /// Each is sent when the one before it is answered (RFC 6086 §4.1 leaves their order to us).
    ///
    /// # Errors
    /// The call is not answered, or more of them wait than a person presses.
    pub fn info(&mut self, now: Instant, call: CallHandle, body: Body) -> Result<(), WrongMoment> {
        let action = "send an INFO";
        let infos = &mut self.open(call, action)?.infos;
        if infos.waiting.len() >= Infos::WAITING_MAX {
            let state = "the other side answers none";
            return Err(WrongMoment { action, state });
        }
        infos.waiting.push_back(body);
        self.send_info(now, call);
        Ok(())
    }

    fn send_info(&mut self, now: Instant, call: CallHandle) {
        let Some(Call::Open(open)) = self.calls.get_mut(&call) else {
            return;
        };
        if open.infos.is_sent {
            return;
        }
        let Some(body) = open.infos.waiting.pop_front() else {
            return;
        };
        open.infos.is_sent = true;
        let mut info = open.dialog.request(Method::Info);
        info.body = Some(body);
        let what = open.carry(info, call);
        self.send(now, what);
    }

    /// An INFO of ours has its final response, or none. Whatever it is, the call goes on: a key that got lost is no reason to end it.
    pub(super) fn info_answered(&mut self, now: Instant, call: CallHandle, status: StatusCode) {
        let Some(Call::Open(open)) = self.calls.get_mut(&call) else {
            return;
        };
        open.infos.is_sent = false;
        self.tell(Event::InfoAnswered { call, status });
        self.send_info(now, call);
    }

    /// An INFO of the other side. One that says nothing is a sign of life; one that nobody reads is refused (RFC 6086 §4.2.2).
    pub(super) fn informed(
        &mut self,
        now: Instant,
        key: &HeardKey,
        call: CallHandle,
        message: Message,
    ) {
        if message.header(Name::Other("Info-Package")).is_some() {
            let reply = Reply::new(StatusCode::BAD_INFO_PACKAGE).with_header("Recv-Info", "");
            return self.refuse(now, key, &reply);
        }
        if message.body().is_empty() {
            return self.reply(now, key, StatusCode::OK);
        }
        if !is_read(&message) {
            let reply = Reply::new(StatusCode::UNSUPPORTED_MEDIA_TYPE)
                .with_header(Name::Accept.as_str(), &READ.join(", "));
            return self.refuse(now, key, &reply);
        }
        self.reply(now, key, StatusCode::OK);
        self.tell(Event::Info { call, message });
    }

    fn refuse(&mut self, now: Instant, key: &HeardKey, reply: &Reply) {
        let tag = self.tag_for(key);
        self.answer(now, key, reply, &tag);
    }
}

fn is_read(message: &Message) -> bool {
    let kind = message.content_type().ok().flatten();
    kind.is_some_and(|kind| READ.contains(&kind.essence.as_str()))
}
