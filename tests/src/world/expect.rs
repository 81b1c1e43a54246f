//! What a conversation asserts. Every message tells the seed and the story.

use std::time::Duration;

use housecall_carrier::{HeardCall, Sound};
use housecall_meter::{Account, Credits};
use housecall_phone::{Event, Outcome};

use super::caller::Caller;
use super::sound::{Ear, HUM_DBFS, HUM_HZ};
use super::{PATIENCE, RING_LIMIT, World, answered, millis, secs};

/// Below this a line is silent: two steps of G.711.
const SILENCE_DBFS: f32 = -55.0;
/// Above this a person hears it.
const LOW_DBFS: f32 = -40.0;

/// What can be heard is asserted where there is sound and the conversation went as planned: always in clear weather.
impl World {
    pub(crate) fn expect_sound_both_ways(&self) {
        self.expect_caller_hears_the_tone();
        self.expect_carrier_hears_the_caller();
    }

    /// What the subscriber with the tone plays.
    pub(crate) fn expect_caller_hears_the_tone(&self) {
        self.expect_caller_hears(1_004.0, -16.0);
    }

    /// Hangs up a call that was answered, and has cost what a begun minute costs (M7).
    pub(crate) fn hang_up_within_the_first_minute(&mut self) {
        self.hang_up();
        self.expect_end(Outcome::Completed);
        self.expect_cost(1);
    }

    pub(crate) fn expect_caller_hears(&self, hertz: f32, dbfs: f32) {
        let Some(ear) = self.ear() else { return };
        self.expect_tone(
            "caller",
            ear.frequency_hz(),
            ear.level_dbfs(),
            (hertz, dbfs),
        );
    }

    /// Waits for it as long as any ringing tone or speaker pauses.
    pub(crate) fn expect_caller_soon_hears_something(&mut self) {
        let give_up_at = self.now + secs(3);
        while self.ear().is_some_and(|ear| ear.level_dbfs() < LOW_DBFS) {
            assert!(
                self.now < give_up_at,
                "caller hears nothing, {}",
                self.story()
            );
            self.run(millis(100));
        }
    }

    pub(crate) fn expect_caller_hears_nothing(&self) {
        let Some(ear) = self.ear() else { return };
        let heard = ear.level_dbfs();
        assert!(
            heard < SILENCE_DBFS,
            "caller hears {heard} dBFS, {}",
            self.story()
        );
    }

    /// The carrier hears what the caller hums, as loud as it was hummed.
    pub(crate) fn expect_carrier_hears_the_caller(&self) {
        let Some(sound) = self.carrier_hears() else {
            return;
        };
        self.expect_tone(
            "carrier",
            sound.frequency_hz,
            sound.level_dbfs,
            (HUM_HZ, HUM_DBFS),
        );
    }

    pub(crate) fn expect_carrier_hears_nothing(&self) {
        let Some(sound) = self.carrier_hears() else {
            return;
        };
        assert!(
            sound.is_silence(),
            "carrier hears {sound:?}, {}",
            self.story()
        );
    }

    /// While the carrier holds us, not even silence is sent to it. In a storm the hold may be over by now.
    pub(crate) fn expect_carrier_hears_no_packet(&mut self) {
        if self.is_stormy() || self.carrier_hears().is_none() {
            return;
        }
        let before = self.heard_call().packets;
        self.run(millis(500));
        assert_eq!(self.heard_call().packets, before, "{}", self.story());
    }

    pub(crate) fn expect_encrypted(&self, encrypted: bool) {
        if !self.astray {
            assert_eq!(self.heard_call().encrypted, encrypted, "{}", self.story());
        }
    }

    /// Nothing that arrived was taken for somebody else's, or for damaged.
    pub(crate) fn expect_no_stranger(&self) {
        let Some(stats) = self.caller.as_ref().and_then(Caller::stats) else {
            return;
        };
        // Whoever answers is heard before a 200 that a storm delays, and is a stranger until then.
        let strangers = if self.is_stormy() { 0 } else { stats.strangers };
        let dropped = [strangers, stats.malformed, stats.forged, stats.replayed];
        assert_eq!(dropped, [0; 4], "{}", self.story());
    }

    pub(crate) fn expect_carrier_hears_music(&self) {
        let Some(sound) = self.carrier_hears() else {
            return;
        };
        assert!(
            sound.music && !sound.is_silence(),
            "carrier hears {sound:?}, {}",
            self.story()
        );
    }

    pub(crate) fn expect_carrier_got_digits(&self, digits: &str) {
        if self.carrier_hears().is_some() {
            assert_eq!(self.heard_call().digits, digits, "{}", self.story());
        }
    }

    /// Whether the carrier knows that it is held, if the conversation got that far.
    pub(crate) fn expect_carrier_is_held(&self, held: bool) {
        assert!(
            self.astray || self.heard_call().held == held,
            "{}",
            self.story()
        );
    }

