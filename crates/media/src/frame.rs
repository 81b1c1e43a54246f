/// Samples in a second on the phone leg.
pub const SAMPLE_RATE: u32 = 8_000;

/// Samples in a [`Frame`].
pub const FRAME_SAMPLES: usize = 160;

/// Milliseconds in a [`Frame`].
pub const FRAME_MS: u64 = 20;

/// 20 ms of sound: 160 samples at 8 kHz, mono, linear 16 bit.
pub type Frame = [i16; FRAME_SAMPLES];

/// 20 ms of nothing.
pub const SILENCE: Frame = [0; FRAME_SAMPLES];
