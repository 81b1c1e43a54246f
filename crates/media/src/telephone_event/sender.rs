use std::collections::VecDeque;

use bytes::Bytes;

use super::TelephoneEvent;
use crate::{FRAME_MS, Key, SAMPLE_RATE};

/// Presses keys, one after another, each heard exactly once by who follows RFC 4733.
///
/// Asked once every 20 ms, however long the packets of the voice are. While it has a packet, that packet goes in place of the voice.
#[derive(Clone, Debug)]
pub struct KeySender {
    clock_rate: u32,
    waiting: VecDeque<Key>,
    state: State,
    /// For how many reports without loss the next keys are still long ones; none of them at 0.
    wary: u8,
}

impl Default for KeySender {
    /// Under the clock of the telephone, 8 kHz.
    fn default() -> Self {
        Self {
            clock_rate: SAMPLE_RATE,
            waiting: VecDeque::new(),
            state: State::default(),
            wary: 0,
        }
    }
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
    /// Packets sent of the event, its end included, and how many frames it lasts.
    Pressed { key: Key, packets: u16, frames: u16 },
    /// Frames of voice left before the next key.
    Gap { frames: u16 },
}

impl KeySender {
    /// Keys that may wait.
    pub const WAITING_MAX: usize = 64;
    /// Frames that a key lasts: 120 ms. Networks want 40 ms (ITU-T Q.24); slow answering machines want 100.
    const PRESSED_FRAMES: u16 = 6;
    /// The same while packets are lost: 400 ms. A key is known from any of its packets, so it is lost with all of them alone: of those that
    /// are said in 8 packets one in a hundred at a loss of 20 % in bursts of 3, of those in 22 one in twenty thousand. Who hears keys takes
    /// them for held down only after a second and more.
    const PRESSED_FRAMES_WARY: u16 = 20;
    /// From this part of packets on, of 256, packets are lost: 3 %.
    const LOSS_MIN: u8 = 8;
    /// Reports without loss after which all is well: half a minute.
    const CALM_REPORTS: u8 = 6;
    /// RFC 4733 §2.5.1.4: the end is said three times.
    const ENDS: u16 = 3;
    /// Frames between two keys: 80 ms.
    const GAP_FRAMES: u16 = 4;
    /// The loudness told with the event: −10 dBm0.
    const VOLUME: u8 = 10;

    /// Goes on under another clock (RFC 4733 §2.1: that of the voice). An event under way is over: its packets could not tell how long it
    /// has lasted, and its key has been heard.
    pub fn set_clock_rate(&mut self, clock_rate: u32) {
        if clock_rate == self.clock_rate {
            return;
        }
        self.clock_rate = clock_rate;
        if matches!(self.state, State::Pressed { .. }) {
            self.state = State::Gap {
                frames: Self::GAP_FRAMES,
            };
        }
    }

    /// Takes what a report says of the part of packets that are lost, of 256: while some are, the keys to come last longer.
    pub fn expect_loss(&mut self, fraction_lost: u8) {
        self.wary = match fraction_lost >= Self::LOSS_MIN {
            true => Self::CALM_REPORTS,
            false => self.wary.saturating_sub(1),
        };
    }

    /// Whether an event is under way, so that nothing else is to be sent.
    pub fn is_pressing(&self) -> bool {
        matches!(self.state, State::Pressed { .. })
    }

    /// Whether no key is being pressed, waits, or was let go just now, so that it need not be asked before there is another.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && matches!(self.state, State::Idle)
    }

    /// Forgets the keys that wait and the event under way.
    pub fn clear(&mut self) {
        self.waiting.clear();
        self.state = State::Idle;
    }

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
            State::Pressed {
                key,
                packets,
                frames,
            } => Some(self.go_on(key, packets, frames)),
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
        let frames = match self.wary {
            0 => Self::PRESSED_FRAMES,
            _ => Self::PRESSED_FRAMES_WARY,
        };
        self.state = State::Pressed {
            key,
            packets: 1,
            frames,
        };
        Some(EventPacket {
            first: true,
            payload: self.payload(key, 1, frames),
        })
    }

    fn go_on(&mut self, key: Key, packets: u16, frames: u16) -> EventPacket {
        let packets = packets + 1;
        self.state = if packets + 1 >= frames + Self::ENDS {
            State::Gap {
                frames: Self::GAP_FRAMES,
            }
        } else {
            State::Pressed {
                key,
                packets,
                frames,
            }
        };
        EventPacket {
            first: false,
            payload: self.payload(key, packets, frames),
        }
    }

    /// The `packets`-th payload of a key of so many frames: the duration grows until the end, then stays.
    fn payload(&self, key: Key, packets: u16, frames: u16) -> Bytes {
        let lasted = packets.min(frames);
        let ticks = u64::from(lasted) * u64::from(self.clock_rate) * FRAME_MS / 1_000;
        TelephoneEvent {
            event: key.event(),
            end: packets >= frames,
            volume: Self::VOLUME,
            duration: u16::try_from(ticks).unwrap_or(u16::MAX),
        }
        .to_bytes()
    }
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

    /// RFC 4733 §2.5.1.4 has an event as long as whoever presses wants it, and its end three times.
    #[test]
    fn keys_last_longer_while_packets_are_lost() {
        let mut keys = KeySender::default();
        let lasts = |keys: &mut KeySender| {
            keys.press(Key::new('5').unwrap()).unwrap();
            let packets: Vec<_> = (0..40).filter_map(|_| keys.tick()).collect();
            let events = packets
                .iter()
                .map(|packet| TelephoneEvent::parse(&packet.payload).unwrap());
            let ends: Vec<_> = events.filter(|event| event.end).collect();
            assert_eq!(ends.len(), 3);
            (packets.len(), ends[0].duration)
        };
        keys.expect_loss(KeySender::LOSS_MIN - 1);
        assert_eq!(lasts(&mut keys), (8, 960));
        keys.expect_loss(KeySender::LOSS_MIN);
        for _ in 0..KeySender::CALM_REPORTS {
            assert_eq!(lasts(&mut keys), (22, 3_200));
            keys.expect_loss(0);
        }
        assert_eq!(lasts(&mut keys), (8, 960));
    }

    /// RFC 4733 §2.1: beside Opus a duration is in ticks of 1/48000 s.
    #[test]
    fn durations_are_in_the_clock_of_the_voice() {
        let mut keys = KeySender::default();
        keys.set_clock_rate(48_000);
        keys.press(Key::new('5').unwrap()).unwrap();
        let ticks: Vec<u16> = std::iter::from_fn(|| keys.tick())
            .map(|packet| TelephoneEvent::parse(&packet.payload).unwrap().duration)
            .collect();
        assert_eq!(
            ticks,
            [960, 1_920, 2_880, 3_840, 4_800, 5_760, 5_760, 5_760]
        );
    }

    #[test]
    fn another_clock_ends_the_event_under_way_and_keeps_those_that_wait() {
        let mut keys = KeySender::default();
        keys.press(Key::new('5').unwrap()).unwrap();
        keys.press(Key::new('6').unwrap()).unwrap();
        assert!(keys.tick().is_some() && keys.is_pressing());
        keys.set_clock_rate(48_000);
        assert!(!keys.is_pressing());
        let next = std::iter::repeat_with(|| keys.tick())
            .flatten()
            .next()
            .unwrap();
        let event = TelephoneEvent::parse(&next.payload).unwrap();
        assert_eq!(
            (event.key(), event.duration, next.first),
            (Key::new('6'), 960, true)
        );
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
