//! A process that dies at any byte that it writes, and what its successor makes of that.

mod platter;

use std::collections::BTreeSet;

use housecall_meter::{
    AccountId, Books, Credits, Fact, Key, Millis, Opening, Session, SessionId, Transaction,
};

pub(crate) use self::platter::Platter;
use super::backlog::Backlog;
use super::log::{Log, NotKept};
use super::record::{Record, What};
use crate::Epoch;

fn practice() -> AccountId {
    AccountId::new("practice:1")
}

/// A call of three minutes and a bit: what its reservation wrote, and what comes after.
fn call() -> (Transaction, Vec<Record>) {
    let mut call = Session::open(Opening::call(SessionId::new("call"), practice()));
    let reserve = call.poll_output().unwrap();
    let _grant = call.recorded(&reserve.key).unwrap();
    call.handle_input(Millis(0), Fact::Answered).unwrap();
    let mut records = Vec::new();
    for at in [0, 60_000, 120_000, 180_000] {
        call.handle_timeout(Millis(at));
        records.extend(std::iter::from_fn(|| call.poll_output()).map(What::Entry));
        records.push(What::Alive {
            session: call.id().clone(),
            at: Millis(at + 5_000),
        });
    }
    call.handle_input(Millis(200_000), Fact::Ended).unwrap();
    records.extend(std::iter::from_fn(|| call.poll_output()).map(What::Entry));
    let epoch = Epoch(7);
    let records = records.into_iter().map(|what| Record { epoch, what });
    (reserve, records.collect())
}

/// Takes each entry once, as the journal does.
struct Ledger {
    books: Books,
    keys: BTreeSet<Key>,
    evidence: Millis,
}

impl Ledger {
    fn of(reserve: &Transaction) -> Self {
        let mut books = Books::default();
        let bought = Transaction::grant("1", practice(), Credits(100), "bought");
        books.record(&bought).unwrap();
        books.record(reserve).unwrap();
        Self {
            books,
            keys: BTreeSet::new(),
            evidence: Millis::ZERO,
        }
    }

    fn hear(&mut self, record: &Record) {
        match &record.what {
            What::Entry(entry) => {
                self.books.record(entry).unwrap();
                self.keys.insert(entry.key.clone());
            }
            What::Alive { at, .. } => self.evidence = self.evidence.max(*at),
        }
    }
}

/// Keeps all, tells all, and forgets it; ends early where the disk does. Returns what was kept for certain.
fn live(disk: &Platter, records: &[Record], ledger: &mut Ledger) -> Vec<Record> {
    let mut kept = Vec::new();
    let Ok((mut backlog, _)) = Backlog::open(disk.clone()) else {
        return kept;
    };
    for record in records {
        if backlog.keep(record.clone()).is_err() {
            return kept;
        }
        kept.push(record.clone());
    }
    // Every moment between two of these is one at which the disk may be found as it is now.
    while let Some(next) = backlog.next() {
        ledger.hear(&next);
        backlog.done(&next);
    }
    let _ = backlog.clear();
    kept
}

#[test]
fn a_process_that_dies_at_any_byte_loses_nothing_that_it_kept_and_adds_nothing() {
    let (reserve, records) = call();
    let whole = Platter::default();
    let mut ledger = Ledger::of(&reserve);
    assert_eq!(live(&whole, &records, &mut ledger), records);
    let steps = whole.steps();
    assert!(steps > 600, "{steps}");
    let (balance, all_keys) = (ledger.books.balances().collect::<Vec<_>>(), ledger.keys);
    for dies_after in 0..=steps {
        let disk = Platter::default();
        disk.die_after(dies_after);
        let mut ledger = Ledger::of(&reserve);
        let kept = live(&disk, &records, &mut ledger);
        disk.live_again();
        let (mut backlog, found) = Backlog::open(disk.clone()).unwrap();
        assert!(!found.is_damaged, "after {dies_after}");
        let mut told = 0;
        while let Some(next) = backlog.next() {
            // The successor may die here too, and then tell it once more.
            ledger.hear(&next);
            ledger.hear(&next);
            backlog.done(&next);
            told += 1;
        }
        backlog.clear().unwrap();
        assert_eq!(disk.bytes(), b"");
        for record in &kept {
            match &record.what {
                What::Entry(entry) => assert!(ledger.keys.contains(&entry.key), "{dies_after}"),
                What::Alive { at, .. } => assert!(ledger.evidence >= *at, "{dies_after}"),
            }
        }
        // At most what was on its way when it died is there beside that.
        assert!(told == 0 || ledger.keys.len() <= kept.len() + 1);
        assert!(ledger.keys.is_subset(&all_keys));
        if kept.len() == records.len() {
            assert_eq!(ledger.books.balances().collect::<Vec<_>>(), balance);
        }
    }
}

