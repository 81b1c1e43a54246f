//! The 49 messages of RFC 4475, read where they lie: in `shared/data/rfc4475` beside the project, or under `HOUSECALL_SHARED`.
//!
//! Each test bears the name of its message. Where the RFC leaves a choice between refusing and repairing, the choice is here:
//! blanks in the start line (lwsstart, trws) and inside angle brackets (badaspec), and commas in an unquoted display name
//! (baddn) can mean only one thing and are read; a Date we do not use (baddate) is not looked at; brackets round the
//! Request-URI (ltgtruri), headers inside it (escruri) and a Contact that needs brackets (regbadct) are refused.

use std::path::{Path, PathBuf};

use bytes::Bytes;

use crate::header::{Contacts, Name, ValueError};
use crate::message::{BodyLength, Message, ParseError};
use crate::method::Method;
use crate::status::StatusCode;
use crate::uri::Scheme;
use crate::validate::{Abilities, Fault, validate};

/// Runs `check` on the bytes of a message; says so and does nothing where they are not there.
fn with_bytes(name: &str, check: impl FnOnce(Bytes)) {
    let path = folder().join(format!("{name}.dat"));
    match std::fs::read(&path) {
        Ok(bytes) => check(Bytes::from(bytes)),
        Err(error) => println!(
            "RFC 4475 message {name} was not tried: {} ({error}). Our own messages in tests/trouble.rs run all the same.",
            path.display()
        ),
    }
}

fn folder() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("HOUSECALL_SHARED").map_or_else(beside, PathBuf::from);
    shared.join("data/rfc4475")
}

fn with_message(name: &str, check: impl FnOnce(Message)) {
    with_bytes(name, |bytes| {
        check(Message::parse(bytes).unwrap_or_else(|error| panic!("{name}: {error}")));
    });
}

/// Expects a message that is well formed and that an ordinary user agent acts on.
fn accepted(name: &str, check: impl FnOnce(&Message)) {
    with_message(name, |message| {
        assert_eq!(validate(&message), Ok(()), "{name}");
        assert_eq!(abilities().check(&message), Ok(()), "{name}");
        check(&message);
    });
}

/// Expects a request whose grammar alone earns it this answer, and that the answer can be written.
fn malformed(name: &str, status: u16) {
    with_message(name, |message| {
        let fault = validate(&message).expect_err(name);
        assert_answer(name, &message, &fault, status);
    });
}

/// Expects a well-formed request that asks for more than we can do; returns the header that says so.
fn refused(name: &str, status: u16, header: Name<'_>, value: &str) {
    with_message(name, |message| {
        assert_eq!(validate(&message), Ok(()), "{name}");
        let fault = abilities().check(&message).expect_err(name);
        let answer = assert_answer(name, &message, &fault, status);
        assert_eq!(answer.header(header), Some(value), "{name}");
    });
}

fn assert_answer(name: &str, request: &Message, fault: &Fault, status: u16) -> Message {
    assert_eq!(
        fault.status().map(StatusCode::code),
        Some(status),
        "{name}: {fault}"
    );
    let answer = fault.response(request).expect(name).to_tag("ours").build();
    assert_eq!(
        Message::parse(answer.bytes().clone()).as_ref(),
        Ok(&answer),
        "{name}"
    );
    assert_eq!(
        answer.header(Name::CallId),
        request.header(Name::CallId),
        "{name}"
    );
    answer
}

fn dropped(name: &str) {
    with_message(name, |message| {
        let fault = validate(&message).expect_err(name);
        assert!(matches!(fault, Fault::Drop { .. }), "{name}: {fault}");
        assert_eq!(fault.response(&message).map(|_| ()), None);
    });
}

fn abilities() -> Abilities {
    Abilities {
        methods: vec![
            Method::Invite,
            Method::Options,
            Method::Register,
            Method::Message,
        ],
        extensions: vec![],
        body_types: vec!["application/sdp", "multipart/mixed", "text/plain"],
    }
}

// §3.1.1 Valid messages

