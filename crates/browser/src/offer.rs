use std::net::IpAddr;

use crate::voice::Voice;
use crate::{Kind, OfferRefused, Shape, VoiceCodec};

/// A browser's offer that has the m-lines of a [`Shape`], and the payload types it chose.
#[derive(Debug)]
pub(crate) struct Offer {
    /// The offer without the codecs and candidates that are of no use to us.
    pub(crate) text: String,
    pub(crate) codecs: Codecs,
}

/// Payload types by which the browser knows our codecs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Codecs {
    pub(crate) voice: Voice,
    pub(crate) telephone_event: Option<u8>,
    /// VP8, and RTX repairing it (RFC 4588).
    pub(crate) vp8: Option<(u8, Option<u8>)>,
}

/// The longest offer read; Chromium's for a room has about 20 KiB.
const OFFER_BYTES_MAX: usize = 64 * 1024;
/// The most candidates tried; each costs checks sent to an address of the browser's choosing.
const CANDIDATES_MAX: usize = 16;

const CALL: &[(Kind, &str)] = &[(Kind::Audio, "sendrecv")];
const ROOM: &[(Kind, &str)] = &[
    (Kind::Audio, "sendonly"),
    (Kind::Video, "sendonly"),
    (Kind::Audio, "recvonly"),
    (Kind::Video, "recvonly"),
    (Kind::Audio, "recvonly"),
    (Kind::Video, "recvonly"),
    (Kind::Audio, "recvonly"),
    (Kind::Video, "recvonly"),
];

impl Offer {
    /// The first of `voices` that is offered is chosen, or else Opus.
    pub(crate) fn read(
        text: &str,
        shape: Shape,
        voices: &[VoiceCodec],
    ) -> Result<Self, OfferRefused> {
        if text.len() > OFFER_BYTES_MAX {
            return Err(OfferRefused::TooLong {
                bytes: text.len(),
                max: OFFER_BYTES_MAX,
            });
        }
        if !text.starts_with("v=0") {
            return Err(OfferRefused::Missing("v=0 line"));
        }
        let sections = Section::split(text);
        let expected = shape.media();
        for (index, (kind, direction)) in expected.iter().enumerate() {
            check_section(index, sections.get(index), *kind, direction)?;
        }
        if let Some(extra) = sections.get(expected.len()) {
            return Err(wrong(expected.len(), "no more m-lines", extra.media));
        }
        check_transport(text, expected.len())?;
        let codecs = Codecs::read(&sections, voices)?;
        Ok(Self {
            text: codecs.pare(text),
            codecs,
        })
    }
}

impl Shape {
    fn media(self) -> &'static [(Kind, &'static str)] {
        match self {
            Shape::Call => CALL,
            Shape::Room => ROOM,
        }
    }
}

