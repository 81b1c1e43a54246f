use std::fmt;
use std::net::{IpAddr, SocketAddr};

use super::line::{audio_line, refused};
use super::media_target::{MediaTarget, asked_packet_ms, longest_packet_ms};
use super::{BadCrypto, Codec, Crypto, Description, Direction, Format, Media, crypto};
use crate::srtp::{SrtpKey, SrtpPair, SrtpSuite};

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
    srtp: Option<SrtpOffer>,
    /// What was agreed last, and is offered again, so that a hold keeps its keys.
    suite: SrtpSuite,
}

#[derive(Clone, Eq, PartialEq)]
struct Said {
    version: u64,
    /// With our key in it, so that it is not printed.
    body: String,
}

/// That a session is secured by SRTP, and by nothing less.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SrtpOffer {
    /// The key that we protect with, new in each call.
    pub local: SrtpKey,
}

/// Our answer to an offer, and what it agrees to. Printed without the description, which may hold a key.
#[derive(Clone, Eq, PartialEq)]
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
    /// No audio line is switched on, or none is RTP.
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
    /// We want SRTP, and the other side speaks plain RTP.
    #[error("the other side would leave the audio open")]
    Insecure,
    /// The other side wants SRTP, and we speak plain RTP.
    #[error("the other side wants the audio secured")]
    Secure,
    /// The other side's keys cannot be used.
    #[error("no usable key: {0}")]
    BadCrypto(#[from] BadCrypto),
}

impl AudioSession {
    /// Makes our half. `codecs` in order of preference; [`Codec::TelephoneEvent`] among them means that keys are named events, under the
    /// clock of each voice.
    ///
    /// `session_id` identifies the session for ever: a random number, or one derived from the time (RFC 8866 §5.2).
    pub fn new(session_id: u64, addr: SocketAddr, codecs: &[Codec]) -> Self {
        Self {
            session_id,
            said: None,
            addr,
            codecs: codecs.to_vec(),
            srtp: None,
            suite: SrtpSuite::default(),
        }
    }

    /// Makes SRTP a condition: RTP/SAVP is offered with one key and no other transport, and plain RTP is neither taken nor answered with.
    #[must_use]
    pub fn with_srtp(mut self, offer: SrtpOffer) -> Self {
        self.srtp = Some(offer);
        self
    }

    /// Speaks plain RTP from now on: what a caller that only prefers SRTP does after a refusal. Offer again.
    #[must_use]
    pub fn without_srtp(mut self) -> Self {
        self.srtp = None;
        self
    }

    /// Whether SRTP is a condition.
    pub fn is_secure(&self) -> bool {
        self.srtp.is_some()
    }

    /// Our address for RTP.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Writes an offer: the first one, or one of a re-INVITE (hold offers [`Direction::SendOnly`], RFC 3264 §8.4).
    pub fn offer(&mut self, direction: Direction) -> String {
        let lines: Vec<(Codec, u8)> = self
            .spoken()
            .map(|codec| (codec, codec.payload_type()))
            .collect();
        let protocol = if self.is_secure() {
            "RTP/SAVP"
        } else {
            "RTP/AVP"
        };
        let mut body = audio_line(self.addr.port(), protocol, &lines, direction);
        if let Some(srtp) = &self.srtp {
            body += &crypto::line(OFFERED_TAG, self.suite, &srtp.local);
        }
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
        let crypto = self.answered_crypto(media)?;
        self.target(answer, media, crypto, offered)
    }

    /// Answers an offer of the other side, wanting `ours`. Every `m=` line is answered; all but one are refused with port 0.
    ///
    /// # Errors
    /// [`NotAgreed`]: owe the other side 488 (RFC 3261 §14.2) and keep what was agreed before.
    pub fn answer(&mut self, offer: &Description, ours: Direction) -> Result<Answer, NotAgreed> {
        let (chosen, crypto) = self.choose(offer)?;
        let target = self.target(offer, chosen, crypto, ours)?;
        let body: String = offer
            .media
            .iter()
            .map(|media| {
                if std::ptr::eq(media, chosen) {
                    self.accepted(media, crypto, &target)
                } else {
                    refused(media)
                }
            })
            .collect();
        self.suite = crypto.map_or(self.suite, |crypto| crypto.suite);
        Ok(Answer {
            sdp: self.say(body),
            target,
        })
    }

