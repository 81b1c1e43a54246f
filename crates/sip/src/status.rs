//! Response status codes.

use std::fmt;

/// A response status, 100 to 699 (RFC 3261 §7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatusCode(u16);

macro_rules! known {
    ($($name:ident = $code:literal, $reason:literal;)*) => {
        impl StatusCode {
            $(#[doc = concat!("`", $code, " ", $reason, "`.")]
            pub const $name: StatusCode = StatusCode($code);)*

            /// Returns the phrase the standards give to this status, or that of its class.
            pub fn default_reason(self) -> &'static str {
                match self.0 {
                    $($code => $reason,)*
                    other => class_reason(other),
                }
            }
        }
    };
}

known! {
    TRYING = 100, "Trying";
    RINGING = 180, "Ringing";
    CALL_IS_BEING_FORWARDED = 181, "Call Is Being Forwarded";
    QUEUED = 182, "Queued";
    SESSION_PROGRESS = 183, "Session Progress";
    EARLY_DIALOG_TERMINATED = 199, "Early Dialog Terminated";
    OK = 200, "OK";
    ACCEPTED = 202, "Accepted";
    MULTIPLE_CHOICES = 300, "Multiple Choices";
    MOVED_PERMANENTLY = 301, "Moved Permanently";
    MOVED_TEMPORARILY = 302, "Moved Temporarily";
    USE_PROXY = 305, "Use Proxy";
    BAD_REQUEST = 400, "Bad Request";
    UNAUTHORIZED = 401, "Unauthorized";
    PAYMENT_REQUIRED = 402, "Payment Required";
    FORBIDDEN = 403, "Forbidden";
    NOT_FOUND = 404, "Not Found";
    METHOD_NOT_ALLOWED = 405, "Method Not Allowed";
    NOT_ACCEPTABLE = 406, "Not Acceptable";
    PROXY_AUTHENTICATION_REQUIRED = 407, "Proxy Authentication Required";
    REQUEST_TIMEOUT = 408, "Request Timeout";
    GONE = 410, "Gone";
    REQUEST_ENTITY_TOO_LARGE = 413, "Request Entity Too Large";
    REQUEST_URI_TOO_LONG = 414, "Request-URI Too Long";
    UNSUPPORTED_MEDIA_TYPE = 415, "Unsupported Media Type";
    UNSUPPORTED_URI_SCHEME = 416, "Unsupported URI Scheme";
    BAD_EXTENSION = 420, "Bad Extension";
    EXTENSION_REQUIRED = 421, "Extension Required";
    SESSION_INTERVAL_TOO_SMALL = 422, "Session Interval Too Small";
    INTERVAL_TOO_BRIEF = 423, "Interval Too Brief";
    BAD_INFO_PACKAGE = 469, "Bad Info Package";
    TEMPORARILY_UNAVAILABLE = 480, "Temporarily Unavailable";
    CALL_DOES_NOT_EXIST = 481, "Call/Transaction Does Not Exist";
    LOOP_DETECTED = 482, "Loop Detected";
    TOO_MANY_HOPS = 483, "Too Many Hops";
    ADDRESS_INCOMPLETE = 484, "Address Incomplete";
    AMBIGUOUS = 485, "Ambiguous";
    BUSY_HERE = 486, "Busy Here";
    REQUEST_TERMINATED = 487, "Request Terminated";
    NOT_ACCEPTABLE_HERE = 488, "Not Acceptable Here";
    BAD_EVENT = 489, "Bad Event";
    REQUEST_PENDING = 491, "Request Pending";
    UNDECIPHERABLE = 493, "Undecipherable";
    SERVER_INTERNAL_ERROR = 500, "Server Internal Error";
    NOT_IMPLEMENTED = 501, "Not Implemented";
    BAD_GATEWAY = 502, "Bad Gateway";
    SERVICE_UNAVAILABLE = 503, "Service Unavailable";
    SERVER_TIMEOUT = 504, "Server Time-out";
    VERSION_NOT_SUPPORTED = 505, "Version Not Supported";
    MESSAGE_TOO_LARGE = 513, "Message Too Large";
    BUSY_EVERYWHERE = 600, "Busy Everywhere";
    DECLINE = 603, "Decline";
    DOES_NOT_EXIST_ANYWHERE = 604, "Does Not Exist Anywhere";
    NOT_ACCEPTABLE_ANYWHERE = 606, "Not Acceptable";
}

impl StatusCode {
    /// Returns the status `code`; `None` outside 100 to 699.
    pub const fn new(code: u16) -> Option<StatusCode> {
        match code {
            100..=699 => Some(StatusCode(code)),
            _ => None,
        }
    }

    /// Returns the number.
    pub const fn code(self) -> u16 {
        self.0
    }

    /// Returns whether more will follow (1xx).
    pub const fn is_provisional(self) -> bool {
        self.0 < 200
    }

    /// Returns whether the request was granted (2xx).
    pub const fn is_success(self) -> bool {
        self.0 >= 200 && self.0 < 300
    }

    /// Returns whether this answer ends the transaction (2xx to 6xx).
    pub const fn is_final(self) -> bool {
        self.0 >= 200
    }

    /// Reads a status of exactly three digits.
    pub(crate) fn parse(text: &str) -> Option<StatusCode> {
        let three_digits = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
        three_digits
            .then(|| text.parse().ok().and_then(StatusCode::new))
            .flatten()
    }
}

// RFC 3261 §8.1.3.2: an unknown status means what x00 of its class means.
fn class_reason(code: u16) -> &'static str {
    match code {
        ..200 => "Session Progress",
        200..300 => "OK",
        300..400 => "Redirection",
        400..500 => "Bad Request",
        500..600 => "Server Internal Error",
        _ => "Busy Everywhere",
    }
}

impl fmt::Display for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_three_digits_from_100_to_699_are_a_status() {
        assert_eq!(StatusCode::parse("486"), Some(StatusCode::BUSY_HERE));
        for text in ["", "48", "0486", "4294967301", "099", "700", "+86", "4 6"] {
            assert_eq!(StatusCode::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn classes() {
        assert!(StatusCode::SESSION_PROGRESS.is_provisional());
        assert!(StatusCode::OK.is_success() && StatusCode::OK.is_final());
        assert!(!StatusCode::DECLINE.is_success() && StatusCode::DECLINE.is_final());
        assert_eq!(
            StatusCode::new(499).unwrap().default_reason(),
            "Bad Request"
        );
    }
}
