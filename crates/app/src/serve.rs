//! Puts the pages together and serves them until told to stop.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::Redirect;
use axum::routing::get;
use axum::{Router, middleware};
use housecall_store::{SpoolError, Spooled, Standing, Store, StoreError};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::clock::Clock;
use crate::config::Config;
use crate::db::DatabaseError;
use crate::error::AppError;
use crate::live::{self, Live, LiveError};
use crate::state::App;
use crate::{
    appointments, assets, calendar, credits, db, demo, node, numbers, people, reports, security,
    sign_in, stop, visits,
};

/// After the last visit and call, answers under way have this long to be read.
const LAST_ANSWERS: Duration = Duration::from_secs(3);

/// Why the clinic did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The database did not open.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The port is taken or not ours to take.
    #[error(
        "cannot listen on {at}: {why}. Is Housecall running already? Choose another port with --port"
    )]
    Listen {
        /// Where.
        at: SocketAddr,
        /// What the system says.
        why: std::io::Error,
    },
    /// The first data could not be written.
    #[error("cannot prepare the clinic: {0}")]
    Prepare(#[from] AppError),
    /// Sessions of an earlier run could not be closed.
    #[error("cannot close what an earlier run left open: {0}")]
    Recover(StoreError),
    /// There is no place for what happens while the database is away, or something of an earlier run in it that the database does not take yet.
    #[error("{0}. Choose another directory with server.spool if need be")]
    Spool(#[from] SpoolError),
    /// The database takes no node.
    #[error("cannot join the nodes on the database: {0}")]
    Join(StoreError),
    /// Another process began to work on the same file.
    #[error(
        "another process works with this database file now: what ran here was ended, and nothing more was charged"
    )]
    TakenOver,
    /// The engine did not start.
    #[error(transparent)]
    Live(#[from] LiveError),
    /// Serving ended by itself.
    #[error("serving ended: {0}")]
    Serve(std::io::Error),
}

/// Runs the clinic until a signal ends it.
///
/// # Errors
/// When the database does not open or the address cannot be listened on.
pub async fn run(mut config: Config) -> Result<(), StartError> {
    let listener = listen(&mut config).await?;
    let store = db::open(&config.database()).await?;
    // Before this process has a name of its own: in a file, those before it are over then.
    let ledger = Spooled::open(&store, &config.spool()).await?;
    let node = store.join(config.node_plan()).await;
    let node = node.map_err(StartError::Join)?;
    recover(&store).await?;
    let country = numbers::country(store.pool()).await?;
    let live = Live::start(&config, node, ledger, country).await?;
    let app = App::with_live(config, store, Clock::System, live);
    tokio::spawn(node::keep(app.clone()));
    if app.config.demo {
        say(&demo::prepare(&app).await?);
    }
    tracing::info!(at = %app.config.server.bind, "listening");
    serve(listener, app.clone()).await?;
    match node::was_taken_over(&app) {
        true => Err(StartError::TakenOver),
        false => Ok(()),
    }
}

/// Serves until told to stop; connections that do not end by themselves are cut a moment later.
async fn serve(listener: TcpListener, app: App) -> Result<(), StartError> {
    let stopped = Arc::new(Notify::new());
    let (stopping, told) = (app.clone(), stopped.clone());
    let server = axum::serve(listener, router(app)).with_graceful_shutdown(async move {
        stop::asked(&stopping).await;
        told.notify_one();
    });
    tokio::select! {
        served = async { server.await } => served.map_err(StartError::Serve),
        () = async { stopped.notified().await; sleep(LAST_ANSWERS).await } => Ok(()),
    }
}

/// Closes what earlier runs and nodes that are gone left open, at its last evidence (M11), before anything new can begin.
async fn recover(store: &Store) -> Result<(), StartError> {
    store.recover().await.map(drop).map_err(StartError::Recover)
}

/// Takes the port before anything is written, and notes which one it was when the system chose.
async fn listen(config: &mut Config) -> Result<TcpListener, StartError> {
    let at = config.server.bind;
    let refused = |why| StartError::Listen { at, why };
    let listener = TcpListener::bind(at).await.map_err(refused)?;
    config.server.bind = listener.local_addr().map_err(refused)?;
    Ok(listener)
}

fn say(words: &str) {
    // A closed pipe is the reader's choice.
    let _ = std::io::stdout().write_all(words.as_bytes());
}

/// Returns every page behind the guard that all requests pass.
pub fn router(app: App) -> Router {
    let test_bench = app.config.test_bench && app.config.demo;
    Router::new()
        .route("/", get(async || Redirect::to("/calendar")))
        .route("/livez", get(async || "alive\n"))
        .route("/readyz", get(ready))
        .merge(sign_in::router())
        .merge(calendar::router())
        .merge(appointments::router())
        .merge(people::router())
        .merge(visits::router())
        .merge(reports::router())
        .merge(credits::router())
        .merge(live::router(test_bench))
        .merge(assets::router())
        .fallback(async || AppError::NotFound("There is no page at this address."))
        .layer(DefaultBodyLimit::max(security::BODY_MAX))
        .layer(middleware::from_fn_with_state(app.clone(), security::guard))
        .with_state(app)
}

/// Ready to be sent people: the database answers, this node may act, and nobody asked us to stop.
async fn ready(State(app): State<App>) -> (StatusCode, &'static str) {
    if app.is_draining() {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining\n");
    }
    if app
        .node()
        .is_some_and(|node| node.standing() != Standing::Holds)
    {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            "out of touch with the other nodes\n",
        );
    }
    match sqlx::query_scalar::<_, i64>("SELECT 1")
        .fetch_one(&app.db)
        .await
    {
        Ok(_) => (StatusCode::OK, "ready\n"),
        Err(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "the database does not answer\n",
        ),
    }
}
