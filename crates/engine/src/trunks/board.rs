//! How each trunk stands, and what a new call tries.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use housecall_phone::{Route, RouteFailure};
use housecall_sip::ping::{DownBecause, Health};
use housecall_sip::registration::{RegistrationState, Trouble};
use housecall_sip::{Peer, Transport};

use super::{NoWay, Seen, TrunkSetup, TrunkState, TrunkView};
use crate::limits::TooManyCalls;
use crate::ports::WallMillis;
use crate::shard::TrunkKey;

/// Routes of one call. Whoever waits for the seventh has hung up.
const ROUTES_MAX: usize = 6;
/// Peers of one trunk among them, so that another trunk is reached in time.
const PEERS_A_TRUNK: usize = 3;
/// How long a peer that failed a call comes last, where it has not said itself.
const AVOIDED_FOR: Duration = Duration::from_secs(30);
/// The longest that it can say: a slip of a digit must not lose us a trunk for a day.
const AVOIDED_FOR_MAX: Duration = Duration::from_secs(600);

/// The standing of every trunk, in configured order.
#[derive(Debug)]
pub(super) struct Board {
    trunks: Vec<Standing>,
}

/// One route of a call, and whose it is.
#[derive(Clone, Debug)]
pub(super) struct Way {
    pub(super) trunk: TrunkKey,
    pub(super) route: Route,
    /// Where it is reached by TLS.
    pub(super) tls_name: Option<String>,
}

#[derive(Debug)]
struct Standing {
    setup: Arc<TrunkSetup>,
    seen: Seen,
    state: TrunkState,
    words: String,
    since: WallMillis,
    /// Peers that failed a call, and until when they come last.
    avoided: BTreeMap<Peer, Instant>,
    calls: usize,
}

/// How much is to be said for a route; the least comes first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Rank {
    Up,
    Unknown,
    /// It, or its trunk, was found wanting.
    Doubtful,
}

impl Board {
    pub(super) fn new(setups: &[Arc<TrunkSetup>], wall: WallMillis) -> Self {
        let standing = |setup: &Arc<TrunkSetup>| Standing::new(setup.clone(), wall);
        Self {
            trunks: setups.iter().map(standing).collect(),
        }
    }

    pub(super) fn learn(&mut self, wall: WallMillis, trunk: TrunkKey, seen: Seen) {
        if let Some(standing) = self.trunks.get_mut(trunk.0) {
            standing.learn(wall, seen);
        }
    }

    /// Whether no trunk has an address yet and one may still be found.
    pub(super) fn is_searching(&self) -> bool {
        let has_peers = |standing: &Standing| !standing.seen.peers.is_empty();
        let searches = |standing: &Standing| standing.seen.is_searching;
        !self.trunks.iter().any(has_peers) && self.trunks.iter().any(searches)
    }

    /// What a new call tries: healthy trunks first and those that are down last, each trunk's peers as RFC 3263 orders them. Counts
    /// the call on the first trunk.
    pub(super) fn ways(&mut self, now: Instant) -> Result<Vec<Way>, NoWay> {
        let mut ranked = Vec::new();
        for (index, standing) in self.trunks.iter().enumerate() {
            if !standing.is_full() {
                let ranks = standing.ranked(now);
                let ways = ranks.into_iter().take(PEERS_A_TRUNK);
                ranked.extend(ways.map(|(rank, peer)| (rank, index, peer)));
            }
        }
        // Stable: peers stay in their order.
        ranked.sort_by_key(|(rank, index, _)| (*rank, *index));
        let ways: Vec<Way> = ranked
            .into_iter()
            .take(ROUTES_MAX)
            .filter_map(|(_, index, peer)| self.way(TrunkKey(index), peer))
            .collect();
        match ways.first().map(|way| way.trunk) {
            Some(first) => {
                self.move_seat(None, Some(first));
                Ok(ways)
            }
            None => Err(self.no_way()),
        }
    }

    /// A call found the peer wanting: it comes last for a while.
    pub(super) fn failed(&mut self, now: Instant, way: &Way, why: RouteFailure) {
        let asked = match why {
            RouteFailure::Unavailable { retry_after, .. } => retry_after,
            _ => None,
        };
        let pause = asked.unwrap_or(AVOIDED_FOR).min(AVOIDED_FOR_MAX);
        if let Some(standing) = self.trunks.get_mut(way.trunk.0) {
            standing.avoided.retain(|_, until| *until > now);
            standing.avoided.insert(way.route.peer, now + pause);
        }
    }

