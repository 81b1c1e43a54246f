use super::ParseError;
use crate::method::Method;
use crate::status::StatusCode;
use crate::text::{self, Span};

/// The first line of a message (RFC 3261 §7.1, §7.2).
#[derive(Clone, Debug)]
pub(crate) enum StartLine {
    Request {
        method: Method,
        uri: Span,
        version: Span,
    },
    Response {
        version: Span,
        status: StatusCode,
        reason: Span,
    },
}

impl StartLine {
    /// Reads the line that `span` covers. Several blanks where one belongs are read over (RFC 4475 §3.1.2.9).
    pub(crate) fn parse(head: &str, span: Span) -> Result<StartLine, ParseError> {
        let line = span.text(head);
        let line = line.trim_end_matches(BLANKS);
        match starts_with_version(line) {
            true => status_line(span.start(), line),
            false => request_line(span.start(), line),
        }
    }
}

const VERSION: &str = "SIP/2.0";

const BLANKS: [char; 2] = [' ', '\t'];

impl StartLine {
    /// Says where the parts of `method target SIP/2.0` stand at the start of a head.
    pub(crate) fn request(method: Method, target: &str) -> StartLine {
        let uri = method.as_str().len() + 1;
        let version = uri + target.len() + 1;
        StartLine::Request {
            method,
            uri: Span::new(uri, uri + target.len()),
            version: Span::new(version, version + VERSION.len()),
        }
    }

    /// Says where the parts of `SIP/2.0 status reason` stand at the start of a head.
    pub(crate) fn response(status: StatusCode, reason: &str) -> StartLine {
        let phrase = VERSION.len() + " 200 ".len();
        StartLine::Response {
            version: Span::new(0, VERSION.len()),
            status,
            reason: Span::new(phrase, phrase + reason.len()),
        }
    }
}

fn starts_with_version(line: &str) -> bool {
    let is_sip = |start: &[u8; 4]| start == b"SIP/" || start.eq_ignore_ascii_case(b"SIP/");
    line.as_bytes().first_chunk().is_some_and(is_sip)
}

fn status_line(start: usize, line: &str) -> Result<StartLine, ParseError> {
    let (version, rest) = line.split_once(' ').ok_or(ParseError::Status)?;
    let (status, reason) = rest.split_once(' ').unwrap_or((rest, ""));
    let end = start + line.len();
    Ok(StartLine::Response {
        version: Span::new(start, start + version.len()),
        status: StatusCode::parse(status).ok_or(ParseError::Status)?,
        reason: Span::new(end - reason.len(), end),
    })
}

// The method ends at the first blank and the version starts after the last: what lies between is the target, even where a
// blank stands inside it, so that it can be refused with an answer (RFC 4475 §3.1.2.8).
fn request_line(start: usize, line: &str) -> Result<StartLine, ParseError> {
    let (method, rest) = text::split_blank(line).ok_or(ParseError::NotSip)?;
    let (uri, version) = text::rsplit_blank(rest).ok_or(ParseError::NotSip)?;
    let behind_blanks = uri.trim_start_matches(BLANKS);
    let target = behind_blanks.trim_end_matches(BLANKS);
    if method.is_empty() || target.is_empty() || !starts_with_version(version) {
        return Err(ParseError::NotSip);
    }
    let version_start = start + line.len() - version.len();
    let target_start = version_start - 1 - behind_blanks.len();
    Ok(StartLine::Request {
        method: Method::from_text(method),
        uri: Span::new(target_start, target_start + target.len()),
        version: Span::new(version_start, start + line.len()),
    })
}
