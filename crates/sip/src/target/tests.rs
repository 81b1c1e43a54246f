//! Searches in domains that are written down as tables.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::Peer;

/// RFC 3263 §4.1: a target that is an address raises no questions.
#[test]
fn an_address_is_itself() {
    for (host, port, transport, secure, expected) in [
        ("192.0.2.7", None, None, false, "UDP:192.0.2.7:5060"),
        ("192.0.2.7", Some(5080), None, false, "UDP:192.0.2.7:5080"),
        ("2001:db8::7", None, None, false, "UDP:[2001:db8::7]:5060"),
        (
            "[2001:db8::7]",
            Some(5070),
            None,
            false,
            "UDP:[2001:db8::7]:5070",
        ),
        (
            "192.0.2.7",
            None,
            Some(Transport::Tcp),
            false,
            "TCP:192.0.2.7:5060",
        ),
        (
            "192.0.2.7",
            None,
            Some(Transport::Tls),
            false,
            "TLS:192.0.2.7:5061",
        ),
        ("192.0.2.7", None, None, true, "TLS:192.0.2.7:5061"),
    ] {
        let target = Target {
            port,
            transport,
            secure,
            ..Target::new(host)
        };
        let mut zone = Zone::empty();
        assert_eq!(zone.peers(target), [expected]);
        assert!(zone.asked.is_empty(), "{host}: {:?}", zone.asked);
    }
}

/// RFC 3263 §4.2: with a port only addresses are looked up, and UDP is taken (§4.1).
#[test]
fn a_port_leaves_only_addresses_to_ask() {
    let mut zone = Zone::read("sip.carrier.test A 192.0.2.1");
    let target = Target {
        port: Some(5080),
        ..Target::new("sip.carrier.test")
    };
    assert_eq!(zone.peers(target.clone()), ["UDP:192.0.2.1:5080"]);
    assert_eq!(zone.asked, ["A sip.carrier.test"]);
    let secure = Target {
        secure: true,
        ..target
    };
    assert_eq!(zone.peers(secure), ["TLS:192.0.2.1:5080"]);
}

/// RFC 3263 §4.2: a transport that is chosen already asks for its own SRV list, and for no NAPTR.
#[test]
fn a_transport_asks_for_its_own_list() {
    for (transport, list, scheme) in [
        (Transport::Udp, "_sip._udp.carrier.test", "UDP"),
        (Transport::Tcp, "_sip._tcp.carrier.test", "TCP"),
        (Transport::Tls, "_sips._tcp.carrier.test", "TLS"),
    ] {
        let mut zone = Zone::read(&format!(
            "{list} SRV 1 1 5090 edge.carrier.test.
             edge.carrier.test A 192.0.2.9"
        ));
        let target = Target {
            transport: Some(transport),
            ..Target::new("carrier.test.")
        };
        assert_eq!(zone.peers(target), [format!("{scheme}:192.0.2.9:5090")]);
        assert_eq!(
            zone.asked,
            [format!("SRV {list}"), "A edge.carrier.test".to_owned()]
        );
    }
}

/// RFC 3263 §4.1, the example: NAPTR by order and preference; what is not SIP, or not followed by a list, is discarded.
#[test]
fn naptr_names_the_transport() {
    let mut zone = Zone::read(
        "example.test NAPTR 50 50 s SIPS+D2T _sips._tcp.example.test.
         example.test NAPTR 90 50 s SIP+D2T  _sip._tcp.example.test.
         example.test NAPTR 100 50 s SIP+D2U _sip._udp.example.test.
         example.test NAPTR 10 10 u E2U+sip  .
         example.test NAPTR 10 10 s SIP+D2S  _sip._sctp.example.test.
         example.test NAPTR 10 10 a SIP+D2U  server1.example.test.
         _sip._tcp.example.test  SRV 0 1 5060 server1.example.test.
         _sip._tcp.example.test  SRV 0 2 5060 server2.example.test.
         _sip._udp.example.test  SRV 0 1 5060 server1.example.test.
         _sips._tcp.example.test SRV 0 1 5061 server1.example.test.
         server1.example.test A 192.0.2.1
         server2.example.test A 192.0.2.2",
    );
    assert_eq!(
        zone.peers(Target::new("example.test")),
        ["TLS:192.0.2.1:5061"]
    );
    // §4.1: services the client cannot speak are discarded.
    zone.transports = vec![Transport::Udp];
    assert_eq!(
        zone.peers(Target::new("example.test")),
        ["UDP:192.0.2.1:5060"]
    );
}

