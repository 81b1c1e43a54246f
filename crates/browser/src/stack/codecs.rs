use rtc::peer_connection::configuration::media_engine::{
    MIME_TYPE_OPUS, MIME_TYPE_RTX, MIME_TYPE_TELEPHONE_EVENT, MIME_TYPE_VP8, MediaEngine,
};
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpHeaderExtensionCapability, RtpCodecKind,
};
use rtc::sdp::extmap::AUDIO_LEVEL_URI;
use rtc::shared::error::Error;

use crate::offer::Codecs;

/// What we can answer with, under the payload types that the browser chose: both directions then use one numbering.
pub(super) fn media_engine(codecs: &Codecs) -> Result<MediaEngine, Error> {
    let mut media = MediaEngine::default();
    register(&mut media, opus(), codecs.opus, RtpCodecKind::Audio)?;
    if let Some(payload_type) = codecs.telephone_event {
        register(
            &mut media,
            telephone_event(),
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

pub(super) fn opus() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_OPUS.to_owned(),
        clock_rate: 48_000,
        channels: 2,
        sdp_fmtp_line: "minptime=10;useinbandfec=1".to_owned(),
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

fn telephone_event() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_TELEPHONE_EVENT.to_owned(),
        clock_rate: 48_000,
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
