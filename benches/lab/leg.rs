//! What a leg says and hears, whatever it is connected by.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::FRAME_MS;
use crate::conductor::Conductor;

/// One sound, coded: a payload every 20 ms.
pub type Coded = Arc<[Arc<[u8]>]>;

/// A packet that was sent.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    /// When.
    pub at: Instant,
    /// Of which sound.
    pub sound: usize,
    /// Which frame of it, counted on when it begins again.
    pub frame: usize,
}

/// A packet that was heard.
#[derive(Clone, Debug)]
pub struct Heard {
    /// When.
    pub at: Instant,
    /// What the payload is.
    pub payload_type: u8,
    /// Its number.
    pub sequence: u16,
    /// When it is to be played, in units of the codec's clock.
    pub timestamp: u32,
    /// Whose it is.
    pub ssrc: u32,
    /// The sound.
    pub payload: Arc<[u8]>,
}

/// All that a leg sent and heard.
#[derive(Debug, Default)]
pub struct LegLog {
    /// In the order of sending.
    pub sent: Vec<Sent>,
    /// In the order of arrival.
    pub heard: Vec<Heard>,
    /// Packets sent more than 10 ms after their time: with many of them, the measurement is of a busy machine.
    pub late: u64,
}

/// How long a leg still listens after its last word, for what is on its way.
pub const LISTENS_ON: Duration = Duration::from_millis(100);

/// Later than this is late.
const LATE: Duration = Duration::from_millis(10);

/// Says the sounds that a conductor asks for, a frame every 20 ms.
#[derive(Debug)]
pub struct Mouth {
    sounds: Arc<[Coded]>,
    conductor: Conductor,
    sound: Option<usize>,
    frame: usize,
    /// Legs do not all speak at the same moment.
    stagger: Duration,
    /// None before it is opened and after it is shut.
    due: Option<Instant>,
    is_shut: bool,
    sent: Vec<Sent>,
    late: u64,
}

/// A payload to send.
#[derive(Clone, Debug)]
pub struct Said {
    /// The sound.
    pub payload: Arc<[u8]>,
    /// Whether another sound begins with it.
    pub first: bool,
}

impl Mouth {
    /// A mouth that says one of `sounds`, `stagger` after it is opened.
    pub fn new(sounds: Arc<[Coded]>, conductor: Conductor, stagger: Duration) -> Self {
        Self {
            sounds,
            conductor,
            sound: None,
            frame: 0,
            stagger,
            due: None,
            is_shut: false,
            sent: Vec::new(),
            late: 0,
        }
    }

    /// Lets it begin.
    pub fn open(&mut self, now: Instant) {
        self.due = Some(now + self.stagger);
    }

    /// When the next frame is due; none while it is not open.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Whether all is over.
    pub fn is_shut(&self) -> bool {
        self.is_shut
    }

    /// The next frame, if one is due.
    pub fn say(&mut self, now: Instant) -> Option<Said> {
        let due = self.due.filter(|due| *due <= now)?;
        let Some(sound) = self.conductor.sound() else {
            (self.due, self.is_shut) = (None, true);
            return None;
        };
        let first = self.sound != Some(sound);
        if first {
            self.sound = Some(sound);
            self.frame = 0;
        }
        let coded = self.sounds.get(sound)?;
        let payload = coded.get(self.frame % coded.len().max(1))?.clone();
        self.late += u64::from(now.saturating_duration_since(due) > LATE);
        self.sent.push(Sent {
            at: now,
            sound,
            frame: self.frame,
        });
        self.frame += 1;
        self.due = Some(due + Duration::from_millis(FRAME_MS));
        Some(Said { payload, first })
    }

    /// What was said, with what was heard meanwhile.
    pub fn log(self, heard: Vec<Heard>) -> LegLog {
        LegLog {
            sent: self.sent,
            heard,
            late: self.late,
        }
    }
}
