//! What money and reports cost on their databases:
//!
//! - a transaction of the ledger on PostgreSQL, beside a bare `UPDATE balance` committed by the same server in the same run;
//! - the journal, read from either database and told again, entry by entry;
//! - the report on calls, filtered, sorted, first page, and its totals, over a million of them on either database.
//!
//! ```text
//! HOUSECALL_TEST_POSTGRES=postgres://postgres@127.0.0.1/postgres cargo bench -p housecall-benches --bench ledger [transaction|replay|report]
//! ```
//!
//! `HOUSECALL_ENTRIES=1000000` for a longer journal. The server must keep its data on a disk, with `fsync`. Without a server there are figures of SQLite alone. SQLite's files are in TMPDIR.
#![expect(clippy::print_stdout, reason = "a benchmark says what it measured")]

use std::error::Error;
use std::time::{Duration, Instant};

use housecall::ports::{Ledger, WallMillis};
use housecall_meter::{AccountId, Credits, Fact, Millis, Opening, Session, SessionId, Transaction};
use housecall_store::testing::{Base, record_all};
use housecall_store::{CallFilter, Dialect, Page, Store};
use sqlx::AnyPool;
use tokio::runtime::Runtime;

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// Turns of each variant.
const ROUNDS: usize = 5;

/// Who writes at once.
const WRITERS: [u32; 2] = [1, 8];