    /// Whether the caller was told this; in clear weather it was. A storm may swallow what is said once only, as provisional
    /// responses are (RFC 3261 §17.2.1).
    pub(crate) fn expect_told(&self, what: impl Fn(&Event) -> bool) -> bool {
        let told = self.was_told(what);
        assert!(told || self.is_stormy(), "{}", self.story());
        told
    }

    /// The end that was planned; or, in a storm, that no message came through.
    pub(crate) fn expect_end(&mut self, outcome: Outcome) {
        let ended = self.ended().map(|ended| ended.outcome);
        let is_lost = self.is_stormy() && ended == Some(Outcome::Failed);
        assert!(
            self.astray || is_lost || ended == Some(outcome),
            "expected {outcome:?}, {}",
            self.story()
        );
        self.astray |= ended != Some(outcome);
    }

    pub(crate) fn expect_cost(&self, credits: u64) {
        let cost = self.till.cost();
        assert!(
            self.astray || cost == Some(Credits(credits)),
            "{cost:?} for {credits}, {}",
            self.story()
        );
    }

    /// What is true at the end of every call, whatever the network did.
    pub(crate) fn expect_all_is_well(&mut self) {
        self.run_out();
        self.expect_finished_in_time();
        self.expect_one_end();
        self.expect_money_is_whole();
        assert_eq!(
            self.calls_left_at_the_carrier(),
            0,
            "calls left, {}",
            self.story()
        );
    }

    fn expect_finished_in_time(&self) {
        let finished = self
            .finished_at
            .unwrap_or_else(|| panic!("not finished, {}", self.story()));
        let rings = if self.was_answered() {
            Duration::ZERO
        } else {
            RING_LIMIT
        };
        let took = finished - self.last_input;
        assert!(
            took <= PATIENCE + rings,
            "finished {took:.3?} after the last input, {}",
            self.story()
        );
        // The first answer, the answer to the CANCEL, and the wait for repetitions of that: each has its 64*T1.
        let after_end = self.ended_at().map(|ended_at| finished - ended_at);
        assert!(
            after_end <= Some(3 * PATIENCE),
            "finished {after_end:.3?} after the end, {}",
            self.story()
        );
    }

    fn expect_one_end(&self) {
        let is_end = |event: &Event| matches!(event, Event::Ended(_));
        let ends = self.told.iter().filter(|(_, event)| is_end(event)).count();
        assert_eq!(ends, 1, "{}", self.story());
        assert!(
            self.told.last().is_some_and(|(_, event)| is_end(event)),
            "{}",
            self.story()
        );
    }

    /// Nothing is reserved for ever, nothing vanished, and the price is that of the time talked.
    fn expect_money_is_whole(&self) {
        let [issued, available, reserved, earned, ..] =
            Account::ALL.map(|of| self.till.balance(of));
        assert_eq!(reserved, 0, "reserved for ever, {}", self.story());
        assert_eq!(available + earned, -issued, "{}", self.story());
        assert_eq!(self.till.ends(), 1, "{}", self.story());
        let minutes = self
            .talked()
            .map_or(0, |talked| talked.as_millis().div_ceil(60_000).max(1));
        assert_eq!(
            i128::from(earned),
            i128::try_from(minutes).unwrap(),
            "{}",
            self.story()
        );
        assert_eq!(self.till.replayed(), self.till.cost(), "{}", self.story());
        assert_eq!(self.was_told(answered()), earned > 0, "{}", self.story());
    }

    /// Nothing was sent and nothing taken.
    pub(crate) fn expect_nothing_happened(&mut self) {
        assert_eq!(self.next_event(), None);
        assert_eq!(self.network.report().calls.len(), 0);
        assert_eq!(self.till.balance(Account::Reserved), 0);
        assert_eq!(self.till.ends(), 0);
    }

    pub(crate) fn available(&self) -> i64 {
        self.till.balance(Account::Available)
    }

    fn expect_tone(
        &self,
        who: &str,
        heard_hz: Option<f32>,
        heard_dbfs: f32,
        (hertz, dbfs): (f32, f32),
    ) {
        let is_tone = heard_hz.is_some_and(|heard| (heard - hertz).abs() < 4.0);
        // Opus may lose some of a tone's level; it is made for voices.
        let is_as_loud = (heard_dbfs - dbfs).abs() < 2.0;
        assert!(
            is_tone && is_as_loud,
            "{who} hears {heard_hz:?} Hz at {heard_dbfs} dBFS for {hertz} Hz at {dbfs} dBFS, {}",
            self.story()
        );
    }

    fn ear(&self) -> Option<&Ear> {
        let caller = self.caller.as_ref().filter(|_| !self.astray)?;
        caller.ear()
    }

    fn carrier_hears(&self) -> Option<Sound> {
        self.ear().map(|_| self.heard_call().sound)
    }

    fn heard_call(&self) -> HeardCall {
        let report = self.network.report();
        report
            .calls
            .last()
            .unwrap_or_else(|| panic!("no call, {}", self.story()))
            .clone()
    }
}
