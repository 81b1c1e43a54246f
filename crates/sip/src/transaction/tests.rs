//! The four machines against the figures of RFC 3261 §17 and RFC 6026 §8: every input in every state, every timer by its letter.

use std::fmt::Debug;
use std::time::Instant;

use super::timers::{Clock, Timer};
use super::{Timers, Transport};

/// Follows every row `state, input, next state, action`, and sees that no pair is missing from the table.
fn check<S, I, A>(next: impl Fn(S, I) -> (S, A), states: &[S], inputs: &[I], rows: &[(S, I, S, A)])
where
    S: Copy + Debug + PartialEq,
    I: Copy + Debug + PartialEq,
    A: Copy + Debug + PartialEq,
{
    for (state, input, then, action) in rows {
        assert_eq!(
            next(*state, *input),
            (*then, *action),
            "{state:?}, {input:?}"
        );
    }
    for state in states {
        for input in inputs {
            let count = rows
                .iter()
                .filter(|row| row.0 == *state && row.1 == *input)
                .count();
            assert_eq!(count, 1, "{state:?}, {input:?} in the table");
        }
    }
}

/// What a clock does in a state: the letters of the timers that fire and milliseconds until they do first, over `transport`.
fn clock(transport: Transport, enter: impl Fn(Instant, &mut Clock)) -> Vec<(Timer, u128)> {
    let zero = Instant::now();
    let mut clock = Clock::new(Timers::default(), transport);
    enter(zero, &mut clock);
    let mut fired: Vec<(Timer, u128)> = Vec::new();
    while let Some(at) = clock.next() {
        // The deadline is the last that fires; nothing rings on after it.
        if let Some(timer) = clock.fire(at)
            && fired.iter().all(|(known, _)| *known != timer)
        {
            fired.push((timer, (at - zero).as_millis()));
        }
        if fired
            .last()
            .is_some_and(|(timer, _)| !matches!(timer, Timer::A | Timer::E | Timer::G))
        {
            break;
        }
    }
    fired
}

#[test]
fn invite_client() {
    use super::client::Action::{
        Ack, AckAndDeliver, Deliver, Nothing, Resend, TimedOut, TransportFailed,
    };
    use super::invite_client::Input::{self, Failure, Provisional, Success};
    use super::invite_client::State::{Accepted, Calling, Completed, Proceeding, Terminated};
    use super::invite_client::{enter, next};
    let timer = Input::Timer;
    let lost = Input::TransportFailed;
    // RFC 3261 figure 5, with Accepted of RFC 6026 §8.4.
    check(
        next,
        &[Calling, Proceeding, Completed, Accepted],
        &[Provisional, Success, Failure, lost],
        &[
            (Calling, timer(Timer::A), Calling, Resend),
            (Calling, timer(Timer::B), Terminated, TimedOut),
            (Calling, Provisional, Proceeding, Deliver),
            (Calling, Success, Accepted, Deliver),
            (Calling, Failure, Completed, AckAndDeliver),
            (Calling, lost, Terminated, TransportFailed),
            (Proceeding, Provisional, Proceeding, Deliver),
            (Proceeding, Success, Accepted, Deliver),
            (Proceeding, Failure, Completed, AckAndDeliver),
            (Proceeding, lost, Proceeding, TransportFailed),
            (Completed, timer(Timer::D), Terminated, Nothing),
            (Completed, Provisional, Completed, Nothing),
            (Completed, Success, Completed, Nothing),
            (Completed, Failure, Completed, Ack),
            (Completed, lost, Terminated, TransportFailed),
            (Accepted, timer(Timer::M), Terminated, Nothing),
            (Accepted, Provisional, Accepted, Nothing),
            (Accepted, Success, Accepted, Deliver),
            (Accepted, Failure, Accepted, Nothing),
            (Accepted, lost, Accepted, Nothing),
            (Terminated, Success, Terminated, Nothing),
        ],
    );
    let fires = |state, transport| clock(transport, |now, clock| enter(state, now, clock));
    let (udp, tcp) = (Transport::Udp, Transport::Tcp);
    assert_eq!(fires(Calling, udp), [(Timer::A, 500), (Timer::B, 32_000)]);
    assert_eq!(fires(Calling, tcp), [(Timer::B, 32_000)]);
    assert_eq!(fires(Proceeding, udp), []);
    assert_eq!(fires(Completed, udp), [(Timer::D, 32_000)]);
    assert_eq!(fires(Completed, tcp), [(Timer::D, 0)]);
    assert_eq!(fires(Accepted, udp), [(Timer::M, 32_000)]);
    assert_eq!(fires(Accepted, tcp), [(Timer::M, 32_000)]);
}

