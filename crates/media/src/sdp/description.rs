use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{BadCrypto, Codec, Crypto, Direction, OpusParameters};

/// What one side wrote about its media: as much of SDP as one audio call needs.
///
/// Lines that are not understood are passed over. Addresses that are host names are kept out: a [`Media`] without a numeric
/// address cannot be agreed upon.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Description {
    /// The `o=` line.
    pub origin: Origin,
    /// The session's `c=` address; a media line's own goes before it.
    pub connection: Option<IpAddr>,
    /// The direction said at session level.
    pub direction: Option<Direction>,
    /// The `m=` lines in their order, which an answer must keep (RFC 3264 §6).
    pub media: Vec<Media>,
}

/// The `o=` line: who made the description, and its version.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Origin {
    /// The session's number, as it was written.
    pub session_id: String,
    /// The version, as it was written; unchanged means that nothing changed (RFC 3264 §8).
    pub session_version: String,
}

/// What kind of media an `m=` line is about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum MediaKind {
    /// `audio`
    Audio,
    /// Anything else, as it was written.
    Other(String),
}

/// One payload type of an `m=` line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Format {
    /// The number on the wire, 0 to 127.
    pub payload_type: u8,
    /// What it is, where we understand it.
    pub codec: Option<Codec>,
    /// What its `a=fmtp` says, if it is Opus.
    pub opus: OpusParameters,
}

/// One `m=` line and the attributes below it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Media {
    /// Its kind.
    pub kind: MediaKind,
    /// Where RTP is wanted; 0 is a line refused or switched off.
    pub port: u16,
    /// The transport, such as `RTP/AVP`.
    pub protocol: String,
    /// The formats as they were written, kept to refuse the line with (RFC 3264 §6).
    pub format_list: String,
    /// The RTP payload types in their order of preference.
    pub formats: Vec<Format>,
    /// Its own `c=` address.
    pub connection: Option<IpAddr>,
    /// Its own direction.
    pub direction: Option<Direction>,
    /// The packet length asked for, in milliseconds (`a=ptime`).
    pub ptime_ms: Option<u16>,
    /// The longest packet that can be taken, in milliseconds (`a=maxptime`).
    pub maxptime_ms: Option<u16>,
    /// The port, and perhaps the address, of `a=rtcp` (RFC 3605).
    pub rtcp: Option<(u16, Option<IpAddr>)>,
    /// The keys for SRTP in their order of preference (RFC 4568 §5.1.1), with those that cannot be used.
    pub crypto: Vec<Result<Crypto, BadCrypto>>,
}

/// Why bytes are no session description. All of it is the other side's doing.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// More bytes than the cap.
    #[error("description of {bytes} bytes, cap {cap}")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The cap.
        cap: usize,
    },
    /// More lines than the cap.
    #[error("more than {cap} lines")]
    TooManyLines {
        /// The cap.
        cap: usize,
    },
    /// More `m=` lines than the cap.
    #[error("more than {cap} media lines")]
    TooManyMedia {
        /// The cap.
        cap: usize,
    },
    /// More payload types in one `m=` line than the cap.
    #[error("more than {cap} formats in line {line}")]
    TooManyFormats {
        /// The line, from 1.
        line: usize,
        /// The cap.
        cap: usize,
    },
    /// The first line is not `v=0`.
    #[error("no v=0 in the first line")]
    NoVersion,
    /// A line is not of the form `x=value`, or its value cannot be read.
    #[error("line {line} is malformed")]
    Malformed {
        /// The line, from 1.
        line: usize,
    },
}

impl Description {
    /// Bytes that are read at most.
    pub const BYTES_MAX: usize = 64 * 1024;
    /// Lines that are read at most.
    pub const LINES_MAX: usize = 1_000;
    /// Media lines that are read at most.
    pub const MEDIA_MAX: usize = 16;
    /// Formats in one media line at most.
    pub const FORMATS_MAX: usize = 64;

