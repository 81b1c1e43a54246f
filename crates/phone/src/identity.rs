use housecall_sip::{NameAddr, Uri, UriError};

use crate::{Country, Number, Trunk};

/// How a trunk is told who calls whom.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Identity {
    /// The user part of From, where the trunk wants its account there; else the caller id.
    pub from_user: Option<String>,
    /// The host part of From, where it is not the trunk's domain.
    pub from_host: Option<String>,
    /// The host part of Contact, where the trunk wants a name rather than our address.
    pub contact_host: Option<String>,
    /// The name beside the number in From. Telephone networks show it seldom, and write it on.
    pub display_name: Option<String>,
    /// In which header the caller id also stands, as trunks with `from_user` need.
    pub asserts: Asserted,
    /// Whether request URI and To carry `user=phone` (RFC 3261 §19.1.1).
    pub user_is_phone: bool,
    /// How numbers are written.
    pub number_format: NumberFormat,
    /// What stands before the called number: the tech prefix by which a trunk knows us or finds a tariff. `0`–`9`, `*` and `#`.
    pub prefix: String,
    /// Whether the called person may see the caller id.
    pub privacy: Privacy,
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

/// How a trunk wants numbers written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum NumberFormat {
    /// `+61491570006`
    #[default]
    E164Plus,
    /// `61491570006`
    E164,
    /// As somebody in this country dials: `0491570006` at home, `001164215550100` abroad.
    National(Country),
}

/// Whether the called person may see the caller id.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Privacy {
    /// Yes.
    #[default]
    Shown,
    /// No: From and Contact are anonymous (RFC 3323 §4.1), and `Privacy: id` asks the trunk, which still gets the asserted identity, to
    /// pass that on to nobody (RFC 3325 §9.3).
    Withheld,
}

/// RFC 3323 §4.1.1.3.
const ANONYMOUS: &str = "sip:anonymous@anonymous.invalid";

impl Default for Identity {
    /// The caller id in From and P-Asserted-Identity, and `user=phone`: what most trunks take.
    fn default() -> Self {
        Self {
            from_user: None,
            from_host: None,
            contact_host: None,
            display_name: None,
            asserts: Asserted::default(),
            user_is_phone: true,
            number_format: NumberFormat::default(),
            prefix: String::new(),
            privacy: Privacy::default(),
        }
    }
}

impl NumberFormat {
    fn write(self, number: &Number) -> String {
        let plus = number.to_string();
        let digits = plus.strip_prefix('+').unwrap_or(&plus).to_owned();
        match self {
            Self::E164Plus => plus,
            Self::E164 => digits,
            Self::National(home) => number.dialled_in(home),
        }
    }
}

impl Trunk {
    /// The URI of somebody to be called.
    pub(crate) fn uri_of(&self, number: &Number) -> Result<Uri, UriError> {
        let Identity { prefix, .. } = &self.identity;
        let dialled = format!("{prefix}{}", self.identity.number_format.write(number));
        self.as_phone(Uri::sip(&dialled, &self.domain)?)
    }

    /// From: the caller id, or the account, or nobody.
    pub(crate) fn from(&self, caller_id: &Number) -> Result<NameAddr, UriError> {
        if self.identity.privacy == Privacy::Withheld {
            let anonymous = NameAddr::new(Uri::parse(ANONYMOUS)?);
            return Ok(anonymous.with_display("Anonymous"));
        }
        let user = self.identity.from_user.clone();
        let user = user.unwrap_or_else(|| self.identity.number_format.write(caller_id));
        let from = NameAddr::new(Uri::sip(&user, self.host_of_from())?);
        Ok(match &self.identity.display_name {
            Some(name) => from.with_display(name),
            None => from,
        })
    }

    /// The user part of Contact, which the called side may see as well.
    pub(crate) fn contact_user(&self, caller_id: &Number) -> String {
        match self.identity.privacy {
            Privacy::Shown => self.identity.number_format.write(caller_id),
            Privacy::Withheld => "anonymous".to_owned(),
        }
    }

