use super::*;

mod crypto;

const OURS: &str = "192.0.2.10:40000";

fn ours() -> AudioSession {
    AudioSession::new(
        77,
        OURS.parse().unwrap(),
        &[Codec::Pcma, Codec::Pcmu, Codec::TelephoneEvent],
    )
}

fn read(text: &str) -> Description {
    Description::parse(text.as_bytes()).unwrap()
}

const CARRIER: &str = "v=0\r\no=carrier 4611 4611 IN IP4 198.51.100.7\r\ns=call\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n\
    m=audio 49170 RTP/AVP 0 8 96\r\na=rtpmap:96 telephone-event/8000\r\na=ptime:30\r\n";

#[test]
fn static_payload_types_need_no_rtpmap() {
    let target = ours().agreed(&read(CARRIER), Direction::SendRecv).unwrap();
    assert_eq!(target.remote, "198.51.100.7:49170".parse().unwrap());
    assert_eq!(target.rtcp, Some("198.51.100.7:49171".parse().unwrap()));
    assert_eq!((target.codec, target.payload_type), (Codec::Pcmu, 0));
    assert_eq!(target.telephone_event, Some(96));
    assert_eq!(target.direction, Direction::SendRecv);
    assert_eq!(target.ptime_ms, 30);
}

#[test]
fn our_offer_reads_back_and_its_version_rises_only_with_a_change() {
    let mut ours = ours();
    let first = read(&ours.offer(Direction::SendRecv));
    let again = read(&ours.offer(Direction::SendRecv));
    let hold = read(&ours.offer(Direction::SendOnly));
    assert_eq!(first, again);
    assert_eq!(
        first.origin,
        Origin {
            session_id: "77".into(),
            session_version: "1".into()
        }
    );
    assert_eq!(
        hold.origin,
        Origin {
            session_id: "77".into(),
            session_version: "2".into()
        }
    );
    let media = &hold.media[0];
    assert_eq!(hold.direction_of(media), Direction::SendOnly);
    let codecs: Vec<_> = media
        .formats
        .iter()
        .filter_map(|format| format.codec)
        .collect();
    assert_eq!(codecs, [Codec::Pcma, Codec::Pcmu, Codec::TelephoneEvent]);
}

#[test]
fn hold_is_heard_at_either_level_and_in_the_old_way() {
    let held = [
        CARRIER.replace("t=0 0\r\n", "t=0 0\r\na=sendonly\r\n"),
        format!("{CARRIER}a=sendonly\r\n"),
        CARRIER.replace("c=IN IP4 198.51.100.7", "c=IN IP4 0.0.0.0"),
        format!("{CARRIER}c=IN IP4 0.0.0.0\r\n"),
    ];
    for offer in held {
        let answer = ours().answer(&read(&offer), Direction::SendRecv).unwrap();
        assert_eq!(answer.target.direction, Direction::RecvOnly, "{offer}");
        assert!(answer.sdp.contains("a=recvonly\r\n"), "{}", answer.sdp);
    }
}

#[test]
fn a_direction_of_the_line_goes_before_the_session_s() {
    let offer = CARRIER.replace("t=0 0\r\n", "t=0 0\r\na=inactive\r\n") + "a=sendrecv\r\n";
    let target = ours().agreed(&read(&offer), Direction::SendRecv).unwrap();
    assert_eq!(target.direction, Direction::SendRecv);
}

#[test]
fn every_media_line_is_answered_and_only_the_audio_is_taken() {
    let offer = CARRIER.replace(
        "m=audio 49170",
        "m=video 5000 RTP/AVP 96 97\r\nm=audio 6000 RTP/SAVP 0\r\nm=audio 49170",
    ) + "m=application 9 UDP/BFCP *\r\n";
    let answer = ours().answer(&read(&offer), Direction::SendRecv).unwrap();
    let lines: Vec<&str> = answer
        .sdp
        .lines()
        .filter(|line| line.starts_with("m="))
        .collect();
    assert_eq!(
        lines,
        [
            "m=video 0 RTP/AVP 96 97",
            "m=audio 0 RTP/SAVP 0",
            "m=audio 40000 RTP/AVP 0 96",
            "m=application 0 UDP/BFCP *"
        ]
    );
    assert_eq!(answer.target.remote.port(), 49170);
}

