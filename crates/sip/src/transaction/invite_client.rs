use std::time::Instant;

use super::client::Action;
use super::timers::{Clock, Timer};

/// Where the caller's INVITE transaction stands (RFC 3261 §17.1.1, figure 5, with RFC 6026 §7.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum State {
    /// The INVITE is on its way; nobody has answered.
    Calling,
    /// A provisional response came: the far end is at work, and may take its time.
    Proceeding,
    /// Refused, and the ACK sent; it is repeated for every repeated refusal.
    Completed,
    /// Answered with 2xx; further 2xx (repetitions and other forks) still reach the user agent.
    Accepted,
    Terminated,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Input {
    Timer(Timer),
    /// 100 to 199.
    Provisional,
    /// 200 to 299.
    Success,
    /// 300 to 699.
    Failure,
    TransportFailed,
}

/// The table: what `input` makes of `state`.
pub(crate) fn next(state: State, input: Input) -> (State, Action) {
    match state {
        State::Calling => calling(input),
        State::Proceeding => proceeding(input),
        State::Completed => completed(input),
        State::Accepted => accepted(input),
        State::Terminated => (State::Terminated, Action::Nothing),
    }
}

fn calling(input: Input) -> (State, Action) {
    match input {
        Input::Timer(Timer::A) => (State::Calling, Action::Resend),
        Input::Timer(_) => (State::Terminated, Action::TimedOut),
        Input::Provisional => (State::Proceeding, Action::Deliver),
        Input::Success => (State::Accepted, Action::Deliver),
        Input::Failure => (State::Completed, Action::AckAndDeliver),
        Input::TransportFailed => (State::Terminated, Action::TransportFailed),
    }
}

fn proceeding(input: Input) -> (State, Action) {
    match input {
        // Runs here only where `limit` has set it.
        Input::Timer(_) => (State::Terminated, Action::TimedOut),
        Input::Provisional => (State::Proceeding, Action::Deliver),
        Input::Success => (State::Accepted, Action::Deliver),
        Input::Failure => (State::Completed, Action::AckAndDeliver),
        // Nothing was being sent, so figure 5 has no such arrow: the far end is at work, and the INVITE can still be cancelled.
        Input::TransportFailed => (State::Proceeding, Action::TransportFailed),
    }
}

fn completed(input: Input) -> (State, Action) {
    match input {
        Input::Timer(_) => (State::Terminated, Action::Nothing),
        Input::Provisional | Input::Success => (State::Completed, Action::Nothing),
        Input::Failure => (State::Completed, Action::Ack),
        Input::TransportFailed => (State::Terminated, Action::TransportFailed),
    }
}

fn accepted(input: Input) -> (State, Action) {
    match input {
        Input::Timer(_) => (State::Terminated, Action::Nothing),
        Input::Provisional | Input::Failure => (State::Accepted, Action::Nothing),
        Input::Success => (State::Accepted, Action::Deliver),
        // The dialog stands; only its own requests decide whether the peer can still be reached.
        Input::TransportFailed => (State::Accepted, Action::Nothing),
    }
}

/// Sets the timers that run in `state`.
pub(crate) fn enter(state: State, now: Instant, clock: &mut Clock) {
    clock.stop();
    match state {
        State::Calling => {
            clock.resend(now, Timer::A);
            clock.deadline(now, Timer::B);
        }
        State::Completed => clock.deadline(now, Timer::D),
        State::Accepted => clock.deadline(now, Timer::M),
        State::Proceeding | State::Terminated => {}
    }
}

/// Sets an end to `Proceeding`, which has none of its own: 64*T1 after a CANCEL (RFC 3261 §9.1), or in a re-INVITE.
pub(crate) fn limit(now: Instant, clock: &mut Clock) {
    clock.stop();
    clock.deadline(now, Timer::B);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Follows `inputs` from the start and returns the last state with the actions on the way.
    fn follow(inputs: &[Input]) -> (State, Vec<Action>) {
        let mut state = State::Calling;
        let mut actions = Vec::new();
        for input in inputs {
            let (then, action) = next(state, *input);
            state = then;
            actions.push(action);
        }
        (state, actions)
    }

    #[test]
    fn rings_then_is_answered_by_two_forks() {
        let (state, actions) = follow(&[
            Input::Timer(Timer::A),
            Input::Provisional,
            Input::Success,
            Input::Success,
            Input::Timer(Timer::M),
        ]);
        assert_eq!(state, State::Terminated);
        let expected = [
            Action::Resend,
            Action::Deliver,
            Action::Deliver,
            Action::Deliver,
            Action::Nothing,
        ];
        assert_eq!(actions, expected);
    }

    #[test]
    fn a_refusal_is_acknowledged_each_time_and_told_once() {
        let (state, actions) = follow(&[Input::Failure, Input::Failure, Input::Timer(Timer::D)]);
        assert_eq!(state, State::Terminated);
        assert_eq!(
            actions,
            [Action::AckAndDeliver, Action::Ack, Action::Nothing]
        );
    }

    #[test]
    fn silence_ends_with_timer_b() {
        let (state, actions) = follow(&[Input::Timer(Timer::A), Input::Timer(Timer::B)]);
        assert_eq!(state, State::Terminated);
        assert_eq!(actions, [Action::Resend, Action::TimedOut]);
    }
}
