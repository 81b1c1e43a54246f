/// A chair at the consultation. There is no fourth chair for patients (V2).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Seat {
    /// The one who holds the consultation.
    Practitioner,
    /// One of the patients.
    Patient(PatientSeat),
}

/// A patient's chair.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum PatientSeat {
    /// The first.
    One,
    /// The second.
    Two,
    /// The third.
    Three,
}

impl PatientSeat {
    /// All patients' chairs, in order.
    pub const ALL: [Self; 3] = [Self::One, Self::Two, Self::Three];

    /// What there is for this chair, of what there is for each.
    #[must_use]
    pub fn of<T>(self, chairs: &[T; 3]) -> &T {
        let [one, two, three] = chairs;
        match self {
            Self::One => one,
            Self::Two => two,
            Self::Three => three,
        }
    }

    /// The same, to be changed.
    pub fn of_mut<T>(self, chairs: &mut [T; 3]) -> &mut T {
        let [one, two, three] = chairs;
        match self {
            Self::One => one,
            Self::Two => two,
            Self::Three => three,
        }
    }
}

impl Seat {
    /// All chairs, the practitioner's first.
    pub const ALL: [Self; 4] = [
        Self::Practitioner,
        Self::Patient(PatientSeat::One),
        Self::Patient(PatientSeat::Two),
        Self::Patient(PatientSeat::Three),
    ];

    /// The slot in which `viewer` sees this seat: 0, 1 or 2; `None` for oneself.
    ///
    /// A practitioner sees the patients in slots 0, 1 and 2. A patient sees the practitioner in 0 and the other
    /// patients, in order, in 1 and 2.
    #[must_use]
    pub fn slot_for(self, viewer: Seat) -> Option<u8> {
        viewer
            .sees()
            .zip(0..)
            .find_map(|(seat, slot)| (seat == self).then_some(slot))
    }

    /// The seat that this one sees in a slot.
    #[must_use]
    pub fn sees_in(self, slot: u8) -> Option<Seat> {
        self.sees().nth(usize::from(slot))
    }

    /// Its place among [`Self::ALL`].
    pub(crate) fn index(self) -> usize {
        match self {
            Self::Practitioner => 0,
            Self::Patient(PatientSeat::One) => 1,
            Self::Patient(PatientSeat::Two) => 2,
            Self::Patient(PatientSeat::Three) => 3,
        }
    }

    fn sees(self) -> impl Iterator<Item = Seat> {
        Self::ALL.into_iter().filter(move |seat| *seat != self)
    }
}

#[cfg(test)]
mod tests {
    use super::PatientSeat::{One, Three, Two};
    use super::*;

    #[test]
    fn everybody_has_a_slot_for_everybody_else() {
        assert_eq!(Seat::Patient(One).slot_for(Seat::Practitioner), Some(0));
        assert_eq!(Seat::Patient(Three).slot_for(Seat::Practitioner), Some(2));
        assert_eq!(Seat::Practitioner.slot_for(Seat::Patient(Two)), Some(0));
        assert_eq!(Seat::Patient(One).slot_for(Seat::Patient(Two)), Some(1));
        assert_eq!(Seat::Patient(Three).slot_for(Seat::Patient(Two)), Some(2));
        assert_eq!(Seat::Patient(Two).slot_for(Seat::Patient(Two)), None);
    }

    #[test]
    fn each_seat_has_its_place() {
        for (index, seat) in Seat::ALL.into_iter().enumerate() {
            assert_eq!(seat.index(), index);
        }
    }

    #[test]
    fn slots_and_seats_are_each_others_inverse() {
        for viewer in Seat::ALL {
            for slot in 0..3 {
                let seen = viewer.sees_in(slot).unwrap();
                assert_eq!(seen.slot_for(viewer), Some(slot));
            }
            assert_eq!(viewer.sees_in(3), None);
        }
    }
}
