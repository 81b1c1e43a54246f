//! How the program ends: the first signal waits for people, the second does not; both settle.

#[cfg(unix)]
use std::future::pending;
use std::time::Duration;

use housecall_store::StoreError;
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::live::Live;
use crate::node;
use crate::state::App;

/// No visit lasts longer (V15), so nobody is waited for longer.
const DRAIN_MAX: Duration = Duration::from_secs(4 * 60 * 60);
/// Time to hang up, settle and write the records when nobody is waited for.
const END_MAX: Duration = Duration::from_secs(10);

/// Waits for a signal and then until the program may end.
///
/// After the first signal nothing new begins and visits and calls in progress go on: pages are still served, so that who drops off may
/// come back. When the last has ended, or after a second signal, which ends them all, everything is settled.
pub(crate) async fn asked(app: &App) {
    let mut signals = Signals::listen();
    let Ok(live) = app.live() else {
        signals.next().await;
        return;
    };
    tokio::select! {
        () = signals.next() => drain(app, live, signals).await,
        () = node::taken_over(app) => {
            app.draining.send_replace(true);
            let ended = live.engine.end_all(END_MAX).await;
            tracing::error!(ended, "another process has taken the database over");
        }
    }
}

async fn drain(app: &App, live: &Live, mut signals: Signals) {
    app.draining.send_replace(true);
    tell("drain", live.node.drain().await);
    let running = live.engine.running();
    tracing::info!(
        running,
        "stopping: nothing new begins; a second signal ends what runs"
    );
    tokio::select! {
        done = live.engine.drain(DRAIN_MAX) => tracing::info!(done, "all visits and calls have ended"),
        () = signals.next() => {
            let settled = live.engine.end_all(END_MAX).await;
            tracing::warn!(settled, "visits and calls were ended");
        }
    }
    tell("leave", live.node.leave().await);
}

/// Other nodes find out by themselves what they are not told.
fn tell(what: &str, told: Result<(), StoreError>) {
    if let Err(error) = told {
        tracing::warn!(%error, what, "the other nodes were not told");
    }
}

/// Whoever asks the program to stop. What is asked while nobody waits is heard by who waits next.
struct Signals {
    #[cfg(unix)]
    interrupt: Option<Signal>,
    #[cfg(unix)]
    terminate: Option<Signal>,
}

#[cfg(unix)]
impl Signals {
    /// One that the system does not let us hear ends the program as if we had not asked.
    fn listen() -> Self {
        Self {
            interrupt: signal(SignalKind::interrupt()).ok(),
            terminate: signal(SignalKind::terminate()).ok(),
        }
    }

    async fn next(&mut self) {
        tokio::select! {
            () = heard(&mut self.interrupt) => {}
            () = heard(&mut self.terminate) => {}
        }
    }
}

#[cfg(unix)]
async fn heard(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => pending().await,
    }
}

#[cfg(not(unix))]
impl Signals {
    fn listen() -> Self {
        Self {}
    }

    async fn next(&mut self) {
        drop(tokio::signal::ctrl_c().await);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::process::{self, Command};

    use tokio::time::timeout;

    use super::*;

    /// The second signal may come while the first is still being told to the other nodes.
    #[tokio::test]
    async fn a_signal_that_comes_while_nobody_waits_is_heard_by_who_waits_next() {
        let mut signals = Signals::listen();
        let us = process::id().to_string();
        for _ in 0..2 {
            let sent = Command::new("kill").args(["-TERM", &us]).status();
            assert!(sent.unwrap().success());
            let heard = timeout(END_MAX, signals.next()).await;
            assert!(heard.is_ok(), "it was lost");
        }
    }
}