    /// Counts a call off one trunk and on another.
    pub(super) fn move_seat(&mut self, from: Option<TrunkKey>, to: Option<TrunkKey>) {
        if let Some(left) = from.and_then(|trunk| self.trunks.get_mut(trunk.0)) {
            left.calls = left.calls.saturating_sub(1);
        }
        if let Some(taken) = to.and_then(|trunk| self.trunks.get_mut(trunk.0)) {
            taken.calls = taken.calls.saturating_add(1);
        }
    }

    pub(super) fn views(&self) -> Vec<TrunkView> {
        self.trunks.iter().map(Standing::view).collect()
    }

    fn way(&self, trunk: TrunkKey, peer: Peer) -> Option<Way> {
        let setup = &self.trunks.get(trunk.0)?.setup;
        let is_tls = peer.transport == Transport::Tls;
        Some(Way {
            trunk,
            route: Route::new(setup.trunk.clone(), peer),
            tls_name: is_tls.then(|| setup.tls_name.clone()),
        })
    }

    fn no_way(&self) -> NoWay {
        let is_reachable = |standing: &&Standing| !standing.seen.peers.is_empty();
        let reachable: Vec<&Standing> = self.trunks.iter().filter(is_reachable).collect();
        if let Some(standing) = reachable.first() {
            let limit = reachable.iter().filter_map(|it| it.setup.calls_max).sum();
            let trunk = standing.setup.trunk.name.clone();
            return NoWay::Full(TooManyCalls::Trunk { trunk, limit });
        }
        let words =
            |standing: &Standing| format!("{}: {}", standing.setup.trunk.name, standing.words);
        let words: Vec<String> = self.trunks.iter().map(words).collect();
        NoWay::Unreachable(words.join("; "))
    }
}

impl Standing {
    fn new(setup: Arc<TrunkSetup>, since: WallMillis) -> Self {
        let seen = Seen::first(&setup);
        let (state, words) = judge(&setup, &seen);
        Self {
            setup,
            seen,
            state,
            words,
            since,
            avoided: BTreeMap::new(),
            calls: 0,
        }
    }

    fn learn(&mut self, wall: WallMillis, seen: Seen) {
        let (state, words) = judge(&self.setup, &seen);
        if state != self.state {
            self.since = wall;
            tracing::info!(trunk = %self.setup.trunk.name, ?state, %words, "trunk");
        }
        (self.seen, self.state, self.words) = (seen, state, words);
    }

    fn is_full(&self) -> bool {
        self.setup.calls_max.is_some_and(|max| self.calls >= max)
    }

    /// Its peers with what is to be said for each, best first.
    fn ranked(&self, now: Instant) -> Vec<(Rank, Peer)> {
        let mut ranked: Vec<(Rank, Peer)> = Vec::with_capacity(self.seen.peers.len());
        for (peer, health) in &self.seen.peers {
            let avoided = self.avoided.get(peer).is_some_and(|until| now < *until);
            let is_doubtful = avoided || matches!(health, Health::Down(_));
            let rank = if is_doubtful {
                Rank::Doubtful
            } else {
                self.rank()
            };
            ranked.push((rank, *peer));
        }
        ranked.sort_by_key(|(rank, _)| *rank);
        ranked
    }

    fn rank(&self) -> Rank {
        match self.state {
            TrunkState::Up => Rank::Up,
            // Nobody will ever say that it is up, so it is believed to be.
            TrunkState::Unknown if !self.setup.is_watched() => Rank::Up,
            TrunkState::Unknown | TrunkState::Registering => Rank::Unknown,
            TrunkState::Down => Rank::Doubtful,
        }
    }

    fn view(&self) -> TrunkView {
        TrunkView {
            name: self.setup.trunk.name.clone(),
            state: self.state,
            since: self.since,
            words: self.words.clone(),
            calls: self.calls,
        }
    }
}

