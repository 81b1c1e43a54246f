//! Strangers at the SIP port while a call has sound (reliability §2, §7): both sides hear each other throughout and afterwards, and no
//! stranger hears from us. The benchmark `sip_flood` does the same at full strength.
//!
//! What has broken other people's telephony in the field, as far as it concerns the telephone side of this engine, and the tests that stand
//! for each class; most begin with the number of the row.
//!
//! | row | class of bug | where | test |
//! |---|---|---|---|
//! | 1 | RTP Bleed: the media address is learned from any packet (CVE-2017-14099) | `bridge/src/path/source.rs` | `bridge/src/path/tests/incidents.rs`: row_1_a_spray_from_three_addresses_gets_nothing_and_is_not_heard; in a room `tests/phone_seat.rs`: v13_strangers_at_the_phone_s_port_are_neither_heard_nor_answered |
//! | 2 | it is learned before SRTP is checked (CVE-2025-53399) | `bridge/src/path/source.rs` | `bridge/src/path/tests/incidents.rs`: row_2_nothing_is_learned_before_authentication_and_little_without_it, row_2_a_secured_call_has_no_open_packet_in_either_direction; in a room as row 1 |
//! | 3 | SRTP errors end the call (CVE-2021-41105) | `media/src/srtp/` | `bridge/src/path/tests/incidents.rs`: row_3_forged_srtp_never_ends_a_call |
//! | 4 | a replay ends the call (CVE-2021-26712) | `media/src/srtp/window.rs` | `bridge/src/path/tests/incidents.rs`: row_4_a_replay_of_the_whole_stream_has_no_effect |
//! | 6 | a foreign challenge gets a digest (CVE-2021-41158) | `sip/src/user_agent/sending.rs`, `sip/src/digest/challenge.rs` | `sip/src/user_agent/tests/challenges.rs`: `row_6_…`; the peers, with SIPp |
//! | 7 | endless INVITEs while the nonce changes (CVE-2020-28242) | `sip/src/user_agent/sending.rs` | `sip/src/user_agent/tests/challenges.rs`: `row_7_…`; the peers, with SIPp |
//! | 8 | a challenge to what was never asked (CVE-2014-2288) | `sip/src/user_agent/responses.rs` | `sip/src/user_agent/tests/challenges.rs`: `row_8_…` |
//! | 9 | a flood fills the memory (CVE-2021-41145) | `shard/sip/strangers.rs`, `shard/stray.rs` | `tests/hostile.rs`: `row_9_…`; `shard/sip/tests/hostile.rs`: row_9_and_10_a_flood_is_not_answered; the benchmark |
//! | 10 | MESSAGE and SUBSCRIBE of anybody (CVE-2021-37624, CVE-2025-47779) | `shard/sip/strangers.rs`, `shard/stray.rs` | `tests/hostile.rs`: row_9_and_10_a_flood_is_neither_heard_nor_answered; the peers, with sipvicious |
//! | 11 | headers that overflow (CVE-2017-9372, CVE-2018-7284, CVE-2018-8828) | `sip/src/header/cseq.rs`, `sip/src/message/` | `sip/src/tests/incidents.rs`: `row_11_…`; fuzz `sip_message` |
//! | 12 | bad SDP formats (CVE-2018-1000098) | `media/src/sdp/` | `media/src/sdp/tests/mod.rs`: formats_that_were_never_offered_are_never_sent, damaged_descriptions_never_panic; fuzz `sdp` |
//! | 13 | races under repeated INVITEs and TLS churn (CVE-2018-7286, CVE-2020-28327, CVE-2021-32686) | `shard/sip/listener.rs`, `sip/src/user_agent/requests.rs` | `tests/hostile.rs`: `row_13_…`; `shard/sip/tests/hostile.rs`: row_13_tls_connections_that_come_and_go; the benchmark |
//! | 14 | idle connections (AST-2016-005) | `shard/sip/listener.rs` | `tests/hostile.rs`: `row_14_…`; `shard/sip/tests/hostile.rs`: row_14_two_thousand_silent_connections |
//! | 15 | smuggled headers, lenient blanks (CVE-2020-28361) | `sip/src/message/index.rs`, `sip/src/builder/head.rs` | `sip/src/tests/incidents.rs`: `row_15_…` |
//! | 16 | the digest parser (CVE-2023-28098) | `sip/src/digest/challenge.rs` | `sip/src/tests/digest.rs`: row_16_no_challenge_is_too_odd; fuzz `digest_challenge` |
//! | 17 | RTP, RTCP and multipart read past the end (CVE-2022-21722, CVE-2022-21723) | `sip/src/message/multipart.rs`, `media/src/rtp/` | `sip/src/tests/multipart.rs`: `row_17_…`; `media/src/rtp/packet.rs`: no_bytes_make_it_panic; `media/src/rtp/report.rs`: no_bytes_make_it_panic; `bridge/src/path/tests/incidents.rs`: `row_17_…`; fuzz `rtp_rtcp` |
//! | 18 | arithmetic on packet lengths (CVE-2026-29068) | `media/src/sdp/` | `media/src/sdp/tests/mod.rs`: packet_lengths_are_what_is_asked_for_within_10_to_60_ms_and_nonsense_is_20; `bridge/src/path/tests/incidents.rs`: `row_18_…` |
//! | 19 | a Content-Length that is believed, a line without end (CVE-2026-23457) | `sip/src/framing.rs`, `shard/sip/connection.rs` | `sip/src/tests/incidents.rs`: `row_19_…`; `tests/hostile.rs`: `row_19_…`; `shard/sip/tests/hostile.rs`: row_19_content_lengths_that_lie, row_19_an_endless_line |
//! | 20 | a relay that is led to itself, its machine or its link (CVE-2020-26262, CVE-2026-27624) | `phone/src/call/scope.rs` | `phone/src/tests/addresses.rs`: `row_20_…` |
//! | 24 | feedback whose counts lie (libFuzzer on Janus) | `media/src/rtp/report.rs` | `bridge/src/path/tests/incidents.rs`: `row_24_…`; fuzz `rtp_rtcp` |
//! | 25 | sound before consent (Project Zero 2021) | `phone/src/call.rs` | `phone/src/tests/conversations.rs`: row_25_no_sound_flows_before_it_is_agreed |
//! | 29 | hostile text in logs and reports (CVE-2021-1000004) | `phone/src/cause.rs` | `phone/src/cause.rs`: row_29_hostile_text_is_tamed |
//! | 35 | toll fraud | `dial.rs`, `limits.rs` | `tests/trunks.rs`: row_35_toll_fraud_is_stopped_before_any_invite_leaves |

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread;
use std::time::Duration;

