//! Voices that can be told from each other by ear: each sings a tone of its own.

use std::time::Instant;

use housecall_media::coder::Decoder;
use housecall_media::opus::OpusSettings;
use housecall_media::{
    AudioLevel, Dbfs, FRAME_MS, FRAME_SAMPLES, Frame, OpusDecoder, OpusEncoder, Rate, Sine,
    dominant_frequency, level, level_at,
};

use super::client::{Client, Heard};
use crate::{Hears, OpusPacket, PhoneSound};

/// A tone in packets of Opus.
pub(crate) struct Singer {
    sine: Sine,
    encoder: OpusEncoder,
    packets: u64,
    /// Every so many packets one is lost on the way; none if zero.
    pub(crate) loses_every: u64,
    /// What was sent.
    pub(crate) sung: Vec<Vec<u8>>,
}

impl Singer {
    /// Sings a tone; below -90 dBFS nothing.
    pub(crate) fn new(hertz: f32, dbfs: f32) -> Self {
        Self {
            sine: Sine::new(hertz, dbfs),
            encoder: OpusEncoder::with(Rate::Wide, OpusSettings::default()).unwrap(),
            packets: 0,
            loses_every: 0,
            sung: Vec::new(),
        }
    }

    pub(crate) fn sing(&mut self, now: Instant, client: &mut Client) {
        let (frame, payload) = self.packet();
        if self.loses_every > 0 && self.packets.is_multiple_of(self.loses_every) {
            return client.lose_sound();
        }
        let level = AudioLevel::of(&frame).below_overload_db;
        client.say(now, payload.clone(), -(level as i8));
        self.sung.push(payload);
    }

    fn packet(&mut self) -> (Frame, Vec<u8>) {
        let mut frame = Frame::silence(Rate::Wide, FRAME_MS);
        self.sine.fill(&mut frame);
        self.packets += 1;
        (frame, self.encoder.encode(&frame).unwrap().to_vec())
    }
}

/// The leg of a phone in a room.
pub(crate) struct Phone {
    hears: Hears,
    singer: Option<Singer>,
    /// Whether its packets say how loud they are.
    pub(crate) tells_level: bool,
    heard: Vec<PhoneSound>,
}

impl Phone {
    pub(crate) fn new(hears: Hears) -> Self {
        Self {
            hears,
            singer: None,
            tells_level: true,
            heard: Vec::new(),
        }
    }

    /// Sings a tone from now on, in the same stream as before.
    pub(crate) fn sing(&mut self, hertz: f32, dbfs: f32) {
        let packets = self.singer.as_ref().map_or(0, |singer| singer.packets);
        self.singer = Some(Singer {
            packets,
            ..Singer::new(hertz, dbfs)
        });
    }

    pub(crate) fn is_silent(&mut self) {
        self.singer = None;
    }

    /// Its next 20 ms, in the form in which it hears.
    pub(crate) fn speak(&mut self) -> Option<PhoneSound> {
        let singer = self.singer.as_mut()?;
        Some(match self.hears {
            Hears::Frames(rate) => {
                let mut frame = Frame::silence(rate, FRAME_MS);
                singer.sine.fill(&mut frame);
                PhoneSound::Frame(Box::new(frame))
            }
            Hears::Packets => {
                let (frame, payload) = singer.packet();
                singer.sung.push(payload.clone());
                PhoneSound::Packet(OpusPacket {
                    marker: singer.packets == 1,
                    sequence: singer.packets as u16,
                    timestamp: singer.packets as u32 * 960,
                    level: self.tells_level.then(|| AudioLevel::of(&frame)),
                    payload: payload.into(),
                })
            }
        })
    }

    /// What it has sent in packets.
    pub(crate) fn sung(&self) -> Vec<Vec<u8>> {
        self.singer
            .iter()
            .flat_map(|singer| singer.sung.clone())
            .collect()
    }

    pub(crate) fn hear(&mut self, sound: PhoneSound) {
        self.heard.push(sound);
    }

    /// What it has heard since it was asked last.
    pub(crate) fn take_heard(&mut self) -> Vec<PhoneSound> {
        std::mem::take(&mut self.heard)
    }

