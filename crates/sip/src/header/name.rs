use std::fmt;

use crate::text::Block;

macro_rules! names {
    ($($name:ident = $long:literal $(, $compact:literal)?;)*) => {
        /// A header's name. Names are compared without regard to case, and compact forms name the same header
        /// (RFC 3261 §7.3.3).
        #[derive(Clone, Copy, Debug)]
        #[non_exhaustive]
        pub enum Name<'a> {
            $(#[doc = concat!("`", $long, "`" $(, ", compact `", $compact, "`")?)]
            $name,)*
            /// Any other header, as it was written.
            Other(&'a str),
        }

        /// A name that we know, in one byte.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Known {
            $($name,)*
        }

        impl Known {
            /// How many names we know.
            pub(crate) const COUNT: usize = [$(Known::$name),*].len();
        }

        /// Long and compact spellings.
        const SPELLINGS: &[(&str, Known)] = &[
            $(($long, Known::$name), $(($compact, Known::$name),)?)*
        ];

        impl<'a> Name<'a> {
            /// Returns the name in its usual spelling; an unknown one as it was written.
            pub fn as_str(self) -> &'a str {
                match self {
                    $(Name::$name => $long,)*
                    Name::Other(text) => text,
                }
            }

            /// Returns the name as one that we know; `Other` may spell such a one.
            pub(crate) fn known(self) -> Option<Known> {
                match self {
                    $(Name::$name => Some(Known::$name),)*
                    Name::Other(text) => Known::from_bytes(text.as_bytes()),
                }
            }
        }

        impl From<Known> for Name<'_> {
            fn from(known: Known) -> Self {
                match known {
                    $(Known::$name => Name::$name,)*
                }
            }
        }
    };
}

names! {
    Accept = "Accept";
    AcceptEncoding = "Accept-Encoding";
    Allow = "Allow";
    Authorization = "Authorization";
    CallId = "Call-ID", "i";
    Contact = "Contact", "m";
    ContentDisposition = "Content-Disposition";
    ContentEncoding = "Content-Encoding", "e";
    ContentLength = "Content-Length", "l";
    ContentType = "Content-Type", "c";
    CSeq = "CSeq";
    Date = "Date";
    Diversion = "Diversion";
    Event = "Event", "o";
    Expires = "Expires";
    From = "From", "f";
    HistoryInfo = "History-Info";
    Identity = "Identity", "y";
    MaxForwards = "Max-Forwards";
    MinExpires = "Min-Expires";
    MinSe = "Min-SE";
    PAssertedIdentity = "P-Asserted-Identity";
    PPreferredIdentity = "P-Preferred-Identity";
    Privacy = "Privacy";
    ProxyAuthenticate = "Proxy-Authenticate";
    ProxyAuthorization = "Proxy-Authorization";
    ProxyRequire = "Proxy-Require";
    RAck = "RAck";
    Reason = "Reason";
    RecordRoute = "Record-Route";
    ReferTo = "Refer-To", "r";
    Replaces = "Replaces";
    Require = "Require";
    RetryAfter = "Retry-After";
    Route = "Route";
    RSeq = "RSeq";
    Server = "Server";
    SessionExpires = "Session-Expires", "x";
    Subject = "Subject", "s";
    Supported = "Supported", "k";
    To = "To", "t";
    Unsupported = "Unsupported";
    UserAgent = "User-Agent";
    Via = "Via", "v";
    Warning = "Warning";
    WwwAuthenticate = "WWW-Authenticate";
}

impl<'a> Name<'a> {
    /// Returns the header that `text` names, in long or compact form.
    pub fn from_text(text: &'a str) -> Name<'a> {
        Known::from_bytes(text.as_bytes()).map_or(Name::Other(text), Name::from)
    }
}

impl Known {
    /// Returns the header that `text` names, in long or compact form and any case.
    #[inline]
    pub(crate) fn from_bytes(text: &[u8]) -> Option<Known> {
        let mut slot = slot(text);
        loop {
            let spelling = usize::from(*SLOTS.get(usize::from(slot))?);
            // An empty slot points behind the spellings: nobody of this name came by here.
            let (name, known) = SPELLINGS.get(spelling)?;
            // The usual spelling is compared many bytes at a time, another one byte by byte.
            if name.as_bytes() == text || name.as_bytes().eq_ignore_ascii_case(text) {
                return Some(*known);
            }
            slot = slot.wrapping_add(1);
        }
    }
}

impl Known {
    /// Reads a name at the start of a line: as most write it, and with a colon right behind it. Returns its length too.
    #[inline]
    pub(crate) fn before_colon(line: &[u8]) -> Option<(Known, usize)> {
        let first = *line.first()?;
        let block = Block::new(line.first_chunk()?);
        let length = block.is(b':').bits().trailing_zeros() as usize;
        let last = *line.get(length.checked_sub(1)?)?;
        let mut slot = slot_of(first, last, length);
        loop {
            let spelling = usize::from(*SLOTS.get(usize::from(slot))?);
            let (start, known) = STARTS.get(spelling)?;
            let same = block.is_same(Block::new(start)).bits();
            if same.trailing_ones() as usize > length {
                return Some((*known, length));
            }
            slot = slot.wrapping_add(1);
        }
    }
}

/// The spellings with a colon behind them, as far as a block reaches.
const STARTS: [([u8; Block::LENGTH], Known); SPELLINGS.len()] = starts();

#[expect(
    clippy::indexing_slicing,
    reason = "runs in constants only, where the compiler refuses an index out of range"
)]
const fn starts() -> [([u8; Block::LENGTH], Known); SPELLINGS.len()] {
    let mut starts = [([b':'; Block::LENGTH], Known::Accept); SPELLINGS.len()];
    let mut spelling = 0;
    while spelling < SPELLINGS.len() {
        let (name, known) = SPELLINGS[spelling];
        let mut at = 0;
        while at < name.len() && at < Block::LENGTH {
            starts[spelling].0[at] = name.as_bytes()[at];
            at += 1;
        }
        starts[spelling].1 = known;
        spelling += 1;
    }
    starts
}

