use super::Rating;

/// The ratings of a direction, the mean of five seconds each, for a picture of the call; nothing after four hours.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Timeline {
    /// Whole ratings, 0 to 100; [`Timeline::NOT_JUDGED`] where nothing was.
    points: Vec<u8>,
}

/// Draws a timeline, second by second.
#[derive(Clone, Debug, Default)]
pub(super) struct Drawing {
    timeline: Timeline,
    sum: f64,
    judged: u8,
    seconds: u8,
}

impl Timeline {
    /// Seconds in a point.
    pub const STEP_SECONDS: u8 = 5;
    /// Points kept: four hours, which is as long as a call may be.
    pub const POINTS_MAX: usize = 4 * 3_600 / Self::STEP_SECONDS as usize;
    const NOT_JUDGED: u8 = u8::MAX;

    /// The points in order; none where nothing was judged.
    pub fn points(&self) -> impl ExactSizeIterator<Item = Option<Rating>> + '_ {
        self.points
            .iter()
            .map(|point| (*point != Self::NOT_JUDGED).then(|| Rating::new(f64::from(*point))))
    }

    /// The points as bytes, to be kept.
    pub fn as_bytes(&self) -> &[u8] {
        &self.points
    }

    /// The points that were kept, as many as there may be.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self {
            points: bytes.iter().take(Self::POINTS_MAX).copied().collect(),
        }
    }
}

impl Drawing {
    /// Takes a second; none if it was not judged.
    pub(super) fn second(&mut self, rating: Option<Rating>) {
        if self.timeline.points.len() >= Timeline::POINTS_MAX {
            return;
        }
        self.seconds += 1;
        self.judged += u8::from(rating.is_some());
        self.sum += rating.map_or(0.0, Rating::value);
        if self.seconds == Timeline::STEP_SECONDS {
            self.timeline.points.push(self.point());
            (self.sum, self.judged, self.seconds) = (0.0, 0, 0);
        }
    }

    pub(super) fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    fn point(&self) -> u8 {
        if self.judged == 0 {
            return Timeline::NOT_JUDGED;
        }
        Rating::new(self.sum / f64::from(self.judged)).whole()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_means_of_what_was_judged() {
        let mut drawing = Drawing::default();
        let seconds = [
            Some(90.0),
            Some(80.0),
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            Some(60.0),
        ];
        for second in seconds {
            drawing.second(second.map(Rating::new));
        }
        let timeline = drawing.timeline();
        let points: Vec<_> = timeline.points().collect();
        assert_eq!(points, [Some(Rating::new(85.0)), None]);
        assert_eq!(Timeline::of_bytes(timeline.as_bytes()), *timeline);
    }

    #[test]
    fn it_ends_after_four_hours_whatever_is_kept() {
        let mut drawing = Drawing::default();
        for _ in 0..5 * 3_600 {
            drawing.second(Some(Rating::MAX));
        }
        assert_eq!(drawing.timeline().points().len(), Timeline::POINTS_MAX);
        assert_eq!(Timeline::of_bytes(&vec![7; 100_000]).points().len(), 2_880);
    }
}
