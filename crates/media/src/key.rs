use std::fmt;

/// One key of a telephone: `0` to `9`, `*`, `#`, or `A` to `D`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Key(u8);

/// In the order of their event codes (RFC 4733 §3.2).
const NAMES: [char; 16] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D',
];

/// The rows and columns of the key pad in hertz (ITU-T Q.23).
pub(crate) const ROWS: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
pub(crate) const COLUMNS: [f32; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
const PAD: [[char; 4]; 4] = [
    ['1', '2', '3', 'A'],
    ['4', '5', '6', 'B'],
    ['7', '8', '9', 'C'],
    ['*', '0', '#', 'D'],
];

impl Key {
    /// The key of a character; small letters are understood.
    pub fn new(name: char) -> Option<Self> {
        let name = name.to_ascii_uppercase();
        Self::from_event(u8::try_from(NAMES.iter().position(|known| *known == name)?).ok()?)
    }

    /// The key of an event code (RFC 4733 §3.2).
    pub fn from_event(event: u8) -> Option<Self> {
        (event < 16).then_some(Self(event))
    }

    /// Its event code, 0 to 15.
    pub fn event(self) -> u8 {
        self.0
    }

    /// Its character.
    pub fn name(self) -> char {
        NAMES.get(usize::from(self.0)).copied().unwrap_or('0')
    }

    /// The two frequencies of its tone in hertz, low and high (ITU-T Q.23).
    pub fn hertz(self) -> (f32, f32) {
        let place = |row: &[char; 4]| row.iter().position(|name| *name == self.name());
        let rows = PAD.iter().zip(ROWS);
        let found = rows
            .filter_map(|(names, row)| Some((row, *COLUMNS.get(place(names)?)?)))
            .next();
        found.unwrap_or((941.0, 1_336.0))
    }

    /// The key at a row and a column of the pad.
    pub(crate) fn at(row: usize, column: usize) -> Option<Self> {
        Self::new(*PAD.get(row)?.get(column)?)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_names_events_and_tones() {
        for (event, name) in NAMES.into_iter().enumerate() {
            let key = Key::new(name).unwrap();
            assert_eq!(usize::from(key.event()), event);
            assert_eq!(key.name(), name);
        }
        assert_eq!(Key::new('5').unwrap().hertz(), (770.0, 1_336.0));
        assert_eq!(Key::new('#').unwrap().hertz(), (941.0, 1_477.0));
        assert_eq!(Key::new('d'), Key::new('D'));
        assert_eq!(Key::new('E'), None);
        assert_eq!(Key::from_event(16), None);
    }
}