    /// Reads a description. Lines end with CRLF or LF, the last with neither if it likes.
    ///
    /// # Errors
    /// See [`ParseError`]; unknown lines and attributes are not errors.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        if bytes.len() > Self::BYTES_MAX {
            return Err(ParseError::TooLong {
                bytes: bytes.len(),
                cap: Self::BYTES_MAX,
            });
        }
        // RFC 8866 §4.5: text may be in any charset; what we use of it is ASCII.
        let text = String::from_utf8_lossy(bytes);
        let mut reader = Reader::default();
        for (index, line) in text.lines().enumerate() {
            reader.line(index + 1, line.trim_end_matches('\r'))?;
        }
        reader.finish()
    }

    /// The address that a media line's sound goes to: its own, else the session's.
    pub fn address_of(&self, media: &Media) -> Option<IpAddr> {
        media.connection.or(self.connection)
    }

    /// The direction of a media line as its writer means it: its own, else the session's, else both ways.
    ///
    /// The address `0.0.0.0` says "send me nothing", which is how hold was asked for before directions (RFC 3264 §8.4).
    pub fn direction_of(&self, media: &Media) -> Direction {
        let said = media.direction.or(self.direction).unwrap_or_default();
        let old_hold = self
            .address_of(media)
            .is_some_and(|address| address.is_unspecified());
        Direction::new(said.sends(), said.receives() && !old_hold)
    }
}

impl Media {
    /// Keys that are read in one media line at most.
    pub const CRYPTO_MAX: usize = 16;

    /// Whether it is RTP audio that is switched on, plain or secured by keys in the description.
    pub fn is_live_audio(&self) -> bool {
        self.kind == MediaKind::Audio && self.port != 0 && (self.is_plain() || self.is_secure())
    }

    /// Whether it is RTP without protection.
    pub fn is_plain(&self) -> bool {
        matches!(self.protocol.as_str(), "RTP/AVP" | "RTP/AVPF")
    }

    /// Whether it is SRTP with keys in the description. (That of DTLS is called `UDP/TLS/RTP/SAVP`.)
    pub fn is_secure(&self) -> bool {
        matches!(self.protocol.as_str(), "RTP/SAVP" | "RTP/SAVPF")
    }

    fn parse(line: usize, value: &str) -> Result<Self, ParseError> {
        let mut words = value.split_ascii_whitespace();
        let (Some(kind), Some(port), Some(protocol)) = (words.next(), words.next(), words.next())
        else {
            return Err(ParseError::Malformed { line });
        };
        let port = port.split('/').next().and_then(|port| port.parse().ok());
        let list: Vec<&str> = words.collect();
        if list.len() > Description::FORMATS_MAX {
            return Err(ParseError::TooManyFormats {
                line,
                cap: Description::FORMATS_MAX,
            });
        }
        Ok(Self {
            kind: if kind == "audio" {
                MediaKind::Audio
            } else {
                MediaKind::Other(kind.to_owned())
            },
            port: port.ok_or(ParseError::Malformed { line })?,
            protocol: protocol.to_owned(),
            format_list: list.join(" "),
            formats: list.iter().filter_map(|word| Format::parse(word)).collect(),
            connection: None,
            direction: None,
            ptime_ms: None,
            maxptime_ms: None,
            rtcp: None,
            crypto: Vec::new(),
        })
    }

    fn attribute(&mut self, name: &str, value: &str) {
        match name {
            "rtpmap" => self.rtpmap(value),
            "fmtp" => self.fmtp(value),
            "ptime" => self.ptime_ms = milliseconds(value),
            "maxptime" => self.maxptime_ms = milliseconds(value),
            "rtcp" => self.rtcp = rtcp_attribute(value),
            "crypto" => self.crypto(value),
            _ => self.direction = Direction::of_attribute(name).or(self.direction),
        }
    }

    fn crypto(&mut self, value: &str) {
        let cap = Self::CRYPTO_MAX;
        let read = match self.crypto.len() {
            len if len > cap => return,
            len if len == cap => Err(BadCrypto::TooManyLines { cap }),
            _ => Crypto::parse(value),
        };
        let tags = self.crypto.iter().flatten().map(|crypto| crypto.tag);
        let twice = read.as_ref().ok().map(|crypto| crypto.tag);
        let twice = twice.filter(|tag| tags.into_iter().any(|other| other == *tag));
        self.crypto.push(match twice {
            Some(tag) => Err(BadCrypto::TagTwice { tag }),
            None => read,
        });
    }

    fn rtpmap(&mut self, value: &str) {
        for (format, encoding) in self.formats_of(value) {
            format.codec = Codec::of_rtpmap(encoding);
        }
    }

    fn fmtp(&mut self, value: &str) {
        for (format, parameters) in self.formats_of(value) {
            format.opus = OpusParameters::parse(parameters);
        }
    }

