//! A phone call at the public edge: only a [`Talking`] call can be held.

use std::time::Instant;

use housecall_media::Key;
use housecall_meter::AccountId;
use housecall_phone::Number;
use tokio::sync::{mpsc, watch};

use crate::encryption::Encryption;
use crate::metered::Cost;
use crate::record::{CallRecord, Class, PartyRef};

/// What is needed to ring somebody.
#[derive(Clone, Debug)]
pub struct DialRequest {
    /// Whose credits pay.
    pub account: AccountId,
    /// The appointment it belongs to, if any.
    pub appointment: Option<PartyRef>,
    /// On whose behalf it is made.
    pub practitioner: PartyRef,
    /// Who clicked Call; limits on dialling count by this name.
    pub caller: PartyRef,
    /// Who is rung.
    pub recipient: PartyRef,
    /// The dedicated number that is shown to them (P2). The program around the engine has checked that it may be used.
    pub from: Number,
    /// The number to ring.
    pub to: Number,
    /// The browser's SDP offer: one `sendrecv` audio m-line.
    pub offer: String,
}

/// Where a call is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CallPhase {
    /// The INVITE is on its way.
    Dialing,
    /// Their phone rings.
    Ringing,
    /// The network plays something before the answer.
    EarlyAudio,
    /// Answered.
    Talking,
    /// Over.
    Ended,
}

/// What can be seen of a call at a moment. Instants are on the clock of charges.
#[derive(Clone, Copy, Debug)]
pub struct CallView {
    /// Where it is.
    pub phase: CallPhase,
    /// Our hold: while it is on, the far end hears music and we hear nothing of it.
    pub held: HoldTime,
    /// Their hold: while it is on, the far end does not hear us, and may play music.
    pub held_by_them: HoldTime,
    /// True while the far end hears silence.
    pub muted: bool,
    /// When it was answered.
    pub answered: Option<Instant>,
    /// What they have pressed at their phone since the answer.
    pub keys_heard: KeysHeard,
    /// True when the far end's network refused the last hold or resume.
    pub hold_refused: bool,
    /// How the sound between us and the telephone network is protected; none before anything is agreed.
    pub encryption: Option<Encryption>,
    /// False while the browser's connection is not up.
    pub browser_connected: bool,
    /// How what we hear sounds; none before the first judged second. During a hold it is what it was before.
    pub heard: Option<Class>,
    /// How what they hear of us sounds, as far as it is known; none before the first judged second. It stands still during a hold or a mute.
    pub sent: Option<Class>,
}

impl CallView {
    pub(crate) fn new() -> Self {
        Self {
            phase: CallPhase::Dialing,
            held: HoldTime::default(),
            held_by_them: HoldTime::default(),
            muted: false,
            answered: None,
            keys_heard: KeysHeard::default(),
            hold_refused: false,
            encryption: None,
            browser_connected: false,
            heard: None,
            sent: None,
        }
    }

    /// Returns how long the call has been answered, in milliseconds.
    #[must_use]
    pub fn talk_ms(&self, now: Instant) -> Option<u64> {
        self.answered.map(|answered| millis(answered, now))
    }
}

/// What the person at the phone has pressed: the last [`KeysHeard::KEPT`] keys.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct KeysHeard {
    /// Oldest first, as far as there are any.
    last: [Option<Key>; KeysHeard::KEPT],
    count: u64,
}

impl KeysHeard {
    /// How many are kept.
    pub const KEPT: usize = 16;

    /// Returns how many there were in all.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Returns the last ones, oldest first: `12#`.
    #[must_use]
    pub fn names(&self) -> String {
        self.last.iter().flatten().map(|key| key.name()).collect()
    }

    pub(crate) fn press(&mut self, key: Key) {
        self.last.rotate_left(1);
        if let Some(newest) = self.last.last_mut() {
            *newest = Some(key);
        }
        self.count += 1;
    }
}

/// How long one side has held the other.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct HoldTime {
    since: Option<Instant>,
    before_ms: u64,
}

impl HoldTime {
    /// Whether the hold is on.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.since.is_some()
    }

    /// How long it has been on in all, in milliseconds.
    #[must_use]
    pub fn ms(&self, now: Instant) -> u64 {
        self.before_ms + self.since.map_or(0, |since| millis(since, now))
    }

    pub(crate) fn begin(&mut self, now: Instant) {
        self.since.get_or_insert(now);
    }

    pub(crate) fn end(&mut self, now: Instant) {
        self.before_ms = self.ms(now);
        self.since = None;
    }
}

/// Returns the whole milliseconds from one instant to another, zero when they are the wrong way round.
pub(crate) fn millis(from: Instant, to: Instant) -> u64 {
    u64::try_from(to.saturating_duration_since(from).as_millis()).unwrap_or(u64::MAX)
}

/// What a user can ask of a call in progress.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum CallVerb {
    Hold,
    Resume,
    Mute(bool),
    Digit(char),
    HangUp,
}

/// The parts that a call has in every state.
#[derive(Debug)]
struct Line {
    verbs: mpsc::Sender<CallVerb>,
    view: watch::Receiver<CallView>,
    cost: watch::Receiver<Cost>,
    record: watch::Receiver<Option<CallRecord>>,
}

