//! Datagrams on the media ports of a call: parse, print, and run them through reception, keys and the jitter buffer.
#![no_main]

use std::time::{Duration, Instant};

use arbitrary::Arbitrary;
use bytes::Bytes;
use housecall_media::JitterBuffer;
use housecall_media::jitter::{Arrival, Content};
use housecall_media::rtp::{Reception, Report, RtpPacket};
use housecall_media::telephone_event::KeyListener;
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Datagram<'a> {
    gap_ms: u8,
    bytes: &'a [u8],
}

fuzz_target!(|datagrams: Vec<Datagram<'_>>| {
    let mut call = Call::new();
    for datagram in datagrams {
        call.wait(datagram.gap_ms);
        call.rtp(datagram.bytes);
        call.rtcp(datagram.bytes);
    }
});

struct Call {
    now: Instant,
    reception: Option<Reception>,
    keys: KeyListener,
    jitter: JitterBuffer,
}

impl Call {
    fn new() -> Call {
        Call {
            now: Instant::now(),
            reception: None,
            keys: KeyListener::default(),
            jitter: JitterBuffer::new(8_000),
        }
    }

    fn wait(&mut self, gap_ms: u8) {
        for _ in 0..gap_ms / 20 {
            self.now += Duration::from_millis(20);
            let _ = self.jitter.pull(self.now, 0);
        }
    }

    fn rtp(&mut self, bytes: &[u8]) {
        let Ok(packet) = RtpPacket::parse(Bytes::copy_from_slice(bytes)) else {
            return;
        };
        assert_eq!(RtpPacket::parse(packet.to_bytes()).as_ref(), Ok(&packet));
        let _ = self.keys.packet(packet.timestamp, &packet.payload);
        match &mut self.reception {
            Some(reception) if reception.ssrc() == packet.ssrc => {
                reception.received(self.now, &packet)
            }
            other => *other = Some(Reception::new(self.now, 8_000, &packet)),
        }
        let ticks = u32::try_from(packet.payload.len()).expect("a datagram");
        self.jitter.push(
            self.now,
            Arrival {
                ssrc: packet.ssrc,
                sequence: packet.sequence,
                timestamp: packet.timestamp,
                marker: packet.marker,
                ticks,
                content: Content::Voice,
                payload: packet.payload,
            },
        );
    }

    fn rtcp(&mut self, bytes: &[u8]) {
        let Ok(report) = Report::parse(bytes) else {
            return;
        };
        let printed = report.to_bytes("fuzz");
        Report::parse(&printed).expect("a report of ours");
        for block in &report.blocks {
            let _ = block.round_trip(Duration::from_secs(1));
        }
        if let Some(reception) = &mut self.reception {
            if let Some(sender) = &report.sender {
                reception.sender_report(self.now, sender);
            }
            let _ = (
                reception.expected(),
                reception.lost(),
                reception.jitter(),
                reception.report(self.now),
            );
        }
    }
}
