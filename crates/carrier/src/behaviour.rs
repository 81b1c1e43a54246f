use std::time::Duration;

/// What one subscriber of the pretend network does when rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Behaviour {
    /// Digits of the international number, without `+`.
    pub number: &'static str,
    /// What the caller reads about it.
    pub name: &'static str,
    /// What happens before the call is answered.
    pub pickup: Pickup,
    /// What the subscriber says once answered.
    pub says: Says,
    /// How long the subscriber talks before hanging up; none waits for the caller.
    pub hangs_up_after: Option<Duration>,
    /// What else happens to the call once it is answered.
    pub deed: Option<Deed>,
}

/// What happens before a call is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pickup {
    /// 180, and 200 after this long.
    RingsFor(Duration),
    /// 183 with early audio, and 200 after this long.
    SpeaksFirst(Duration),
    /// 180, and nothing more until the caller gives up, or the network after three minutes.
    RingsForEver,
    /// This final status at once.
    Refuses(u16),
    /// 183 with early audio, and after this long this final status: an announcement.
    SpeaksAndRefuses(Duration, u16),
    /// 302 with the number of another subscriber.
    Redirects(&'static str),
    /// 503, with this in `Retry-After`.
    Unavailable(Duration),
}

/// What happens to an answered call, besides talking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// The subscriber holds the caller after a while, and takes it back (RFC 3264 §8.4).
    Holds {
        /// How long after the answer.
        after: Duration,
        /// How long.
        lasts: Duration,
    },
    /// The network describes the session again, unchanged, so often (RFC 3261 §14).
    Renegotiates {
        /// The first time so long after the answer, and again so long after each.
        every: Duration,
    },
    /// The subscriber presses keys (RFC 4733), once.
    Presses {
        /// How long after the answer.
        after: Duration,
        /// Which.
        keys: &'static str,
    },
    /// The subscriber's line is cut: no sound, no BYE, no answer to anything.
    Vanishes {
        /// How long after the answer.
        after: Duration,
    },
}

/// What a subscriber says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// What it hears.
    Echo,
    /// A few spoken sentences, over and over.
    Voice,
    /// 1004 Hz at −16 dBFS, the milliwatt line of an exchange test desk.
    Tone,
    /// The digits it heard, as tones, a second after the last of them.
    DigitsBack,
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn answers(number: &'static str, name: &'static str, after: u64, says: Says) -> Behaviour {
    Behaviour {
        number,
        name,
        pickup: Pickup::RingsFor(secs(after)),
        says,
        hangs_up_after: None,
        deed: None,
    }
}

const fn does(number: &'static str, name: &'static str, deed: Deed) -> Behaviour {
    Behaviour {
        deed: Some(deed),
        ..answers(number, name, 1, Says::Tone)
    }
}

const fn picks_up(number: &'static str, name: &'static str, pickup: Pickup) -> Behaviour {
    Behaviour {
        pickup,
        ..answers(number, name, 0, Says::Voice)
    }
}

const fn refuses(number: &'static str, name: &'static str, status: u16) -> Behaviour {
    Behaviour {
        pickup: Pickup::Refuses(status),
        ..answers(number, name, 0, Says::Voice)
    }
}

/// Every subscriber of the demonstration, by number. The numbers are reserved for fiction by the Australian regulator (ACMA).
pub const SUBSCRIBERS: [Behaviour; 10] = [
    answers("61491570006", "echo", 2, Says::Echo),
    answers("61491570156", "spoken voice", 2, Says::Voice),
    answers("61491570157", "1004 Hz tone", 1, Says::Tone),
    refuses("61491570158", "busy", 486),
    Behaviour {
        pickup: Pickup::RingsForEver,
        ..answers("61491570159", "never answers", 0, Says::Voice)
    },
    refuses("61491570110", "declines", 603),
    refuses("61491570313", "does not exist", 404),
    Behaviour {
        pickup: Pickup::SpeaksFirst(secs(3)),
        ..answers("61491570737", "early audio", 3, Says::Voice)
    },
    Behaviour {
        hangs_up_after: Some(secs(5)),
        ..answers("61491571266", "hangs up", 1, Says::Voice)
    },
    answers("61491571491", "reads digits back", 1, Says::DigitsBack),
];

/// Further subscribers, by number, to whom happens what is rare and what engines stumble over. Numbers as of [`SUBSCRIBERS`].
pub const AWKWARD: [Behaviour; 7] = [
    does(
        "61491571804",
        "holds the caller",
        Deed::Holds {
            after: secs(2),
            lasts: secs(3),
        },
    ),
    does(
        "61491572549",
        "renegotiates",
        Deed::Renegotiates { every: secs(2) },
    ),
    does(
        "61491574118",
        "presses keys",
        Deed::Presses {
            after: secs(2),
            keys: "1*5#",
        },
    ),
    does("61491572665", "vanishes", Deed::Vanishes { after: secs(3) }),
    picks_up(
        "61491572983",
        "announcement, then busy",
        Pickup::SpeaksAndRefuses(secs(3), 486),
    ),
    picks_up("61491573770", "moved", Pickup::Redirects("61491570157")),
    picks_up("61491573087", "no circuits", Pickup::Unavailable(secs(30))),
];

impl Behaviour {
    /// The subscriber that a dialled number reaches. None is answered with 404.
    ///
    /// Understands `+61491570006`, `61491570006`, `0491570006` and the same with `;phone-context` or punctuation.
    pub fn of(dialled: &str) -> Option<&'static Behaviour> {
        let international = international(dialled);
        SUBSCRIBERS
            .iter()
            .chain(&AWKWARD)
            .find(|subscriber| subscriber.number == international)
    }
}

/// Digits of the international number, Australian where the number is a national one.
pub(crate) fn international(dialled: &str) -> String {
    let number = dialled.split(';').next().unwrap_or_default();
    let digits: String = number
        .chars()
        .filter(char::is_ascii_digit)
        .take(20)
        .collect();
    match digits.strip_prefix('0') {
        Some(national) if !number.starts_with('+') => format!("61{national}"),
        _ => digits,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_understood_as_people_and_trunks_write_them() {
        for dialled in [
            "+61491570157",
            "61491570157",
            "0491570157",
            "0491 570 157",
            "+61491570157;user=phone",
        ] {
            assert_eq!(
                Behaviour::of(dialled).map(|it| it.name),
                Some("1004 Hz tone"),
                "{dialled}"
            );
        }
    }

    #[test]
    fn other_numbers_reach_nobody() {
        for dialled in ["", "+", "+61491570000", "000", "+0491570157", "sip"] {
            assert_eq!(Behaviour::of(dialled), None, "{dialled}");
        }
    }

    #[test]
    fn no_number_is_given_twice() {
        let all = SUBSCRIBERS.iter().chain(&AWKWARD);
        let mut numbers: Vec<_> = all.map(|it| it.number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), SUBSCRIBERS.len() + AWKWARD.len());
    }
}
