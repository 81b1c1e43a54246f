//! Reversing entries.

use crate::transaction::movement;
use crate::{Account, Cause, Credits, Key, Kind, Refusal, Transaction};

/// Reverses an entry wholly or in part, for a reason that is kept (M12). It never edits: it is an entry of its own.
///
/// What was charged goes back to Available; what was bought, given or forgiven in error goes back to where it came from, which may take the
/// balance below zero. A correction may be corrected in its turn. A journal refuses to reverse more of an entry than it moved,
/// whatever the number and order of corrections.
///
/// ```
/// use housecall_meter::{Account, AccountId, Balance, Books, Correction, Credits, Refusal, Transaction};
///
/// let practice = AccountId::new("practice:1");
/// let mut books = Books::default();
/// let bought = Transaction::top_up(practice.clone(), Credits(500), "receipt 12", "Ada");
/// books.record(&bought)?;
///
/// let correction = Correction {
///     name: "1".to_owned(),
///     credits: Credits(450),
///     by: "Ada".to_owned(),
///     reason: "it said 50".to_owned(),
/// };
/// books.record(&correction.of(&bought)?)?;
/// assert_eq!(books.balance(&practice, Account::Available), Balance(50));
///
/// let again = Correction { name: "2".to_owned(), ..correction };
/// let refused = books.record(&again.of(&bought)?);
/// assert!(matches!(refused, Err(Refusal::BeyondCorrection { left: Credits(50), .. })));
/// # Ok::<(), Refusal>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Correction {
    /// Tells it from other corrections of the same entry; the same name twice is one correction.
    pub name: String,
    /// How much of the entry is reversed, at least one.
    pub credits: Credits,
    /// Who ordered it.
    pub by: String,
    /// In words.
    pub reason: String,
}

impl Correction {
    /// Returns the entry that corrects another one.
    ///
    /// # Errors
    /// [`Refusal::NotCorrectable`] of an entry that moved nothing for good, as reservations and transfers; a transfer is undone by another
    /// one. [`Refusal::BeyondCorrection`] when it moved less.
    pub fn of(&self, entry: &Transaction) -> Result<Transaction, Refusal> {
        let whole = Reversible::of(entry, Credits::ZERO)?;
        let (from, to) = whole.way_back();
        let correction = Transaction {
            key: Key(format!("{}/correct/{}", entry.key, self.name)),
            kind: Kind::Correct,
            cause: Cause::Corrected {
                of: entry.key.clone(),
                by: self.by.clone(),
                reason: self.reason.clone(),
            },
            postings: movement(from, to, self.credits),
            must_be_covered: false,
            ..entry.clone()
        };
        whole.reverse(&correction)?;
        Ok(correction)
    }

    /// Returns how much of an entry is reversed once a correction of it is written, if so much was before. For ledgers.
    ///
    /// # Errors
    /// [`Refusal::NotCorrectable`] of something that is no correction of this entry, [`Refusal::BeyondCorrection`].
    pub fn check(
        correction: &Transaction,
        of: &Transaction,
        reversed: Credits,
    ) -> Result<Credits, Refusal> {
        Reversible::of(of, reversed)?.reverse(correction)
    }
}

/// How much of an entry may still be reversed.
struct Reversible<'a> {
    entry: &'a Transaction,
    /// Where its credits came from, or ended.
    end: Account,
    /// What it added there.
    moved: i64,
    reversed: Credits,
}

impl<'a> Reversible<'a> {
    fn of(entry: &'a Transaction, reversed: Credits) -> Result<Self, Refusal> {
        let mut postings = entry.postings.iter();
        let end = postings.find(|posting| posting.account.can_be_reversed());
        let end = end.ok_or_else(|| Refusal::NotCorrectable {
            key: entry.key.clone(),
        })?;
        Ok(Self {
            entry,
            end: end.account,
            moved: end.delta,
            reversed,
        })
    }

    fn way_back(&self) -> (Account, Account) {
        match self.moved > 0 {
            true => (self.end, Account::Available),
            false => (Account::Available, self.end),
        }
    }

    /// How much is reversed with this correction too.
    fn reverse(&self, correction: &Transaction) -> Result<Credits, Refusal> {
        let back = correction.posted(self.end);
        let asked = Credits(back.unsigned_abs());
        let left = Credits(self.moved.unsigned_abs()) - self.reversed;
        if !self.is_reversed_by(correction, asked) {
            return Err(Refusal::NotCorrectable {
                key: self.entry.key.clone(),
            });
        }
        if asked > left || asked == Credits::ZERO {
            return Err(Refusal::BeyondCorrection {
                key: self.entry.key.clone(),
                asked,
                left,
            });
        }
        Ok(self.reversed + asked)
    }

    /// It is the same holder's and session's, and goes the same way back.
    fn is_reversed_by(&self, correction: &Transaction, credits: Credits) -> bool {
        let (from, to) = self.way_back();
        correction.kind == Kind::Correct
            && correction.account == self.entry.account
            && correction.session == self.entry.session
            && correction.postings == movement(from, to, credits)
    }
}
