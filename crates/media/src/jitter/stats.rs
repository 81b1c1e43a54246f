use std::time::Duration;

/// What has happened to the packets of one direction.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct JitterStats {
    /// Packets that came.
    pub received: u64,
    /// Packets played in their turn.
    pub played: u64,
    /// Packets that came after their moment and were not played.
    pub late: u64,
    /// Packets that came twice.
    pub duplicate: u64,
    /// Packets dropped because there was no room.
    pub overflow: u64,
    /// Packets that belonged nowhere: of a strange SSRC or time that no second packet confirmed, or of one beginning too many.
    pub stray: u64,
    /// Packets that were missing when what follows them was played.
    pub lost: u64,
    /// Of these, how many were in the redundancy of the next.
    pub recovered: u64,
    /// Times that something had to be made up.
    pub concealed: u64,
    /// How long what was made up has lasted, without what was recovered.
    pub concealed_time: Duration,
    /// How long nobody has spoken.
    pub silence_time: Duration,
    /// How long what was played of packets has lasted.
    pub played_time: Duration,
    /// Times that the delay grew by waiting, or by going back to a late packet.
    pub grown: u64,
    /// Times that sound was stretched because the delay was too short, and by how much in all.
    pub stretched: u64,
    /// See `stretched`.
    pub stretched_time: Duration,
    /// Times that something was left out because the delay was too long, and how much in all.
    pub shrunk: u64,
    /// See `shrunk`.
    pub shrunk_time: Duration,
    /// Times that the stream began anew.
    pub reanchored: u64,
    /// How much faster the sender's clock is than ours, in parts of a million; 0 until known.
    pub drift_ppm: i32,
    /// The delay now, from the quickest possible arrival to the listener, in milliseconds.
    pub delay_ms: u64,
    /// The delay aimed at, in milliseconds.
    pub target_ms: u64,
}

impl JitterStats {
    /// What happened before, and this after it. How things are now is as it is after.
    #[must_use]
    pub fn after(self, before: Self) -> Self {
        Self {
            received: before.received + self.received,
            played: before.played + self.played,
            late: before.late + self.late,
            duplicate: before.duplicate + self.duplicate,
            overflow: before.overflow + self.overflow,
            stray: before.stray + self.stray,
            lost: before.lost + self.lost,
            recovered: before.recovered + self.recovered,
            concealed: before.concealed + self.concealed,
            concealed_time: before.concealed_time + self.concealed_time,
            silence_time: before.silence_time + self.silence_time,
            played_time: before.played_time + self.played_time,
            grown: before.grown + self.grown,
            stretched: before.stretched + self.stretched,
            stretched_time: before.stretched_time + self.stretched_time,
            shrunk: before.shrunk + self.shrunk,
            shrunk_time: before.shrunk_time + self.shrunk_time,
            reanchored: before.reanchored + self.reanchored,
            drift_ppm: self.drift_ppm,
            delay_ms: self.delay_ms,
            target_ms: self.target_ms,
        }
    }

    /// The part of what was to be played that had to be made up, 0 to 1.
    pub fn concealed_part(&self) -> f64 {
        let whole = (self.played_time + self.concealed_time).as_secs_f64();
        if whole <= 0.0 {
            0.0
        } else {
            self.concealed_time.as_secs_f64() / whole
        }
    }

    /// The delay now, from the quickest possible arrival to the listener.
    pub fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms)
    }
}