#[test]
fn ipv6_a_line_s_own_address_and_rtcp_elsewhere() {
    let offer = CARRIER.to_owned() + "c=IN IP6 2001:db8::5\r\na=rtcp:53020 IN IP6 2001:db8::6\r\n";
    let target = ours().agreed(&read(&offer), Direction::SendRecv).unwrap();
    assert_eq!(target.remote, "[2001:db8::5]:49170".parse().unwrap());
    assert_eq!(target.rtcp, Some("[2001:db8::6]:53020".parse().unwrap()));
    let mut six = AudioSession::new(1, "[::1]:4000".parse().unwrap(), &[Codec::Pcmu]);
    let sdp = six.offer(Direction::SendRecv);
    assert!(sdp.contains("c=IN IP6 ::1\r\n"), "{sdp}");
}

#[test]
fn lines_may_end_with_lf_and_the_last_with_nothing() {
    let bare = CARRIER.replace("\r\n", "\n");
    assert_eq!(read(bare.trim_end()), read(CARRIER));
}

#[test]
fn what_cannot_be_agreed_says_why() {
    let refused = CARRIER.replace("m=audio 49170", "m=audio 0");
    let agree = |text: &str| ours().agreed(&read(text), Direction::SendRecv).unwrap_err();
    assert_eq!(agree(&refused), NotAgreed::NoAudio { media_lines: 1 });
    let g729 = CARRIER.replace("RTP/AVP 0 8 96", "RTP/AVP 18 96");
    assert_eq!(
        agree(&g729),
        NotAgreed::NoCommonCodec {
            offered: "18 96".into()
        }
    );
    let named = CARRIER.replace("c=IN IP4 198.51.100.7", "c=IN IP4 media.example.test");
    assert_eq!(agree(&named), NotAgreed::NoAddress);
}

#[test]
fn what_is_no_description_is_refused_with_numbers() {
    let err = |text: &str| Description::parse(text.as_bytes()).unwrap_err();
    assert_eq!(err(""), ParseError::NoVersion);
    assert_eq!(err("hello"), ParseError::NoVersion);
    assert_eq!(
        err("v=0\r\nm=audio 99999 RTP/AVP 0"),
        ParseError::Malformed { line: 2 }
    );
    assert_eq!(
        err("v=0\r\nwhat is this"),
        ParseError::Malformed { line: 2 }
    );
    assert_eq!(
        err(&("v=0\r\n".to_owned() + &"a=x\r\n".repeat(1_000))),
        ParseError::TooManyLines { cap: 1_000 }
    );
    assert_eq!(
        err(&("v=0\r\n".to_owned() + &"m=audio 1 RTP/AVP 0\r\n".repeat(17))),
        ParseError::TooManyMedia { cap: 16 }
    );
    let formats = format!("v=0\r\nm=audio 1 RTP/AVP{}", " 0".repeat(65));
    assert_eq!(
        err(&formats),
        ParseError::TooManyFormats { line: 2, cap: 64 }
    );
    let long = format!("v=0\r\ns={}", "x".repeat(65_536));
    assert_eq!(
        err(&long),
        ParseError::TooLong {
            bytes: 65_543,
            cap: 65_536
        }
    );
}

/// Cuts, repeats and changes bytes of a good description; whatever comes out is read or refused.
#[test]
fn damaged_descriptions_never_panic() {
    let mut seed = 0x5eed_u64;
    let mut next = move || {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize
    };
    let mut read = 0;
    for _ in 0..20_000 {
        let mut bytes = CARRIER.as_bytes().to_vec();
        for _ in 0..next() % 6 {
            let at = next() % bytes.len();
            bytes[at] = next() as u8;
        }
        bytes.truncate(1 + next() % bytes.len());
        if let Ok(description) = Description::parse(&bytes) {
            read += 1;
            let _ = ours().answer(&description, Direction::SendRecv);
        }
    }
    assert!(read > 1_000, "only {read} were read at all");
}

/// RFC 8866 §6.4, and a wish that no packet can grant or no arithmetic should try (incident class "asymmetric ptime").
#[test]
fn packet_lengths_are_what_is_asked_for_within_10_to_60_ms_and_nonsense_is_20() {
    for (wish, ms) in [
        ("0", 20),
        ("1", 10),
        ("10", 10),
        ("25", 20),
        ("30", 30),
        ("60", 60),
        ("200", 60),
        ("201", 20),
        ("65535", 20),
        ("65536", 20),
        ("4294967296", 20),
        ("-20", 20),
        ("20.5", 20),
        ("", 20),
        ("x", 20),
    ] {
        let offer = CARRIER.replace("a=ptime:30", &format!("a=ptime:{wish}"));
        let target = ours().agreed(&read(&offer), Direction::SendRecv).unwrap();
        assert_eq!(target.ptime_ms, ms, "{wish}");
    }
}

