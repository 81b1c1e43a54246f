//! From what happened to what it costs.

use std::ops::Range;

use crate::bill::{Bill, Line, Rule};
use crate::blocks::Blocks;
use crate::timeline::Timeline;
use crate::{Credits, Grid, Millis, OldGrid, Patient, Tariff};

/// A price, and the grid by which it was counted.
#[derive(Debug)]
pub(crate) struct Priced {
    pub(crate) bill: Bill,
    pub(crate) blocks: Blocks,
}

impl Priced {
    fn or_cheaper(self, other: Self) -> Self {
        match other.bill.total() < self.bill.total() {
            true => other,
            false => self,
        }
    }
}

/// Prices what has happened as if the session ended `at`.
pub(crate) fn priced(
    tariff: Tariff,
    timeline: &Timeline,
    reopens: Option<OldGrid>,
    at: Millis,
) -> Priced {
    match tariff.grid() {
        Grid::FromJoin => admitted(tariff, timeline, at),
        Grid::FromAnswer => call(tariff, timeline, at),
        Grid::FromConnection => attended(tariff, timeline, reopens, at),
    }
}

/// Where blocks begin by which the price may rise, after a moment, as long as nothing happens.
pub(crate) fn next_boundary(
    tariff: Tariff,
    timeline: &Timeline,
    reopens: Option<OldGrid>,
    after: Millis,
) -> Option<Millis> {
    let block = tariff.block();
    let minutes = timeline
        .on_the_phone()
        .map(|since| Blocks::from(since, Millis::MINUTE).next_after(after));
    let grids = match tariff.grid() {
        Grid::FromJoin => vec![Blocks::from(Millis::ZERO, block)],
        Grid::FromAnswer => timeline
            .answered()
            .map(|answered| Blocks::from(answered, block))
            .into_iter()
            .collect(),
        Grid::FromConnection if timeline.is_anybody_together() => {
            grids(tariff, timeline, reopens, after)
        }
        Grid::FromConnection => Vec::new(),
    };
    let begins = grids.into_iter().map(|blocks| blocks.next_after(after));
    minutes.chain(begins).filter(|at| *at > after).min()
}

/// M4: every block from Join to Disconnect, for each patient who was admitted at least once.
fn admitted(tariff: Tariff, timeline: &Timeline, at: Millis) -> Priced {
    let blocks = Blocks::from(Millis::ZERO, tariff.block());
    let all = 0..tariff.blocks(at);
    let charged = |patient| {
        let is_charged = timeline.seat(patient).admitted && !all.is_empty();
        is_charged.then(|| all.clone()).into_iter().collect()
    };
    of_visit(tariff, timeline, at, blocks, Rule::Admitted, charged)
}

/// M2: the minutes that were begun from the answer on.
fn call(tariff: Tariff, timeline: &Timeline, at: Millis) -> Priced {
    let answered = timeline.answered().unwrap_or(at);
    let blocks = Blocks::from(answered, tariff.block());
    let minutes = tariff.blocks(at.since(answered));
    let line = Line {
        patient: Patient::One,
        from: answered,
        to: blocks.start(minutes),
        blocks: minutes,
        each: tariff.credits_per_block(),
        rule: Rule::Call,
    };
    let lines = (minutes > 0).then_some(line).into_iter().collect();
    let bill = Bill::new(lines);
    Priced { bill, blocks }
}

/// M5: the blocks in which a patient and the practitioner were connected together. Of the grids that may be meant the cheapest counts; so does
/// what `standard` asks, for a grid that begins later may cut the minutes by phone (M9) less well.
fn attended(tariff: Tariff, timeline: &Timeline, reopens: Option<OldGrid>, at: Millis) -> Priced {
    let begins = timeline.first_connection(at).unwrap_or(at);
    let blocks = Blocks::from(begins, tariff.block());
    let fresh = of_visit(tariff, timeline, at, blocks, Rule::Attended, |patient| {
        together(timeline, patient, at, blocks)
    });
    let continued = reopens.map(|old| {
        let blocks = old.blocks(tariff);
        of_visit(tariff, timeline, at, blocks, Rule::Attended, |patient| {
            let unpaid = |range: Range<u64>| range.start.max(old.first_unpaid(patient))..range.end;
            let touched = together(timeline, patient, at, blocks).into_iter();
            touched
                .map(unpaid)
                .filter(|range| !range.is_empty())
                .collect()
        })
    });
    let standard = admitted(tariff, timeline, at);
    continued
        .into_iter()
        .fold(fresh, Priced::or_cheaper)
        .or_cheaper(standard)
}

