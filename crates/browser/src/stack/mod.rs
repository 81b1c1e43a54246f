//! Setting up one `rtc` peer connection: what is negotiated and by which settings.

mod codecs;
mod incoming;
mod keyframes;
mod repair;
mod reports;
mod voice_rate;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use rtc::crypto::{RTCCryptoProvider, default_provider};
use rtc::dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc::ice::mdns::MulticastDnsMode;
use rtc::interceptor::{Registry, Slot};
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::RTCConfigurationBuilder;
use rtc::peer_connection::configuration::interceptor_registry::register_default_interceptors;
use rtc::peer_connection::configuration::media_engine::MediaEngine;
use rtc::peer_connection::configuration::setting_engine::{SettingEngine, SettingEngineBuilder};
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::peer_connection::transport::{
    CandidateConfig, CandidateHostConfig, RTCDtlsRole, RTCIceCandidate, RTCIceCandidateInit,
};
use rtc::peer_connection::{RTCPeerConnection, RTCPeerConnectionBuilder};
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
};
use rtc::rtp_transceiver::{RTCRtpSenderId, RTCRtpTransceiverDirection, RTCRtpTransceiverInit};
use rtc::sdp::extmap::AUDIO_LEVEL_URI;
use rtc::shared::error::Error;

use incoming::Incoming;
use keyframes::Keyframes;
use repair::Repair;
use reports::Reports;

use crate::channel::{Channel, Fingerprints, Stream};
use crate::offer::{Codecs, Offer};
use crate::{Down, Kind, OfferRefused, Options, Shape, SrtpProfile, VoiceCodec};

/// A peer connection that has answered, and what we must know about it.
pub(crate) struct Stack {
    pub(crate) connection: RTCPeerConnection,
    /// What carries the media of a call. A room's passes through the connection.
    pub(crate) channel: Option<Channel>,
    pub(crate) crypto: Arc<dyn RTCCryptoProvider>,
    pub(crate) tracks: Vec<DownTrack>,
    pub(crate) codecs: Codecs,
    /// The number of the audio-level extension, if it was negotiated.
    pub(crate) audio_level: Option<u8>,
    pub(crate) answer: String,
    pub(crate) ufrag: String,
    pub(crate) password: String,
}

/// A track from us to the browser, as negotiated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DownTrack {
    pub(crate) down: Down,
    pub(crate) sender: RTCRtpSenderId,
    pub(crate) ssrc: u32,
    pub(crate) payload_type: u8,
}

/// Our SSRCs need only be unlike within one connection; the keys differ between connections.
const SSRC_BASE: u32 = 0x4843_0000;
/// Both between FEC decoding (6000) and the NACK generator (7000), which must see what is repaired.
const REPAIR_SLOT: usize = 6400;
const KEYFRAMES_SLOT: usize = 6500;
const REPORTS_SLOT: usize = 6600;

impl Stack {
    pub(crate) fn answer(
        now: Instant,
        options: &Options,
        offer: &Offer,
    ) -> Result<Self, OfferRefused> {
        Self::build(now, options, offer).map_err(|error| OfferRefused::Malformed(error.to_string()))
    }

    fn build(now: Instant, options: &Options, offer: &Offer) -> Result<Self, Error> {
        let crypto = default_provider().map_err(|error| Error::Crypto(error.to_string()))?;
        let mut connection = connect(now, options, &offer.codecs, &crypto)?;
        let tracks = add_tracks(&mut connection, options.shape, &offer.codecs)?;
        connection
            .set_remote_description(now, RTCSessionDescription::offer(offer.text.clone())?)?;
        add_candidate(&mut connection, options.local)?;
        let answer = connection.create_answer(None)?;
        connection.set_local_description(now, answer)?;
        let answer = connection
            .local_description()
            .ok_or(Error::ErrNoRemoteDescription)?
            .sdp;
        let (channel, answer) = match options.shape {
            Shape::Call => {
                let (channel, answer) =
                    open_channel(now, options, offer, &crypto, &tracks, &answer)?;
                (Some(channel), answer)
            }
            Shape::Room => (None, answer),
        };
        let answer = voice_rate::ask(&answer, offer.codecs.voice, options.voice_rate);
        let ufrag = value_of(&answer, "a=ice-ufrag:")?;
        let password = value_of(&answer, "a=ice-pwd:")?;
        let audio_level = extension_id(&answer, AUDIO_LEVEL_URI);
        Ok(Self {
            connection,
            channel,
            crypto,
            tracks,
            codecs: offer.codecs,
            audio_level,
            answer,
            ufrag,
            password,
        })
    }
}

