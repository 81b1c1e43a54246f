use std::collections::VecDeque;

use super::TelephoneEvent;
use crate::Key;

/// Hears keys in telephone-event packets: each press once, whichever of its packets arrive and in whatever order.
///
/// An event is known by its RTP timestamp, which all of its packets share; the marker bit is lost with its packet.
#[derive(Clone, Debug, Default)]
pub struct KeyListener {
    heard: VecDeque<u32>,
}

impl KeyListener {
    /// Presses remembered, so that a late packet of one is not taken for another.
    const REMEMBERED: usize = 16;

    /// Reads a packet. Returns the key when it is the first that arrived of its press.
    pub fn packet(&mut self, timestamp: u32, payload: &[u8]) -> Option<Key> {
        let key = TelephoneEvent::parse(payload)?.key()?;
        if self.heard.contains(&timestamp) {
            return None;
        }
        if self.heard.len() >= Self::REMEMBERED {
            self.heard.pop_front();
        }
        self.heard.push_back(timestamp);
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::super::KeySender;
    use super::*;
    use crate::rtp::{RtpPacket, RtpSender};
    use bytes::Bytes;

    const DIALLED: &str = "0123456789*#AABBCD00";

    /// The packets of all keys as they leave, voice between them left out.
    fn packets() -> Vec<RtpPacket> {
        let (mut keys, mut rtp) = (KeySender::default(), RtpSender::new(1));
        for name in DIALLED.chars() {
            keys.press(Key::new(name).unwrap()).unwrap();
        }
        let (mut packets, mut began) = (Vec::new(), 0);
        for _ in 0..DIALLED.len() * 12 {
            if let Some(event) = keys.tick() {
                began = if event.first { rtp.timestamp() } else { began };
                packets.push(rtp.packet_at(began, 101, event.first, event.payload));
            }
            rtp.advance(160);
        }
        packets
    }

    fn hear(packets: &[RtpPacket]) -> String {
        let mut listener = KeyListener::default();
        let keys = packets
            .iter()
            .filter_map(|packet| listener.packet(packet.timestamp, &packet.payload));
        keys.map(Key::name).collect()
    }

    #[test]
    fn every_press_is_heard_once() {
        assert_eq!(hear(&packets()), DIALLED);
    }

    #[test]
    fn loss_of_seven_in_eight_and_duplicates_change_nothing() {
        for kept in 0..8 {
            let left: Vec<_> = packets()
                .into_iter()
                .enumerate()
                .filter(|(n, _)| n % 8 == kept)
                .map(|(_, p)| p)
                .collect();
            let twice: Vec<_> = left
                .iter()
                .flat_map(|packet| [packet.clone(), packet.clone()])
                .collect();
            assert_eq!(hear(&twice), DIALLED, "only packet {kept} of each press");
        }
    }

    #[test]
    fn disorder_within_three_packets_changes_nothing() {
        for seed in 0..200_u32 {
            let mut packets = packets();
            let mut state = seed;
            for n in 0..packets.len() - 3 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                packets.swap(n, n + (state >> 30) as usize);
            }
            let mut expected: Vec<char> = DIALLED.chars().collect();
            let mut heard: Vec<char> = hear(&packets).chars().collect();
            expected.sort_unstable();
            heard.sort_unstable();
            assert_eq!(heard, expected, "seed {seed}");
        }
    }

    #[test]
    fn what_is_no_key_is_not_heard() {
        let mut listener = KeyListener::default();
        assert_eq!(listener.packet(1, &[36, 0, 0, 160]), None);
        assert_eq!(listener.packet(1, &Bytes::new()), None);
        assert_eq!(listener.packet(1, &[3, 0, 0, 160]), Key::new('3'));
    }
}
