use super::{Algorithm, Authorization, Credentials};
use crate::header::{Name, ValueError};
use crate::message::Message;
use crate::method::Method;
use crate::text;

/// A digest challenge of a 401 or 407 (RFC 7616 §3.3).
///
/// Quoted values are kept as they stand between their quotes, for the answer must repeat them letter by letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// Which user data base is meant.
    pub realm: String,
    /// The server's own random text.
    pub nonce: String,
    /// To be returned as it is.
    pub opaque: Option<String>,
    /// The hash asked for; `None` for one we do not speak.
    pub algorithm: Option<Algorithm>,
    /// Whether the challenge names its algorithm; if so, the answer must too.
    pub names_algorithm: bool,
    /// The qualities of protection offered; empty in challenges of RFC 2069.
    pub qop: Vec<String>,
    /// The password was right but the nonce is too old: answer again, it is no refusal.
    pub stale: bool,
}

/// What one answer is computed for.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// The method of the request that carries the answer.
    pub method: &'a Method,
    /// Its Request-URI as written.
    pub uri: &'a str,
    /// Random text of ours.
    pub cnonce: &'a str,
    /// How often this nonce has been used, this time included; begins with 1.
    pub nonce_count: u32,
}

/// Why a 401 or 407 cannot be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswerable {
    /// The response has no digest challenge.
    #[error("no digest challenge")]
    NoChallenge,
    /// Every challenge asks for a hash or quality of protection that we do not speak.
    #[error("no challenge among {offered} with an algorithm and qop we speak")]
    Unsupported {
        /// How many challenges there were.
        offered: usize,
    },
}

/// Answers a 401 or 407: one header for each realm that challenged, by its strongest challenge we speak; the first of equals.
///
/// # Errors
/// There is no challenge, or none we speak.
pub fn answer(
    response: &Message,
    credentials: &Credentials,
    attempt: Attempt<'_>,
) -> Result<Vec<(Name<'static>, Authorization)>, Unanswerable> {
    let offered = response.challenges().len();
    if offered == 0 {
        return Err(Unanswerable::NoChallenge);
    }
    let pairs = [
        (Name::WwwAuthenticate, Name::Authorization),
        (Name::ProxyAuthenticate, Name::ProxyAuthorization),
    ];
    let answers: Vec<_> = pairs
        .into_iter()
        .flat_map(|(asked, answered)| {
            let chosen = strongest_of_each_realm(response, asked);
            chosen
                .into_iter()
                .map(move |challenge| (answered, challenge))
        })
        .filter_map(|(name, challenge)| Some((name, challenge.answer(credentials, attempt)?)))
        .collect();
    match answers.is_empty() {
        true => Err(Unanswerable::Unsupported { offered }),
        false => Ok(answers),
    }
}

fn strongest_of_each_realm(response: &Message, name: Name<'static>) -> Vec<Challenge> {
    let mut chosen: Vec<Challenge> = Vec::new();
    let offered = response.headers(name).flat_map(Challenge::parse_all);
    for challenge in offered.filter(Challenge::is_spoken) {
        match chosen
            .iter_mut()
            .find(|other| other.realm == challenge.realm)
        {
            Some(other) if challenge.algorithm > other.algorithm => *other = challenge,
            Some(_) => {}
            None => chosen.push(challenge),
        }
    }
    chosen
}

impl Challenge {
    /// Reads every digest challenge of one header value. Other schemes and malformed challenges are left out.
    ///
    /// RFC 3261 §20.44 gives each challenge a header of its own; some servers join them by commas.
    pub fn parse_all(value: &str) -> Vec<Challenge> {
        let mut challenges: Vec<Vec<(&str, &str)>> = Vec::new();
        let mut is_digest = false;
        for element in text::elements(value, b',') {
            let (scheme, pair) = scheme_and_pair(element);
            if let Some(scheme) = scheme {
                is_digest = scheme.eq_ignore_ascii_case("Digest");
                challenges.extend(is_digest.then(Vec::new));
            }
            if let Some(challenge) = challenges.last_mut().filter(|_| is_digest) {
                challenge.extend(pair);
            }
        }
        challenges
            .iter()
            .filter_map(|pairs| Challenge::from_pairs(pairs))
            .collect()
    }

