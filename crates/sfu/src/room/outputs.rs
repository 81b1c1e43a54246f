use std::collections::VecDeque;
use std::time::Instant;

use super::line::Line;
use crate::connection::Connection;
use crate::{Gone, Output, Seat};

/// What the world has not taken up yet.
#[derive(Debug, Default)]
pub(super) struct Outputs {
    queue: VecDeque<Output>,
}

impl Outputs {
    pub(super) fn push(&mut self, output: Output) {
        self.queue.push_back(output);
    }

    pub(super) fn poll(&mut self) -> Option<Output> {
        self.queue.pop_front()
    }

    /// One `Changed` after the last change is enough for whoever looks at the whole view.
    pub(super) fn changed(&mut self) {
        if !matches!(self.queue.back(), Some(Output::Changed)) {
            self.queue.push_back(Output::Changed);
        }
    }

    /// Takes leave of somebody: of a browser by saying so, while it still listens.
    pub(super) fn retire(&mut self, now: Instant, seat: Seat, line: Option<Line>, why: Gone) {
        let Some(mut line) = line else {
            return;
        };
        if let Some(connection) = line.browser_mut() {
            self.say_goodbye(now, connection);
        }
        self.gone(seat, &line, why);
    }

    fn say_goodbye(&mut self, now: Instant, connection: &mut Connection) {
        connection.peer.close(now);
        while let Some(output) = connection.peer.poll_output() {
            if let housecall_browser::Output::Send { to, bytes } = output {
                self.push(Output::Send { to, bytes });
            }
        }
    }

    pub(super) fn gone(&mut self, seat: Seat, line: &Line, why: Gone) {
        let departure = line.departure(seat).map(Output::Fact);
        self.queue.extend(departure);
        self.push(Output::PeerGone {
            peer: line.id(),
            seat,
            why,
        });
    }
}
