//! Makes one phone call.
//!
//! A [`Call`] takes SIP messages and the user's verbs, and says which messages to send and what happened. It has no socket
//! and no clock. SIP and SDP meet here: `sip` carries bodies that it does not read, `media` reads bodies and knows no header.
//!
//! ```text
//!      ┌─ next route: 503, silence, out of reach; nobody has heard it ring. The same once more: SRTP refused, redirected
//!      ▼           │
//!   Dialing ───18x─┴──────► Ringing ─────2xx──────► Talking ──┐ hold, resume: re-INVITE
//!      │  └──────────────────┼───────2xx───────────►│  ▲──────┘ theirs: answered at once
//!      │                     │                      │
//!      │ refused, hang_up, ring limit, silence      │ BYE of either side, media lost
//!      ▼                     ▼                      ▼
//!    Ended ◄────────────────────────────────────────┘
//! ```
//!
//! | source | rule | file | test |
//! |---|---|---|---|
//! | RFC 3261 §8.1.1.4, §21.5.4 | another route: who, when, under another Call-ID | `call/failover.rs`, `call/attempt.rs` | `tests/routes.rs`: a_trunk_that_is_unavailable_gives_way, the_called_side_s_word_is_final, a_phone_that_rang_is_not_rung_by_another_trunk |
//! | RFC 3261 §8.1.1.4, §17.1.1.2 | the last route within 5 s; how long it may be silent | `call/failover.rs`, `call/dialing.rs` | `tests/silence.rs`: the_last_of_several_is_tried_within_5_s_however_many_are_silent, the_last_route_is_given_up_after_64_t1_with_words |
//! | RFC 3261 §8.1.3.4 | a redirect: to another number, never to another host | `call/redirect.rs` | `tests/redirects.rs`: another_number_is_called_on_the_same_trunk, a_redirect_leads_nowhere_that_a_person_could_not_call |
//! | RFC 3261 §9, §15 | hang up at any moment | `call.rs`, `call/ringing.rs` | `tests/conversations.rs`: hanging_up_while_it_rings_is_a_cancel, no_call_is_stuck_on_a_bad_network; `tests/routes.rs`: hanging_up_ends_every_attempt |
//! | RFC 3261 §12.1, §13.2.2.4 | the sound of each fork; the answer says whose call it is | `call/forks.rs` | `tests/forks.rs`: an_answer_without_a_description_means_its_own_fork, the_description_of_the_answer_counts_whatever_came_before |
//! | RFC 3261 §14.1 | holds that meet | `call/talking.rs` | `tests/conversations.rs`: two_holds_that_meet_both_come_about |
//! | RFC 3261 §14.2 | their re-INVITE, with or without an offer; one that we do not speak | `call/talking.rs`, `call/line.rs` | `tests/descriptions.rs`: the_ack_of_a_reinvite_without_an_offer_brings_the_answer, a_reinvite_that_we_do_not_speak_changes_nothing |
//! | RFC 3261 §18.1.1 | INVITEs that fit into a datagram; what becomes of others | `trunk.rs`, `call/attempt.rs` | `tests/conversations.rs`: the_invite_says_who_calls_whom |
//! | RFC 3261 §19.1.1 | `user=phone`, E.164 | `identity.rs`, `number.rs` | `tests/conversations.rs`: the_invite_says_who_calls_whom |
//! | RFC 3261 §22 | a password that is refused | `outcome.rs` | `tests/conversations.rs`: the_trunk_challenges, a_password_that_is_refused_has_words_of_its_own |
//! | RFC 3264 §6, §6.1, §8.2; 5621 §3 | descriptions of all sorts | `call/line.rs` | `tests/descriptions.rs`: answers_of_all_sorts_make_a_call, an_answer_among_other_parts_is_found, every_line_of_a_reinvite_is_answered |
//! | RFC 3264 §8, §8.4 | hold and resume, of either side and of both; the version of o= | `call/talking.rs` | `tests/conversations.rs`: p4_hold_then_resume; `tests/descriptions.rs`: a_hold_of_theirs_is_answered_with_its_counterpart; `tests/holds.rs`: both_hold_and_each_lets_go_of_its_own |
//! | RFC 3264 §8.4; RFC 1112 §4, 1122 §3.2.1.3, 4291 §2.5 | where sound may go | `call/scope.rs` | `tests/addresses.rs`: row_20_an_answer_that_leads_nowhere_is_hung_up, row_20_the_unspecified_address_is_a_hold |
//! | RFC 3264 §8.4 | no sound is missed while either side holds | `call/talking.rs` | `tests/holds.rs`: no_sound_is_missed_while_either_side_holds |
//! | RFC 3311 §5.2 | UPDATE, before the answer too | `call/ringing.rs`, `call/talking.rs` | `tests/forks.rs`: an_early_update_moves_the_sound_for_good; `tests/descriptions.rs`: an_update_moves_the_sound_of_a_call |
//! | RFC 3323 §4.1, RFC 3325 §9.3 | a caller id that is withheld | `identity.rs` | `tests/settings.rs`: a_withheld_number_stands_in_one_place_only |
//! | RFC 3325 §9.1, §9.2 | caller id in P-Asserted-Identity or P-Preferred-Identity | `identity.rs` | a_registrar_sees_the_account_and_the_number_beside_it; `tests/conversations.rs`: the_invite_says_who_calls_whom |
//! | RFC 3326, Q.850 | why a call was not connected | `outcome.rs`, `overrides.rs`, `cause.rs` | the_network_knows_better, causes_of_the_telephone_network, `statuses`, what_the_network_said_is_kept; `tests/settings.rs`: a_trunk_s_own_meaning_of_a_cause_goes_first |
//! | RFC 3711 §9.1, 4568 §7 | SRTP off, preferred or required; a key for each attempt; never down without a word | `call/failover.rs`, `secret.rs` | `tests/settings.rs`: srtp_is_offered_and_taken, srtp_preferred_falls_back_by_a_second_invite_and_says_so, an_answer_that_refuses_srtp_is_hung_up_and_asked_again_in_the_open, srtp_required_ends_a_call_that_is_answered_without |
//! | RFC 3960 §3.2 | early sound beside ringing | `call/ringing.rs` | `tests/descriptions.rs`: ringing_and_early_sound_come_in_either_order; `tests/conversations.rs`: p3_early_sound_is_heard |
//! | RFC 4028 §7.4, §10 | the session is refreshed by a re-INVITE that changes nothing; a lost BYE is found out | `call/talking.rs` | `tests/holds.rs`: the_session_is_refreshed_by_what_was_said_last, a_lost_bye_is_found_out_by_the_session_timer |
//! | RFC 4733 §2.4.2 | keys as events, on the clock of the voice | `call/talking.rs` | `tests/descriptions.rs`: keys_are_events_on_the_clock_of_the_voice |
//! | RFC 5806, 7044, 8224 | Diversion, History-Info, Identity passed through | `headers.rs` | `tests/settings.rs`: headers_of_the_trunk_and_of_the_caller_go_out, a_header_that_would_smuggle_another_is_refused_before_anything_is_sent |
//! | RFC 6086, `application/dtmf-relay` | keys by INFO, both ways | `call/key_info.rs`, `call/talking.rs` | `tests/holds.rs`: keys_by_info_where_the_trunk_takes_no_events, keys_that_the_other_side_tells_of_by_info_are_heard, the_trunk_s_settings_decide_how_keys_are_pressed |
//! | RFC 6228 §4 | a fork that has ended | `call/ringing.rs`, `call/forks.rs` | `tests/forks.rs`: a_fork_that_ends_gives_its_place_to_the_one_before |
//! | P6 | which numbers may be called | `number.rs`, `destination.rs`, `country.rs` | beside them; `tests/settings.rs`: p6_no_emergency_number_comes_about_by_a_prefix |
//! | P7 | ring limit; what was not answered costs nothing | `call.rs`, `outcome.rs` | p7_what_was_not_answered_costs_nothing; `tests/conversations.rs`: p7_it_rings_for_45_seconds |
//! | the providers' own documentation | presets | `preset.rs` | sound_is_encrypted_where_signalling_is, teams_sees_our_name_in_from_and_contact |
//!
//! ```
//! use std::time::Instant;
//! use housecall_phone::{Call, Country, DestinationPolicy, Dial, Event, Number, Outcome, Output, Route, Trunk};
//! use housecall_sip::Peer;
//!
//! let policy = DestinationPolicy::domestic(Country::Au);
//! let to = policy.read("0491 570 006")?;
//! let peer = Peer::udp("127.0.0.1:5070".parse()?);
//! let now = Instant::now();
//! let route = Route::new(Trunk::new("Carrier", "sip.carrier.test"), peer);
//! let caller_id = Number::parse("02 5550 0142", Country::Au)?;
//! let (contact, media) = ("127.0.0.1:5060".parse()?, "127.0.0.1:40000".parse()?);
//! let mut call = Call::dial(now, Dial::new(vec![route], caller_id, to, contact, media, 1))?;
//! assert!(matches!(call.poll_output(), Some(Output::CallId(_))));
//! assert!(matches!(call.poll_output(), Some(Output::SendSip { to, .. }) if to == peer));
//! call.hang_up(now);
//! let Some(Output::Event(Event::Ended(ended))) = call.poll_output() else { panic!() };
//! assert_eq!(ended.outcome, Outcome::Cancelled);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod call;
mod cause;
mod country;
mod destination;
mod headers;
mod identity;
mod number;
mod outcome;
mod overrides;
mod preset;
mod secret;
mod trunk;

#[cfg(test)]
mod tests;

pub use call::{
    BadTrunk, Call, Dial, Ended, Event, Input, Output, RouteFailure, Side, WrongMoment,
};
pub use cause::RawCause;
pub use country::Country;
pub use destination::{DestinationPolicy, DestinationRefused};
pub use headers::BadHeader;
pub use identity::{Asserted, Identity, NumberFormat, Privacy};
pub use number::{Number, NumberError};
pub use outcome::Outcome;
pub use overrides::{Override, Overrides};
pub use preset::Preset;
pub use secret::Secret;
pub use trunk::{DtmfMode, Redirects, Route, SrtpPolicy, Trunk};

/// How requests go to a trunk that are too large for a datagram.
pub use housecall_sip::user_agent::LargeRequests;

/// What crosses the edge of a [`Call`]: whoever carries its messages needs no more of SIP than this.
pub use housecall_sip::{Message, Peer};
