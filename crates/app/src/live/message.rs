//! What the living pages and the server say to each other: one JSON object a message, `type` names it.
//!
//! `web/lib/types.d.ts` has the same shapes; the names of enums here are the string literals there.

use serde::{Deserialize, Serialize};

/// The largest message that is read from a page.
pub(super) const MESSAGE_BYTES_MAX: usize = 64 * 1024;

/// Who sits where.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SeatName {
    Practitioner,
    #[serde(rename = "patient_1")]
    PatientOne,
    #[serde(rename = "patient_2")]
    PatientTwo,
    #[serde(rename = "patient_3")]
    PatientThree,
}

/// What a visit page asks.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum FromVisitPage {
    CheckIn,
    Join {
        offer: String,
        /// From the phone, which is hung up then: asked for by the person, never by a page that mends its line.
        #[serde(default)]
        from_phone: bool,
    },
    /// Which numbers there are of somebody, and what going on by phone costs (V13).
    PhoneChoice {
        seat: SeatName,
    },
    Ring {
        seat: SeatName,
        number_id: i64,
    },
    HangUpPhone {
        seat: SeatName,
    },
    Admit {
        seat: SeatName,
    },
    AdmitAll,
    SendBack {
        seat: SeatName,
    },
    State {
        muted: bool,
        camera_off: bool,
    },
    Leave,
    Disconnect,
}

/// What a visit page is told.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ToVisitPage {
    Answer {
        sdp: String,
    },
    Refused {
        what: &'static str,
        message: String,
    },
    View(Box<VisitShown>),
    PhoneChoice(PhoneChoice),
    Evicted,
    /// Its consultation is held at another node: the address of the socket there, good once.
    Elsewhere {
        url: String,
    },
}

/// The room as one person sees it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct VisitShown {
    pub(super) you: SeatName,
    pub(super) phase: &'static str,
    pub(super) ended: Option<String>,
    pub(super) people: Vec<PersonShown>,
    pub(super) elapsed_ms: Option<u64>,
    pub(super) cost: Option<CostShown>,
}

/// One person of the room.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct PersonShown {
    pub(super) seat: SeatName,
    pub(super) name: String,
    pub(super) place: &'static str,
    pub(super) muted: bool,
    pub(super) camera_off: bool,
    pub(super) slot: Option<u8>,
    pub(super) waiting_ms: Option<u64>,
    /// Heard, and not seen (V13).
    pub(super) by_phone: bool,
    /// The phone that was rung for them last; for the practitioner and themselves.
    pub(super) phone: Option<PhoneShown>,
}

/// A patient's phone, from its first ringing on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct PhoneShown {
    /// `dialing`, `ringing`, `talking` or `ended`.
    pub(super) state: &'static str,
    pub(super) words: String,
    pub(super) talk_ms: Option<u64>,
    /// `good`, `fair` or `poor`; none where there is nothing to be judged just now.
    pub(super) heard: Option<&'static str>,
}

/// What the practitioner chooses from before a patient's phone rings.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct PhoneChoice {
    pub(super) seat: SeatName,
    pub(super) name: String,
    pub(super) numbers: Vec<NumberShown>,
    /// The number that they see.
    pub(super) from: String,
    /// How long the estimate reaches: until the booked end.
    pub(super) minutes: u64,
    /// Credits more than by video, until then (M9).
    pub(super) more: u64,
}

/// A number of a patient.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct NumberShown {
    pub(super) id: i64,
    pub(super) label: String,
    pub(super) number: String,
}

/// What runs up, for those who pay.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct CostShown {
    pub(super) so_far: u64,
    pub(super) next_block_in_ms: Option<u64>,
    pub(super) available: i64,
}

impl From<housecall::Cost> for CostShown {
    fn from(cost: housecall::Cost) -> Self {
        Self {
            so_far: cost.so_far,
            next_block_in_ms: cost.next_block_in_ms,
            available: cost.available,
        }
    }
}

/// What a call panel asks.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum FromCallPanel {
    Dial(DialAsked),
    Hold,
    Resume,
    Mute { on: bool },
    Digit { digit: char },
    HangUp,
}

/// Whom to ring, and from which number.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DialAsked {
    /// `patient:12` or `contact:3`.
    pub(super) person: String,
    pub(super) number_id: i64,
    #[serde(default)]
    pub(super) appointment: Option<i64>,
    /// The dedicated number to call from; the practice's own when absent.
    #[serde(default)]
    pub(super) from: Option<String>,
    pub(super) offer: String,
}

/// What a call panel is told.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ToCallPanel {
    Answer {
        sdp: String,
    },
    Refused {
        message: String,
    },
    Call(Box<CallShown>),
    /// This node takes no new calls: the address of the socket at one that does, good once.
    Elsewhere {
        url: String,
    },
}

/// A call as the panel shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct CallShown {
    pub(super) state: &'static str,
    pub(super) words: String,
    pub(super) held: bool,
    pub(super) held_by_them: bool,
    pub(super) muted: bool,
    /// What they pressed at their phone, the last keys of it.
    pub(super) keys_heard: String,
    /// `none`, `keys_in_clear` or `full`; none before any sound was agreed.
    pub(super) encryption: Option<&'static str>,
    pub(super) talk_ms: Option<u64>,
    pub(super) hold_ms: u64,
    pub(super) held_by_them_ms: u64,
    pub(super) cost: Option<CostShown>,
    pub(super) outcome: Option<String>,
    /// `good`, `fair` or `poor`; none where there is nothing to be judged just now.
    pub(super) heard: Option<&'static str>,
    pub(super) sent: Option<&'static str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_speak_snake_case() {
        let asked: FromVisitPage =
            serde_json::from_str(r#"{"type":"admit","seat":"patient_2"}"#).unwrap();
        assert!(matches!(
            asked,
            FromVisitPage::Admit {
                seat: SeatName::PatientTwo
            }
        ));
        let dial = r#"{"type":"dial","person":"patient:1","number_id":7,"appointment":null,"from":null,"offer":"v=0"}"#;
        assert!(matches!(
            serde_json::from_str(dial).unwrap(),
            FromCallPanel::Dial(_)
        ));
    }

    #[test]
    fn what_a_page_may_not_say_is_refused() {
        for said in [
            "",
            "null",
            "[]",
            r#"{"type":"pay"}"#,
            r#"{"type":"admit","seat":"patient_4"}"#,
            r#"{"type":"digit","digit":"12"}"#,
            r#"{"type":"state","muted":1,"camera_off":false}"#,
        ] {
            assert!(
                serde_json::from_str::<FromVisitPage>(said).is_err(),
                "{said}"
            );
            assert!(
                serde_json::from_str::<FromCallPanel>(said).is_err(),
                "{said}"
            );
        }
    }

    #[test]
    fn views_are_flat_objects_with_a_type() {
        let view = ToVisitPage::View(Box::new(VisitShown {
            you: SeatName::PatientOne,
            phase: "waiting",
            ended: None,
            people: Vec::new(),
            elapsed_ms: None,
            cost: None,
        }));
        let text = serde_json::to_string(&view).unwrap();
        assert!(
            text.starts_with(r#"{"type":"view","you":"patient_1","phase":"waiting""#),
            "{text}"
        );
    }
}
