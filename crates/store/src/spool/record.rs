//! What a spool holds, and the text it is on the disk.

use std::fmt::Write as _;

use housecall_meter::{
    Account, AccountId, Cause, Key, Kind, Millis, Posting, SessionId, Tariff, Transaction,
};

use crate::Epoch;

/// Something that happened in a session, in the name of the epoch in which it did.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Record {
    pub(crate) epoch: Epoch,
    pub(crate) what: What,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum What {
    /// An entry for the journal.
    Entry(Transaction),
    /// A sign of life (M11).
    Alive { session: SessionId, at: Millis },
}

impl Record {
    /// Returns it in one line, without an end of line in it.
    pub(crate) fn text(&self) -> String {
        let mut line = Line(self.epoch.0.to_string());
        match &self.what {
            What::Entry(entry) => line.add("entry").add_entry(entry),
            What::Alive { session, at } => line.add("alive").add(session.as_str()).add(at.0),
        };
        line.0
    }

    /// Reads what [`Record::text`] wrote.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut fields = Fields(text.split('\t'));
        let epoch = Epoch(fields.number()?);
        let what = match fields.0.next()? {
            "entry" => What::Entry(fields.entry()?),
            "alive" => What::Alive {
                session: SessionId::new(fields.word()?),
                at: Millis(fields.number()?),
            },
            _ => return None,
        };
        let is_whole = fields.0.next().is_none();
        is_whole.then_some(Self { epoch, what })
    }
}

/// Fields with a tab between them. What is no text of ours has none in it, nor an end of line.
struct Line(String);

impl Line {
    fn add(&mut self, field: impl ToString) -> &mut Self {
        self.0.push('\t');
        for letter in field.to_string().chars() {
            match letter {
                '%' | '\t' | '\n' | '\r' => {
                    // Writing to a string does not fail.
                    let _ = write!(self.0, "%{:02X}", u32::from(letter));
                }
                other => self.0.push(other),
            }
        }
        self
    }

    fn add_entry(&mut self, entry: &Transaction) -> &mut Self {
        let session = entry.session.as_ref().map(SessionId::as_str);
        let tariff = entry.tariff.map(|tariff| (tariff.name, tariff.version));
        let (name, version) = tariff.unwrap_or_default();
        self.add(&entry.key)
            .add(entry.kind.as_str())
            .add(session.unwrap_or_default())
            .add(&entry.account)
            .add(entry.at.0)
            .add(name)
            .add(version)
            .add(&entry.cause)
            .add(u8::from(entry.must_be_covered));
        for posting in &entry.postings {
            self.add(posting.account.as_str()).add(posting.delta);
        }
        self
    }
}

struct Fields<'a>(std::str::Split<'a, char>);

impl Fields<'_> {
    fn word(&mut self) -> Option<String> {
        let mut parts = self.0.next()?.split('%');
        let mut word = parts.next()?.to_owned();
        for part in parts {
            let (code, rest) = part.split_at_checked(2)?;
            word.push(char::from(u8::from_str_radix(code, 16).ok()?));
            word.push_str(rest);
        }
        Some(word)
    }

    fn number<T: std::str::FromStr>(&mut self) -> Option<T> {
        self.0.next()?.parse().ok()
    }

    fn entry(&mut self) -> Option<Transaction> {
        let key = Key(self.word()?);
        let kind = Kind::parse(self.0.next()?)?;
        let session = Some(self.word()?).filter(|name| !name.is_empty());
        let account = AccountId::new(self.word()?);
        let at = Millis(self.number()?);
        let (name, version) = (self.word()?, self.number()?);
        let tariff = match name.as_str() {
            "" => None,
            name => Some(Tariff::pinned(name, version)?.id()),
        };
        Some(Transaction {
            key,
            kind,
            session: session.map(SessionId::new),
            account,
            at,
            tariff,
            cause: Cause::parse(&self.word()?)?,
            must_be_covered: self.number::<u8>()? != 0,
            postings: self.postings()?,
        })
    }

    fn postings(&mut self) -> Option<Vec<Posting>> {
        let mut postings = Vec::new();
        while let Some(account) = self.0.next() {
            let account = Account::parse(account)?;
            let delta = self.number()?;
            postings.push(Posting { account, delta });
        }
        Some(postings)
    }
}

#[cfg(test)]
mod tests {
    use housecall_meter::{Booked, Fact, Opening, Patient, Person, Session};

    use super::*;

    /// Everything that a visit writes, under names that nobody should give.
    fn entries() -> Vec<Transaction> {
        let session = SessionId::new("visit\t1%\n é\r09");
        let payer = AccountId::new("practice 1%09");
        let booked = Booked::new(2).unwrap();
        let mut visit = Session::open(Opening::visit(session, payer, booked));
        let mut entries: Vec<_> = visit.poll_output().into_iter().collect();
        let _grant = visit.recorded(&entries[0].key);
        let one = Patient::from_seat(1).unwrap();
        for (at, fact) in [
            (1, Fact::PatientAdmitted(one)),
            (2, Fact::Joined(Person::Patient(one))),
            (500_000, Fact::Left(Person::Practitioner)),
            (600_000, Fact::Joined(Person::Practitioner)),
            (900_000, Fact::PhoneAnswered(one)),
            (960_000, Fact::PhoneHungUp(one)),
            (1_000_000, Fact::Ended),
        ] {
            visit.handle_timeout(Millis(at));
            visit.handle_input(Millis(at), fact).unwrap();
            entries.extend(std::iter::from_fn(|| visit.poll_output()));
        }
        entries
    }

    fn records() -> Vec<Record> {
        let alive = What::Alive {
            session: SessionId::new("\t%%\n"),
            at: Millis(u64::MAX),
        };
        let entries = entries().into_iter().map(What::Entry);
        let all = entries.chain([alive]).zip(0..);
        all.map(|(what, epoch)| Record {
            epoch: Epoch(epoch),
            what,
        })
        .collect()
    }

    #[test]
    fn a_record_comes_back_as_it_was() {
        let records = records();
        assert!(records.len() > 6);
        for record in records {
            let text = record.text();
            assert!(!text.contains(['\n', '\r']), "{text}");
            assert_eq!(Record::parse(&text), Some(record));
        }
    }

    #[test]
    fn what_is_no_record_is_none() {
        for text in [
            "",
            "1",
            "1\tentry",
            "1\talive\ts",
            "1\talive\ts\t5\tmore",
            "1\talive\t%zz\t5",
            "1\talive\t%\t5",
            "-1\talive\ts\t5",
            "1\tburnt\ts\t5",
        ] {
            assert_eq!(Record::parse(text), None, "{text}");
        }
        // Cut off anywhere, an entry is either none or, where whole postings lack, another one: the checksum of the log tells that.
        let text = records()[0].text();
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            assert_ne!(Record::parse(&text[..end]).as_ref(), Some(&records()[0]));
        }
    }
}
