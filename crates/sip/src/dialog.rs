//! Dialogs: what two user agents remember of each other between the messages of a call (RFC 3261 §12).

use std::net::SocketAddr;

use crate::header::HeaderError;
use crate::transaction::{Peer, Transport};
use crate::user_agent::Request;
use crate::{CSeq, Message, Method, Name, NameAddr, NameAddrRef, Scheme, Uri};

/// One side's memory of a dialog (RFC 3261 §12, state in §12.1).
#[derive(Clone, Debug)]
pub(crate) struct Dialog {
    call_id: String,
    local: NameAddr,
    remote: NameAddr,
    local_cseq: u32,
    /// None until the other side has sent a request.
    remote_cseq: Option<u32>,
    /// Where the other side wants its requests: its last Contact.
    target: Uri,
    /// The proxies that asked to stay in the path, nearest first.
    routes: Vec<NameAddr>,
    /// Who sent the message that made the dialog.
    peer: Peer,
    /// The other side's last Allow has UPDATE (RFC 3311 §4).
    allows_update: bool,
}

impl Dialog {
    /// The dialog that `response` to our INVITE makes (RFC 3261 §12.1.2): the route set is its Record-Route reversed.
    ///
    /// Lenient: a call that somebody has answered must be acknowledged, even if only by way of the peer.
    pub(crate) fn of_caller(invite: &Request, response: &Message, peer: Peer) -> Self {
        let mut routes = owned(response.record_routes().unwrap_or_default());
        routes.reverse();
        let contact = contact_uri(response).ok().flatten();
        Self {
            call_id: invite.call_id.clone(),
            local: invite.from.clone(),
            remote: response
                .to()
                .map_or_else(|_| invite.to.clone(), NameAddrRef::into_owned),
            local_cseq: invite.cseq,
            remote_cseq: None,
            target: contact.unwrap_or_else(|| invite.uri.clone()),
            routes,
            peer,
            allows_update: allows_update(response).unwrap_or(false),
        }
    }

    /// The dialog that our answer with `local_tag` to `invite` makes (RFC 3261 §12.1.1).
    pub(crate) fn of_callee(
        invite: &Message,
        local_tag: &str,
        peer: Peer,
    ) -> Result<Self, HeaderError> {
        let remote = invite.from()?.into_owned();
        Ok(Self {
            call_id: invite.call_id()?.to_owned(),
            local: invite.to()?.into_owned().with_tag(local_tag),
            target: contact_uri(invite)?.unwrap_or_else(|| remote.uri.clone()),
            remote,
            local_cseq: 0,
            remote_cseq: Some(invite.cseq()?.number),
            routes: owned(invite.record_routes()?),
            peer,
            allows_update: allows_update(invite).unwrap_or(false),
        })
    }

    pub(crate) fn call_id(&self) -> &str {
        &self.call_id
    }

    pub(crate) fn local_tag(&self) -> &str {
        self.local.tag().unwrap_or("")
    }

    pub(crate) fn remote_tag(&self) -> &str {
        self.remote.tag().unwrap_or("")
    }

    /// A new request inside the dialog, with the next CSeq.
    pub(crate) fn request(&mut self, method: Method) -> Request {
        let cseq = self.next_cseq();
        self.with_cseq(method, cseq)
    }

    /// The CSeq of the next request.
    pub(crate) fn next_cseq(&mut self) -> u32 {
        self.local_cseq = self.local_cseq.saturating_add(1).min(CSeq::MAX);
        self.local_cseq
    }

    /// The ACK of the 2xx to our INVITE of number `cseq` (RFC 3261 §13.2.2.4).
    pub(crate) fn ack(&self, cseq: u32) -> Request {
        self.with_cseq(Method::Ack, cseq)
    }

    /// Takes the CSeq of a request of the other side; false if it comes after a later one (RFC 3261 §12.2.2).
    pub(crate) fn accept(&mut self, cseq: u32) -> bool {
        let in_order = self.remote_cseq.is_none_or(|last| cseq > last);
        if in_order {
            self.remote_cseq = Some(cseq);
        }
        in_order
    }

    /// Takes the new target of a re-INVITE or UPDATE, or of the 2xx to one (RFC 3261 §12.2.1.2).
    pub(crate) fn refresh_target(&mut self, message: &Message) {
        if let Ok(Some(target)) = contact_uri(message) {
            self.target = target;
        }
        self.allows_update = allows_update(message).unwrap_or(self.allows_update);
    }

