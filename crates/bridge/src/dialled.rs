use std::time::Instant;

use housecall_phone::{Call, Output};

/// The phone call, with the moment it wants to be woken at hand: sound passes a hundred times a second and does not move it.
#[derive(Debug)]
pub(crate) struct Dialled {
    call: Call,
    wake: Option<Instant>,
}

impl Dialled {
    pub(crate) fn new(call: Call) -> Self {
        let wake = call.poll_timeout();
        Self { call, wake }
    }

    pub(crate) fn get(&self) -> &Call {
        &self.call
    }

    /// Does something to the call.
    pub(crate) fn with<T>(&mut self, work: impl FnOnce(&mut Call) -> T) -> T {
        let done = work(&mut self.call);
        self.wake = self.call.poll_timeout();
        done
    }

    pub(crate) fn poll_output(&mut self) -> Option<Output> {
        self.call.poll_output()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.wake
    }
}
