use std::time::Instant;

use super::server::Action;
use super::timers::{Clock, Timer};

/// Where a request other than INVITE stands on the answering side (RFC 3261 §17.2.2, figure 8).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum State {
    /// Not answered at all yet.
    Trying,
    /// Answered provisionally.
    Proceeding,
    /// Answered; the answer is repeated for every repeated request.
    Completed,
    Terminated,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Input {
    Timer(Timer),
    /// The request again.
    Request,
    /// The user agent sends 100 to 199.
    Provisional,
    /// The user agent sends 200 to 699.
    Final,
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
        Input::Timer(_) | Input::Request => (State::Trying, Action::Nothing),
        Input::Provisional => (State::Proceeding, Action::Send),
        Input::Final => (State::Completed, Action::Send),
    }
}

fn proceeding(input: Input) -> (State, Action) {
    match input {
        Input::Timer(_) => (State::Proceeding, Action::Nothing),
        Input::Request => (State::Proceeding, Action::Resend),
        Input::Provisional => (State::Proceeding, Action::Send),
        Input::Final => (State::Completed, Action::Send),
    }
}

fn completed(input: Input) -> (State, Action) {
    match input {
        Input::Timer(_) => (State::Terminated, Action::Nothing),
        Input::Request => (State::Completed, Action::Resend),
        Input::Provisional | Input::Final => (State::Completed, Action::Nothing),
    }
}

/// Sets the timers that run in `state`.
pub(crate) fn enter(state: State, now: Instant, clock: &mut Clock) {
    clock.stop();
    if state == State::Completed {
        clock.deadline(now, Timer::J);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_repeated_until_timer_j() {
        assert_eq!(
            next(State::Trying, Input::Request),
            (State::Trying, Action::Nothing)
        );
        assert_eq!(
            next(State::Trying, Input::Final),
            (State::Completed, Action::Send)
        );
        assert_eq!(
            next(State::Completed, Input::Request),
            (State::Completed, Action::Resend)
        );
        assert_eq!(
            next(State::Completed, Input::Timer(Timer::J)),
            (State::Terminated, Action::Nothing)
        );
    }
}
