use std::collections::VecDeque;

use bytes::Bytes;

use super::TelephoneEvent;
use crate::{FRAME_SAMPLES, Key};

/// Presses keys, one after another, each heard exactly once by who follows RFC 4733.
///
/// Asked once every 20 ms. While it has a packet, that packet goes in place of the voice.
#[derive(Clone, Debug, Default)]
pub struct KeySender {
    waiting: VecDeque<Key>,
    state: State,
}

/// One packet of an event. All packets of one event carry the RTP timestamp of its first (RFC 4733 §2.1).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EventPacket {
    /// Whether it is the first of its event: it has the marker bit, and its RTP timestamp is the present one.
    pub first: bool,
    /// What follows the RTP header.
    pub payload: Bytes,
}

/// More keys wait than a person presses.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{waiting} keys wait already")]
pub struct TooManyKeys {
    /// How many wait.
    pub waiting: usize,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Idle,
    /// Packets sent of the event, its end included.
    Pressed { key: Key, packets: u16 },
    /// Frames of voice left before the next key.
    Gap { frames: u16 },
}

impl KeySender {
    /// Keys that may wait.
    pub const WAITING_MAX: usize = 64;
    /// Frames that a key lasts: 120 ms. Networks want 40 ms (ITU-T Q.24); slow answering machines want 100.
    const PRESSED_FRAMES: u16 = 6;
    /// RFC 4733 §2.5.1.4: the end is said three times.
    const ENDS: u16 = 3;
    /// Frames between two keys: 80 ms.
    const GAP_FRAMES: u16 = 4;
    /// The loudness told with the event: −10 dBm0.
    const VOLUME: u8 = 10;

    /// Presses a key once those before it are done.
    ///
    /// # Errors
    /// [`TooManyKeys`]: the key is not pressed.
    pub fn press(&mut self, key: Key) -> Result<(), TooManyKeys> {
        if self.waiting.len() >= Self::WAITING_MAX {
            return Err(TooManyKeys {
                waiting: self.waiting.len(),
            });
        }
        self.waiting.push_back(key);
        Ok(())
    }

    /// What to send in this frame; none means voice.
    pub fn tick(&mut self) -> Option<EventPacket> {
        match self.state {
            State::Idle => self.begin(),
            State::Pressed { key, packets } => Some(self.go_on(key, packets)),
            State::Gap { frames } => {
                self.state = if frames <= 1 {
                    State::Idle
                } else {
                    State::Gap { frames: frames - 1 }
                };
                None
            }
        }
    }

    fn begin(&mut self) -> Option<EventPacket> {
        let key = self.waiting.pop_front()?;
        self.state = State::Pressed { key, packets: 1 };
        Some(EventPacket {
            first: true,
            payload: payload(key, 1),
        })
    }

    fn go_on(&mut self, key: Key, packets: u16) -> EventPacket {
        let packets = packets + 1;
        self.state = if packets + 1 >= Self::PRESSED_FRAMES + Self::ENDS {
            State::Gap {
                frames: Self::GAP_FRAMES,
            }
        } else {
            State::Pressed { key, packets }
        };
        EventPacket {
            first: false,
            payload: payload(key, packets),
        }
    }
}

/// The `packets`-th payload: the duration grows until the end, then stays.
fn payload(key: Key, packets: u16) -> Bytes {
    let duration = packets.min(KeySender::PRESSED_FRAMES) * FRAME_SAMPLES as u16;
    let end = packets >= KeySender::PRESSED_FRAMES;
    TelephoneEvent {
        event: key.event(),
        end,
        volume: KeySender::VOLUME,
        duration,
    }
    .to_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_six_frames_with_its_end_said_three_times_then_a_gap() {
        let mut keys = KeySender::default();
        keys.press(Key::new('5').unwrap()).unwrap();
        keys.press(Key::new('#').unwrap()).unwrap();
        let heard: Vec<_> = (0..14).map(|_| keys.tick()).collect();
        let events: Vec<_> = heard
            .iter()
            .flatten()
            .map(|packet| TelephoneEvent::parse(&packet.payload).unwrap())
            .collect();
        let durations: Vec<_> = events.iter().map(|event| event.duration).collect();
        assert_eq!(
            durations,
            [160, 320, 480, 640, 800, 960, 960, 960, 160, 320]
        );
        assert_eq!(events.iter().filter(|event| event.end).count(), 3);
        assert!(heard[8..12].iter().all(Option::is_none));
        let firsts: Vec<_> = heard
            .iter()
            .map(|packet| packet.as_ref().is_some_and(|packet| packet.first))
            .collect();
        assert_eq!(firsts.iter().filter(|first| **first).count(), 2);
        assert!(firsts[0] && firsts[12]);
    }

    #[test]
    fn keys_wait_but_not_without_end() {
        let mut keys = KeySender::default();
        let one = Key::new('1').unwrap();
        for _ in 0..KeySender::WAITING_MAX {
            keys.press(one).unwrap();
        }
        assert_eq!(keys.press(one), Err(TooManyKeys { waiting: 64 }));
    }
}
