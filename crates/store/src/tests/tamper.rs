//! Rows beside the journal that somebody has changed: an audit finds each of them (M12).

use housecall::ports::{Ledger, Records};
use housecall::record::{CallRecord, VisitRecord};
use housecall_meter::{
    AutoTopUp, Balance, Booked, Correction, Credits, Date, Fact, Millis, Opening, Order, OrderId,
    Patient, PaymentFact, Person, Session, SessionId, SubscriptionFact, SubscriptionId,
    Transaction,
};
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};

use super::lock::url;
use super::money::{call, paid, price};
use super::records::{answered, visit};
use super::{Base, on_each_database, practice};
use crate::{Dialect, NodePlan, Store};

on_each_database! {
    m12_a_row_beside_the_journal_that_was_changed_is_found,
    m12_a_row_beside_the_journal_that_was_taken_out_is_found,
    m12_a_number_that_was_suspended_agrees_with_what_it_was_charged,
    m12_a_session_that_has_no_record_is_named,
    a_session_that_was_cut_off_is_not_named,
}

/// Each column from which money follows, or who has it: the table, which row, the column, what it is changed to, and what an audit says.
const CHANGES: &str = "
    balance             | account = 'available' AND account_id = 'practice:1' | credits         | credits + 1                                    | the balance available of practice:1
    balance             | account = 'issued' AND account_id = 'practice:1'    | account_id      | 'practice:2'                                   | the balance issued of practice:
    holder              | account_id = 'practice:1'                           | given           | given + 1                                      | what practice:1 has of given credits
    holder              | account_id = 'practice:1'                           | watch           | 'nonsense'                                     | unreadable watch
    holder              | account_id = 'practice:1'                           | watch           | replace(watch, 'auto/', 'auto/x')              | waits for an order that nobody waits for
    correction          | TRUE                                                | credits         | credits + 1                                    | what corrects call 1/end
    correction          | TRUE                                                | corrects        | 'call 2/end'                                   | what corrects call 2/end
    correction          | TRUE                                                | seq             | seq - 1                                        | the note of correction
    metered_session     | session = 'call 1'                                  | account_id      | 'practice:2'                                   | session call 1 did not begin as
    metered_session     | session = 'call 1'                                  | started_unix_ms | started_unix_ms - 1                            | session call 1 did not begin as
    metered_session     | session = 'call 1'                                  | evidence_ms     | evidence_ms - 1                                | session call 1 did not end as
    metered_session     | session = 'call 1'                                  | ended_seq       | NULL                                           | the number of open sessions
    metered_session     | session = 'call 1'                                  | ended_seq       | ended_seq - 1                                  | session call 1 did not end as
    metered_session     | session = 'call 1'                                  | epoch           | 77                                             | is of a node that never was
    metered_session     | session = 'running'                                 | evidence_ms     | evidence_ms - 1                                | session running is not as far as
    metered_session     | session = 'running'                                 | ended_seq       | 3                                              | session running did not end as
    call_record         | session = 'call 1'                                  | credits         | credits - 1                                    | the record of call call 1 costs
    call_record         | session = 'call 1'                                  | account_id      | 'practice:2'                                   | the record of call call 1 costs
    call_record         | session = 'call 1'                                  | session         | 'call 9'                                       | the record of call call 9 costs
    call_record         | session = 'call 1'                                  | talk_ms         | talk_ms + 1                                    | since 1970 has other calls
    call_record         | session = 'call 1'                                  | hold_ms         | hold_ms + 1                                    | since 1970 has other calls
    call_record         | session = 'call 1'                                  | started_unix_ms | started_unix_ms + 86400000                     | since 1970 has other calls
    call_record         | session = 'call 1'                                  | answered_unix_ms | NULL                                           | since 1970 has other calls
    call_record         | session = 'call 1'                                  | outcome         | 'busy'                                         | since 1970 has other calls
    call_record         | session = 'phone 1'                                 | credits         | 1                                              | the record of call phone 1 is of no visit of its payer
    call_record         | session = 'phone 1'                                 | account_id      | 'practice:2'                                   | the record of call phone 1 is of no visit of its payer
    call_record         | session = 'phone 1'                                 | visit           | 'visit 9'                                      | the record of call phone 1 is of no visit of its payer
    call_record         | session = 'phone 1'                                 | visit           | NULL                                           | the record of call phone 1 costs
    call_record         | session = 'phone 1'                                 | session         | 'call 2'                                       | the record of call call 2 is of no visit of its payer
    call_record         | session = 'call 1'                                  | visit           | 'visit 1'                                      | the record of call call 1 is of no visit of its payer
    call_day            | TRUE                                                | calls           | calls + 1                                      | day 
    call_day            | TRUE                                                | answered        | answered + 1                                   | day 
    call_day            | TRUE                                                | talk_ms         | talk_ms + 1                                    | day 
    call_day            | TRUE                                                | hold_ms         | hold_ms + 1                                    | day 
    call_day            | TRUE                                                | credits         | credits + 1                                    | day 
    call_day            | TRUE                                                | day             | day + 1                                        | day 
    visit_record        | TRUE                                                | credits         | credits + 1                                    | the record of visit visit 1 costs
    visit_record        | TRUE                                                | account_id      | 'practice:2'                                   | the record of visit visit 1 costs
    visit_patient       | seat = 1                                            | credits         | credits + 1                                    | patient 1 in the record of visit visit 1 costs other than
    visit_patient       | TRUE                                                | credits         | 4 - credits                                    | patient 1 in the record of visit visit 1 costs other than
    visit_patient       | seat = 3                                            | credits         | 1                                              | patient 3 in the record of visit visit 1 costs other than
    credit_order        | id = 'paid'                                         | state           | '100 2500-AUD asked'                           | order paid does not say what the journal says
    credit_order        | id = 'paid'                                         | state           | '101 2500-AUD paid r1'                         | order paid did not buy
    credit_order        | id = 'paid'                                         | state           | '100 2500-AUD paid r2'                         | did not buy
    credit_order        | id = 'paid'                                         | state           | '100 2500-AUD refunded r1'                     | order paid did not buy, or give back
    credit_order        | id = 'paid'                                         | state           | 'nonsense'                                     | unreadable state in order paid
    credit_order        | id = 'paid'                                         | account_id      | 'practice:2'                                   | order paid did not buy
    credit_order        | id = 'refunded'                                     | state           | '100 2500-AUD failed'                          | order refunded does not say
    credit_order        | id = 'asked'                                        | account_id      | 'practice:2'                                   | order asked is not what was asked for
    credit_order        | id = 'asked'                                        | state           | '1000 2500-AUD asked'                          | order asked is not what was asked for
    credit_order        | id = 'asked'                                        | state           | '100 1-AUD asked'                              | order asked is not what was asked for
    credit_order        | id = 'asked'                                        | state           | '100 2500-AUD paid r9'                         | order asked did not buy
    number_subscription | TRUE                                                | state           | replace(state, '2026-01-31 3', '2026-01-31 2') | number n1, month 2, is not as
    number_subscription | TRUE                                                | state           | replace(state, '2026-01-31 3', '2026-01-31 4') | number n1, month 3, is not as
    number_subscription | TRUE                                                | state           | replace(state, '2026-01-31 3', '2026-01-30 3') | number n1, month 0, is not as
    number_subscription | TRUE                                                | state           | '2026-03-31 approved'                          | number n1, month 0, is not as
    number_subscription | TRUE                                                | account_id      | 'practice:2'                                   | number n1 was charged to another holder
    outbox              | key LIKE 'low-balance/%'                            | news            | 'low-balance 7 5'                              | is about nothing that is there
    outbox              | key LIKE 'order-wanted/asked'                       | key             | 'order-wanted/other'                           | is not named for what it says