impl Codecs {
    fn read(sections: &[Section<'_>], wanted: &[VoiceCodec]) -> Result<Self, OfferRefused> {
        let mut voice = None;
        let mut vp8 = None;
        for (index, section) in sections.iter().enumerate() {
            if section.kind() == Some(Kind::Audio) {
                voice = same(index, "opus/48000/2", voice, section.voice(wanted))?;
            } else {
                let found = section
                    .payload_type("VP8/90000")
                    .map(|vp8| (vp8, section.rtx_of(vp8)));
                vp8 = same(index, "VP8/90000", vp8, found)?;
            }
        }
        let voice = voice.ok_or(OfferRefused::Missing("audio m-line"))?;
        let events = voice.codec.events_encoding();
        let mut audio = sections.iter().filter(|it| it.kind() == Some(Kind::Audio));
        Ok(Self {
            voice,
            telephone_event: audio.find_map(|section| section.payload_type(events)),
            vp8,
        })
    }
}

/// In a bundle a payload type means one thing (RFC 9143 §9.1), so every m-line of a kind must agree.
fn same<T: PartialEq>(
    index: usize,
    codec: &'static str,
    before: Option<T>,
    found: Option<T>,
) -> Result<Option<T>, OfferRefused> {
    match (before, found) {
        (_, None) => Err(OfferRefused::NoCodec { index, codec }),
        (Some(before), Some(found)) if before != found => {
            Err(OfferRefused::NoCodec { index, codec })
        }
        (_, found) => Ok(found),
    }
}

fn check_section(
    index: usize,
    section: Option<&Section<'_>>,
    kind: Kind,
    direction: &'static str,
) -> Result<(), OfferRefused> {
    let (media, name) = match kind {
        Kind::Audio => ("an audio m-line", "audio"),
        Kind::Video => ("a video m-line", "video"),
    };
    let Some(section) = section else {
        return Err(wrong(index, media, "nothing"));
    };
    if section.kind() != Some(kind) {
        return Err(wrong(index, media, section.media));
    }
    if section.is_rejected() || !section.media.contains("/TLS/RTP/SAVPF") {
        return Err(wrong(
            index,
            "a bundled UDP/TLS/RTP/SAVPF m-line",
            section.media,
        ));
    }
    if section.direction() != Some(direction) {
        return Err(wrong(index, direction, section.direction().unwrap_or(name)));
    }
    section
        .attribute("mid")
        .map(|_| ())
        .ok_or(OfferRefused::Missing("a=mid"))
}

fn wrong(index: usize, expected: &'static str, found: &str) -> OfferRefused {
    // What a stranger wrote is quoted in part only.
    OfferRefused::WrongShape {
        index,
        expected,
        found: found.chars().take(60).collect(),
    }
}

/// RFC 8829 §5.2.1: what a BUNDLE of DTLS-SRTP over ICE cannot do without.
fn check_transport(text: &str, m_lines: usize) -> Result<(), OfferRefused> {
    for needed in ["a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:", "a=rtcp-mux"] {
        if !text.lines().any(|line| line.starts_with(needed)) {
            return Err(OfferRefused::Missing(needed));
        }
    }
    if !text
        .lines()
        .any(|line| matches!(line.trim_end(), "a=setup:actpass" | "a=setup:active"))
    {
        return Err(OfferRefused::Missing("a=setup:actpass"));
    }
    if m_lines > 1 && !text.lines().any(|line| line.starts_with("a=group:BUNDLE ")) {
        return Err(OfferRefused::Missing("a=group:BUNDLE"));
    }
    Ok(())
}

impl Codecs {
    /// The offer without codecs we do not speak, without candidates we could never reach (TCP, multicast DNS names) and
    /// without all candidates beyond a number.
    ///
    /// The stack below would answer one telephone-event for each rate that is offered, under one number.
    fn pare(&self, text: &str) -> String {
        let mut tried = 0;
        let mut kept = String::with_capacity(text.len());
        for line in text.lines() {
            if line.starts_with("a=candidate:") {
                if tried == CANDIDATES_MAX || !is_useful(line) {
                    continue;
                }
                tried += 1;
            }
            if let Some(media) = line.strip_prefix("m=") {
                kept.push_str("m=");
                kept.push_str(&self.pare_formats(media));
            } else if payload_type_of(line).is_none_or(|payload_type| self.speaks(payload_type)) {
                kept.push_str(line);
            } else {
                continue;
            }
            kept.push_str("\r\n");
        }
        kept
    }

    /// `audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0`: the words from the fourth on are payload types.
    fn pare_formats(&self, media: &str) -> String {
        let words = media.split_ascii_whitespace().enumerate();
        let spoken = |word: &str| {
            word.parse()
                .is_ok_and(|payload_type| self.speaks(payload_type))
        };
        let kept: Vec<_> = words
            .filter(|(index, word)| *index < 3 || spoken(word))
            .map(|(_, word)| word)
            .collect();
        kept.join(" ")
    }

    fn speaks(&self, payload_type: u8) -> bool {
        let video = self
            .vp8
            .is_some_and(|(vp8, rtx)| payload_type == vp8 || Some(payload_type) == rtx);
        video
            || payload_type == self.voice.payload_type
            || Some(payload_type) == self.telephone_event
    }
}

/// The payload type that a line of a codec is about.
fn payload_type_of(line: &str) -> Option<u8> {
    let rest = ["a=rtpmap:", "a=fmtp:", "a=rtcp-fb:"]
        .into_iter()
        .find_map(|prefix| line.strip_prefix(prefix))?;
    rest.split(' ').next()?.parse().ok()
}

/// `a=candidate:foundation component transport priority address port typ …` (RFC 8839 §5.1).
fn is_useful(line: &str) -> bool {
    let mut words = line.split_ascii_whitespace();
    let component = words.nth(1);
    let transport = words.next();
    let address = words.nth(1).and_then(|word| word.parse::<IpAddr>().ok());
    let port = words.next().and_then(|word| word.parse::<u16>().ok());
    component == Some("1")
        && transport.is_some_and(|word| word.eq_ignore_ascii_case("udp"))
        && address.is_some_and(|address| !address.is_unspecified() && !address.is_multicast())
        && port.is_some_and(|port| port != 0)
}

/// One m-line and the lines that belong to it.
struct Section<'a> {
    media: &'a str,
    lines: Vec<&'a str>,
}

