//! Joins a browser to a phone call.
//!
//! A [`Bridge`] owns one phone call (`housecall_phone`), the connection of the browser that makes it (`housecall_browser`), and the way
//! of the sound between them ([`MediaPath`]). It does no input or output: it is told what came, and says what to send.
//!
//! ```text
//!                 ┌───────────────────── the same codec: straight through ────────────────┐
//!   browser ─► Peer ─► jitter buffer ─► decode ─► gate ─► packets of 10 to 60 ms ─► encode ─► RTP ─► SRTP, if agreed ─► phone
//!                                                  │
//!                             mute: silence ───────┤
//!                             hold: music, keys ───┘
//!
//!                 ┌───────────────────── the same codec: straight through ────────────────┐
//!   browser ◄─ Peer ◄─ encode ◄─ gate ◄─ decode ◄─ jitter buffer ◄────────── source lock ◄─ RTP ◄─ SRTP, if agreed ◄─ phone
//!                                  │
//!                 hold: silence ───┤
//!                 ringing: tone ───┘ until the phone is heard, early or answered
//!
//!   SIP ⇄ Call: Ringing, EarlyMedia(target), Answered(target), MediaChanged(target), Held, Resumed, Ended
//! ```
//!
//! Each direction is coded at the rate of the narrower leg, 8 or 16 kHz, so nothing is resampled, and has one jitter buffer. A frame is due
//! every 20 ms (10 where the phone wants packets of an odd number of those) by absolute deadlines; after a stall at most 60 ms are made at
//! once. The RTP stream to the phone is one for as long as its clock is: its numbers go on through mute, hold, and whatever goes straight
//! through.
//!
//! The phone's half of that is a [`PhoneLeg`], the call with its path: a bridge puts a browser to it, a seat in a room (V13) takes it as it is.
//!
//! The path alone carries sound between a phone and an [`EarPacket`] port, without a browser:
//!
//! ```
//! use std::time::{Duration, Instant};
//! use housecall_bridge::{MediaPath, PathOptions, PathOutput};
//! use housecall_media::sdp::{AudioSession, Codec, Description, Direction};
//!
//! // What the phone answered to our offer.
//! let ours = AudioSession::new(1, "192.0.2.10:40000".parse()?, &[Codec::Pcma, Codec::TelephoneEvent]);
//! let answer = Description::parse(b"v=0\r\nc=IN IP4 198.51.100.7\r\nm=audio 49170 RTP/AVP 8\r\n")?;
//! let target = ours.agreed(&answer, Direction::SendRecv)?;
//!
//! let start = Instant::now();
//! let mut path = MediaPath::new(start, PathOptions::new("AU", 42))?;
//! path.target(start, target);
//! path.answered(start);
//! path.handle_timeout(start + Duration::from_millis(20));
//! let PathOutput::Rtp { to, bytes } = path.poll_output().ok_or("a frame is due")? else {
//!     return Err("the phone's frame comes first".into());
//! };
//! assert_eq!(to.to_string(), "198.51.100.7:49170");
//! assert_eq!(bytes.len(), 12 + 160);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | source | what of it | file | test |
//! |---|---|---|---|
//! | RFC 3264 §8.4 | hold: music to a `sendonly`, nothing to an `inactive` phone | `path/media_path.rs` | `hold_plays_music_…`, `a_phone_that_holds_us_…` |
//! | RFC 3264 §6.1 | any agreed payload type may come at any time | `path/to_browser.rs` | `both_hear_each_other_in_either_law`, `a_phone_may_speak_another_…` |
//! | RFC 3264 §8.3.2 | another codec in the middle of the call | `path/to_phone.rs`, `path/playout.rs` | `the_codec_changes_in_the_middle_of_the_call` |
//! | RFC 7160 §4.1 | a stream has one clock; another clock is another stream | `path/to_phone.rs` | `the_codec_changes_in_the_middle_of_the_call` |
//! | RFC 8866 §6.4 | packets as long as the phone asks, of any length from it | `path/packer.rs`, `media/src/pace.rs` | `both_hear_each_other_in_every_codec_and_packet_length` |
//! | RFC 3550 §5.1 | one stream, numbers that go on, whoever made the packets | `path/to_phone.rs`, `path/straight.rs` | `hold_plays_music_…`, `hold_mute_and_keys_come_in_between_…` |
//! | RFC 3711 §9.1 | no number is used twice, whatever goes straight through | `path/straight.rs` | `no_number_is_sent_twice_to_the_browser` |
//! | RFC 7587 §3.1.3, §6.1 | DTX and bit rate as browser and phone want them | `ear.rs`, `path/packer.rs` | `silence_is_not_sent_…`, `opus_is_encoded_anew_…` |
//! | RFC 3389 | comfort noise is a pause | `path/to_browser.rs` | `comfort_noise_is_a_pause` |
//! | RFC 3550 §6 | reports, round trip, BYE | `path/media_path.rs` | `reports_go_out_and_the_round_trip_is_measured` |
//! | RFC 3551 §4.1 | marker after a pause | `path/to_phone.rs` | `a_phone_that_holds_us_…` |
//! | RFC 3264 §8.4 | who holds us is told; nobody's hold is a broken call | `bridge.rs`, `path/phone.rs` | `the_other_side_holds_…`, `a_phone_that_vanishes_is_missed` |
//! | RFC 3711 §3.3.1 | SRTP's numbers go on through hold and new keys | `path/protection.rs` | `a_hold_goes_on_with_its_numbers`, `a_later_answer_s_new_key_takes_over` |
//! | RFC 3711 §3.3 | nothing is learned before authentication, however much is forged or replayed | `path/media_path.rs` | `path/tests/incidents.rs` |
//! | RFC 3960 §3.2 | ringing tone while no early sound comes | `path/to_browser.rs` | `the_caller_hears_the_country_s_ringing_…`, `the_ringing_comes_back_…` |
//! | RFC 3960 §3.2 | of several forks' early sound, the latest named | `path/phone.rs`, `path/source.rs` | `another_fork_s_early_sound_is_not_heard`, `an_address_named_before_teaches_nothing` |
//! | RFC 4733, ITU-T Q.24 | keys pressed at the phone, as events or, where there are none, as tones | `path/heard_keys.rs` | `path/tests/heard_keys.rs` |
//! | RFC 4733 | keys, exactly once each, under the clock of the codec in use | `path/keys.rs` | `keys_are_exact_under_loss_and_disorder`, `keys_are_exact_in_every_codec_…` |
//! | RFC 4961 | symmetric RTP, learned and locked | `path/source.rs` | `strangers_wrong_payload_types_…`, `row_1_a_spray_from_three_addresses_…` |
//! | RFC 3611 §4.5, §4.7 | extended reports, to whoever sends them | `path/media_path.rs` | `path/tests/quality.rs` |
//! | ITU-T G.107, product rule P5 | how both directions sound, once a second | `path/quality.rs` | `path/tests/quality.rs` |
//! | product rule P4 | hold, mute, keypad | `bridge.rs` | `src/tests.rs` |

mod bridge;
mod dialled;
mod ear;
mod io;
mod options;
mod path;
mod phone_leg;

#[cfg(test)]
mod tests;

pub use bridge::Bridge;
pub use io::{BridgeEvent, Input, Output, PhoneOutput};
pub use options::{BridgeOptions, DialRefused, Error};
pub use path::{
    Ear, EarFrame, EarPacket, Levels, MediaPath, MediaStats, PathOptions, PathOutput, Quality,
};
pub use phone_leg::{LegOutput, PhoneLeg};
