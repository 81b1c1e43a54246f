use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// A range of addresses: `192.0.2.0/24`, `2001:db8::/32`, or one address.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AddressRange {
    ip: IpAddr,
    bits: u8,
}

/// The text is no range of addresses.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{text:?} is no range of addresses: write 192.0.2.0/24, 2001:db8::/32 or one address")]
pub struct RangeError {
    text: String,
}

impl AddressRange {
    /// Whether `ip` lies in the range. An IPv4 address in IPv6 clothes is that IPv4 address (RFC 4291 §2.5.5.2).
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        match (self.ip, ip.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                let differing = ours.to_bits() ^ theirs.to_bits();
                differing.leading_zeros() >= u32::from(self.bits)
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                let differing = ours.to_bits() ^ theirs.to_bits();
                differing.leading_zeros() >= u32::from(self.bits)
            }
            _ => false,
        }
    }
}

impl From<IpAddr> for AddressRange {
    fn from(ip: IpAddr) -> Self {
        let ip = ip.to_canonical();
        let bits = bits_of(ip);
        Self { ip, bits }
    }
}

impl FromStr for AddressRange {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, RangeError> {
        let error = || RangeError {
            text: text.to_owned(),
        };
        let Some((ip, bits)) = text.split_once('/') else {
            return text.parse().map(IpAddr::into).map_err(|_| error());
        };
        let ip: IpAddr = ip.parse().map_err(|_| error())?;
        let bits: u8 = bits.parse().map_err(|_| error())?;
        if bits > bits_of(ip) {
            return Err(error());
        }
        Ok(Self { ip, bits })
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ip, self.bits)
    }
}

fn bits_of(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}

/// Whom limits are counted for: an IPv4 address, or the /64 of an IPv6 address, of which one host has as many as it likes.
pub(super) fn source(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64)),
        ip => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(range: &str, ip: &str) -> bool {
        let range: AddressRange = range.parse().unwrap();
        range.contains(ip.parse().unwrap())
    }

    #[test]
    fn a_range_ends_at_its_last_bit() {
        assert!(contains("54.172.60.0/30", "54.172.60.3"));
        assert!(!contains("54.172.60.0/30", "54.172.60.4"));
        assert!(contains("192.0.2.7", "192.0.2.7"));
        assert!(!contains("192.0.2.7", "192.0.2.6"));
        assert!(contains("0.0.0.0/0", "203.0.113.9"));
        assert!(contains("2001:db8::/33", "2001:db8:7fff::1"));
        assert!(!contains("2001:db8::/33", "2001:db8:8000::1"));
    }

    #[test]
    fn families_meet_only_in_mapped_addresses() {
        assert!(contains("192.0.2.0/24", "::ffff:192.0.2.9"));
        assert!(!contains("::/0", "192.0.2.9"));
        assert!(!contains("0.0.0.0/0", "2001:db8::1"));
    }

    #[test]
    fn what_is_no_range_is_refused_with_the_text() {
        for text in [
            "",
            "192.0.2.0/33",
            "::/129",
            "192.0.2.0/-1",
            "sip.example.com",
            "1.2.3.4/8/9",
        ] {
            let error = text.parse::<AddressRange>().unwrap_err();
            assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
        }
    }

    #[test]
    fn one_ipv6_host_is_one_source() {
        let of = |ip: &str| source(ip.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:2:ffff::"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.9"), of("192.0.2.9"));
        assert_ne!(of("192.0.2.9"), of("192.0.2.8"));
    }
}