/// Opens the channel of a call, and puts its certificate's fingerprint into the answer.
fn open_channel(
    now: Instant,
    options: &Options,
    offer: &Offer,
    crypto: &Arc<dyn RTCCryptoProvider>,
    tracks: &[DownTrack],
    answer: &str,
) -> Result<(Channel, String), Error> {
    let offered = Fingerprints::of(&offer.text);
    let offered = offered.ok_or(Error::ErrUnsupportedFingerprintAlgorithm)?;
    let ours = tracks.first().map(|track| Stream {
        ssrc: track.ssrc,
        clock_rate: offer.codecs.voice.codec.clock_rate(),
    });
    let ours = ours.ok_or(Error::ErrNoRemoteDescription)?;
    let (channel, fingerprint) = Channel::new(now, crypto, options.profiles(), offered, ours)?;
    Ok((channel, with_fingerprint(answer, &fingerprint)))
}

/// Says in an answer whose certificate it is that the browser is going to see (RFC 8122 §5).
fn with_fingerprint(answer: &str, fingerprint: &str) -> String {
    let line = |line: &str| match line.starts_with("a=fingerprint:") {
        true => format!("a=fingerprint:sha-256 {fingerprint}\r\n"),
        false => format!("{line}\r\n"),
    };
    answer.lines().map(line).collect()
}

fn connect(
    now: Instant,
    options: &Options,
    codecs: &Codecs,
    crypto: &Arc<dyn RTCCryptoProvider>,
) -> Result<RTCPeerConnection, Error> {
    let mut media = codecs::media_engine(codecs)?;
    let registry = interceptors(options.shape, &mut media)?;
    codecs::register_audio_level(&mut media)?;
    RTCPeerConnectionBuilder::new()
        .with_configuration(RTCConfigurationBuilder::new().build())
        .with_setting_engine(settings(options, crypto))
        .with_media_engine(media)
        .with_interceptor_registry(registry)
        .build(now)
}

/// What each packet of a room passes. Those of a call are in its channel.
fn interceptors(shape: Shape, media: &mut MediaEngine) -> Result<Registry, Error> {
    match shape {
        Shape::Call => Ok(Registry::new()),
        Shape::Room => {
            let registry = Registry::new()
                .with(Slot::from(REPORTS_SLOT), Incoming::<Reports>::default())
                .with(Slot::from(REPAIR_SLOT), Incoming::<Repair>::default())
                .with(Slot::from(KEYFRAMES_SLOT), Incoming::<Keyframes>::default());
            register_default_interceptors(registry, media)
        }
    }
}

fn settings(options: &Options, crypto: &Arc<dyn RTCCryptoProvider>) -> SettingEngine {
    let timeouts = &options.timeouts;
    SettingEngineBuilder::new()
        .with_crypto_provider(Arc::clone(crypto))
        // The browser opens the handshake: it is the side behind a NAT.
        .with_answering_dtls_role(RTCDtlsRole::Server)
        .with_lite(options.lite)
        .with_include_loopback_candidate(true)
        // Otherwise remote `.local` names would send us asking the whole local network.
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        .with_srtp_protection_profiles(options.profiles())
        .with_ice_timeouts(Some(timeouts.disconnected), Some(timeouts.failed), Some(timeouts.keep_alive))
        .build()
}

impl Options {
    /// A room's voices are passed from browser to browser, so that all must speak the same.
    pub(crate) fn voices(&self) -> &[VoiceCodec] {
        match self.shape {
            Shape::Call => &self.voices,
            Shape::Room => &[VoiceCodec::Opus],
        }
    }

    fn profiles(&self) -> Vec<SrtpProtectionProfile> {
        self.srtp.iter().map(|profile| profile.number()).collect()
    }
}