impl<'a> Section<'a> {
    fn split(text: &'a str) -> Vec<Self> {
        let mut sections = Vec::<Self>::new();
        for line in text.lines() {
            if let Some(media) = line.strip_prefix("m=") {
                sections.push(Self {
                    media,
                    lines: Vec::new(),
                });
            } else if let Some(section) = sections.last_mut() {
                section.lines.push(line.trim_end());
            }
        }
        sections
    }

    fn kind(&self) -> Option<Kind> {
        match self.media.split(' ').next() {
            Some("audio") => Some(Kind::Audio),
            Some("video") => Some(Kind::Video),
            _ => None,
        }
    }

    /// RFC 9143 §6: port 0 means "bundled only" or, without that attribute, "no".
    fn is_rejected(&self) -> bool {
        self.media.split(' ').nth(1) == Some("0") && !self.lines.contains(&"a=bundle-only")
    }

    fn direction(&self) -> Option<&'static str> {
        ["sendrecv", "sendonly", "recvonly", "inactive"]
            .into_iter()
            .find(|direction| {
                self.lines
                    .iter()
                    .any(|line| line.strip_prefix("a=") == Some(direction))
            })
    }

    fn attribute(&self, name: &str) -> Option<&'a str> {
        self.attributes(name).next()
    }

    fn attributes<'b>(&'b self, name: &'b str) -> impl Iterator<Item = &'a str> + 'b {
        self.lines.iter().filter_map(move |line| {
            line.strip_prefix("a=")?
                .strip_prefix(name)?
                .strip_prefix(':')
        })
    }

    /// The first codec that is wanted and offered, or Opus.
    fn voice(&self, wanted: &[VoiceCodec]) -> Option<Voice> {
        let mut tried = wanted.iter().copied().chain([VoiceCodec::Opus]);
        tried.find_map(|codec| {
            let number = codec.static_payload_type();
            let payload_type = match number {
                Some(number) => self.lists(number).then_some(number),
                None => self.payload_type(codec.encoding()),
            };
            payload_type.map(|payload_type| Voice {
                codec,
                payload_type,
            })
        })
    }

    /// `audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0`: the words from the fourth on are payload types.
    fn lists(&self, payload_type: u8) -> bool {
        let formats = self.media.split_ascii_whitespace().skip(3);
        formats
            .filter_map(|word| word.parse().ok())
            .any(|it: u8| it == payload_type)
    }

    fn payload_type(&self, encoding: &str) -> Option<u8> {
        self.attributes("rtpmap").find_map(|map| {
            let (payload_type, name) = map.split_once(' ')?;
            name.eq_ignore_ascii_case(encoding)
                .then(|| dynamic(payload_type))?
        })
    }

    fn rtx_of(&self, repaired: u8) -> Option<u8> {
        self.attributes("fmtp").find_map(|format| {
            let (payload_type, parameters) = format.split_once(' ')?;
            let repairs = parameters
                .split(';')
                .find_map(|word| word.trim().strip_prefix("apt="))?;
            (repairs.parse() == Ok(repaired)).then(|| dynamic(payload_type))?
        })
    }
}

