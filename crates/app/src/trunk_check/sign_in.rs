use housecall::sip::Credentials;
use housecall::softphone::{Challenge, Proof, Traced, Way};

use super::text::clean;

/// What a trunk wanted to have proved, and what it was answered. Holds no secret.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum SignIn {
    /// It asked for nothing.
    NotAsked,
    /// It asked, and was answered.
    Answered {
        /// What it asked for, in words.
        asked: String,
        proof: Proof,
        /// How often it was answered, repetitions apart.
        times: usize,
    },
    /// It asked, and could not be answered.
    Unanswered { asked: String, because: Because },
}

/// Why a challenge was not answered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Because {
    /// The configuration has no password for this trunk.
    NoPassword,
    /// The password is for another realm.
    OtherRealm { ours: String, theirs: String },
    /// It is no digest, or asks for hashes that we do not speak.
    NotSpoken,
}

impl SignIn {
    /// Reads the messages of one question, or of the beginning of one call.
    pub(super) fn of<'a>(
        trace: impl IntoIterator<Item = &'a Traced>,
        credentials: Option<&Credentials>,
    ) -> Self {
        let mut asked = None;
        let mut proofs: Vec<(&str, &Proof)> = Vec::new();
        for message in trace {
            if asked.is_none() && matches!(message.status(), Some(401 | 407)) {
                asked = Some((message, message.challenges()));
            }
            let sent = (message.way == Way::Sent).then_some(&message.proofs);
            let branch = message.header("CSeq").unwrap_or_default();
            for proof in sent.into_iter().flatten() {
                if !proofs.iter().any(|(known, _)| *known == branch) {
                    proofs.push((branch, proof));
                }
            }
        }
        let Some((message, challenges)) = asked else {
            return Self::NotAsked;
        };
        let asked = words(message, &challenges);
        match proofs.last() {
            Some((_, proof)) => Self::Answered {
                asked,
                proof: (*proof).clone(),
                times: proofs.len(),
            },
            None => Self::Unanswered {
                asked,
                because: because(&challenges, credentials),
            },
        }
    }

    /// The words of a step; none where nothing was asked.
    pub(super) fn said(&self) -> Option<String> {
        match self {
            Self::NotAsked => None,
            Self::Answered {
                asked,
                proof,
                times,
            } => {
                let again = if *times > 1 {
                    format!(", {times} times")
                } else {
                    String::new()
                };
                let Proof {
                    username,
                    algorithm,
                    ..
                } = proof;
                Some(format!(
                    "{asked}; answered as {username} with {algorithm}{again}"
                ))
            }
            Self::Unanswered { asked, .. } => Some(format!("{asked}; not answered")),
        }
    }
}

/// `401 for realm "carrier.example" with SHA-256 or MD5`
fn words(message: &Traced, challenges: &[Challenge]) -> String {
    let status = message.status().unwrap_or_default();
    let Some(first) = challenges.first() else {
        return format!("{status} without a digest challenge");
    };
    let mut algorithms: Vec<&str> = Vec::new();
    for challenge in challenges {
        let name = challenge
            .algorithm
            .map_or("an unknown hash", |it| it.as_str());
        if !algorithms.contains(&name) {
            algorithms.push(name);
        }
    }
    let realm = clean(&first.realm);
    format!(
        "{status} for realm {realm:?} with {}",
        algorithms.join(" or ")
    )
}

fn because(challenges: &[Challenge], credentials: Option<&Credentials>) -> Because {
    let spoken = || challenges.iter().filter(|challenge| challenge.is_spoken());
    match (credentials, spoken().next()) {
        (None, _) => Because::NoPassword,
        (Some(_), None) => Because::NotSpoken,
        (Some(ours), Some(theirs)) => Because::OtherRealm {
            ours: ours.realm.clone().unwrap_or_default(),
            theirs: clean(&theirs.realm),
        },
    }
}
