use std::io::Write;
use std::time::Duration;

use super::step::{Advice, Mark, Step};
use super::text::wrapped;

/// Where the further lines of a step begin.
const INDENT: usize = 13;
/// Letters of a line of advice.
const WIDTH: usize = 96;

/// Writes steps as they end, for a person.
pub(super) struct Report<'a> {
    out: &'a mut dyn Write,
    /// Steps of the present trunk.
    steps: usize,
    failed: usize,
    failed_in_all: usize,
}

impl<'a> Report<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self {
            out,
            steps: 0,
            failed: 0,
            failed_in_all: 0,
        }
    }

    /// Begins with another trunk.
    pub(super) fn begin(&mut self, title: &str) {
        (self.steps, self.failed) = (0, 0);
        self.line(&format!("{title}\n"));
    }

    pub(super) fn step(&mut self, step: &Step) {
        self.steps += usize::from(step.mark != Mark::Skipped);
        self.failed += usize::from(step.mark == Mark::Failed);
        let Step {
            mark, noun, said, ..
        } = step;
        let took = step.took.map(shown).unwrap_or_default();
        let mark = mark.shown();
        self.line(&format!("  {mark:<9}  {noun:<8} {took:>9}  {said}"));
        if let Some(advice) = &step.advice {
            self.advice(advice);
        }
    }

    /// Ends with the present trunk.
    pub(super) fn end(&mut self, name: &str) {
        let (steps, failed) = (self.steps, self.failed);
        self.failed_in_all += failed;
        self.line(&match failed {
            0 => format!("\n{name}: all is well.\n"),
            failed => format!("\n{name}: {failed} of {steps} steps failed.\n"),
        });
    }

    /// How many steps have failed, of all trunks.
    pub(super) fn failed_in_all(&self) -> usize {
        self.failed_in_all
    }

    fn advice(&mut self, advice: &Advice) {
        for (heading, words) in [("Meaning:", &advice.means), ("To do:", &advice.todo)] {
            for (index, line) in wrapped(words, WIDTH).iter().enumerate() {
                let heading = if index == 0 { heading } else { "" };
                self.line(&format!("{:INDENT$}{heading:<8} {line}", ""));
            }
        }
    }

    /// A closed pipe is the reader's choice.
    fn line(&mut self, line: &str) {
        let _ = writeln!(self.out, "{line}");
        let _ = self.out.flush();
    }
}

/// Whole milliseconds.
pub(super) fn shown(time: Duration) -> String {
    format!("{} ms", time.as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_stand_in_columns_and_say_in_words_what_they_are() {
        let mut written = Vec::new();
        let mut report = Report::new(&mut written);
        report.begin("Trunk \"A\"");
        report.step(&Step::ok("find", "192.0.2.1:5060").took(Duration::from_millis(12)));
        report.step(&Step::skipped("register", "it wants none"));
        let advice = Advice::new("nobody is there", "look elsewhere");
        report.step(&Step::failed("ping", "no answer", advice).took(Duration::from_secs(8)));
        report.end("A");
        assert_eq!(report.failed_in_all(), 1);
        let expected = "\
Trunk \"A\"

  ✓ ok       find         12 ms  192.0.2.1:5060
  – skipped  register            it wants none
  ✗ failed   ping       8000 ms  no answer
             Meaning: nobody is there
             To do:   look elsewhere

A: 1 of 2 steps failed.

";
        assert_eq!(String::from_utf8(written).unwrap(), expected);
    }

    #[test]
    fn a_reader_that_has_gone_is_no_failure() {
        let mut nowhere = &mut [0_u8; 0][..];
        let mut report = Report::new(&mut nowhere);
        report.step(&Step::ok("find", "here"));
        report.end("A");
        assert_eq!(report.failed_in_all(), 0);
    }
}
