use super::{NameAddr, ValueError};
use crate::text;

/// The value of all Contact headers of one message together (RFC 3261 §20.10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contacts {
    /// `*`: every binding, only in a REGISTER that removes them.
    Star,
    /// The addresses, in order; empty without a Contact header.
    Addresses(Vec<NameAddr>),
}

impl Contacts {
    /// Reads the values of a message's Contact headers.
    pub(crate) fn parse<'a>(values: impl Iterator<Item = &'a str>) -> Result<Contacts, ValueError> {
        let values: Vec<&str> = values
            .flat_map(|value| text::elements(value, b','))
            .collect();
        match values.as_slice() {
            ["*"] => Ok(Contacts::Star),
            several => addresses(several).map(Contacts::Addresses),
        }
    }

    /// Returns the first address.
    pub fn first(&self) -> Option<&NameAddr> {
        match self {
            Contacts::Star => None,
            Contacts::Addresses(addresses) => addresses.first(),
        }
    }
}

fn addresses(values: &[&str]) -> Result<Vec<NameAddr>, ValueError> {
    values.iter().map(|value| NameAddr::parse(value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn star_stands_alone() {
        let parse = |values: &[&'static str]| Contacts::parse(values.iter().copied());
        assert_eq!(parse(&["*"]), Ok(Contacts::Star));
        assert!(parse(&["*, <sip:a@b.c>"]).is_err());
        assert_eq!(parse(&[]), Ok(Contacts::Addresses(vec![])));
    }

    #[test]
    fn several_headers_make_one_list() {
        let contacts =
            Contacts::parse(["<sip:a@b.c;x=1,2>;q=1, sip:d@e.f", "\"n,m\" <sip:g@h>"].into_iter());
        let Ok(Contacts::Addresses(addresses)) = contacts else {
            panic!("{contacts:?}");
        };
        let users: Vec<_> = addresses.iter().map(|addr| addr.uri.user()).collect();
        assert_eq!(users, [Some("a"), Some("d"), Some("g")]);
    }
}
