//! Numbers, month by month.

use std::collections::BTreeSet;

use super::told::{CASES, Random, practice};
use crate::{
    Account, Books, Cause, Credits, Date, News, Subscription, SubscriptionFact as Fact,
    SubscriptionId, Transaction,
};

/// A number, and the books that it is paid from.
struct World {
    books: Books,
    journal: Vec<Transaction>,
    number: Subscription,
    news: Vec<News>,
    bought: u32,
}

impl World {
    fn new() -> Self {
        Self {
            books: Books::default(),
            journal: Vec::new(),
            number: Subscription::requested(id(), practice()),
            news: Vec::new(),
            bought: 0,
        }
    }

    fn buy(&mut self, credits: u64) {
        self.bought += 1;
        let reference = self.bought.to_string();
        let bought = Transaction::top_up(practice(), Credits(credits), &reference, "Ben");
        self.books.record(&bought).unwrap();
    }

    /// Writes what the number asks for, each entry twice.
    fn drain(&mut self) {
        while let Some(entry) = self.number.poll_output() {
            match self.books.record(&entry) {
                Err(_) => self.number.refused(&entry.key),
                Ok(is_new) => {
                    assert_eq!(self.books.record(&entry), Ok(false));
                    self.number.recorded(&entry.key);
                    self.number.recorded(&entry.key);
                    self.journal.extend(is_new.then_some(entry));
                }
            }
        }
        self.news
            .extend(std::iter::from_fn(|| self.number.poll_event()).map(|event| event.news));
    }

    /// The program dies and comes back with what is stored.
    fn restart(&mut self) {
        let stored = self.number.stored();
        let again = Subscription::restored(id(), practice(), &stored).expect(&stored);
        assert_eq!(again.stored(), stored);
        self.number = again;
    }

    /// The months charged, by their first days.
    fn months(&self) -> Vec<(u32, Date)> {
        let months = self.journal.iter().filter_map(|entry| match entry.cause {
            Cause::Month { number, from, .. } => Some((number, from)),
            _ => None,
        });
        months.collect()
    }

    fn available(&self) -> i64 {
        self.books.balance(&practice(), Account::Available).0
    }
}

fn id() -> SubscriptionId {
    SubscriptionId::new("number 1")
}

fn date(text: &str) -> Date {
    Date::parse(text).unwrap_or_else(|| panic!("`{text}` is no day"))
}

fn fact(text: &str) -> Option<Fact> {
    let all = [
        Fact::Submitted,
        Fact::Approved,
        Fact::Declined,
        Fact::Activated,
        Fact::Released,
    ];
    all.into_iter().find(|fact| fact.to_string() == text)
}

/// Runs a script: a day, what happens on it, and behind `->` the state, the balance, and the day on which the month to pay next begins, or
/// how many months were charged, or what the world was told.
fn check(script: &str) {
    let mut world = World::new();
    for line in script.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        let (deeds, expected) = line.split_once("->").unwrap_or((line, ""));
        let mut deeds = deeds.split_whitespace();
        let Some(today) = deeds.next().map(date) else {
            continue;
        };
        let mut wrong = None;
        while let Some(deed) = deeds.next() {
            match (deed, fact(deed)) {
                (_, Some(fact)) => wrong = world.number.handle_input(today, fact).err(),
                ("buy", _) => world.buy(deeds.next().unwrap().parse().unwrap()),
                ("restart", _) => world.restart(),
                (other, None) => panic!("`{other}` cannot happen"),
            }
        }
        world.number.handle_timeout(today);
        world.drain();
        let due = world.number.poll_timeout();
        let due = due.map_or("never".to_owned(), |due| due.to_string());
        let news = std::mem::take(&mut world.news);
        let told: Vec<String> = news.iter().map(News::to_string).collect();
        for expected in expected
            .split(',')
            .map(str::trim)
            .filter(|expected| !expected.is_empty())
        {
            let found = match expected.split_whitespace().next().unwrap_or_default() {
                "available" => format!("available {}", world.available()),
                "due" => format!("due {due}"),
                "charged" => format!("charged {}", world.months().len()),
                "told" => format!("told {}", told.join(" ")),
                "wrong" => format!(
                    "wrong {}",
                    wrong.map_or(String::new(), |wrong| wrong.to_string())
                ),
                "works" => (if world.number.works() {
                    "works"
                } else {
                    "rests"
                })
                .to_owned(),
                "rests" => (if world.number.works() {
                    "works"
                } else {
                    "rests"
                })
                .to_owned(),
                _ => world.number.state().to_owned(),
            };
            assert_eq!(found.trim(), expected, "`{line}`");
        }
    }
}