";

/// Rows whose absence is found.
const TAKEN_OUT: [(&str, &str, &str); 11] = [
    ("call_day", "TRUE", "since 1970 has other calls"),
    (
        "call_record",
        "session = 'call 1'",
        "since 1970 has other calls",
    ),
    (
        "visit_record",
        "TRUE",
        "the record of visit visit 1 is not there, and its patients are",
    ),
    (
        "balance",
        "account = 'earned'",
        "the balance earned of practice:1",
    ),
    ("holder", "TRUE", "what practice:1 has of given credits"),
    ("correction", "TRUE", "what corrects call 1/end"),
    (
        "metered_session",
        "session = 'call 1'",
        "the number of sessions",
    ),
    (
        "visit_patient",
        "seat = 1",
        "the record of visit visit 1 costs another sum",
    ),
    ("credit_order", "id = 'paid'", "order paid does not say"),
    (
        "credit_order",
        "id = 'asked'",
        "order asked is not what was asked for",
    ),
    (
        "number_subscription",
        "TRUE",
        "number n1 was charged for and is not there",
    ),
];

async fn m12_a_row_beside_the_journal_that_was_changed_is_found(base: &Base) {
    let store = furnished(base).await;
    let mut hand = Hand::at(base, &store).await;
    for line in CHANGES.trim().lines() {
        let fields: Vec<&str> = line.split('|').map(str::trim).collect();
        let [table, which, column, to, found] = fields[..] else {
            panic!("{line}");
        };
        let statement = format!("UPDATE {table} SET {column} = {to} WHERE {which}");
        hand.tamper(&store, table, statement, found).await;
    }
}