fn main() -> Outcome {
    let bench = std::env::args().any(|argument| argument == "--bench");
    if !bench {
        println!("a short run, to see that it runs: its figures mean nothing");
    }
    let scale = if bench { 1 } else { 100 };
    let wanted = |part: &str| {
        let mut named = std::env::args()
            .skip(1)
            .filter(|a| !a.starts_with('-'))
            .peekable();
        named.peek().is_none() || named.any(|name| name == part)
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    if wanted("transaction") {
        transactions(&runtime, if bench { 160 } else { 8 })?;
    }
    if wanted("replay") {
        replay(&runtime, entries()? / scale)?;
    }
    if wanted("report") {
        report(&runtime, 1_000_000 / scale, 1_000 / scale)?;
    }
    println!("again: cargo bench -p housecall-benches --bench ledger");
    Ok(())
}

/// How many entries are replayed: as the environment says, or 30,000.
fn entries() -> Outcome<u32> {
    let said = std::env::var("HOUSECALL_ENTRIES").ok();
    Ok(said.map_or(Ok(30_000), |said| said.parse())?)
}

/// The time that passes for the entries of calls and for as many bare updates, in turns, each a transaction committed to the disk: by one
/// writer, and by several at once, all in one account.
fn transactions(runtime: &Runtime, calls: u32) -> Outcome {
    println!("a transaction, median of five turns of {calls} calls, time that passed");
    for base in bases(runtime)? {
        let store = runtime.block_on(Store::open(base.address()))?;
        runtime.block_on(store.grant("all", &practice(), Credits(1_000_000), "bought"))?;
        for writers in WRITERS {
            let (mut ledger, mut bare) = (Vec::new(), Vec::new());
            for turn in 0..ROUNDS {
                let entries: Vec<Vec<Transaction>> = (0..writers)
                    .map(|writer| {
                        several_calls(&format!("{writers}/{turn}/{writer}"), calls / writers)
                    })
                    .collect();
                let count: usize = entries.iter().map(Vec::len).sum();
                let updates: Vec<_> = entries
                    .iter()
                    .map(|entries| update(store.pool().clone(), practice(), entries.len()))
                    .collect();
                let entries = entries
                    .into_iter()
                    .map(|entries| write(store.clone(), entries));
                ledger.push(at_once(runtime, entries)? / u32::try_from(count)?);
                bare.push(at_once(runtime, updates)? / u32::try_from(count)?);
            }
            let (ledger, bare) = (median(ledger), median(bare));
            println!(
                "  {:10} {writers} at once: ledger {:6.0} µs, bare update {:6.0} µs, ledger / bare {:5.2}",
                name(store.dialect()),
                micros(ledger),
                micros(bare),
                micros(ledger) / micros(bare)
            );
        }
        runtime.block_on(store.pool().close());
    }
    Ok(())
}

/// How long they all take.
fn at_once<T>(runtime: &Runtime, tasks: impl IntoIterator<Item = T>) -> Outcome<Duration>
where
    T: Future<Output = Outcome> + Send + 'static,
{
    let began = Instant::now();
    runtime.block_on(async {
        let tasks: Vec<_> = tasks.into_iter().map(tokio::spawn).collect();
        for task in tasks {
            task.await??;
        }
        Ok(began.elapsed())
    })
}

async fn write(store: Store, entries: Vec<Transaction>) -> Outcome {
    for entry in &entries {
        store.record(entry).await?;
    }
    Ok(())
}

async fn update(pool: AnyPool, account: AccountId, times: usize) -> Outcome {
    let update =
        "UPDATE balance SET credits = credits - 1 WHERE account_id = $1 AND account = 'issued'";
    for _ in 0..times {
        let mut tx = pool.begin().await?;
        sqlx::query(update)
            .bind(account.as_str())
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
    }
    Ok(())
}

/// How many entries a second are read and told again, and how many are told again alone.
fn replay(runtime: &Runtime, entries: u32) -> Outcome {
    println!("a journal of {entries} entries, median of five, time that passed");
    let calls: Vec<Transaction> = (0..entries / 3)
        .flat_map(|call| a_minute(&call.to_string()))
        .collect();
    for base in bases(runtime)? {
        let store = runtime.block_on(Store::open(base.address()))?;
        runtime.block_on(store.grant("all", &practice(), Credits(u64::from(entries)), "bought"))?;
        for some in calls.chunks(2_000) {
            runtime.block_on(record_all(&store, some))?;
        }
        let verify = || Ok(runtime.block_on(store.verify())?.entries);
        println!(
            "  {:10} read and verified {:9.0} entries a second",
            name(store.dialect()),
            rate(verify)?
        );
        runtime.block_on(store.pool().close());
    }
    let alone = || {
        for call in calls.chunks(3) {
            Session::replay(call)?;
        }
        Ok(calls.len() as u64)
    };
    println!(
        "  in memory  sessions replayed {:9.0} entries a second",
        rate(alone)?
    );
    Ok(())
}

fn rate(work: impl Fn() -> Outcome<u64>) -> Outcome<f64> {
    let (mut times, mut done) = (Vec::new(), 0);
    for _ in 0..ROUNDS {
        let began = Instant::now();
        done = work()?;
        times.push(began.elapsed());
    }
    Ok(done as f64 / median(times).as_secs_f64())
}

/// How long the slowest hundredth of questions to a report takes.
fn report(runtime: &Runtime, records: u32, questions: u32) -> Outcome {
    println!(
        "the report on {records} calls, first page of 50, {questions} questions of each kind, time that passed"
    );
    for base in bases(runtime)? {
        let store = runtime.block_on(Store::open(base.address()))?;
        runtime.block_on(fill(&store, records))?;
        println!("  {:10} filled", name(store.dialect()));
        let payer = practice();
        for (kind, filter) in FILTERS {
            let (mut page, mut totals) = (Vec::new(), Vec::new());
            for question in 0..questions {
                let filter = filter(question, i64::from(records));
                let began = Instant::now();
                runtime.block_on(store.calls(&payer, &filter, Page::first(50)))?;
                page.push(began.elapsed());
                let began = Instant::now();
                runtime.block_on(store.call_totals(&payer, &filter))?;
                totals.push(began.elapsed());
            }
            let [page_half, page_slowest] = [50, 99].map(|percent| quantile(&mut page, percent));
            let [half, slowest] = [50, 99].map(|percent| quantile(&mut totals, percent));
            println!(
                "  {:10} {kind:46} page p50 {:6.2} ms, p99 {:6.2} ms; totals p50 {:6.2} ms, p99 {:6.2} ms",
                name(store.dialect()),
                millis(page_half),
                millis(page_slowest),
                millis(half),
                millis(slowest)
            );
        }
        runtime.block_on(store.pool().close());
    }
    Ok(())
}

type Asked = fn(u32, i64) -> CallFilter;

/// Calls are a minute apart. A month is asked for unless said, another in each question.
const FILTERS: [(&str, Asked); 8] = [
    ("a month", month),
    ("all of the time", |_, _| CallFilter::default()),
    ("a practitioner", |n, all| CallFilter {
        practitioner: some("user", n % 40),
        ..month(n, all)
    }),
    ("a recipient, all of the time", |n, _| CallFilter {
        recipient: some("patient", n * 37 % 20_000),
        ..CallFilter::default()
    }),
    ("a number, all of the time", |n, _| CallFilter {
        number: Some(format!("+614915{:05}", n * 37 % 20_000)),
        ..CallFilter::default()
    }),
    ("a number of the practice", |n, all| CallFilter {
        number: Some(format!("+6125550014{}", n % 4)),
        ..month(n, all)
    }),
    ("a rare outcome, all of the time", |_, _| CallFilter {
        outcome: Some("rejected".to_owned()),
        ..CallFilter::default()
    }),
    ("a practitioner, completed, 9 minutes and more", |n, all| {
        CallFilter {
            practitioner: some("user", n % 40),
            outcome: Some("completed".to_owned()),
            talk_ms_min: Some(540_000),
            ..month(n, all)
        }
    }),
];

fn some(kind: &str, id: u32) -> Option<String> {
    Some(format!("{kind}:{id}"))
}

fn month(question: u32, records: i64) -> CallFilter {
    const MONTH_MS: i64 = 30 * 24 * 60 * 60_000;
    let from = i64::from(question) * 7_919 * 60_000 % (records * 60_000);
    CallFilter {
        from: Some(WallMillis(from)),
        before: Some(WallMillis(from + MONTH_MS)),
        ..CallFilter::default()
    }
}

/// Writes call records, as many as that, a minute apart: three of four answered, judged in both directions; one of a thousand rejected.
async fn fill(store: &Store, records: u32) -> Outcome {
    let calls = "WITH RECURSIVE n (i) AS (SELECT CAST($1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i + 1 < $2) \
        INSERT INTO call_record (session, account_id, practitioner, caller, recipient, from_number, to_number, outcome, words, ended_by, \
        started_unix_ms, answered_unix_ms, ended_unix_ms, talk_ms, hold_ms, credits, packets_received, packets_lost, jitter_ms) \
        SELECT 'call:' || i, $3, 'user:' || (i * 7 % 40), 'user:' || (i * 7 % 40), 'patient:' || (i * 7919 % 20000), \
        '+6125550014' || (i % 4), '+614915' || substr('0000' || (i * 7919 % 20000), length('0000' || (i * 7919 % 20000)) - 4), \
        CASE WHEN i % 1000 = 1 THEN 'rejected' WHEN i % 4 = 0 THEN 'no_answer' ELSE 'completed' END, 'Call ended', 'them', \
        i * 60000, CASE WHEN i % 4 = 0 THEN NULL ELSE i * 60000 + 9000 END, i * 60000 + 9000 + i * 31 % 600000, i * 31 % 600000, 0, 3, 3050, 7, 4 FROM n";
    let judged = "INSERT INTO call_quality SELECT session, direction, 86, 70, 50, 7, 3, 23, 41, 6, $3 FROM call_record, \
        (SELECT 'heard' AS direction UNION ALL SELECT 'sent') AS directions \
        WHERE account_id = $4 AND started_unix_ms >= $1 * 60000 AND started_unix_ms < $2 * 60000 AND answered_unix_ms IS NOT NULL";
    for from in (0..records).step_by(STEP) {
        let (from, to) = (i64::from(from), i64::from(records.min(from + STEP as u32)));
        let mut tx = store.begin().await?;
        sqlx::query(calls)
            .bind(from)
            .bind(to)
            .bind(practice().as_str())
            .execute(&mut *tx)
            .await?;
        sqlx::query(judged)
            .bind(from)
            .bind(to)
            .bind(vec![86_u8; 24])
            .bind(practice().as_str())
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
    }
    sqlx::query("ANALYZE").execute(store.pool()).await?;
    Ok(())
}

/// A statement may take five seconds.
const STEP: usize = 5_000;

/// A place on a disk for each database, PostgreSQL first.
fn bases(runtime: &Runtime) -> Outcome<Vec<Base>> {
    let server = runtime.block_on(Base::postgres(""))?;
    Ok(server.into_iter().chain([Base::sqlite()?]).collect())
}

fn practice() -> AccountId {
    AccountId::new("practice:1")
}

fn several_calls(name: &str, calls: u32) -> Vec<Transaction> {
    (0..calls)
        .flat_map(|call| a_minute(&format!("{name}/{call}")))
        .collect()
}

/// Everything that a call of one minute writes: reserved, answered, settled.
fn a_minute(name: &str) -> Vec<Transaction> {
    let mut call = Session::open(Opening::call(SessionId::new(name), practice()));
    let mut entries: Vec<_> = call.poll_output().into_iter().collect();
    for entry in &entries {
        let _ = call.recorded(&entry.key);
    }
    // Neither is at the wrong moment.
    let _ = call.handle_input(Millis(1_000), Fact::Answered);
    let _ = call.handle_input(Millis(50_000), Fact::Ended);
    entries.extend(std::iter::from_fn(|| call.poll_output()));
    entries
}

fn name(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "SQLite",
        Dialect::Postgres => "PostgreSQL",
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    quantile(&mut times, 50)
}

fn quantile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    times
        .get(times.len() * percent / 100)
        .copied()
        .unwrap_or_default()
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
