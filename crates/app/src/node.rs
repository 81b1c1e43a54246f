//! This process among others on its database: what becomes of the rooms and calls of one that was taken for gone.

use housecall_store::{Dialect, Node};
use tokio::time::{Duration, sleep};

use crate::live::Live;
use crate::state::App;

/// The pause between two tries to join again.
const JOIN_PAUSE: Duration = Duration::from_secs(2);

/// Keeps this process among the others for as long as the program runs.
pub(crate) async fn keep(app: App) {
    if let Ok(live) = app.live() {
        tokio::join!(live.node.keep(), begin_again(&app, live));
    }
}

/// Whenever this node was declared gone: closes its rooms, which another one has or may have, lets its calls end, and joins again.
///
/// Who was in a room comes back to whoever has it now, since their page's line is lost with it.
async fn begin_again(app: &App, live: &Live) {
    loop {
        live.node.over().await;
        if !live.node.is_taken_over() || is_in_a_file(app) {
            return;
        }
        live.engine.close_rooms().await;
        live.engine.all_ended().await;
        if app.is_draining() {
            return;
        }
        while let Err(error) = live.node.join_again().await {
            tracing::warn!(%error, "not joined again yet");
            sleep(JOIN_PAUSE).await;
        }
    }
}

/// Waits until another process has begun to work with the same file; for ever where that cannot be.
pub(crate) async fn taken_over(app: &App) {
    match app.node().filter(|_| is_in_a_file(app)) {
        Some(node) => node.over().await,
        None => std::future::pending().await,
    }
}

/// Whether that is why this process ends.
pub(crate) fn was_taken_over(app: &App) -> bool {
    is_in_a_file(app) && app.node().is_some_and(Node::is_taken_over)
}

fn is_in_a_file(app: &App) -> bool {
    app.store.dialect() == Dialect::Sqlite
}
