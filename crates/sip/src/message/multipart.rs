//! Bodies of several parts (RFC 2046 §5.1, RFC 5621 §3).

use bytes::Bytes;
use memchr::memchr;

use super::Message;
use crate::header::{Known, MediaType, Name};
use crate::text;

/// The most parts looked at in one body, those inside other parts included.
const PARTS_MAX: usize = 16;

/// How deep parts may stand inside parts.
const DEPTH_MAX: usize = 2;

/// The longest boundary (RFC 2046 §5.1.1).
const BOUNDARY_MAX: usize = 70;

impl Message {
    /// Returns the session description that the message carries: its body, or a part of a multipart body. Shares the message's
    /// memory.
    ///
    /// A part of another disposition than `session`, such as the `early-session` of RFC 3959, is passed over, and so is one in
    /// base64; an empty one is none. Of several the first counts, in `multipart/alternative` the last (RFC 2046 §5.1.4). At most 16 parts are looked
    /// at, two deep.
    pub fn sdp_body(&self) -> Option<Bytes> {
        let media_type = self.header(Name::ContentType)?;
        let mut parts_left = PARTS_MAX;
        let found = sdp_in(media_type, self.body(), DEPTH_MAX, &mut parts_left)?;
        (!found.is_empty()).then(|| self.wire.slice_ref(found))
    }
}

fn sdp_in<'a>(
    media_type: &str,
    body: &'a [u8],
    depth: usize,
    parts_left: &mut usize,
) -> Option<&'a [u8]> {
    let media_type = MediaType::of(media_type).ok()?;
    if media_type.is("application", "sdp") {
        return Some(body);
    }
    if !media_type.kind.eq_ignore_ascii_case("multipart") || depth == 0 {
        return None;
    }
    let boundary = media_type.params.unquoted("boundary")?;
    let mut found = None;
    for part in Parts::new(body, boundary.as_bytes())? {
        *parts_left = parts_left.checked_sub(1)?;
        let inside = part
            .media_type()
            .filter(|_| part.is_session())
            .and_then(|kind| sdp_in(kind, part.content, depth - 1, parts_left));
        found = inside.or(found);
        if found.is_some() && !media_type.is("multipart", "alternative") {
            break;
        }
    }
    found
}

/// One part: lines of headers, an empty line, the content.
struct Part<'a> {
    head: &'a [u8],
    content: &'a [u8],
}

impl<'a> Part<'a> {
    fn of(bytes: &'a [u8]) -> Part<'a> {
        let mut at = 0;
        while let Some(line) = line_at(bytes, at) {
            let start = at;
            at += line.len();
            if matches!(line, b"\n" | b"\r\n") {
                let (head, _) = bytes.split_at_checked(start).unwrap_or((bytes, &[]));
                let content = bytes.get(at..).unwrap_or_default();
                return Part { head, content };
            }
        }
        Part {
            head: bytes,
            content: &[],
        }
    }

    fn media_type(&self) -> Option<&'a str> {
        self.header(Known::ContentType)
    }

    fn is_session(&self) -> bool {
        let first = |value: &'a str| text::trim(text::split_params(value).0);
        let disposition = self.header(Known::ContentDisposition).map(first);
        let coding = self.header_named("Content-Transfer-Encoding");
        let is_plain = |coding: &str| {
            ["7bit", "8bit", "binary"]
                .iter()
                .any(|plain| plain.eq_ignore_ascii_case(coding))
        };
        disposition.is_none_or(|disposition| disposition.eq_ignore_ascii_case("session"))
            && coding.is_none_or(is_plain)
    }

    fn header(&self, name: Known) -> Option<&'a str> {
        self.value(|written| Known::from_bytes(written) == Some(name))
    }

    fn header_named(&self, name: &str) -> Option<&'a str> {
        self.value(|written| written.eq_ignore_ascii_case(name.as_bytes()))
    }

    fn value(&self, is_wanted: impl Fn(&[u8]) -> bool) -> Option<&'a str> {
        let mut at = 0;
        loop {
            let line = unfolded_line_at(self.head, at)?;
            at += line.len();
            let Some(colon) = memchr(b':', line) else {
                continue;
            };
            let (name, value) = line.split_at_checked(colon)?;
            if is_wanted(name.trim_ascii_end()) {
                let value = std::str::from_utf8(value.get(1..)?).ok()?;
                return Some(text::trim(value));
            }
        }
    }
}

/// The parts between the boundaries of a body. What comes before the first and after the last is passed over; where the closing
/// boundary is missing, the last part reaches to the end.
struct Parts<'a, 'b> {
    body: &'a [u8],
    boundary: &'b [u8],
    /// Behind the last boundary; `None` after the closing one.
    at: Option<usize>,
}

impl<'a, 'b> Parts<'a, 'b> {
    fn new(body: &'a [u8], boundary: &'b [u8]) -> Option<Parts<'a, 'b>> {
        let is_boundary = (1..=BOUNDARY_MAX).contains(&boundary.len());
        is_boundary.then_some(())?;
        let mut parts = Parts {
            body,
            boundary,
            at: None,
        };
        let first = parts.next_boundary(0)?;
        parts.at = first.after;
        Some(parts)
    }

    fn next_boundary(&self, from: usize) -> Option<Boundary> {
        let mut at = from;
        loop {
            let line = line_at(self.body, at)?;
            let end = at + line.len();
            let mark = line.strip_prefix(b"--");
            if let Some(rest) = mark.and_then(|mark| mark.strip_prefix(self.boundary)) {
                match rest.trim_ascii_end() {
                    b"" => return Some(Boundary::new(at, Some(end))),
                    b"--" => return Some(Boundary::new(at, None)),
                    // A longer boundary that begins like ours.
                    _ => {}
                }
            }
            at = end;
        }
    }
}

impl<'a> Iterator for Parts<'a, '_> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        let start = self.at?;
        let next = self.next_boundary(start);
        let (end, after) = match &next {
            // The line end before a boundary belongs to the boundary (RFC 2046 §5.1.1).
            Some(boundary) => (before_line_end(self.body, boundary.start), boundary.after),
            None => (self.body.len(), None),
        };
        self.at = after;
        let part = self.body.get(start..end.max(start)).unwrap_or_default();
        Some(Part::of(part))
    }
}

/// Where a boundary line begins, and where what follows it does; `None` where nothing follows the closing one.
struct Boundary {
    start: usize,
    after: Option<usize>,
}

impl Boundary {
    fn new(start: usize, after: Option<usize>) -> Boundary {
        Boundary { start, after }
    }
}

fn before_line_end(body: &[u8], at: usize) -> usize {
    match body.get(..at) {
        Some([.., b'\r', b'\n']) => at - 2,
        Some([.., b'\n']) => at - 1,
        _ => at,
    }
}

/// Returns the line at `at` with its end; the last one may have none.
fn line_at(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
    let length = memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
    rest.get(..length)
}

/// The same with the lines that continue it.
fn unfolded_line_at(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let mut length = line_at(bytes, at)?.len();
    while let Some(more @ [b' ' | b'\t', ..]) = line_at(bytes, at + length) {
        length += more.len();
    }
    bytes.get(at..at + length)
}
