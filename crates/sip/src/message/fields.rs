use crate::header::{Known, Name};
use crate::text::Span;

/// The headers of a message in order.
#[derive(Clone, Debug)]
pub(crate) struct Fields {
    list: Vec<Field>,
    /// Where the first header of each known name stands, counted from 1: 0 is nowhere, and [`FAR`] there or further on.
    places: [u8; Known::COUNT],
    /// The names that stand there more than once: a search for any other ends with the first that it finds.
    repeated: KnownSet,
}

const FAR: u8 = u8::MAX;

/// One header.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub(crate) known: Option<Known>,
    pub(crate) name: Span,
    pub(crate) value: Span,
}

impl Fields {
    /// Makes an empty list with room for what most messages have.
    pub(crate) fn new() -> Fields {
        Fields {
            list: Vec::with_capacity(24),
            places: [0; Known::COUNT],
            repeated: KnownSet::default(),
        }
    }

    /// Adds a header.
    #[inline]
    pub(crate) fn push(&mut self, field: Field) {
        self.list.push(field);
        if let Some(name) = field.known
            && let Some(place) = self.places.get_mut(name as usize)
        {
            match place {
                0 => *place = u8::try_from(self.list.len()).unwrap_or(FAR),
                _ => self.repeated.insert(name),
            }
        }
    }

    pub(crate) fn last_mut(&mut self) -> Option<&mut Field> {
        self.list.last_mut()
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Field> {
        self.list.iter()
    }

    /// Returns the headers of a name that we know.
    pub(crate) fn of(&self, name: Known) -> impl Iterator<Item = &Field> + Clone {
        let fields = match self.repeats(name) {
            true => self.since_first(name),
            false => self.first(name).map_or(&[][..], std::slice::from_ref),
        };
        fields.iter().filter(move |field| field.known == Some(name))
    }

    /// Returns the first header of a name that we know.
    #[inline]
    pub(crate) fn first(&self, name: Known) -> Option<&Field> {
        self.since_first(name).first()
    }

    /// Returns the first header of a name that we know and all that follow it.
    #[inline]
    fn since_first(&self, name: Known) -> &[Field] {
        let from = |place: usize| self.list.get(place - 1..).unwrap_or_default();
        match self.places.get(name as usize) {
            None | Some(0) => &[],
            Some(&FAR) => {
                let far = from(usize::from(FAR));
                let first = far.iter().position(|field| field.known == Some(name));
                first.and_then(|first| far.get(first..)).unwrap_or_default()
            }
            Some(place) => from(usize::from(*place)),
        }
    }

    /// Returns whether a name stands more than once.
    pub(crate) fn repeats(&self, name: Known) -> bool {
        self.repeated.has(name)
    }
}

impl Field {
    /// Returns whether this is the header `name`, which as a known one is `known`.
    pub(crate) fn is_named(&self, known: Option<Known>, name: Name<'_>, head: &str) -> bool {
        self.known == known
            && (known.is_some() || self.name.text(head).eq_ignore_ascii_case(name.as_str()))
    }
}

/// Some of the names that we know, a bit for each.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct KnownSet(u64);

impl KnownSet {
    fn insert(&mut self, name: Known) {
        self.0 |= KnownSet::bit(name);
    }

    fn has(self, name: Known) -> bool {
        self.0 & KnownSet::bit(name) != 0
    }

    fn bit(name: Known) -> u64 {
        const { assert!(Known::COUNT <= u64::BITS as usize, "more names than bits") };
        1 << name as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_wherever_they_stand_and_however_often() {
        for before in [0, 1, 30, 300] {
            let mut fields = Fields::new();
            let mut add = |known, at| {
                let (name, value) = (Span::default(), Span::new(at, at));
                fields.push(Field { known, name, value });
            };
            (0..before).for_each(|at| add(None, at));
            add(Some(Known::To), before);
            add(Some(Known::From), before + 1);
            add(None, before + 2);
            add(Some(Known::To), before + 3);
            let places = |name| -> Vec<usize> {
                let found = fields.of(name);
                found.map(|field| field.value.start()).collect()
            };
            assert_eq!(places(Known::To), [before, before + 3]);
            assert_eq!(places(Known::From), [before + 1]);
            assert_eq!(places(Known::Via), []);
            assert!(fields.repeats(Known::To) && !fields.repeats(Known::From));
            let first = fields.first(Known::To).map(|field| field.value.start());
            assert_eq!(first, Some(before));
        }
    }
}
