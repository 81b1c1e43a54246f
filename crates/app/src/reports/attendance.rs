//! Who was there when, and which blocks that made, as a picture (M10, C3).

use housecall_store::{Explanation, Fact, Line, Patient, Person};

/// Everybody's time in one visit. Lengths are units of the picture, 600 wide.
pub(super) struct Attendance {
    pub(super) height: usize,
    pub(super) rows: Vec<Row>,
    /// Where minutes are written: place and word.
    pub(super) ticks: Vec<(u64, String)>,
}

/// One person's time.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) y: usize,
    pub(super) bars: Vec<Bar>,
    pub(super) blocks: Vec<Block>,
}

/// Some time on video, or by phone.
pub(super) struct Bar {
    pub(super) x: u64,
    pub(super) width: u64,
    pub(super) by_phone: bool,
    /// `12:00 to 13:30`.
    pub(super) words: String,
}

/// A block that was charged.
pub(super) struct Block {
    pub(super) x: u64,
    pub(super) width: u64,
    pub(super) credits: u64,
    pub(super) words: String,
}

const WIDTH: u64 = 600;
const ROW_HEIGHT: usize = 54;
/// More blocks than a picture has room for: those of a day.
const BLOCKS_MOST: u64 = 96;

impl Attendance {
    /// Draws a visit of which this was noted and that lasted so long, with the practitioner's and the patients' names in the order of seats;
    /// none if it lasted for no time.
    pub(super) fn of(
        told: &Explanation,
        elapsed_ms: u64,
        practitioner: &str,
        patients: &[(Patient, String)],
    ) -> Option<Self> {
        let scale = Scale { end: elapsed_ms };
        if elapsed_ms == 0 {
            return None;
        }
        let own = scale.row(
            practitioner,
            0,
            scale.bars(told, Person::Practitioner),
            Vec::new(),
        );
        let seats = (1..).zip(patients).map(|(place, (patient, name))| {
            let lines = told.bill.lines().iter();
            let blocks = lines.filter(|line| line.patient == *patient);
            let blocks = blocks.flat_map(|line| scale.blocks(line)).collect();
            let bars = scale.bars(told, Person::Patient(*patient));
            scale.row(name, place, bars, blocks)
        });
        let rows: Vec<Row> = std::iter::once(own).chain(seats).collect();
        Some(Self {
            height: rows.len() * ROW_HEIGHT,
            rows,
            ticks: scale.ticks(),
        })
    }
}

/// Milliseconds of the visit as units of the picture.
#[derive(Clone, Copy)]
struct Scale {
    end: u64,
}

impl Scale {
    fn x(self, ms: u64) -> u64 {
        let place = u128::from(ms.min(self.end)) * u128::from(WIDTH) / u128::from(self.end.max(1));
        u64::try_from(place).unwrap_or(WIDTH)
    }

    fn row(self, name: &str, place: usize, bars: Vec<Bar>, blocks: Vec<Block>) -> Row {
        Row {
            name: name.to_owned(),
            y: place * ROW_HEIGHT,
            bars,
            blocks,
        }
    }

    fn bar(self, from: u64, to: u64, by_phone: bool) -> Bar {
        let how = if by_phone { "by phone, " } else { "" };
        Bar {
            x: self.x(from),
            // A moment is seen too.
            width: (self.x(to) - self.x(from)).max(1),
            by_phone,
            words: format!("{how}{} to {}", clock(from), clock(to)),
        }
    }

    /// When somebody was connected, and when they were on the phone.
    fn bars(self, told: &Explanation, person: Person) -> Vec<Bar> {
        // The practitioner is there from the start on.
        let mut video = (person == Person::Practitioner).then_some(0);
        let mut phone = None;
        let mut bars = Vec::new();
        for (at, fact) in &told.timeline {
            let at = at.0.min(self.end);
            match fact {
                Fact::Joined(other) if *other == person => {
                    video.get_or_insert(at);
                }
                Fact::Left(other) if *other == person => {
                    bars.extend(video.take().map(|from| self.bar(from, at, false)));
                }
                Fact::PhoneAnswered(other) if Person::Patient(*other) == person => {
                    phone.get_or_insert(at);
                }
                Fact::PhoneHungUp(other) if Person::Patient(*other) == person => {
                    bars.extend(phone.take().map(|from| self.bar(from, at, true)));
                }
                _ => {}
            }
        }
        bars.extend(video.map(|from| self.bar(from, self.end, false)));
        bars.extend(phone.map(|from| self.bar(from, self.end, true)));
        bars
    }

