//! Whatever comes in: no panic, and what was read is printed and read again the same.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::{invite, wire};

/// What the fuzz target asks of a message holds here too.
#[path = "../../../../fuzz/checks/sip_message.rs"]
mod sip_message;

const ROUNDS: usize = 30_000;

#[test]
fn mutated_messages_never_surprise() {
    let corpus = corpus();
    for seed in 0..ROUNDS as u64 {
        let mut random = StdRng::seed_from_u64(seed);
        let mut bytes = corpus[random.random_range(0..corpus.len())].clone();
        for _ in 0..random.random_range(1..6) {
            mutate(&mut random, &mut bytes, &corpus);
        }
        let result = std::panic::catch_unwind(|| sip_message::check(&bytes));
        assert!(
            result.is_ok(),
            "seed {seed}: {}",
            String::from_utf8_lossy(&bytes)
        );
    }
}

fn corpus() -> Vec<Vec<u8>> {
    let busy = wire(
        r#"
        SIP/2.0 401 Unauthorized
        Via: SIP/2.0/UDP [2001:db8::1]:5062;branch=z9hG4bKa1;rport=5062;received=2001:db8::2
        f: "Harbour \"Street\"" <sip:+61255500142@sip.carrier.test>;tag=us
        t: sip:+61491570006@sip.carrier.test;tag=them
        i: c1@127.0.0.1
        CSeq: 1 INVITE
        Reason: Q.850;cause=17;text="busy", SIP;cause=486
        Retry-After: 120 (soon);duration=60
        WWW-Authenticate: Digest realm="r", nonce="n", algorithm=SHA-256, qop="auth,auth-int", Digest realm="r", nonce="m"
        Proxy-Authenticate: Digest realm="p", nonce="n", stale=true
        Warning: 399 h "x, y"
        l: 0
        "#,
    );
    let register = wire(
        r#"
        REGISTER sip:sip.carrier.test SIP/2.0
        v: SIP / 2.0 / TCP h;branch=z9hG4bK2, SIP/2.0/UDP i
        From: Reed, Dana <sip:dana@sip.carrier.test>;tag=1
        To: <tel:+61255500142;phone-context=x>
        Call-ID: 2
        CSeq: 0002   REGISTER
        Contact: <sip:dana@h;gr>;+sip.instance="<urn:x>";q=0.5, <sips:e%41@[::1]:5061?Route=%3C>
        Authorization: Digest username="harbour", realm="r", nonce="n", uri="sip:a", response="0f", qop=auth, nc=0000000a, cnonce="c"
        Max-Forwards: 70
        Expires: 3600
        Require: timer, 100rel
        Record-Route: <sip:p1;lr=on>, <sip:p2;lr>
        Content-Type: multipart/mixed;boundary="b"
        Content-Length: 4

        body"#,
    );
    vec![
        invite(&[]).bytes().to_vec(),
        busy.to_vec(),
        register.to_vec(),
    ]
}

const TOKENS: [&str; 24] = [
    "\r\n",
    "\n",
    "\r\n ",
    " ",
    "\t",
    ",",
    ";",
    "=",
    "\"",
    "\\",
    "<",
    ">",
    "@",
    ":",
    "[",
    "]",
    "%",
    "?",
    "*",
    "\0",
    "\u{fe}",
    "4294967296",
    "SIP/2.0",
    "Digest ",
];

fn mutate(random: &mut StdRng, bytes: &mut Vec<u8>, corpus: &[Vec<u8>]) {
    let at = random.random_range(0..=bytes.len());
    match random.random_range(0..5) {
        0 => {
            let token = TOKENS[random.random_range(0..TOKENS.len())];
            bytes.splice(at..at, token.bytes());
        }
        1 => {
            let end = (at + random.random_range(0..20)).min(bytes.len());
            bytes.drain(at..end);
        }
        2 => {
            let other = &corpus[random.random_range(0..corpus.len())];
            let from = random.random_range(0..other.len());
            let to = (from + random.random_range(0..80)).min(other.len());
            bytes.splice(at..at, other[from..to].iter().copied());
        }
        3 => bytes.truncate(at),
        _ => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = random.random();
            }
        }
    }
}
