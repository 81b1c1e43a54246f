//! One function a scenario, tried over each wire that is named beside it.

mod answering;
mod cancelling;
mod changes;
mod credentials;
mod failover;
mod holding;
mod proxied;
mod refusals;
mod reliable;
mod requests;
mod ringing;
mod routing;
mod session_timers;

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

/// Makes a test of a conversation for each wire: `over!(refused: Udp, Tcp)` makes `refused::udp` and `refused::tcp`.
macro_rules! over {
    ($conversation:ident: $($wire:ident),+) => {
        mod $conversation {
            $(
                #[tokio::test]
                #[expect(non_snake_case, reason = "named as the wire is")]
                async fn $wire() {
                    super::$conversation(crate::wire::Wire::$wire).await;
                }
            )+
        }
    };
}
use over;

/// Starts a scenario, or ends the test where there is no sipp.
macro_rules! sipp {
    ($scenario:expr, $wire:expr $(, $word:ident: $filling:expr)*) => {
        match crate::sipp::Sipp::start($scenario, $wire, &[$((stringify!($word), $filling)),*]).await {
            Some(sipp) => sipp,
            None => return,
        }
    };
}
use sipp;
