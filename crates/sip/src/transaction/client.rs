use std::time::Instant;

use crate::transaction::timers::Clock;
use crate::transaction::{Timers, Transport, invite_client, non_invite_client};
use crate::{Method, StatusCode};

/// The sender's side of one transaction: one of the two client tables with its clock.
#[derive(Debug)]
pub(crate) struct Client {
    table: Table,
    clock: Clock,
}

/// What the user agent has to do for a client transaction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Action {
    Nothing,
    /// Send the request again.
    Resend,
    /// Take the response.
    Deliver,
    /// Send the ACK of a refused INVITE, then take the response.
    AckAndDeliver,
    /// Send the ACK of a refused INVITE again.
    Ack,
    /// Learn that nobody answered.
    TimedOut,
    /// Learn that the request cannot be sent.
    TransportFailed,
}

#[derive(Clone, Copy, Debug)]
enum Table {
    Invite(invite_client::State),
    Other(non_invite_client::State),
}

impl Client {
    /// Begins the transaction of a request that is sent now.
    pub(crate) fn start(
        now: Instant,
        method: &Method,
        transport: Transport,
        timers: Timers,
    ) -> Self {
        let mut clock = Clock::new(timers, transport);
        let table = if *method == Method::Invite {
            let state = invite_client::State::Calling;
            invite_client::enter(state, now, &mut clock);
            Table::Invite(state)
        } else {
            let state = non_invite_client::State::Trying;
            non_invite_client::enter(state, now, &mut clock);
            Table::Other(state)
        };
        Self { table, clock }
    }

    pub(crate) fn response(&mut self, now: Instant, status: StatusCode) -> Action {
        match self.table {
            Table::Invite(_) => self.invite(now, invite_input(status)),
            Table::Other(_) => self.other(now, other_input(status)),
        }
    }

    pub(crate) fn transport_failed(&mut self, now: Instant) -> Action {
        match self.table {
            Table::Invite(_) => self.invite(now, invite_client::Input::TransportFailed),
            Table::Other(_) => self.other(now, non_invite_client::Input::TransportFailed),
        }
    }

    /// Fires one timer that is due; [`Action::Nothing`] may mean that a wait ended in silence.
    pub(crate) fn timeout(&mut self, now: Instant) -> Action {
        let Some(timer) = self.clock.fire(now) else {
            return Action::Nothing;
        };
        match self.table {
            Table::Invite(_) => self.invite(now, invite_client::Input::Timer(timer)),
            Table::Other(_) => self.other(now, non_invite_client::Input::Timer(timer)),
        }
    }

    /// Gives this INVITE, which has had a provisional response, another 64*T1 for its final one.
    pub(crate) fn limit(&mut self, now: Instant) {
        invite_client::limit(now, &mut self.clock);
    }

    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        self.clock.next()
    }

    pub(crate) fn is_terminated(&self) -> bool {
        matches!(
            self.table,
            Table::Invite(invite_client::State::Terminated)
                | Table::Other(non_invite_client::State::Terminated)
        )
    }

    /// Whether no response has come at all.
    pub(crate) fn is_unanswered(&self) -> bool {
        matches!(
            self.table,
            Table::Invite(invite_client::State::Calling)
                | Table::Other(non_invite_client::State::Trying)
        )
    }

    /// Whether a CANCEL may be sent: a provisional response has come and no final one (RFC 3261 §9.1).
    pub(crate) fn is_proceeding(&self) -> bool {
        matches!(self.table, Table::Invite(invite_client::State::Proceeding))
    }

    fn invite(&mut self, now: Instant, input: invite_client::Input) -> Action {
        let Table::Invite(state) = self.table else {
            return Action::Nothing;
        };
        let (next, action) = invite_client::next(state, input);
        if next != state {
            invite_client::enter(next, now, &mut self.clock);
            self.table = Table::Invite(next);
        }
        action
    }

    fn other(&mut self, now: Instant, input: non_invite_client::Input) -> Action {
        let Table::Other(state) = self.table else {
            return Action::Nothing;
        };
        let (next, action) = non_invite_client::next(state, input);
        if next != state {
            non_invite_client::enter(next, now, &mut self.clock);
            self.table = Table::Other(next);
        }
        action
    }
}

fn invite_input(status: StatusCode) -> invite_client::Input {
    match status.code() {
        ..200 => invite_client::Input::Provisional,
        200..300 => invite_client::Input::Success,
        300.. => invite_client::Input::Failure,
    }
}

fn other_input(status: StatusCode) -> non_invite_client::Input {
    if status.is_final() {
        non_invite_client::Input::Final
    } else {
        non_invite_client::Input::Provisional
    }
}
