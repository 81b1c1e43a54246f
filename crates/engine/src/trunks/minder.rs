//! Minds one trunk: where it is, whether it lives, whether it knows us. No sockets and no clock.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use housecall_sip::ping::{Health, Ping, PingOptions};
use housecall_sip::registration::{Registration, RegistrationState};
use housecall_sip::target::{
    Answer, Cached, Families, Lookup, LookupOptions, NoAnswer, Query, Target, Unresolved,
};
use housecall_sip::user_agent::{
    Ask, AskHandle, Event, Input as AgentInput, Output as AgentOutput,
};
use housecall_sip::{AgentOptions, Message, Peer, UriError, UserAgent};
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};

use super::{Reach, TrunkMode, TrunkSetup, asks};
use crate::dns::SEARCH_LIMIT;

/// Peers of one trunk that are watched; calls try no more than these anyway.
const PEERS_WATCHED: usize = 6;

/// Minds one trunk.
#[derive(Debug)]
pub(crate) struct Minder {
    setup: Arc<TrunkSetup>,
    options: MinderOptions,
    random: StdRng,
    agent: UserAgent,
    /// Who we are to this trunk.
    we: AgentOptions,
    asked: BTreeMap<AskHandle, About>,
    peers: Vec<Peer>,
    search: Option<Search>,
    pings: BTreeMap<Peer, Ping>,
    /// Why nothing could be sent to a peer, until it answers again.
    broken: BTreeMap<Peer, String>,
    ping_call_id: String,
    ping_cseq: u32,
    registration: Option<Registration>,
    outputs: VecDeque<Output>,
    told: Seen,
}

/// What a minder is told about ourselves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MinderOptions {
    /// Our SIP address as the trunk reaches it.
    pub(crate) local: SocketAddr,
    /// Where branches, tags and jitter come from; hard to guess.
    pub(crate) seed: u64,
}

/// What a minder wants done.
#[derive(Debug)]
pub(crate) enum Output {
    Send { to: Peer, bytes: Bytes },
    Query(Query),
    Seen(Seen),
}

/// All that is known of a trunk at a moment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    /// Best first (RFC 3263 §4.3).
    pub(crate) peers: Vec<(Peer, Health)>,
    /// Why nothing can be sent to some of them.
    pub(crate) broken: BTreeMap<Peer, String>,
    /// True while no search for its address has ended.
    pub(crate) is_searching: bool,
    /// Why the last search found nobody.
    pub(crate) search_failed: Option<Unresolved>,
    pub(crate) registration: Option<RegistrationState>,
}

#[derive(Clone, Copy, Debug)]
enum About {
    Ping(Peer),
    Registration,
}

/// The search for a trunk that has a name.
#[derive(Debug)]
struct Search {
    target: Target,
    cached: Cached,
    open: Option<(Lookup, Instant)>,
    is_first: bool,
    failed: Option<Unresolved>,
}

impl Seen {
    /// What is known before anything is asked.
    pub(crate) fn first(setup: &TrunkSetup) -> Self {
        let peers = match &setup.reach {
            Reach::Peers(peers) => peers.clone(),
            Reach::Target(_) => Vec::new(),
        };
        let registers = setup.mode != TrunkMode::IpAuth;
        Self {
            is_searching: peers.is_empty(),
            peers: peers
                .into_iter()
                .map(|peer| (peer, Health::Unknown))
                .collect(),
            broken: BTreeMap::new(),
            search_failed: None,
            registration: registers.then_some(RegistrationState::Registering),
        }
    }
}

impl Minder {
    /// Begins to mind.
    ///
    /// # Errors
    /// The trunk's domain or its user makes no SIP address.
    pub(crate) fn new(
        now: Instant,
        setup: Arc<TrunkSetup>,
        options: MinderOptions,
    ) -> Result<Self, UriError> {
        let mut random = StdRng::seed_from_u64(options.seed);
        let we = asks::agent(&setup, options.local, random.next_u64());
        // Later asked for again and again; here once, so that a bad name is said at once.
        asks::options(&setup.trunk, Peer::udp(options.local), &we)?;
        let search = match &setup.reach {
            Reach::Target(target) => Some(Search {
                target: target.clone(),
                cached: Cached::new(now, Cached::GRACE),
                open: None,
                is_first: true,
                failed: None,
            }),
            Reach::Peers(_) => None,
        };
        let registration = asks::registration(now, &setup, &we, random.next_u64())?;
        let mut minder = Self {
            told: Seen::first(&setup),
            ping_call_id: format!("{:032x}", random.random::<u128>()),
            ping_cseq: 1,
            agent: UserAgent::new(we.clone()),
            we,
            asked: BTreeMap::new(),
            peers: Vec::new(),
            pings: BTreeMap::new(),
            broken: BTreeMap::new(),
            outputs: VecDeque::new(),
            random,
            registration,
            search,
            options,
            setup,
        };
        if let Reach::Peers(peers) = &minder.setup.reach {
            let peers = peers.clone();
            minder.set_peers(now, peers);
        }
        minder.handle_timeout(now);
        Ok(minder)
    }