/// What all that is known of a trunk amounts to.
fn judge(setup: &TrunkSetup, seen: &Seen) -> (TrunkState, String) {
    if seen.peers.is_empty() {
        return match &seen.search_failed {
            Some(error) => (TrunkState::Down, error.to_string()),
            None => (
                TrunkState::Unknown,
                "its address is being looked for".to_owned(),
            ),
        };
    }
    match seen.registration {
        Some(RegistrationState::Failed(Trouble::Unreachable)) => {
            let words = broken(seen).unwrap_or_else(|| Trouble::Unreachable.to_string());
            return (TrunkState::Down, words);
        }
        Some(RegistrationState::Failed(trouble)) => return (TrunkState::Down, trouble.to_string()),
        Some(RegistrationState::Registering) => {
            return (TrunkState::Registering, "registering".to_owned());
        }
        Some(RegistrationState::Stopped) => return (TrunkState::Down, "we have left".to_owned()),
        Some(RegistrationState::Registered { .. }) | None => {}
    }
    let is_registered = seen.registration.is_some();
    let downs = seen.peers.iter().filter_map(|(_, health)| match health {
        Health::Down(because) => Some(because),
        Health::Up | Health::Unknown => None,
    });
    let downs: Vec<_> = downs.collect();
    let is_up = seen.peers.iter().any(|(_, health)| *health == Health::Up);
    match downs.first() {
        Some(because) if downs.len() == seen.peers.len() => {
            let words = broken(seen).filter(|_| **because == DownBecause::Unreachable);
            let words = words.unwrap_or_else(|| because.to_string());
            (TrunkState::Down, words)
        }
        _ if is_registered => (TrunkState::Up, "registered".to_owned()),
        _ if is_up => (TrunkState::Up, "it answers".to_owned()),
        _ if setup.is_watched() => (TrunkState::Unknown, "it has been asked".to_owned()),
        _ => (TrunkState::Unknown, "nobody watches it".to_owned()),
    }
}

/// What went wrong on the way to the best peer that nothing can be sent to: a closed port, a certificate of somebody else.
fn broken(seen: &Seen) -> Option<String> {
    let mut peers = seen.peers.iter();
    peers.find_map(|(peer, _)| seen.broken.get(peer)).cloned()
}

#[cfg(test)]
mod tests {
    use housecall_phone::Trunk;
    use housecall_sip::target::{Target, Unresolved};

    use super::*;

    const DOWN: Health = Health::Down(DownBecause::Silence);

    fn peer(number: u8) -> Peer {
        Peer::udp(([192, 0, 2, number], 5060).into())
    }

    fn setup(name: &str) -> TrunkSetup {
        TrunkSetup::new(
            Trunk::new(name, "carrier.test"),
            Target::new("carrier.test"),
        )
    }

    fn board(setups: Vec<TrunkSetup>) -> Board {
        let setups: Vec<Arc<TrunkSetup>> = setups.into_iter().map(Arc::new).collect();
        Board::new(&setups, WallMillis(0))
    }

    fn sees(board: &mut Board, trunk: usize, peers: &[(u8, Health)]) {
        let seen = Seen {
            peers: peers
                .iter()
                .map(|(number, health)| (peer(*number), *health))
                .collect(),
            broken: BTreeMap::new(),
            is_searching: false,
            search_failed: None,
            registration: None,
        };
        board.learn(WallMillis(1), TrunkKey(trunk), seen);
    }

    /// The last numbers of the addresses that a call would try; the call is not made.
    fn order(board: &mut Board, now: Instant) -> Vec<u8> {
        let ways = board.ways(now).unwrap();
        board.move_seat(ways.first().map(|way| way.trunk), None);
        ways.iter().map(last_of).collect()
    }

    fn last_of(way: &Way) -> u8 {
        let ip = way.route.peer.addr.ip().to_string();
        ip.rsplit('.').next().unwrap().parse().unwrap()
    }

    #[test]
    fn healthy_trunks_come_first() {
        let now = Instant::now();
        let mut board = board(vec![setup("a"), setup("b"), setup("c")]);
        sees(&mut board, 0, &[(1, DOWN)]);
        sees(&mut board, 1, &[(2, Health::Unknown)]);
        sees(&mut board, 2, &[(3, Health::Up)]);
        assert_eq!(order(&mut board, now), [3, 2, 1]);
        sees(&mut board, 0, &[(1, Health::Up)]);
        assert_eq!(order(&mut board, now), [1, 3, 2]);
        // Never none: care comes first.
        for trunk in 0..3 {
            sees(&mut board, trunk, &[(trunk as u8 + 1, DOWN)]);
        }
        assert_eq!(order(&mut board, now), [1, 2, 3]);
    }

    #[test]
    fn a_trunk_that_nobody_watches_is_believed_to_be_up() {
        let unwatched = TrunkSetup {
            ping: None,
            ..setup("a")
        };
        let mut board = board(vec![unwatched, setup("b")]);
        sees(&mut board, 0, &[(1, Health::Unknown)]);
        sees(&mut board, 1, &[(2, Health::Up)]);
        assert_eq!(order(&mut board, Instant::now()), [1, 2]);
        assert_eq!(board.views()[0].state, TrunkState::Unknown);
    }

    /// RFC 3263 §4.3.
    #[test]
    fn peers_keep_their_order() {
        let mut board = board(vec![setup("a")]);
        sees(
            &mut board,
            0,
            &[(3, Health::Up), (1, DOWN), (2, Health::Up)],
        );
        assert_eq!(order(&mut board, Instant::now()), [3, 2, 1]);
    }