    /// Headers that say who calls, beside From.
    pub(crate) fn asserted(&self, caller_id: &Number) -> Vec<(String, String)> {
        let name = match self.identity.asserts {
            Asserted::None => None,
            Asserted::PAsserted => Some("P-Asserted-Identity"),
            Asserted::PPreferred => Some("P-Preferred-Identity"),
        };
        let number = self.identity.number_format.write(caller_id);
        let uri = Uri::sip(&number, self.host_of_from()).ok();
        let asserted = name.zip(uri).map(|(name, uri)| (name, format!("<{uri}>")));
        let withheld =
            (self.identity.privacy == Privacy::Withheld).then(|| ("Privacy", "id".to_owned()));
        let headers = asserted.into_iter().chain(withheld);
        headers
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    fn as_phone(&self, uri: Uri) -> Result<Uri, UriError> {
        match self.identity.user_is_phone {
            true => uri.with_param("user", Some("phone")),
            false => Ok(uri),
        }
    }

    fn host_of_from(&self) -> &str {
        self.identity.from_host.as_deref().unwrap_or(&self.domain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::from_e164(text).unwrap()
    }

    fn told(identity: Identity, to: &str) -> (String, String, Vec<(String, String)>) {
        let trunk = Trunk {
            identity,
            ..Trunk::new("Carrier", "sip.carrier.test")
        };
        let ours = number("+61255500142");
        let from = trunk.from(&ours).unwrap().to_string();
        let uri = trunk.uri_of(&number(to)).unwrap();
        (uri.to_string(), from, trunk.asserted(&ours))
    }

    #[test]
    fn numbers_as_trunks_want_them() {
        let home = NumberFormat::National(Country::Au);
        let cases = [
            (NumberFormat::E164Plus, "+61491570006", "+61491570006"),
            (NumberFormat::E164, "+61491570006", "61491570006"),
            (home, "+61491570006", "0491570006"),
            (home, "+611300975707", "1300975707"),
            (home, "+64215550100", "001164215550100"),
            (
                NumberFormat::National(Country::Us),
                "+12125550100",
                "12125550100",
            ),
            (
                NumberFormat::National(Country::Us),
                "+61491570006",
                "01161491570006",
            ),
        ];
        for (number_format, to, written) in cases {
            let identity = Identity {
                number_format,
                user_is_phone: false,
                ..Identity::default()
            };
            let (uri, _, _) = told(identity, to);
            assert_eq!(uri, format!("sip:{written}@sip.carrier.test"));
        }
    }

    #[test]
    fn the_account_in_from_and_the_number_beside_it() {
        let identity = Identity {
            from_user: Some("practice-7".to_owned()),
            from_host: Some("sbc.practice.test".to_owned()),
            display_name: Some("Harbour \"St\" Practice".to_owned()),
            asserts: Asserted::PPreferred,
            prefix: "7701#".to_owned(),
            ..Identity::default()
        };
        let (uri, from, headers) = told(identity, "+61491570006");
        // RFC 3261 §25.1: a number sign is escaped in a user part.
        assert_eq!(uri, "sip:7701%23+61491570006@sip.carrier.test;user=phone");
        assert_eq!(
            from,
            "\"Harbour \\\"St\\\" Practice\" <sip:practice-7@sbc.practice.test>"
        );
        let preferred = "<sip:+61255500142@sbc.practice.test>";
        assert_eq!(
            headers,
            [("P-Preferred-Identity".to_owned(), preferred.to_owned())]
        );
    }

    // RFC 3323 §4.1, RFC 3325 §9.3.
    #[test]
    fn a_withheld_number_is_seen_by_the_trunk_alone() {
        let identity = Identity {
            privacy: Privacy::Withheld,
            from_user: Some("practice-7".to_owned()),
            display_name: Some("Harbour Practice".to_owned()),
            ..Identity::default()
        };
        let (_, from, headers) = told(identity.clone(), "+61491570006");
        assert_eq!(from, format!("\"Anonymous\" <{ANONYMOUS}>"));
        let names: Vec<&str> = headers.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["P-Asserted-Identity", "Privacy"]);
        assert_eq!(headers[1].1, "id");
        let trunk = Trunk {
            identity,
            ..Trunk::new("Carrier", "sip.carrier.test")
        };
        assert_eq!(trunk.contact_user(&number("+61255500142")), "anonymous");
    }
}
