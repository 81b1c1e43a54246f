//! A session description from the other side: parse, agree on it as an answer, answer it as an offer.
#![no_main]

use housecall_media::sdp::{AudioSession, Codec, Description, Direction, SrtpOffer};
use housecall_media::srtp::SrtpKey;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(description) = Description::parse(data) else {
        return;
    };
    for media in &description.media {
        let _ = (
            description.address_of(media),
            description.direction_of(media),
            media.is_live_audio(),
        );
    }
    for mut session in [session(), secured()] {
        let _ = session.offer(Direction::SendRecv);
        let _ = session.agreed(&description, Direction::SendRecv);
        if let Ok(answer) = session.answer(&description, Direction::SendRecv) {
            let ours = Description::parse(answer.sdp.as_bytes()).expect("an answer of ours");
            // RFC 3264 §6: one line for each line offered.
            assert_eq!(ours.media.len(), description.media.len());
            assert_eq!(answer.target.srtp.is_some(), session.is_secure());
        }
    }
});

fn session() -> AudioSession {
    let addr = ([192, 0, 2, 1], 40_000).into();
    AudioSession::new(
        1,
        addr,
        &[Codec::Opus, Codec::Pcmu, Codec::Pcma, Codec::TelephoneEvent],
    )
}

fn secured() -> AudioSession {
    let local = SrtpKey::random([7; SrtpKey::BYTES]);
    session().with_srtp(SrtpOffer { local })
}
