use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::record::relative;
use super::srv_order::in_order;
use super::{Answer, Naptr, NoAnswer, Query, Records, Srv, Target, default_port};
use crate::host;
use crate::{Peer, Transport};

/// Records looked at in one answer; a service of more hosts is up to no good.
const RECORDS_MAX: usize = 32;
/// Hosts whose addresses are asked for.
const HOPS_MAX: usize = 8;
/// Addresses taken of one host and family.
const ADDRESSES_MAX: usize = 8;
/// Peers in a result.
const PEERS_MAX: usize = 16;
/// Lists asked for; one for each transport, and as many again for domains that say so.
const SERVICES_MAX: usize = 6;
/// The longest name there is (RFC 1035 §2.3.4).
const NAME_BYTES_MAX: usize = 253;

/// One search for the peers of a [`Target`].
///
/// Ask what [`poll_query`](Lookup::poll_query) gives, several at once if there are several, and say each result with
/// [`answered`](Lookup::answered), until there is a [`result`](Lookup::result). At most 1 + 6 + 16 questions in three rounds; whoever has
/// waited long enough says [`give_up`](Lookup::give_up).
#[derive(Debug)]
pub struct Lookup {
    target: Target,
    options: LookupOptions,
    random: StdRng,
    step: Step,
    to_ask: VecDeque<Query>,
    waiting: BTreeSet<Query>,
    heard: BTreeMap<Query, Result<Answer, NoAnswer>>,
}

/// How a [`Lookup`] chooses where DNS leaves the choice.
#[derive(Clone, Debug)]
pub struct LookupOptions {
    /// Which addresses are of use, and which of them come first.
    pub families: Families,
    /// The transports that may be used, best first. It decides among SRV lists where no NAPTR does.
    pub transports: Vec<Transport>,
    /// Where the choice by weight comes from.
    pub seed: u64,
}

impl LookupOptions {
    /// IPv4 and IPv6 as bound, TLS before TCP before UDP: what protects the keys of the media comes first.
    pub fn new(families: Families, seed: u64) -> Self {
        Self {
            families,
            transports: vec![Transport::Tls, Transport::Tcp, Transport::Udp],
            seed,
        }
    }
}

/// Which addresses of a host are of use.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Families {
    /// IPv4 alone: our socket is bound to such an address.
    V4,
    /// IPv6 alone.
    V6,
    /// Both, IPv4 first.
    V4ThenV6,
    /// Both, IPv6 first.
    V6ThenV4,
}

impl Families {
    /// The family that a socket bound to `ip` can reach.
    pub fn of(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }

    fn queries(self, host: &str) -> Vec<Query> {
        let (v4, v6) = (Query::A(host.to_owned()), Query::Aaaa(host.to_owned()));
        match self {
            Self::V4 => vec![v4],
            Self::V6 => vec![v6],
            Self::V4ThenV6 => vec![v4, v6],
            Self::V6ThenV4 => vec![v6, v4],
        }
    }
}

/// Where to send SIP.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Resolved {
    /// In the order to try them in (RFC 3263 §4.3); never empty.
    pub peers: Vec<Peer>,
    /// How long that holds; `None` for an address, which holds for ever.
    pub ttl: Option<Duration>,
}

/// Why nobody was found.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Unresolved {
    /// What is configured is neither a domain nor an address.
    #[error("{host:?} is no host name")]
    NotAHost {
        /// What is configured.
        host: String,
    },
    /// The domain says that it does not offer SIP over any transport we may use.
    #[error("{host} offers no sip over {wanted}")]
    NotOffered {
        /// The domain.
        host: String,
        /// The transports we may use.
        wanted: String,
    },
    /// The name does not exist or has no address that we can reach.
    #[error("{host} has no address")]
    NoAddress {
        /// The domain.
        host: String,
    },
    /// No name server answered; an older result may still be good.
    #[error("no name server answered for {host}")]
    Away {
        /// The domain.
        host: String,
    },
}

#[derive(Debug)]
enum Step {
    /// Which services does the domain offer?
    Naptr,
    /// Which hosts offer them? The first service that has a list is taken.
    Srv(Vec<Service>),
    /// What are the addresses of these hosts?
    Addresses(Vec<Hop>),
    Done(Result<Resolved, Unresolved>),
}

#[derive(Clone, Debug)]
struct Service {
    transport: Transport,
    list: String,
}

#[derive(Clone, Debug)]
struct Hop {
    transport: Transport,
    host: String,
    port: u16,
}

impl Lookup {
    /// Begins. A numeric target has its result at once.
    pub fn new(target: Target, options: LookupOptions) -> Self {
        let mut lookup = Self {
            random: StdRng::seed_from_u64(options.seed),
            options,
            step: Step::Naptr,
            to_ask: VecDeque::new(),
            waiting: BTreeSet::new(),
            heard: BTreeMap::new(),
            target,
        };
        lookup.begin();
        lookup
    }