/// RFC 3263 §4.1: preference decides among equal order, order among all; the suffix of the replacement need not be the domain's.
#[test]
fn naptr_by_order_and_then_preference() {
    let mut zone = Zone::read(
        "example.test NAPTR 20 1 s SIPS+D2T _sips._tcp.a.test.
         example.test NAPTR 10 9 s SIP+D2T  _sip._tcp.a.test.
         example.test NAPTR 10 5 s sip+d2u  _sip._udp.other.test.
         _sips._tcp.a.test    SRV 0 0 5061 a.test
         _sip._tcp.a.test     SRV 0 0 5060 a.test
         _sip._udp.other.test SRV 0 0 5066 a.test
         a.test A 192.0.2.1",
    );
    assert_eq!(
        zone.peers(Target::new("example.test")),
        ["UDP:192.0.2.1:5066"]
    );
}

/// RFC 3263 §4.1: for a sips URI "any services besides SIPS+D2T are discarded", and no name is tried without TLS.
#[test]
fn only_tls_is_secure() {
    let secure = Target {
        secure: true,
        ..Target::new("example.test")
    };
    let mut zone = Zone::read(
        "example.test NAPTR 10 1 s SIP+D2T  _sip._tcp.example.test
         _sip._tcp.example.test SRV 0 0 5060 example.test
         example.test A 192.0.2.1",
    );
    // §4.2: without a list the name itself, over TLS at its port.
    assert_eq!(zone.peers(secure.clone()), ["TLS:192.0.2.1:5061"]);
    assert!(
        !zone
            .asked
            .contains(&"SRV _sip._tcp.example.test".to_owned())
    );
    zone.transports = vec![Transport::Tcp, Transport::Udp];
    assert_eq!(
        zone.resolve(secure),
        Err(Unresolved::NotOffered {
            host: "example.test".to_owned(),
            wanted: String::new()
        })
    );
}

/// RFC 3263 §4.1: without NAPTR, SRV is asked for each transport that we have.
#[test]
fn without_naptr_every_transport_is_asked() {
    let mut zone = Zone::read(
        "_sip._udp.carrier.test SRV 0 0 5060 a.test
         _sip._tcp.carrier.test SRV 0 0 5062 a.test
         a.test A 192.0.2.1",
    );
    let target = Target::new("carrier.test");
    assert_eq!(zone.peers(target.clone()), ["TCP:192.0.2.1:5062"]);
    assert_eq!(
        zone.asked,
        [
            "NAPTR carrier.test",
            "SRV _sips._tcp.carrier.test",
            "SRV _sip._tcp.carrier.test",
            "SRV _sip._udp.carrier.test",
            "A a.test"
        ]
    );
    zone.transports = vec![Transport::Udp, Transport::Tcp];
    assert_eq!(zone.peers(target), ["UDP:192.0.2.1:5060"]);
}

/// RFC 3263 §4.2: without SRV, the domain itself is looked up.
#[test]
fn without_lists_the_name_itself() {
    let mut zone = Zone::read("sip.carrier.test A 192.0.2.1\nsip.carrier.test A 192.0.2.2");
    assert_eq!(
        zone.peers(Target::new("sip.carrier.test")),
        ["UDP:192.0.2.1:5060", "UDP:192.0.2.2:5060"]
    );
}

/// RFC 3263 §4.3, RFC 2782: hosts by priority, and all addresses of each.
#[test]
fn a_list_by_priority_with_every_address() {
    let mut zone = Zone::read(
        "_sip._udp.carrier.test SRV 20 0 5070 far.test
         _sip._udp.carrier.test SRV 10 0 5060 near.test
         _sip._udp.carrier.test SRV 30 0 5080 gone.test
         near.test A 192.0.2.1
         near.test AAAA 2001:db8::1
         near.test A 192.0.2.2
         far.test AAAA 2001:db8::2",
    );
    zone.families = Families::V6ThenV4;
    let udp = Target {
        transport: Some(Transport::Udp),
        ..Target::new("carrier.test")
    };
    assert_eq!(
        zone.peers(udp.clone()),
        [
            "UDP:[2001:db8::1]:5060",
            "UDP:192.0.2.1:5060",
            "UDP:192.0.2.2:5060",
            "UDP:[2001:db8::2]:5070"
        ]
    );
    zone.families = Families::V6;
    assert_eq!(
        zone.peers(udp.clone()),
        ["UDP:[2001:db8::1]:5060", "UDP:[2001:db8::2]:5070"]
    );
    zone.families = Families::V4;
    assert_eq!(
        zone.peers(udp),
        ["UDP:192.0.2.1:5060", "UDP:192.0.2.2:5060"]
    );
}

