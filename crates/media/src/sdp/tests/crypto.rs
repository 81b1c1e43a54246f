use super::*;
use crate::srtp::{Mki, SrtpKey, SrtpSuite, TheirKey};

fn plain() -> AudioSession {
    let codecs = [Codec::Pcma, Codec::Pcmu, Codec::TelephoneEvent];
    AudioSession::new(77, "192.0.2.10:40000".parse().unwrap(), &codecs)
}

fn key() -> SrtpKey {
    SrtpKey::random(std::array::from_fn(|n| n as u8))
}

fn secure() -> AudioSession {
    plain().with_srtp(SrtpOffer { local: key() })
}

fn read(text: &str) -> Description {
    Description::parse(text.as_bytes()).unwrap()
}

/// A description of the other side's, with lines below its audio line.
fn theirs(protocol: &str, lines: &[&str]) -> Description {
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    read(&format!(
        "v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\nm=audio 49170 {protocol} 8 101\r\n\
        a=rtpmap:101 telephone-event/8000\r\n{lines}"
    ))
}

/// RFC 4568's own example of a key, of 30 bytes (§4.1).
const KEY: &str = "inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR";
const LINE: &str =
    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR";

fn parse(rest: &str) -> Result<Crypto, BadCrypto> {
    Crypto::parse(rest)
}

#[test]
fn we_offer_one_key_under_rtp_savp_and_nothing_of_dtls() {
    let sdp = secure().offer(Direction::SendRecv);
    assert!(sdp.contains("m=audio 40000 RTP/SAVP 8 0 101\r\n"), "{sdp}");
    let keys: Vec<&str> = sdp.lines().filter(|l| l.starts_with("a=crypto")).collect();
    let inline = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd";
    assert_eq!(
        keys,
        [format!(
            "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{inline}"
        )]
    );
    for absent in ["fingerprint", "setup", "ice-", "rtcp-mux", "UDP/TLS"] {
        assert!(!sdp.contains(absent), "{sdp}");
    }
    let open = plain().offer(Direction::SendRecv);
    assert!(open.contains("RTP/AVP 8 0 101\r\n") && !open.contains("crypto"));
}

#[test]
fn an_answer_with_our_number_and_suite_agrees_on_both_keys() {
    let mut ours = secure();
    ours.offer(Direction::SendRecv);
    let target = ours
        .agreed(&theirs("RTP/SAVP", &[LINE]), Direction::SendRecv)
        .unwrap();
    let pair = target.srtp.unwrap();
    assert_eq!(pair.suite, SrtpSuite::Aes128Sha80);
    assert_eq!(pair.ours, key());
    let expected = SrtpKey::from_base64(pair.suite, &KEY["inline:".len()..]).unwrap();
    assert_eq!(
        pair.theirs,
        TheirKey {
            key: expected,
            mki: None
        }
    );
}

/// RFC 4568 §5.1.3.
#[test]
fn an_answer_to_something_else_is_refused() {
    let mut ours = secure();
    ours.offer(Direction::SendRecv);
    let agree = |lines: &[&str]| {
        let answer = theirs("RTP/SAVP", lines);
        match ours.agreed(&answer, Direction::SendRecv) {
            Err(NotAgreed::BadCrypto(why)) => why,
            other => panic!("{other:?}"),
        }
    };
    let other_tag = LINE.replace("crypto:1", "crypto:2");
    let other_suite = LINE.replace("SHA1_80", "SHA1_32");
    assert_eq!(agree(&[]), BadCrypto::Missing);
    assert_eq!(agree(&[&other_tag]), BadCrypto::NotOffered);
    assert_eq!(agree(&[&other_suite]), BadCrypto::NotOffered);
    assert_eq!(agree(&[LINE, &other_tag]), BadCrypto::NotOffered);
    assert_eq!(agree(&["a=crypto:1"]), BadCrypto::Malformed);
}