async fn m12_a_row_beside_the_journal_that_was_taken_out_is_found(base: &Base) {
    let store = furnished(base).await;
    let mut hand = Hand::at(base, &store).await;
    for (table, which, found) in TAKEN_OUT {
        let statement = format!("DELETE FROM {table} WHERE {which}");
        hand.tamper(&store, table, statement, found).await;
    }
}

/// Months in which a number did not work are not charged; whoever claims more of those is found.
async fn m12_a_number_that_was_suspended_agrees_with_what_it_was_charged(base: &Base) {
    let store = Store::open(base.address()).await.unwrap();
    buy(&store, 60, "one").await;
    let id = number(&store).await;
    for day in ["2026-02-28", "2026-03-14"] {
        store
            .number_day(&id, Date::parse(day).unwrap())
            .await
            .unwrap();
    }
    store.verify().await.unwrap();
    buy(&store, 200, "two").await;
    let back = Date::parse("2026-07-01").unwrap();
    let back = store.number_day(&id, back).await.unwrap();
    assert_eq!(back.state(), "active");
    store.verify().await.unwrap();
    let mut hand = Hand::at(base, &store).await;
    for (from, to) in [("31 6", "31 7"), ("31 6", "31 5")] {
        let statement =
            format!("UPDATE number_subscription SET state = replace(state, '{from}', '{to}')");
        let found = "number n1, month ";
        hand.tamper(&store, "number_subscription", statement, found)
            .await;
    }
    // What the journal does not know of, and the world was not told either.
    let statement = "DELETE FROM outbox WHERE key LIKE 'suspended/%'".to_owned();
    hand.tamper(&store, "outbox", statement, "number n1, month 2, is not as")
        .await;
}

/// Whoever takes out all that was written of a call or visit beside the journal leaves a session behind that has nothing to show for its cost. The
/// journal does not say that there was more, so that this is no contradiction: a program may have been cut off.
async fn m12_a_session_that_has_no_record_is_named(base: &Base) {
    let store = furnished(base).await;
    let mut hand = Hand::at(base, &store).await;
    for (statements, without) in [
        (vec![], vec!["call 2", "call 3"]),
        (
            vec!["DELETE FROM call_record", "DELETE FROM call_day"],
            vec!["call 1", "call 2", "call 3"],
        ),
        (
            vec!["DELETE FROM visit_patient", "DELETE FROM visit_record"],
            vec!["call 1", "call 2", "visit 1", "call 3"],
        ),
    ] {
        for statement in statements {
            assert!(hand.run(statement.to_owned()).await > 0, "{statement}");
        }
        let unrecorded = store.verify().await.unwrap().unrecorded;
        let names: Vec<&str> = unrecorded.iter().map(SessionId::as_str).collect();
        assert_eq!(names, without);
    }
}

/// Of one that a crash has cut off, no record is to be expected (M11).
async fn a_session_that_was_cut_off_is_not_named(base: &Base) {
    let store = Store::open(base.address()).await.unwrap();
    buy(&store, 9, "cash").await;
    let opening = Opening::call(SessionId::new("cut off"), practice());
    hold(&store, opening, &[(0, Fact::Answered)]).await;
    assert_eq!(store.recover().await.unwrap().closed.len(), 1);
    let verified = store.verify().await.unwrap();
    assert_eq!((verified.sessions, verified.unrecorded), (1, vec![]));
}

/// Somebody with the rights of whoever owns the database.
struct Hand(AnyConnection);

impl Hand {
    async fn at(base: &Base, store: &Store) -> Self {
        let mut hand = AnyConnection::connect(&url(base)).await.unwrap();
        let nothing_is_in_the_way = match store.dialect() {
            Dialect::Sqlite => "PRAGMA foreign_keys = OFF; DROP TRIGGER call_is_counted",
            Dialect::Postgres => "SET session_replication_role = replica",
        };
        hand.execute(nothing_is_in_the_way).await.unwrap();
        Self(hand)
    }

    /// Does something to a table that an audit finds, and undoes it.
    async fn tamper(&mut self, store: &Store, table: &str, statement: String, found: &str) {
        self.run(format!("CREATE TABLE kept AS SELECT * FROM {table}"))
            .await;
        assert!(self.run(statement.clone()).await > 0, "{statement}");
        let Err(said) = store.verify().await else {
            panic!("{statement} is not found");
        };
        let said = said.to_string();
        assert!(said.contains(found), "{statement}: {said}");
        self.run(format!("DELETE FROM {table}")).await;
        self.run(format!("INSERT INTO {table} SELECT * FROM kept"))
            .await;
        self.run("DROP TABLE kept".to_owned()).await;
        store.verify().await.unwrap();
    }

