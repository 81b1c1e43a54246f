/// Sound on its way to the listener: what is ready to be played, and the end of what was.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tape {
    samples: Vec<i16>,
    /// How many of them were played.
    played: usize,
    /// How much of the past is kept.
    kept: usize,
}

impl Tape {
    /// Nothing, of which at least `kept` samples will be kept when they were played.
    pub(crate) fn new(kept: usize) -> Self {
        Self {
            samples: Vec::new(),
            played: 0,
            kept,
        }
    }

    /// What is to be played.
    pub(crate) fn ready(&self) -> &[i16] {
        self.samples.get(self.played..).unwrap_or_default()
    }

    /// The last that was played, up to `samples`.
    pub(crate) fn played(&self, samples: usize) -> &[i16] {
        let from = self.played.saturating_sub(samples.min(self.kept));
        self.samples.get(from..self.played).unwrap_or_default()
    }

    /// A stretch relative to the place that is played next; none if not all of it is there.
    pub(crate) fn around(&self, from: isize, to: isize) -> Option<&[i16]> {
        let from = self.played.checked_add_signed(from)?;
        let to = self.played.checked_add_signed(to)?;
        self.samples.get(from..to)
    }

    /// Where more is appended.
    pub(crate) fn tail(&mut self) -> &mut Vec<i16> {
        &mut self.samples
    }

    /// Appends `added` samples; returns everything before them, and these.
    pub(crate) fn more(&mut self, added: usize) -> (&[i16], &mut [i16]) {
        let at = self.samples.len();
        self.samples.resize(at + added, 0);
        let (before, added) = self.samples.split_at_mut(at);
        (before, added)
    }

    /// Leaves out the next `count` samples; what follows begins with `beginning`.
    pub(crate) fn leave_out(&mut self, count: usize, beginning: &[i16]) {
        let end = self.samples.len().min(self.played + count);
        self.samples.drain(self.played..end);
        let next = self.samples.iter_mut().skip(self.played);
        next.zip(beginning)
            .for_each(|(place, sample)| *place = *sample);
    }

    /// Puts samples before what is played next.
    pub(crate) fn put_in(&mut self, samples: &[i16]) {
        let at = self.played..self.played;
        self.samples.splice(at, samples.iter().copied());
    }

    /// Plays into `out`, which is filled as far as there is something ready; returns how far.
    pub(crate) fn play(&mut self, out: &mut [i16]) -> usize {
        let count = out.len().min(self.ready().len());
        out.iter_mut()
            .zip(self.ready())
            .for_each(|(place, sample)| *place = *sample);
        self.played += count;
        if self.played > 4 * self.kept {
            self.samples.drain(..self.played - self.kept);
            self.played = self.kept;
        }
        count
    }

    /// Forgets what is ready.
    pub(crate) fn clear(&mut self) {
        self.samples.truncate(self.played);
    }
}
