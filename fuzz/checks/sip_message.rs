//! A datagram, or a stream cut anywhere: parse, type every header, judge, answer, print; what is printed reads back the same.

use bytes::Bytes;
use housecall_sip::digest::{Attempt, Authorization, Credentials, answer};
use housecall_sip::header::{Contacts, ContentType, Reason};
use housecall_sip::{
    Abilities, CSeq, Message, Method, Name, NameAddr, NameAddrRef, ResponseBuilder, StatusCode,
    StreamFramer, Uri, Via, validate,
};

/// Panics where something is not as it must be.
pub(crate) fn check(data: &[u8]) {
    stream(data);
    let Ok(message) = Message::parse(Bytes::copy_from_slice(data)) else {
        return;
    };
    assert_eq!(
        Message::parse(message.bytes().clone()).as_ref(),
        Ok(&message)
    );
    people(&message);
    values(&message);
    answers(&message);
    digest(&message);
}

/// A stream gives the same messages whether it comes at once or in pieces.
fn stream(data: &[u8]) {
    let piece = data.first().map_or(1, |byte| usize::from(*byte % 64) + 1);
    let (mut whole, mut pieces) = (StreamFramer::new(), StreamFramer::new());
    whole.push(data);
    let whole: Vec<Message> = taken(&mut whole);
    let mut found = Vec::new();
    for bytes in data.chunks(piece) {
        pieces.push(bytes);
        found.extend(taken(&mut pieces));
    }
    assert_eq!(whole, found);
    for message in whole {
        assert_eq!(Message::parse(message.bytes().clone()), Ok(message));
    }
}

fn taken(framer: &mut StreamFramer) -> Vec<Message> {
    std::iter::from_fn(|| framer.next_message().ok().flatten()).collect()
}

fn people(message: &Message) {
    let same = |addr: &NameAddrRef<'_>| {
        assert_eq!(NameAddr::parse(&addr.to_string()), Ok(addr.into_owned()));
    };
    message.from().iter().for_each(same);
    message.to().iter().for_each(same);
    message.routes().iter().flatten().for_each(same);
    message.record_routes().iter().flatten().for_each(same);
    if let Ok(Contacts::Addresses(contacts)) = message.contacts() {
        contacts.iter().for_each(same);
    }
    for uri in message.target().iter() {
        assert_eq!(Uri::parse(uri.as_str()), Ok(uri.into_owned()));
        let _ = (
            uri.user_unescaped(),
            uri.password(),
            uri.params(),
            uri.headers(),
            uri.socket_addr(),
        );
        let _ = uri.with_param("a", Some("b"));
    }
}

fn values(message: &Message) {
    for via in message.vias().iter().flatten() {
        assert_eq!(Via::parse(&via.to_string()), Ok(via.into_owned()));
        let _ = (via.transaction_branch(), via.response_addr());
    }
    for cseq in message.cseq().iter() {
        assert_eq!(CSeq::parse(&cseq.to_string()).as_ref(), Ok(cseq));
    }
    for kind in message.content_type().iter().flatten() {
        assert_eq!(ContentType::parse(&kind.to_string()).as_ref(), Ok(kind));
    }
    for reason in message.reasons() {
        assert_eq!(Reason::parse(&reason.to_string()), Ok(reason));
    }
    let _ = (
        message.max_forwards(),
        message.expires(),
        message.retry_after(),
        message.call_id(),
    );
    for (name, value) in message.fields() {
        let _ = (Name::from_text(name).as_str(), value.len());
    }
}

fn answers(message: &Message) {
    for source in ["192.0.2.1:5060", "[::1]:9"] {
        let response = ResponseBuilder::new(message, StatusCode::OK)
            .source(source.parse().unwrap())
            .to_tag("t")
            .build();
        assert_eq!(
            Message::parse(response.bytes().clone()).as_ref(),
            Ok(&response)
        );
    }
    let few = abilities(vec![Method::Invite], "timer");
    let more = abilities(vec![Method::Invite, Method::Ack, Method::Options], "100rel");
    let faults = [
        validate(message).err(),
        few.check(message).err(),
        more.check(message).err(),
    ];
    for fault in faults.into_iter().flatten() {
        let refusal = fault.response(message).map(ResponseBuilder::build);
        assert_eq!(refusal.and_then(|refusal| refusal.status()), fault.status());
    }
}

fn abilities(methods: Vec<Method>, extension: &'static str) -> Abilities {
    Abilities {
        methods,
        extensions: vec![extension],
        body_types: vec!["application/sdp"],
    }
}

fn digest(message: &Message) {
    let attempt = Attempt {
        method: &Method::Invite,
        uri: "sip:a@b",
        body: &[],
        cnonce: "c",
        nonce_count: 1,
    };
    for (_, auth) in
        answer(message, &Credentials::new("user", "password"), attempt).unwrap_or_default()
    {
        assert_eq!(Authorization::parse(&auth.to_string()), Ok(auth));
    }
    for name in [Name::Authorization, Name::ProxyAuthorization] {
        for auth in message.authorizations(name) {
            assert_eq!(Authorization::parse(&auth.to_string()), Ok(auth));
        }
    }
}