    /// Whether the other side says that it takes an UPDATE.
    pub(crate) fn allows_update(&self) -> bool {
        self.allows_update
    }

    /// Takes what the early dialog, which this one completes, has learned and its 2xx does not say.
    pub(crate) fn inherit(&mut self, early: &Self, response: &Message) {
        self.remote_cseq = self.remote_cseq.max(early.remote_cseq);
        self.local_cseq = self.local_cseq.max(early.local_cseq);
        self.allows_update = allows_update(response).unwrap_or(early.allows_update);
    }

    /// An UPDATE was refused as a method unknown.
    pub(crate) fn takes_no_update(&mut self) {
        self.allows_update = false;
    }

    /// Where requests inside the dialog go: the first route, else the target, if that is an address that we can reach
    /// (RFC 3261 §8.1.2, §12.2.1.1).
    ///
    /// Names are not looked up here: they, and everything over a connection that exists already, go to the peer.
    pub(crate) fn next_hop(&self) -> Peer {
        let first = self.routes.first().map_or(&self.target, |route| &route.uri);
        let is_usable = |addr: &SocketAddr| addr.port() != 0 && !addr.ip().is_unspecified();
        let addr = first.socket_addr().filter(is_usable);
        match (self.peer.transport, transport_of(first), addr) {
            (Transport::Udp, Some(transport), Some(addr)) => Peer { transport, addr },
            _ => self.peer,
        }
    }

    fn with_cseq(&self, method: Method, cseq: u32) -> Request {
        let (uri, routes) = self.path();
        Request {
            method,
            uri,
            from: self.local.clone(),
            to: self.remote.clone(),
            call_id: self.call_id.clone(),
            cseq,
            routes,
            headers: Vec::new(),
            body: None,
            in_dialog: true,
        }
    }

    /// The request URI and the Route headers (RFC 3261 §12.2.1.1).
    fn path(&self) -> (Uri, Vec<NameAddr>) {
        match self.routes.split_first() {
            // A proxy of RFC 2543 wants to see itself in the request URI, and the target at the end.
            Some((first, rest)) if first.uri.param("lr").is_none() => {
                let mut routes = rest.to_vec();
                routes.push(NameAddr::new(self.target.clone()));
                (first.uri.clone(), routes)
            }
            _ => (self.target.clone(), self.routes.clone()),
        }
    }
}

/// How a hop wants to be reached from a dialog over UDP (RFC 3261 §19.1.1). None over TLS: no name is configured that its certificate
/// could be checked against.
fn transport_of(hop: &Uri) -> Option<Transport> {
    let asked = hop.param("transport").unwrap_or("udp");
    match asked {
        _ if hop.scheme() == Scheme::Sips => None,
        asked if asked.eq_ignore_ascii_case("udp") => Some(Transport::Udp),
        asked if asked.eq_ignore_ascii_case("tcp") => Some(Transport::Tcp),
        _ => None,
    }
}

/// Whether the Allow of a message has UPDATE; none if it has no Allow.
fn allows_update(message: &Message) -> Option<bool> {
    message.header(Name::Allow)?;
    Some(message.lists(Name::Allow, "UPDATE"))
}

fn owned(routes: Vec<NameAddrRef<'_>>) -> Vec<NameAddr> {
    routes.into_iter().map(NameAddrRef::into_owned).collect()
}

