//! The ledger told as text: who bought, was given, spent and got back what.

use std::collections::BTreeMap;

use super::told::practice;
use crate::{
    Account, AccountId, Books, Cause, Correction, Credits, Fact, Key, Millis, Opening, OrderId,
    Refusal, Session, SessionId, Transaction, Transfer,
};
use crate::{
    Date, Kind, Message, MessageFact, MessageId, Segments, Subscription, SubscriptionFact,
    SubscriptionId,
};

/// Runs a script: each line is a deed, and what stands behind `->` must hold after it.
///
/// ```text
/// buy practice 10                 -> practice 10 of which given 0
/// give ada 5                      -> ada 5 of which given 5
/// spend practice 7 call           -> practice 3 of which given 0    # a phone call named `call`
/// refund call 2 r                 -> cost 5                         # a correction named `r`, which may be refunded too
/// transfer practice ada 3
/// forgive practice 4
/// anything                        -> refused ...                    # the words of the refusal
/// ```
pub(super) fn check(script: &str) {
    let mut world = World::default();
    for line in script.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        let (deed, expected) = line.split_once("->").unwrap_or((line, ""));
        let entries = world.entries(&words(deed));
        let refused = match entries {
            Ok(entries) => world.write(&entries),
            Err(refusal) => Some(refusal),
        };
        world.expect(expected.trim(), refused, line);
    }
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

fn holder(name: &str) -> AccountId {
    match name {
        "practice" => practice(),
        "stranger" => AccountId::new("practice:2"),
        name => practice().practitioner(name),
    }
}

fn credits(text: &str) -> Credits {
    Credits(text.parse().unwrap_or_else(|_| panic!("`{text}` credits")))
}

/// A phone call of so many minutes, none of them seen before.
pub(super) fn call(name: &str, account: AccountId, minutes: u64) -> Vec<Transaction> {
    let mut call = Session::open(Opening::call(SessionId::new(name), account));
    let mut entries = Vec::from_iter(call.poll_output());
    let _ = call.recorded(&entries[0].key);
    call.handle_input(Millis::ZERO, Fact::Answered).unwrap();
    call.handle_input(Millis::from_minutes(minutes), Fact::Ended)
        .unwrap();
    entries.extend(std::iter::from_fn(|| call.poll_output()));
    entries
}

#[derive(Default)]
struct World {
    books: Books,
    journal: Vec<Transaction>,
    named: BTreeMap<String, Key>,
    last: String,
}

impl World {
    fn entries(&mut self, deed: &[&str]) -> Result<Vec<Transaction>, Refusal> {
        let name = (self.journal.len() + 1).to_string();
        Ok(match *deed {
            [] => Vec::new(),
            ["buy", who, much] => vec![Transaction::top_up(
                holder(who),
                credits(much),
                &name,
                "Ben",
            )],
            ["buy", who, much, as_name] => {
                let bought = Transaction::top_up(holder(who), credits(much), &name, "Ben");
                self.named.insert(as_name.to_owned(), bought.key.clone());
                vec![bought]
            }
            ["grant", who, much] => {
                vec![Transaction::grant(&name, holder(who), credits(much), "old")]
            }
            ["give", who, much] => {
                vec![Transaction::gift(&name, holder(who), credits(much), "new")]
            }
            ["forgive", who, much] => {
                vec![Transaction::write_off(
                    &name,
                    holder(who),
                    credits(much),
                    "Ben",
                    "they closed",
                )]
            }
            ["spend", who, much, as_name] => {
                let entries = call(as_name, holder(who), credits(much).0);
                let end = entries.last().map(|end| end.key.clone());
                self.named.extend(end.map(|end| (as_name.to_owned(), end)));
                self.last = as_name.to_owned();
                entries
            }
            ["refund", what, much, name] => vec![self.correction(what, much, name)?],
            ["transfer", from, to, much] => Transfer {
                name,
                from: holder(from),
                to: holder(to),
                credits: credits(much),
                by: "Ben".to_owned(),
            }
            .legs()?
            .to_vec(),
            ["half", from, to, much] => self.entries(&["transfer", from, to, much])?[..1].to_vec(),
            ref other => panic!("{other:?} cannot be done"),
        })
    }

    fn correction(&mut self, what: &str, much: &str, name: &str) -> Result<Transaction, Refusal> {
        let key = self.named.get(what).cloned();
        let key = key.unwrap_or_else(|| Key(what.to_owned()));
        let entry = self.journal.iter().find(|entry| entry.key == key);
        let correction = Correction {
            name: name.to_owned(),
            credits: credits(much),
            by: "Ben".to_owned(),
            reason: "a wrong number".to_owned(),
        };
        let entry = correction.of(entry.unwrap_or_else(|| panic!("no entry {key}")))?;
        self.named.insert(name.to_owned(), entry.key.clone());
        Ok(entry)
    }

