//! A certificate authority for one test.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};

use super::*;

pub(super) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub(super) fn new() -> Self {
        Self::named("root of a test")
    }

    pub(super) fn named(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let issuer = CertifiedIssuer::self_signed(params, key).unwrap();
        Self { issuer }
    }

    pub(super) fn root_pem(&self) -> Vec<u8> {
        self.issuer.pem().into_bytes()
    }

    pub(super) fn certify(&self, names: &[&str]) -> OwnCertificate {
        self.sign(names, |_| {})
    }

    pub(super) fn certify_expired(&self, names: &[&str]) -> OwnCertificate {
        self.sign(names, |params| {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 1, 1);
        })
    }

    fn sign(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> OwnCertificate {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        OwnCertificate {
            chain_pem: certificate.pem().into_bytes(),
            key_pem: key.serialize_pem().into_bytes(),
        }
    }

    /// Options of an end that trusts this authority and nobody else.
    pub(super) fn trusted(&self) -> SipOptions {
        let mut options = SipOptions::default();
        options.tls.public_roots = false;
        options.tls.roots_pem = self.root_pem();
        options
    }
}

/// Options of an end that shows `own`.
pub(super) fn shows(own: OwnCertificate) -> SipOptions {
    let mut options = SipOptions::default();
    options.tls.own = Some(own);
    options
}