    /// The formats that a value such as `111 minptime=10` is about, each with what it says.
    fn formats_of<'a>(&mut self, value: &'a str) -> impl Iterator<Item = (&mut Format, &'a str)> {
        let (number, rest) = value.trim().split_once(' ').unwrap_or_default();
        let number = number.parse::<u8>().ok();
        let formats = self.formats.iter_mut();
        formats
            .filter(move |format| Some(format.payload_type) == number)
            .map(move |format| (format, rest))
    }
}

impl Format {
    fn parse(word: &str) -> Option<Self> {
        let payload_type: u8 = word.parse().ok().filter(|number| *number < 128)?;
        Some(Self {
            payload_type,
            codec: Codec::of_static_payload_type(payload_type),
            opus: OpusParameters::default(),
        })
    }
}

/// Gathers the lines of one description.
#[derive(Default)]
struct Reader {
    begun: bool,
    origin: Origin,
    connection: Option<IpAddr>,
    direction: Option<Direction>,
    media: Vec<Media>,
}

impl Reader {
    fn line(&mut self, number: usize, line: &str) -> Result<(), ParseError> {
        if number > Description::LINES_MAX {
            return Err(ParseError::TooManyLines {
                cap: Description::LINES_MAX,
            });
        }
        if !self.begun {
            self.begun = line.trim_end() == "v=0";
            return if self.begun {
                Ok(())
            } else {
                Err(ParseError::NoVersion)
            };
        }
        // Some senders end with an empty line.
        if line.trim().is_empty() {
            return Ok(());
        }
        let (kind, value) = line
            .split_once('=')
            .ok_or(ParseError::Malformed { line: number })?;
        self.field(number, kind, value)
    }

    fn field(&mut self, line: usize, kind: &str, value: &str) -> Result<(), ParseError> {
        match kind {
            "o" => self.origin = Origin::parse(value).ok_or(ParseError::Malformed { line })?,
            "c" => self.connection(value),
            "m" => self.begin_media(Media::parse(line, value)?)?,
            "a" => {
                let (name, value) = value.split_once(':').unwrap_or((value, ""));
                self.attribute(name.trim(), value);
            }
            _ => {}
        }
        Ok(())
    }

    fn begin_media(&mut self, media: Media) -> Result<(), ParseError> {
        if self.media.len() >= Description::MEDIA_MAX {
            return Err(ParseError::TooManyMedia {
                cap: Description::MEDIA_MAX,
            });
        }
        self.media.push(media);
        Ok(())
    }

    fn connection(&mut self, value: &str) {
        let place = match self.media.last_mut() {
            Some(media) => &mut media.connection,
            None => &mut self.connection,
        };
        *place = place.or_else(|| address(value));
    }

    fn attribute(&mut self, name: &str, value: &str) {
        match self.media.last_mut() {
            Some(media) => media.attribute(name, value),
            None => self.direction = Direction::of_attribute(name).or(self.direction),
        }
    }

    fn finish(self) -> Result<Description, ParseError> {
        if !self.begun {
            return Err(ParseError::NoVersion);
        }
        let Self {
            origin,
            connection,
            direction,
            media,
            ..
        } = self;
        Ok(Description {
            origin,
            connection,
            direction,
            media,
        })
    }
}

impl Origin {
    fn parse(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace().skip(1);
        Some(Self {
            session_id: words.next()?.to_owned(),
            session_version: words.next()?.to_owned(),
        })
    }
}

/// The address of `IN IP4 192.0.2.1/127` or `IN IP6 2001:db8::1`; none for a host name.
fn address(value: &str) -> Option<IpAddr> {
    let mut words = value.split_ascii_whitespace();
    if !words.next()?.eq_ignore_ascii_case("IN") {
        return None;
    }
    let family = words.next()?;
    let text = words.next()?.split('/').next()?;
    if family.eq_ignore_ascii_case("IP4") {
        text.parse::<Ipv4Addr>().ok().map(IpAddr::V4)
    } else {
        text.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
    }
}

/// `20` or `20.5`, which is told off as 20 (RFC 8866 §6.4); none for anything else.
fn milliseconds(value: &str) -> Option<u16> {
    let whole = value.trim().split('.').next()?;
    whole.parse().ok()
}

/// `53020` or `53020 IN IP4 192.0.2.1` (RFC 3605 §2.1).
fn rtcp_attribute(value: &str) -> Option<(u16, Option<IpAddr>)> {
    let value = value.trim();
    let (port, rest) = value.split_once(' ').unwrap_or((value, ""));
    Some((port.parse().ok()?, address(rest)))
}
