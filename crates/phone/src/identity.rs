use housecall_sip::{NameAddr, Uri, UriError};

use crate::{Number, Trunk};

/// How a trunk is told who calls whom.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Identity {
    /// The user part of From, where the trunk wants its account there; else the caller id.
    pub from_user: Option<String>,
    /// The host part of From, where it is not the trunk's domain.
    pub from_host: Option<String>,
    /// In which header the caller id also stands, as trunks with `from_user` need.
    pub asserts: Asserted,
    /// Whether request URI and To carry `user=phone` (RFC 3261 §19.1.1).
    pub user_is_phone: bool,
}

/// The header of RFC 3325 that carries the caller id.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Asserted {
    /// None: From says it all.
    None,
    /// P-Asserted-Identity (§9.1): between those who trust each other.
    #[default]
    PAsserted,
    /// P-Preferred-Identity (§9.2): which of our numbers we would like the trunk to assert.
    PPreferred,
}

impl Default for Identity {
    /// The caller id in From and P-Asserted-Identity, and `user=phone`: what most trunks take.
    fn default() -> Self {
        Self {
            from_user: None,
            from_host: None,
            asserts: Asserted::default(),
            user_is_phone: true,
        }
    }
}

impl Trunk {
    /// The URI of somebody to be called.
    pub(crate) fn uri_of(&self, number: &Number) -> Result<Uri, UriError> {
        let uri = Uri::sip(&number.to_string(), &self.domain)?;
        if self.identity.user_is_phone {
            uri.with_param("user", Some("phone"))
        } else {
            Ok(uri)
        }
    }

    /// From: the caller id, or the account.
    pub(crate) fn from(&self, caller_id: &Number) -> Result<NameAddr, UriError> {
        let user = self.identity.from_user.clone();
        let user = user.unwrap_or_else(|| caller_id.to_string());
        Uri::sip(&user, self.host_of_from()).map(NameAddr::new)
    }

    /// Headers that say who calls, beside From.
    pub(crate) fn asserted(&self, caller_id: &Number) -> Vec<(String, String)> {
        let name = match self.identity.asserts {
            Asserted::None => return Vec::new(),
            Asserted::PAsserted => "P-Asserted-Identity",
            Asserted::PPreferred => "P-Preferred-Identity",
        };
        let uri = Uri::sip(&caller_id.to_string(), self.host_of_from());
        let header = |uri| (name.to_owned(), format!("<{uri}>"));
        uri.ok().map(header).into_iter().collect()
    }

    fn host_of_from(&self) -> &str {
        self.identity.from_host.as_deref().unwrap_or(&self.domain)
    }
}
