use super::{Sound, SoundError, too_long};
use crate::{OpusDecoder, SAMPLE_RATE};

/// Reads an Ogg Opus file (RFC 7845) to mono at 8 kHz.
pub(super) fn read(file: &[u8]) -> Result<Vec<i16>, SoundError> {
    let stream = Stream::read(file)?;
    let mut packets = stream.packets.iter();
    let head = Head::parse(packets.next().ok_or(SoundError::NotOpus)?)?;
    let tags = packets.next().ok_or(SoundError::Missing("tags"))?;
    if !tags.starts_with(b"OpusTags") {
        return Err(SoundError::Missing("tags"));
    }
    let mut samples = decode(packets)?;
    // §4.4: the last page's time ends the sound, perhaps within its last packet.
    let whole = usize::try_from(stream.granule).unwrap_or(usize::MAX) / TICKS_PER_SAMPLE;
    samples.truncate(whole);
    samples.drain(..head.pre_skip.min(samples.len()));
    amplify(&mut samples, head.gain_db);
    Ok(samples)
}

/// Ogg's clock of Opus runs at 48 kHz, whatever was recorded (§4).
const TICKS_PER_SAMPLE: usize = 48_000 / SAMPLE_RATE as usize;

fn decode<'a>(packets: impl Iterator<Item = &'a Vec<u8>>) -> Result<Vec<i16>, SoundError> {
    let failed = |packet| move |why| SoundError::Packet { packet, why };
    let mut decoder = OpusDecoder::new().map_err(failed(0))?;
    let mut samples = Vec::new();
    for (n, packet) in packets.enumerate() {
        decoder.decode(packet, &mut samples).map_err(failed(n))?;
        // A second more than may be: the pre-skip is not taken off yet.
        if samples.len() > Sound::SAMPLES_MAX + SAMPLE_RATE as usize {
            return Err(too_long());
        }
    }
    Ok(samples)
}

fn amplify(samples: &mut [i16], gain_db: f32) {
    if gain_db != 0.0 {
        crate::Limiter::default().amplify(samples, gain_db);
    }
}

/// The identification header (§5.1), as much of it as a decoder needs.
struct Head {
    /// Samples at the beginning that are not to be heard.
    pre_skip: usize,
    gain_db: f32,
}

impl Head {
    fn parse(packet: &[u8]) -> Result<Self, SoundError> {
        let head = packet
            .strip_prefix(b"OpusHead")
            .ok_or(SoundError::NotOpus)?;
        let short = SoundError::CutShort {
            what: "Opus head",
            needs: 19,
            bytes: packet.len(),
        };
        let &[version, channels, p0, p1, _, _, _, _, g0, g1, family] =
            head.first_chunk().ok_or(short)?;
        if version >= 16 {
            return Err(SoundError::NotOpus);
        }
        // §5.1.1: family 0 is mono or stereo; the others are surround sound.
        if family != 0 || !(1..=2).contains(&channels) {
            return Err(SoundError::Channels(channels.into()));
        }
        Ok(Self {
            pre_skip: usize::from(u16::from_le_bytes([p0, p1])) / TICKS_PER_SAMPLE,
            gain_db: f32::from(i16::from_le_bytes([g0, g1])) / 256.0,
        })
    }
}

/// The packets of the file's first stream, and the time at its end.
#[derive(Default)]
struct Stream {
    serial: u32,
    pages: u32,
    packets: Vec<Vec<u8>>,
    /// A packet that goes on in the next page.
    open: Vec<u8>,
    granule: u64,
}

/// One page (RFC 3533 §6).
struct Page<'a> {
    /// Whether its first packet began in the page before.
    continues: bool,
    granule: u64,
    serial: u32,
    number: u32,
    lacing: &'a [u8],
    body: &'a [u8],
    /// Bytes of the whole page.
    length: usize,
}

impl Stream {
    /// The longest packet of Opus: 120 ms in three frames of 1275 bytes for each of two streams, with room to spare.
    const PACKET_BYTES_MAX: usize = 16_384;
    /// A time that says nothing: no packet ends in the page (RFC 3533 §6).
    const NO_TIME: u64 = u64::MAX;