#[test]
fn what_one_side_secures_the_other_may_not_leave_open() {
    let offer = |session: AudioSession| {
        let mut session = session;
        session.offer(Direction::SendRecv);
        session
    };
    for protocol in ["RTP/AVP", "RTP/AVPF"] {
        // Even with a key beside it, which some write to say "if you like".
        for answer in [theirs(protocol, &[]), theirs(protocol, &[LINE])] {
            let agreed = offer(secure()).agreed(&answer, Direction::SendRecv);
            assert_eq!(agreed, Err(NotAgreed::Insecure));
            let answered = secure().answer(&answer, Direction::SendRecv);
            assert_eq!(answered, Err(NotAgreed::Insecure));
        }
    }
    for protocol in ["RTP/SAVP", "RTP/SAVPF"] {
        let answer = theirs(protocol, &[LINE]);
        let agreed = offer(plain()).agreed(&answer, Direction::SendRecv);
        assert_eq!(agreed, Err(NotAgreed::Secure));
        let answered = plain().answer(&answer, Direction::SendRecv);
        assert_eq!(answered, Err(NotAgreed::Secure));
    }
    let dtls = theirs("UDP/TLS/RTP/SAVP", &["a=fingerprint:sha-256 AA:BB"]);
    let nothing = Err(NotAgreed::NoAudio { media_lines: 1 });
    assert_eq!(secure().answer(&dtls, Direction::SendRecv), nothing);
}

/// RFC 4568 §5.1.2: the first line that we can use, its number, its suite, a key of our own.
#[test]
fn the_first_usable_key_of_an_offer_is_answered_with_its_number() {
    let offer = theirs(
        "RTP/SAVP",
        &[
            "a=crypto:1 AEAD_AES_256_GCM inline:AAAA",
            "a=crypto:7 AES_CM_128_HMAC_SHA1_80 inline:short",
            "a=crypto:8 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR UNENCRYPTED_SRTP",
            "a=crypto:9 AES_CM_128_HMAC_SHA1_32 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR|2^20|1:4 WSH=128",
            LINE,
        ],
    );
    let mut session = secure();
    let answer = session.answer(&offer, Direction::SendRecv).unwrap();
    let lines: Vec<&str> = answer
        .sdp
        .lines()
        .filter(|l| l.starts_with("a=crypto"))
        .collect();
    let inline = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd";
    assert_eq!(
        lines,
        [format!(
            "a=crypto:9 AES_CM_128_HMAC_SHA1_32 inline:{inline}"
        )]
    );
    assert!(answer.sdp.contains("RTP/SAVP 8 101\r\n"), "{}", answer.sdp);
    let pair = answer.target.srtp.unwrap();
    assert_eq!(pair.suite, SrtpSuite::Aes128Sha32);
    assert_eq!(pair.theirs.mki, Mki::new(1, 4));
    // A hold offers what is in force, so that the keys stay.
    let hold = session.offer(Direction::SendOnly);
    assert!(hold.contains(&format!(
        "a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:{inline}"
    )));
}

#[test]
fn an_offer_without_a_usable_key_says_why() {
    let refuse = |lines: &[&str]| secure().answer(&theirs("RTP/SAVP", lines), Direction::SendRecv);
    assert_eq!(refuse(&[]), Err(NotAgreed::BadCrypto(BadCrypto::Missing)));
    let gcm = "a=crypto:1 AEAD_AES_256_GCM inline:AAAA";
    let unknown = BadCrypto::UnknownSuite { chars: 16 };
    assert_eq!(refuse(&[gcm]), Err(NotAgreed::BadCrypto(unknown)));
}

#[test]
fn a_secure_line_is_chosen_beside_an_open_one() {
    let both = read(&format!(
        "v=0\r\nc=IN IP4 198.51.100.7\r\nm=audio 4000 RTP/AVP 8\r\nm=audio 4002 RTP/SAVP 8\r\n{LINE}\r\n"
    ));
    let ports = |session: AudioSession| {
        let mut session = session;
        let answer = session.answer(&both, Direction::SendRecv).unwrap();
        let lines = answer.sdp.lines().filter(|line| line.starts_with("m="));
        (
            answer.target.remote.port(),
            lines.map(str::to_owned).collect::<Vec<_>>(),
        )
    };
    let secured = ["m=audio 0 RTP/AVP 8", "m=audio 40000 RTP/SAVP 8"].map(str::to_owned);
    assert_eq!(ports(secure()), (4002, secured.to_vec()));
    let open = ["m=audio 40000 RTP/AVP 8", "m=audio 0 RTP/SAVP 8"].map(str::to_owned);
    assert_eq!(ports(plain()), (4000, open.to_vec()));
}

