use super::Rating;

/// A rating in a word. The bounds are classes of user satisfaction of ITU-T G.109: down to 80 people are satisfied, below 60 many are not.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Class {
    /// Words must be asked for again.
    Poor,
    /// It is noticed, and does not hinder.
    Fair,
    /// Nobody thinks of it.
    Good,
}

/// How a direction sounds now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// In a word.
    pub class: Class,
    /// As a number, smoothed like the word.
    pub rating: Rating,
}

/// Falls at once and rises slowly, so that a word stands long enough to be read: a fifth of the way up each second, and a better class only
/// once the rating is well inside it.
#[derive(Clone, Debug, Default)]
pub struct Smoothing {
    verdict: Option<Verdict>,
}

impl Class {
    /// All, worst first.
    pub const ALL: [Self; 3] = [Self::Poor, Self::Fair, Self::Good];

    /// The class of a rating.
    pub fn of(rating: Rating) -> Self {
        match rating.value() {
            r if r >= 80.0 => Self::Good,
            r if r >= 60.0 => Self::Fair,
            _ => Self::Poor,
        }
    }

    /// Its name, which is stored and sent to pages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Poor => "poor",
            Self::Fair => "fair",
            Self::Good => "good",
        }
    }
}

impl Smoothing {
    /// The part of the way up that is gone each second.
    const RISE: f64 = 0.2;
    /// How far inside a better class the rating must be before it counts.
    const HYSTERESIS: f64 = 2.0;

    /// Takes the rating of a second.
    pub fn second(&mut self, rating: Rating) -> Verdict {
        let Some(before) = self.verdict else {
            return self.tell(rating, Class::of(rating));
        };
        let (now, was) = (rating.value(), before.rating.value());
        if now <= was {
            return self.tell(rating, Class::of(rating).min(before.class));
        }
        let risen = Rating::new(was + Self::RISE * (now - was));
        let inside = Class::of(Rating::new(risen.value() - Self::HYSTERESIS));
        self.tell(risen, inside.max(before.class))
    }

    /// The last verdict; none before the first second.
    pub fn verdict(&self) -> Option<Verdict> {
        self.verdict
    }

    fn tell(&mut self, rating: Rating, class: Class) -> Verdict {
        let verdict = Verdict { class, rating };
        self.verdict = Some(verdict);
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(ratings: &[(f64, usize)]) -> Vec<Class> {
        let mut smoothing = Smoothing::default();
        let each = ratings
            .iter()
            .flat_map(|(r, seconds)| std::iter::repeat_n(*r, *seconds));
        each.map(|r| smoothing.second(Rating::new(r)).class)
            .collect()
    }

    #[test]
    fn it_falls_at_once_and_rises_slowly() {
        let told = classes(&[(88.0, 3), (40.0, 1), (88.0, 20)]);
        assert_eq!(
            told[..4],
            [Class::Good, Class::Good, Class::Good, Class::Poor]
        );
        let fair = told.iter().skip(3).position(|class| *class == Class::Fair);
        let good = told.iter().skip(3).position(|class| *class == Class::Good);
        assert_eq!((fair, good), (Some(3), Some(10)));
    }

    #[test]
    fn a_rating_at_a_bound_does_not_make_the_word_flicker() {
        let mut smoothing = Smoothing::default();
        let told: Vec<Class> = (0..60)
            .map(|n| {
                smoothing
                    .second(Rating::new(if n % 2 == 0 { 80.5 } else { 79.5 }))
                    .class
            })
            .collect();
        let changes = told.windows(2).filter(|two| two[0] != two[1]).count();
        assert_eq!(changes, 1, "{told:?}");
    }

    #[test]
    fn a_small_dip_within_a_class_changes_nothing() {
        assert!(
            classes(&[(92.0, 5), (83.0, 5), (92.0, 5)])
                .iter()
                .all(|class| *class == Class::Good)
        );
    }
}