    #[test]
    fn another_trunk_is_tried_before_all_the_peers_of_one() {
        let many: Vec<_> = (1..=9).map(|number| (number, Health::Up)).collect();
        let mut board = board(vec![setup("a"), setup("b"), setup("c")]);
        sees(&mut board, 0, &many);
        sees(&mut board, 1, &[(11, Health::Up), (12, Health::Up)]);
        sees(&mut board, 2, &[(21, DOWN), (22, DOWN)]);
        assert_eq!(order(&mut board, Instant::now()), [1, 2, 3, 11, 12, 21]);
    }

    /// RFC 3261 §21.5.4: for the time of Retry-After another server is asked.
    #[test]
    fn a_peer_that_failed_a_call_comes_last_for_a_while() {
        let seconds = Duration::from_secs;
        let unavailable = |retry_after| RouteFailure::Unavailable {
            status: 503,
            retry_after,
        };
        for (why, pause) in [
            (RouteFailure::Silence, seconds(30)),
            (RouteFailure::Unreachable, seconds(30)),
            (unavailable(None), seconds(30)),
            (unavailable(Some(seconds(120))), seconds(120)),
            (unavailable(Some(seconds(1_000_000))), seconds(600)),
        ] {
            let now = Instant::now();
            let mut board = board(vec![setup("a"), setup("b")]);
            sees(&mut board, 0, &[(1, Health::Up), (2, Health::Up)]);
            sees(&mut board, 1, &[(3, Health::Up)]);
            let ways = board.ways(now).unwrap();
            board.failed(now, &ways[0], why);
            let almost = now + pause - Duration::from_millis(1);
            assert_eq!(order(&mut board, almost), [2, 3, 1], "{why:?}");
            assert_eq!(order(&mut board, now + pause), [1, 2, 3], "{why:?}");
        }
    }

    /// P6: calls at once on one trunk; what does not fit goes to the next, and then nowhere.
    #[test]
    fn a_trunk_takes_no_more_calls_than_it_is_told() {
        let now = Instant::now();
        let of = |name: &str, max| TrunkSetup {
            calls_max: Some(max),
            ..setup(name)
        };
        let mut board = board(vec![of("a", 2), of("b", 1)]);
        sees(&mut board, 0, &[(1, Health::Up)]);
        sees(&mut board, 1, &[(2, Health::Up)]);
        let firsts: Vec<u8> = (0..3)
            .map(|_| last_of(&board.ways(now).unwrap()[0]))
            .collect();
        assert_eq!(firsts, [1, 1, 2]);
        let full = TooManyCalls::Trunk {
            trunk: "a".to_owned(),
            limit: 3,
        };
        assert_eq!(board.ways(now).unwrap_err(), NoWay::Full(full));
        assert_eq!(board.views()[0].calls, 2);
        board.move_seat(Some(TrunkKey(0)), None);
        assert_eq!(last_of(&board.ways(now).unwrap()[0]), 1);
    }

    #[test]
    fn who_cannot_be_found_is_said_in_words() {
        let mut board = board(vec![setup("Harbour")]);
        assert!(board.is_searching());
        let host = "carrier.test".to_owned();
        let seen = Seen {
            peers: Vec::new(),
            broken: BTreeMap::new(),
            is_searching: false,
            search_failed: Some(Unresolved::Away { host }),
            registration: None,
        };
        board.learn(WallMillis(5), TrunkKey(0), seen);
        assert!(!board.is_searching());
        let words = "Harbour: no name server answered for carrier.test".to_owned();
        assert_eq!(
            board.ways(Instant::now()).unwrap_err(),
            NoWay::Unreachable(words)
        );
        let view = &board.views()[0];
        assert_eq!((view.state, view.since), (TrunkState::Down, WallMillis(5)));
    }

    #[test]
    fn a_refused_registration_is_a_trunk_that_is_down() {
        let mut board = board(vec![setup("a").with_registration("clinic")]);
        let mut seen = Seen {
            peers: vec![(peer(1), Health::Up)],
            broken: BTreeMap::new(),
            is_searching: false,
            search_failed: None,
            registration: Some(RegistrationState::Registering),
        };
        board.learn(WallMillis(1), TrunkKey(0), seen.clone());
        assert_eq!(board.views()[0].state, TrunkState::Registering);
        let forbidden = housecall_sip::StatusCode::FORBIDDEN;
        seen.registration = Some(RegistrationState::Failed(Trouble::NotAccepted(forbidden)));
        board.learn(WallMillis(2), TrunkKey(0), seen);
        let view = &board.views()[0];
        assert_eq!(view.state, TrunkState::Down);
        assert!(
            view.words.contains("user name and password"),
            "{}",
            view.words
        );
    }
}
