//! How the program ends: the first signal waits for people, the second does not; both settle.

use std::time::Duration;

use housecall_store::StoreError;

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
    let Ok(live) = app.live() else {
        signal().await;
        return;
    };
    tokio::select! {
        () = signal() => drain(app, live).await,
        () = node::taken_over(app) => {
            app.draining.send_replace(true);
            let ended = live.engine.end_all(END_MAX).await;
            tracing::error!(ended, "another process has taken the database over");
        }
    }
}

async fn drain(app: &App, live: &Live) {
    app.draining.send_replace(true);
    tell("drain", live.node.drain().await);
    let running = live.engine.running();
    tracing::info!(
        running,
        "stopping: nothing new begins; a second signal ends what runs"
    );
    tokio::select! {
        done = live.engine.drain(DRAIN_MAX) => tracing::info!(done, "all visits and calls have ended"),
        () = signal() => {
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

async fn signal() {
    let interrupt = async { drop(tokio::signal::ctrl_c().await) };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! { () = interrupt => {}, _ = terminate.recv() => {} }
            return;
        }
    }
    interrupt.await;
}