/// RFC 8866 §6.4: what is longer than the other side can take is not sent, whatever it would rather have.
#[test]
fn the_longest_packet_goes_before_the_one_asked_for() {
    for (ptime, maxptime, ms) in [
        ("60", "40", 40),
        ("60", "0", 60),
        ("20", "65535", 20),
        ("40", "5", 10),
        ("30", "x", 30),
    ] {
        let attributes = format!("a=maxptime:{maxptime}\r\na=ptime:{ptime}");
        let offer = CARRIER.replace("a=ptime:30", &attributes);
        let target = ours().agreed(&read(&offer), Direction::SendRecv).unwrap();
        assert_eq!(target.ptime_ms, ms, "{ptime} of at most {maxptime}");
    }
}

fn with_all_codecs() -> AudioSession {
    let codecs = [Codec::Opus, Codec::G722, Codec::Pcma, Codec::TelephoneEvent];
    AudioSession::new(77, OURS.parse().unwrap(), &codecs)
}

/// RFC 3551 §4.5.2, RFC 7587 §7, RFC 4733 §2.1: in our order, keys under each clock.
#[test]
fn an_offer_names_each_codec_by_its_clock_and_keys_under_each_clock() {
    let sdp = with_all_codecs().offer(Direction::SendRecv);
    let lines: Vec<&str> = sdp
        .lines()
        .skip_while(|line| !line.starts_with("m="))
        .collect();
    assert_eq!(
        lines,
        [
            "m=audio 40000 RTP/AVP 111 9 8 101 110",
            "a=rtpmap:111 opus/48000/2",
            "a=fmtp:111 minptime=10;useinbandfec=1",
            "a=rtpmap:9 G722/8000",
            "a=rtpmap:8 PCMA/8000",
            "a=rtpmap:101 telephone-event/8000",
            "a=fmtp:101 0-15",
            "a=rtpmap:110 telephone-event/48000",
            "a=fmtp:110 0-15",
            "a=ptime:20",
            "a=maxptime:60",
            "a=sendrecv",
        ]
    );
    let narrow = ours().offer(Direction::SendRecv);
    assert!(!narrow.contains("48000"), "{narrow}");
}

/// RFC 4733 §2.1: an event under another clock than the voice's is none to send.
#[test]
fn keys_are_sent_under_the_clock_of_the_voice_or_not_as_events() {
    let event = |formats: &str, maps: &str| {
        let answer = CARRIER.replace("RTP/AVP 0 8 96", &format!("RTP/AVP {formats}"))
            + "a=rtpmap:120 opus/48000/2\r\na=rtpmap:99 telephone-event/48000\r\n"
            + maps;
        let target = with_all_codecs().agreed(&read(&answer), Direction::SendRecv);
        target
            .map(|target| (target.codec, target.telephone_event))
            .unwrap()
    };
    assert_eq!(event("120 96 99", ""), (Codec::Opus, Some(99)));
    assert_eq!(event("9 96 99", ""), (Codec::G722, Some(96)));
    assert_eq!(event("120 96", ""), (Codec::Opus, None));
    assert_eq!(event("8 99", ""), (Codec::Pcma, None));
}

/// RFC 3264 §6.1: their numbers, and ours where they give none.
#[test]
fn every_payload_type_that_may_come_is_known_and_no_other() {
    let answer =
        CARRIER.replace("RTP/AVP 0 8 96", "RTP/AVP 8 9 120 96") + "a=rtpmap:120 opus/48000/2\r\n";
    let target = with_all_codecs()
        .agreed(&read(&answer), Direction::SendRecv)
        .unwrap();
    let known: Vec<(u8, Codec)> = (0..=255)
        .filter_map(|number| Some((number, target.codec_of(number)?)))
        .collect();
    assert_eq!(
        known,
        [
            (8, Codec::Pcma),
            (9, Codec::G722),
            (96, Codec::TelephoneEvent),
            (101, Codec::TelephoneEvent),
            (110, Codec::TelephoneEvent48),
            (111, Codec::Opus),
            (120, Codec::Opus),
        ]
    );
    // A number of ours that they gave another meaning has theirs.
    let answer = CARRIER.replace("RTP/AVP 0 8 96", "RTP/AVP 8 111") + "a=rtpmap:111 G729/8000\r\n";
    let target = with_all_codecs()
        .agreed(&read(&answer), Direction::SendRecv)
        .unwrap();
    assert_eq!(target.codec_of(111), None);
}

