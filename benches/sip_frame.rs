//! Frames an INVITE and reads its mandatory headers into their types, against two measures taken in the same run:
//!
//! - a scan that yields each line of the message, found by `memchr`: the least that any parser does. (`memchr_iter().count()`
//!   would be faster, but it counts line ends without saying where they are.)
//! - `rsip` 0.4 doing the same work. Its Max-Forwards and Call-ID have no typed form and are taken as they are.
//!
//! ```text
//! cargo bench -p housecall-benches --bench sip_frame
//! ```
#![expect(clippy::print_stdout, reason = "a benchmark says what it measured")]

mod rounds;

use std::hint::black_box;

use bytes::Bytes;
use housecall_sip::Message;
use housecall_sip::header::HeaderError;
use housecall_sip::message::ParseError;
use memchr::memchr;
use rsip::headers::ToTypedHeader;
use rsip::prelude::{HeadersExt, UntypedHeader};

/// As a trunk sends it: two proxies, an identity, a session description.
const INVITE: &str = "INVITE sip:+61255500142@192.0.2.10:5060;user=phone SIP/2.0\r\n\
    Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK3f9a1c77d2e8;rport\r\n\
    Via: SIP/2.0/UDP 203.0.113.20:5060;branch=z9hG4bK9b2c004ea117;received=203.0.113.20\r\n\
    Record-Route: <sip:198.51.100.7;lr;ftag=8f2e61b0c4>\r\n\
    Record-Route: <sip:203.0.113.20;lr;ftag=8f2e61b0c4>\r\n\
    Max-Forwards: 68\r\n\
    From: \"Harbour Street Clinic\" <sip:+61491570006@sip.carrier.test;user=phone>;tag=8f2e61b0c4\r\n\
    To: <sip:+61255500142@sip.carrier.test;user=phone>\r\n\
    Call-ID: 2f6c1d7e-91a8-4b53-8d0e-6b7c2f9a4e15@sip.carrier.test\r\n\
    CSeq: 20714 INVITE\r\n\
    Contact: <sip:+61491570006@203.0.113.20:5060;transport=udp>\r\n\
    P-Asserted-Identity: <sip:+61491570006@sip.carrier.test;user=phone>\r\n\
    P-Charge-Info: <sip:+61255500100@carrier.test>\r\n\
    Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, PRACK\r\n\
    Supported: 100rel, timer, replaces\r\n\
    Session-Expires: 1800;refresher=uac\r\n\
    Min-SE: 90\r\n\
    User-Agent: carrier-edge/4.2.1\r\n\
    Content-Type: application/sdp\r\n\
    Content-Length: 226\r\n\
    \r\n\
    v=0\r\n\
    o=- 3941 3941 IN IP4 203.0.113.20\r\n\
    s=-\r\n\
    c=IN IP4 203.0.113.20\r\n\
    t=0 0\r\n\
    m=audio 31264 RTP/AVP 8 0 101\r\n\
    a=rtpmap:8 PCMA/8000\r\n\
    a=rtpmap:0 PCMU/8000\r\n\
    a=rtpmap:101 telephone-event/8000\r\n\
    a=fmtp:101 0-15\r\n\
    a=ptime:20\r\n\
    a=sendrecv\r\n";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let wire = Bytes::copy_from_slice(INVITE.as_bytes());
    // Once in the open, so that an unreadable message is an error and not a fast run.
    read(&wire).map_err(|error| format!("the INVITE is not read: {error}"))?;
    read_by_rsip(&wire).map_err(|error| format!("rsip does not read the INVITE: {error}"))?;

    // A tick of 4 ms is then 4 ns of one piece of work.
    let count = rounds::scale(1_000_000);
    let mut frame = |count| {
        for _ in 0..count {
            let _ = black_box(Message::parse(black_box(&wire).clone()));
        }
    };
    let mut frame_and_type = |count| {
        for _ in 0..count {
            let _ = black_box(read(black_box(&wire)));
        }
    };
    let mut scan = |count| (0..count).for_each(|_| scan_lines(black_box(&wire)));
    let mut frame_by_rsip = |count| {
        for _ in 0..count {
            let _ = black_box(rsip::Request::try_from(black_box(&wire).as_ref()));
        }
    };
    let mut rsip = |count| {
        for _ in 0..count {
            let _ = black_box(read_by_rsip(black_box(&wire)));
        }
    };
    let variants: &mut [&mut dyn FnMut(u32); 5] = &mut [
        &mut frame,
        &mut frame_and_type,
        &mut scan,
        &mut frame_by_rsip,
        &mut rsip,
    ];
    let [framed, typed, scanned, framed_by_rsip, rsip] = rounds::medians(count, variants);

    println!(
        "an INVITE of {} bytes, median of five, CPU time",
        wire.len()
    );
    println!("  memchr line scan                    {scanned:8.0} ns");
    println!("  frame                               {framed:8.0} ns");
    println!("  frame, type mandatory headers       {typed:8.0} ns");
    println!("  rsip: frame                         {framed_by_rsip:8.0} ns");
    println!("  rsip: frame, type mandatory headers {rsip:8.0} ns");
    println!(
        "  typed / scan                        {:8.2}",
        typed / scanned
    );
    println!("  rsip typed / typed                  {:8.2}", rsip / typed);
    println!("again: cargo bench -p housecall-benches --bench sip_frame");
    Ok(())
}

/// Finds the end of each line, and hands each line out.
fn scan_lines(wire: &[u8]) {
    let mut rest = wire;
    while let Some((line, after)) =
        memchr(b'\n', rest).and_then(|end| rest.split_at_checked(end + 1))
    {
        black_box(line);
        rest = after;
    }
}

/// Frames a message and reads what RFC 3261 §8.1.1 makes mandatory, and where to answer.
fn read(wire: &Bytes) -> Result<usize, Unread> {
    let message = Message::parse(wire.clone())?;
    let via = message.via()?;
    let (from, to) = (message.from()?, message.to()?);
    let cseq = message.cseq()?;
    let hops = message.max_forwards()?;
    let contact = message.contact()?;
    let call_id = message.call_id()?.len();
    black_box((via, from, to, cseq, hops, contact));
    Ok(call_id)
}

/// The same by `rsip`.
fn read_by_rsip(wire: &[u8]) -> Result<usize, rsip::Error> {
    let message = rsip::Request::try_from(wire)?;
    let via = message.via_header()?.typed()?;
    let (from, to) = (
        message.from_header()?.typed()?,
        message.to_header()?.typed()?,
    );
    let cseq = message.cseq_header()?.typed()?;
    let hops = message.max_forwards_header()?.num()?;
    let contact = message.contact_header()?.typed()?;
    let call_id = message.call_id_header()?.value().len();
    black_box((via, from, to, cseq, hops, contact));
    Ok(call_id)
}

/// Not read.
#[derive(Debug)]
enum Unread {
    Framing(ParseError),
    Header(HeaderError),
}

impl std::fmt::Display for Unread {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Framing(error) => error.fmt(out),
            Self::Header(error) => error.fmt(out),
        }
    }
}

impl From<ParseError> for Unread {
    fn from(error: ParseError) -> Self {
        Self::Framing(error)
    }
}

impl From<HeaderError> for Unread {
    fn from(error: HeaderError) -> Self {
        Self::Header(error)
    }
}