    fn read(file: &[u8]) -> Result<Self, SoundError> {
        let mut stream = Self::default();
        let (mut at, mut number) = (0, 0);
        while at < file.len() {
            let rest = file.get(at..).unwrap_or_default();
            let page = Page::parse(rest, number)?;
            at += page.length;
            stream.take(&page, number)?;
            number += 1;
        }
        Ok(stream)
    }

    /// Takes a page of the first stream; others may lie between.
    fn take(&mut self, page: &Page<'_>, number: usize) -> Result<(), SoundError> {
        if self.pages == 0 {
            self.serial = page.serial;
        }
        if page.serial != self.serial {
            return Ok(());
        }
        let damaged = SoundError::DamagedPage { page: number };
        if page.number != self.pages || page.continues == self.open.is_empty() {
            return Err(damaged);
        }
        self.pages += 1;
        let mut body = page.body;
        for lace in page.lacing {
            let (segment, rest) = body
                .split_at_checked(usize::from(*lace))
                .ok_or(damaged.clone())?;
            body = rest;
            self.open.extend_from_slice(segment);
            if self.open.len() > Self::PACKET_BYTES_MAX && self.packets.len() != 1 {
                return Err(damaged);
            }
            // A segment of less than 255 bytes ends its packet.
            if *lace < 255 {
                self.packets.push(std::mem::take(&mut self.open));
            }
        }
        if page.granule != Self::NO_TIME {
            self.granule = page.granule;
        }
        Ok(())
    }
}

impl<'a> Page<'a> {
    const HEAD: usize = 27;

    fn parse(rest: &'a [u8], number: usize) -> Result<Self, SoundError> {
        let short = |needs| SoundError::CutShort {
            what: "last page",
            needs,
            bytes: rest.len(),
        };
        let head = rest
            .first_chunk::<{ Page::HEAD }>()
            .ok_or(short(Self::HEAD))?;
        let [
            b'O',
            b'g',
            b'g',
            b'S',
            0,
            flags,
            g0,
            g1,
            g2,
            g3,
            g4,
            g5,
            g6,
            g7,
            rest_of_head @ ..,
        ] = *head
        else {
            return Err(SoundError::DamagedPage { page: number });
        };
        let [s0, s1, s2, s3, n0, n1, n2, n3, c0, c1, c2, c3, segments] = rest_of_head;
        let body_at = Self::HEAD + usize::from(segments);
        let lacing = rest.get(Self::HEAD..body_at).ok_or(short(body_at))?;
        let length = body_at + lacing.iter().map(|lace| usize::from(*lace)).sum::<usize>();
        let page = rest.get(..length).ok_or(short(length))?;
        if checksum(page) != u32::from_le_bytes([c0, c1, c2, c3]) {
            return Err(SoundError::DamagedPage { page: number });
        }
        Ok(Self {
            continues: flags & 1 != 0,
            granule: u64::from_le_bytes([g0, g1, g2, g3, g4, g5, g6, g7]),
            serial: u32::from_le_bytes([s0, s1, s2, s3]),
            number: u32::from_le_bytes([n0, n1, n2, n3]),
            lacing,
            body: page.get(body_at..).unwrap_or_default(),
            length,
        })
    }
}

/// Where a page's checksum stands; it counts as zero in itself.
const CHECKSUM_AT: std::ops::Range<usize> = 22..26;

/// The checksum of a page: a CRC of 32 bits with the polynomial 04c11db7, neither reflected nor inverted (RFC 3533 §6).
pub(super) fn checksum(page: &[u8]) -> u32 {
    let zeroed = page
        .iter()
        .enumerate()
        .map(|(n, byte)| if CHECKSUM_AT.contains(&n) { 0 } else { *byte });
    zeroed.fold(0, |crc, byte| {
        let index = (crc >> 24) as u8 ^ byte;
        (crc << 8) ^ CRC.get(usize::from(index)).copied().unwrap_or(0)
    })
}

const CRC: [u32; 256] = crc_table();

#[expect(
    clippy::indexing_slicing,
    reason = "the index is below 256, at compile time"
)]
const fn crc_table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut n = 0;
    while n < 256 {
        let mut crc = (n as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000_0000 != 0 {
                crc << 1 ^ 0x04c1_1db7
            } else {
                crc << 1
            };
            bit += 1;
        }
        table[n] = crc;
        n += 1;
    }
    table
}