    /// The first live audio line in which both sides find a codec and, if the sound is to be secured, a key.
    fn choose<'a>(
        &self,
        offer: &'a Description,
    ) -> Result<(&'a Media, Option<&'a Crypto>), NotAgreed> {
        let mut why = None;
        for media in offer.media.iter().filter(|media| media.is_live_audio()) {
            match self.offered_crypto(media) {
                Ok(crypto) if self.voice(media).is_some() => return Ok((media, crypto)),
                Ok(_) => why = why.or_else(|| Some(no_common(media))),
                Err(error) => why = why.or(Some(error)),
            }
        }
        let media_lines = offer.media.len();
        Err(why.unwrap_or(NotAgreed::NoAudio { media_lines }))
    }

    /// The first key of an offered line that we can use (RFC 4568 §5.1.2); none for plain RTP.
    fn offered_crypto<'a>(&self, media: &'a Media) -> Result<Option<&'a Crypto>, NotAgreed> {
        if !self.wants_crypto(media)? {
            return Ok(None);
        }
        let mut lines = media.crypto.iter();
        let usable = lines.find_map(|line| line.as_ref().ok());
        usable.map(Some).ok_or_else(|| match media.crypto.first() {
            Some(Err(error)) => NotAgreed::BadCrypto(error.clone()),
            _ => NotAgreed::BadCrypto(BadCrypto::Missing),
        })
    }

    /// The key of an answered line, which is the only one and of the line that we offered (RFC 4568 §5.1.3); none for plain RTP.
    fn answered_crypto<'a>(&self, media: &'a Media) -> Result<Option<&'a Crypto>, NotAgreed> {
        if !self.wants_crypto(media)? {
            return Ok(None);
        }
        let wrong = match media.crypto.as_slice() {
            [Ok(crypto)] if (crypto.tag, crypto.suite) == (OFFERED_TAG, self.suite) => {
                return Ok(Some(crypto));
            }
            [] => BadCrypto::Missing,
            [Err(error)] => error.clone(),
            _ => BadCrypto::NotOffered,
        };
        Err(NotAgreed::BadCrypto(wrong))
    }

    /// Whether a line needs a key. What one side secures, the other must not leave open, nor the other way round.
    fn wants_crypto(&self, media: &Media) -> Result<bool, NotAgreed> {
        match (self.is_secure(), media.is_secure()) {
            (true, false) => Err(NotAgreed::Insecure),
            (false, true) => Err(NotAgreed::Secure),
            (ours, _) => Ok(ours),
        }
    }

    fn voice<'a>(&self, media: &'a Media) -> Option<(Codec, &'a Format)> {
        self.formats(media).find(|(codec, _)| codec.is_voice())
    }

    /// The other side's formats that we speak too, in its order, which says its preference (RFC 3264 §6.1).
    fn formats<'a>(&self, media: &'a Media) -> impl Iterator<Item = (Codec, &'a Format)> {
        let formats = media.formats.iter();
        let known = formats.filter_map(|format| Some((format.codec?, format)));
        known.filter(|(codec, _)| self.speaks(*codec))
    }

    /// What we speak: the voices in our order, then keys under each of their clocks (RFC 4733 §2.1), if keys are named events.
    fn spoken(&self) -> impl Iterator<Item = Codec> {
        let events = [Codec::TelephoneEvent, Codec::TelephoneEvent48];
        let voices = self.codecs.iter().copied().filter(|codec| codec.is_voice());
        voices.chain(events.into_iter().filter(|event| self.speaks(*event)))
    }

    fn speaks(&self, codec: Codec) -> bool {
        if codec.is_voice() {
            return self.codecs.contains(&codec);
        }
        let mut voices = self.codecs.iter().filter(|voice| voice.is_voice());
        self.codecs.iter().any(|codec| !codec.is_voice())
            && voices.any(|voice| voice.telephone_event() == codec)
    }

    fn target(
        &self,
        theirs: &Description,
        media: &Media,
        crypto: Option<&Crypto>,
        ours: Direction,
    ) -> Result<MediaTarget, NotAgreed> {
        let (codec, format) = self.voice(media).ok_or_else(|| no_common(media))?;
        let address = theirs.address_of(media).ok_or(NotAgreed::NoAddress)?;
        let mut formats = self.formats(media);
        let event = formats.find(|(other, _)| *other == codec.telephone_event());
        let maxptime_ms = longest_packet_ms(media);
        Ok(MediaTarget {
            remote: SocketAddr::new(address, media.port),
            rtcp: rtcp_address(address, media),
            codec,
            payload_type: format.payload_type,
            telephone_event: event.map(|(_, event)| event.payload_type),
            heard: self.heard(media),
            opus: format.opus,
            direction: ours.within(theirs.direction_of(media).reversed()),
            ptime_ms: codec.packet_ms(asked_packet_ms(media).min(maxptime_ms)),
            maxptime_ms,
            srtp: self.pair(crypto),
        })
    }

    /// The other side's numbers for what we speak, then ours for what it does not number: before its description arrives, or
    /// instead of what it says, it sends with those that we offered.
    fn heard(&self, media: &Media) -> Vec<(u8, Codec)> {
        let theirs = self
            .formats(media)
            .map(|(codec, format)| (format.payload_type, codec));
        let mut heard: Vec<(u8, Codec)> = theirs.collect();
        for codec in self.spoken() {
            let ours = codec.payload_type();
            let mut numbered = media.formats.iter().map(|format| format.payload_type);
            if !numbered.any(|number| number == ours) {
                heard.push((ours, codec));
            }
        }
        heard
    }

    fn pair(&self, crypto: Option<&Crypto>) -> Option<SrtpPair> {
        let (srtp, theirs) = self.srtp.as_ref().zip(crypto)?;
        Some(SrtpPair {
            suite: theirs.suite,
            ours: srtp.local.clone(),
            theirs: theirs.key.clone(),
        })
    }

    fn accepted(&self, media: &Media, crypto: Option<&Crypto>, target: &MediaTarget) -> String {
        let mut lines = vec![(target.codec, target.payload_type)];
        let event = target.codec.telephone_event();
        lines.extend(target.telephone_event.map(|number| (event, number)));
        let mut body = audio_line(self.addr.port(), &media.protocol, &lines, target.direction);
        if let Some((srtp, theirs)) = self.srtp.as_ref().zip(crypto) {
            body += &crypto::line(theirs.tag, theirs.suite, &srtp.local);
        }
        body
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

/// The number of the one key that we offer.
const OFFERED_TAG: u32 = 1;

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Said")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("target", &self.target)
            .finish_non_exhaustive()
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

fn no_common(media: &Media) -> NotAgreed {
    NotAgreed::NoCommonCodec {
        offered: media.format_list.clone(),
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