/// RFC 3263 §4.2: A and AAAA of the name are asked only if there was no list; a list that leads nowhere is still a list.
#[test]
fn a_list_without_addresses_is_not_a_reason_to_guess() {
    let mut zone = Zone::read(
        "_sip._udp.carrier.test SRV 1 1 5060 gone.test
         carrier.test A 192.0.2.1",
    );
    let host = "carrier.test".to_owned();
    assert_eq!(
        zone.resolve(Target::new("carrier.test")),
        Err(Unresolved::NoAddress { host })
    );
    assert!(!zone.asked.contains(&"A carrier.test".to_owned()));
}

/// RFC 2782, "Target": "A Target of "." means that the service is decidedly not available at this domain."
#[test]
fn a_service_that_is_decidedly_absent() {
    let mut zone = Zone::read(
        "_sips._tcp.carrier.test SRV 0 0 0 .
         _sip._tcp.carrier.test SRV 0 0 0 .
         _sip._udp.carrier.test SRV 0 0 0 .
         carrier.test A 192.0.2.1",
    );
    assert_eq!(
        zone.resolve(Target::new("carrier.test")),
        Err(Unresolved::NotOffered {
            host: "carrier.test".to_owned(),
            wanted: "TLS, TCP, UDP".to_owned()
        })
    );
}

/// The least time to live of all that was used; the promise "DNS failure: else error <= 5 s" needs an end at any moment.
#[test]
fn the_time_to_live_is_the_least_and_the_search_can_end_at_any_moment() {
    let mut zone = Zone::read("_sip._udp.carrier.test SRV 1 1 5060 a.test\na.test A 192.0.2.1");
    zone.ttls
        .insert("A a.test".to_owned(), Duration::from_secs(60));
    let target = Target {
        transport: Some(Transport::Udp),
        ..Target::new("carrier.test")
    };
    let found = zone.resolve(target.clone()).unwrap();
    assert_eq!(found.ttl, Some(Duration::from_secs(60)));

    for rounds in 0..3 {
        let mut lookup = Lookup::new(Target::new("carrier.test"), zone.options());
        for _ in 0..rounds {
            zone.answer_all(&mut lookup);
        }
        lookup.give_up();
        let host = "carrier.test".to_owned();
        assert_eq!(
            lookup.result(),
            Some(&Err(Unresolved::Away { host })),
            "after {rounds}"
        );
    }
}

/// A name server that fails is not one that says no: a list may exist, so the name itself is not tried instead of it.
#[test]
fn a_server_that_fails_is_not_one_that_says_no() {
    let text = "carrier.test A 192.0.2.1";
    let (target, host) = (Target::new("carrier.test"), "carrier.test".to_owned());
    for away in ["SRV _sip._udp.carrier.test", "A carrier.test"] {
        let mut zone = Zone::read(text);
        zone.away.push(away.to_owned());
        let expected = Err(Unresolved::Away { host: host.clone() });
        assert_eq!(zone.resolve(target.clone()), expected, "{away}");
    }
    // Many routers drop NAPTR; nothing is decided by it that the lists do not decide too.
    let mut zone = Zone::read(text);
    zone.away.push("NAPTR carrier.test".to_owned());
    assert_eq!(zone.peers(target), ["UDP:192.0.2.1:5060"]);
}

#[test]
fn what_is_no_host_is_said_to_be_none() {
    let long = "a.".repeat(200);
    for host in ["", "a b", "http://x", "[::g]", "x/y", &long] {
        let result = Zone::empty().resolve(Target::new(host));
        assert!(
            matches!(result, Err(Unresolved::NotAHost { .. })),
            "{host:?}"
        );
    }
}

/// Whatever a hostile name server says, a search asks little, ends, and gives few peers.
#[test]
fn a_hostile_name_server_gets_little() {
    for seed in 0..300 {
        let mut random = StdRng::seed_from_u64(seed);
        let mut zone = Zone::empty();
        zone.families = Families::V4ThenV6;
        let mut lookup = Lookup::new(Target::new("victim.test"), zone.options());
        let mut asked = 0;
        while let Some(query) = lookup.poll_query() {
            asked += 1;
            lookup.answered(&query, hostile(&mut random, &query));
        }
        let result = lookup.result();
        assert!(asked <= 1 + 6 + 16, "seed {seed}: {asked} questions");
        let peers = result.unwrap_or_else(|| panic!("seed {seed}: no end"));
        let peers = peers.as_ref().map_or(0, |found| found.peers.len());
        assert!(peers <= 16, "seed {seed}: {peers} peers");
    }
}

