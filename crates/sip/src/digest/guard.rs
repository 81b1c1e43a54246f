use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::{Algorithm, Authorization, Credentials};
use crate::method::Method;
use crate::text;

/// How long a nonce is good for.
const NONCE_LIFE: Duration = Duration::from_secs(300);
/// How many nonces are remembered; the oldest go first, and their owners are told `stale`.
const NONCES_MAX: usize = 4096;

/// The server's side of digest: issues challenges for one realm and verifies the answers.
#[derive(Debug)]
pub struct Guard {
    realm: String,
    nonces: BTreeMap<String, Nonce>,
    oldest_first: VecDeque<String>,
    random: StdRng,
}

#[derive(Debug)]
struct Nonce {
    issued_at: Instant,
    last_count: u32,
}

/// Why an answer is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Denied {
    /// The answer is right, but its nonce is not, or no longer: challenge again with `stale`.
    #[error("stale nonce")]
    Stale,
    /// The nonce count did not rise: somebody repeats an answer they overheard.
    #[error("nonce count {count} after {last}")]
    Replayed {
        /// The count sent.
        count: u32,
        /// The highest count seen before.
        last: u32,
    },
    /// The answer is for another realm, user or Request-URI.
    #[error("answer for another {0}")]
    Elsewhere(&'static str),
    /// The password is wrong.
    #[error("wrong password")]
    WrongPassword,
}

impl Guard {
    /// Makes a guard whose nonces follow from `seed`.
    pub fn new(realm: &str, seed: u64) -> Guard {
        Guard {
            realm: realm.to_owned(),
            nonces: BTreeMap::new(),
            oldest_first: VecDeque::new(),
            random: StdRng::seed_from_u64(seed),
        }
    }

    /// Issues one nonce in two challenges, SHA-256 first as RFC 8760 §2.4 wants, each for a header of its own.
    pub fn challenge(&mut self, now: Instant, stale: bool) -> [String; 2] {
        let nonce = self.issue(now);
        [Algorithm::Sha256, Algorithm::Md5]
            .map(|algorithm| self.write(&nonce, algorithm, "auth", stale))
    }

    /// Issues a nonce in a challenge for one algorithm; `qop` is the list offered, empty as RFC 2069 knew none.
    pub fn challenge_for(&mut self, now: Instant, algorithm: Algorithm, qop: &str) -> String {
        let nonce = self.issue(now);
        self.write(&nonce, algorithm, qop, false)
    }

    fn write(&self, nonce: &str, algorithm: Algorithm, qop: &str, stale: bool) -> String {
        let stale = if stale { ", stale=true" } else { "" };
        let realm = text::quote(&self.realm);
        let qop = match qop {
            "" => String::new(),
            qop => format!(", qop=\"{qop}\""),
        };
        format!("Digest realm={realm}, nonce=\"{nonce}\", algorithm={algorithm}{qop}{stale}")
    }

    /// Verifies an answer.
    ///
    /// # Errors
    /// See [`Denied`]. The password is checked before the age of the nonce, so that `stale` is told to friends only.
    pub fn check(
        &mut self,
        now: Instant,
        answer: &Authorization,
        request: (&Method, &str),
        credentials: &Credentials,
    ) -> Result<(), Denied> {
        self.check_with_body(now, answer, request, &[], credentials)
    }

    /// Verifies an answer to a challenge that offered `auth-int`, whose hash covers the body of the request.
    ///
    /// # Errors
    /// As [`Guard::check`].
    pub fn check_with_body(
        &mut self,
        now: Instant,
        answer: &Authorization,
        request: (&Method, &str),
        body: &[u8],
        credentials: &Credentials,
    ) -> Result<(), Denied> {
        let (method, uri) = request;
        self.check_place(answer, uri, credentials)?;
        if !equal_in_constant_time(
            &answer.response,
            &answer.expected(method, body, &credentials.password),
        ) {
            return Err(Denied::WrongPassword);
        }
        self.count_use(now, answer)
    }

    fn check_place(
        &self,
        answer: &Authorization,
        uri: &str,
        credentials: &Credentials,
    ) -> Result<(), Denied> {
        match () {
            () if format!("\"{}\"", answer.realm) != text::quote(&self.realm) => {
                Err(Denied::Elsewhere("realm"))
            }
            () if answer.username != credentials.username => Err(Denied::Elsewhere("user")),
            () if answer.uri != uri => Err(Denied::Elsewhere("Request-URI")),
            () => Ok(()),
        }
    }

    fn count_use(&mut self, now: Instant, answer: &Authorization) -> Result<(), Denied> {
        let nonce = self.nonces.get_mut(&answer.nonce).ok_or(Denied::Stale)?;
        if now.saturating_duration_since(nonce.issued_at) > NONCE_LIFE {
            return Err(Denied::Stale);
        }
        // An answer without qop has no count, so its nonce is good once.
        let count = answer.protection.as_ref().map_or(1, |used| used.count);
        if count <= nonce.last_count {
            let last = nonce.last_count;
            return Err(Denied::Replayed { count, last });
        }
        nonce.last_count = count;
        Ok(())
    }

    fn issue(&mut self, now: Instant) -> String {
        if self.oldest_first.len() >= NONCES_MAX
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.nonces.remove(&oldest);
        }
        let nonce = format!(
            "{:016x}{:016x}",
            self.random.next_u64(),
            self.random.next_u64()
        );
        let fresh = Nonce {
            issued_at: now,
            last_count: 0,
        };
        self.nonces.insert(nonce.clone(), fresh);
        self.oldest_first.push_back(nonce.clone());
        nonce
    }
}

fn equal_in_constant_time(one: &str, two: &str) -> bool {
    let differing = one
        .bytes()
        .zip(two.bytes())
        .fold(0, |bits, (a, b)| bits | (a ^ b));
    one.len() == two.len() && differing == 0
}
