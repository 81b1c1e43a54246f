//! Keys as INFO requests carry them, without an Info-Package (RFC 2976 in the way of gateways).

use housecall_media::Key;
use housecall_sip::Message;
use housecall_sip::user_agent::Body;

/// How long a key sounds: long enough for every reader of tones behind the trunk.
const KEY_MS: u32 = 160;

/// Returns the body that presses a key, in the form that gateways read.
pub(super) fn written(key: Key) -> Body {
    Body {
        content_type: "application/dtmf-relay".to_owned(),
        bytes: format!("Signal={}\r\nDuration={KEY_MS}\r\n", key.name()).into(),
    }
}

/// Reads the key that an INFO tells of: `Signal=5` in `application/dtmf-relay`, a bare `5` in `application/dtmf`. Some write the code
/// of the event (RFC 4733 §3.2) instead of the key's name: `10` is the star.
pub(super) fn read(info: &Message) -> Option<Key> {
    let text = std::str::from_utf8(info.body()).ok()?;
    let signal = text.lines().find_map(signal_of);
    let name = signal.unwrap_or(text).trim();
    let mut letters = name.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) => Key::new(letter),
        _ => Key::from_event(name.parse().ok()?),
    }
}

fn signal_of(line: &str) -> Option<&str> {
    let (field, value) = line.split_once('=')?;
    field.trim().eq_ignore_ascii_case("signal").then_some(value)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn info(kind: &str, body: &str) -> Message {
        let text = format!(
            "INFO sip:a@192.0.2.1 SIP/2.0\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        Message::parse(Bytes::from(text)).unwrap()
    }

    fn name_of(kind: &str, body: &str) -> Option<char> {
        read(&info(kind, body)).map(Key::name)
    }

    #[test]
    fn what_we_write_is_what_we_read() {
        for name in "0123456789*#ABCD".chars() {
            let body = written(Key::new(name).unwrap());
            let text = std::str::from_utf8(&body.bytes).unwrap();
            assert_eq!(name_of(&body.content_type, text), Some(name));
        }
    }

    #[test]
    fn keys_as_others_write_them() {
        for (body, name) in [
            ("Signal=5\r\nDuration=160\r\n", '5'),
            ("signal = *\nduration = 100\n", '*'),
            ("Duration=250\r\nSignal=#\r\n", '#'),
            ("Signal=10\r\n", '*'),
            ("Signal=11\r\n", '#'),
            ("Signal=d\r\n", 'D'),
            ("7", '7'),
            ("12\r\n", 'A'),
        ] {
            assert_eq!(
                name_of("application/dtmf-relay", body),
                Some(name),
                "{body:?}"
            );
        }
    }

    #[test]
    fn what_is_no_key_is_not_read() {
        for body in [
            "",
            "Signal=",
            "Signal=16",
            "Signal=x",
            "Signal=55",
            "Signal=-1",
            "!",
            "five",
            "Duration=5",
        ] {
            assert_eq!(name_of("application/dtmf-relay", body), None, "{body:?}");
        }
    }
}
