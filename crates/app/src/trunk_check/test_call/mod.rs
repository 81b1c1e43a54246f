//! A silent call, to see that calls get through and sound comes back.

mod course;
mod words;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use housecall::sip::Peer;
use housecall::softphone::{Dial, SoftCall, Softphone};
use housecall::{DestinationPolicy, Number, Route, TrunkSetup};
use tokio::time::sleep_until;

use super::Refused;
use super::practice::Practice;
use super::report::Report;
use super::step::{Advice, Step};
use course::Course;

/// How long the end of a call may take: a BYE and its answer.
const FAREWELL: Duration = Duration::from_secs(2);

/// Whom a check rings.
#[derive(Clone, Debug)]
pub(super) struct TestCall {
    to: Number,
    from: Number,
    destinations: DestinationPolicy,
    /// How long it listens.
    listen: Duration,
}

impl TestCall {
    /// Reads the numbers.
    ///
    /// # Errors
    /// The number may not be rung (P6), or there is none to ring from.
    pub(super) fn plan(
        to: &str,
        from: Option<&str>,
        practice: &Practice,
        listen: Duration,
    ) -> Result<Self, Refused> {
        let destinations = DestinationPolicy::domestic(practice.country);
        let to = destinations.read(to)?;
        let from = from.or(practice.number.as_deref()).ok_or(Refused::NoFrom)?;
        let read = Number::parse(from, practice.country);
        let from = read.map_err(|why| Refused::From {
            number: from.to_owned(),
            why: why.words(),
        })?;
        Ok(Self {
            to,
            from,
            destinations,
            listen,
        })
    }

    /// What a person is asked before anybody is rung.
    pub(super) fn question(&self, trunks: usize) -> String {
        let Self { to, from, .. } = self;
        let over = match trunks {
            1 => String::new(),
            trunks => format!(", over each of {trunks} trunks"),
        };
        format!(
            "Ring {to} from {from}{over}? Whoever answers hears silence, and the provider may charge for the call."
        )
    }

    /// Rings, listens and hangs up. At most the ring limit and what it listens.
    pub(super) async fn make(
        &self,
        phone: &Softphone,
        setup: &TrunkSetup,
        peers: &[Peer],
        report: &mut Report<'_>,
    ) {
        match phone.dial(self.dial(setup, peers)).await {
            Ok(call) => self.follow(call, setup, peers, report).await,
            Err(why) => {
                let advice = Advice::new(
                    "With these settings no call can be made.",
                    "Check the trunk's `headers`, `prefix` and `from_user`.",
                );
                report.step(&Step::failed("dial", why.to_string(), advice));
            }
        }
    }

    fn dial(&self, setup: &TrunkSetup, peers: &[Peer]) -> Dial {
        let route = |peer: &Peer| Route::new(Arc::clone(&setup.trunk), *peer);
        // The telephone fills in where it is.
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let routes = peers.iter().map(route).collect();
        let (from, to) = (self.from.clone(), self.to.clone());
        Dial {
            destinations: Some(self.destinations.clone()),
            ..Dial::new(routes, from, to, nowhere, nowhere, seed())
        }
    }

    async fn follow(
        &self,
        mut call: SoftCall,
        setup: &TrunkSetup,
        peers: &[Peer],
        report: &mut Report<'_>,
    ) {
        let mut course = Course::new(setup, peers, self.listen);
        let mut interrupted = std::pin::pin!(tokio::signal::ctrl_c());
        let mut is_interrupted = false;
        while !course.is_done() {
            // The ring limit ends a call that nobody answers, so there is always an end to wait for.
            let wake = course.wake();
            tokio::select! {
                noted = call.next() => match noted {
                    Some(noted) => course.take(&noted, &call.sound()).iter().for_each(|it| report.step(it)),
                    None => break,
                },
                () = sleep_until(wake.unwrap_or_else(Instant::now).into()), if wake.is_some() => {
                    course.time_is_over(&call.sound()).iter().for_each(|it| report.step(it));
                    call.hang_up();
                }
                // Nobody's phone is left ringing.
                _ = &mut interrupted, if !is_interrupted => {
                    is_interrupted = true;
                    call.hang_up();
                }
            }
        }
        course.end().iter().for_each(|it| report.step(it));
    }
}

/// Hard to guess, as tags and branches have to be. Without the system's randomness no telephone would have started.
fn seed() -> u64 {
    getrandom::u64().unwrap_or_default()
}