use housecall_carrier::{Stage, stranger};
use rcgen::generate_simple_self_signed;

use super::browser::{Browser, Offering, VOICE_HZ};
use super::world::{World, shows, until, within};
use crate::sip::OwnCertificate;
use crate::{Dialed, EngineOptions, Talking};

const TONE: &str = "0491 570 157";
const TONE_HZ: f32 = 1004.0;
/// Messages of a flood, 10,000 a second of them.
const FLOOD: usize = 5_000;

/// A call in which both are heard, at an engine whose port is known.
struct Siege {
    world: World,
    call: Talking,
    browser: Browser,
    port: SocketAddr,
}

impl Siege {
    async fn begin(change: impl FnOnce(&mut EngineOptions)) -> Self {
        let port = free_port();
        let world = World::new(100, |options| {
            options.sip_port = port.port();
            change(options);
        })
        .await;
        let offering = Offering::new().await;
        let dialing = world.dial(TONE, &offering.offer).await.unwrap();
        let browser = offering.accept(dialing.answer());
        let Some(Dialed::Answered(call)) = within(dialing.answered()).await else {
            panic!("not answered");
        };
        let mut siege = Self {
            world,
            call,
            browser,
            port,
        };
        siege.both_hear().await;
        siege
    }

    /// Waits until each side has heard the other's tone for a while from now on.
    async fn both_hear(&mut self) {
        let before = self.browser.noticed.borrow().packets;
        let near =
            |heard: Option<f32>, hertz: f32| heard.is_some_and(|heard| (heard - hertz).abs() < 5.0);
        shows(&mut self.browser.noticed, "the tone", |it| {
            it.packets > before + 25 && near(it.heard_hz, TONE_HZ)
        })
        .await;
        let far = |world: &World| world.carrier.report().last_to(TONE).cloned().unwrap();
        let before = far(&self.world).packets;
        until("our voice", || {
            let far = far(&self.world);
            (far.packets > before + 25 && near(far.sound.frequency_hz, VOICE_HZ)).then_some(())
        })
        .await;
    }

    /// Lets `attack` happen while both talk.
    async fn withstands<T: Send + 'static>(
        mut self,
        attack: impl FnOnce(SocketAddr) -> T + Send + 'static,
    ) -> T {
        let port = self.port;
        let attack = thread::spawn(move || attack(port));
        while !attack.is_finished() {
            self.both_hear().await;
        }
        let attacked = attack.join().unwrap();
        self.both_hear().await;
        self.call.controls().hang_up();
        let record = within(self.call.ended()).await.unwrap();
        assert_eq!(record.outcome, "completed");
        self.world
            .far_end(TONE, "the end", |call| call.stage == Stage::Ended)
            .await;
        attacked
    }
}

