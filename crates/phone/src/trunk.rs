use housecall_sip::digest::Credentials;
use housecall_sip::{NameAddr, Peer, Uri, UriError};

use crate::Number;

/// The provider that carries our calls to the telephone network, and how it wants to be spoken to.
#[derive(Clone, Debug)]
pub struct Trunk {
    /// What the practice calls it.
    pub name: String,
    /// Where INVITEs are sent. Our credentials go to nobody else.
    pub peer: Peer,
    /// The host part of From, To and the request URI.
    pub domain: String,
    /// What its challenges are answered with; none where it knows us by our address.
    pub credentials: Option<Credentials>,
    /// The user part of From, where the trunk wants its account there; else the caller id.
    pub from_user: Option<String>,
    /// Whether the caller id also stands in P-Asserted-Identity (RFC 3325), as trunks with `from_user` need.
    pub asserts_identity: bool,
    /// Whether request URI and To carry `user=phone` (RFC 3261 §19.1.1).
    pub user_is_phone: bool,
}

impl Trunk {
    /// A trunk that wants the caller id in From and P-Asserted-Identity, and `user=phone`.
    pub fn new(name: &str, peer: Peer, domain: &str, credentials: Option<Credentials>) -> Self {
        Self {
            name: name.to_owned(),
            peer,
            domain: domain.to_owned(),
            credentials,
            from_user: None,
            asserts_identity: true,
            user_is_phone: true,
        }
    }

    /// The URI of somebody to be called.
    pub(crate) fn uri_of(&self, number: &Number) -> Result<Uri, UriError> {
        let uri = Uri::sip(&number.to_string(), &self.domain)?;
        if self.user_is_phone {
            uri.with_param("user", Some("phone"))
        } else {
            Ok(uri)
        }
    }

    /// From: the caller id, or the account.
    pub(crate) fn from(&self, caller_id: &Number) -> Result<NameAddr, UriError> {
        let user = self
            .from_user
            .clone()
            .unwrap_or_else(|| caller_id.to_string());
        Uri::sip(&user, &self.domain).map(NameAddr::new)
    }

    /// Headers that say who calls, beside From.
    pub(crate) fn identity(&self, caller_id: &Number) -> Vec<(String, String)> {
        let uri = Uri::sip(&caller_id.to_string(), &self.domain);
        let value = uri.ok().filter(|_| self.asserts_identity);
        let header = |uri| ("P-Asserted-Identity".to_owned(), format!("<{uri}>"));
        value.map(header).into_iter().collect()
    }
}
