use std::time::Instant;

use super::server::Action;
use super::timers::{Clock, Timer};

/// Where an INVITE stands on the answering side (RFC 3261 §17.2.1, figure 7, with RFC 6026 §7.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum State {
    /// Not answered yet.
    Proceeding,
    /// Refused; the refusal is repeated until its ACK comes.
    Completed,
    /// The ACK of a refusal came; repetitions of it are absorbed.
    Confirmed,
    /// Answered with 2xx; the user agent repeats that, repeated INVITEs are absorbed here.
    Accepted,
    Terminated,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Input {
    Timer(Timer),
    /// The INVITE again.
    Request,
    Ack,
    /// The user agent sends 100 to 199.
    Provisional,
    /// The user agent sends 200 to 299, for the first time or again.
    Success,
    /// The user agent sends 300 to 699.
    Failure,
}

/// The table: what `input` makes of `state`.
///
/// A failing transport is no input: the transaction stays where it is (RFC 6026 §8.8), and an ACK that never comes ends it.
pub(crate) fn next(state: State, input: Input) -> (State, Action) {
    match state {
        State::Proceeding => proceeding(input),
        State::Completed => completed(input),
        State::Confirmed => confirmed(input),
        State::Accepted => accepted(input),
        State::Terminated => (State::Terminated, Action::Nothing),
    }
}

fn proceeding(input: Input) -> (State, Action) {
    match input {
        Input::Timer(_) | Input::Ack => (State::Proceeding, Action::Nothing),
        Input::Request => (State::Proceeding, Action::Resend),
        Input::Provisional => (State::Proceeding, Action::Send),
        Input::Success => (State::Accepted, Action::Send),
        Input::Failure => (State::Completed, Action::Send),
    }
}

fn completed(input: Input) -> (State, Action) {
    match input {
        Input::Timer(Timer::G) | Input::Request => (State::Completed, Action::Resend),
        Input::Timer(_) => (State::Terminated, Action::TimedOut),
        Input::Ack => (State::Confirmed, Action::Nothing),
        Input::Provisional | Input::Success | Input::Failure => (State::Completed, Action::Nothing),
    }
}

fn confirmed(input: Input) -> (State, Action) {
    match input {
        Input::Timer(_) => (State::Terminated, Action::Nothing),
        Input::Request | Input::Ack => (State::Confirmed, Action::Nothing),
        Input::Provisional | Input::Success | Input::Failure => (State::Confirmed, Action::Nothing),
    }
}

fn accepted(input: Input) -> (State, Action) {
    match input {
        Input::Timer(_) => (State::Terminated, Action::Nothing),
        Input::Request | Input::Ack => (State::Accepted, Action::Nothing),
        Input::Success => (State::Accepted, Action::Send),
        Input::Provisional | Input::Failure => (State::Accepted, Action::Nothing),
    }
}

/// Sets the timers that run in `state`.
pub(crate) fn enter(state: State, now: Instant, clock: &mut Clock) {
    clock.stop();
    match state {
        State::Completed => {
            clock.resend(now, Timer::G);
            clock.deadline(now, Timer::H);
        }
        State::Confirmed => clock.deadline(now, Timer::I),
        State::Accepted => clock.deadline(now, Timer::L),
        State::Proceeding | State::Terminated => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_repeated_until_its_ack() {
        assert_eq!(
            next(State::Proceeding, Input::Failure),
            (State::Completed, Action::Send)
        );
        for repeated in [Input::Request, Input::Timer(Timer::G)] {
            assert_eq!(
                next(State::Completed, repeated),
                (State::Completed, Action::Resend)
            );
        }
        assert_eq!(
            next(State::Completed, Input::Ack),
            (State::Confirmed, Action::Nothing)
        );
        assert_eq!(
            next(State::Completed, Input::Timer(Timer::H)),
            (State::Terminated, Action::TimedOut)
        );
    }

    #[test]
    fn an_invite_repeated_after_the_answer_is_absorbed() {
        assert_eq!(
            next(State::Proceeding, Input::Success),
            (State::Accepted, Action::Send)
        );
        assert_eq!(
            next(State::Accepted, Input::Request),
            (State::Accepted, Action::Nothing)
        );
        assert_eq!(
            next(State::Accepted, Input::Timer(Timer::L)),
            (State::Terminated, Action::Nothing)
        );
    }
}