/// RFC 7587 §6.1.
#[test]
fn what_is_said_of_opus_is_kept_to() {
    let answer = CARRIER.replace("RTP/AVP 0 8 96", "RTP/AVP 111")
        + "a=rtpmap:111 opus/48000/2\r\na=fmtp:111 useinbandfec=1; maxaveragebitrate=16000\r\n";
    let target = with_all_codecs()
        .agreed(&read(&answer), Direction::SendRecv)
        .unwrap();
    assert!(target.opus.takes_repeats && !target.opus.takes_browsers());
    assert_eq!(target.opus.settings().bits_per_second, 16_000);
    // Opus has no packets of 30 ms (RFC 6716 §2.1.4).
    assert_eq!(target.ptime_ms, 20);
}

#[test]
fn an_offer_of_opus_is_answered_with_opus_and_its_keys() {
    let offer = CARRIER.replace("RTP/AVP 0 8 96", "RTP/AVP 120 8 99")
        + "a=rtpmap:120 opus/48000/2\r\na=rtpmap:99 telephone-event/48000\r\n";
    let answer = with_all_codecs()
        .answer(&read(&offer), Direction::SendRecv)
        .unwrap();
    for line in [
        "m=audio 40000 RTP/AVP 120 99\r\n",
        "a=fmtp:120 minptime=10;useinbandfec=1\r\n",
        "a=rtpmap:99 telephone-event/48000\r\n",
    ] {
        assert!(answer.sdp.contains(line), "{}", answer.sdp);
    }
}

/// RFC 3264 §6.1: what was not offered is not sent, whatever number it is given.
#[test]
fn formats_that_were_never_offered_are_never_sent() {
    let agree = |formats: &str, maps: &str| {
        let answer = CARRIER.replace("RTP/AVP 0 8 96", &format!("RTP/AVP {formats}")) + maps;
        ours().agreed(&read(&answer), Direction::SendRecv)
    };
    let none = |formats: &str| {
        Err(NotAgreed::NoCommonCodec {
            offered: formats.to_owned(),
        })
    };
    assert_eq!(agree("18", ""), none("18"));
    assert_eq!(agree("97", ""), none("97"));
    assert_eq!(agree("97", "a=rtpmap:97 opus/48000/2\r\n"), none("97"));
    // A static number that is given another meaning has that meaning.
    assert_eq!(agree("0", "a=rtpmap:0 G729/8000\r\n"), none("0"));
    assert_eq!(agree("8 8 300 -1 x", "").unwrap().payload_type, 8);
    let renamed = agree("97", "a=rtpmap:97 PCMU/8000\r\n").unwrap();
    assert_eq!((renamed.codec, renamed.payload_type), (Codec::Pcmu, 97));
}

#[test]
fn keys_alone_are_no_call() {
    let offer = CARRIER.replace("RTP/AVP 0 8 96", "RTP/AVP 96");
    let offered = "96".to_owned();
    let refused = Err(NotAgreed::NoCommonCodec { offered });
    assert_eq!(ours().answer(&read(&offer), Direction::SendRecv), refused);
}

#[test]
fn an_offer_with_every_line_off_is_no_audio() {
    let offer = CARRIER.replace("m=audio 49170", "m=audio 0") + "m=audio 0 RTP/AVP 8\r\n";
    let refused = Err(NotAgreed::NoAudio { media_lines: 2 });
    assert_eq!(ours().answer(&read(&offer), Direction::SendRecv), refused);
}

#[test]
fn an_address_of_the_other_family_is_read() {
    let six = CARRIER.replace("IN IP4 198.51.100.7\r\nt=", "IN IP6 2001:db8::7\r\nt=");
    let target = ours().agreed(&read(&six), Direction::SendRecv).unwrap();
    assert_eq!(target.remote, "[2001:db8::7]:49170".parse().unwrap());
    for bad in [
        "IN IP4 2001:db8::7",
        "IN IP6 198.51.100.7",
        "IN IP5 1.2.3.4",
        "TN NSAP 47",
        "",
        "IN IP4 1.2.3",
    ] {
        let text = CARRIER.replace("c=IN IP4 198.51.100.7", &format!("c={bad}"));
        let agreed = ours().agreed(&read(&text), Direction::SendRecv);
        assert_eq!(agreed, Err(NotAgreed::NoAddress), "{bad}");
    }
    let old_hold = CARRIER.replace("c=IN IP4 198.51.100.7", "c=IN IP6 ::");
    let target = ours()
        .agreed(&read(&old_hold), Direction::SendRecv)
        .unwrap();
    assert_eq!(target.direction, Direction::RecvOnly);
}
