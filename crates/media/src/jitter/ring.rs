use std::collections::VecDeque;

use bytes::Bytes;

use super::Content;

/// Packets that wait for their moment, in the order of their media time; bounded in number and in bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Ring {
    packets: VecDeque<Waiting>,
    bytes: usize,
}

/// A packet that waits, with numbers that never wrap.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) sequence: i64,
    pub(super) timestamp: i64,
    pub(super) ticks: u32,
    pub(super) content: Content,
    pub(super) payload: Bytes,
}

impl Waiting {
    /// The media time at which it is over.
    pub(super) fn end(&self) -> i64 {
        self.timestamp.saturating_add(i64::from(self.ticks))
    }
}

impl Ring {
    /// More than a second of 20 ms packets.
    pub(super) const PACKETS_MAX: usize = 64;
    /// More than 64 packets of 60 ms of G.711.
    pub(super) const BYTES_MAX: usize = 48 * 1024;

    /// Packets and bytes.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.packets.len(), self.bytes)
    }

    /// Puts a packet in its place; false if its place is taken.
    pub(super) fn insert(&mut self, packet: Waiting) -> bool {
        let at = self
            .packets
            .partition_point(|waiting| waiting.timestamp < packet.timestamp);
        if self
            .packets
            .get(at)
            .is_some_and(|waiting| waiting.timestamp == packet.timestamp)
        {
            return false;
        }
        self.bytes += packet.payload.len();
        self.packets.insert(at, packet);
        true
    }

    /// Takes out the oldest packet while there are too many.
    pub(super) fn overflow(&mut self) -> Option<Waiting> {
        let too_many = self.packets.len() > Self::PACKETS_MAX || self.bytes > Self::BYTES_MAX;
        if too_many { self.pop() } else { None }
    }

    pub(super) fn first(&self) -> Option<&Waiting> {
        self.packets.front()
    }

    pub(super) fn last(&self) -> Option<&Waiting> {
        self.packets.back()
    }

    pub(super) fn pop(&mut self) -> Option<Waiting> {
        let packet = self.packets.pop_front()?;
        self.bytes -= packet.payload.len();
        Some(packet)
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(timestamp: i64, bytes: usize) -> Waiting {
        Waiting {
            sequence: timestamp / 160,
            timestamp,
            ticks: 160,
            content: Content::Voice,
            payload: Bytes::from(vec![0; bytes]),
        }
    }

    #[test]
    fn packets_wait_in_order_and_once() {
        let mut ring = Ring::default();
        assert!(
            [320, 0, 160, 480]
                .iter()
                .all(|timestamp| ring.insert(packet(*timestamp, 1)))
        );
        assert!(!ring.insert(packet(160, 1)));
        assert_eq!(ring.last().unwrap().end(), 640);
        let order: Vec<i64> = std::iter::from_fn(|| ring.pop())
            .map(|packet| packet.timestamp)
            .collect();
        assert_eq!(order, [0, 160, 320, 480]);
        assert_eq!(ring.bytes, 0);
    }

    #[test]
    fn neither_many_nor_large_packets_fill_memory() {
        for bytes in [0, 10, 1_400, 65_000] {
            let (mut ring, mut dropped) = (Ring::default(), 0);
            for n in 0..200 {
                ring.insert(packet(n * 160, bytes));
                dropped += std::iter::from_fn(|| ring.overflow()).count();
                assert!(ring.packets.len() <= Ring::PACKETS_MAX && ring.bytes <= Ring::BYTES_MAX);
            }
            assert_eq!(ring.packets.len() + dropped, 200);
        }
    }
}