fn hostile(random: &mut StdRng, query: &Query) -> Result<Answer, NoAnswer> {
    let count = random.random_range(0..200_u16);
    let name = |random: &mut StdRng| match random.random_range(0..5) {
        0 => ".".to_owned(),
        1 => "x".repeat(10_000),
        2 => "\r\nINVITE".to_owned(),
        3 => "127.0.0.1".to_owned(),
        _ => format!("h{}.test.", random.random_range(0..1_000)),
    };
    let ip = |n: u16| IpAddr::from([192, 0, (n >> 8) as u8, n as u8]);
    let records = match query {
        Query::Naptr(_) => Records::Naptr(
            (0..count)
                .map(|order| Naptr {
                    order,
                    preference: random.random(),
                    flags: "s".to_owned(),
                    services: "SIP+D2U".to_owned(),
                    replacement: name(random),
                })
                .collect(),
        ),
        Query::Srv(_) => Records::Srv(
            (0..count)
                .map(|_| Srv {
                    priority: random.random(),
                    weight: u16::MAX,
                    port: random.random(),
                    target: name(random),
                })
                .collect(),
        ),
        Query::A(_) | Query::Aaaa(_) => Records::Addresses((0..count).map(ip).collect()),
    };
    let ttl = Duration::MAX;
    Ok(Answer { records, ttl })
}

/// A domain name system of a few lines: `name TYPE fields`.
struct Zone {
    lines: Vec<Vec<String>>,
    /// Questions that get no answer.
    away: Vec<String>,
    ttls: BTreeMap<String, Duration>,
    asked: Vec<String>,
    families: Families,
    transports: Vec<Transport>,
}

impl Zone {
    fn empty() -> Self {
        Self::read("")
    }

    fn read(text: &str) -> Self {
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect();
        Self {
            lines: text.lines().map(words).collect(),
            away: Vec::new(),
            ttls: BTreeMap::new(),
            asked: Vec::new(),
            families: Families::V4,
            transports: vec![Transport::Tls, Transport::Tcp, Transport::Udp],
        }
    }

    fn options(&self) -> LookupOptions {
        LookupOptions {
            transports: self.transports.clone(),
            ..LookupOptions::new(self.families, 7)
        }
    }

    fn peers(&mut self, target: Target) -> Vec<String> {
        let found = self.resolve(target).unwrap();
        found.peers.iter().map(Peer::to_string).collect()
    }

    fn resolve(&mut self, target: Target) -> Result<Resolved, Unresolved> {
        self.asked.clear();
        let mut lookup = Lookup::new(target, self.options());
        while lookup.result().is_none() {
            assert!(self.answer_all(&mut lookup), "nothing asked and no result");
        }
        lookup.result().cloned().unwrap()
    }

    /// Answers what is open, last question first: answers come in any order.
    fn answer_all(&mut self, lookup: &mut Lookup) -> bool {
        let open: Vec<Query> = std::iter::from_fn(|| lookup.poll_query()).collect();
        for query in &open {
            self.asked.push(query.to_string());
        }
        for query in open.iter().rev() {
            lookup.answered(query, self.answer(query));
        }
        !open.is_empty()
    }

    fn answer(&self, query: &Query) -> Result<Answer, NoAnswer> {
        let asked = query.to_string();
        if self.away.contains(&asked) {
            return Err(NoAnswer::Away);
        }
        let fields = self.lines.iter().filter_map(|line| match line.as_slice() {
            [name, kind, fields @ ..] if asked == format!("{kind} {name}") => Some(fields),
            _ => None,
        });
        let fields: Vec<&[String]> = fields.collect();
        if fields.is_empty() {
            return Err(NoAnswer::Nothing);
        }
        let number = |text: &String| text.parse::<u16>().unwrap();
        let records = match query {
            Query::Naptr(_) => Records::Naptr(
                fields
                    .iter()
                    .map(|field| Naptr {
                        order: number(&field[0]),
                        preference: number(&field[1]),
                        flags: field[2].clone(),
                        services: field[3].clone(),
                        replacement: field[4].clone(),
                    })
                    .collect(),
            ),
            Query::Srv(_) => Records::Srv(
                fields
                    .iter()
                    .map(|field| Srv {
                        priority: number(&field[0]),
                        weight: number(&field[1]),
                        port: number(&field[2]),
                        target: field[3].clone(),
                    })
                    .collect(),
            ),
            Query::A(_) | Query::Aaaa(_) => {
                let ips = fields.iter().map(|field| field[0].parse().unwrap());
                Records::Addresses(ips.collect())
            }
        };
        let default = Duration::from_secs(3_600);
        let ttl = self.ttls.get(&asked).copied().unwrap_or(default);
        Ok(Answer { records, ttl })
    }
}
