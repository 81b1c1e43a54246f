//! Credits that change hands inside a practice.

use crate::transaction::movement;
use crate::{Account, AccountId, Cause, Credits, Kind, Refusal, Transaction};

/// Moves credits between two accounts of one practice: its own and those of its practitioners (M13).
///
/// A transfer is two entries with one fate. Each entry of a journal belongs to one holder, whose statement, balances and seal follow from its
/// entries alone, so each leg balances for itself, over the account [`Account::Transferred`]. A journal writes both legs in one
/// transaction or none; over the practice, Transferred is zero.
///
/// Bought credits alone can be transferred: see [`Holdings::given`](crate::Holdings::given).
///
/// ```
/// use housecall_meter::{Account, AccountId, Balance, Books, Credits, Transaction, Transfer};
///
/// let practice = AccountId::new("practice:1");
/// let ada = practice.practitioner("ada");
/// let mut books = Books::default();
/// books.record(&Transaction::top_up(practice.clone(), Credits(100), "receipt 12", "Ben"))?;
///
/// let transfer = Transfer {
///     name: "1".to_owned(),
///     from: practice.clone(),
///     to: ada.clone(),
///     credits: Credits(30),
///     by: "Ben".to_owned(),
/// };
/// books.record_all(&transfer.legs()?)?;
/// assert_eq!(books.balance(&practice, Account::Available), Balance(70));
/// assert_eq!(books.balance(&ada, Account::Available), Balance(30));
/// # Ok::<(), housecall_meter::Refusal>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Transfer {
    /// A name never used before.
    pub name: String,
    /// Who gives.
    pub from: AccountId,
    /// Who gets.
    pub to: AccountId,
    /// How much.
    pub credits: Credits,
    /// Who ordered it.
    pub by: String,
}

impl Transfer {
    /// Returns both entries, to be written together.
    ///
    /// # Errors
    /// [`Refusal::NotOfOnePractice`].
    pub fn legs(&self) -> Result<[Transaction; 2], Refusal> {
        if self.from == self.to || self.from.practice() != self.to.practice() {
            return Err(Refusal::NotOfOnePractice {
                from: self.from.clone(),
                to: self.to.clone(),
            });
        }
        let out = movement(Account::Available, Account::Transferred, self.credits);
        let into = movement(Account::Transferred, Account::Available, self.credits);
        Ok([
            self.leg("out", Kind::TransferOut, [&self.from, &self.to], out),
            self.leg("in", Kind::TransferIn, [&self.to, &self.from], into),
        ])
    }

    fn leg(
        &self,
        which: &str,
        kind: Kind,
        [own, with]: [&AccountId; 2],
        postings: Vec<crate::Posting>,
    ) -> Transaction {
        let key = format!("transfer/{}/{which}", self.name);
        let cause = Cause::Transferred {
            with: with.clone(),
            by: self.by.clone(),
        };
        Transaction::outside_sessions(key, kind, own.clone(), cause, postings)
    }
}
