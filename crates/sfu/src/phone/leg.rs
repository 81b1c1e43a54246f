use std::time::Instant;

use super::ear::Ear;
use super::mouth::Mouth;
use super::sound::Hears;
use crate::PeerId;

/// The phone of one seat, from its answer to its end.
#[derive(Debug)]
pub(crate) struct PhoneLeg {
    pub(crate) id: PeerId,
    pub(crate) mouth: Mouth,
    pub(crate) ear: Ear,
}

impl PhoneLeg {
    pub(crate) fn new(now: Instant, id: PeerId, hears: Hears) -> Self {
        Self {
            id,
            mouth: Mouth::new(),
            ear: Ear::new(now, id, hears),
        }
    }
}