/// As many as a byte can number, so that no slot is out of range.
const SLOT_COUNT: usize = 256;
const EMPTY: u8 = u8::MAX;

/// Where each spelling stands in [`SPELLINGS`], at its slot or in the next ones that were free: a name is looked up by one
/// comparison, seldom two.
const SLOTS: [u8; SLOT_COUNT] = slots();

#[expect(
    clippy::indexing_slicing,
    reason = "runs in constants only, where the compiler refuses an index out of range"
)]
const fn slots() -> [u8; SLOT_COUNT] {
    assert!(SPELLINGS.len() < SLOT_COUNT / 2, "slots run short");
    let mut slots = [EMPTY; SLOT_COUNT];
    let mut spelling = 0;
    while spelling < SPELLINGS.len() {
        let mut slot = slot(SPELLINGS[spelling].0.as_bytes());
        while slots[slot as usize] != EMPTY {
            slot = slot.wrapping_add(1);
        }
        slots[slot as usize] = spelling as u8;
        spelling += 1;
    }
    slots
}

const fn slot(name: &[u8]) -> u8 {
    match (name.first(), name.last()) {
        (Some(first), Some(last)) => slot_of(*first, *last, name.len()),
        _ => 0,
    }
}

// Length, first and last letter tell nearly all names apart. Bit 5 is the case of a letter.
#[inline]
const fn slot_of(first: u8, last: u8, length: usize) -> u8 {
    (first | 0x20)
        .wrapping_add((last | 0x20).wrapping_mul(8))
        .wrapping_add((length as u8).wrapping_mul(13))
}

impl PartialEq<Name<'_>> for Name<'_> {
    fn eq(&self, other: &Name<'_>) -> bool {
        match (self, other) {
            (Name::Other(one), Name::Other(two)) => one.eq_ignore_ascii_case(two),
            (one, two) => std::mem::discriminant(one) == std::mem::discriminant(two),
        }
    }
}

impl Eq for Name<'_> {}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_compact_forms_in_any_case_name_the_same_header() {
        for (spelling, known) in SPELLINGS {
            let name = Name::from(*known);
            assert_eq!(Name::from_text(spelling), name);
            assert_eq!(Name::from_text(&spelling.to_uppercase()), name);
            assert_eq!(Name::from_text(&spelling.to_lowercase()), name);
            assert_eq!(Name::from_text(name.as_str()), name);
            assert_eq!(Name::Other(spelling).known(), Some(*known));
        }
    }

    #[test]
    fn names_before_their_colon_are_those_that_are_read_without_it() {
        for (spelling, known) in SPELLINGS {
            let line = format!("{spelling}: some value or other");
            let fits = spelling.len() < Block::LENGTH;
            let found = fits.then_some((*known, spelling.len()));
            assert_eq!(Known::before_colon(line.as_bytes()), found, "{line}");
            for other in [
                format!("{spelling} : some value or other"),
                format!("{spelling}s: some value or other"),
                format!("X{spelling}: some value or other"),
                format!("{spelling}\r: some value or other"),
                format!("{} some value or other:", spelling),
            ] {
                assert_eq!(Known::before_colon(other.as_bytes()), None, "{other}");
            }
        }
        assert_eq!(Known::before_colon(b": some value or other"), None);
        assert_eq!(Known::before_colon(b"Via: short"), None);
    }

    #[test]
    fn a_name_is_found_after_few_comparisons() {
        let probes = |text: &str| {
            let mut slot = slot(text.as_bytes());
            let at = SPELLINGS
                .iter()
                .position(|(name, _)| *name == text)
                .unwrap();
            let mut probes = 1;
            while usize::from(SLOTS[usize::from(slot)]) != at {
                slot = slot.wrapping_add(1);
                probes += 1;
            }
            probes
        };
        let most = SPELLINGS.iter().map(|(name, _)| probes(name)).max();
        assert!(most.unwrap() <= 4, "{most:?}");
    }

    #[test]
    fn unknown_names_are_kept_and_compared_without_case() {
        assert_eq!(
            Name::from_text("P-Charge-Info"),
            Name::Other("p-charge-info")
        );
        assert_eq!(Name::from_text("C%6Fntact").as_str(), "C%6Fntact");
        assert_ne!(Name::from_text("Vias"), Name::Via);
        assert_eq!(Name::from_text(""), Name::Other(""));
    }
}