/// The grids that `attended` may count by.
fn grids(tariff: Tariff, timeline: &Timeline, reopens: Option<OldGrid>, at: Millis) -> Vec<Blocks> {
    // What begins just now has begun.
    let fresh = timeline.first_connection(at.plus(Millis(1)));
    let fresh = fresh.map(|begins| Blocks::from(begins, tariff.block()));
    let old = reopens.map(|old| old.blocks(tariff));
    let standard = Blocks::from(Millis::ZERO, tariff.block());
    fresh.into_iter().chain(old).chain([standard]).collect()
}

/// The blocks in which a patient and the practitioner were together, in order.
fn together(timeline: &Timeline, patient: Patient, at: Millis, blocks: Blocks) -> Vec<Range<u64>> {
    let spans = timeline.seat(patient).together.until(at);
    let mut ranges: Vec<Range<u64>> = Vec::new();
    for touched in spans.map(|span| blocks.touched(span)) {
        match ranges.last_mut() {
            Some(last) if touched.start <= last.end => last.end = last.end.max(touched.end),
            _ => ranges.push(touched),
        }
    }
    ranges
}

fn of_visit(
    tariff: Tariff,
    timeline: &Timeline,
    at: Millis,
    blocks: Blocks,
    rule: Rule,
    charged: impl Fn(Patient) -> Vec<Range<u64>>,
) -> Priced {
    let lines = Patient::ALL.into_iter().flat_map(|patient| {
        let phone = timeline.seat(patient).by_phone.until(at);
        let minutes: Vec<_> = phone.flat_map(|span| blocks.minutes(span)).collect();
        Seat {
            tariff,
            patient,
            blocks,
            rule,
        }
        .lines(&charged(patient), &minutes)
    });
    let bill = Bill::new(lines.collect());
    Priced { bill, blocks }
}

/// Whose lines are made, and how.
#[derive(Clone, Copy)]
struct Seat {
    tariff: Tariff,
    patient: Patient,
    blocks: Blocks,
    rule: Rule,
}

impl Seat {
    /// M9: each block costs the greater of its price, if it is charged, and the minutes by phone that began in it.
    fn lines(self, charged: &[Range<u64>], minutes: &[(Range<u64>, u64)]) -> Vec<Line> {
        let ranges = charged.iter().chain(minutes.iter().map(|(range, _)| range));
        let mut edges: Vec<u64> = ranges.flat_map(|range| [range.start, range.end]).collect();
        edges.sort_unstable();
        edges.dedup();
        let mut lines: Vec<Line> = Vec::new();
        for (start, end) in edges.iter().zip(edges.iter().skip(1)) {
            let is_charged = charged.iter().any(|range| range.contains(start));
            let begun = minutes.iter().filter(|(range, _)| range.contains(start));
            let begun = begun
                .map(|(_, minutes)| *minutes)
                .fold(0, u64::saturating_add);
            let line = self.line(*start..*end, is_charged, begun);
            match lines.last_mut() {
                _ if line.each == Credits::ZERO => {}
                Some(last)
                    if last.to == line.from && (last.each, last.rule) == (line.each, line.rule) =>
                {
                    last.to = line.to;
                    last.blocks = last.blocks.saturating_add(line.blocks);
                }
                _ => lines.push(line),
            }
        }
        lines
    }

    fn line(self, blocks: Range<u64>, is_charged: bool, minutes: u64) -> Line {
        let price = match is_charged {
            true => self.tariff.credits_per_block(),
            false => Credits::ZERO,
        };
        let by_phone = Tariff::PHONE.credits_per_block().times(minutes);
        Line {
            patient: self.patient,
            from: self.blocks.start(blocks.start),
            to: self.blocks.start(blocks.end),
            blocks: blocks.end - blocks.start,
            each: price.max(by_phone),
            rule: match by_phone > price {
                true => Rule::PhoneMinutes,
                false => self.rule,
            },
        }
    }
}