/// A log of these records, and where each of them ends in it, from 0 on.
fn log_of(records: &[Record]) -> (Vec<u8>, Vec<usize>) {
    let disk = Platter::default();
    let (mut log, _) = Log::open(disk.clone()).unwrap();
    let mut ends = vec![0];
    for record in records {
        log.append(record).unwrap();
        ends.push(disk.bytes().len());
    }
    (disk.bytes(), ends)
}

#[test]
fn a_log_cut_anywhere_is_read_to_its_last_whole_record_and_goes_on() {
    let (_, records) = call();
    let (bytes, ends) = log_of(&records);
    for length in 0..=bytes.len() {
        let whole = ends.iter().filter(|end| **end <= length).count() - 1;
        let cut = Platter::of(&bytes[..length]);
        let (mut log, found) = Log::open(cut.clone()).unwrap();
        assert_eq!(found.records, records[..whole], "cut at {length}");
        assert_eq!(found.torn, length - ends[whole], "cut at {length}");
        assert!(!found.is_damaged && cut.aside().is_empty());
        log.append(&records[0]).unwrap();
        let (_, found) = Log::open(cut).unwrap();
        let mut with_one_more = records[..whole].to_vec();
        with_one_more.push(records[0].clone());
        assert_eq!((found.records, found.torn), (with_one_more, 0));
    }
}

/// A bit that flips in the middle: nothing behind it is believed, and it is kept for a person.
#[test]
fn a_damaged_log_is_believed_as_far_as_it_is_whole() {
    let (_, records) = call();
    let (bytes, ends) = log_of(&records);
    for at in 0..ends[ends.len() - 2] {
        for bit in [0x01, 0x80] {
            let mut flipped = bytes.clone();
            flipped[at] ^= bit;
            let whole = ends.iter().filter(|end| **end <= at).count() - 1;
            let disk = Platter::of(&flipped);
            let (_, found) = Log::open(disk.clone()).unwrap();
            assert_eq!(found.records, records[..whole], "bit {bit:x} of {at}");
            assert!(found.is_damaged);
            assert_eq!(disk.aside(), flipped[ends[whole]..]);
            assert_eq!(disk.bytes(), bytes[..ends[whole]]);
        }
    }
    // Records of another log do not follow.
    let twice = [&bytes[..], &bytes[..]].concat();
    let (_, found) = Log::open(Platter::of(&twice)).unwrap();
    assert_eq!(found.records, records);
    assert!(found.is_damaged);
}

/// A disk that is full for a while: what it did not take is not there later, what it takes afterwards is.
#[test]
fn a_disk_that_fails_for_a_while_keeps_what_it_said_it_keeps() {
    let (_, records) = call();
    for fails_after in 0..680 {
        let disk = Platter::default();
        let (mut log, _) = Log::open(disk.clone()).unwrap();
        disk.die_after(fails_after);
        let mut kept = Vec::new();
        for record in &records {
            let is_kept = log.append(record);
            if let Err(error) = &is_kept {
                assert!(matches!(error, NotKept::Disk(_)), "{error}");
                disk.live_again();
            } else {
                kept.push(record.clone());
            }
        }
        assert_eq!(kept.len() + 1, records.len(), "{fails_after}");
        let (_, found) = Log::open(disk).unwrap();
        assert!(found.records == kept && !found.is_damaged, "{fails_after}");
        // What the last one left is cut off by whoever writes or reads next.
        assert!(found.torn == 0 || kept.last() != records.last());
    }
}

#[test]
fn a_spool_is_bounded_and_leaves_room_for_more_than_signs_of_life() {
    let (_, records) = call();
    let alive = records
        .iter()
        .find(|it| matches!(it.what, What::Alive { .. }));
    let entry = records.iter().find(|it| matches!(it.what, What::Entry(_)));
    let (alive, entry) = (alive.unwrap(), entry.unwrap());
    let (mut log, _) = Log::open(Platter::default()).unwrap();
    log.pretend_length(super::log::BYTES_MAX / 4 * 3);
    assert!(matches!(log.append(alive), Err(NotKept::Full)));
    log.append(entry).unwrap();
    log.pretend_length(super::log::BYTES_MAX - 20);
    assert!(matches!(log.append(entry), Err(NotKept::Full)));
    log.clear().unwrap();
    log.append(alive).unwrap();
}