    /// A session's entries follow each other; a transfer's legs have one fate.
    fn write(&mut self, entries: &[Transaction]) -> Option<Refusal> {
        let batches: Vec<_> = match entries.first().map(|first| &first.cause) {
            Some(Cause::Transferred { .. }) => vec![entries],
            _ => entries.chunks(1).collect(),
        };
        for batch in batches {
            match self.books.record_all(batch) {
                Err(refusal) => return Some(refusal),
                Ok(true) => self.journal.extend_from_slice(batch),
                Ok(false) => {}
            }
            assert_eq!(self.books.record_all(batch), Ok(false), "sent again");
        }
        None
    }

    fn expect(&self, expected: &str, refused: Option<Refusal>, line: &str) {
        let refused = refused.map(|refusal| refusal.to_string());
        match words(expected)[..] {
            ["refused", ..] => {
                let why = expected.strip_prefix("refused ").unwrap_or_default();
                assert_eq!(refused.as_deref(), Some(why), "`{line}`");
                return;
            }
            [] => {}
            ["cost", cost] => assert_eq!(self.cost(), credits(cost), "`{line}`"),
            [who, has] => assert_eq!(self.available(who), has, "`{line}`"),
            [who, has, "of", "which", "given", given] => {
                let found = self.books.holdings(&holder(who)).given();
                assert_eq!(
                    (self.available(who), found),
                    (has.to_owned(), credits(given)),
                    "`{line}`"
                );
            }
            ref other => panic!("{other:?} cannot be expected"),
        }
        assert_eq!(refused, None, "`{line}`");
    }

    fn available(&self, who: &str) -> String {
        let balance = self.books.balance(&holder(who), Account::Available);
        balance.to_string()
    }

    /// What the last call costs, as its journal tells.
    fn cost(&self) -> Credits {
        let last = Some(SessionId::new(&self.last));
        let entries = self.journal.iter().filter(|entry| entry.session == last);
        let session = Session::replay(entries).expect("the journal tells the call");
        session.explain(Millis::ZERO).total()
    }
}

