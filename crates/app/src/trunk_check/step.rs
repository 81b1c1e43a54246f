use std::time::Duration;

/// One thing that was tried, and what came of it: one line for a person.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Step {
    pub(super) mark: Mark,
    /// What was tried, in a word or two.
    pub(super) noun: &'static str,
    pub(super) took: Option<Duration>,
    /// What the other side said, or what was seen.
    pub(super) said: String,
    pub(super) advice: Option<Advice>,
}

/// What a step amounts to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Mark {
    Ok,
    /// It works, and there is something to know.
    Note,
    Failed,
    /// It was not tried.
    Skipped,
}

/// Words for whoever has to mend it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Advice {
    /// What the failure means.
    pub(super) means: String,
    /// What to do about it.
    pub(super) todo: String,
}

impl Step {
    pub(super) fn ok(noun: &'static str, said: impl Into<String>) -> Self {
        Self::new(Mark::Ok, noun, said.into(), None)
    }

    pub(super) fn note(noun: &'static str, said: impl Into<String>, advice: Advice) -> Self {
        Self::new(Mark::Note, noun, said.into(), Some(advice))
    }

    pub(super) fn failed(noun: &'static str, said: impl Into<String>, advice: Advice) -> Self {
        Self::new(Mark::Failed, noun, said.into(), Some(advice))
    }

    pub(super) fn skipped(noun: &'static str, said: impl Into<String>) -> Self {
        Self::new(Mark::Skipped, noun, said.into(), None)
    }

    fn new(mark: Mark, noun: &'static str, said: String, advice: Option<Advice>) -> Self {
        Self {
            mark,
            noun,
            took: None,
            said,
            advice,
        }
    }

    #[must_use]
    pub(super) fn took(self, took: Duration) -> Self {
        let took = Some(took);
        Self { took, ..self }
    }
}

impl Advice {
    pub(super) fn new(means: impl Into<String>, todo: impl Into<String>) -> Self {
        Self {
            means: means.into(),
            todo: todo.into(),
        }
    }
}

impl Mark {
    /// A sign and a word: neither colour nor the sign alone tells.
    pub(super) fn shown(self) -> &'static str {
        match self {
            Self::Ok => "✓ ok",
            Self::Note => "! note",
            Self::Failed => "✗ failed",
            Self::Skipped => "– skipped",
        }
    }
}
