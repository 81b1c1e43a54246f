use std::fmt;

use housecall_sip::{Message, StatusCode};

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
    /// The trunk does not let us call this number, or does not know us.
    NotPermitted,
    /// The telephone network has no room, or is out of order.
    Congested,
    /// Anything else went wrong before the answer.
    Failed,
    /// It was answered, and then the connection was lost.
    MediaLost,
}

impl Outcome {
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
            Self::Congested => "congested",
            Self::Failed => "failed",
            Self::MediaLost => "media_lost",
        }
    }

    /// The outcome of a refusal. What the telephone network itself says (Q.850) goes before the SIP status.
    pub fn of_refusal(refusal: &Message) -> Self {
        let causes = refusal.reasons();
        let cause = causes.iter().find_map(|reason| reason.q850());
        let status = refusal.status().map_or(0, StatusCode::code);
        cause
            .and_then(Self::of_q850)
            .unwrap_or_else(|| Self::of_status(status))
    }

    /// The outcome of a final status other than 2xx.
    pub const fn of_status(status: u16) -> Self {
        match status {
            486 | 600 => Self::Busy,
            // 487 without a CANCEL of ours: the network stopped waiting.
            408 | 480 | 487 => Self::NoAnswer,
            603 | 607 | 608 => Self::Declined,
            404 | 410 | 484 | 485 | 604 => Self::WrongNumber,
            // After our credentials have been refused, 401 and 407 mean the same as 403.
            401 | 403 | 407 => Self::NotPermitted,
            500 | 502 | 503 | 504 => Self::Congested,
            _ => Self::Failed,
        }
    }

    /// The outcome of a cause of ITU-T Q.850, where it says more than a SIP status.
    pub const fn of_q850(cause: u16) -> Option<Self> {
        match cause {
            17 => Some(Self::Busy),
            18..=20 => Some(Self::NoAnswer),
            21 => Some(Self::Declined),
            1 | 22 | 28 => Some(Self::WrongNumber),
            34 | 38 | 41 | 42 | 44 => Some(Self::Congested),
            65 | 88 => Some(Self::Failed),
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
mod tests {
    use housecall_sip::{Name, ResponseBuilder};

    use super::*;

    fn refusal(status: u16, reason: Option<&str>) -> Message {
        let invite = "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa\r\nFrom: <sip:c@d>;tag=1\r\n\
                      To: <sip:a@b>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n\r\n";
        let invite = Message::parse(invite.into()).unwrap();
        let builder = ResponseBuilder::new(&invite, StatusCode::new(status).unwrap());
        match reason {
            Some(reason) => builder.header(Name::Reason, reason).build(),
            None => builder.build(),
        }
    }

    #[test]
    fn statuses() {
        let cases = [
            (486, Outcome::Busy),
            (600, Outcome::Busy),
            (480, Outcome::NoAnswer),
            (603, Outcome::Declined),
            (404, Outcome::WrongNumber),
            (484, Outcome::WrongNumber),
            (403, Outcome::NotPermitted),
            (407, Outcome::NotPermitted),
            (503, Outcome::Congested),
            (488, Outcome::Failed),
            (302, Outcome::Failed),
        ];
        for (status, outcome) in cases {
            assert_eq!(
                Outcome::of_refusal(&refusal(status, None)),
                outcome,
                "{status}"
            );
        }
    }

    #[test]
    fn the_network_knows_better() {
        let busy = refusal(480, Some("Q.850;cause=17;text=\"User busy\""));
        assert_eq!(Outcome::of_refusal(&busy), Outcome::Busy);
        let normal = refusal(486, Some("Q.850;cause=16"));
        assert_eq!(Outcome::of_refusal(&normal), Outcome::Busy);
        let elsewhere = refusal(404, Some("SIP;cause=17"));
        assert_eq!(Outcome::of_refusal(&elsewhere), Outcome::WrongNumber);
    }
}
