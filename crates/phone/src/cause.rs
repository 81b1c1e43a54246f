use std::fmt;

use housecall_sip::{Message, StatusCode};

/// What the network said about the end of a call, as it said it, for whoever has to find out why.
///
/// Cleaned, since anybody in the telephone network can write it: control characters become spaces, and each text has at most
/// [`RawCause::TEXT_CHARS_MAX`] characters. It is still theirs: escape it where it is shown.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct RawCause {
    /// The SIP status of the refusal.
    pub status: Option<u16>,
    /// The words behind the status; they need not be those of the RFC.
    pub reason_phrase: String,
    /// The cause of ITU-T Q.850, out of Reason (RFC 3326).
    pub q850: Option<u8>,
    /// The text of Reason, else of Warning (RFC 3261 §20.43).
    pub text: String,
}

impl RawCause {
    /// Longer texts are cut.
    pub const TEXT_CHARS_MAX: usize = 120;

    /// What a refusal or a BYE says.
    pub fn of(message: &Message) -> Self {
        let reasons = message.reasons();
        let q850 = reasons.iter().find_map(|reason| reason.q850());
        let text = reasons.into_iter().find_map(|reason| reason.text);
        let warning = || message.header(housecall_sip::Name::Warning);
        let text = text.or_else(|| warning().and_then(warn_text));
        Self {
            status: message.status().map(StatusCode::code),
            reason_phrase: message.reason().map(clean).unwrap_or_default(),
            q850: q850.and_then(|cause| u8::try_from(cause).ok()),
            text: text.as_deref().map(clean).unwrap_or_default(),
        }
    }

    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for RawCause {
    /// `480 Temporarily Unavailable, Q.850 17, User busy`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self
            .status
            .map(|status| format!("{status} {}", self.reason_phrase));
        let q850 = self.q850.map(|cause| format!("Q.850 {cause}"));
        let text = Some(self.text.clone()).filter(|text| !text.is_empty());
        let parts: Vec<String> = [status, q850, text].into_iter().flatten().collect();
        f.write_str(&parts.join(", "))
    }
}

/// The text of `399 carrier.test "No credit"`.
fn warn_text(warning: &str) -> Option<String> {
    let (_, rest) = warning.split_once('"')?;
    let (text, _) = rest.rsplit_once('"')?;
    Some(text.to_owned())
}

fn clean(text: &str) -> String {
    let letters = text.chars().take(RawCause::TEXT_CHARS_MAX);
    let shown = |letter: char| if is_hidden(letter) { ' ' } else { letter };
    letters.map(shown).collect::<String>().trim().to_owned()
}

/// Control characters, and those that turn the direction of what follows on a page or in a log.
fn is_hidden(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use housecall_sip::{Name, ResponseBuilder};

    use super::*;
    use crate::outcome::tests::invite;

    fn refusal(status: u16, name: Name<'_>, value: &str) -> RawCause {
        let status = StatusCode::new(status).unwrap();
        let builder = ResponseBuilder::new(&invite(), status).header(name, value);
        RawCause::of(&builder.build())
    }

    #[test]
    fn what_the_network_said_is_kept() {
        let cause = refusal(480, Name::Reason, "Q.850;cause=17;text=\"User busy\"");
        assert_eq!((cause.status, cause.q850), (Some(480), Some(17)));
        let shown = "480 Temporarily Unavailable, Q.850 17, User busy";
        assert_eq!(cause.to_string(), shown);
        let cause = refusal(403, Name::Warning, "399 sbc.test \"Out of credit\"");
        assert_eq!(cause.text, "Out of credit");
        assert!(RawCause::default().is_empty());
    }

    /// Hostile text in logs and reports: no escape sequence, no line of its own, no turned direction, no great length.
    #[test]
    fn row_29_hostile_text_is_tamed() {
        let evil = "\u{1b}[2J\u{202e}<script>alert(1)</script>\t";
        let text = format!("Q.850;cause=34;text=\"{evil}{}\"", "x".repeat(5_000));
        let cause = refusal(503, Name::Reason, &text);
        assert_eq!(cause.text.chars().count(), RawCause::TEXT_CHARS_MAX - 1);
        assert!(!cause.to_string().chars().any(is_hidden));
        assert!(
            cause.text.contains("<script>"),
            "escaped where it is shown, not here"
        );
    }

    #[test]
    fn a_cause_that_q850_has_no_room_for_is_none() {
        assert_eq!(refusal(486, Name::Reason, "Q.850;cause=300").q850, None);
    }
}