    /// The Call-IDs of all that it sends.
    pub(crate) fn call_ids(&self) -> impl Iterator<Item = &str> {
        let registration = self.registration.as_ref().map(Registration::call_id);
        std::iter::once(self.ping_call_id.as_str()).chain(registration)
    }

    pub(crate) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let search = self.search.as_ref().and_then(Search::poll_timeout);
        let registration = self.registration.as_ref();
        let registration = registration.and_then(Registration::poll_timeout);
        let pings = self.pings.values().map(Ping::poll_timeout);
        let agent = self.agent.poll_timeout();
        let one = search.into_iter().chain(registration).chain(agent);
        one.chain(pings).min()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.look(now);
        let register = self.registration.as_mut();
        if let Some(ask) = register.and_then(|it| it.handle_timeout(now)) {
            self.ask(now, ask, About::Registration);
        }
        let due: Vec<Peer> = self
            .pings
            .iter_mut()
            .filter_map(|(peer, ping)| ping.handle_timeout(now).then_some(*peer))
            .collect();
        for peer in due {
            self.ping(now, peer);
        }
        self.agent.handle_timeout(now);
        self.listen(now);
    }

    /// A response came to something that we asked.
    pub(crate) fn hear(&mut self, now: Instant, from: Peer, message: Message) {
        self.broken.remove(&from);
        let input = AgentInput::Received { from, message };
        self.agent.handle_input(now, input);
        self.listen(now);
    }

    /// Nothing can be sent to `peer`; `why` is for an administrator.
    pub(crate) fn transport_failed(&mut self, now: Instant, peer: Peer, why: &str) {
        if self.peers.contains(&peer) {
            self.broken.insert(peer, why.to_owned());
        }
        let input = AgentInput::TransportFailed { peer };
        self.agent.handle_input(now, input);
        self.listen(now);
    }

    /// The domain name system said something.
    pub(crate) fn found(&mut self, now: Instant, query: &Query, heard: Result<Answer, NoAnswer>) {
        if let Some(Search {
            open: Some((lookup, _)),
            ..
        }) = &mut self.search
        {
            lookup.answered(query, heard);
        }
        self.handle_timeout(now);
    }

    /// A call found this peer wanting: it is asked at once.
    pub(crate) fn suspect(&mut self, now: Instant, peer: Peer) {
        if let Some(ping) = self.pings.get_mut(&peer) {
            ping.suspect(now);
        }
        self.handle_timeout(now);
    }

    /// Ends the registration and watches no more. [`Minder::is_idle`] tells when nothing is owed.
    pub(crate) fn leave(&mut self, now: Instant) {
        self.search = None;
        self.pings.clear();
        let register = self.registration.as_mut();
        if let Some(ask) = register.and_then(|it| it.stop(now)) {
            self.ask(now, ask, About::Registration);
        }
        self.listen(now);
    }

    /// Whether no answer is waited for.
    pub(crate) fn is_idle(&self) -> bool {
        self.asked.is_empty()
    }

    /// Searches for the trunk's address, or goes on searching.
    fn look(&mut self, now: Instant) {
        let ip = self.options.local.ip();
        let families = self.setup.families.unwrap_or(Families::of(ip));
        let options = LookupOptions::new(families, self.random.next_u64());
        let Some(search) = &mut self.search else {
            return;
        };
        search.advance(now, options);
        if let Some((lookup, _)) = &mut search.open {
            let queries = std::iter::from_fn(|| lookup.poll_query());
            self.outputs.extend(queries.map(Output::Query));
        }
        let peers = search.cached.peers(now).to_vec();
        self.set_peers(now, peers);
    }

    fn set_peers(&mut self, now: Instant, peers: Vec<Peer>) {
        if peers == self.peers {
            return;
        }
        let watched: Vec<Peer> = peers.iter().take(PEERS_WATCHED).copied().collect();
        self.pings.retain(|peer, _| watched.contains(peer));
        self.broken.retain(|peer, _| peers.contains(peer));
        if let Some(interval) = self.setup.ping {
            for peer in &watched {
                let seed = self.random.next_u64();
                let ping = || Ping::new(now, PingOptions::every(interval), seed);
                self.pings.entry(*peer).or_insert_with(ping);
            }
        }
        if let Some(registration) = &mut self.registration {
            registration.set_peers(now, watched);
        }
        self.peers = peers;
    }

    fn ping(&mut self, now: Instant, peer: Peer) {
        let Ok(ask) = asks::options(&self.setup.trunk, peer, &self.we) else {
            return;
        };
        let cseq = self.ping_cseq;
        self.ping_cseq = cseq.saturating_add(Ask::CSEQS_MAX);
        let ask = Ask {
            call_id: Some(self.ping_call_id.clone()),
            cseq: Some(cseq),
            ..ask
        };
        self.ask(now, ask, About::Ping(peer));
    }

    fn ask(&mut self, now: Instant, ask: Ask, about: About) {
        let handle = self.agent.ask(now, ask);
        self.asked.insert(handle, about);
    }

    fn listen(&mut self, now: Instant) {
        while let Some(output) = self.agent.poll_output() {
            match output {
                AgentOutput::Send { to, bytes } => {
                    self.outputs.push_back(Output::Send { to, bytes });
                }
                AgentOutput::Event(event) => self.happened(now, event),
            }
        }
        self.tell(now);
    }

    fn happened(&mut self, now: Instant, event: Event) {
        let next = match event {
            Event::Replied { ask, message } => match self.asked.remove(&ask) {
                Some(About::Ping(peer)) => {
                    self.on_ping(peer, |ping| ping.replied(now, &message));
                    None
                }
                Some(About::Registration) => {
                    let registration = self.registration.as_mut();
                    registration.and_then(|it| it.replied(now, &message))
                }
                None => None,
            },
            Event::AskFailed { ask, end } => match self.asked.remove(&ask) {
                Some(About::Ping(peer)) => {
                    self.on_ping(peer, |ping| ping.unreachable(now));
                    None
                }
                Some(About::Registration) => {
                    let registration = self.registration.as_mut();
                    registration.and_then(|it| it.failed(now, end))
                }
                None => None,
            },
            _ => None,
        };
        if let Some(ask) = next {
            self.ask(now, ask, About::Registration);
        }
    }

    fn on_ping(&mut self, peer: Peer, work: impl FnOnce(&mut Ping)) {
        if let Some(ping) = self.pings.get_mut(&peer) {
            work(ping);
        }
    }

    fn tell(&mut self, now: Instant) {
        let health = |peer: &Peer| self.pings.get(peer).map_or(Health::Unknown, Ping::health);
        let search = self.search.as_ref();
        let seen = Seen {
            peers: self
                .peers
                .iter()
                .map(|peer| (*peer, health(peer)))
                .collect(),
            broken: self.broken.clone(),
            is_searching: search.is_some_and(|search| search.is_first),
            search_failed: search.and_then(|search| search.failed.clone()),
            registration: self.registration.as_ref().map(|it| it.state(now)),
        };
        if seen != self.told {
            self.told = seen.clone();
            self.outputs.push_back(Output::Seen(seen));
        }
    }
}

impl Search {
    fn poll_timeout(&self) -> Option<Instant> {
        match &self.open {
            Some((_, until)) => Some(*until),
            None => self.cached.look_at(),
        }
    }

    /// Begins a search that is due, and takes the result of one that has ended.
    fn advance(&mut self, now: Instant, options: LookupOptions) {
        let is_due = self.cached.look_at().is_some_and(|at| at <= now);
        if self.open.is_none() && is_due {
            let lookup = Lookup::new(self.target.clone(), options);
            self.open = Some((lookup, now + SEARCH_LIMIT));
        }
        let Some((lookup, until)) = &mut self.open else {
            return;
        };
        if *until <= now {
            lookup.give_up();
        }
        if let Some(result) = lookup.result() {
            self.cached.learn(now, result);
            self.failed = result.as_ref().err().cloned();
            self.is_first = false;
            self.open = None;
        }
    }
}
