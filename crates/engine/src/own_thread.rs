//! A thread of its own for sockets and the machines behind them.

use std::{io, thread};

use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::LocalSet;

/// Starts a thread with a runtime of its own, and waits until `bind` has made there what `run` then lives on.
///
/// Returns what `bind` has to tell beside that.
///
/// # Errors
/// What `bind` says, or the operating system of the thread.
pub(crate) async fn start<L: 'static, T: Send + 'static>(
    name: String,
    bind: impl AsyncFnOnce() -> io::Result<(L, T)> + Send + 'static,
    run: impl AsyncFnOnce(L) + Send + 'static,
) -> io::Result<T> {
    let (bound, waiting) = oneshot::channel();
    thread::Builder::new()
        .name(name)
        .spawn(move || live(bound, bind, run))?;
    waiting.await.map_err(io::Error::other)?
}

fn live<L, T>(
    bound: oneshot::Sender<io::Result<T>>,
    bind: impl AsyncFnOnce() -> io::Result<(L, T)>,
    run: impl AsyncFnOnce(L),
) {
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return drop(bound.send(Err(error))),
    };
    LocalSet::new().block_on(&runtime, async move {
        match bind().await {
            Ok((life, told)) => {
                let _ = bound.send(Ok(told));
                run(life).await;
            }
            Err(error) => drop(bound.send(Err(error))),
        }
    });
}
