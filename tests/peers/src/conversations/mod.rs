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
