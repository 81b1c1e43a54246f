/// How much of a frame is left over when a frame is played, over the last few.
///
/// Packets that are no whole number of frames leave now more, now less. The least of it is delay that serves nothing; the most tells how
/// soon a packet is needed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Phase {
    left: [u32; Self::FRAMES],
    seen: usize,
}

impl Phase {
    /// After so many frames packets of 10 to 60 ms have left all that they do: 50 ms packets repeat after 100 ms.
    const FRAMES: usize = 6;

    /// A frame is about to be played, with so much ready besides whole frames. Returns the least and the most, once they are known.
    pub(super) fn frame(&mut self, left: u32) -> Option<(u32, u32)> {
        self.left.rotate_left(1);
        if let Some(last) = self.left.last_mut() {
            *last = left;
        }
        self.seen = (self.seen + 1).min(Self::FRAMES);
        let known = self.seen == Self::FRAMES;
        let range = self.left.iter().min().zip(self.left.iter().max());
        range.filter(|_| known).map(|(least, most)| (*least, *most))
    }

    /// Sound was left out or put in.
    pub(super) fn clear(&mut self) {
        self.seen = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_of_30_ms_leave_10_ms_now_and_then() {
        let mut phase = Phase::default();
        let ranges: Vec<_> = (0..8).map(|n| phase.frame([0, 80, 0][n % 3])).collect();
        assert_eq!(ranges[..5], [None; 5]);
        assert_eq!(ranges[5..], [Some((0, 80)); 3]);
        phase.clear();
        assert_eq!(phase.frame(7), None);
    }
}
