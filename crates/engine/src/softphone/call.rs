use std::time::Duration;

use housecall_bridge::MediaStats;
use housecall_media::Key;
use housecall_phone::{Dial, Event, Peer, WrongMoment};
use tokio::sync::{mpsc, oneshot, watch};

use super::question::{Question, Waiting};
use super::{NotDialed, Traced, connections};

/// A call of a [`Softphone`](super::Softphone). Dropping it hangs up.
#[derive(Debug)]
pub struct SoftCall {
    verbs: mpsc::Sender<Verb>,
    notes: mpsc::Receiver<Noted>,
    sound: watch::Receiver<Sound>,
}

/// Something that happened, and when.
#[derive(Clone, Debug)]
pub struct Noted {
    /// Since the call was dialled.
    pub at: Duration,
    /// What.
    pub what: SoftEvent,
}

/// What happens to a call.
#[derive(Clone, Debug)]
pub enum SoftEvent {
    /// A SIP message came or went.
    Sip(Traced),
    /// The call says so.
    Phone(Event),
    /// What is heard, at 8 kHz: 20 ms, and before it any silence that was not sent; where [`SoftphoneOptions::tells_sound`](super::SoftphoneOptions::tells_sound) is set.
    Heard(Vec<i16>),
    /// A verb did not fit the moment.
    WrongMoment(WrongMoment),
}

/// The sound of a call so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sound {
    /// Packets of both directions, and those that were not taken.
    pub stats: MediaStats,
    /// How loud the last second was; none before the answer.
    pub level_dbfs: Option<f32>,
    /// The strongest tone of the last second.
    pub frequency_hz: Option<f32>,
}

/// What a telephone is told.
pub(super) enum Order {
    Connect {
        peer: Peer,
        reply: connections::Waiting,
    },
    Dial {
        dial: Box<Dial>,
        reply: oneshot::Sender<Result<SoftCall, NotDialed>>,
    },
    Ask {
        question: Box<Question>,
        reply: Waiting,
    },
}

/// What a call is told.
#[derive(Clone, Copy, Debug)]
pub(super) enum Verb {
    Hold,
    Resume,
    Press(Key),
    HangUp,
}

/// The telephone's ends of a call's lines.
pub(super) struct Lines {
    pub(super) verbs: mpsc::Receiver<Verb>,
    pub(super) notes: mpsc::Sender<Noted>,
    pub(super) sound: watch::Sender<Sound>,
}

/// Verbs waiting for one call.
const VERBS_MAX: usize = 64;
/// Notes waiting for whoever reads them; what comes while they are full is not told.
const NOTES_MAX: usize = 4_096;

impl SoftCall {
    pub(super) fn new() -> (Self, Lines) {
        let (verb_line, verbs) = mpsc::channel(VERBS_MAX);
        let (notes, note_line) = mpsc::channel(NOTES_MAX);
        let (sound, sound_seen) = watch::channel(Sound::default());
        let call = Self {
            verbs: verb_line,
            notes: note_line,
            sound: sound_seen,
        };
        let lines = Lines {
            verbs,
            notes,
            sound,
        };
        (call, lines)
    }

    /// Waits for what happens next. None once the call owes the network nothing any more, some time after [`Event::Ended`].
    pub async fn next(&mut self) -> Option<Noted> {
        self.notes.recv().await
    }

    /// Puts the other side on hold.
    pub fn hold(&self) {
        self.order(Verb::Hold);
    }

    /// Takes the other side off hold.
    pub fn resume(&self) {
        self.order(Verb::Resume);
    }

    /// Presses a key.
    pub fn press(&self, key: Key) {
        self.order(Verb::Press(key));
    }

    /// Hangs up, at any moment.
    pub fn hang_up(&self) {
        self.order(Verb::HangUp);
    }

    /// The sound so far, not older than a fifth of a second.
    pub fn sound(&self) -> Sound {
        *self.sound.borrow()
    }

    /// Verbs that nobody has time for are lost, as those of an ended call are.
    fn order(&self, verb: Verb) {
        let _ = self.verbs.try_send(verb);
    }
}
