use std::fmt::Write as _;

use super::media_target::PACKET_MS_MAX;
use super::{Codec, Direction, Media, MediaKind};

/// Prints an audio line and what belongs to it, but for keys.
pub(super) fn audio_line(
    port: u16,
    protocol: &str,
    lines: &[(Codec, u8)],
    direction: Direction,
) -> String {
    let numbers: Vec<String> = lines
        .iter()
        .map(|(_, payload_type)| payload_type.to_string())
        .collect();
    let mut out = format!("m=audio {port} {protocol} {}\r\n", numbers.join(" "));
    for (codec, payload_type) in lines {
        // Writing to a String cannot fail.
        let _ = write!(out, "a=rtpmap:{payload_type} {}\r\n", codec.rtpmap());
        if let Some(parameters) = parameters(*codec) {
            let _ = write!(out, "a=fmtp:{payload_type} {parameters}\r\n");
        }
    }
    let _ = write!(
        out,
        "a=ptime:20\r\na=maxptime:{PACKET_MS_MAX}\r\na={direction}\r\n"
    );
    out
}

/// What `a=fmtp` says of our half.
fn parameters(codec: Codec) -> Option<&'static str> {
    match codec {
        // RFC 7587 §6.1: what a packet repeats of the one before it is used.
        Codec::Opus => Some("minptime=10;useinbandfec=1"),
        // RFC 4733 §2.4.1: the sixteen keys.
        Codec::TelephoneEvent | Codec::TelephoneEvent48 => Some("0-15"),
        Codec::Pcmu | Codec::Pcma | Codec::G722 => None,
    }
}

/// RFC 3264 §6: a refused line keeps its kind, transport and formats, with port 0.
pub(super) fn refused(media: &Media) -> String {
    let kind = match &media.kind {
        MediaKind::Audio => "audio",
        MediaKind::Other(kind) => kind,
    };
    format!("m={kind} 0 {} {}\r\n", media.protocol, media.format_list)
}
