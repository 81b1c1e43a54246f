//! Counts what runs, so that a stop can wait for it.

use std::sync::Arc;

use tokio::sync::watch;

/// The sessions of one engine; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Sessions {
    state: Arc<watch::Sender<State>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    running: usize,
    draining: bool,
}

/// One session that runs and is not settled yet. Dropping it counts it out.
#[derive(Debug)]
pub(crate) struct Session {
    state: Arc<watch::Sender<State>>,
}

impl Sessions {
    pub(crate) fn new() -> Self {
        Self {
            state: Arc::new(watch::channel(State::default()).0),
        }
    }

    /// Counts a session in, or refuses it because the engine drains.
    pub(crate) fn begin(&self) -> Option<Session> {
        let begun = self.state.send_if_modified(|state| {
            state.running += usize::from(!state.draining);
            !state.draining
        });
        begun.then(|| Session {
            state: Arc::clone(&self.state),
        })
    }

    /// Counts in a part of a session that runs already: a stop waits for it as well, and does not refuse it.
    pub(crate) fn extend(&self) -> Session {
        self.state.send_modify(|state| state.running += 1);
        Session {
            state: Arc::clone(&self.state),
        }
    }

    /// Lets no new session begin.
    pub(crate) fn drain(&self) {
        self.state.send_modify(|state| state.draining = true);
    }

    /// Returns whether new sessions are refused.
    pub(crate) fn is_draining(&self) -> bool {
        self.state.borrow().draining
    }

    /// Returns how many run.
    pub(crate) fn running(&self) -> usize {
        self.state.borrow().running
    }

    /// Waits until none runs.
    pub(crate) async fn all_ended(&self) {
        // The sender lives in `self`, so the wait ends only by the condition.
        let _ = self
            .state
            .subscribe()
            .wait_for(|state| state.running == 0)
            .await;
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.state
            .send_modify(|state| state.running = state.running.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_drain_refuses_new_sessions_and_waits_for_the_old() {
        let sessions = Sessions::new();
        let running = sessions.begin().unwrap();
        sessions.drain();
        assert!(sessions.begin().is_none());
        assert_eq!(sessions.running(), 1);
        drop(running);
        sessions.all_ended().await;
        assert!(sessions.is_draining());
    }
}
