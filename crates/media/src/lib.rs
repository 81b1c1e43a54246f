//! Knows what sound on a wire is.
//!
//! Everything here is told the time and does no input or output. Sound is mono, linear 16 bit, in [`Frame`]s of at most 20 ms that know
//! their [`Rate`]: 8 kHz for G.711, 16 kHz for G.722. Opus codes to and from either, and G.722 its lower band alone, so that nothing is
//! resampled. What both legs speak goes through an [`rtp::Relay`] as it is.
//!
//! ```text
//!  datagram ─► rtp::RtpPacket::parse ─► Playout ─► Frame     (as many samples as are due, at any time)
//!                       │                └ JitterBuffer ─► coder::Decoder ─► Concealment ─► time-scale
//!                       └─ same codec ─► rtp::Relay ─┐
//!  Frame ─► coder::Encoder ─► rtp::RtpSender ────────┴─► datagram
//!  Key   ─► telephone_event::KeySender ─► rtp::RtpSender          KeyListener ◄─ telephone-event packets
//!  Tones, HoldMusic, Sound, Sine, KeyTone ─► Frame ─► level, AudioLevel, dominant_frequency, KeyDetector, Limiter
//!  rtp::Reception, rtp::Report ─► quality::Direction ─► Good, Fair, Poor
//!  text  ─► sdp::Description ─► sdp::AudioSession ─► sdp::MediaTarget ─ keys ─► srtp::Srtp around both datagrams
//! ```
//!
//! A tone into A-law, onto the wire, and back:
//!
//! ```
//! use housecall_media::{Sine, dominant_frequency, g711::Law, rtp::{RtpPacket, RtpSender}};
//!
//! let mut sine = Sine::new(440.0, -12.0);
//! let mut sender = RtpSender::new(7);
//! let mut heard = Vec::new();
//! for _ in 0..25 {
//!     let packet = sender.packet(8, false, Law::A.encode(&sine.frame()).into());
//!     sender.advance(160);
//!     let packet = RtpPacket::parse(packet.to_bytes()).expect("what we printed");
//!     Law::A.decode(&packet.payload, &mut heard);
//! }
//! let hertz = dominant_frequency(&heard).expect("half a second of tone");
//! assert!((hertz - 440.0).abs() < 1.0);
//! ```
//!
//! | source | what of it | file | test |
//! |---|---|---|---|
//! | RFC 3264 §5, §6, §8 | offer, answer, refused lines, versions, hold | `sdp/audio_session.rs` | `sdp/tests/mod.rs` |
//! | RFC 8866, RFC 4566 | session descriptions | `sdp/description.rs` | `sdp/tests/mod.rs` |
//! | RFC 3264 §6.1 | formats that were never offered | `sdp/audio_session.rs` | `formats_that_were_never_offered_are_never_sent` |
//! | RFC 4568 §4, §6.1, §6.3, §9 | `a=crypto`: keys, lifetimes, key names, session parameters | `sdp/crypto.rs` | `lines_are_read_as_the_grammar_has_them`, `a_key_has_exactly_the_length_of_its_suite` |
//! | RFC 4568 §5.1 | offering and answering keys | `sdp/audio_session.rs` | `sdp/tests/crypto.rs` |
//! | RFC 4568 §5.1.2, §7.1 | neither side opens what the other secures | `sdp/audio_session.rs` | `what_one_side_secures_the_other_may_not_leave_open` |
//! | RFC 6188 §4 | the suite of 256 bits | `srtp/suite.rs` | `a_known_packet_of_the_long_key_is_made_and_read` |
//! | RFC 3711 §3.1 | the key's name in a packet | `srtp/receiver.rs` | `the_name_of_a_key_is_taken_out_and_must_be_right` |
//! | RFC 3711 §3.3, §3.4, §4, B.3 | protection of RTP and RTCP | `srtp/` | `known_packets_are_made_and_read`, `no_changed_bit_is_taken_…` |
//! | RFC 3711 §3.3.1, A | roll-over counter, kept under new keys | `srtp/window.rs`, `srtp/source.rs` | `sequence_numbers_roll_over_…`, `new_keys_take_over_…` |
//! | RFC 3711 §3.3.2 | replay windows | `srtp/window.rs` | `a_replay_of_everything_has_no_effect` |
//! | RFC 3605 | `a=rtcp` | `sdp/description.rs` | `ipv6_a_line_s_own_address_and_rtcp_elsewhere` |
//! | RFC 3550 §5.1, §6.4, A.1, A.3, A.8 | RTP, reports, loss, jitter | `rtp/` | beside each |
//! | RFC 3550 §5.1 | another stream's packets in ours, each number once | `rtp/relay.rs` | `numbers_go_on_…`, `a_storm_of_numbers_sends_none_twice` |
//! | RFC 3389 §3 | comfort noise: level and colour | `comfort_noise/shape.rs` | `a_payload_says_level_and_colour`, `a_pause_sounds_like_the_far_end_s_background` |
//! | RFC 3550 A.1 | two packets in a row before a stream begins anew | `jitter/timeline.rs` | beside it |
//! | RFC 3551 §4.1 | marker bit; a gap in time alone is silence | `jitter/buffer.rs` | `a_gap_in_time_without_a_gap_in_numbers_is_silence`, `a_marker_begins_anew_at_once` |
//! | RFC 3551 §4.5.2, §4.5.14, §6 | G.722 and its clock, G.711, static payload types | `sdp/codec.rs` | `static_payload_types_need_no_rtpmap`, `rtpmap_is_read_…` |
//! | RFC 8866 §6.4 | packet lengths, 10 to 60 ms | `sdp/media_target.rs`, `coder.rs` | `packet_lengths_are_what_is_asked_for_…`, `the_longest_packet_goes_before_…` |
//! | RFC 4733 §2.1, §2.3, §2.5, §3.2 | keys as events, under the clock of the voice | `telephone_event/`, `sdp/audio_session.rs` | beside each, `keys_are_sent_under_the_clock_…` |
//! | RFC 6716 §2.1.4, §3.1, §3.2.5 | Opus: packet lengths, how long a packet plays | `opus/toc.rs`, `coder.rs` | `each_configuration_is_as_long_as_table_2_says` |
//! | RFC 6716 §2.1.7, §3.2, §4.2.3, §4.2.4 | redundancy of Opus | `opus/redundancy.rs` | `redundancy_is_where_somebody_spoke_and_nowhere_else` |
//! | RFC 7587 §3.1.3, §4.1, §6.1, §7 | Opus on RTP: DTX, its 48 kHz clock, what `a=fmtp` says | `opus/mod.rs`, `sdp/opus_parameters.rs` | `silence_is_skipped_…`, `what_is_said_of_opus_is_kept_to` |
//! | ITU-T G.711 | both laws | `g711.rs` | all 65 536 samples against the tables |
//! | ITU-T G.722 §3, §4, tables 4 to 21 | sub-band ADPCM at 64 kbit/s | `g722/` | `it_is_bit_exact_against_an_independent_implementation` |
//! | ITU-T G.711 appendix I | concealment (after it) | `concealment/` | beside it |
//! | ITU-T E.180 supplement 2 | ringing, busy and congestion tones by country | `tone/national.rs` | `tone/cadence.rs` |
//! | RFC 3533 §6, RFC 7845 §4, §5 | music and prompts from Ogg Opus | `sound/ogg.rs` | `sound/tests.rs` |
//! | ITU-T Q.23, Q.24 | tones of keys, hearing them | `key.rs`, `key_detector.rs` | `key_detector/tests.rs` |
//! | ITU-T G.107, G.109, G.113 | ratings, opinion scores, classes | `quality/` | beside each |
//! | RFC 3611 §3, §4.4, §4.5, §4.7 | extended reports, voice metrics, bursts and gaps | `rtp/extended.rs`, `rtp/voice_metrics.rs`, `rtp/bursts.rs` | beside each |
//! | RFC 6464 | audio levels in a header extension | `level.rs` | `levels_are_written_in_a_byte_and_read_back` |

