//! The first byte of an Opus packet, which says how long it plays (RFC 6716 §3.1).

/// The longest packet: 120 ms at 48 kHz (RFC 6716 §3.2.5).
const TICKS_MAX: u32 = 5_760;

/// How long a packet plays in ticks of 1/48000 s; none if it is no Opus packet.
pub(super) fn ticks(packet: &[u8]) -> Option<u32> {
    let (first, rest) = packet.split_first()?;
    let frames = match first & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(rest.first()? & 0x3f),
    };
    let ticks = frames * frame_ticks(first >> 3);
    (1..=TICKS_MAX).contains(&ticks).then_some(ticks)
}

/// The frame of each of the 32 configurations (RFC 6716 table 2).
fn frame_ticks(configuration: u8) -> u32 {
    let place = configuration & 3;
    match configuration {
        // SILK: 10, 20, 40, 60 ms.
        0..12 if place == 3 => 2_880,
        0..12 => 480 << place,
        // Hybrid: 10, 20 ms.
        12..16 => 480 << (place & 1),
        // CELT: 2.5, 5, 10, 20 ms.
        _ => 120 << place,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_configuration_is_as_long_as_table_2_says() {
        let ms: Vec<f32> = (0..32)
            .map(|configuration| frame_ticks(configuration) as f32 / 48.0)
            .collect();
        let silk = [10.0, 20.0, 40.0, 60.0].repeat(3);
        let hybrid = [10.0, 20.0].repeat(2);
        let celt = [2.5, 5.0, 10.0, 20.0].repeat(4);
        assert_eq!(ms, [silk, hybrid, celt].concat());
    }

    #[test]
    fn frames_are_counted_and_more_than_120_ms_are_refused() {
        let wideband_20_ms = 9 << 3;
        assert_eq!(ticks(&[wideband_20_ms]), Some(960));
        assert_eq!(ticks(&[wideband_20_ms | 1, 0]), Some(1_920));
        assert_eq!(ticks(&[wideband_20_ms | 2, 0]), Some(1_920));
        assert_eq!(ticks(&[wideband_20_ms | 3, 6]), Some(5_760));
        assert_eq!(ticks(&[wideband_20_ms | 3, 7]), None);
        assert_eq!(ticks(&[wideband_20_ms | 3, 0]), None);
        assert_eq!(ticks(&[wideband_20_ms | 3]), None);
        assert_eq!(ticks(&[]), None);
    }
}
