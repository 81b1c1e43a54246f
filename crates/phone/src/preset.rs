use housecall_sip::Transport;
use housecall_sip::digest::Credentials;

use crate::{Asserted, Identity, NumberFormat, SrtpPolicy, Trunk};

/// Settings that fit a well-known provider, to begin with. Each is a starting point: whatever it sets can be set otherwise, and the
/// provider's own documentation of today goes before ours.
///
/// None knows a host name: the domain is the one that the provider gave you.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Preset {
    /// Twilio Elastic SIP Trunking. Numbers are E.164 with a plus sign, without `user=phone`. It knows us by an access list of addresses, by
    /// credentials, or by both. Over TLS the sound must be SRTP ("Secure Trunking" is all or nothing), otherwise it must not.
    Twilio,
    /// Telnyx. E.164 with a plus sign. It knows us by credentials, or by our address with a [prefix](Identity::prefix) or the header
    /// `X-Telnyx-Token` ([`Trunk::headers`]). Encryption is chosen for each connection, so SRTP is preferred over TLS, and off otherwise.
    Telnyx,
    /// Vonage. Digest or an access list; From and To in E.164, keys by RFC 4733.
    Vonage,
    /// Microsoft Teams direct routing. TLS only, and SRTP only. From and Contact must carry the name in our certificate, which Teams knows
    /// the tenant by: set it with [`Trunk::seen_as`]. Teams answers no INVITE until OPTIONS have gone through, refuses `sips:` and knows no
    /// Replaces; we use neither.
    Teams,
    /// A registrar that hands out accounts, as local providers and telephone systems do: From carries the account, and the number stands in
    /// P-Preferred-Identity, for the registrar to assert.
    Registrar,
}

impl Preset {
    /// Every preset.
    pub const ALL: [Self; 5] = [
        Self::Twilio,
        Self::Telnyx,
        Self::Vonage,
        Self::Teams,
        Self::Registrar,
    ];

    /// Its name in settings: `twilio`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Twilio => "twilio",
            Self::Telnyx => "telnyx",
            Self::Vonage => "vonage",
            Self::Teams => "teams",
            Self::Registrar => "registrar",
        }
    }

    /// The preset of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.name() == name)
    }

    /// A trunk with these settings, reached over `transport`.
    pub fn trunk(
        self,
        name: &str,
        domain: &str,
        transport: Transport,
        credentials: Option<Credentials>,
    ) -> Trunk {
        Trunk {
            identity: self.identity(credentials.as_ref()),
            srtp: self.srtp(transport),
            credentials,
            ..Trunk::new(name, domain)
        }
    }

    fn srtp(self, transport: Transport) -> SrtpPolicy {
        match (self, transport) {
            (Self::Teams, _) | (Self::Twilio, Transport::Tls) => SrtpPolicy::Required,
            (_, Transport::Tls) => SrtpPolicy::Preferred,
            // The keys would stand in a message that anybody on the way can read.
            (_, Transport::Udp | Transport::Tcp) => SrtpPolicy::Off,
        }
    }

    fn identity(self, credentials: Option<&Credentials>) -> Identity {
        let plain = Identity {
            user_is_phone: false,
            number_format: NumberFormat::E164Plus,
            ..Identity::default()
        };
        match self {
            Self::Twilio | Self::Telnyx | Self::Vonage => plain,
            Self::Teams => Identity::default(),
            Self::Registrar => Identity {
                from_user: credentials.map(|credentials| credentials.username.clone()),
                asserts: Asserted::PPreferred,
                ..plain
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Number;

    #[test]
    fn names_lead_back_to_presets() {
        for preset in Preset::ALL {
            assert_eq!(Preset::from_name(preset.name()), Some(preset));
        }
        assert_eq!(Preset::from_name("acme"), None);
    }

    #[test]
    fn a_registrar_sees_the_account_and_the_number_beside_it() {
        let credentials = Credentials::new("practice-7", "tide");
        let trunk = Preset::Registrar.trunk("Line", "reg.test", Transport::Udp, Some(credentials));
        let ours = Number::from_e164("+61255500142").unwrap();
        let from = trunk.from(&ours).unwrap().to_string();
        assert_eq!(from, "<sip:practice-7@reg.test>");
        let (name, value) = &trunk.asserted(&ours)[0];
        assert_eq!(name, "P-Preferred-Identity");
        assert_eq!(value, "<sip:+61255500142@reg.test>");
    }

    #[test]
    fn sound_is_encrypted_where_signalling_is() {
        let srtp = |preset: Preset, transport| preset.trunk("T", "t.test", transport, None).srtp;
        for preset in Preset::ALL {
            assert_ne!(srtp(preset, Transport::Tls), SrtpPolicy::Off, "{preset:?}");
        }
        assert_eq!(srtp(Preset::Twilio, Transport::Tls), SrtpPolicy::Required);
        assert_eq!(srtp(Preset::Twilio, Transport::Udp), SrtpPolicy::Off);
        assert_eq!(srtp(Preset::Teams, Transport::Tls), SrtpPolicy::Required);
    }

    #[test]
    fn teams_sees_our_name_in_from_and_contact() {
        let trunk = Preset::Teams.trunk("Teams", "teams.test", Transport::Tls, None);
        let trunk = trunk.seen_as("sbc.practice.test");
        let ours = Number::from_e164("+61255500142").unwrap();
        let from = trunk.from(&ours).unwrap();
        assert_eq!(from.uri.host(), "sbc.practice.test");
        assert_eq!(
            trunk.identity.contact_host.as_deref(),
            Some("sbc.practice.test")
        );
    }
}
