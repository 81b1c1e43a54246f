/// What a receiver says of how a call sounds: the VoIP metrics block of RTCP XR (RFC 3611 §4.7).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct VoiceMetrics {
    /// Whose stream.
    pub ssrc: u32,
    /// Lost since reception began, of 256.
    pub lost: u8,
    /// Came too late, or found no room, of 256.
    pub discarded: u8,
    /// Lost or discarded within bursts, of 256.
    pub burst_density: u8,
    /// Lost or discarded between bursts, of 256.
    pub gap_density: u8,
    /// The mean length of a burst, in milliseconds.
    pub burst_ms: u16,
    /// The mean length of a gap, in milliseconds.
    pub gap_ms: u16,
    /// The last round trip measured, in milliseconds; 0 if none was.
    pub round_trip_ms: u16,
    /// From the sound of the last packet to the ear and from the mouth to the next packet, in milliseconds.
    pub end_system_ms: u16,
    /// The mean level of speech in dBm0.
    pub signal_dbm: Option<i8>,
    /// The mean level of the pauses in dBm0.
    pub noise_dbm: Option<i8>,
    /// Residual echo return loss in dB.
    pub echo_loss_db: Option<u8>,
    /// Received packets in a row that end a burst.
    pub gap_min: u8,
    /// The R of this segment, 0 to 100 (ITU-T G.107).
    pub rating: Option<u8>,
    /// The R of what lies beyond the segment.
    pub external_rating: Option<u8>,
    /// The opinion of who only listens, in tenths, 10 to 50.
    pub listening_score_tenths: Option<u8>,
    /// The opinion of who converses, in tenths, 10 to 50.
    pub conversation_score_tenths: Option<u8>,
    /// Concealment (two bits), kind of jitter buffer (two bits), its rate of change (four bits): §4.7.7.
    pub configuration: u8,
    /// The jitter buffer's delay now, in milliseconds.
    pub buffer_ms: u16,
    /// The most that it would now be, in milliseconds.
    pub buffer_ms_max: u16,
    /// The most that it could ever be, in milliseconds.
    pub buffer_ms_bound: u16,
}

impl VoiceMetrics {
    /// §4.7.7: concealment by more than silence, and a jitter buffer that adapts.
    pub const CONCEALED_AND_ADAPTIVE: u8 = 0b1111_0000;
    /// What stands for "not known" in the fields that have such a value.
    const UNKNOWN: u8 = 127;
    /// Bytes of the block without the four of its header.
    pub(super) const BYTES: usize = 32;

    /// Reads the block's contents; none if they have another length.
    pub(super) fn parse(block: &[u8]) -> Option<Self> {
        let block: &[u8; Self::BYTES] = block.try_into().ok()?;
        let [
            a,
            b,
            c,
            d,
            lost,
            discarded,
            burst_density,
            gap_density,
            rest @ ..,
        ] = *block;
        let [
            b1,
            b0,
            g1,
            g0,
            r1,
            r0,
            e1,
            e0,
            signal,
            noise,
            echo,
            gap_min,
            rest @ ..,
        ] = rest;
        let [
            rating,
            external,
            listening,
            conversation,
            configuration,
            _,
            n1,
            n0,
            m1,
            m0,
            x1,
            x0,
        ] = rest;
        Some(Self {
            ssrc: u32::from_be_bytes([a, b, c, d]),
            lost,
            discarded,
            burst_density,
            gap_density,
            burst_ms: u16::from_be_bytes([b1, b0]),
            gap_ms: u16::from_be_bytes([g1, g0]),
            round_trip_ms: u16::from_be_bytes([r1, r0]),
            end_system_ms: u16::from_be_bytes([e1, e0]),
            signal_dbm: known(signal).map(|level| level as i8),
            noise_dbm: known(noise).map(|level| level as i8),
            echo_loss_db: known(echo),
            gap_min,
            rating: known(rating).filter(|r| *r <= 100),
            external_rating: known(external).filter(|r| *r <= 100),
            listening_score_tenths: known(listening).filter(is_score),
            conversation_score_tenths: known(conversation).filter(is_score),
            configuration,
            buffer_ms: u16::from_be_bytes([n1, n0]),
            buffer_ms_max: u16::from_be_bytes([m1, m0]),
            buffer_ms_bound: u16::from_be_bytes([x1, x0]),
        })
    }