#[test]
fn n1_nothing_before_activation() {
    check(
        "
        2026-01-01 buy 500                -> requested, available 500, rests
        2026-01-02 approved               -> wrong approved cannot be: requested
        2026-01-02 activated              -> wrong activated cannot be: requested
        2026-01-02 submitted              -> under review
        2026-01-03 submitted              -> under review                       # told twice
        2026-01-03 activated              -> wrong activated cannot be: under review
        2026-01-09 approved               -> approved, available 500, due never, rests
        2026-06-01                        -> approved, available 500
        2026-06-02 activated              -> active, available 450, due 2026-07-02, works
        2026-06-02 activated submitted    -> active, available 450
        2026-07-01                        -> available 450
        2026-07-02                        -> available 400, due 2026-08-02
    ",
    );
}

/// Clamped to the month's end, anchored on the day of the activation.
#[test]
fn n1_months_end_where_months_end() {
    check(
        "
        2026-01-31 buy 5000 submitted approved activated   -> available 4950, due 2026-02-28
        2026-02-28                        -> available 4900, due 2026-03-31
        2026-03-31                        -> due 2026-04-30
        2026-04-30                        -> due 2026-05-31, charged 4
        2027-12-31                        -> charged 24, due 2028-01-31
        2028-02-28                        -> charged 25, due 2028-02-29
        2028-02-29                        -> charged 26, due 2028-03-31
    ",
    );
}

