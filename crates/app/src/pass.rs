//! Passes: how a page that one node has let in is let in by another, which no cookie of the first one reaches.
//!
//! The first node writes a row and sends the page to the other's socket with the pass in its address. It is 256 random bits, kept as their hash,
//! works once, at one node, for half a minute, and stands for the session that the page had: one that has ended opens nothing.

use axum::http::Uri;
use axum::http::request::Parts;
use housecall_store::NodeView;

use crate::cookie;
use crate::error::AppError;
use crate::state::App;
use crate::token::{Token, TokenHash};

/// How long a pass waits to be used. A page uses it at once.
const GOOD_FOR_MS: i64 = 30_000;

/// Returns the address of a socket at another node, with a pass for whoever has this session.
///
/// # Errors
/// When the database refuses.
pub(crate) async fn socket_at(
    app: &App,
    node: &NodeView,
    path: &str,
    session: TokenHash,
) -> Result<String, AppError> {
    let pass = Token::random()?;
    let now = app.now_ms();
    sqlx::query("DELETE FROM socket_passes WHERE expires_ms <= $1")
        .bind(now)
        .execute(&app.db)
        .await?;
    sqlx::query("INSERT INTO socket_passes (token_hash, session_hash, epoch, expires_ms) VALUES ($1, $2, $3, $4)")
        .bind(pass.hash().bytes().to_vec())
        .bind(session.bytes().to_vec())
        .bind(node.epoch.stored())
        .bind(now + GOOD_FOR_MS)
        .execute(&app.db)
        .await?;
    let origin = socket_origin(&node.url);
    Ok(format!("{origin}{path}?pass={}", pass.reveal()))
}

/// Returns `wss://host` of `https://host`.
pub(crate) fn socket_origin(url: &str) -> String {
    match url.strip_prefix("http") {
        Some(rest) => format!("ws{rest}"),
        None => url.to_owned(),
    }
}

/// Returns the pass in the address of a socket.
pub(crate) fn brought(uri: &Uri) -> Option<Token> {
    let query = uri.query().filter(|_| uri.path().ends_with("/socket"))?;
    Token::from_text(query.strip_prefix("pass=")?)
}

/// Returns the session by which a request is let in: that of its pass, which is then used up, or else that of its cookie.
///
/// # Errors
/// When the database refuses.
pub(crate) async fn session_of(
    app: &App,
    parts: &Parts,
    cookie: &str,
) -> Result<Option<TokenHash>, AppError> {
    match brought(&parts.uri) {
        Some(pass) => redeem(app, &pass).await,
        None => Ok(cookie::read(&parts.headers, cookie).map(|token| token.hash())),
    }
}

async fn redeem(app: &App, pass: &Token) -> Result<Option<TokenHash>, AppError> {
    let Some(epoch) = app.epoch() else {
        return Ok(None);
    };
    let session: Option<Vec<u8>> = sqlx::query_scalar(
        "DELETE FROM socket_passes WHERE token_hash = $1 AND epoch = $2 AND expires_ms > $3 RETURNING session_hash",
    )
    .bind(pass.hash().bytes().to_vec())
    .bind(epoch.stored())
    .bind(app.now_ms())
    .fetch_optional(&app.db)
    .await?;
    Ok(session.and_then(|bytes| TokenHash::from_bytes(&bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_is_read_at_sockets_alone() {
        let pass = Token::random().unwrap();
        let at = |path: &str| {
            let uri = format!("{path}?pass={}", pass.reveal());
            brought(&uri.parse().unwrap())
        };
        assert_eq!(at("/visit/0011223344556677/socket"), Some(pass.clone()));
        assert_eq!(at("/calendar"), None);
        assert_eq!(brought(&Uri::from_static("/calls/socket?pass=short")), None);
        assert_eq!(brought(&Uri::from_static("/calls/socket")), None);
    }

    #[test]
    fn sockets_are_where_pages_are() {
        assert_eq!(socket_origin("https://a.example"), "wss://a.example");
        assert_eq!(
            socket_origin("http://localhost:8080"),
            "ws://localhost:8080"
        );
    }
}
