use std::time::Instant;

use super::call::{Call, Calling};
use super::sending::{Outgoing, SentKey};
use super::{Body, CallHandle, UserAgent};
use crate::header::RAck;
use crate::{Message, Method, Name, StatusCode};

/// Whether provisional responses are confirmed, and so repeated until they arrive (RFC 3262).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Reliable {
    /// Neither offered nor understood.
    Off,
    /// Offered, and done where the other side asks for it.
    #[default]
    Supported,
    /// Demanded: whoever cannot do it refuses the call with 420, and is refused with 421.
    Required,
}

impl Reliable {
    /// The option tag (RFC 3262 §8.1).
    pub(super) const TAG: &str = "100rel";
}

/// Where a provisional response stands among those of its early dialog.
#[derive(Debug, PartialEq)]
pub(super) enum Turn {
    /// Not to be confirmed.
    Unreliable,
    /// The next in order, to be confirmed with this.
    Next(RAck),
    /// A repetition, or one that overtook another: neither confirmed nor looked at (RFC 3262 §4).
    Missed,
}

impl Calling {
    pub(super) fn turn(&self, reliable: Reliable, response: &Message) -> Turn {
        let Some((tag, rack)) = confirmable(response).filter(|_| reliable != Reliable::Off) else {
            return Turn::Unreliable;
        };
        let last = self.early.get(&tag).and_then(|early| early.confirmed);
        let is_next = match last {
            Some(last) => last.next() == Some(rack.rseq),
            None => true,
        };
        match is_next {
            true => Turn::Next(rack),
            false => Turn::Missed,
        }
    }
}

/// The To-tag of a reliable response, and what its PRACK says (RFC 3262 §7.2).
fn confirmable(response: &Message) -> Option<(String, RAck)> {
    let rseq = response.rseq().ok()??;
    let tag = response.to().ok()?.tag()?.to_owned();
    let cseq = response.cseq().ok()?;
    let is_reliable = response.lists(Name::Require, Reliable::TAG);
    is_reliable.then_some((tag, RAck { rseq, cseq }))
}

impl UserAgent {
    /// Sends the PRACK of a reliable response: a request of its early dialog, with that dialog's own CSeq (RFC 3262 §4).
    pub(super) fn confirm(
        &mut self,
        now: Instant,
        call: CallHandle,
        rack: RAck,
        response: &Message,
    ) {
        let Some(Call::Calling(calling)) = self.calls.get_mut(&call) else {
            return;
        };
        let to = response.to();
        let tag = to.as_ref().ok().and_then(|to| to.tag()).unwrap_or("");
        let Some(early) = calling.early.get_mut(tag) else {
            return;
        };
        early.confirmed = Some(rack.rseq);
        // Our INVITE has made the offer, else 100rel was not in it.
        early.has_answered |= response.sdp_body().is_some();
        let mut prack = early.dialog.request(Method::Prack);
        prack
            .headers
            .push((Name::RAck.as_str().to_owned(), rack.to_string()));
        let to = early.dialog.next_hop();
        let credentials = calling.credentials.clone();
        let credentials = credentials.filter(|_| to.stands_for(calling.peer));
        self.send(now, Outgoing::new(prack, to, call, credentials));
    }

    /// Makes a call again that was refused for what we said of 100rel, once: without it after 420, with it demanded after 421
    /// (RFC 3261 §21.4.15, §21.4.16).
    pub(super) fn offer_otherwise(
        &mut self,
        now: Instant,
        key: &SentKey,
        refusal: &Message,
    ) -> bool {
        let Some(what) = self.sent.get(key).map(|sent| &sent.what) else {
            return false;
        };
        let offered = what.request.headers.iter().position(is_offer);
        let (Some(at), true) = (offered, what.makes_call()) else {
            return false;
        };
        let mut again = what.clone();
        again.tries = 0;
        let headers = &mut again.request.headers;
        match refusal.status() {
            Some(StatusCode::BAD_EXTENSION) if refusal.lists(Name::Unsupported, Reliable::TAG) => {
                headers.remove(at);
            }
            Some(StatusCode::EXTENSION_REQUIRED) if refusal.lists(Name::Require, Reliable::TAG) => {
                headers.remove(at);
                headers.push(line(Name::Require));
            }
            _ => return false,
        }
        self.send_again(now, again, Vec::new())
    }
}

/// The headers of an INVITE with what it says of 100rel. Nothing where it makes no offer: then a reliable response would make one,
/// which only the user could answer in time for the PRACK (RFC 3262 §5).
pub(super) fn with_offer(
    reliable: Reliable,
    mut headers: Vec<(String, String)>,
    offer: &Option<Body>,
) -> Vec<(String, String)> {
    match reliable {
        _ if offer.is_none() => {}
        Reliable::Off => {}
        Reliable::Supported => headers.push(line(Name::Supported)),
        Reliable::Required => headers.push(line(Name::Require)),
    }
    headers
}

fn line(name: Name<'static>) -> (String, String) {
    (name.as_str().to_owned(), Reliable::TAG.to_owned())
}

/// Whether this header offers 100rel without demanding it.
fn is_offer(header: &(String, String)) -> bool {
    Name::from_text(&header.0) == Name::Supported && header.1 == Reliable::TAG
}
