use rtc::peer_connection::configuration::media_engine::{
    MIME_TYPE_OPUS, MIME_TYPE_PCMA, MIME_TYPE_PCMU, MIME_TYPE_RTX, MIME_TYPE_TELEPHONE_EVENT,
    MIME_TYPE_VP8, MediaEngine,
};
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpHeaderExtensionCapability, RtpCodecKind,
};
use rtc::sdp::extmap::AUDIO_LEVEL_URI;
use rtc::shared::error::Error;

use crate::VoiceCodec;
use crate::offer::Codecs;
use crate::voice::Voice;

/// What we can answer with, under the payload types that the browser chose: both directions then use one numbering.
pub(super) fn media_engine(codecs: &Codecs) -> Result<MediaEngine, Error> {
    let mut media = MediaEngine::default();
    let Voice {
        codec,
        payload_type,
    } = codecs.voice;
    register(&mut media, voice(codec), payload_type, RtpCodecKind::Audio)?;
    if let Some(payload_type) = codecs.telephone_event {
        register(
            &mut media,
            telephone_event(codec.clock_rate()),
            payload_type,
            RtpCodecKind::Audio,
        )?;
    }
    if let Some((vp8_type, rtx_type)) = codecs.vp8 {
        register(&mut media, vp8(), vp8_type, RtpCodecKind::Video)?;
        if let Some(rtx_type) = rtx_type {
            register(&mut media, rtx(vp8_type), rtx_type, RtpCodecKind::Video)?;
        }
    }
    Ok(media)
}

/// RFC 6464: the browser says how loud each packet is, so that nobody must decode to know who speaks.
pub(super) fn register_audio_level(media: &mut MediaEngine) -> Result<(), Error> {
    let uri = AUDIO_LEVEL_URI.to_owned();
    media.register_header_extension(
        RTCRtpHeaderExtensionCapability { uri },
        RtpCodecKind::Audio,
        None,
    )
}

pub(super) fn voice(codec: VoiceCodec) -> RTCRtpCodec {
    let (mime_type, channels, parameters) = match codec {
        VoiceCodec::Opus => (MIME_TYPE_OPUS, 2, "minptime=10;useinbandfec=1"),
        VoiceCodec::Pcmu => (MIME_TYPE_PCMU, 1, ""),
        VoiceCodec::Pcma => (MIME_TYPE_PCMA, 1, ""),
    };
    RTCRtpCodec {
        mime_type: mime_type.to_owned(),
        clock_rate: codec.clock_rate(),
        channels,
        sdp_fmtp_line: parameters.to_owned(),
        rtcp_feedback: vec![],
    }
}

pub(super) fn vp8() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_VP8.to_owned(),
        clock_rate: 90_000,
        channels: 0,
        sdp_fmtp_line: String::new(),
        rtcp_feedback: vec![
            feedback("ccm", "fir"),
            feedback("nack", ""),
            feedback("nack", "pli"),
        ],
    }
}

fn telephone_event(clock_rate: u32) -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_TELEPHONE_EVENT.to_owned(),
        clock_rate,
        channels: 0,
        sdp_fmtp_line: String::new(),
        rtcp_feedback: vec![],
    }
}

fn rtx(repaired: u8) -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_RTX.to_owned(),
        clock_rate: 90_000,
        channels: 0,
        sdp_fmtp_line: format!("apt={repaired}"),
        rtcp_feedback: vec![],
    }
}

fn feedback(kind: &str, parameter: &str) -> RTCPFeedback {
    RTCPFeedback {
        typ: kind.to_owned(),
        parameter: parameter.to_owned(),
    }
}

fn register(
    media: &mut MediaEngine,
    rtp_codec: RTCRtpCodec,
    payload_type: u8,
    kind: RtpCodecKind,
) -> Result<(), Error> {
    media.register_codec(
        RTCRtpCodecParameters {
            rtp_codec,
            payload_type,
        },
        kind,
    )
}