    /// Prints the block's contents.
    pub(super) fn to_bytes(self) -> [u8; Self::BYTES] {
        let [a, b, c, d] = self.ssrc.to_be_bytes();
        let [b1, b0] = self.burst_ms.to_be_bytes();
        let [g1, g0] = self.gap_ms.to_be_bytes();
        let [r1, r0] = self.round_trip_ms.to_be_bytes();
        let [e1, e0] = self.end_system_ms.to_be_bytes();
        let [n1, n0] = self.buffer_ms.to_be_bytes();
        let [m1, m0] = self.buffer_ms_max.to_be_bytes();
        let [x1, x0] = self.buffer_ms_bound.to_be_bytes();
        let or_unknown = |value: Option<u8>| value.unwrap_or(Self::UNKNOWN);
        let level = |dbm: Option<i8>| or_unknown(dbm.map(i8::cast_unsigned));
        let [signal, noise] = [self.signal_dbm, self.noise_dbm].map(level);
        let [echo, rating, external, listening, conversation] = [
            self.echo_loss_db,
            self.rating,
            self.external_rating,
            self.listening_score_tenths,
            self.conversation_score_tenths,
        ]
        .map(or_unknown);
        [
            a,
            b,
            c,
            d,
            self.lost,
            self.discarded,
            self.burst_density,
            self.gap_density,
            b1,
            b0,
            g1,
            g0,
            r1,
            r0,
            e1,
            e0,
            signal,
            noise,
            echo,
            self.gap_min,
            rating,
            external,
            listening,
            conversation,
            self.configuration,
            0,
            n1,
            n0,
            m1,
            m0,
            x1,
            x0,
        ]
    }
}

fn known(value: u8) -> Option<u8> {
    (value != VoiceMetrics::UNKNOWN).then_some(value)
}

fn is_score(tenths: &u8) -> bool {
    (10..=50).contains(tenths)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::rtp) fn metrics() -> VoiceMetrics {
        VoiceMetrics {
            ssrc: 0x0102_0304,
            lost: 5,
            discarded: 6,
            burst_density: 7,
            gap_density: 8,
            burst_ms: 0x090a,
            gap_ms: 0x0b0c,
            round_trip_ms: 0x0d0e,
            end_system_ms: 0x0f10,
            signal_dbm: Some(-20),
            noise_dbm: None,
            echo_loss_db: Some(55),
            gap_min: 16,
            rating: Some(85),
            external_rating: None,
            listening_score_tenths: Some(42),
            conversation_score_tenths: Some(41),
            configuration: VoiceMetrics::CONCEALED_AND_ADAPTIVE,
            buffer_ms: 60,
            buffer_ms_max: 100,
            buffer_ms_bound: 200,
        }
    }

    /// The order of the fields in the picture of RFC 3611 §4.7.
    #[test]
    fn fields_are_where_rfc_3611_draws_them() {
        let printed = metrics().to_bytes();
        let expected = [
            1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 236, 127, 55, 16, 85, 127, 42,
            41, 0xf0, 0, 0, 60, 0, 100, 0, 200,
        ];
        assert_eq!(printed, expected);
        assert_eq!(VoiceMetrics::parse(&printed), Some(metrics()));
    }

    /// §4.7.5: "not known" is 127, and what no scale has is not believed.
    #[test]
    fn impossible_scores_are_not_known() {
        let mut printed = metrics().to_bytes();
        for (r, score) in [(127, 127), (101, 51), (255, 9)] {
            printed[20..24].copy_from_slice(&[r, r, score, score]);
            let read = VoiceMetrics::parse(&printed).unwrap();
            assert_eq!((read.rating, read.external_rating), (None, None));
            assert_eq!(
                (read.listening_score_tenths, read.conversation_score_tenths),
                (None, None)
            );
        }
        assert_eq!(VoiceMetrics::parse(&printed[..31]), None);
    }
}
