use super::{Algorithm, Authorization, Credentials, Protection, Qop};
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
    /// Whether the server would take the user name hashed; we give it in clear, as it must take too (RFC 7616 §3.4.4).
    pub userhash: bool,
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
    /// Its body, which `auth-int` covers.
    pub body: &'a [u8],
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
    /// Every challenge we could answer is for another realm than the credentials: a stranger asks for them.
    #[error("no challenge among {offered} for our realm")]
    ForeignRealm {
        /// How many challenges there were.
        offered: usize,
    },
}

/// Answers a 401 or 407: one header for each realm that challenged, by its first challenge we speak (RFC 8760 §2.4).
///
/// # Errors
/// There is no challenge, none we speak, or none for the realm of the credentials.
pub fn answer(
    response: &Message,
    credentials: &Credentials,
    attempt: Attempt<'_>,
) -> Result<Vec<(Name<'static>, Authorization)>, Unanswerable> {
    let chosen = choose(response, credentials)?.into_iter();
    let answers = chosen.filter_map(|(name, challenge)| {
        let answer = challenge.answer(credentials, attempt)?;
        Some((name, answer))
    });
    Ok(answers.collect())
}

/// The challenges of a 401 or 407 that are to be answered, each with the header that its answer goes into.
pub(crate) fn choose(
    response: &Message,
    credentials: &Credentials,
) -> Result<Vec<(Name<'static>, Challenge)>, Unanswerable> {
    let pairs = [
        (Name::WwwAuthenticate, Name::Authorization),
        (Name::ProxyAuthenticate, Name::ProxyAuthorization),
    ];
    let mut chosen: Vec<(Name<'static>, Challenge)> = Vec::new();
    let offered = response.challenges().len();
    for (asked, answered) in pairs {
        for challenge in spoken(response, asked) {
            let is_same = |(name, other): &(Name<'static>, Challenge)| {
                *name == answered && other.realm == challenge.realm
            };
            if chosen.len() < REALMS_MAX && !chosen.iter().any(is_same) {
                chosen.push((answered, challenge));
            }
        }
    }
    if chosen.is_empty() {
        return Err(match offered {
            0 => Unanswerable::NoChallenge,
            offered => Unanswerable::Unsupported { offered },
        });
    }
    chosen.retain(|(_, challenge)| credentials.are_for(&challenge.realm));
    match chosen.is_empty() {
        true => Err(Unanswerable::ForeignRealm { offered }),
        false => Ok(chosen),
    }
}

/// Realms answered at once; nobody has more proxies in a row that all want to know us.
const REALMS_MAX: usize = 8;

fn spoken(response: &Message, name: Name<'static>) -> impl Iterator<Item = Challenge> {
    let offered = response.headers(name).flat_map(Challenge::parse_all);
    offered.filter(Challenge::is_spoken)
}

impl Challenge {
    /// Reads every digest challenge of one header value. Other schemes and malformed challenges are left out.
    ///
    /// RFC 3261 §20.44 gives each challenge a header of its own; some servers join them by commas.
    pub fn parse_all(value: &str) -> Vec<Challenge> {
        let mut challenges: Vec<Vec<(&str, &str)>> = Vec::new();
        let mut is_digest = false;
        for element in text::elements(value, b',') {
            // `qop=auth,auth-int` without quotes: the rest of a list, not a scheme.
            if is_digest && Qop::from_text(element).is_some() {
                continue;
            }
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

    /// Returns whether we can answer: the hash is known, and so is the quality of protection.
    pub fn is_spoken(&self) -> bool {
        // RFC 7616 §3.4.2 hashes the cnonce for `-sess`, and there is none without qop.
        let is_known = |algorithm: Algorithm| match self.qop.is_empty() {
            true => !algorithm.is_session(),
            false => self.quality().is_some(),
        };
        self.algorithm.is_some_and(is_known)
    }

    /// Returns the quality of protection we answer with: `auth` where it is offered, for proxies do change bodies.
    pub fn quality(&self) -> Option<Qop> {
        let offered: Vec<Qop> = self
            .qop
            .iter()
            .filter_map(|qop| Qop::from_text(qop))
            .collect();
        let has_auth = offered.contains(&Qop::Auth);
        has_auth.then_some(Qop::Auth).or(offered.first().copied())
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
            protection: self.quality().map(|qop| Protection {
                qop,
                cnonce: attempt.cnonce.to_owned(),
                count: attempt.nonce_count,
            }),
        };
        answer.response = answer.expected(attempt.method, attempt.body, &credentials.password);
        Some(answer)
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
            userhash: find("userhash").is_some_and(|hashed| hashed.eq_ignore_ascii_case("true")),
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
        // Between the quotes of an answer, a lone quote or backslash would mean something else.
        _ if value.contains(['"', '\\']) => return None,
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
