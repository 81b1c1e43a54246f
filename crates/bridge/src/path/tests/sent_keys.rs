use super::*;

/// The keys that left in named events, in order.
#[derive(Default)]
pub(super) struct SentKeys {
    pub(super) keys: Vec<SentKey>,
    /// Each takes the place of 20 ms of voice.
    pub(super) packets: u64,
}

pub(super) struct SentKey {
    /// All packets of an event share it (RFC 4733 §2.1).
    pub(super) timestamp: u32,
    pub(super) name: char,
    /// Whether any of its packets arrived.
    pub(super) arrived: bool,
}

impl SentKeys {
    pub(super) fn note(&mut self, packet: &RtpPacket, arrived: bool) {
        let Some(key) = TelephoneEvent::parse(&packet.payload).and_then(|event| event.key()) else {
            return;
        };
        self.packets += 1;
        match self.keys.last_mut() {
            Some(last) if last.timestamp == packet.timestamp => last.arrived |= arrived,
            _ => self.keys.push(SentKey {
                timestamp: packet.timestamp,
                name: key.name(),
                arrived,
            }),
        }
    }

    pub(super) fn all(&self) -> String {
        self.keys.iter().map(|key| key.name).collect()
    }

    pub(super) fn arrived(&self) -> String {
        let arrived = self.keys.iter().filter(|key| key.arrived);
        arrived.map(|key| key.name).collect()
    }
}
