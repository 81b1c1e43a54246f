//! The rules of the product, by name.

use super::script::check;
use crate::{AccountId, Credits};
use crate::{
    Booked, Cause, Fact, Millis, Opening, Patient, Person, Session, SessionId, Tariff, WrongMoment,
};

/// The table of the product's rulebook for the tariff `standard`.
#[test]
fn m4_standard_table() {
    check("
        buy 200
        visit 1   at 0:00 admit 1                                     at 14:59 end     cost 2
        visit 1   at 0:00 admit 1                                     at 15:00 end     cost 2
        visit 1   at 0:00 admit 1                                     at 15:01 end     cost 4
        visit 1   at 0:00 admit 1                                     at 50:00 end     cost 8
        visit 3   at 0:00 admit 1   at 0:00 admit 2   at 0:00 admit 3   at 50:00 end   cost 24
        visit 3   at 0:00 admit 1   at 0:00 admit 2                   at 50:00 end     cost 16   # one never comes
        visit 2   at 0:00 admit 1   at 31:00 admit 2                  at 50:00 end     cost 16
        visit 1   at 5:00 admit 1                                     at 20:00 end     cost 4
        visit 1   at 0:00 admit 1   at 22:00 admit 1                  at 28:00 end     cost 4    # gone for 12 minutes
        visit 1                                                       at 12:00 end     cost 0    # alone
        visit 1   at 0:00 admit 1                                     at 3:16:00 end   cost 28   # gone at 16:00
        visit 1   at 0:00 admit 1                                     at 10:00 end     cost 2
        visit 1   at 0:00 admit 1                                     at 2:00 end      cost 2    # reopened: 4 in all
    ");
}

/// The same events at the tariff `attended`.
#[test]
fn m5_attended_table() {
    check("
        buy 200
        attended 1   at 0:00 join 1                                   at 14:59 end     cost 2
        attended 1   at 0:00 join 1                                   at 15:00 end     cost 2
        attended 1   at 0:00 join 1                                   at 15:01 end     cost 4
        attended 1   at 0:00 join 1                                   at 50:00 end     cost 8
        attended 3   at 0:00 join 1   at 0:00 join 2   at 0:00 join 3   at 50:00 end   cost 24
        attended 3   at 0:00 join 1   at 0:00 join 2                  at 50:00 end     cost 16   # one never comes
        attended 2   at 0:00 join 1   at 31:00 join 2                 at 50:00 end     cost 12
        attended 1   at 5:00 join 1                                   at 20:00 end     cost 2
        attended 1   at 0:00 join 1   at 10:00 leave 1   at 22:00 join 1   at 28:00 end   cost 4
        attended 1                                                    at 12:00 end     cost 0    # alone
        attended 1   at 0:00 join 1   at 16:00 leave 1                at 3:16:00 end   cost 4
        attended 1   at 0:00 join 1                                   at 10:00 end     cost 2
        reopen 2:00  at 0:00 join 1                                   at 2:00 end      cost 0    # 2 in all
    ");
}

#[test]
fn m5_only_what_is_shared_counts() {
    check("
        buy 200
        attended 1   at 0:00 join 1   at 0:00 leave 1    at 20:00 end                       cost 0   # connected for no time at all
        attended 1   at 0:00 join 1   at 0:00.001 leave 1   at 20:00 end                    cost 2   # however briefly
        attended 1   at 0:00 leave practitioner   at 1:00 join 1   at 40:00 end             cost 0   # the practitioner is away
        attended 1   at 0:00 join 1   at 14:00 leave practitioner   at 44:00 join practitioner   at 46:00 end   cost 6   # blocks 1, 3 and 4
        attended 1   at 0:00 join 1   at 10:00 leave 1   at 12:00 join 1   at 14:00 end     cost 2   # twice in one block
        attended 1   at 0:00 join 1   at 0:00 join 1   at 15:00 end                         cost 2   # told twice
        attended 1   at 4:00 join 1   at 19:00 end                                          cost 2   # the grid begins with the connection
        attended 1   at 4:00 join 1   at 19:00.001 end                                      cost 4
    ");
}

#[test]
fn m5_a_reopened_session_takes_the_cheaper_grid() {
    check("
        buy 200
        attended 1   at 0:00 join 1   at 10:00 end   cost 2
        reopen 4:00  at 0:00 join 1   at 14:00 end   cost 2   # continued it would touch the blocks 1 and 2: a fresh grid costs the same as the second of them
        attended 1   at 0:00 join 1   at 10:00 end   cost 2
        reopen 1:00  at 0:00 join 1   at 19:00 end   cost 2   # continued: only the second block is new; fresh would be 4
        reopen 1:00  at 0:00 join 1   at 14:00 end   cost 2   # 31:00 to 45:00 on the first grid, its third block
        attended 1                    at 10:00 end   cost 0
        reopen 4:00  at 0:00 join 1   at 15:00 end   cost 2   # nobody has begun a grid before
    ");
}

#[test]
fn m7_attended_sets_aside_what_is_begun() {
    check("
        buy 20                     available 20
        attended 2                 available 16   reserved 4    next none
        at 3:00 join 1             available 16   reserved 4    next 33:00.000   # two blocks for one are covered
        at 33:00 tick              available 14   reserved 6    next 48:00.000
        at 34:00 join 2            available 12   reserved 8
        at 35:00 leave 2           next 48:00.000
        at 36:00 leave 1           next none
        at 3:00:00 tick            available 12   reserved 8
        at 3:00:00 end             reserved 0     earned 8   cost 8   available 12
    ");
}

/// A patient moved from video to phone pays, in each block, the greater of its price and the minutes by phone that began in it.
#[test]
fn m9_escalation_vectors() {
    check("
        buy 400
        visit 1      at 0:00 admit 1   at 0:00 join 1   at 7:00 leave 1   at 8:30 phone 1   at 21:10 hangup 1   at 21:10 end   cost 13
        attended 1   at 0:00 admit 1   at 0:00 join 1   at 7:00 leave 1   at 8:30 phone 1   at 21:10 hangup 1   at 21:10 end   cost 13
        visit 1      at 0:00 admit 1   at 7:00 phone 1   at 8:00 hangup 1   at 14:00 end         cost 2    # one minute is less than the block
        visit 1      at 0:00 admit 1   at 7:00 phone 1   at 9:00.001 hangup 1   at 14:00 end     cost 3    # three are more
        visit 1      at 0:00 admit 1   at 14:30 phone 1  at 15:10 hangup 1   at 16:00 end        cost 4    # one minute, in the first block
        visit 1      at 0:00 admit 1   at 7:00 phone 1   at 22:00 end                            cost 15   # 8 minutes and 7, still talking
        visit 2      at 0:00 admit 1   at 0:00 admit 2   at 7:00 phone 1   at 12:00 hangup 1   at 15:00 end   cost 7   # 5 for one, 2 for the other
        attended 1   at 0:00 join 1   at 1:00 leave 1   at 29:30 phone 1   at 29:50 hangup 1   at 30:00 end   cost 3   # the second block is a minute only
        visit 1      at 20:00 phone 1   at 21:00 hangup 1   at 22:00 end                         cost 1    # rung and never let in by video
        visit 1      at 0:00 admit 1   at 1:00 phone 1   at 3:00 hangup 1   at 4:00 phone 1   at 6:00 hangup 1   at 15:00 end   cost 4   # twice two
    ");
}

#[test]
fn m7_minutes_by_phone_are_set_aside_as_they_begin() {
    check("
        buy 20
        visit 1                    available 18   reserved 2
        at 0:00 admit 1            available 18   reserved 2    next 15:00.000
        at 5:00 phone 1            available 18   reserved 2    next 7:00.000   # two minutes are covered by the block
        at 7:00 tick               available 17   reserved 3    next 8:00.000
        at 8:30 hangup 1           available 16   reserved 4    next 15:00.000
        at 14:00 end               reserved 0     earned 4      cost 4
    ");
}

#[test]
fn m3_a_started_block_is_charged_in_full() {
    check(
        "
        buy 100
        visit 1   at 0:00 admit 1   at 14:59.999 end   cost 2
        visit 1   at 0:00 admit 1   at 15:00.000 end   cost 2
        visit 1   at 0:00 admit 1   at 15:00.001 end   cost 4
    ",
    );
}

#[test]
fn m2_phone_minutes_count_from_the_answer() {
    check("
        buy 100
        call   at 0:04 answer   at 0:04 end          cost 0    # hung up in the same millisecond
        call   at 0:04 answer   at 0:04.001 end      cost 1
        call   at 0:04 answer   at 1:04 end          cost 1
        call   at 0:04 answer   at 1:04.001 end      cost 2
        call   at 0:44 answer   at 13:24 end         cost 13   # 12:40 of talk
        call   at 0:04 answer   at 0:30 answer   at 1:05 end   cost 2   # answered twice counts from the first
    ");
}

#[test]
fn m7_reserve_extend_settle_release() {
    check(
        "
        buy 20                     available 20
        visit 2                    available 16   reserved 4
        at 0:00 admit 1            available 16   reserved 4
        at 14:59.999 tick          available 16   reserved 4    next 15:00.000
        at 15:00 tick              available 12   reserved 8    next 30:00.000
        at 15:00 tick              available 12   reserved 8
        at 20:00 end               available 16   reserved 0    earned 4   cost 4   next none
        at 40:00 end               available 16   reserved 0    earned 4   entries 4
    ",
    );
}

/// An empty room is noticed five minutes late, and its end is where the last person went.
#[test]
fn v15_an_end_that_is_noticed_late_counts_from_where_it_was() {
    check(
        "
        buy 20
        visit 1   at 0:00 admit 1   at 0:00 join 1   at 14:00 leave 1   at 14:00 leave practitioner
        at 15:00 tick    reserved 4
        at 14:00 end     reserved 0   cost 2   earned 2   available 18
        visit 1   at 0:00 admit 1   at 16:00 join 1   at 19:00 tick
        at 14:00 end     cost 4                               # somebody came since
        call      at 0:05 answer   at 3:00 tick   at 1:05 end     cost 1
    ",
    );
}

#[test]
fn whoever_joins_without_end_costs_nothing_and_fills_no_journal() {
    let mut visit = Session::open(Opening {
        tariff: Tariff::ATTENDED,
        ..Opening::visit(SessionId::new("v"), AccountId::new("p"), Booked::ONE)
    });
    let one = Person::Patient(Patient::One);
    for at in 0..10_000 {
        let fact = if at % 2 == 0 {
            Fact::Joined(one)
        } else {
            Fact::Left(one)
        };
        visit.handle_input(Millis(at), fact).unwrap();
    }
    visit
        .handle_input(Millis::from_minutes(100), Fact::Ended)
        .unwrap();
    assert_eq!(visit.settled(), Some(Credits(2)));
    let mut entries = 0;
    while let Some(entry) = visit.poll_output() {
        let _ = visit.recorded(&entry.key);
        entries += 1;
    }
    assert!((200..210).contains(&entries), "{entries}");
}

#[test]
fn m7_the_first_block_must_be_covered() {
    check("
        buy 3
        visit 2                    refused 4/3    available 3   reserved 0
        visit 1                    available 1    reserved 2
        call                       available 0    reserved 3
        call                       refused 1/0    reserved 3                # two sessions cannot spend the same credits
    ");
}

#[test]
fn m8_a_call_in_progress_is_never_cut() {
    check(
        "
        buy 1
        call                       available 0    reserved 1
        at 0:05 answer
        at 1:05 tick               available -1   reserved 2
        at 2:05 tick               available -2   reserved 3
        at 2:06 end                available -2   reserved 0   earned 3
        call                       refused 1/-2
        buy 3                      available 1
        call                       available 0
    ",
    );
}

#[test]
fn m8_blocks_missed_by_a_late_timer_are_caught_up_in_one_entry() {
    check(
        "
        buy 2
        visit 1   at 0:00 admit 1
        at 46:00 tick              available -6   reserved 8   entries 3   next 60:00.000
        at 3:16:00 end             available -26  earned 28    entries 5
    ",
    );
}

#[test]
fn an_unbooked_patient_is_reserved_for_on_admission() {
    check(
        "
        buy 10
        visit 1                    reserved 2
        at 0:00 admit 1            reserved 2
        at 15:00 tick              reserved 4
        at 16:00 admit 2           reserved 8
        at 16:00 admit 2           reserved 8
        at 20:00 end               reserved 0   earned 8   cost 8
    ",
    );
}

#[test]
fn p7_an_unanswered_call_costs_nothing() {
    check(
        "
        buy 5
        call   reserved 1   at 0:45 unanswered   cost 0   reserved 0   available 5   next none
        call   reserved 1   at 0:10 end          cost 0   reserved 0   available 5
    ",
    );
}

#[test]
fn m11_a_crash_is_charged_to_the_last_evidence() {
    check("
        buy 50
        call   at 0:05 answer   at 9:00:00 recover 1:04      cost 1
        call   at 0:05 answer   at 9:00:00 recover 1:06      cost 2
        call   at 9:00:00 recover 0:05                       cost 0   available 47
        visit 1   at 7:00 admit 1   at 9:00:00 recover 5:00  cost 2   reserved 0    # the admission is later evidence
        visit 1   at 9:00:00 recover 20:00                   cost 0   reserved 0
    ");
}

/// The keys of a visit as they have been from the first version on: its journals are told again by every later one.
#[test]
fn keys_of_plain_sessions_stay_what_they_are() {
    let mut visit = Session::open(Opening::visit(
        SessionId::new("v"),
        AccountId::new("p"),
        Booked::ONE,
    ));
    let admitted = Fact::PatientAdmitted(Patient::One);
    visit.handle_input(Millis(5), admitted).unwrap();
    visit.handle_timeout(Millis::from_minutes(15));
    visit.handle_timeout(Millis::from_minutes(50));
    visit
        .handle_input(Millis::from_minutes(51), Fact::Ended)
        .unwrap();
    let mut keys = Vec::new();
    while let Some(entry) = visit.poll_output() {
        let _ = visit.recorded(&entry.key);
        keys.push(entry.key.0);
    }
    assert_eq!(
        keys,
        [
            "v/reserve/0",
            "v/admitted/1",
            "v/extend/1",
            "v/extend/3",
            "v/end"
        ]
    );
}

#[test]
fn the_grant_is_made_once_and_nothing_overtakes_the_reservation() {
    let mut call = Session::open(Opening::call(SessionId::new("c"), AccountId::new("p")));
    call.handle_input(Millis(10), Fact::NeverAnswered).unwrap();
    let reserve = call.poll_output().unwrap();
    assert!(reserve.must_be_covered);
    assert_eq!(call.poll_output(), None);
    assert!(call.recorded(&reserve.key).is_some());
    assert!(call.recorded(&reserve.key).is_none());
    assert_eq!(call.poll_output().unwrap().key.as_str(), "c/end");
}

#[test]
fn facts_that_cannot_be_are_refused() {
    let mut call = Session::open(Opening::call(SessionId::new("c"), AccountId::new("p")));
    let wrong = |fact, state| Err(WrongMoment { fact, state });
    let admitted = Fact::PatientAdmitted(Patient::One);
    assert_eq!(
        call.handle_input(Millis(1), admitted),
        wrong("patient admitted", "a phone call")
    );
    call.handle_input(Millis(2), Fact::Answered).unwrap();
    assert_eq!(
        call.handle_input(Millis(3), Fact::NeverAnswered),
        wrong("never answered", "blocks are counted")
    );
    let mut visit = Session::open(Opening::visit(
        SessionId::new("v"),
        AccountId::new("p"),
        Booked::ONE,
    ));
    assert_eq!(
        visit.handle_input(Millis(1), Fact::Answered),
        wrong("answered", "a visit")
    );
}

#[test]
fn the_running_cost_is_the_cost_of_ending_now() {
    let mut visit = Session::open(Opening::visit(
        SessionId::new("v"),
        AccountId::new("p"),
        Booked::new(2).unwrap(),
    ));
    visit
        .handle_input(Millis(5), Fact::PatientAdmitted(Patient::Two))
        .unwrap();
    let at = Millis::from_minutes(16);
    assert_eq!(visit.cost_so_far(at), Credits(4));
    assert_eq!(
        Patient::ALL.map(|patient| visit.cost_of(patient, at)),
        [Credits(0), Credits(4), Credits(0)]
    );
    visit.handle_input(at, Fact::Ended).unwrap();
    assert_eq!(visit.cost_so_far(Millis::from_minutes(90)), Credits(4));
    assert_eq!(visit.cost_of(Patient::Two, at), Credits(4));
}

#[test]
fn v6_the_estimate_says_how_it_was_reached() {
    let say = |tariff: Tariff, booked, minutes| {
        tariff
            .estimate(Booked::new(booked).unwrap(), minutes)
            .to_string()
    };
    assert_eq!(
        say(Tariff::STANDARD, 1, 50),
        "8 credits: 4 blocks of 15 min, 2 credits a block"
    );
    assert_eq!(
        say(Tariff::STANDARD, 3, 50),
        "8 to 24 credits: 4 blocks of 15 min, 2 credits a block, 1 to 3 patients"
    );
    assert_eq!(
        say(Tariff::STANDARD, 1, 0),
        "2 credits: 1 block of 15 min, 2 credits a block"
    );
    assert_eq!(
        say(Tariff::PHONE, 1, 20),
        "20 credits: 20 blocks of 1 min, 1 credit a block"
    );
}

#[test]
fn causes_are_read_back_as_written() {
    let heard = [
        Fact::PatientAdmitted(Patient::Three),
        Fact::Joined(Person::Practitioner),
        Fact::Joined(Person::Patient(Patient::Two)),
        Fact::Left(Person::Practitioner),
        Fact::Left(Person::Patient(Patient::One)),
        Fact::PhoneAnswered(Patient::One),
        Fact::PhoneHungUp(Patient::Three),
        Fact::Answered,
        Fact::Ended,
        Fact::NeverAnswered,
        Fact::Recovered {
            last_evidence: Millis(5_000),
        },
    ];
    let others = [
        Cause::Granted {
            reason: "bought on Monday".to_owned(),
        },
        Cause::Opened {
            booked: Booked::ONE,
            reopens: None,
        },
        Cause::BlockBegan,
    ];
    for cause in heard.map(Cause::Heard).into_iter().chain(others) {
        assert_eq!(Cause::parse(&cause.to_string()), Some(cause));
    }
    for unreadable in [
        "",
        "opened 4",
        "admitted 0",
        "admitted",
        "block ended",
        "joined 4",
        "joined",
        "left nobody",
        "phone-answered practitioner",
        "opened 1 reopens 5",
        "opened 1 reopens 5 0 0 x",
        "opened 1 reopens 5 0 0 0 0",
        "ended twice",
        "recovered soon",
    ] {
        assert_eq!(Cause::parse(unreadable), None, "{unreadable}");
    }
}
