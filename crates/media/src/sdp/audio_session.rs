use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use super::{Codec, Description, Direction, Media};

/// Our half of one audio call: writes offers and answers, and says what was agreed (RFC 3264).
///
/// The session number of `o=` stays for the whole call; its version rises whenever what we say changes (RFC 3264 §8).
#[derive(Clone, Debug)]
pub struct AudioSession {
    session_id: u64,
    /// What was said last; the version is raised when the next differs.
    said: Option<Said>,
    addr: SocketAddr,
    codecs: Vec<Codec>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct Said {
    version: u64,
    body: String,
}

/// Where sound goes and what it is, as both sides agreed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MediaTarget {
    /// Where the other side wants RTP. Unspecified (`0.0.0.0`) while it holds in the old way; `direction` then does not send.
    pub remote: SocketAddr,
    /// Where the other side wants RTCP: what `a=rtcp` says, else the next port.
    pub rtcp: Option<SocketAddr>,
    /// The voice codec to send.
    pub codec: Codec,
    /// The payload type to send it with.
    pub payload_type: u8,
    /// The payload type to send telephone events with, if the other side takes them.
    pub telephone_event: Option<u8>,
    /// What we may do: `sends()` says whether we may send to `remote`.
    pub direction: Direction,
    /// The packet length that the other side asks for, in milliseconds; 20 where it says nothing.
    pub ptime_ms: u16,
}

/// Our answer to an offer, and what it agrees to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// The description to send back.
    pub sdp: String,
    /// What is now agreed.
    pub target: MediaTarget,
}

/// Why a description brings no call about.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAgreed {
    /// No audio line is switched on, or none is plain RTP.
    #[error("no usable audio line among {media_lines}")]
    NoAudio {
        /// Media lines that there were.
        media_lines: usize,
    },
    /// We speak none of the codecs.
    #[error("no common codec (theirs: {offered})")]
    NoCommonCodec {
        /// The payload types of the line, as written.
        offered: String,
    },
    /// The line names no numeric address.
    #[error("no numeric address for the audio")]
    NoAddress,
}

impl AudioSession {
    /// Makes our half. `codecs` in order of preference; [`Codec::TelephoneEvent`] among them means that keys are named events.
    ///
    /// `session_id` identifies the session for ever: a random number, or one derived from the time (RFC 8866 §5.2).
    pub fn new(session_id: u64, addr: SocketAddr, codecs: &[Codec]) -> Self {
        Self {
            session_id,
            said: None,
            addr,
            codecs: codecs.to_vec(),
        }
    }

    /// Our address for RTP.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Writes an offer: the first one, or one of a re-INVITE (hold offers [`Direction::SendOnly`], RFC 3264 §8.4).
    pub fn offer(&mut self, direction: Direction) -> String {
        let lines: Vec<(Codec, u8)> = self
            .codecs
            .iter()
            .map(|codec| (*codec, codec.payload_type()))
            .collect();
        let body = audio_line(self.addr.port(), "RTP/AVP", &lines, direction);
        self.say(body)
    }

    /// Reads the answer to what we offered with `offered`.
    ///
    /// # Errors
    /// [`NotAgreed`]: the other side's answer cannot carry this call; hang up.
    pub fn agreed(
        &self,
        answer: &Description,
        offered: Direction,
    ) -> Result<MediaTarget, NotAgreed> {
        let media = first_audio(answer)?;
        self.target(answer, media, offered)
    }

    /// Answers an offer of the other side, wanting `ours`. Every `m=` line is answered; all but one are refused with port 0.
    ///
    /// # Errors
    /// [`NotAgreed`]: owe the other side 488 (RFC 3261 §14.2) and keep what was agreed before.
    pub fn answer(&mut self, offer: &Description, ours: Direction) -> Result<Answer, NotAgreed> {
        let chosen = self.choose(offer)?;
        let target = self.target(offer, chosen, ours)?;
        let body: String = offer
            .media
            .iter()
            .map(|media| {
                if std::ptr::eq(media, chosen) {
                    self.accepted(media, &target)
                } else {
                    refused(media)
                }
            })
            .collect();
        Ok(Answer {
            sdp: self.say(body),
            target,
        })
    }