#[test]
fn wsinv() {
    accepted("wsinv", |message| {
        assert_eq!(
            message.request_uri(),
            Some("sip:vivekg@chair-dnrc.example.com;unknownparam")
        );
        assert_eq!(message.to().unwrap().tag(), Some("1918181833n"));
        let from = message.from().unwrap();
        assert_eq!(from.display().as_deref(), Some("J Rosenberg \\\""));
        assert_eq!(from.tag(), Some("98asjd8"));
        assert_eq!(message.max_forwards(), Ok(Some(68)));
        assert_eq!(message.cseq().unwrap().number, 9);
        let hops: Vec<_> = message.vias().unwrap();
        let hosts: Vec<_> = hops.iter().map(|via| via.sent_by.host()).collect();
        assert_eq!(
            hosts,
            ["192.0.2.2", "spindle.example.com", "192.168.255.111"]
        );
        assert_eq!(hops[2].branch(), Some("z9hG4bK30239"));
        assert_eq!(message.header(Name::Subject), Some(""));
        let unfolded = message.header(Name::Other("newfangledheader")).unwrap();
        assert!(
            unfolded.starts_with("newfangled value")
                && unfolded.ends_with("continued newfangled value")
        );
        let contact = message.contact().unwrap().unwrap();
        assert_eq!(contact.display().as_deref(), Some("Quoted string \"\""));
        assert_eq!(contact.params.get("newparam"), Some("newvalue"));
        assert_eq!(contact.params.get("q"), Some("0.33"));
        assert!(message.routes().unwrap()[0].uri.param("lr").is_some());
        assert_eq!(message.body().len(), 150);
    });
}

#[test]
fn intmeth() {
    let method = "!interesting-Method0123456789_*+`.%indeed'~";
    with_message("intmeth", |message| {
        assert_eq!(validate(&message), Ok(()));
        assert_eq!(message.method().map(Method::as_str), Some(method));
        let target = message.target().unwrap();
        assert_eq!(
            target.user(),
            Some("1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*")
        );
        assert_eq!(
            target.password(),
            Some("&it+has=1,weird!*pas$wo~d_too.(doesn't-it)")
        );
        assert_eq!(target.host(), "example.com");
        assert_eq!(
            message.to().unwrap().display().as_deref(),
            Some("BEL:\x07 NUL:\0 DEL:\x7f")
        );
        let from = message.from().unwrap();
        assert_eq!(
            from.params.unquoted("fromParam''~+*_!.-%").as_deref(),
            Some("работающий")
        );
        assert_eq!(from.tag(), Some("_token~1'+`*%!-."));
        assert_eq!(message.max_forwards(), Ok(Some(255)));
    });
    let allow = "INVITE, OPTIONS, REGISTER, MESSAGE";
    refused("intmeth", 501, Name::Allow, allow);
}

#[test]
fn esc01() {
    accepted("esc01", |message| {
        let target = message.target().unwrap();
        assert_eq!(target.user(), Some("sips%3Auser%40example.com"));
        assert_eq!(
            target.user_unescaped().as_deref(),
            Some("sips:user@example.com")
        );
        assert_eq!(target.host(), "example.net");
        assert_eq!(
            message.from().unwrap().uri.user_unescaped().as_deref(),
            Some("I have spaces")
        );
        assert_eq!(
            message.contact().unwrap().unwrap().uri.param("n%61me"),
            Some("v%61lue%25%34%31")
        );
    });
}

#[test]
fn escnull() {
    accepted("escnull", |message| {
        assert_eq!(
            message.to().unwrap().uri.user_unescaped().as_deref(),
            Some("null-\0-null")
        );
        let Ok(Contacts::Addresses(contacts)) = message.contacts() else {
            panic!("two contacts");
        };
        assert_eq!(contacts.len(), 2);
    });
}

#[test]
fn esc02() {
    with_message("esc02", |message| {
        assert_eq!(
            message.method(),
            Some(&Method::Other("RE%47IST%45R".to_owned()))
        );
        assert_eq!(message.to().unwrap().display().as_deref(), Some("%Z%45"));
        // "C%6Fntact" is no Contact.
        assert_eq!(message.headers(Name::Contact).count(), 2);
    });
    refused(
        "esc02",
        501,
        Name::Allow,
        "INVITE, OPTIONS, REGISTER, MESSAGE",
    );
}

#[test]
fn lwsdisp() {
    accepted("lwsdisp", |message| {
        assert_eq!(message.from().unwrap().display().as_deref(), Some("caller"));
    });
}

#[test]
fn longreq() {
    accepted("longreq", |message| {
        assert_eq!(message.vias().unwrap().len(), 34);
        assert_eq!(message.via().unwrap().sent_by.host(), "sip33.example.com");
        assert_eq!(message.body().len(), 150);
        assert!(
            message
                .to()
                .unwrap()
                .uri
                .param("unknownparam1")
                .is_some_and(|value| value.len() > 80)
        );
    });
}