#[test]
fn non_invite_client() {
    use super::client::Action::{Deliver, Nothing, Resend, TimedOut, TransportFailed};
    use super::non_invite_client::Input::{self, Final, Provisional};
    use super::non_invite_client::State::{Completed, Proceeding, Terminated, Trying};
    use super::non_invite_client::{enter, next};
    let timer = Input::Timer;
    let lost = Input::TransportFailed;
    // RFC 3261 figure 6.
    check(
        next,
        &[Trying, Proceeding, Completed],
        &[Provisional, Final, lost],
        &[
            (Trying, timer(Timer::E), Trying, Resend),
            (Trying, timer(Timer::F), Terminated, TimedOut),
            (Trying, Provisional, Proceeding, Deliver),
            (Trying, Final, Completed, Deliver),
            (Trying, lost, Terminated, TransportFailed),
            (Proceeding, timer(Timer::E), Proceeding, Resend),
            (Proceeding, timer(Timer::F), Terminated, TimedOut),
            (Proceeding, Provisional, Proceeding, Deliver),
            (Proceeding, Final, Completed, Deliver),
            (Proceeding, lost, Terminated, TransportFailed),
            (Completed, timer(Timer::K), Terminated, Nothing),
            (Completed, Provisional, Completed, Nothing),
            (Completed, Final, Completed, Nothing),
            (Completed, lost, Completed, Nothing),
            (Terminated, Final, Terminated, Nothing),
        ],
    );
    let fires = |state, transport| {
        clock(transport, |now, clock| {
            enter(Trying, now, clock);
            enter(state, now, clock);
        })
    };
    let (udp, tcp) = (Transport::Udp, Transport::Tcp);
    assert_eq!(fires(Trying, udp), [(Timer::E, 500), (Timer::F, 32_000)]);
    assert_eq!(fires(Trying, tcp), [(Timer::F, 32_000)]);
    // §17.1.2.2: after a provisional response E runs at T2, and F runs on.
    assert_eq!(
        fires(Proceeding, udp),
        [(Timer::E, 4_000), (Timer::F, 32_000)]
    );
    assert_eq!(fires(Completed, udp), [(Timer::K, 5_000)]);
    assert_eq!(fires(Completed, tcp), [(Timer::K, 0)]);
}

#[test]
fn invite_server() {
    use super::invite_server::Input::{self, Ack, Failure, Provisional, Request, Success};
    use super::invite_server::State::{Accepted, Completed, Confirmed, Proceeding, Terminated};
    use super::invite_server::{enter, next};
    use super::server::Action::{Nothing, Resend, Send, TimedOut};
    let timer = Input::Timer;
    // RFC 3261 figure 7, with Accepted of RFC 6026 §8.7.
    check(
        next,
        &[Proceeding, Completed, Confirmed, Accepted],
        &[Request, Ack, Provisional, Success, Failure],
        &[
            (Proceeding, Request, Proceeding, Resend),
            (Proceeding, Ack, Proceeding, Nothing),
            (Proceeding, Provisional, Proceeding, Send),
            (Proceeding, Success, Accepted, Send),
            (Proceeding, Failure, Completed, Send),
            (Completed, timer(Timer::G), Completed, Resend),
            (Completed, timer(Timer::H), Terminated, TimedOut),
            (Completed, Request, Completed, Resend),
            (Completed, Ack, Confirmed, Nothing),
            (Completed, Provisional, Completed, Nothing),
            (Completed, Success, Completed, Nothing),
            (Completed, Failure, Completed, Nothing),
            (Confirmed, timer(Timer::I), Terminated, Nothing),
            (Confirmed, Request, Confirmed, Nothing),
            (Confirmed, Ack, Confirmed, Nothing),
            (Confirmed, Provisional, Confirmed, Nothing),
            (Confirmed, Success, Confirmed, Nothing),
            (Confirmed, Failure, Confirmed, Nothing),
            (Accepted, timer(Timer::L), Terminated, Nothing),
            (Accepted, Request, Accepted, Nothing),
            (Accepted, Ack, Accepted, Nothing),
            (Accepted, Provisional, Accepted, Nothing),
            (Accepted, Success, Accepted, Send),
            (Accepted, Failure, Accepted, Nothing),
            (Terminated, Request, Terminated, Nothing),
        ],
    );
    let fires = |state, transport| clock(transport, |now, clock| enter(state, now, clock));
    let (udp, tcp) = (Transport::Udp, Transport::Tcp);
    assert_eq!(fires(Proceeding, udp), []);
    assert_eq!(fires(Completed, udp), [(Timer::G, 500), (Timer::H, 32_000)]);
    assert_eq!(fires(Completed, tcp), [(Timer::H, 32_000)]);
    assert_eq!(fires(Confirmed, udp), [(Timer::I, 5_000)]);
    assert_eq!(fires(Confirmed, tcp), [(Timer::I, 0)]);
    assert_eq!(fires(Accepted, udp), [(Timer::L, 32_000)]);
    assert_eq!(fires(Accepted, tcp), [(Timer::L, 32_000)]);
}

#[test]
fn non_invite_server() {
    use super::non_invite_server::Input::{self, Final, Provisional, Request};
    use super::non_invite_server::State::{Completed, Proceeding, Terminated, Trying};
    use super::non_invite_server::{enter, next};
    use super::server::Action::{Nothing, Resend, Send};
    // RFC 3261 figure 8.
    check(
        next,
        &[Trying, Proceeding, Completed],
        &[Request, Provisional, Final],
        &[
            (Trying, Request, Trying, Nothing),
            (Trying, Provisional, Proceeding, Send),
            (Trying, Final, Completed, Send),
            (Proceeding, Request, Proceeding, Resend),
            (Proceeding, Provisional, Proceeding, Send),
            (Proceeding, Final, Completed, Send),
            (Completed, Input::Timer(Timer::J), Terminated, Nothing),
            (Completed, Request, Completed, Resend),
            (Completed, Provisional, Completed, Nothing),
            (Completed, Final, Completed, Nothing),
            (Terminated, Request, Terminated, Nothing),
        ],
    );
    let fires = |state, transport| clock(transport, |now, clock| enter(state, now, clock));
    let (udp, tcp) = (Transport::Udp, Transport::Tcp);
    assert_eq!(fires(Trying, udp), []);
    assert_eq!(fires(Proceeding, udp), []);
    assert_eq!(fires(Completed, udp), [(Timer::J, 32_000)]);
    assert_eq!(fires(Completed, tcp), [(Timer::J, 0)]);
}