/// RFC 4568 §6.1, §9.1, §9.2; RFC 6188 §4.
#[test]
fn lines_are_read_as_the_grammar_has_them() {
    let ok =
        |rest: &str| parse(&format!("1 AES_CM_128_HMAC_SHA1_80 {KEY}{rest}")).map(|c| c.key.mki);
    for fine in [
        "",
        "|2^20",
        "|1048576",
        "|2^48",
        " WSH=64",
        " -SOMETHING=9",
        "|2^31 WSH=128 -X",
    ] {
        assert_eq!(ok(fine), Ok(None), "{fine}");
    }
    for (named, name) in [
        ("|1:4", (1, 4)),
        ("|2^20|1:4", (1, 4)),
        ("|2^20|255:1", (255, 1)),
        ("|0:128", (0, 128)),
    ] {
        assert_eq!(ok(named), Ok(Mki::new(name.0, name.1)), "{named}");
    }
    for long in ["|2^49", "|0", "|281474976710657", "|2^", "|x", "|"] {
        assert_eq!(ok(long), Err(BadCrypto::Lifetime), "{long}");
    }
    for name in ["|1:0", "|256:1", "|1:129", "|1:", "|:4", "|-1:4"] {
        assert_eq!(ok(name), Err(BadCrypto::Mki), "{name}");
    }
    for twice in ["|1:4|2^20", "|2^20|2^20", "|1:4|1:4"] {
        assert_eq!(ok(twice), Err(BadCrypto::Malformed), "{twice}");
    }
    for word in [
        "KDR=1",
        "UNENCRYPTED_SRTP",
        "UNENCRYPTED_SRTCP",
        "UNAUTHENTICATED_SRTP",
        "FEC_ORDER=FEC_SRTP",
        "WSH=63",
        "X",
    ] {
        let chars = word.len();
        let refused = Err(BadCrypto::SessionParameter { chars });
        assert_eq!(ok(&format!(" WSH=64 {word}")), refused, "{word}");
    }
    let keys = Err(BadCrypto::SeveralKeys { keys: 2 });
    assert_eq!(ok(&format!("|1:4;{KEY}|2:4")), keys);
}

#[test]
fn a_key_has_exactly_the_length_of_its_suite() {
    let of = |suite: &str, bytes: usize| {
        let inline =
            base64::Engine::encode(&base64::engine::general_purpose::STANDARD, vec![7; bytes]);
        parse(&format!("1 {suite} inline:{inline}"))
    };
    for (suite, wanted) in [
        ("AES_CM_128_HMAC_SHA1_80", 30),
        ("AES_CM_128_HMAC_SHA1_32", 30),
        ("AES_256_CM_HMAC_SHA1_80", 46),
    ] {
        for bytes in 0..=60 {
            let read = of(suite, bytes);
            let expected = BadCrypto::KeyLength { bytes, wanted };
            match bytes == wanted {
                true => assert!(read.is_ok(), "{suite} {bytes}"),
                false => assert_eq!(read, Err(expected), "{suite} {bytes}"),
            }
        }
        assert_eq!(of(suite, 5_000), Err(BadCrypto::Malformed));
    }
    let unfilled = format!("1 AES_256_CM_HMAC_SHA1_80 inline:{}", "A".repeat(62));
    assert!(parse(&unfilled).is_ok());
    for bad in [
        "inline:",
        "inline:%%%%",
        "uri:http://x",
        "inline",
        KEY.trim_start_matches("inline:"),
    ] {
        assert!(
            parse(&format!("1 AES_CM_128_HMAC_SHA1_80 {bad}")).is_err(),
            "{bad}"
        );
    }
    for tag in ["", "x", "-1", "1234567890", "1.5"] {
        assert!(
            parse(&format!("{tag} AES_CM_128_HMAC_SHA1_80 {KEY}")).is_err(),
            "{tag}"
        );
    }
}

#[test]
fn lines_are_bounded_and_a_number_counts_once() {
    let twice = theirs("RTP/SAVP", &[LINE, LINE]);
    assert_eq!(
        twice.media[0].crypto[1],
        Err(BadCrypto::TagTwice { tag: 1 })
    );
    let many: Vec<String> = (0..900)
        .map(|tag| format!("a=crypto:{tag} X {KEY}"))
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let media = &theirs("RTP/SAVP", &many).media[0];
    assert_eq!(media.crypto.len(), Media::CRYPTO_MAX + 1);
    assert_eq!(
        media.crypto.last(),
        Some(&Err(BadCrypto::TooManyLines { cap: 16 }))
    );
}

#[test]
fn nothing_but_the_description_prints_a_key() {
    let mut session = secure();
    let answer = session
        .answer(&theirs("RTP/SAVP", &[LINE]), Direction::SendRecv)
        .unwrap();
    let printed = format!("{session:?} {answer:?} {:?}", theirs("RTP/SAVP", &[LINE]));
    for secret in ["PS1u", "AAECAw", "1, 2, 3"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}