#[test]
fn dblreq() {
    accepted("dblreq", |message| {
        assert_eq!(message.method(), Some(&Method::Register));
        assert_eq!(
            message.call_id(),
            Ok("dblreq.0ha0isndaksdj99sdfafnl3lk233412")
        );
        assert_eq!(message.body_length(), BodyLength::Exact(0));
        assert!(message.bytes().ends_with(b"Content-Length: 0\r\n\r\n"));
    });
}

#[test]
fn semiuri() {
    accepted("semiuri", |message| {
        let target = message.target().unwrap();
        assert_eq!(
            target.user_unescaped().as_deref(),
            Some("user;par=u@example.net")
        );
        assert_eq!(target.host(), "example.com");
        assert_eq!(message.list(Name::Accept).count(), 6);
    });
}

#[test]
fn transports() {
    accepted("transports", |message| {
        let hops = message.vias().unwrap();
        let transports: Vec<_> = hops.iter().map(|via| via.transport).collect();
        assert_eq!(transports, ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]);
    });
}

#[test]
fn mpart01() {
    accepted("mpart01", |message| {
        let kind = message.content_type().unwrap().unwrap();
        assert_eq!(kind.params.get("boundary"), Some("7a9cbec02ceef655"));
        assert_eq!(message.body().len(), 553);
        assert!(message.body().ends_with(b"--7a9cbec02ceef655--\r\n"));
    });
}

#[test]
fn unreason() {
    accepted("unreason", |message| {
        assert_eq!(message.status(), Some(StatusCode::OK));
        assert_eq!(
            message.reason(),
            Some("= 2**3 * 5**2 но сто девяносто девять - простое")
        );
    });
}

#[test]
fn noreason() {
    accepted("noreason", |message| {
        assert_eq!(message.status(), Some(StatusCode::TRYING));
        assert_eq!(message.reason(), Some(""));
    });
}

// §3.1.2 Invalid messages

#[test]
fn badinv01() {
    malformed("badinv01", 400);
}

#[test]
fn clerr() {
    with_message("clerr", |message| {
        let length = message.body_length();
        assert!(
            matches!(
                length,
                BodyLength::Short {
                    announced: 9999,
                    ..
                }
            ),
            "{length:?}"
        );
    });
    malformed("clerr", 400);
}

#[test]
fn ncl() {
    malformed("ncl", 400);
}

#[test]
fn scalar02() {
    with_message("scalar02", |message| {
        assert!(matches!(
            message.cseq().unwrap_err().fault,
            ValueError::TooLarge { .. }
        ));
        assert!(message.max_forwards().is_err() && message.expires().is_err());
    });
    malformed("scalar02", 400);
}

#[test]
fn scalarlg() {
    with_message("scalarlg", |message| {
        assert!(message.retry_after().is_err())
    });
    dropped("scalarlg");
}

#[test]
fn quotbal() {
    malformed("quotbal", 400);
}

#[test]
fn ltgtruri() {
    malformed("ltgtruri", 400);
}

#[test]
fn lwsruri() {
    malformed("lwsruri", 400);
}

#[test]
fn lwsstart() {
    accepted("lwsstart", |message| {
        assert_eq!(message.request_uri(), Some("sip:user@example.com"))
    });
}

#[test]
fn trws() {
    accepted("trws", |message| {
        assert_eq!(message.request_uri(), Some("sip:remote-target@example.com"));
        assert_eq!(message.version(), "SIP/2.0");
    });
}

#[test]
fn escruri() {
    malformed("escruri", 400);
}

#[test]
fn baddate() {
    accepted("baddate", |message| {
        assert_eq!(
            message.header(Name::Date),
            Some("Fri, 01 Jan 2010 16:00:00 EST")
        );
    });
}

#[test]
fn regbadct() {
    malformed("regbadct", 400);
}

#[test]
fn badaspec() {
    accepted("badaspec", |message| {
        assert_eq!(
            message.to().unwrap().uri.as_str(),
            "sip:t.watson@example.org"
        );
    });
}

#[test]
fn baddn() {
    accepted("baddn", |message| {
        assert_eq!(
            message.from().unwrap().display().as_deref(),
            Some("Bell, Alexander")
        );
    });
}

#[test]
fn badvers() {
    malformed("badvers", 505);
}

#[test]
fn mismatch01() {
    malformed("mismatch01", 400);
}

#[test]
fn mismatch02() {
    malformed("mismatch02", 400);
}

#[test]
fn bigcode() {
    with_bytes("bigcode", |bytes| {
        assert_eq!(Message::parse(bytes), Err(ParseError::Status))
    });
}

// §3.2 Transaction layer

