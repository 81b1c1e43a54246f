use std::fmt;

use crate::{Overrides, RawCause};

/// How a call ended, as it is recorded and charged for (P5, P7).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Outcome {
    /// It was answered and somebody hung up.
    Completed,
    /// The line was engaged.
    Busy,
    /// It rang, and nobody answered in time.
    NoAnswer,
    /// The called person refused it.
    Declined,
    /// There is no such number.
    WrongNumber,
    /// We gave up before the answer.
    Cancelled,
    /// The trunk does not let us call this number.
    NotPermitted,
    /// The trunk does not take our user name and password.
    SignInRefused,
    /// The practice's account with the trunk is empty. Nothing to do with the credits of this system.
    NoCredit,
    /// The two sides speak no common codec, or one wants encryption and the other has none.
    NoCommonSound,
    /// The telephone network has no room, or is out of order.
    Congested,
    /// Anything else went wrong before the answer.
    Failed,
    /// It was answered, and then the connection was lost.
    MediaLost,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 13] = [
        Self::Completed,
        Self::Busy,
        Self::NoAnswer,
        Self::Declined,
        Self::WrongNumber,
        Self::Cancelled,
        Self::NotPermitted,
        Self::SignInRefused,
        Self::NoCredit,
        Self::NoCommonSound,
        Self::Congested,
        Self::Failed,
        Self::MediaLost,
    ];

    /// What a person reads.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Completed => "Call ended",
            Self::Busy => "The line is busy",
            Self::NoAnswer => "No answer",
            Self::Declined => "The call was declined",
            Self::WrongNumber => "This number is not in service",
            Self::Cancelled => "Call cancelled",
            Self::NotPermitted => "The phone provider does not allow this call",
            Self::SignInRefused => {
                "The phone provider does not accept our sign-in. An administrator must check the trunk's user name and password"
            }
            Self::NoCredit => {
                "The practice's account with the phone provider is empty. An administrator must top it up"
            }
            Self::NoCommonSound => {
                "The phone provider and this system found no common way to carry sound. An administrator must check the trunk"
            }
            Self::Congested => "The phone network is busy. Please try again in a moment",
            Self::Failed => "The call could not be connected",
            Self::MediaLost => "The connection was lost",
        }
    }

    /// Its name in records and on the wire to the page: `no_answer`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Busy => "busy",
            Self::NoAnswer => "no_answer",
            Self::Declined => "declined",
            Self::WrongNumber => "wrong_number",
            Self::Cancelled => "cancelled",
            Self::NotPermitted => "not_permitted",
            Self::SignInRefused => "sign_in_refused",
            Self::NoCredit => "no_credit",
            Self::NoCommonSound => "no_common_sound",
            Self::Congested => "congested",
            Self::Failed => "failed",
            Self::MediaLost => "media_lost",
        }
    }

    /// Whether it costs the practice nothing (P7): nobody answered.
    pub const fn costs_nothing(self) -> bool {
        !matches!(self, Self::Completed | Self::MediaLost)
    }

    /// The outcome of a call that was refused with `cause`. The trunk's own exceptions go first; then what the telephone network itself
    /// says (Q.850); then the SIP status.
    pub fn of_cause(cause: &RawCause, overrides: &Overrides) -> Self {
        let by_trunk = overrides.outcome_of(cause);
        let by_network = || cause.q850.and_then(Self::of_q850);
        let by_status = || Self::of_status(cause.status.unwrap_or(0));
        by_trunk.or_else(by_network).unwrap_or_else(by_status)
    }

    /// The outcome of a final status other than 2xx.
    pub const fn of_status(status: u16) -> Self {
        match status {
            486 | 600 => Self::Busy,
            // 487 without a CANCEL of ours: the network stopped waiting.
            408 | 480 | 487 => Self::NoAnswer,
            603 | 607 | 608 => Self::Declined,
            404 | 410 | 484 | 485 | 604 => Self::WrongNumber,
            // Our credentials have been refused, or there are none.
            401 | 407 => Self::SignInRefused,
            402 => Self::NoCredit,
            403 => Self::NotPermitted,
            415 | 488 | 606 => Self::NoCommonSound,
            500 | 502..=504 => Self::Congested,
            _ => Self::Failed,
        }
    }

    /// The outcome of a cause of ITU-T Q.850, where it says more than a SIP status.
    pub const fn of_q850(cause: u8) -> Option<Self> {
        match cause {
            17 => Some(Self::Busy),
            18..=20 => Some(Self::NoAnswer),
            21 => Some(Self::Declined),
            1 | 22 | 28 => Some(Self::WrongNumber),
            34 | 38 | 41 | 42 | 44 => Some(Self::Congested),
            65 | 88 => Some(Self::NoCommonSound),
            _ => None,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use housecall_sip::{Message, Name, ResponseBuilder, StatusCode};

    use super::*;

    pub(crate) fn invite() -> Message {
        let invite = "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa\r\nFrom: <sip:c@d>;tag=1\r\n\
                      To: <sip:a@b>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n\r\n";
        Message::parse(invite.into()).unwrap()
    }

    fn outcome(status: u16, reason: Option<&str>) -> Outcome {
        let builder = ResponseBuilder::new(&invite(), StatusCode::new(status).unwrap());
        let refusal = match reason {
            Some(reason) => builder.header(Name::Reason, reason).build(),
            None => builder.build(),
        };
        Outcome::of_cause(&RawCause::of(&refusal), &Overrides::default())
    }

    #[test]
    fn statuses() {
        use Outcome::{
            Busy, Congested, Declined, Failed, NoAnswer, NoCommonSound, NoCredit, NotPermitted,
            SignInRefused, WrongNumber,
        };
        let cases: &[(Outcome, &[u16])] = &[
            (Busy, &[486, 600]),
            (NoAnswer, &[408, 480, 487]),
            (Declined, &[603, 607, 608]),
            (WrongNumber, &[404, 410, 484, 485, 604]),
            (SignInRefused, &[401, 407]),
            (NoCredit, &[402]),
            (NotPermitted, &[403]),
            (NoCommonSound, &[415, 488, 606]),
            (Congested, &[500, 502, 503, 504]),
            (Failed, &[302, 400, 420, 481, 501, 513, 699]),
        ];
        for (expected, statuses) in cases {
            for status in *statuses {
                assert_eq!(outcome(*status, None), *expected, "{status}");
            }
        }
    }

    #[test]
    fn causes_of_the_telephone_network() {
        use Outcome::{Busy, Congested, Declined, NoAnswer, NoCommonSound, WrongNumber};
        let cases: &[(Outcome, &[u8])] = &[
            (Busy, &[17]),
            (NoAnswer, &[18, 19, 20]),
            (Declined, &[21]),
            (WrongNumber, &[1, 22, 28]),
            (Congested, &[34, 38, 41, 42, 44]),
            (NoCommonSound, &[65, 88]),
        ];
        for (expected, causes) in cases {
            for cause in *causes {
                let reason = format!("Q.850;cause={cause}");
                assert_eq!(outcome(480, Some(&reason)), *expected, "{cause}");
            }
        }
    }

    #[test]
    fn the_network_knows_better() {
        let busy = outcome(480, Some("Q.850;cause=17;text=\"User busy\""));
        assert_eq!(busy, Outcome::Busy);
        assert_eq!(outcome(486, Some("Q.850;cause=16")), Outcome::Busy);
        assert_eq!(outcome(404, Some("SIP;cause=17")), Outcome::WrongNumber);
    }

    #[test]
    fn p7_what_was_not_answered_costs_nothing() {
        for outcome in Outcome::ALL {
            let was_answered = matches!(outcome, Outcome::Completed | Outcome::MediaLost);
            assert_eq!(outcome.costs_nothing(), !was_answered, "{outcome}");
        }
    }

    #[test]
    fn each_outcome_has_its_name_and_words() {
        let names: std::collections::BTreeSet<_> = Outcome::ALL.map(Outcome::name).into();
        let words: std::collections::BTreeSet<_> = Outcome::ALL.map(Outcome::words).into();
        assert_eq!(
            (names.len(), words.len()),
            (Outcome::ALL.len(), Outcome::ALL.len())
        );
    }
}
