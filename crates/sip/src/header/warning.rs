use std::fmt;

use super::ValueError;
use crate::text;

/// What a server adds to a status for people to read (RFC 3261 §20.43).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Three digits: 301 to 307 and 330 speak of the session description, 370 of bandwidth, 399 of anything.
    pub code: u16,
    /// Who warns: a host, with or without a port, or a name.
    pub agent: String,
    /// The text without its quotes.
    pub text: String,
}

impl Warning {
    /// Reads `code agent "text"`.
    ///
    /// # Errors
    /// The code is no three digits, the agent is missing, or the text is no quoted string.
    pub fn parse(value: &str) -> Result<Warning, ValueError> {
        let (code, rest) =
            text::split_blank(text::trim(value)).ok_or(ValueError::Malformed("agent"))?;
        let (agent, quoted) =
            text::split_blank(text::trim(rest)).ok_or(ValueError::Malformed("text"))?;
        let quoted = text::trim(quoted);
        if agent.contains('"') || text::quoted_length(quoted) != Some(quoted.len()) {
            return Err(ValueError::Malformed("text"));
        }
        let code = text::decimal(code).filter(|number| code.len() == 3 && *number >= 100);
        Ok(Warning {
            code: code.ok_or(ValueError::Malformed("code"))?,
            agent: agent.to_owned(),
            text: text::unquote(quoted).into_owned(),
        })
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} {}",
            self.code,
            self.agent,
            text::quote(&self.text)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_agent_and_text() {
        let written = r#"305 carrier.test:5060 "No codec of \"ours\", sorry""#;
        let warning = Warning::parse(written).unwrap();
        assert_eq!(
            (warning.code, warning.agent.as_str()),
            (305, "carrier.test:5060")
        );
        assert_eq!(warning.text, r#"No codec of "ours", sorry"#);
        assert_eq!(warning.to_string(), written);
        for text in [
            "",
            "305",
            "305 h",
            "305 h text",
            "305 h \"text",
            "305 h \"text\" more",
            "1305 h \"\"",
            "099 h \"\"",
            "+99 h \"\"",
            "305 \"h\" \"\"",
        ] {
            assert!(Warning::parse(text).is_err(), "{text:?}");
        }
    }
}
