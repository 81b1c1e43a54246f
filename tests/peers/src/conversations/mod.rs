//! One function a scenario, tried over each wire that is named beside it.

mod answering;
mod cancelling;
mod changes;
mod credentials;
mod encrypted;
mod failover;
mod holding;
mod large;
mod proxied;
mod proxied_encrypted;
mod refusals;
mod reliable;
mod requests;
mod ringing;
mod routing;
mod scanned;
mod session_timers;
mod tls;

use housecall::Outcome;

use crate::caller::Caller;
use crate::sipp::Sipp;
use crate::wire::Wire;

/// A scenario that checks what we send on the way to its answer and to our BYE.
async fn answered(scenario: &str, wire: Wire) {
    let sipp = sipp!(scenario, wire);
    let mut caller = Caller::dial(&sipp).await;
    caller.answered().await;
    hangs_up(&mut caller, sipp).await;
}

/// We hang up a call that was answered, and the scenario is content with all that it has seen.
async fn hangs_up(caller: &mut Caller, sipp: Sipp) {
    caller.hang_up();
    caller.ended(Outcome::Completed).await;
    sipp.passed().await;
}

/// Makes a test of a conversation that is held over each of these wires at once: `over!(refused: Udp, Tcp)` makes `refused::over_each`.
macro_rules! over {
    ($conversation:ident: $($wire:ident),+) => {
        mod $conversation {
            #[tokio::test]
            async fn over_each() {
                let wires = [$(crate::wire::Wire::$wire),+];
                crate::wire::over(&wires, super::$conversation).await;
            }
        }
    };
}
use over;

/// Starts a scenario, or ends the test where there is no sipp: `sipp!("answer", wire)`. Further fields of `Run` may follow.
macro_rules! sipp {
    ($scenario:expr, $wire:expr $(, $field:ident: $value:expr)*) => {{
        let run = crate::sipp::Run { $($field: $value,)* ..crate::sipp::Run::of($scenario, $wire) };
        match run.start().await {
            Some(sipp) => sipp,
            None => return,
        }
    }};
}
use sipp;
