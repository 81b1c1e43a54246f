use housecall_browser::VoiceCodec;
use housecall_media::sdp::{Codec, Description};
use housecall_phone::Route;

use crate::Ear;

/// The ear of a browser that speaks `voice`, with what its offer says of Opus.
pub(crate) fn agreed(ear: Ear, voice: VoiceCodec, offer: &str) -> Ear {
    let codec = match voice {
        VoiceCodec::Opus => Codec::Opus,
        VoiceCodec::Pcmu => Codec::Pcmu,
        VoiceCodec::Pcma => Codec::Pcma,
    };
    as_offered(Ear { codec, ..ear }, offer)
}

/// What the browser is asked to speak where G.711 may go straight through: what the first way would have, since most calls go by it. By
/// another one, or where the phone chooses otherwise, it is decoded like anything else.
pub(crate) fn straight_voices(routes: &[Route]) -> Vec<VoiceCodec> {
    let codecs = routes.iter().take(1).flat_map(|route| &route.trunk.codecs);
    let of = |codec: &Codec| match codec {
        Codec::Pcmu => Some(VoiceCodec::Pcmu),
        Codec::Pcma => Some(VoiceCodec::Pcma),
        _ => None,
    };
    codecs.map_while(of).collect()
}

/// The ear with what a browser's offer says of the Opus that it wants (RFC 7587 §6.1): whether silence may be left out, and how many bits
/// there may be. An offer that says nothing of Opus leaves everything as it was.
fn as_offered(ear: Ear, offer: &str) -> Ear {
    let Ok(offer) = Description::parse(offer.as_bytes()) else {
        return ear;
    };
    let formats = offer.media.iter().flat_map(|media| &media.formats);
    let mut opus = formats.filter(|format| format.codec == Some(Codec::Opus));
    match opus.next().map(|format| format.opus.settings()) {
        Some(mut settings) => {
            // Browsers use what is repeated whether they say so or not.
            settings.repeats = ear.opus.repeats;
            Ear {
                opus: settings,
                ..ear
            }
        }
        None => ear,
    }
}

/// The highest sampling rate at which the caller's voice can reach the phone by any of these ways, in Hz. What a browser codes above it is
/// decoded, which costs the most of Opus, and thrown away.
pub(crate) fn voice_rate(routes: &[Route]) -> u32 {
    let codecs = routes.iter().flat_map(|route| &route.trunk.codecs);
    let rates = codecs.map(|codec| match codec {
        // It goes straight through.
        Codec::Opus => codec.clock_rate(),
        _ => codec.rate().hertz(),
    });
    rates.max().unwrap_or(Codec::Opus.clock_rate())
}

#[cfg(test)]
mod tests {
    use housecall_phone::Trunk;
    use housecall_sip::Peer;

    use super::*;

    fn routes(trunks: &[&[Codec]]) -> Vec<Route> {
        let peer = Peer::udp(([127, 0, 0, 1], 5060).into());
        let route = |codecs: &&[Codec]| {
            let mut trunk = Trunk::new("Carrier", "carrier.test");
            trunk.codecs = codecs.to_vec();
            Route::new(trunk, peer)
        };
        trunks.iter().map(route).collect()
    }

    #[test]
    fn a_browser_codes_what_the_phone_can_hear() {
        let rate_of = |trunks: &[&[Codec]]| voice_rate(&routes(trunks));
        assert_eq!(rate_of(&[&[Codec::Pcma, Codec::Pcmu]]), 8_000);
        assert_eq!(
            rate_of(&[&[Codec::Pcma], &[Codec::G722, Codec::Pcmu]]),
            16_000
        );
        assert_eq!(
            rate_of(&[&[Codec::G722], &[Codec::Opus, Codec::Pcmu]]),
            48_000
        );
    }

    #[test]
    fn a_browser_is_asked_for_the_g711_of_the_first_way() {
        let asked = |trunks: &[&[Codec]]| straight_voices(&routes(trunks));
        let both = [Codec::Pcmu, Codec::Pcma];
        assert_eq!(
            asked(&[&both, &[Codec::Pcma]]),
            [VoiceCodec::Pcmu, VoiceCodec::Pcma]
        );
        assert_eq!(asked(&[&[Codec::Pcma, Codec::G722]]), [VoiceCodec::Pcma]);
        // What sounds better comes first.
        assert_eq!(asked(&[&[Codec::G722, Codec::Pcma]]), []);
    }

    #[test]
    fn a_browser_that_takes_dtx_is_sent_no_silence() {
        let offer = |fmtp: &str| {
            format!(
                "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111 8\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 {fmtp}\r\n"
            )
        };
        let ear = as_offered(Ear::default(), &offer("minptime=10;useinbandfec=1"));
        assert_eq!(ear, Ear::default());
        let ear = as_offered(Ear::default(), &offer("usedtx=1;maxaveragebitrate=16000"));
        assert!(ear.opus.skips_silence && ear.opus.repeats);
        assert_eq!(ear.opus.bits_per_second, 16_000);
        assert_eq!(as_offered(Ear::default(), "hello"), Ear::default());
    }
}
