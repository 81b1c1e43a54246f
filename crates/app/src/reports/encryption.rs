//! How a call was protected on the way to the telephone network, in words.

use housecall::Encryption;

/// A word for a column.
pub(super) fn word(encryption: Encryption) -> &'static str {
    match encryption {
        Encryption::None => "Not encrypted",
        Encryption::KeysInClear => "Encrypted, keys in the clear",
        Encryption::Full => "Encrypted",
    }
}

/// What that is worth.
pub(super) fn meaning(encryption: Encryption) -> &'static str {
    match encryption {
        Encryption::None => "Whoever was on the way to the phone provider could listen in.",
        Encryption::KeysInClear => {
            "The sound was encrypted as far as the phone provider, and its keys went there in signalling that was not: whoever could read \
             that could listen in. Signalling over TLS protects them."
        }
        Encryption::Full => {
            "As far as the phone provider, keys included. The phone network beyond carries sound in the clear, as it always has."
        }
    }
}