#[test]
fn n1_a_missed_run_catches_up_month_by_month() {
    check("
        2026-01-15 buy 220 submitted approved activated   -> available 170
        2026-04-15                        -> active, available 20, charged 4    # February, March, April
        2026-04-14                        -> active, available 20, charged 4    # the clock steps back
        2026-07-20                        -> past due, charged 4, due 2026-05-15, told past-due 4 number 1
        2026-07-20 buy 100                -> past due, charged 6, available 20, told past-due 6 number 1
        2026-07-21 buy 30                 -> active, charged 7, available 0, due 2026-08-15
    ");
}

#[test]
fn n1_what_is_not_covered_is_past_due_then_suspended() {
    check("
        2026-01-31 buy 60 submitted approved activated    -> active, available 10
        2026-02-28                        -> past due, available 10, told past-due 1 number 1, works
        2026-03-01 buy 39 restart         -> past due, available 49, told       # told once
        2026-03-13                        -> past due, works
        2026-03-14                        -> suspended, told suspended 1 number 1, rests
        2026-03-20                        -> suspended, told
        2026-06-10 restart                -> suspended, available 49
        2026-06-10 buy 1                  -> past due, charged 2, told past-due 4 number 1      # February is paid; the month since 31 May is not
        2026-06-11 buy 60                 -> active, charged 3, available 10, due 2026-06-30    # March and April were not charged
    ");
}

#[test]
fn n1_a_top_up_in_time_keeps_the_number() {
    check(
        "
        2026-01-31 buy 50 submitted approved activated    -> active, available 0
        2026-02-28                        -> past due
        2026-03-10 buy 50                 -> active, available 0, due 2026-03-31
        2026-03-31                        -> past due, told past-due 2 number 1
    ",
    );
}

#[test]
fn n1_a_number_that_is_given_back_costs_nothing_more() {
    check(
        "
        2026-01-31 buy 500 submitted approved activated   -> available 450
        2026-02-27 released               -> released, rests, due never
        2026-05-31 activated restart      -> released, available 450
    ",
    );
    check(
        "
        2026-01-31 buy 500 submitted declined             -> released, available 500
    ",
    );
    check(
        "
        2026-01-31 buy 50 submitted approved activated    -> active
        2026-02-28                        -> past due
        2026-02-28 buy 100 released       -> released, available 100
    ",
    );
}

/// The first days of months as somebody finds them who has a calendar and no arithmetic: day after day.
fn first_days(activated: Date, until: Date) -> Vec<Date> {
    let mut days = vec![activated];
    let (mut year, mut month) = (activated.year(), activated.month());
    loop {
        (year, month) = if month == 12 {
            (year + 1, 1)
        } else {
            (year, month + 1)
        };
        let day = (1..=activated.day())
            .rev()
            .find_map(|day| Date::new(year, month, day))
            .unwrap();
        if day > until {
            return days;
        }
        days.push(day);
    }
}

fn any_day(random: &mut Random, from: Date, days_max: u64) -> Date {
    let mut day = from;
    for _ in 0..random.below(days_max + 1) {
        day = tomorrow(day);
    }
    day
}

fn tomorrow(day: Date) -> Date {
    let (year, month) = (day.year(), day.month());
    let next = Date::new(year, month, day.day() + 1).or_else(|| Date::new(year, month + 1, 1));
    next.or_else(|| Date::new(year + 1, 1, 1)).unwrap()
}

fn activated(random: &mut Random) -> (World, Date) {
    let day = any_day(random, date("2023-12-27"), 500);
    let mut world = World::new();
    for fact in [Fact::Submitted, Fact::Approved, Fact::Activated] {
        world.number.handle_input(day, fact).unwrap();
    }
    (world, day)
}

/// N1: with credits enough each month is charged once, whenever the runs are, however often, and whatever dies between them.
#[test]
fn each_month_is_charged_once() {
    for seed in 0..CASES {
        let mut random = Random(seed);
        let (mut world, activated) = activated(&mut random);
        world.buy(1_000_000);
        let mut today = activated;
        for _ in 0..random.below(12) {
            run(&mut world, today, &mut random);
            today = any_day(&mut random, today, 90);
        }
        world.restart();
        world.number.handle_timeout(today);
        world.drain();
        let expected: Vec<_> = (0..).zip(first_days(activated, today)).collect();
        assert_eq!(world.months(), expected, "seed {seed}");
        let paid = expected.len() as i64 * 50;
        assert_eq!(world.available(), 1_000_000 - paid, "seed {seed}");
    }
}

/// A day's run, twice over, that may die after an entry was written and before anybody knows.
fn run(world: &mut World, today: Date, random: &mut Random) {
    for _ in 0..1 + random.below(2) {
        world.number.handle_timeout(today);
        if random.below(3) > 0 {
            world.drain();
            continue;
        }
        if let Some(entry) = world.number.poll_output()
            && world.books.record(&entry) == Ok(true)
        {
            world.journal.push(entry);
        }
        world.restart();
    }
}

/// N1: with few credits no month is charged twice, none is left out but while the number was suspended, and it recovers.
#[test]
fn no_month_is_charged_twice_or_forgotten() {
    let (mut past_due, mut suspended) = (0, 0);
    for seed in 0..CASES {
        let mut random = Random(seed);
        let (mut world, activated) = activated(&mut random);
        let mut today = activated;
        for _ in 0..20 {
            today = any_day(&mut random, today, 12);
            if random.below(3) == 0 {
                world.buy(random.below(90));
            }
            run(&mut world, today, &mut random);
            assert!(world.available() >= 0, "seed {seed}");
        }
        world.buy(10_000);
        world.number.handle_timeout(today);
        world.drain();
        assert_eq!(world.number.state(), "active", "seed {seed}");
        let expected: BTreeSet<_> = (0..).zip(first_days(activated, today)).collect();
        let months = world.months();
        let charged: BTreeSet<_> = months.iter().copied().collect();
        assert_eq!(charged.len(), months.len(), "seed {seed}: twice");
        assert!(charged.is_subset(&expected), "seed {seed}: {charged:?}");
        let was_suspended = world
            .news
            .iter()
            .any(|news| matches!(news, News::Suspended { .. }));
        assert!(
            charged == expected || was_suspended,
            "seed {seed}: {charged:?}"
        );
        assert_eq!(charged.last(), expected.last(), "seed {seed}");
        past_due += world.news.len();
        suspended += usize::from(was_suspended);
    }
    assert!(
        past_due > 1_000 && suspended > 1_000,
        "{past_due}, {suspended}"
    );
}

#[test]
fn dates_are_those_of_the_calendar() {
    for nonsense in [
        "2026-02-29",
        "2100-02-29",
        "2026-13-01",
        "2026-00-10",
        "0000-01-01",
        "2026-1-1",
        "2026-01-01-1",
        "",
    ] {
        assert_eq!(Date::parse(nonsense), None, "{nonsense}");
    }
    let mut day = date("1999-12-31");
    for passed in 0..20_000 {
        assert_eq!(day.days_since(date("1999-12-31")), passed, "{day}");
        assert_eq!(Date::parse(&day.to_string()), Some(day));
        day = tomorrow(day);
    }
    let mut day = date("1970-01-01");
    for days in 0..100_000 {
        assert_eq!(Date::after_1970(days), Some(day));
        day = tomorrow(day);
    }
    assert_eq!(Date::after_1970(2_932_896), Some(date("9999-12-31")));
    assert_eq!(Date::after_1970(2_932_897), None);
    assert_eq!(Date::after_1970(u32::MAX), None);
    assert_eq!(date("2000-02-29").days_since(date("2000-03-01")), 0);
    assert_eq!(date("9999-12-31").months_later(1), None);
    assert_eq!(date("2026-01-31").months_later(u32::MAX), None);
}

/// At the end of the calendar nothing is due any more.
#[test]
fn the_last_month_there_is_ends_the_charges() {
    check(
        "
        9999-11-30 buy 500 submitted approved activated   -> available 450, due 9999-12-30
        9999-12-31                        -> active, available 400, due never
    ",
    );
}