impl SrtpProfile {
    fn number(self) -> SrtpProtectionProfile {
        match self {
            SrtpProfile::AeadAes128Gcm => SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm,
            SrtpProfile::Aes128CmSha1_80 => SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80,
        }
    }
}

/// Adds our tracks before the offer is read: it gives each `recvonly` m-line the first waiting track of its kind, so
/// the slots come out in order.
fn add_tracks(
    connection: &mut RTCPeerConnection,
    shape: Shape,
    codecs: &Codecs,
) -> Result<Vec<DownTrack>, Error> {
    let slots = if shape == Shape::Call { 0..1 } else { 0..3 };
    let mut tracks = Vec::new();
    for slot in slots {
        tracks.push(add_track(
            connection,
            shape,
            Down {
                kind: Kind::Audio,
                slot,
            },
            codecs,
        )?);
        if codecs.vp8.is_some() {
            tracks.push(add_track(
                connection,
                shape,
                Down {
                    kind: Kind::Video,
                    slot,
                },
                codecs,
            )?);
        }
    }
    Ok(tracks)
}

fn add_track(
    connection: &mut RTCPeerConnection,
    shape: Shape,
    down: Down,
    codecs: &Codecs,
) -> Result<DownTrack, Error> {
    let (kind, name, bit) = match down.kind {
        Kind::Audio => (RtpCodecKind::Audio, "audio", 0),
        Kind::Video => (RtpCodecKind::Video, "video", 1),
    };
    let (codec, payload_type) = match (down.kind, codecs.vp8) {
        (Kind::Video, Some((vp8, _rtx))) => (codecs::vp8(), vp8),
        _ => (codecs::voice(codecs.voice.codec), codecs.voice.payload_type),
    };
    let ssrc = SSRC_BASE + u32::from(down.slot) * 2 + bit;
    let coding = RTCRtpCodingParameters {
        ssrc: Some(ssrc),
        ..Default::default()
    };
    let encoding = RTCRtpEncodingParameters {
        rtp_coding_parameters: coding,
        codec,
        ..Default::default()
    };
    // One stream a slot, so that the browser keeps its sound and picture together.
    let stream = format!("slot-{}", down.slot);
    let id = format!("{name}-{}", down.slot);
    let track = MediaStreamTrack::new(stream.clone(), id.clone(), id, kind, vec![encoding]);
    let direction = match shape {
        Shape::Call => RTCRtpTransceiverDirection::Sendrecv,
        Shape::Room => RTCRtpTransceiverDirection::Sendonly,
    };
    let init = RTCRtpTransceiverInit {
        direction,
        streams: vec![stream],
        send_encodings: vec![],
    };
    let transceiver = connection.add_transceiver_from_track(track, Some(init))?;
    Ok(DownTrack {
        down,
        sender: transceiver.into(),
        ssrc,
        payload_type,
    })
}

/// Our only candidate: the one socket that serves everybody.
fn add_candidate(connection: &mut RTCPeerConnection, local: SocketAddr) -> Result<(), Error> {
    let base_config = CandidateConfig {
        network: "udp".to_owned(),
        address: local.ip().to_string(),
        port: local.port(),
        component: 1,
        ..Default::default()
    };
    let candidate = CandidateHostConfig {
        base_config,
        ..Default::default()
    }
    .new_candidate_host()?;
    connection.add_local_candidate(RTCIceCandidate::from(&candidate).to_json()?)?;
    connection.add_local_candidate(RTCIceCandidateInit::default())
}

/// The number under which a header extension was answered (RFC 8285 §5): `a=extmap:3 urn:…` or `a=extmap:3/sendrecv urn:…`.
fn extension_id(answer: &str, uri: &str) -> Option<u8> {
    answer.lines().find_map(|line| {
        let (id, rest) = line.strip_prefix("a=extmap:")?.split_once(' ')?;
        let found = rest.split_whitespace().next() == Some(uri);
        let (number, _) = id.split_once('/').unwrap_or((id, ""));
        number.parse().ok().filter(|_| found)
    })
}

fn value_of(sdp: &str, prefix: &str) -> Result<String, Error> {
    sdp.lines()
        .find_map(|line| line.strip_prefix(prefix))
        .map(|value| value.trim().to_owned())
        .ok_or(Error::ErrNoRemoteDescription)
}