    /// The same as samples at 8 kHz.
    pub(crate) fn listen(&mut self) -> Sound {
        let mut decoder = OpusDecoder::new().unwrap();
        let mut samples = Vec::new();
        let mut next = None;
        for sound in self.take_heard() {
            match sound {
                PhoneSound::Packet(packet) => {
                    let lost = packet.sequence - next.unwrap_or(packet.sequence);
                    for left in (0..lost).rev() {
                        let repeated: &[u8] = if left == 0 { &packet.payload } else { &[] };
                        make_up(&mut decoder, repeated, &mut samples);
                    }
                    next = Some(packet.sequence + 1);
                    decoder.decode(&packet.payload, &mut samples).unwrap();
                }
                PhoneSound::Frame(frame) => {
                    assert_eq!(frame.rate(), Rate::Narrow, "ears of 8 kHz");
                    samples.extend(*frame);
                }
            }
        }
        Sound(samples)
    }
}

/// Adds 20 ms that were lost: what the next packet repeats of them, or what Opus makes up.
fn make_up(decoder: &mut OpusDecoder, next: &[u8], samples: &mut Vec<i16>) {
    let recovered = decoder.recover(next, FRAME_SAMPLES, samples);
    assert!(recovered || decoder.conceal(FRAME_SAMPLES, samples));
}

/// What somebody heard, at 8 kHz.
pub(crate) struct Sound(pub(crate) Vec<i16>);

impl Sound {
    /// What a browser heard in these packets.
    pub(crate) fn of(heard: &[&Heard]) -> Self {
        let (mut decoder, mut samples) = (OpusDecoder::new().unwrap(), Vec::new());
        for packet in heard {
            decoder.decode(&packet.payload, &mut samples).unwrap();
        }
        Self(samples)
    }

    /// A tone of which every tenth packet is made up by Opus, with what the next one repeats.
    pub(crate) fn concealed(hertz: f32, dbfs: f32) -> Self {
        let mut singer = Singer::new(hertz, dbfs);
        let packets: Vec<Vec<u8>> = (0..200).map(|_| singer.packet().1).collect();
        let (mut decoder, mut samples) = (OpusDecoder::new().unwrap(), Vec::new());
        for (number, two) in packets.windows(2).enumerate() {
            match number % 10 {
                4 => make_up(&mut decoder, &two[1], &mut samples),
                _ => decoder.decode(&two[0], &mut samples).unwrap(),
            }
        }
        // In the first second libopus takes the tone for speech, and repeats it.
        Self(samples.split_off(100 * FRAME_SAMPLES))
    }

    /// The last half second, when all has settled.
    fn settled(&self) -> &[i16] {
        assert!(self.0.len() >= 4_000, "only {} samples heard", self.0.len());
        &self.0[self.0.len() - 4_000..]
    }

    /// Asserts that this tone is all that is heard.
    pub(crate) fn is_tone(&self, hertz: f32, dbfs: f32) {
        let heard = dominant_frequency(self.settled()).unwrap();
        assert!((heard - hertz).abs() < 3.0, "{heard} Hz, not {hertz}");
        let Dbfs(heard) = level(self.settled());
        assert!((heard - dbfs).abs() < 1.5, "{heard} dBFS, not {dbfs}");
    }

    /// Asserts that this tone is among what is heard.
    pub(crate) fn has_tone(&self, hertz: f32, dbfs: f32) {
        let Dbfs(heard) = level_at(self.settled(), hertz);
        assert!(
            (heard - dbfs).abs() < 2.0,
            "{hertz} Hz: {heard}, not {dbfs}"
        );
    }

    /// Asserts that nothing is heard of this tone.
    pub(crate) fn lacks_tone(&self, hertz: f32) {
        let Dbfs(heard) = level_at(self.settled(), hertz);
        assert!(heard < -50.0, "{hertz} Hz: {heard} dBFS");
    }

    /// How quiet the quietest 20 ms of each 200 ms are on average, in dBFS: one packet in ten is lost.
    pub(crate) fn dips(&self) -> f32 {
        let parts = self.0.chunks_exact(10 * FRAME_SAMPLES);
        let quietest = parts.filter_map(|part| {
            let levels = part.windows(FRAME_SAMPLES).map(|frame| level(frame).0);
            levels.min_by(f32::total_cmp)
        });
        let quietest: Vec<f32> = quietest.collect();
        quietest.iter().sum::<f32>() / quietest.len() as f32
    }
}
