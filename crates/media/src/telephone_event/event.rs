use bytes::Bytes;

use crate::Key;

/// The payload of one telephone-event packet (RFC 4733 §2.3).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TelephoneEvent {
    /// The event's code; 0 to 15 are keys.
    pub event: u8,
    /// Whether the event is over.
    pub end: bool,
    /// How much quieter than full scale its tone was, in dB, 0 to 63.
    pub volume: u8,
    /// How long it has lasted, in ticks of the voice's clock.
    pub duration: u16,
}

impl TelephoneEvent {
    /// Reads a payload; none if it is shorter than four bytes.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let &[event, flags, high, low] = payload.first_chunk::<4>()?;
        Some(Self {
            event,
            end: flags & 0x80 != 0,
            volume: flags & 0x3f,
            duration: u16::from_be_bytes([high, low]),
        })
    }

    /// Prints the payload.
    pub fn to_bytes(self) -> Bytes {
        let flags = if self.end { 0x80 } else { 0 } | self.volume & 0x3f;
        let [high, low] = self.duration.to_be_bytes();
        Bytes::copy_from_slice(&[self.event, flags, high, low])
    }

    /// The key it is about, if it is one.
    pub fn key(self) -> Option<Key> {
        Key::from_event(self.event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc_reads_and_prints() {
        // The fields of RFC 4733 §2.3: digit 9, ended, 7 dB down, 1600 ticks.
        let bytes = [9, 0x87, 0x06, 0x40];
        let event = TelephoneEvent {
            event: 9,
            end: true,
            volume: 7,
            duration: 1_600,
        };
        assert_eq!(TelephoneEvent::parse(&bytes), Some(event));
        assert_eq!(event.to_bytes().as_ref(), bytes);
        assert_eq!(TelephoneEvent::parse(&bytes[..3]), None);
    }
}
