use bytes::{Bytes, BytesMut};
use rtc::crypto::RTCCryptoProvider;
use rtc::dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc::dtls::state::State;
use rtc::shared::error::Error;
use rtc::shared::marshal::Marshal;
use rtc::srtp::config::{Config, LABEL_EXTRACTOR_DTLS_SRTP};
use rtc::srtp::context::Context;
use rtc::srtp::option::{srtcp_replay_protection, srtp_replay_protection};
use rtc::srtp::protection_profile::ProtectionProfile;

/// The keys of both directions (RFC 5764 §4.2), each with what it remembers of its packets.
pub(super) struct Seals {
    theirs: Context,
    ours: Context,
}

impl Seals {
    /// Packets that may come this much out of order (RFC 3711 §3.3.2 asks for no less).
    const REPLAY_WINDOW: usize = 64;

    pub(super) fn of(state: &State, crypto: &dyn RTCCryptoProvider) -> Result<Self, Error> {
        let profile = profile(state.srtp_protection_profile())?;
        let mut config = Config {
            profile,
            ..Config::default()
        };
        let length = config.keying_material_len();
        let material = state.export_keying_material(LABEL_EXTRACTOR_DTLS_SRTP, &[], length)?;
        config.set_session_keys_from_keying_material(material.as_ref(), state.is_client())?;
        let keys = &config.keys;
        Ok(Self {
            theirs: Context::new(
                &keys.remote_master_key,
                &keys.remote_master_salt,
                profile,
                Some(srtp_replay_protection(Self::REPLAY_WINDOW)),
                Some(srtcp_replay_protection(Self::REPLAY_WINDOW)),
                crypto.crypto(),
            )?,
            ours: Context::new(
                &keys.local_master_key,
                &keys.local_master_salt,
                profile,
                None,
                None,
                crypto.crypto(),
            )?,
        })
    }

    pub(super) fn open_rtp(&mut self, sealed: &[u8]) -> Result<BytesMut, Error> {
        self.theirs.decrypt_rtp(sealed)
    }

    pub(super) fn open_rtcp(&mut self, sealed: &[u8]) -> Result<BytesMut, Error> {
        self.theirs.decrypt_rtcp(sealed)
    }

    pub(super) fn seal_rtp(&mut self, packet: &rtp::Packet) -> Result<Bytes, Error> {
        let plain = packet.marshal()?;
        let sealed = self.ours.encrypt_rtp_with_header(&plain, &packet.header)?;
        Ok(sealed.freeze())
    }

    pub(super) fn seal_rtcp(&mut self, plain: &[u8]) -> Result<Bytes, Error> {
        Ok(self.ours.encrypt_rtcp(plain)?.freeze())
    }
}

fn profile(agreed: SrtpProtectionProfile) -> Result<ProtectionProfile, Error> {
    match agreed {
        SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm => Ok(ProtectionProfile::AeadAes128Gcm),
        SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80 => {
            Ok(ProtectionProfile::Aes128CmHmacSha1_80)
        }
        // No other was offered by us: see `SrtpProfile`.
        _ => Err(Error::ErrNoSuchSrtpProfile),
    }
}