/// A port that is free for datagrams and for connections.
fn free_port() -> SocketAddr {
    loop {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = udp.local_addr().unwrap();
        if TcpListener::bind(port).is_ok() {
            return port;
        }
    }
}

fn only_the_carrier(options: &mut EngineOptions) {
    options.sip.allowed = vec![IpAddr::V4(Ipv4Addr::LOCALHOST).into()];
}

/// Sends the flood from two addresses. Returns how many answers came.
fn flood(port: SocketAddr) -> usize {
    let scanners = [6, 7].map(|last| {
        let scanner = UdpSocket::bind((Ipv4Addr::new(127, 66, 0, last), 0)).unwrap();
        scanner.set_nonblocking(true).unwrap();
        scanner
    });
    for n in 0..FLOOD {
        let scanner = &scanners[n % 2];
        let message = stranger(n, scanner.local_addr().unwrap());
        // A full socket is the flood's loss.
        let _ = scanner.send_to(&message, port);
        if n % 100 == 0 {
            thread::sleep(Duration::from_millis(10));
        }
    }
    thread::sleep(Duration::from_millis(300));
    let answers = scanners
        .iter()
        .map(|scanner| std::iter::from_fn(|| scanner.recv_from(&mut [0; 2_048]).ok()).count());
    answers.sum()
}

/// CVE-2021-41145, CVE-2021-37624, CVE-2021-41157, CVE-2025-47779: not one answer, where it is known who the carrier is.
#[tokio::test]
async fn row_9_and_10_a_flood_is_neither_heard_nor_answered() {
    let siege = Siege::begin(only_the_carrier).await;
    assert_eq!(siege.withstands(flood).await, 0);
}

/// The same without a list: a first run answers strangers, but few of them.
#[tokio::test]
async fn row_9_a_flood_at_an_open_port_gets_few_answers_and_is_not_heard() {
    let siege = Siege::begin(|_| {}).await;
    let answers = siege.withstands(flood).await;
    // Two sources: a burst of ten each, and two a second after that.
    assert!((1..=2 * (10 + 2 * 4)).contains(&answers), "{answers}");
}

/// CVE-2018-7286, CVE-2020-28327, CVE-2021-32686: connections dropped in every state of a TLS handshake.
#[tokio::test]
async fn row_13_a_churn_of_tls_connections_is_not_heard() {
    let siege = Siege::begin(|options| options.sip.tls.own = Some(certificate())).await;
    siege
        .withstands(|port| {
            // The beginning of a ClientHello of 512 bytes that never comes whole.
            let hello = [&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3][..], &[7; 100]].concat();
            for n in 0..500 {
                let mut stream = TcpStream::connect(port).unwrap();
                // Whether it is let in is the limit's business.
                let _ = stream.write_all(&hello[..n % hello.len()]);
            }
        })
        .await;
}

/// AST-2016-005: connections that say nothing.
#[tokio::test]
async fn row_14_silent_connections_are_not_heard() {
    let siege = Siege::begin(|_| {}).await;
    siege
        .withstands(|port| {
            let silent: Vec<_> = (0..500).map(|_| TcpStream::connect(port)).collect();
            thread::sleep(Duration::from_millis(500));
            assert!(silent.iter().all(Result::is_ok));
        })
        .await;
}

/// CVE-2026-23457, mjSIP 39: lengths that lie and lines that never end, from the carrier's own address.
#[tokio::test]
async fn row_19_lies_about_lengths_are_not_heard() {
    let siege = Siege::begin(only_the_carrier).await;
    siege
        .withstands(|port| {
            for length in ["4294967328", "4000000000", "-1", "99999999999999999999999"] {
                let mut liar = TcpStream::connect(port).unwrap();
                let head =
                    format!("OPTIONS sip:us@127.0.0.1 SIP/2.0\r\nContent-Length: {length}\r\n\r\n");
                liar.write_all(head.as_bytes()).unwrap();
                fill(liar);
            }
            fill(TcpStream::connect(port).unwrap());
        })
        .await;
}

/// Writes until the other side has had enough, which must be soon.
fn fill(mut stream: TcpStream) {
    let mut written = 0;
    while let Ok(bytes) = stream.write(&[b'A'; 16 * 1024]) {
        written += bytes;
        assert!(written < 64 * 1024 * 1024, "never closed");
    }
}

fn certificate() -> OwnCertificate {
    let own = generate_simple_self_signed(["us.example.com".to_owned()]).unwrap();
    OwnCertificate {
        chain_pem: own.cert.pem().into_bytes(),
        key_pem: own.signing_key.serialize_pem().into_bytes(),
    }
}
