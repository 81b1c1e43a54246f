//! Minds the trunks: finds them, registers with them, asks whether they live, and says in which order they are tried.
//!
//! ```text
//!   TrunkSetup ──► Minder (one a trunk, on shard 0) ── REGISTER, OPTIONS ──► trunk
//!                    │  ▲                          ── NAPTR, SRV, A, AAAA ─► Dns
//!                    │  └── suspect ──┐
//!                    ▼               │
//!                  Board ◄── RouteFailed of a call, on any shard
//!                    ├──► Engine::dial: the routes of a call
//!                    └──► Engine::trunks: what people see
//! ```
//!
//! The minders use the SIP sockets of the first shard, so that a trunk sees registrations and pings come from an address that calls
//! come from too. Calls of other shards leave from other ports: a trunk that knows us by address and port wants one shard.
//!
//! No call waits for any of this. A call asks the board, and the board always has something to try: care comes first, and a trunk
//! that looks dead may have come back a second ago.
//!
//! | rule | where | test |
//! |---|---|---|
//! | healthy trunks first, then those unknown, then those down; never none | `board.rs` | healthy_trunks_come_first |
//! | RFC 3263 §4.3 order of the peers of a trunk | `board.rs` | peers_keep_their_order |
//! | RFC 3261 §21.5.4 leave a peer alone for Retry-After | `board.rs` | a_peer_that_failed_a_call_comes_last_for_a_while |
//! | RFC 3261 §10 registration | `minder.rs` | `tests.rs` |
//! | RFC 3261 §11 health | `minder.rs` | `tests.rs` |
//! | DNS away: the last result until its grace is over | `minder.rs` | `tests.rs` |
//! | calls at once on one trunk | `board.rs` | a_trunk_takes_no_more_calls_than_it_is_told |

pub(crate) mod asks;
mod board;
mod minder;
mod setup;
#[cfg(test)]
mod tests;
mod view;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use housecall_phone::{Route, RouteFailure};
use housecall_sip::{Peer, Transport};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use crate::limits::TooManyCalls;
use crate::ports::Clock;
use crate::shard::{Command, TrunkKey, TrunkWord};
use board::{Board, Way};

pub(crate) use minder::{Minder, MinderOptions, Output, Seen};
pub use setup::{Reach, TrunkMode, TrunkSetup};
pub use view::{TrunkState, TrunkView};

/// How long a call waits for the first search for its trunks, at the start of the engine.
const FIRST_SEARCH: Duration = Duration::from_secs(5);

/// What every part of the engine knows of the trunks.
pub(crate) struct Trunks {
    setups: Vec<Arc<TrunkSetup>>,
    board: Mutex<Board>,
    views: watch::Sender<Vec<TrunkView>>,
    clock: Arc<dyn Clock>,
    /// The shard on which the minders live.
    minders: OnceLock<mpsc::WeakSender<Command>>,
}

/// The way of one call: what it tries, and its place on the trunk it is on.
pub(crate) struct Ways {
    trunks: Arc<Trunks>,
    ways: Vec<Way>,
    /// Index of the one that it is on.
    at: usize,
    /// The trunk on which the call is counted.
    seat: Option<TrunkKey>,
}

/// Why there is no way for a call.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum NoWay {
    /// No address of any trunk is known.
    Unreachable(String),
    /// Every trunk has as many calls as it takes.
    Full(TooManyCalls),
}

impl Trunks {
    pub(crate) fn new(setups: Vec<TrunkSetup>, clock: Arc<dyn Clock>) -> Self {
        let setups: Vec<Arc<TrunkSetup>> = setups.into_iter().map(Arc::new).collect();
        let board = Board::new(&setups, clock.wall());
        Self {
            views: watch::channel(board.views()).0,
            board: Mutex::new(board),
            setups,
            clock,
            minders: OnceLock::new(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.setups.is_empty()
    }

    pub(crate) fn setups(&self) -> impl Iterator<Item = (TrunkKey, &Arc<TrunkSetup>)> {
        let numbered = self.setups.iter().enumerate();
        numbered.map(|(index, setup)| (TrunkKey(index), setup))
    }

    /// Says where the minders live.
    pub(crate) fn minded_by(&self, shard: mpsc::WeakSender<Command>) {
        // Set once, when the engine starts.
        let _ = self.minders.set(shard);
    }

    pub(crate) fn views(&self) -> watch::Receiver<Vec<TrunkView>> {
        self.views.subscribe()
    }

    /// Takes what a minder sees.
    pub(crate) fn learn(&self, trunk: TrunkKey, seen: Seen) {
        let wall = self.clock.wall();
        self.change(|board| board.learn(wall, trunk, seen));
    }

    /// The ways of a new call, best first, with a place on the first trunk. Waits for the first search for an address.
    pub(crate) async fn ways(self: &Arc<Self>) -> Result<Ways, NoWay> {
        let mut views = self.views.subscribe();
        let decided = |_: &Vec<TrunkView>| !self.board().is_searching();
        // Whether it was decided or time is over: the board has the words.
        let _ = timeout(FIRST_SEARCH, views.wait_for(decided)).await;
        let ways = self.change(|board| board.ways(Instant::now()))?;
        Ok(Ways {
            trunks: Arc::clone(self),
            seat: ways.first().map(|way| way.trunk),
            at: 0,
            ways,
        })
    }

    fn failed(&self, way: &Way, why: RouteFailure) {
        self.change(|board| board.failed(Instant::now(), way, why));
        let minders = self.minders.get().and_then(mpsc::WeakSender::upgrade);
        if let Some(minders) = minders {
            // A full queue means a busy shard; the next ping finds out all the same.
            let suspect = TrunkWord::Suspect(way.route.peer);
            let _ = minders.try_send(Command::Trunk(way.trunk, suspect));
        }
    }

    fn change<T>(&self, work: impl FnOnce(&mut Board) -> T) -> T {
        let mut board = self.board();
        let result = work(&mut board);
        let views = board.views();
        drop(board);
        self.views.send_if_modified(|shown| {
            let is_new = *shown != views;
            *shown = views;
            is_new
        });
        result
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ways {
    pub(crate) fn routes(&self) -> Vec<Route> {
        self.ways.iter().map(|way| way.route.clone()).collect()
    }

    /// The names that the certificates of the TLS peers must carry (RFC 5922).
    pub(crate) fn tls_names(&self) -> impl Iterator<Item = (Peer, &str)> {
        self.ways
            .iter()
            .filter_map(|way| Some((way.route.peer, way.tls_name.as_deref()?)))
    }

    /// What the call's SIP is carried by.
    pub(crate) fn transport(&self) -> Option<Transport> {
        self.ways.get(self.at).map(|way| way.route.peer.transport)
    }

    /// A route has failed the call: its peer loses standing, and the call moves on.
    pub(crate) fn failed(&mut self, route: usize, why: RouteFailure) {
        if let Some(way) = self.ways.get(route) {
            self.trunks.failed(way, why);
        }
        self.at = route + 1;
        let next = self.ways.get(self.at).map(|way| way.trunk);
        let left = std::mem::replace(&mut self.seat, next);
        self.trunks.change(|board| board.move_seat(left, next));
    }
}

impl Drop for Ways {
    fn drop(&mut self) {
        let seat = self.seat.take();
        self.trunks.change(|board| board.move_seat(seat, None));
    }
}
