//! Puts the pages together and serves them until told to stop.

use std::net::SocketAddr;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::Redirect;
use axum::routing::get;
use axum::{Router, middleware};
use tokio::net::TcpListener;

use crate::clock::Clock;
use crate::config::Config;
use crate::db::DatabaseError;
use crate::error::AppError;
use crate::state::App;
use crate::{assets, db, security, sign_in};

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
    /// Serving ended by itself.
    #[error("serving ended: {0}")]
    Serve(std::io::Error),
}

/// Runs the clinic until a signal ends it.
///
/// # Errors
/// When the database does not open or the address cannot be listened on.
pub async fn run(config: Config) -> Result<(), StartError> {
    let pool = db::open(&config.database_file()).await?;
    let at = config.server.bind;
    let listener = TcpListener::bind(at)
        .await
        .map_err(|why| StartError::Listen { at, why })?;
    let app = App::new(config, pool, Clock::System);
    let draining = app.clone();
    tracing::info!(at = %at, "listening");
    axum::serve(listener, router(app))
        .with_graceful_shutdown(async move { asked_to_stop(&draining).await })
        .await
        .map_err(StartError::Serve)
}

/// Returns every page behind the guard that all requests pass.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/", get(async || Redirect::to("/calendar")))
        .route("/livez", get(async || "alive\n"))
        .route("/readyz", get(ready))
        .merge(sign_in::router())
        .merge(assets::router())
        .fallback(async || AppError::NotFound("There is no page at this address."))
        .layer(DefaultBodyLimit::max(security::BODY_MAX))
        .layer(middleware::from_fn_with_state(app.clone(), security::guard))
        .with_state(app)
}

/// Ready to be sent people: the database answers and nobody asked us to stop.
async fn ready(State(app): State<App>) -> (StatusCode, &'static str) {
    if app.is_draining() {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining\n");
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

/// Waits for the first signal and marks the clinic as draining; a second one ends the program at once.
async fn asked_to_stop(app: &App) {
    signal().await;
    app.draining.send_replace(true);
    tracing::info!("stopping: nothing new begins; a second signal ends at once");
    tokio::spawn(async {
        signal().await;
        tracing::warn!("stopped at once");
        std::process::exit(130);
    });
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