    /// The next question to ask. Several may be open at once.
    pub fn poll_query(&mut self) -> Option<Query> {
        self.to_ask.pop_front()
    }

    /// Takes what came of a question. Answers to what was not asked are ignored.
    pub fn answered(&mut self, query: &Query, heard: Result<Answer, NoAnswer>) {
        if !self.waiting.remove(query) {
            return;
        }
        self.heard.insert(query.clone(), heard);
        if self.waiting.is_empty() {
            self.advance();
        }
    }

    /// Ends the search now, with what is known.
    pub fn give_up(&mut self) {
        // Each round ends one step, and the last step has a result.
        while self.result().is_none() {
            self.to_ask.clear();
            for query in std::mem::take(&mut self.waiting) {
                self.heard.insert(query, Err(NoAnswer::Away));
            }
            self.advance();
        }
    }

    /// What was found, once all is asked.
    pub fn result(&self) -> Option<&Result<Resolved, Unresolved>> {
        match &self.step {
            Step::Done(result) => Some(result),
            _ => None,
        }
    }

    /// RFC 3263 §4.1: an address needs no questions, a port leaves only addresses to ask, a transport leaves one list.
    fn begin(&mut self) {
        let transport = self.target.default_transport();
        let host = relative(&self.target.host).to_owned();
        if let Some(ip) = self.target.ip() {
            let port = self.target.port.unwrap_or(default_port(transport));
            let addr = SocketAddr::new(ip, port);
            let peers = vec![Peer { transport, addr }];
            self.step = Step::Done(Ok(Resolved { peers, ttl: None }));
        } else if !is_name(&host) {
            self.step = Step::Done(Err(Unresolved::NotAHost { host }));
        } else if let Some(port) = self.target.port {
            self.ask_addresses(vec![Hop {
                transport,
                host,
                port,
            }]);
        } else if self.target.transport.is_some() {
            let services = vec![service(transport, &host)];
            self.ask_services(services);
        } else {
            self.ask(Query::Naptr(host));
        }
    }

    fn advance(&mut self) {
        match std::mem::replace(&mut self.step, Step::Naptr) {
            Step::Naptr => {
                let services = self.services();
                self.ask_services(services);
            }
            Step::Srv(services) => self.take_service(&services),
            Step::Addresses(hops) => self.finish(&hops),
            done @ Step::Done(_) => self.step = done,
        }
    }

    /// The lists to look at: those that NAPTR names, else one for each transport we may use (RFC 3263 §4.1).
    fn services(&self) -> Vec<Service> {
        let host = relative(&self.target.host);
        let mut offered = self.naptrs(host);
        offered.sort_by_key(|record| (record.order, record.preference));
        let named = offered.iter().filter_map(|record| {
            let transport = record.transport().filter(|one| self.may_use(*one))?;
            let list = relative(&record.replacement).to_owned();
            is_name(&list).then_some(Service { transport, list })
        });
        let named: Vec<Service> = named.take(SERVICES_MAX).collect();
        if !named.is_empty() {
            return named;
        }
        let ours = self.options.transports.iter().copied();
        let ours = ours.filter(|one| self.may_use(*one));
        ours.map(|transport| service(transport, host)).collect()
    }

    fn naptrs(&self, host: &str) -> Vec<Naptr> {
        match self.records(&Query::Naptr(host.to_owned())) {
            Some(Records::Naptr(records)) => records.iter().take(RECORDS_MAX).cloned().collect(),
            _ => Vec::new(),
        }
    }

    /// A `sips` target is reached over TLS or not at all (RFC 3263 §4.1).
    fn may_use(&self, transport: Transport) -> bool {
        let is_ours = self.options.transports.contains(&transport);
        is_ours && (transport == Transport::Tls || !self.target.secure)
    }

    fn ask_services(&mut self, services: Vec<Service>) {
        if services.is_empty() {
            self.step = Step::Done(Err(self.not_offered()));
            return;
        }
        for service in &services {
            self.ask(Query::Srv(service.list.clone()));
        }
        self.step = Step::Srv(services);
    }

    /// Goes on with the first service that has a list. Falling back to a less wanted transport happens only where the better one
    /// has none, so that nobody who merely blocks TLS gets us to speak in the clear.
    fn take_service(&mut self, services: &[Service]) {
        let mut is_absent = false;
        for service in services {
            let Some(Records::Srv(records)) = self.records(&Query::Srv(service.list.clone()))
            else {
                if self.is_away(&service.list) {
                    return self.done_away();
                }
                continue;
            };
            let records: Vec<Srv> = records.iter().take(RECORDS_MAX).cloned().collect();
            let hops = self.hops(service.transport, records);
            if !hops.is_empty() {
                return self.ask_addresses(hops);
            }
            is_absent = true;
        }
        if is_absent {
            // RFC 2782: a list whose only target is "." is an answer, so the name itself is not tried.
            self.step = Step::Done(Err(self.not_offered()));
        } else {
            self.ask_name();
        }
    }