fn contact_uri(message: &Message) -> Result<Option<Uri>, HeaderError> {
    Ok(message.contact()?.map(|contact| contact.uri.into_owned()))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn message(text: &str) -> Message {
        Message::parse(Bytes::from(text.replace('\n', "\r\n"))).unwrap()
    }

    fn peer() -> Peer {
        Peer::udp("192.0.2.9:5060".parse().unwrap())
    }

    fn invite() -> Request {
        Request {
            method: Method::Invite,
            uri: Uri::parse("sip:bob@example.com").unwrap(),
            from: NameAddr::parse("<sip:alice@example.com>;tag=a").unwrap(),
            to: NameAddr::parse("<sip:bob@example.com>").unwrap(),
            call_id: "c1".to_owned(),
            cseq: 7,
            routes: Vec::new(),
            headers: Vec::new(),
            body: None,
            in_dialog: false,
        }
    }

    fn answer(more: &str) -> Message {
        message(&format!(
            "SIP/2.0 200 OK\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx\nFrom: <sip:alice@example.com>;tag=a\n\
             To: <sip:bob@example.com>;tag=b\nCall-ID: c1\nCSeq: 7 INVITE\n{more}Content-Length: 0\n\n"
        ))
    }

    #[test]
    fn the_route_set_is_reversed_for_the_caller() {
        let answer = answer(
            "Contact: <sip:bob@192.0.2.77:5070>\n\
             Record-Route: <sip:192.0.2.3;lr>\nRecord-Route: <sip:192.0.2.2:5062;lr=on>\n",
        );
        let dialog = Dialog::of_caller(&invite(), &answer, peer());
        let ack = dialog.ack(7);
        assert_eq!(ack.uri.as_str(), "sip:bob@192.0.2.77:5070");
        let routes: Vec<String> = ack.routes.iter().map(ToString::to_string).collect();
        assert_eq!(routes, ["<sip:192.0.2.2:5062;lr=on>", "<sip:192.0.2.3;lr>"]);
        assert_eq!(dialog.next_hop().addr, "192.0.2.2:5062".parse().unwrap());
    }

    #[test]
    fn a_strict_router_stands_in_the_request_uri() {
        let answer = answer("Contact: <sip:bob@192.0.2.77:5070>\nRecord-Route: <sip:192.0.2.3>\n");
        let mut dialog = Dialog::of_caller(&invite(), &answer, peer());
        let bye = dialog.request(Method::Bye);
        assert_eq!((bye.uri.as_str(), bye.cseq), ("sip:192.0.2.3", 8));
        assert_eq!(bye.routes[0].to_string(), "<sip:bob@192.0.2.77:5070>");
    }

    #[test]
    fn a_name_leads_back_to_the_peer() {
        let answer = answer("Contact: <sip:bob@pbx.example.com>\n");
        let dialog = Dialog::of_caller(&invite(), &answer, peer());
        assert_eq!(dialog.next_hop(), peer());
    }

    // RFC 3261 §19.1.1, §12.2.1.1: the first hop says how it is reached.
    #[test]
    fn a_hop_names_its_transport() {
        let at = |text: &str| text.parse().unwrap();
        let cases = [
            (
                "<sip:192.0.2.3:5070;transport=tcp;lr>",
                Peer::tcp(at("192.0.2.3:5070")),
            ),
            (
                "<sip:192.0.2.3;lr;Transport=TCP>",
                Peer::tcp(at("192.0.2.3:5060")),
            ),
            (
                "<sip:192.0.2.3;transport=udp;lr>",
                Peer::udp(at("192.0.2.3:5060")),
            ),
            (
                "<sip:[2001:db8::3];transport=tcp;lr>",
                Peer::tcp(at("[2001:db8::3]:5060")),
            ),
            // Whose certificate would it be?
            ("<sip:192.0.2.3;transport=tls;lr>", peer()),
            ("<sips:192.0.2.3;lr>", peer()),
            ("<sip:192.0.2.3;transport=sctp;lr>", peer()),
        ];
        for (hop, expected) in cases {
            let routed = answer(&format!(
                "Contact: <sip:bob@192.0.2.77>\nRecord-Route: {hop}\n"
            ));
            let routed = Dialog::of_caller(&invite(), &routed, peer());
            assert_eq!(routed.next_hop(), expected, "{hop}");
            let direct = answer(&format!("Contact: {hop}\n"));
            let direct = Dialog::of_caller(&invite(), &direct, peer());
            assert_eq!(direct.next_hop(), expected, "{hop}");
            // A connection that is there serves the whole dialog.
            let connected = Dialog::of_caller(&invite(), &answer(""), Peer::tcp(peer().addr));
            assert_eq!(connected.next_hop(), Peer::tcp(peer().addr));
        }
    }

    #[test]
    fn requests_out_of_order_are_not_accepted() {
        let mut dialog = Dialog::of_caller(&invite(), &answer(""), peer());
        assert!(dialog.accept(5));
        assert!(!dialog.accept(5));
        assert!(!dialog.accept(4));
        assert!(dialog.accept(9));
    }
}