impl Line {
    async fn record(&mut self) -> Option<CallRecord> {
        self.record
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|record| record.clone())
    }
}

/// Ends a call from elsewhere, whatever its state.
#[derive(Clone, Debug)]
pub struct HangUp(mpsc::Sender<CallVerb>);

impl HangUp {
    /// Ends the call. Nothing happens when it has ended already.
    pub fn hang_up(&self) {
        let _ = self.0.try_send(CallVerb::HangUp);
    }
}

/// A call that has been started and is not answered yet.
#[derive(Debug)]
pub struct Dialing {
    line: Line,
    answer: String,
}

/// How a call went on from dialling.
#[derive(Debug)]
pub enum Dialed {
    /// They answered.
    Answered(Talking),
    /// It ended without an answer; it costs nothing (P7).
    Unanswered(Box<CallRecord>),
}

impl Dialing {
    pub(crate) fn new(
        answer: String,
        verbs: mpsc::Sender<CallVerb>,
        view: watch::Receiver<CallView>,
        cost: watch::Receiver<Cost>,
        record: watch::Receiver<Option<CallRecord>>,
    ) -> Self {
        Self {
            line: Line {
                verbs,
                view,
                cost,
                record,
            },
            answer,
        }
    }

    /// Returns the SDP answer for the browser.
    #[must_use]
    pub fn answer(&self) -> &str {
        &self.answer
    }

    /// Returns what can be seen of the call, now and as it changes.
    #[must_use]
    pub fn view(&self) -> watch::Receiver<CallView> {
        self.line.view.clone()
    }

    /// Returns the running cost.
    #[must_use]
    pub fn cost(&self) -> watch::Receiver<Cost> {
        self.line.cost.clone()
    }

    /// Returns a way to end the call while this value waits elsewhere.
    #[must_use]
    pub fn hang_up_handle(&self) -> HangUp {
        HangUp(self.line.verbs.clone())
    }

    /// Waits until the call is answered or ends. `None` when the engine stopped first.
    pub async fn answered(mut self) -> Option<Dialed> {
        let decided = |view: &CallView| matches!(view.phase, CallPhase::Talking | CallPhase::Ended);
        // Bound before the match: the guard of the watch must not live across the next wait.
        let phase = self
            .line
            .view
            .wait_for(decided)
            .await
            .ok()
            .map(|view| view.phase)?;
        if phase == CallPhase::Talking {
            return Some(Dialed::Answered(Talking { line: self.line }));
        }
        let record = self.line.record().await?;
        Some(Dialed::Unanswered(Box::new(record)))
    }
}

/// A call that was answered.
#[derive(Debug)]
pub struct Talking {
    line: Line,
}

impl Talking {
    /// Returns what can be asked of the call, for as long as it lasts.
    #[must_use]
    pub fn controls(&self) -> Controls {
        Controls(self.line.verbs.clone())
    }

    /// Returns what can be seen of the call, now and as it changes.
    #[must_use]
    pub fn view(&self) -> watch::Receiver<CallView> {
        self.line.view.clone()
    }

    /// Returns the running cost.
    #[must_use]
    pub fn cost(&self) -> watch::Receiver<Cost> {
        self.line.cost.clone()
    }

    /// Waits for the end, when everything is settled. `None` when the engine stopped first.
    pub async fn ended(&mut self) -> Option<CallRecord> {
        self.line.record().await
    }
}

/// What a user can do with an answered call. Only [`Talking`] gives it out.
#[derive(Clone, Debug)]
pub struct Controls(mpsc::Sender<CallVerb>);

impl Controls {
    /// Puts the call on hold: they hear music, we hear nothing of them. [`CallView::held`] tells when it is so.
    pub fn hold(&self) {
        self.ask(CallVerb::Hold);
    }

    /// Takes the call off hold.
    pub fn resume(&self) {
        self.ask(CallVerb::Resume);
    }

    /// Makes our side silent to them, or heard again.
    pub fn mute(&self, on: bool) {
        self.ask(CallVerb::Mute(on));
    }

    /// Sends a digit of the keypad: `0`–`9`, `*`, `#`, `A`–`D`. Anything else is not sent.
    pub fn digit(&self, digit: char) {
        self.ask(CallVerb::Digit(digit));
    }

    /// Ends the call.
    pub fn hang_up(&self) {
        self.ask(CallVerb::HangUp);
    }

    fn ask(&self, verb: CallVerb) {
        // A full queue means hundreds of clicks a second; a closed one that the call is gone.
        let _ = self.0.try_send(verb);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn holds_add_up() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut held = HoldTime::default();
        assert_eq!((held.is_on(), held.ms(at(50))), (false, 0));
        held.begin(at(100));
        held.begin(at(150));
        assert_eq!((held.is_on(), held.ms(at(300))), (true, 200));
        held.end(at(400));
        held.end(at(500));
        held.begin(at(1_000));
        assert_eq!(held.ms(at(1_005)), 305);
    }
}