#[test]
fn given_credits_are_spent_first() {
    check("
        buy practice 10            -> practice 10 of which given 0
        give practice 5            -> practice 15 of which given 5
        spend practice 3 a         -> practice 12 of which given 2
        spend practice 4 b         -> practice 8 of which given 0
        refund a 3 r               -> practice 11 of which given 0     # what comes back counts as bought
        grant practice 2           -> practice 13 of which given 0     # as journals of before have it
        give practice 1            -> practice 14 of which given 1
    ");
}

/// M7, M8: given credits count like others, and pay debts.
#[test]
fn given_credits_start_a_call_and_pay_what_is_owed() {
    check(
        "
        spend practice 1 a         -> refused 1 credit needed, 0 available
        give practice 1            -> practice 1 of which given 1
        spend practice 5 a         -> practice -4 of which given 0
        give practice 6            -> practice 2 of which given 2
        spend practice 1 b         -> practice 1 of which given 1
    ",
    );
}

#[test]
fn a_debt_is_forgiven_as_far_as_it_goes() {
    check(
        "
        give practice 1
        spend practice 9 a         -> practice -8
        forgive practice 9         -> refused 9 credits to be forgiven, 8 credits owed
        forgive practice 3         -> practice -5
        forgive practice 5         -> practice 0 of which given 0
        forgive practice 1         -> refused 1 credit to be forgiven, 0 credits owed
        forgive ada 1              -> refused 1 credit to be forgiven, 0 credits owed
    ",
    );
}

/// M12: by parts, never more than was charged, and the session says so.
#[test]
fn m12_a_charge_is_refunded_by_parts() {
    check("
        buy practice 20
        spend practice 9 a         -> cost 9
        refund a 4 one             -> cost 5
        refund a 6 two             -> refused 6 credits of a/end to be reversed, 5 credits left
        refund a 4 one             -> cost 5                           # the same name is the same correction
        refund a 5 two             -> cost 0
        refund a 1 three           -> refused 1 credit of a/end to be reversed, 0 credits left
        refund a 0 four            -> refused 0 credits of a/end to be reversed, 9 credits left
        refund a 10 five           -> refused 10 credits of a/end to be reversed, 9 credits left
    ");
}

#[test]
fn m12_a_correction_may_be_wrong_too() {
    check("
        buy practice 20
        spend practice 9 a
        refund a 9 one             -> practice 20
        refund one 5 two           -> cost 5                           # charged again
        refund one 5 three         -> refused 5 credits of a/end/correct/one to be reversed, 4 credits left
        refund two 1 four          -> cost 4
        refund one 4 five          -> cost 8
        refund a 1 six             -> refused 1 credit of a/end to be reversed, 0 credits left
    ");
}

#[test]
fn m12_what_was_bought_in_error_goes_back() {
    check(
        "
        buy practice 500 receipt
        spend practice 60 a
        refund receipt 450 one     -> practice -10                     # it said 50
        refund receipt 51 two      -> refused 51 credits of top-up/1 to be reversed, 50 credits left
    ",
    );
}

#[test]
fn m12_what_moved_nothing_for_good_is_not_corrected() {
    check(
        "
        buy practice 9
        spend practice 1 a
        refund a/reserve/0 1 one   -> refused journal entry a/reserve/0 cannot be corrected
        transfer practice ada 5
        refund transfer/6/out 1 t  -> refused journal entry transfer/6/out cannot be corrected
        refund transfer/6/in 1 t   -> refused journal entry transfer/6/in cannot be corrected
        transfer ada practice 5    -> practice 8                       # that is how it is undone
    ",
    );
}

/// M13.
#[test]
fn m13_bought_credits_are_transferred_inside_a_practice() {
    check("
        buy practice 10
        give practice 5            -> practice 15 of which given 5
        transfer practice ada 11   -> refused 11 credits needed, 10 available
        transfer practice ada 10   -> practice 5 of which given 5
        transfer ada ben 4         -> ben 4 of which given 0
        transfer ada ben 7         -> refused 7 credits needed, 6 available
        transfer ben stranger 1    -> refused practice:1/ben and practice:2 are not two accounts of one practice
        transfer ben ben 1         -> refused practice:1/ben and practice:1/ben are not two accounts of one practice
        half ben ada 1             -> refused postings of transfer/7/out do not balance
        spend ada 3 a              -> ada 3
        spend practice 1 b         -> practice 4 of which given 4
    ");
}

/// A correction that names something else than what it reverses, or goes another way, is no correction.
#[test]
fn m12_a_forged_correction_is_refused() {
    let entries = call("a", practice(), 9);
    let mut books = Books::default();
    let bought = Transaction::top_up(practice(), Credits(20), "1", "Ben");
    for entry in [&bought].into_iter().chain(&entries) {
        books.record(entry).unwrap();
    }
    let correction = Correction {
        name: "1".to_owned(),
        credits: Credits(5),
        by: "Ben".to_owned(),
        reason: "none".to_owned(),
    };
    let good = correction.of(entries.last().unwrap()).unwrap();
    let naming = |of: &str| Cause::Corrected {
        of: Key(of.to_owned()),
        by: "Ben".to_owned(),
        reason: "none".to_owned(),
    };
    let forged = [
        Transaction {
            cause: naming("nothing"),
            ..good.clone()
        },
        Transaction {
            cause: naming("top-up/1"),
            ..good.clone()
        },
        Transaction {
            account: practice().practitioner("ada"),
            ..good.clone()
        },
        Transaction {
            session: None,
            ..good.clone()
        },
        Transaction {
            kind: crate::Kind::Settle,
            ..good.clone()
        },
        Transaction {
            postings: crate::transaction::movement(Account::Earned, Account::Reserved, Credits(5)),
            ..good.clone()
        },
        Transaction {
            postings: crate::transaction::movement(Account::Available, Account::Earned, Credits(5)),
            ..good.clone()
        },
    ];
    for forged in forged {
        let refused = books.record(&forged);
        assert!(
            matches!(refused, Err(Refusal::NotCorrectable { .. })),
            "{refused:?}"
        );
    }
    assert_eq!(books.record(&good), Ok(true));
}

/// M10, M12: the page of a session shows who corrected what, and why.
#[test]
fn m10_a_correction_is_explained() {
    let mut entries = call("a", practice(), 9);
    let correction = |name: &str, credits| Correction {
        name: name.to_owned(),
        credits: Credits(credits),
        by: "Ada".to_owned(),
        reason: "a wrong number".to_owned(),
    };
    let refund = correction("1", 6).of(entries.last().unwrap()).unwrap();
    let again = correction("2", 2).of(&refund).unwrap();
    entries.extend([refund, again]);
    let session = Session::replay(&entries).unwrap();
    assert_eq!(session.settled(), Some(Credits(9)));
    let told = session.explain(Millis::ZERO).to_string();
    let tail: Vec<_> = told.lines().rev().take(3).map(str::trim).collect();
    assert_eq!(
        tail,
        [
            "5  in all",
            "2  charged again, says Ada: a wrong number (M12)",
            "-6  given back, says Ada: a wrong number (M12)"
        ]
    );
}

#[test]
fn causes_are_read_back_as_they_were_written() {
    let text = || ["", " ", "100 %", "a b  c", "%20", "ä\n"].map(str::to_owned);
    for (one, two) in text().into_iter().zip(text().into_iter().rev()) {
        let causes = [
            Cause::Paid {
                reference: one.clone(),
                by: two.clone(),
                order: None,
            },
            Cause::Paid {
                reference: one.clone(),
                by: two.clone(),
                order: Some(OrderId::new(two.clone())),
            },
            Cause::Given {
                reason: one.clone(),
            },
            Cause::Forgiven {
                by: one.clone(),
                reason: two.clone(),
            },
            Cause::Corrected {
                of: Key(two.clone()),
                by: one.clone(),
                reason: two.clone(),
            },
            Cause::Transferred {
                with: AccountId::new(two.clone()),
                by: one.clone(),
            },
        ];
        for cause in causes {
            assert_eq!(Cause::parse(&cause.to_string()), Some(cause));
        }
    }
    for nonsense in [
        "paid",
        "corrected a",
        "transferred x%2",
        "forgiven",
        "paid %2g x",
    ] {
        assert_eq!(Cause::parse(nonsense), None, "{nonsense}");
    }
}

/// What a journal has stored must be read for ever: keys, kinds and causes are spelt so.
#[test]
fn what_is_stored_stays_what_it_is() {
    let ada = practice().practitioner("ada lee");
    let transfer = Transfer {
        name: "7".to_owned(),
        from: practice(),
        to: ada,
        credits: Credits(3),
        by: "staff 5".to_owned(),
    };
    let correction = Correction {
        name: "1".to_owned(),
        credits: Credits(2),
        by: "staff 5".to_owned(),
        reason: "a wrong number".to_owned(),
    };
    let call = call("call 1", practice(), 9);
    let mut message = Message::open(
        MessageId::new("m1"),
        practice(),
        &Segments::of("hello").unwrap(),
    );
    let reserve = message.poll_output().unwrap();
    let _ = message.recorded(&reserve.key);
    message.handle_input(MessageFact::Sent).unwrap();
    let sent = message.poll_output().unwrap();
    let mut number = Subscription::requested(SubscriptionId::new("n 1"), practice());
    for fact in [
        SubscriptionFact::Submitted,
        SubscriptionFact::Approved,
        SubscriptionFact::Activated,
    ] {
        number
            .handle_input(Date::new(2026, 1, 31).unwrap(), fact)
            .unwrap();
    }
    let [out, into] = transfer.legs().unwrap();
    let entries = [
        Transaction::grant("order 1", practice(), Credits(1), "bought"),
        Transaction::top_up(practice(), Credits(1), "receipt 12", "staff 5"),
        Transaction::gift("welcome", practice(), Credits(1), "to begin with"),
        Transaction::write_off("1", practice(), Credits(1), "staff 5", "they closed"),
        correction.of(call.last().unwrap()).unwrap(),
        out,
        into,
        reserve,
        sent,
        number.poll_output().unwrap(),
    ];
    let told: Vec<String> = entries.iter().map(stored).collect();
    assert_eq!(
        told,
        [
            "grant/order 1 | grant | granted bought | issued-1 available+1",
            "top-up/receipt 12 | top-up | paid staff%205 receipt 12 | issued-1 available+1",
            "gift/welcome | gift | given to begin with | promotional-1 available+1",
            "write-off/1 | write-off | forgiven staff%205 they closed | written-off-1 available+1",
            "call 1/end/correct/1 | correct | corrected call%201/end staff%205 a wrong number | earned-2 available+2",
            "transfer/7/out | transfer-out | transferred practice:1/ada%20lee staff 5 | available-3 transferred+3",
            "transfer/7/in | transfer-in | transferred practice:1 staff 5 | transferred-3 available+3",
            "message/m1/reserve | reserve | message queued 1 | available-1 reserved+1",
            "message/m1/end | settle | message sent | reserved-1 earned+1",
            "number/n 1/month/0 | charge | month 0 2026-01-31 n 1 | available-50 earned+50",
        ]
    );
    for entry in entries {
        assert_eq!(Kind::parse(entry.kind.as_str()), Some(entry.kind));
        assert_eq!(Cause::parse(&entry.cause.to_string()), Some(entry.cause));
    }
}

fn stored(entry: &Transaction) -> String {
    let postings = entry.postings.iter();
    let postings =
        postings.map(|posting| format!("{}{:+}", posting.account.as_str(), posting.delta));
    let postings = postings.collect::<Vec<_>>().join(" ");
    let (kind, cause) = (entry.kind.as_str(), &entry.cause);
    format!("{} | {kind} | {cause} | {postings}", entry.key)
}
