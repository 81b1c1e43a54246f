use std::time::Instant;

use bytes::Bytes;

use crate::transaction::timers::Clock;
use crate::transaction::{Timers, Transport, invite_server, non_invite_server};
use crate::{Method, StatusCode};

/// The answering side of one transaction: one of the two server tables with its clock and its last response.
#[derive(Debug)]
pub(crate) struct Server {
    table: Table,
    clock: Clock,
    last: Option<Bytes>,
}

/// What the user agent has to do for a server transaction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Action {
    Nothing,
    /// Send the response just given.
    Send,
    /// Send the last response again.
    Resend,
    /// Learn that the ACK never came.
    TimedOut,
}

#[derive(Clone, Copy, Debug)]
enum Table {
    Invite(invite_server::State),
    Other(non_invite_server::State),
}

impl Server {
    /// Begins the transaction of a request that has just come in.
    pub(crate) fn start(method: &Method, transport: Transport, timers: Timers) -> Self {
        let table = if *method == Method::Invite {
            Table::Invite(invite_server::State::Proceeding)
        } else {
            Table::Other(non_invite_server::State::Trying)
        };
        let clock = Clock::new(timers, transport);
        Self {
            table,
            clock,
            last: None,
        }
    }

    /// Takes a repetition of the request, and returns what to send, if anything.
    pub(crate) fn repeated(&mut self, now: Instant) -> Option<Bytes> {
        let action = match self.table {
            Table::Invite(_) => self.invite(now, invite_server::Input::Request),
            Table::Other(_) => self.other(now, non_invite_server::Input::Request),
        };
        self.resent(action)
    }

    /// Takes the ACK of a refusal.
    pub(crate) fn acknowledged(&mut self, now: Instant) {
        self.invite(now, invite_server::Input::Ack);
    }

    /// Takes the user agent's response, and returns whether it is to be sent.
    pub(crate) fn respond(&mut self, now: Instant, status: StatusCode, bytes: &Bytes) -> bool {
        let action = match self.table {
            Table::Invite(_) => self.invite(now, invite_input(status)),
            Table::Other(_) => self.other(now, other_input(status)),
        };
        if action == Action::Send {
            self.last = Some(bytes.clone());
        }
        action == Action::Send
    }

    /// Fires one timer that is due, and returns what to send again, if anything.
    pub(crate) fn timeout(&mut self, now: Instant) -> Option<Bytes> {
        let timer = self.clock.fire(now)?;
        let action = match self.table {
            Table::Invite(_) => self.invite(now, invite_server::Input::Timer(timer)),
            Table::Other(_) => self.other(now, non_invite_server::Input::Timer(timer)),
        };
        self.resent(action)
    }

    /// The last response given.
    pub(crate) fn last(&self) -> Option<&Bytes> {
        self.last.as_ref()
    }

    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        self.clock.next()
    }

    /// Whether a final response has been given.
    pub(crate) fn is_answered(&self) -> bool {
        !matches!(
            self.table,
            Table::Invite(invite_server::State::Proceeding)
                | Table::Other(
                    non_invite_server::State::Trying | non_invite_server::State::Proceeding
                )
        )
    }

    pub(crate) fn is_terminated(&self) -> bool {
        matches!(
            self.table,
            Table::Invite(invite_server::State::Terminated)
                | Table::Other(non_invite_server::State::Terminated)
        )
    }

    fn resent(&self, action: Action) -> Option<Bytes> {
        (action == Action::Resend)
            .then(|| self.last.clone())
            .flatten()
    }

    fn invite(&mut self, now: Instant, input: invite_server::Input) -> Action {
        let Table::Invite(state) = self.table else {
            return Action::Nothing;
        };
        let (next, action) = invite_server::next(state, input);
        if next != state {
            invite_server::enter(next, now, &mut self.clock);
            self.table = Table::Invite(next);
        }
        action
    }

    fn other(&mut self, now: Instant, input: non_invite_server::Input) -> Action {
        let Table::Other(state) = self.table else {
            return Action::Nothing;
        };
        let (next, action) = non_invite_server::next(state, input);
        if next != state {
            non_invite_server::enter(next, now, &mut self.clock);
            self.table = Table::Other(next);
        }
        action
    }
}

fn invite_input(status: StatusCode) -> invite_server::Input {
    match status.code() {
        ..200 => invite_server::Input::Provisional,
        200..300 => invite_server::Input::Success,
        300.. => invite_server::Input::Failure,
    }
}

fn other_input(status: StatusCode) -> non_invite_server::Input {
    if status.is_final() {
        non_invite_server::Input::Final
    } else {
        non_invite_server::Input::Provisional
    }
}
