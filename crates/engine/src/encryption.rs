use crate::sip::Transport;

/// How the sound between us and the telephone network is protected.
///
/// SRTP takes its keys from the session description (SDES), so it is worth as much as the SIP that carries it (RFC 4568 §7, §8.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Encryption {
    /// Not at all.
    None,
    /// By SRTP, and its keys went to the trunk over UDP or TCP: whoever reads those hears the call.
    KeysInClear,
    /// By SRTP, and its keys went to the trunk over TLS.
    Full,
}

impl Encryption {
    /// What holds on a trunk that is spoken to over `transport`.
    pub(crate) fn of(secured: bool, transport: Option<Transport>) -> Self {
        match (secured, transport) {
            (false, _) => Self::None,
            (true, Some(Transport::Tls)) => Self::Full,
            (true, _) => Self::KeysInClear,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 4568 §8.1.
    #[test]
    fn keys_are_worth_what_carries_them() {
        let over = |transport| Encryption::of(true, Some(transport));
        assert_eq!(over(Transport::Tls), Encryption::Full);
        assert_eq!(over(Transport::Udp), Encryption::KeysInClear);
        assert_eq!(over(Transport::Tcp), Encryption::KeysInClear);
        assert_eq!(Encryption::of(true, None), Encryption::KeysInClear);
        assert_eq!(
            Encryption::of(false, Some(Transport::Tls)),
            Encryption::None
        );
    }
}
