use super::*;
use crate::g711::Law;
use crate::{Dbfs, OpusEncoder, Sine, dominant_frequency};

/// A WAV file with a format and these bytes of sound.
fn wav(tag: u16, channels: u16, rate: u32, bits: u16, sound: &[u8]) -> Vec<u8> {
    let mut format = Vec::new();
    format.extend(tag.to_le_bytes());
    format.extend(channels.to_le_bytes());
    format.extend(rate.to_le_bytes());
    let frame = u32::from(channels) * u32::from(bits) / 8;
    format.extend((rate * frame).to_le_bytes());
    format.extend((frame as u16).to_le_bytes());
    format.extend(bits.to_le_bytes());
    let mut file = b"RIFF\0\0\0\0WAVE".to_vec();
    // A chunk of odd length that nobody knows.
    file.extend(b"LIST\x03\0\0\0abc\0");
    for (kind, content) in [(b"fmt ", format.as_slice()), (b"data", sound)] {
        file.extend(kind);
        file.extend((content.len() as u32).to_le_bytes());
        file.extend(content);
    }
    file
}

/// A second of 440 Hz at −20 dBFS at a rate.
fn tone(rate: u32) -> Vec<i16> {
    let amplitude = f64::from(Dbfs(-20.0).amplitude());
    (0..rate)
        .map(|n| {
            (amplitude * (std::f64::consts::TAU * 440.0 * f64::from(n) / f64::from(rate)).sin())
                as i16
        })
        .collect()
}

fn bytes(samples: &[i16]) -> Vec<u8> {
    samples
        .iter()
        .flat_map(|sample| sample.to_le_bytes())
        .collect()
}

fn assert_is_the_tone(sound: &Sound) {
    let middle = &sound.samples()[1_000..7_000];
    let heard = dominant_frequency(middle).unwrap();
    assert!((heard - 440.0).abs() < 1.0, "{heard} Hz");
    let Dbfs(dbfs) = level(middle);
    assert!((dbfs + 20.0).abs() < 0.5, "{dbfs} dBFS");
}

#[test]
fn a_wav_file_of_ours_is_read_back() {
    let samples = tone(8_000);
    let file = to_wav(&samples);
    let as_others_write = wav(1, 1, 8_000, 16, &bytes(&samples));
    assert_eq!(
        file[file.len() - 16_008..],
        as_others_write[as_others_write.len() - 16_008..]
    );
    assert_eq!(file[4..8], (file.len() as u32 - 8).to_le_bytes());
    assert_is_the_tone(&Sound::read(&file).unwrap());
}

#[test]
fn wav_files_of_every_usual_kind_are_read() {
    for rate in [8_000, 16_000, 44_100, 48_000] {
        let linear = bytes(&tone(rate));
        assert_is_the_tone(&Sound::read(&wav(1, 1, rate, 16, &linear)).unwrap());
        let stereo: Vec<i16> = tone(rate)
            .into_iter()
            .flat_map(|sample| [sample, sample])
            .collect();
        assert_is_the_tone(&Sound::read(&wav(1, 2, rate, 16, &bytes(&stereo))).unwrap());
    }
    let deep: Vec<u8> = tone(8_000)
        .iter()
        .flat_map(|s| [&[0][..], &s.to_le_bytes()].concat())
        .collect();
    assert_is_the_tone(&Sound::read(&wav(1, 1, 8_000, 24, &deep)).unwrap());
    let coarse: Vec<u8> = tone(8_000).iter().map(|s| ((s >> 8) + 128) as u8).collect();
    assert_is_the_tone(&Sound::read(&wav(1, 1, 8_000, 8, &coarse)).unwrap());
    for (tag, law) in [(6, Law::A), (7, Law::Mu)] {
        let coded = law.encode(&tone(8_000));
        assert_is_the_tone(&Sound::read(&wav(tag, 1, 8_000, 8, &coded)).unwrap());
    }
}

#[test]
fn errors_say_what_is_wrong_with_the_file() {
    let sound = bytes(&tone(8_000));
    let good = wav(1, 1, 8_000, 16, &sound);
    let said = |file: &[u8]| Sound::read(file).unwrap_err().to_string();
    assert_eq!(said(b""), "neither a WAV nor an Ogg Opus file");
    assert_eq!(
        said(b"ID3\x04 an mp3"),
        "neither a WAV nor an Ogg Opus file"
    );
    assert_eq!(
        said(b"RIFF\0\0\0\0AVI LIST"),
        "neither a WAV nor an Ogg Opus file"
    );
    assert_eq!(said(b"RIFF\0\0\0\0WAVE"), "has no format");
    assert_eq!(
        said(&good[..good.len() - 1]),
        "cut short: its sound needs 16000 bytes and has 15999"
    );
    assert_eq!(
        said(&wav(3, 1, 8_000, 32, &sound)),
        "WAV format 3 with 32 bits is not read: save it as 16 bit PCM"
    );
    assert_eq!(
        said(&wav(1, 6, 48_000, 16, &sound)),
        "6 channels, one or two are read"
    );
    assert_eq!(
        said(&wav(1, 0, 48_000, 16, &sound)),
        "0 channels, one or two are read"
    );
    assert_eq!(
        said(&wav(1, 1, 96_000, 16, &sound)),
        "96000 samples a second: save it with 8000, 16000, 44100 or 48000"
    );
    assert_eq!(said(&wav(1, 1, 8_000, 16, &[])), "no sound in it");
    assert_eq!(
        said(&wav(6, 1, 8_000, 8, &vec![0; 600 * 8_000 + 1])),
        "more than 600 seconds long"
    );
    assert_eq!(
        said(&vec![0; Sound::BYTES_MAX + 1]),
        "134217729 bytes, at most 134217728 are read"
    );
}

