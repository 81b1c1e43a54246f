use std::time::Duration;

use housecall::softphone::{NoReply, Reply};

use super::sign_in::SignIn;
use super::step::{Advice, Step};
use super::text::clean;
use super::words::{self, Place};

/// For how long a check registers, so that it is soon forgotten if it is cut short.
pub(super) const EXPIRES: Duration = Duration::from_secs(120);

/// What came of proving who we are, by asking where we are registered: nothing is changed by that.
pub(super) fn sign_in(answer: &Result<Reply, NoReply>, place: Place<'_>) -> Step {
    judged("sign in", answer, place, |reply, sign_in| {
        let asked = sign_in.said();
        let asked = asked.unwrap_or_else(|| "no password was asked for".to_owned());
        let said = words::introduction(&reply.message);
        Step::ok("sign in", format!("{said}; {asked}"))
    })
}

/// Where this account is registered already; none if it is not, or if the trunk does not tell.
pub(super) fn elsewhere(answer: &Result<Reply, NoReply>) -> Option<String> {
    let reply = answer.as_ref().ok()?;
    let contacts: Vec<String> = reply.message.headers("Contact").map(clean).collect();
    (is_success(reply) && !contacts.is_empty()).then(|| contacts.join(", "))
}

/// Somebody is registered with this account: most likely a Housecall that runs.
pub(super) fn left_alone(contacts: &str) -> Step {
    let said = format!("the account is registered already, from {contacts}: that is left as it is");
    Step::ok("register", said)
}

/// What came of a registration.
pub(super) fn register(answer: &Result<Reply, NoReply>, place: Place<'_>) -> Step {
    judged("register", answer, place, |reply, _| {
        let said = words::reply(&reply.message);
        match reply.granted {
            Some(granted) => {
                let seconds = granted.as_secs_f32().round();
                let said = format!("{said}; for {seconds} s, and removed at the end of this check");
                Step::ok("register", said)
            }
            None => Step::failed("register", said, not_kept()),
        }
    })
}

/// What came of ending it.
pub(super) fn leave(answer: &Result<Reply, NoReply>, place: Place<'_>) -> Step {
    judged("leave", answer, place, |reply, _| {
        let said = words::reply(&reply.message);
        Step::ok("leave", format!("{said}; the registration is removed"))
    })
}

fn judged(
    noun: &'static str,
    answer: &Result<Reply, NoReply>,
    place: Place<'_>,
    welcome: impl FnOnce(&Reply, &SignIn) -> Step,
) -> Step {
    let reply = match answer {
        Ok(reply) => reply,
        Err(why) => {
            let (said, advice) = words::no_reply(why, place);
            return Step::failed(noun, said, advice);
        }
    };
    let sign_in = SignIn::of(&reply.trace, place.setup.trunk.credentials.as_ref());
    let step = match is_success(reply) {
        true => welcome(reply, &sign_in),
        false => {
            let status = reply.message.status().unwrap_or_default();
            let said = words::introduction(&reply.message);
            let said = match sign_in.said() {
                Some(asked) => format!("{said}; {asked}"),
                None => said,
            };
            Step::failed(noun, said, words::refused(status, &sign_in))
        }
    };
    step.took(reply.took)
}

fn is_success(reply: &Reply) -> bool {
    matches!(reply.message.status(), Some(200..=299))
}

fn not_kept() -> Advice {
    Advice::new(
        "The trunk said yes and named no registration of ours: it keeps none.",
        "Check `contact_host` and [sip] external_address: providers drop a Contact that they cannot reach.",
    )
}
