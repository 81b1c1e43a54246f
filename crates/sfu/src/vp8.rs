//! The VP8 payload descriptor (RFC 7741 §4.2), as far as forwarding must read and rewrite it.

use bytes::{Bytes, BytesMut};

/// Where the numbers are that must run on when the source of a stream changes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Descriptor {
    /// True for the first packet of a key frame.
    pub(crate) starts_key_frame: bool,
    pub(crate) picture_id: Option<PictureId>,
    /// Index and value of TL0PICIDX.
    pub(crate) tl0_index: Option<(usize, u8)>,
}

/// A picture id of 7 or 15 bits, and the index of its first byte.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct PictureId {
    index: usize,
    long: bool,
    pub(crate) number: u16,
}

impl Descriptor {
    /// Reads a payload's descriptor; `None` if the payload ends within it.
    pub(crate) fn read(payload: &[u8]) -> Option<Self> {
        let first = *payload.first()?;
        let mut descriptor = Self::default();
        let mut index = 1;
        if first & 0x80 != 0 {
            let extensions = *payload.get(1)?;
            index = 2;
            if extensions & 0x80 != 0 {
                let picture_id = PictureId::read(payload, index)?;
                index += if picture_id.long { 2 } else { 1 };
                descriptor.picture_id = Some(picture_id);
            }
            if extensions & 0x40 != 0 {
                descriptor.tl0_index = Some((index, *payload.get(index)?));
                index += 1;
            }
            // TID and KEYIDX share one byte.
            if extensions & 0x30 != 0 {
                index += 1;
            }
        }
        // S is set and the partition index is zero: here the VP8 frame header begins, whose lowest bit is 0 in a key
        // frame (RFC 6386 §9.1).
        let starts_frame = first & 0x10 != 0 && first & 0x07 == 0;
        descriptor.starts_key_frame = starts_frame && payload.get(index)? & 1 == 0;
        Some(descriptor)
    }

    /// The payload with these numbers in the place of its own; not copied if they are the same.
    pub(crate) fn rewritten(&self, payload: &Bytes, picture_id: u16, tl0: u8) -> Bytes {
        let same_picture = self
            .picture_id
            .is_none_or(|id| id.number == id.mask() & picture_id);
        let same_tl0 = self.tl0_index.is_none_or(|(_, value)| value == tl0);
        if same_picture && same_tl0 {
            return payload.clone();
        }
        let mut bytes = BytesMut::from(payload.as_ref());
        if let Some(id) = self.picture_id {
            id.write(&mut bytes, picture_id);
        }
        if let Some(byte) = self.tl0_index.and_then(|(index, _)| bytes.get_mut(index)) {
            *byte = tl0;
        }
        bytes.freeze()
    }
}

impl PictureId {
    fn read(payload: &[u8], index: usize) -> Option<Self> {
        let first = *payload.get(index)?;
        if first & 0x80 == 0 {
            return Some(Self {
                index,
                long: false,
                number: u16::from(first),
            });
        }
        let second = *payload.get(index + 1)?;
        let number = u16::from_be_bytes([first & 0x7f, second]);
        Some(Self {
            index,
            long: true,
            number,
        })
    }

    fn mask(self) -> u16 {
        if self.long { 0x7fff } else { 0x7f }
    }

    fn write(self, bytes: &mut [u8], number: u16) {
        let [high, low] = (number & self.mask()).to_be_bytes();
        let Some(place) = bytes.get_mut(self.index..) else {
            return;
        };
        match place {
            [first, second, ..] if self.long => (*first, *second) = (high | 0x80, low),
            [first, ..] => *first = low,
            [] => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_descriptor_has_no_numbers() {
        let descriptor = Descriptor::read(&[0x10, 0x00, 0x9d]).unwrap();
        assert!(descriptor.starts_key_frame);
        assert_eq!((descriptor.picture_id, descriptor.tl0_index), (None, None));
        assert!(
            !Descriptor::read(&[0x10, 0x01]).unwrap().starts_key_frame,
            "an interframe"
        );
        assert!(
            !Descriptor::read(&[0x00, 0x00]).unwrap().starts_key_frame,
            "not the first packet"
        );
        assert!(
            !Descriptor::read(&[0x11, 0x00]).unwrap().starts_key_frame,
            "another partition"
        );
    }

    #[test]
    fn numbers_are_rewritten_in_place() {
        let payload = Bytes::from_static(&[0x90, 0xe0, 0x92, 0x34, 7, 0x20, 0x00, 0xaa]);
        let descriptor = Descriptor::read(&payload).unwrap();
        assert!(descriptor.starts_key_frame);
        assert_eq!(descriptor.picture_id.unwrap().number, 0x1234);
        assert_eq!(descriptor.tl0_index, Some((4, 7)));
        let rewritten = descriptor.rewritten(&payload, 0x7fff, 8);
        assert_eq!(
            rewritten.as_ref(),
            [0x90, 0xe0, 0xff, 0xff, 8, 0x20, 0x00, 0xaa]
        );
        assert_eq!(descriptor.rewritten(&payload, 0x1234, 7), payload);
    }

    #[test]
    fn a_short_picture_id_stays_short() {
        let payload = Bytes::from_static(&[0x90, 0x80, 0x05, 0x01]);
        let descriptor = Descriptor::read(&payload).unwrap();
        assert!(!descriptor.starts_key_frame);
        assert_eq!(
            descriptor.rewritten(&payload, 0x1ff, 0).as_ref(),
            [0x90, 0x80, 0x7f, 0x01]
        );
    }

    #[test]
    fn what_ends_too_soon_is_not_read() {
        let whole = [0x90, 0xf0, 0x92, 0x34, 7, 0x20, 0x00];
        for length in 0..whole.len() {
            assert_eq!(Descriptor::read(&whole[..length]), None, "{length}");
        }
        assert!(Descriptor::read(&whole).is_some());
    }
}
