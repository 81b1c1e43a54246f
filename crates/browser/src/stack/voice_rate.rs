//! How wide a voice the browser is asked to code.

use crate::VoiceCodec;
use crate::voice::Voice;

/// Whoever speaks at 48 kHz is asked for nothing.
const OPUS_RATE: u32 = 48_000;
/// Bits of a voice in a second, whatever its rate: by themselves browsers take a third of it for a telephone's.
const OPUS_BITRATE: u32 = 32_000;

/// The answer with a request to code no more of a voice than what is sampled at `rate` Hz (RFC 7587 §6.1). The stack answers with what was
/// offered, and renegotiates nothing, so that it need not know.
pub(super) fn ask(answer: &str, voice: Voice, rate: u32) -> String {
    let Voice {
        codec,
        payload_type,
    } = voice;
    if codec != VoiceCodec::Opus || rate >= OPUS_RATE {
        return answer.to_owned();
    }
    let wish = format!("maxplaybackrate={rate};maxaveragebitrate={OPUS_BITRATE}");
    let (format, map) = (
        format!("a=fmtp:{payload_type} "),
        format!("a=rtpmap:{payload_type} "),
    );
    let is_said = answer.contains(&format);
    let asked = answer.lines().map(|line| {
        if line.starts_with(&format) {
            format!("{line};{wish}\r\n")
        } else if line.starts_with(&map) && !is_said {
            format!("{line}\r\n{format}{wish}\r\n")
        } else {
            format!("{line}\r\n")
        }
    });
    asked.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPUS: Voice = Voice {
        codec: VoiceCodec::Opus,
        payload_type: 111,
    };
    const ANSWER: &str = "m=audio 9 UDP/TLS/RTP/SAVPF 111 110\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:110 telephone-event/48000\r\n";

    #[test]
    fn a_browser_is_asked_for_a_telephones_voice_at_full_bits() {
        let with_parameters = format!("{ANSWER}a=fmtp:111 minptime=10;useinbandfec=1\r\n");
        let asked = ask(&with_parameters, OPUS, 8_000);
        let line = "a=fmtp:111 minptime=10;useinbandfec=1;maxplaybackrate=8000;maxaveragebitrate=32000\r\n";
        assert_eq!(asked, format!("{ANSWER}{line}"));
        let bare = ask(ANSWER, OPUS, 16_000);
        let line = "opus/48000/2\r\na=fmtp:111 maxplaybackrate=16000;maxaveragebitrate=32000\r\n";
        assert_eq!(bare, ANSWER.replace("opus/48000/2\r\n", line));
        assert_eq!(ask(&with_parameters, OPUS, 48_000), with_parameters);
    }
}