// What the fuzz targets check is checked in tests of this crate too, and it calls the crate by its name.
#[cfg(test)]
extern crate self as housecall_media;

pub mod coder;
mod comfort_noise;
mod concealment;
mod frame;
pub mod g711;
pub mod g722;
pub mod jitter;
mod key;
mod key_detector;
mod level;
mod limiter;
pub mod mixer;
mod noise;
pub mod opus;
mod pace;
mod pitch;
pub mod playout;
pub mod quality;
mod resample;
pub mod rtp;
pub mod sdp;
pub mod sound;
pub mod srtp;
mod tape;
pub mod telephone_event;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod time_scale;
pub mod tone;

pub use comfort_noise::{Background, ComfortNoise, NoiseShape};
pub use concealment::Concealment;
pub use frame::{FRAME_MS, FRAME_SAMPLES, Frame, Rate, SAMPLE_RATE, SILENCE};
pub use jitter::JitterBuffer;
pub use key::Key;
pub use key_detector::KeyDetector;
pub use level::{AudioLevel, Dbfs, dominant_frequency, dominant_frequency_at, level, level_at};
pub use limiter::Limiter;
pub use noise::NoiseSuppressor;
pub use opus::{OpusDecoder, OpusEncoder};
pub use pace::{Due, Pace};
pub use playout::Playout;
pub use sound::Sound;
pub use tone::{Cadence, HoldMusic, KeyTone, Sine, Tones};