    /// The first live audio line in which both sides find a codec.
    fn choose<'a>(&self, offer: &'a Description) -> Result<&'a Media, NotAgreed> {
        let mut live = offer.media.iter().filter(|media| media.is_live_audio());
        live.find(|media| self.voice(media).is_some())
            .ok_or_else(|| no_common(offer))
    }

    fn voice(&self, media: &Media) -> Option<(Codec, u8)> {
        self.formats(media).find(|(codec, _)| codec.is_voice())
    }

    /// The other side's formats that we speak too, in its order, which says its preference (RFC 3264 §6.1).
    fn formats(&self, media: &Media) -> impl Iterator<Item = (Codec, u8)> {
        let ours = |codec: &Codec| self.codecs.contains(codec);
        media.formats.iter().filter_map(move |format| {
            format
                .codec
                .filter(ours)
                .map(|codec| (codec, format.payload_type))
        })
    }

    fn target(
        &self,
        theirs: &Description,
        media: &Media,
        ours: Direction,
    ) -> Result<MediaTarget, NotAgreed> {
        let (codec, payload_type) = self.voice(media).ok_or_else(|| no_common(theirs))?;
        let address = theirs.address_of(media).ok_or(NotAgreed::NoAddress)?;
        let event = self
            .formats(media)
            .find(|(codec, _)| *codec == Codec::TelephoneEvent);
        Ok(MediaTarget {
            remote: SocketAddr::new(address, media.port),
            rtcp: rtcp_address(address, media),
            codec,
            payload_type,
            telephone_event: event.map(|(_, payload_type)| payload_type),
            direction: ours.within(theirs.direction_of(media).reversed()),
            ptime_ms: media
                .ptime_ms
                .filter(|ms| (1..=200).contains(ms))
                .unwrap_or(20),
        })
    }

    fn accepted(&self, media: &Media, target: &MediaTarget) -> String {
        let mut lines = vec![(target.codec, target.payload_type)];
        lines.extend(
            target
                .telephone_event
                .map(|payload_type| (Codec::TelephoneEvent, payload_type)),
        );
        audio_line(self.addr.port(), &media.protocol, &lines, target.direction)
    }

    /// Puts the session's lines before `body` and raises the version if `body` says anything new.
    fn say(&mut self, body: String) -> String {
        let version = match &self.said {
            None => 1,
            Some(said) if said.body == body => said.version,
            Some(said) => said.version.saturating_add(1),
        };
        let family = if self.addr.is_ipv6() { "IP6" } else { "IP4" };
        let (id, ip) = (self.session_id, self.addr.ip());
        let sdp = format!(
            "v=0\r\no=housecall {id} {version} IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\n{body}"
        );
        self.said = Some(Said { version, body });
        sdp
    }
}

fn first_audio(description: &Description) -> Result<&Media, NotAgreed> {
    let media_lines = description.media.len();
    description
        .media
        .iter()
        .find(|media| media.is_live_audio())
        .ok_or(NotAgreed::NoAudio { media_lines })
}

fn no_common(theirs: &Description) -> NotAgreed {
    match first_audio(theirs) {
        Ok(media) => NotAgreed::NoCommonCodec {
            offered: media.format_list.clone(),
        },
        Err(no_audio) => no_audio,
    }
}

fn rtcp_address(address: IpAddr, media: &Media) -> Option<SocketAddr> {
    match media.rtcp {
        Some((port, at)) => Some(SocketAddr::new(at.unwrap_or(address), port)),
        None => media
            .port
            .checked_add(1)
            .map(|port| SocketAddr::new(address, port)),
    }
}

fn audio_line(port: u16, protocol: &str, lines: &[(Codec, u8)], direction: Direction) -> String {
    let numbers: Vec<String> = lines
        .iter()
        .map(|(_, payload_type)| payload_type.to_string())
        .collect();
    let mut out = format!("m=audio {port} {protocol} {}\r\n", numbers.join(" "));
    for (codec, payload_type) in lines {
        // Writing to a String cannot fail.
        let _ = write!(out, "a=rtpmap:{payload_type} {}\r\n", codec.rtpmap());
        if *codec == Codec::TelephoneEvent {
            // RFC 4733 §2.4.1: the sixteen keys.
            let _ = write!(out, "a=fmtp:{payload_type} 0-15\r\n");
        }
    }
    let _ = write!(out, "a=ptime:20\r\na={direction}\r\n");
    out
}

/// RFC 3264 §6: a refused line keeps its kind, transport and formats, with port 0.
fn refused(media: &Media) -> String {
    let kind = match &media.kind {
        super::MediaKind::Audio => "audio",
        super::MediaKind::Other(kind) => kind,
    };
    format!("m={kind} 0 {} {}\r\n", media.protocol, media.format_list)
}
