//! The WebSocket under a living page.

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use serde::Serialize;

use super::message::MESSAGE_BYTES_MAX;

/// Bytes that may wait for a page that reads slowly; beyond it the page is given up.
const WAITING_BYTES_MAX: usize = 1024 * 1024;

/// Sets the limits that every socket has.
pub(super) fn bounded(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    upgrade
        .max_message_size(MESSAGE_BYTES_MAX)
        .max_frame_size(MESSAGE_BYTES_MAX)
        .max_write_buffer_size(WAITING_BYTES_MAX)
}

/// Sends one message.
///
/// # Errors
/// When the page is gone or does not read.
pub(super) async fn send<T: Serialize>(
    socket: &mut WebSocket,
    message: &T,
) -> Result<(), axum::Error> {
    let text = serde_json::to_string(message).map_err(axum::Error::new)?;
    socket.send(Message::Text(text.into())).await
}

/// Makes an error's text a sentence: a capital at the front, a full stop at the end.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let Some(first) = letters.next() else {
        return String::new();
    };
    let mut sentence: String = first.to_uppercase().chain(letters).collect();
    if !sentence.ends_with(['.', '!', '?', '…']) {
        sentence.push('.');
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_become_sentences() {
        assert_eq!(
            sentence("this consultation has ended"),
            "This consultation has ended."
        );
        assert_eq!(sentence("Busy."), "Busy.");
        assert_eq!(sentence(""), "");
    }
}
