//! Certificates for the TLS ends of trunks.

use std::sync::LazyLock;

use housecall::sip::OwnCertificate;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

/// The name that trunks are configured by.
pub(crate) const NAME: &str = "carrier.test";

/// Who vouches for a certificate.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// The one that our telephones trust.
pub(crate) static TRUSTED: LazyLock<Authority> = LazyLock::new(|| Authority::new("trusted"));
/// One that nobody trusts.
pub(crate) static UNKNOWN: LazyLock<Authority> = LazyLock::new(|| Authority::new("unknown"));

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    pub(crate) fn root_pem(&self) -> Vec<u8> {
        self.0.pem().into_bytes()
    }

    pub(crate) fn certify(&self, name: &str) -> OwnCertificate {
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        OwnCertificate {
            chain_pem: certificate.pem().into_bytes(),
            key_pem: key.serialize_pem().into_bytes(),
        }
    }
}
