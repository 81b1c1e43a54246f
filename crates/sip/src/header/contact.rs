use super::{NameAddrRef, ValueError};
use crate::text;

/// The value of all Contact headers of one message together (RFC 3261 §20.10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contacts<'a> {
    /// `*`: every binding, only in a REGISTER that removes them.
    Star,
    /// The addresses, in order; empty without a Contact header.
    Addresses(Vec<NameAddrRef<'a>>),
}

impl<'a> Contacts<'a> {
    /// Reads the values of a message's Contact headers.
    pub(crate) fn of(values: impl Iterator<Item = &'a str>) -> Result<Contacts<'a>, ValueError> {
        let values: Vec<&str> = elements(values).collect();
        match values.as_slice() {
            ["*"] => Ok(Contacts::Star),
            several => addresses(several).map(Contacts::Addresses),
        }
    }

    /// Reads the first address and sees that the others can be read; `None` where there is none.
    pub(crate) fn first_of(
        values: impl Iterator<Item = &'a str>,
    ) -> Result<Option<NameAddrRef<'a>>, ValueError> {
        let mut elements = elements(values);
        match elements.next() {
            None => Ok(None),
            // Before others a star is a malformed address.
            Some("*") if elements.next().is_none() => Ok(None),
            Some(first) => {
                let first = NameAddrRef::of(first)?;
                elements.try_for_each(|other| NameAddrRef::of(other).map(drop))?;
                Ok(Some(first))
            }
        }
    }
}

fn elements<'a>(values: impl Iterator<Item = &'a str>) -> impl Iterator<Item = &'a str> {
    values.flat_map(|value| text::elements(value, b','))
}

fn addresses<'a>(values: &[&'a str]) -> Result<Vec<NameAddrRef<'a>>, ValueError> {
    values.iter().map(|value| NameAddrRef::of(value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn star_stands_alone() {
        let parse = |values: &[&'static str]| Contacts::of(values.iter().copied());
        assert_eq!(parse(&["*"]), Ok(Contacts::Star));
        assert!(parse(&["*, <sip:a@b.c>"]).is_err());
        assert_eq!(parse(&[]), Ok(Contacts::Addresses(vec![])));
    }

    #[test]
    fn several_headers_make_one_list() {
        let contacts =
            Contacts::of(["<sip:a@b.c;x=1,2>;q=1, sip:d@e.f", "\"n,m\" <sip:g@h>"].into_iter());
        let Ok(Contacts::Addresses(addresses)) = contacts else {
            panic!("{contacts:?}");
        };
        let users: Vec<_> = addresses.iter().map(|addr| addr.uri.user()).collect();
        assert_eq!(users, [Some("a"), Some("d"), Some("g")]);
    }
}