    /// Returns whether we can answer: the hash is known, and `qop` is absent or offers `auth`.
    pub fn is_spoken(&self) -> bool {
        self.algorithm.is_some() && (self.qop.is_empty() || self.offers_auth())
    }

    /// Answers this challenge; `None` where it is not [spoken](Challenge::is_spoken).
    pub fn answer(&self, credentials: &Credentials, attempt: Attempt<'_>) -> Option<Authorization> {
        let algorithm = self.algorithm.filter(|_| self.is_spoken())?;
        let mut answer = Authorization {
            username: credentials.username.clone(),
            realm: self.realm.clone(),
            nonce: self.nonce.clone(),
            uri: attempt.uri.to_owned(),
            response: String::new(),
            algorithm: self.names_algorithm.then_some(algorithm),
            opaque: self.opaque.clone(),
            protection: self
                .offers_auth()
                .then(|| (attempt.cnonce.to_owned(), attempt.nonce_count)),
        };
        answer.response = answer.expected(attempt.method, &credentials.password);
        Some(answer)
    }

    fn offers_auth(&self) -> bool {
        self.qop.iter().any(|qop| qop.eq_ignore_ascii_case("auth"))
    }

    fn from_pairs(pairs: &[(&str, &str)]) -> Option<Challenge> {
        let find = |name: &str| value_of(pairs, name);
        let algorithm = find("algorithm");
        let qop = find("qop").unwrap_or("");
        Some(Challenge {
            realm: find("realm")?.to_owned(),
            nonce: find("nonce")?.to_owned(),
            opaque: find("opaque").map(str::to_owned),
            algorithm: algorithm.map_or(Some(Algorithm::Md5), Algorithm::from_text),
            names_algorithm: algorithm.is_some(),
            qop: text::elements(qop, b',')
                .filter(|qop| !qop.is_empty())
                .map(str::to_owned)
                .collect(),
            stale: find("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        })
    }
}

/// Splits `Digest realm="x"` into scheme and pair, and reads `nonce="y"` as a pair alone.
pub(super) fn scheme_and_pair(element: &str) -> (Option<&str>, Option<(&str, &str)>) {
    let before_sign = element.split('=').next().unwrap_or(element);
    // `realm = "x"` has a blank too, but nothing between it and the sign.
    match text::trim(before_sign).split_once([' ', '\t']) {
        Some((scheme, _)) => {
            let rest = element.get(scheme.len()..).unwrap_or("");
            (Some(scheme), pair(rest))
        }
        None if element.contains('=') => (None, pair(element)),
        None if element.is_empty() => (None, None),
        None => (Some(element), None),
    }
}

/// Reads `name=value`, the value without its quotes; `None` where a quote stands alone.
fn pair(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once('=')?;
    let value = text::trim(value);
    let inner = match text::quoted_length(value) {
        Some(length) if length == value.len() => value.get(1..length - 1)?,
        _ if value.contains('"') => return None,
        _ => value,
    };
    Some((text::trim(name), inner))
}

pub(super) fn value_of<'a>(pairs: &[(&str, &'a str)], name: &str) -> Option<&'a str> {
    let found = pairs.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| *value)
}

/// Reads the pairs of a header that holds one digest scheme.
pub(super) fn digest_pairs(value: &str) -> Result<Vec<(&str, &str)>, ValueError> {
    let mut pairs = Vec::new();
    for (at, element) in text::elements(value, b',').enumerate() {
        let (scheme, pair) = scheme_and_pair(element);
        match (at, scheme) {
            (0, Some(scheme)) if scheme.eq_ignore_ascii_case("Digest") => {}
            (0, _) => return Err(ValueError::Malformed("scheme")),
            (_, Some(_)) => return Err(ValueError::Malformed("parameter")),
            (_, None) => {}
        }
        pairs.extend(pair);
    }
    Ok(pairs)
}