    fn hops(&mut self, transport: Transport, records: Vec<Srv>) -> Vec<Hop> {
        let offered = records.into_iter().filter(Srv::is_offered).collect();
        let ordered = in_order(offered, &mut self.random).into_iter();
        let hops = ordered.map(|record| Hop {
            transport,
            host: relative(&record.target).to_owned(),
            port: record.port,
        });
        hops.filter(|hop| is_name(&hop.host) || host::ip(&hop.host).is_some())
            .take(HOPS_MAX)
            .collect()
    }

    /// RFC 3263 §4.2: without any list, the name itself at the default port.
    fn ask_name(&mut self) {
        let transport = self.target.default_transport();
        if !self.may_use(transport) {
            self.step = Step::Done(Err(self.not_offered()));
            return;
        }
        self.ask_addresses(vec![Hop {
            transport,
            host: relative(&self.target.host).to_owned(),
            port: default_port(transport),
        }]);
    }

    fn ask_addresses(&mut self, hops: Vec<Hop>) {
        let names = hops.iter().filter(|hop| host::ip(&hop.host).is_none());
        let queries: Vec<Query> = names
            .flat_map(|hop| self.options.families.queries(&hop.host))
            .collect();
        self.step = Step::Addresses(hops);
        queries.into_iter().for_each(|query| self.ask(query));
        if self.waiting.is_empty() {
            self.advance();
        }
    }

    /// RFC 3263 §4.3: every address of every host, in the order of the hosts.
    fn finish(&mut self, hops: &[Hop]) {
        let mut peers: Vec<Peer> = Vec::new();
        for hop in hops {
            for ip in self.addresses(&hop.host) {
                let peer = Peer {
                    transport: hop.transport,
                    addr: SocketAddr::new(ip, hop.port),
                };
                if peers.len() < PEERS_MAX && !peers.contains(&peer) {
                    peers.push(peer);
                }
            }
        }
        let host = self.target.host.clone();
        let is_away = hops.iter().any(|hop| self.is_away(&hop.host));
        let result = match (peers.is_empty(), is_away) {
            (false, _) => Ok(Resolved {
                peers,
                ttl: self.ttl(),
            }),
            (true, true) => Err(Unresolved::Away { host }),
            (true, false) => Err(Unresolved::NoAddress { host }),
        };
        self.step = Step::Done(result);
    }

    fn addresses(&self, name: &str) -> Vec<IpAddr> {
        if let Some(ip) = host::ip(name) {
            return vec![ip];
        }
        let queries = self.options.families.queries(name);
        let of = |query: &Query| match self.records(query) {
            Some(Records::Addresses(found)) => found.iter().take(ADDRESSES_MAX).copied().collect(),
            _ => Vec::new(),
        };
        queries.iter().flat_map(of).collect()
    }

    fn ask(&mut self, query: Query) {
        if self.waiting.insert(query.clone()) {
            self.to_ask.push_back(query);
        }
    }

    fn records(&self, query: &Query) -> Option<&Records> {
        let answer = self.heard.get(query)?.as_ref().ok()?;
        let is_empty = match &answer.records {
            Records::Naptr(records) => records.is_empty(),
            Records::Srv(records) => records.is_empty(),
            Records::Addresses(addresses) => addresses.is_empty(),
        };
        (!is_empty).then_some(&answer.records)
    }

    /// Whether a question about `name` went unanswered.
    fn is_away(&self, name: &str) -> bool {
        let mut heard = self.heard.iter();
        heard.any(|(query, heard)| {
            let is_address = !matches!(query, Query::Naptr(_));
            is_address && query.name() == name && *heard == Err(NoAnswer::Away)
        })
    }

    fn ttl(&self) -> Option<Duration> {
        let answers = self.heard.values().flatten();
        answers.map(|answer| answer.ttl).min()
    }

    fn done_away(&mut self) {
        let host = self.target.host.clone();
        self.step = Step::Done(Err(Unresolved::Away { host }));
    }

    fn not_offered(&self) -> Unresolved {
        let ours = self.options.transports.iter();
        let ours = ours.filter(|one| self.may_use(**one));
        let wanted: Vec<String> = ours.map(Transport::to_string).collect();
        Unresolved::NotOffered {
            host: self.target.host.clone(),
            wanted: wanted.join(", "),
        }
    }
}

/// The list of a transport's hosts (RFC 3263 §4.2).
fn service(transport: Transport, host: &str) -> Service {
    let prefix = match transport {
        Transport::Udp => "_sip._udp",
        Transport::Tcp => "_sip._tcp",
        Transport::Tls => "_sips._tcp",
    };
    Service {
        transport,
        list: format!("{prefix}.{host}"),
    }
}

fn is_name(name: &str) -> bool {
    name.len() <= NAME_BYTES_MAX && !name.starts_with('[') && host::is_host(name)
}