/// RFC 3551 §6 and RFC 5761 §4: 35–63 and 96–127 cannot be mistaken for RTCP.
fn dynamic(payload_type: &str) -> Option<u8> {
    payload_type
        .parse()
        .ok()
        .filter(|number| matches!(number, 35..=63 | 96..=127))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(kind: &str, direction: &str, mid: usize) -> String {
        let (formats, map) = match kind {
            "audio" => (
                "111 110",
                "a=rtpmap:111 opus/48000/2\r\na=rtpmap:110 telephone-event/48000\r\n",
            ),
            _ => (
                "96 97",
                "a=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n",
            ),
        };
        format!(
            "m={kind} 9 UDP/TLS/RTP/SAVPF {formats}\r\na=mid:{mid}\r\na={direction}\r\na=rtcp-mux\r\n{map}"
        )
    }

    fn offer(sections: &[(&str, &str)]) -> String {
        let mut text = String::from(
            "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=ice-ufrag:abcd\r\n\
             a=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-256 AA\r\na=setup:actpass\r\n",
        );
        for (mid, (kind, direction)) in sections.iter().enumerate() {
            text.push_str(&section(kind, direction, mid));
        }
        text
    }

    fn read(text: &str, shape: Shape) -> Result<Offer, OfferRefused> {
        Offer::read(text, shape, &[VoiceCodec::Opus])
    }

    #[test]
    fn a_call_offers_one_audio_m_line() {
        let offer = read(&offer(&[("audio", "sendrecv")]), Shape::Call).unwrap();
        assert_eq!(offer.codecs.voice.payload_type, 111);
        assert_eq!(offer.codecs.telephone_event, Some(110));
        assert_eq!(offer.codecs.vp8, None);
    }

    /// RFC 4733 §2.6: keys go in the clock of the voice beside them.
    #[test]
    fn g711_is_chosen_where_it_is_wanted_and_offered() {
        let plain = offer(&[("audio", "sendrecv")]);
        // PCMA needs no rtpmap (RFC 3551 §6).
        let with_g711 = plain
            .replace("SAVPF 111 110", "SAVPF 111 110 0 8 126")
            .replace(
                "a=rtpmap:110",
                "a=rtpmap:126 telephone-event/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:110",
            );
        for (codec, payload_type) in [(VoiceCodec::Pcmu, 0), (VoiceCodec::Pcma, 8)] {
            let chosen = Offer::read(&with_g711, Shape::Call, &[codec]).unwrap();
            assert_eq!(
                chosen.codecs.voice,
                Voice {
                    codec,
                    payload_type
                }
            );
            assert_eq!(chosen.codecs.telephone_event, Some(126));
            let formats = format!("SAVPF {payload_type} 126\r\n");
            assert!(chosen.text.contains(&formats), "{}", chosen.text);
            let opus = Offer::read(&plain, Shape::Call, &[codec]).unwrap();
            assert_eq!(opus.codecs.voice.codec, VoiceCodec::Opus);
        }
    }

    #[test]
    fn the_wrong_shape_is_named() {
        let refused = read(&offer(&[("audio", "sendonly")]), Shape::Call).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "m-line 0: expected sendrecv, found sendonly"
        );
        let refused = read(&offer(&[("audio", "sendonly")]), Shape::Room).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "m-line 1: expected a video m-line, found nothing"
        );
        let two = offer(&[("audio", "sendrecv"), ("video", "sendrecv")]);
        let refused = read(&two, Shape::Call).unwrap_err();
        assert!(
            refused
                .to_string()
                .starts_with("m-line 1: expected no more m-lines, found video"),
            "{refused}"
        );
    }

    #[test]
    fn what_no_connection_can_do_without_is_named() {
        let whole = offer(&[("audio", "sendrecv")]);
        for line in [
            "a=ice-ufrag",
            "a=ice-pwd",
            "a=fingerprint",
            "a=setup",
            "a=rtcp-mux",
            "a=mid",
            "v=0",
        ] {
            let without: String = whole
                .lines()
                .filter(|l| !l.starts_with(line))
                .map(|l| format!("{l}\r\n"))
                .collect();
            let refused = read(&without, Shape::Call).unwrap_err();
            assert!(
                matches!(refused, OfferRefused::Missing(_)),
                "{line}: {refused}"
            );
        }
        let refused = read(&"v".repeat(70_000), Shape::Call).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "offer of 70000 bytes is longer than 65536"
        );
        let refused = read(&whole.replace("opus", "L16"), Shape::Call).unwrap_err();
        assert_eq!(refused.to_string(), "m-line 0 offers no opus/48000/2");
    }

    #[test]
    fn only_candidates_we_can_reach_are_tried() {
        let mut text = offer(&[("audio", "sendrecv")]);
        text.push_str("a=candidate:1 1 udp 2 8e0c.local 5000 typ host\r\n");
        text.push_str("a=candidate:1 1 tcp 2 192.0.2.1 9 typ host tcptype active\r\n");
        for port in 1..40 {
            text.push_str(&format!(
                "a=candidate:1 1 udp 2 192.0.2.1 {port} typ host\r\n"
            ));
        }
        let kept = read(&text, Shape::Call).unwrap().text;
        let candidates: Vec<_> = kept
            .lines()
            .filter(|line| line.starts_with("a=candidate"))
            .collect();
        assert_eq!(candidates.len(), CANDIDATES_MAX);
        assert!(
            candidates
                .iter()
                .all(|line| line.contains("192.0.2.1") && line.contains(" udp "))
        );
    }
}