#[test]
fn a_loud_master_is_turned_down_and_ends_are_soft() {
    let loud: Vec<i16> = Sine::new(300.0, 0.0).frame().repeat(50);
    let sound = Sound::read(&wav(1, 1, 8_000, 16, &bytes(&loud))).unwrap();
    assert!((level(sound.samples()).0 + 16.0).abs() < 0.2);
    assert_eq!(
        (sound.samples()[0], *sound.samples().last().unwrap()),
        (0, 0)
    );
}

#[test]
fn a_prompt_ends_and_music_goes_on() {
    let sound = Sound::read(&wav(1, 1, 8_000, 16, &bytes(&tone(8_000)[..500]))).unwrap();
    let mut prompt = sound.play();
    let frames: Vec<Frame> = std::iter::from_fn(|| prompt.frame()).collect();
    let played: Vec<i16> = frames.iter().copied().flatten().collect();
    assert_eq!(played[..500], *sound.samples());
    assert_eq!((frames.len(), &frames[3][20..]), (4, &[0; 140][..]));
    let mut music = sound.repeat();
    let heard: Vec<i16> = (0..100).flat_map(|_| music.frame().unwrap()).collect();
    assert!(heard.chunks_exact(500).all(|turn| turn == sound.samples()));
}

/// An Ogg Opus file of these packets, three to a page, whose last packet goes on in a page of its own.
fn ogg(packets: &[Vec<u8>], pre_skip: u16, granule: u64) -> Vec<u8> {
    let mut head = b"OpusHead\x01\x01".to_vec();
    head.extend(pre_skip.to_le_bytes());
    head.extend(48_000_u32.to_le_bytes());
    head.extend([0, 0, 0]);
    let mut file = page(2, 0, 0, &[head]);
    file.extend(page(0, 0, 1, &[b"OpusTags\0\0\0\0\0\0\0\0".to_vec()]));
    for (n, packets) in packets.chunks(3).enumerate() {
        file.extend(page(0, granule, n as u32 + 2, packets));
    }
    file
}

fn page(flags: u8, granule: u64, number: u32, packets: &[Vec<u8>]) -> Vec<u8> {
    let lacing: Vec<u8> = packets
        .iter()
        .flat_map(|packet| {
            let whole = vec![255; packet.len() / 255];
            [whole, vec![(packet.len() % 255) as u8]].concat()
        })
        .collect();
    let mut page = b"OggS\0".to_vec();
    page.push(flags);
    page.extend(granule.to_le_bytes());
    page.extend(77_u32.to_le_bytes());
    page.extend(number.to_le_bytes());
    page.extend([0; 4]);
    page.push(lacing.len() as u8);
    page.extend(lacing);
    page.extend(packets.concat());
    let sum = ogg::checksum(&page).to_le_bytes();
    page[22..26].copy_from_slice(&sum);
    page
}

fn opus_packets() -> Vec<Vec<u8>> {
    let (mut encoder, mut sine) = (OpusEncoder::new().unwrap(), Sine::new(440.0, -20.0));
    (0..60)
        .map(|_| encoder.encode(&sine.frame()).unwrap().to_vec())
        .collect()
}

/// RFC 7845 §4.2, §4.4: the pre-skip is not heard, and the last page's time is the end.
#[test]
fn ogg_opus_is_read() {
    let sound = Sound::read(&ogg(&opus_packets(), 312, 48_312)).unwrap();
    assert_eq!(sound.samples().len(), 8_000);
    assert_is_the_tone(&sound);
}

/// RFC 3533 §6: the CRC of a known page head.
#[test]
fn damage_anywhere_is_found_and_nothing_makes_it_panic() {
    let good = ogg(&opus_packets()[..9], 312, 48_312);
    assert!(Sound::read(&good).is_ok());
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        assert!(Sound::read(&bad).is_err(), "byte {at}");
    }
    let whole: Vec<usize> = (1..good.len())
        .filter(|at| good[*at..].starts_with(b"OggS"))
        .collect();
    for length in 0..good.len() {
        let cut = Sound::read(&good[..length]);
        assert!(cut.is_err() || whole.contains(&length), "{length}");
    }
    let said = |file: &[u8]| Sound::read(file).unwrap_err().to_string();
    assert_eq!(
        said(&page(2, 0, 0, &[b"\x01vorbis".to_vec()])),
        "an Ogg file, but not of Opus"
    );
    assert_eq!(said(&good[..whole[0]]), "has no tags");
    assert_eq!(
        said(&[&good[..good.len() - 5]].concat()[..])
            .split(':')
            .next(),
        Some("cut short")
    );
    let nonsense = ogg(&[vec![0xff, 0xff, 0xff]], 0, 960);
    assert!(
        said(&nonsense).starts_with("packet 0: opus decode"),
        "{}",
        said(&nonsense)
    );
}