    fn blocks(self, line: &Line) -> Vec<Block> {
        let length = line.to.0.saturating_sub(line.from.0) / line.blocks.max(1);
        let starts = (0..line.blocks.min(BLOCKS_MOST)).map(|n| line.from.0 + n * length);
        starts
            .filter(|from| *from < self.end)
            .map(|from| Block {
                x: self.x(from),
                width: (self.x(from + length) - self.x(from)).max(1),
                credits: line.each.0,
                words: format!("{} from {}: {}", line.each, clock(from), line.rule.words()),
            })
            .collect()
    }

    /// At most six, at whole minutes.
    fn ticks(self) -> Vec<(u64, String)> {
        let minutes = self.end / 60_000;
        let steps = [1, 2, 5, 10, 15, 30, 60, 120, 240];
        let step = steps.into_iter().find(|step| minutes / step < 6);
        let step = step.unwrap_or(minutes / 5);
        let at = (0..=minutes).step_by(usize::try_from(step.max(1)).unwrap_or(1));
        at.map(|minute| (self.x(minute * 60_000), format!("{minute} min")))
            .collect()
    }
}

/// `7:05`, `1:07:05`.
pub(super) fn clock(ms: u64) -> String {
    match ms {
        0..1_000 => "0:00".to_owned(),
        _ => super::length(ms),
    }
}

#[cfg(test)]
mod tests {
    use housecall_store::{Bill, Millis};

    use super::*;

    fn told(timeline: &[(u64, Fact)]) -> Explanation {
        let timeline = timeline.iter().map(|(at, fact)| (Millis(*at), *fact));
        Explanation {
            tariff: housecall::Tariff::ATTENDED.id(),
            timeline: timeline.collect(),
            bill: Bill::default(),
            corrections: Vec::new(),
        }
    }

    fn bars(told: &Explanation, end: u64) -> Vec<Vec<(u64, u64, bool)>> {
        let patients = [(Patient::One, "Lee Park".to_owned())];
        let picture = Attendance::of(told, end, "Dr Reed", &patients).unwrap();
        let rows = picture.rows.into_iter();
        rows.map(|row| {
            let bars = row.bars.into_iter();
            bars.map(|bar| (bar.x, bar.width, bar.by_phone)).collect()
        })
        .collect()
    }

    #[test]
    fn everybody_s_time_is_drawn_as_far_as_the_end() {
        let lee = Person::Patient(Patient::One);
        let told = told(&[
            (100_000, Fact::Joined(lee)),
            (200_000, Fact::Left(lee)),
            (200_000, Fact::PhoneAnswered(Patient::One)),
            (300_000, Fact::Left(Person::Practitioner)),
            (500_000, Fact::Joined(Person::Practitioner)),
            (600_000, Fact::Ended),
        ]);
        let expected = [
            vec![(0, 300, false), (500, 100, false)],
            vec![(100, 100, false), (200, 400, true)],
        ];
        assert_eq!(bars(&told, 600_000), expected);
    }

    #[test]
    fn a_visit_of_no_time_has_no_picture_and_a_day_has_few_ticks() {
        let told = told(&[]);
        assert!(Attendance::of(&told, 0, "Dr Reed", &[]).is_none());
        for end in [1, 59_999, 86_400_000, u64::MAX] {
            let picture = Attendance::of(&told, end, "Dr Reed", &[]).unwrap();
            assert!(picture.ticks.len() <= 7, "{end}");
            assert!(picture.ticks.iter().all(|(x, _)| *x <= WIDTH), "{end}");
        }
    }
}
