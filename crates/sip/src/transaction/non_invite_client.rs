use std::time::Instant;

use super::client::Action;
use super::timers::{Clock, Timer};

/// Where a request other than INVITE stands on its sender's side (RFC 3261 §17.1.2, figure 6).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum State {
    /// The request is on its way; nobody has answered.
    Trying,
    /// A provisional response came.
    Proceeding,
    /// Answered; repetitions of the answer are absorbed.
    Completed,
    Terminated,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Input {
    Timer(Timer),
    /// 100 to 199.
    Provisional,
    /// 200 to 699.
    Final,
    TransportFailed,
}

/// The table: what `input` makes of `state`.
pub(crate) fn next(state: State, input: Input) -> (State, Action) {
    match state {
        State::Trying => trying(input),
        State::Proceeding => proceeding(input),
        State::Completed => completed(input),
        State::Terminated => (State::Terminated, Action::Nothing),
    }
}

fn trying(input: Input) -> (State, Action) {
    match input {
        Input::Timer(Timer::E) => (State::Trying, Action::Resend),
        Input::Timer(_) => (State::Terminated, Action::TimedOut),
        Input::Provisional => (State::Proceeding, Action::Deliver),
        Input::Final => (State::Completed, Action::Deliver),
        Input::TransportFailed => (State::Terminated, Action::TransportFailed),
    }
}

fn proceeding(input: Input) -> (State, Action) {
    match input {
        Input::Timer(Timer::E) => (State::Proceeding, Action::Resend),
        Input::Timer(_) => (State::Terminated, Action::TimedOut),
        Input::Provisional => (State::Proceeding, Action::Deliver),
        Input::Final => (State::Completed, Action::Deliver),
        Input::TransportFailed => (State::Terminated, Action::TransportFailed),
    }
}

fn completed(input: Input) -> (State, Action) {
    match input {
        Input::Timer(_) => (State::Terminated, Action::Nothing),
        Input::Provisional | Input::Final => (State::Completed, Action::Nothing),
        Input::TransportFailed => (State::Completed, Action::Nothing),
    }
}

/// Sets the timers that run in `state`.
pub(crate) fn enter(state: State, now: Instant, clock: &mut Clock) {
    match state {
        State::Trying => {
            clock.resend(now, Timer::E);
            clock.deadline(now, Timer::F);
        }
        // Timer F keeps running: a provisional response buys no time (RFC 3261 §17.1.2.2).
        State::Proceeding => clock.resend_slowly(now, Timer::E),
        State::Completed => {
            clock.stop();
            clock.deadline(now, Timer::K);
        }
        State::Terminated => clock.stop(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_told_once() {
        assert_eq!(
            next(State::Trying, Input::Final),
            (State::Completed, Action::Deliver)
        );
        assert_eq!(
            next(State::Completed, Input::Final),
            (State::Completed, Action::Nothing)
        );
        assert_eq!(
            next(State::Completed, Input::Timer(Timer::K)),
            (State::Terminated, Action::Nothing)
        );
    }

    #[test]
    fn a_provisional_response_does_not_stop_timer_f() {
        assert_eq!(
            next(State::Trying, Input::Provisional),
            (State::Proceeding, Action::Deliver)
        );
        assert_eq!(
            next(State::Proceeding, Input::Timer(Timer::E)),
            (State::Proceeding, Action::Resend)
        );
        assert_eq!(
            next(State::Proceeding, Input::Timer(Timer::F)),
            (State::Terminated, Action::TimedOut)
        );
    }
}