    async fn run(&mut self, statement: String) -> u64 {
        let done = self.0.execute(AssertSqlSafe(statement)).await;
        done.unwrap().rows_affected()
    }
}

/// A practice in which everything has happened that leaves a row beside the journal.
async fn furnished(base: &Base) -> Store {
    let store = Store::open(base.address()).await.unwrap();
    let plan = NodePlan {
        name: "one".to_owned(),
        url: "http://one.example".to_owned(),
    };
    store.join(plan).await.unwrap();
    buy(&store, 300, "cash").await;
    for (id, reference) in [("paid", "r1"), ("refunded", "r2"), ("asked", "")] {
        let order = Order::ask(OrderId::new(id), practice(), Credits(100), price());
        store.ask_for(order).await.unwrap();
        if !reference.is_empty() {
            store
                .hear_of_payment(&OrderId::new(id), paid(reference))
                .await
                .unwrap();
        }
    }
    let refunded = PaymentFact::Refunded {
        reference: "r2".to_owned(),
        by: "provider".to_owned(),
    };
    store
        .hear_of_payment(&OrderId::new("refunded"), refunded)
        .await
        .unwrap();
    let id = number(&store).await;
    store
        .number_day(&id, Date::parse("2026-03-31").unwrap())
        .await
        .unwrap();
    sessions(&store).await;
    let given = Transaction::gift("1", practice(), Credits(5), "new");
    store.record(&given).await.unwrap();
    let rule = AutoTopUp::new(Balance(900), Credits(100), price());
    store
        .watch(&practice(), Some(Balance(900)), Some(rule))
        .await
        .unwrap();
    call(&store, "call 3", 1).await;
    store.verify().await.unwrap();
    store
}

async fn buy(store: &Store, credits: u64, reference: &str) {
    let bought = Transaction::top_up(practice(), Credits(credits), reference, "Ben");
    store.record(&bought).await.unwrap();
}

/// A number that works since 31 January.
async fn number(store: &Store) -> SubscriptionId {
    let id = SubscriptionId::new("n1");
    store.request_number(&id, &practice()).await.unwrap();
    for fact in [
        SubscriptionFact::Submitted,
        SubscriptionFact::Approved,
        SubscriptionFact::Activated,
    ] {
        let today = Date::parse("2026-01-31").unwrap();
        store.number_hears(&id, today, fact).await.unwrap();
    }
    id
}

/// Calls that ended, one of them corrected, a visit with a call that was a part of it, and a call that runs.
async fn sessions(store: &Store) {
    let end = call(store, "call 1", 3).await;
    call(store, "call 2", 2).await;
    let correction = Correction {
        name: "1".to_owned(),
        credits: Credits(1),
        by: "Ben".to_owned(),
        reason: "a wrong number".to_owned(),
    };
    store.correct(&end, &correction).await.unwrap();
    let record = CallRecord {
        session: SessionId::new("call 1"),
        credits: 3,
        ..answered(1)
    };
    store.save_call(&record).await.unwrap();
    let booked = Booked::new(1).unwrap();
    let opening = Opening::visit(SessionId::new("visit 1"), practice(), booked);
    let joined = Fact::Joined(Person::Patient(Patient::One));
    hold(store, opening, &[(0, joined), (1_000_000, Fact::Ended)]).await;
    let record = VisitRecord {
        session: SessionId::new("visit 1"),
        ..visit(1)
    };
    store.save_visit(&record).await.unwrap();
    let by_phone = CallRecord {
        session: SessionId::new("phone 1"),
        visit: Some(SessionId::new("visit 1")),
        credits: 0,
        ..answered(2)
    };
    store.save_call(&by_phone).await.unwrap();
    let opening = Opening::call(SessionId::new("running"), practice());
    hold(store, opening, &[(4_000, Fact::Answered)]).await;
}

async fn hold(store: &Store, opening: Opening, facts: &[(u64, Fact)]) {
    let mut session = Session::open(opening);
    let mut facts = facts.iter();
    loop {
        while let Some(entry) = session.poll_output() {
            store.record(&entry).await.unwrap();
            let _ = session.recorded(&entry.key);
        }
        let Some((at, fact)) = facts.next() else {
            return;
        };
        session.handle_input(Millis(*at), *fact).unwrap();
    }
}
