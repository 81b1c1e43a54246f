//! The value of a challenge or of an answer, from anybody: read, answer, print, read; what is printed reads back the same, and the
//! server's side agrees with the hash.
use std::time::Instant;

use arbitrary::{Arbitrary, Unstructured};
use housecall_sip::Method;
use housecall_sip::digest::{Attempt, Authorization, Challenge, Credentials, Guard};

/// Panics where something is not as it must be.
pub(crate) fn check(data: &[u8]) {
    let input = <(&str, &[u8], u32)>::arbitrary_take_rest(Unstructured::new(data));
    let Ok((value, body, count)) = input else {
        return;
    };
    for challenge in Challenge::parse_all(value) {
        answered(&challenge, body, count);
    }
    if let Ok(answer) = Authorization::parse(value) {
        assert_eq!(Authorization::parse(&answer.to_string()), Ok(answer));
    }
}

fn answered(challenge: &Challenge, body: &[u8], count: u32) {
    let attempt = Attempt {
        method: &Method::Invite,
        uri: "sip:a@b",
        body,
        cnonce: "c",
        nonce_count: count,
    };
    let credentials = Credentials::new("user \"quoted\"", "password");
    let answer = challenge.answer(&credentials, attempt);
    assert_eq!(answer.is_some(), challenge.is_spoken());
    let Some(answer) = answer else {
        return;
    };
    assert_eq!(
        Authorization::parse(&answer.to_string()).as_ref(),
        Ok(&answer)
    );
    // A server that never issued the nonce refuses, whatever the answer says; it must not fall over.
    let mut guard = Guard::new(&challenge.realm, 1);
    let request = (&Method::Invite, "sip:a@b");
    let checked = guard.check_with_body(Instant::now(), &answer, request, body, &credentials);
    assert!(checked.is_err());
}
