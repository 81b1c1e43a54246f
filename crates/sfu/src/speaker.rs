use std::time::{Duration, Instant};

use housecall_media::{AudioLevel, Dbfs};

use crate::Seat;

/// Who speaks, by how loud everybody's packets are, be they a browser's or a phone's (V11).
///
/// Whoever spoke last is the speaker until somebody else speaks. A pause between words hands nothing over, a cough is no speech, and who
/// is spoken over by somebody clearly louder is the speaker no longer.
#[derive(Debug, Default)]
pub(crate) struct ActiveSpeaker {
    speaker: Option<Seat>,
    voices: [Loudness; 4],
}

#[derive(Clone, Copy, Debug)]
struct Loudness {
    /// Smoothed over about 100 ms of speech.
    dbfs: f32,
    /// When there was a voice last.
    voiced: Option<Instant>,
}

impl Default for Loudness {
    fn default() -> Self {
        Self {
            dbfs: Dbfs::FLOOR.0,
            voiced: None,
        }
    }
}

impl ActiveSpeaker {
    /// Silence after which a speaker has stopped.
    const HANG_OVER: Duration = Duration::from_millis(400);
    /// How much louder somebody must be to take over from who still speaks, in decibels.
    const LOUDER_DB: f32 = 6.0;
    /// Smoothed, so that only what lasts is this loud, in dBFS.
    const SPEECH_DBFS_MIN: f32 = -55.0;

    pub(crate) fn speaker(&self) -> Option<Seat> {
        self.speaker
    }

    /// Takes the level of somebody's next packet; true if they are the speaker from here on.
    pub(crate) fn heard(&mut self, now: Instant, seat: Seat, level: AudioLevel) -> bool {
        let Some(voice) = self.voices.get_mut(seat.index()) else {
            return false;
        };
        if !level.voice {
            return false;
        }
        voice.heard(now, level);
        let voice = *voice;
        let takes_over = voice.dbfs >= Self::SPEECH_DBFS_MIN
            && self.speaker != Some(seat)
            && self
                .floor(now)
                .is_none_or(|floor| voice.dbfs >= floor + Self::LOUDER_DB);
        if takes_over {
            self.speaker = Some(seat);
        }
        takes_over
    }

    /// Somebody is gone; true if they were the speaker.
    pub(crate) fn forget(&mut self, seat: Seat) -> bool {
        if let Some(voice) = self.voices.get_mut(seat.index()) {
            *voice = Loudness::default();
        }
        self.speaker.take_if(|speaker| *speaker == seat).is_some()
    }

    /// How loud the speaker is; none while nobody speaks.
    fn floor(&self, now: Instant) -> Option<f32> {
        let voice = self.voices.get(self.speaker?.index())?;
        voice.speaks(now).then_some(voice.dbfs)
    }
}

impl Loudness {
    /// The part of a new packet in the smoothed level.
    const NEW_PART: f32 = 0.2;

    fn heard(&mut self, now: Instant, level: AudioLevel) {
        if !self.speaks(now) {
            *self = Self::default();
        }
        let Dbfs(dbfs) = level.dbfs();
        self.dbfs += (dbfs - self.dbfs) * Self::NEW_PART;
        self.voiced = Some(now);
    }

    fn speaks(&self, now: Instant) -> bool {
        self.voiced
            .is_some_and(|voiced| now.saturating_duration_since(voiced) < ActiveSpeaker::HANG_OVER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PatientSeat::One;

    const ANNA: Seat = Seat::Practitioner;
    const BEN: Seat = Seat::Patient(One);
    const QUIET: AudioLevel = AudioLevel {
        voice: false,
        below_overload_db: 80,
    };

    fn voice(below_overload_db: u8) -> AudioLevel {
        AudioLevel {
            voice: true,
            below_overload_db,
        }
    }

    /// Both speak as said for some packets of 20 ms; who is the speaker after.
    fn say(
        speaker: &mut ActiveSpeaker,
        now: &mut Instant,
        packets: u32,
        (anna, ben): (AudioLevel, AudioLevel),
    ) -> Option<Seat> {
        for _packet in 0..packets {
            *now += Duration::from_millis(20);
            speaker.heard(*now, ANNA, anna);
            speaker.heard(*now, BEN, ben);
        }
        speaker.speaker()
    }

    #[test]
    fn who_spoke_last_is_the_speaker_until_another_speaks() {
        let (mut speaker, mut now) = (ActiveSpeaker::default(), Instant::now());
        let said = [
            (50, (QUIET, QUIET), None),
            (20, (voice(30), QUIET), Some(ANNA)),
            (100, (QUIET, QUIET), Some(ANNA)),
            (20, (QUIET, voice(35)), Some(BEN)),
            // A word of the other in a pause of less than 400 ms, no louder.
            (10, (QUIET, QUIET), Some(BEN)),
            (9, (voice(35), QUIET), Some(BEN)),
            (20, (voice(35), QUIET), Some(ANNA)),
        ];
        for (packets, levels, expected) in said {
            assert_eq!(say(&mut speaker, &mut now, packets, levels), expected);
        }
    }

    #[test]
    fn a_cough_is_no_speech_and_a_louder_voice_takes_over() {
        let (mut speaker, mut now) = (ActiveSpeaker::default(), Instant::now());
        say(&mut speaker, &mut now, 50, (voice(40), QUIET));
        assert_eq!(
            say(&mut speaker, &mut now, 2, (voice(40), voice(10))),
            Some(ANNA)
        );
        say(&mut speaker, &mut now, 50, (voice(40), QUIET));
        assert_eq!(
            say(&mut speaker, &mut now, 50, (voice(40), voice(37))),
            Some(ANNA)
        );
        assert_eq!(
            say(&mut speaker, &mut now, 50, (voice(40), voice(25))),
            Some(BEN)
        );
    }

    #[test]
    fn who_is_gone_is_no_speaker() {
        let (mut speaker, mut now) = (ActiveSpeaker::default(), Instant::now());
        say(&mut speaker, &mut now, 20, (voice(30), QUIET));
        assert!(!speaker.forget(BEN));
        assert!(speaker.forget(ANNA));
        assert_eq!(speaker.speaker(), None);
    }
}