#[test]
fn badbranch() {
    accepted("badbranch", |message| {
        let via = message.via().unwrap();
        assert_eq!(via.branch(), Some("z9hG4bK"));
        assert_eq!(via.transaction_branch(), None);
    });
}

// §3.3 Application layer

#[test]
fn insuf() {
    with_message("insuf", |message| {
        assert_eq!(message.from().unwrap_err().fault, ValueError::Missing);
    });
    malformed("insuf", 400);
}

#[test]
fn unkscm() {
    with_message("unkscm", |message| {
        assert_eq!(message.target().unwrap().scheme(), Scheme::Other);
    });
    malformed("unkscm", 416);
}

#[test]
fn novelsc() {
    malformed("novelsc", 416);
}

#[test]
fn unksm2() {
    // Whether a To of this scheme can be registered is the registrar's policy; the message itself is well formed.
    accepted("unksm2", |message| {
        assert_eq!(message.to().unwrap().uri.as_str(), "isbn:2983792873");
        assert_eq!(message.from().unwrap().uri.scheme(), Scheme::Other);
    });
}

#[test]
fn bext01() {
    refused(
        "bext01",
        420,
        Name::Unsupported,
        "nothingSupportsThis, nothingSupportsThisEither",
    );
}

#[test]
fn invut() {
    refused(
        "invut",
        415,
        Name::Accept,
        "application/sdp, multipart/mixed, text/plain",
    );
}

#[test]
fn regaut01() {
    accepted("regaut01", |message| {
        assert_eq!(message.authorizations(Name::Authorization), [])
    });
}

#[test]
fn multi01() {
    with_message("multi01", |message| {
        assert_eq!(message.call_id().unwrap_err().fault, ValueError::Repeated);
        assert_eq!(message.cseq().unwrap_err().fault, ValueError::Repeated);
        assert_eq!(message.to().unwrap_err().fault, ValueError::Repeated);
    });
    malformed("multi01", 400);
}

#[test]
fn mcl01() {
    malformed("mcl01", 400);
}

#[test]
fn bcast() {
    // Well formed; the transaction layer drops it, for its topmost Via is none of ours.
    accepted("bcast", |message| {
        assert_eq!(message.via().unwrap().sent_by.host(), "192.0.2.198");
        assert_eq!(message.vias().unwrap()[1].sent_by.host(), "255.255.255.255");
    });
}

#[test]
fn zeromf() {
    accepted("zeromf", |message| {
        assert_eq!(message.max_forwards(), Ok(Some(0)))
    });
}

#[test]
fn cparam01() {
    accepted("cparam01", |message| {
        let contact = message.contact().unwrap().unwrap();
        assert_eq!(contact.uri.as_str(), "sip:+19725552222@gw1.example.net");
        assert!(contact.params.has("unknownparam"));
    });
}

#[test]
fn cparam02() {
    accepted("cparam02", |message| {
        let contact = message.contact().unwrap().unwrap();
        assert_eq!(contact.uri.param("unknownparam"), Some(""));
        assert!(!contact.params.has("unknownparam"));
    });
}

#[test]
fn regescrt() {
    accepted("regescrt", |message| {
        let contact = message.contact().unwrap().unwrap();
        assert_eq!(
            contact.uri.headers(),
            Some("Route=%3Csip:sip.example.com%3E")
        );
    });
}

#[test]
fn sdp01() {
    with_message("sdp01", |message| {
        assert_eq!(validate(&message), Ok(()));
        let fault = abilities().check(&message).unwrap_err();
        assert_answer("sdp01", &message, &fault, 406);
    });
}

// §3.4 Backward compatibility

#[test]
fn inv2543() {
    accepted("inv2543", |message| {
        assert_eq!(message.from().unwrap().tag(), None);
        assert_eq!(message.via().unwrap().transaction_branch(), None);
        assert_eq!(message.body_length(), BodyLength::Absent);
        assert!(message.body().ends_with(b"m=audio 49217 RTP/AVP 0\r\n"));
    });
}

/// No message of the folder goes without a verdict.
#[test]
fn every_message_of_the_folder_has_a_test() {
    let Ok(entries) = std::fs::read_dir(folder()) else {
        println!("no RFC 4475 messages at {}", folder().display());
        return;
    };
    let source = include_str!("torture.rs");
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names: Vec<_> = names
        .filter_map(|name| name.strip_suffix(".dat").map(str::to_owned))
        .collect();
    assert_eq!(names.len(), 49);
    for name in names {
        assert!(source.contains(&format!("fn {name}()")), "{name}");
    }
}
