//! What the events of a phone call are to those who watch it, be it a call of its own or a patient's in a room.

use std::time::Instant;

use housecall_bridge::BridgeEvent;
use housecall_phone::Ended;
use housecall_sip::Transport;

use super::CallEnd;
use crate::call::{CallPhase, CallView};
use crate::encryption::Encryption;
use crate::trunks::Ways;

/// Notes what an event says of the ways to the telephone network; what nobody sees is told to the log.
pub(super) fn note_ways(event: &BridgeEvent, ways: Option<&mut Ways>) {
    match event {
        BridgeEvent::RouteFailed { route, why } => {
            tracing::warn!(route, ?why, "a way to the telephone network has failed");
            if let Some(ways) = ways {
                ways.failed(*route, *why);
            }
        }
        BridgeEvent::Redirected { .. } => {
            tracing::info!("the trunk has led a call to another number");
        }
        BridgeEvent::EncryptionRefused => {
            tracing::warn!("the trunk takes no encrypted sound; the call goes on without");
        }
        _ => {}
    }
}

/// Why a call has ended, if it was not a fault of ours, after which we only hung up.
pub(super) fn why(ended: Ended, failed: bool) -> Ended {
    match failed {
        true => CallEnd::fault().ended,
        false => ended,
    }
}

/// Shows an event in a view; `transport` is what the call's SIP is carried by. Returns whether there is something to see.
pub(super) fn show(
    event: &BridgeEvent,
    view: &mut CallView,
    now: Instant,
    transport: Option<Transport>,
) -> bool {
    match event {
        BridgeEvent::RouteFailed { .. }
        | BridgeEvent::Redirected { .. }
        | BridgeEvent::EncryptionRefused => return false,
        BridgeEvent::Ringing => view.phase = CallPhase::Ringing,
        BridgeEvent::EarlyAudio => view.phase = CallPhase::EarlyAudio,
        BridgeEvent::Answered => {
            view.phase = CallPhase::Talking;
            view.answered = Some(now);
        }
        BridgeEvent::Held => {
            view.held.begin(now);
            view.hold_refused = false;
        }
        BridgeEvent::Resumed => {
            view.held.end(now);
            view.hold_refused = false;
        }
        BridgeEvent::HoldRefused => view.hold_refused = true,
        BridgeEvent::HeldByThem => view.held_by_them.begin(now),
        BridgeEvent::ResumedByThem => view.held_by_them.end(now),
        BridgeEvent::KeyHeard(key) => view.keys_heard.press(*key),
        BridgeEvent::Encrypted(secured) => {
            view.encryption = Some(Encryption::of(*secured, transport));
        }
        BridgeEvent::BrowserConnected => view.browser_connected = true,
        BridgeEvent::BrowserLost => view.browser_connected = false,
        BridgeEvent::Ended { .. } => {
            view.held.end(now);
            view.held_by_them.end(now);
            view.hold_refused = false;
            view.phase = CallPhase::Ended;
        }
    }
    true
}
