//! A minder in virtual time: name servers, peers and a registrar that do as they are told.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use housecall_phone::Trunk;
use housecall_sip::ping::{DownBecause, Health};
use housecall_sip::registration::{RegistrationState, Trouble};
use housecall_sip::target::{Answer, NoAnswer, Query, Records, Srv, Target, Unresolved};
use housecall_sip::{Message, Method, Name, Peer, ResponseBuilder, StatusCode, Transport};

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const TTL: Duration = Duration::from_secs(300);
const FIRST: &str = "192.0.2.1";
const SECOND_HOST: &str = "192.0.2.2";

/// What a peer does with a request.
#[derive(Clone, Copy, Debug)]
enum Does {
    Answers(u16),
    Nothing,
    PortClosed,
}

struct Scene {
    now: Instant,
    start: Instant,
    minder: Minder,
    /// The hosts behind the SRV list; `None` while no name server answers.
    hosts: Option<Vec<&'static str>>,
    does: BTreeMap<SocketAddr, Does>,
    sent: Vec<(Duration, Peer, Message)>,
    queries: usize,
    seen: Option<Seen>,
}

impl Scene {
    fn of(setup: TrunkSetup, hosts: Option<Vec<&'static str>>) -> Self {
        let now = Instant::now();
        let local = "192.0.2.100:5060".parse().unwrap();
        let options = MinderOptions { local, seed: 7 };
        let minder = Minder::new(now, Arc::new(setup), options).unwrap();
        let mut scene = Self {
            now,
            start: now,
            minder,
            hosts,
            does: BTreeMap::new(),
            sent: Vec::new(),
            queries: 0,
            seen: None,
        };
        scene.drain();
        scene
    }

    fn by_name(hosts: Option<Vec<&'static str>>) -> Self {
        Self::of(TrunkSetup::new(trunk(), target()), hosts)
    }

    fn peer_does(&mut self, host: &str, does: Does) {
        self.does.insert(peer(host).addr, does);
    }

    /// Lets `time` pass.
    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(next) = self.minder.poll_timeout().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.minder.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    fn drain(&mut self) {
        while let Some(output) = self.minder.poll_output() {
            match output {
                Output::Send { to, bytes } => self.carry(to, Message::parse(bytes).unwrap()),
                Output::Query(query) => {
                    self.queries += 1;
                    let heard = self.look_up(&query);
                    self.minder.found(self.now, &query, heard);
                }
                Output::Seen(seen) => self.seen = Some(seen),
            }
        }
    }

    fn carry(&mut self, to: Peer, request: Message) {
        let at = self.now - self.start;
        self.sent.push((at, to, request.clone()));
        match self
            .does
            .get(&to.addr)
            .copied()
            .unwrap_or(Does::Answers(200))
        {
            Does::Answers(status) => {
                let status = StatusCode::new(status).unwrap();
                let contact = request.header(Name::Contact).unwrap_or_default();
                let mut answer = ResponseBuilder::new(&request, status).to_tag("far");
                if !contact.is_empty() {
                    answer = answer.header(Name::Contact, format!("{contact};expires=600"));
                }
                self.minder.hear(self.now, to, answer.build());
            }
            Does::PortClosed => self
                .minder
                .transport_failed(self.now, to, "the port is closed"),
            Does::Nothing => {}
        }
    }

    fn look_up(&self, query: &Query) -> Result<Answer, NoAnswer> {
        let hosts = self.hosts.as_ref().ok_or(NoAnswer::Away)?;
        let srv = |(priority, host): (usize, &&str)| Srv {
            priority: priority as u16,
            weight: 0,
            port: 5060,
            target: format!("h{}.carrier.test.", host.replace('.', "-")),
        };
        let records = match query {
            Query::Srv(name) if name == "_sip._udp.carrier.test" => {
                Records::Srv(hosts.iter().enumerate().map(srv).collect())
            }
            Query::A(name) => {
                let name = name
                    .trim_start_matches('h')
                    .trim_end_matches(".carrier.test");
                Records::Addresses(vec![name.replace('-', ".").parse().unwrap()])
            }
            _ => return Err(NoAnswer::Nothing),
        };
        Ok(Answer { records, ttl: TTL })
    }

    fn seen(&self) -> &Seen {
        self.seen.as_ref().expect("nothing seen")
    }

    fn health(&self) -> Vec<(String, Health)> {
        let peers = self.seen().peers.iter();
        peers
            .map(|(peer, health)| (peer.addr.ip().to_string(), *health))
            .collect()
    }

    fn methods(&self) -> Vec<Method> {
        let methods = self.sent.iter().map(|(_, _, message)| message.method());
        methods.map(|method| method.unwrap().clone()).collect()
    }
}

fn trunk() -> Trunk {
    Trunk::new("Carrier", "carrier.test")
}

fn target() -> Target {
    Target {
        transport: Some(Transport::Udp),
        ..Target::new("carrier.test")
    }
}

fn peer(host: &str) -> Peer {
    Peer::udp(SocketAddr::new(host.parse().unwrap(), 5060))
}

fn host(host: &str, health: Health) -> (String, Health) {
    (host.to_owned(), health)
}

/// RFC 3263 §4: found by its list, in the order of the priorities; RFC 3261 §11: both peers answer.
#[test]
fn a_trunk_is_found_by_name_and_answers() {
    let mut scene = Scene::by_name(Some(vec![FIRST, SECOND_HOST]));
    scene.run(SECOND);
    let up = Health::Up;
    assert_eq!(scene.health(), [host(FIRST, up), host(SECOND_HOST, up)]);
    let (_, _, options) = &scene.sent[0];
    assert_eq!(options.method(), Some(&Method::Options));
    assert_eq!(options.request_uri(), Some("sip:carrier.test"));
    let contact = options.contact().unwrap().unwrap();
    assert_eq!(contact.uri.as_str(), "sip:192.0.2.100:5060");
}

/// Trunks that know us by the name in our certificate want it in From and Contact of a ping, and let no call in before they have seen it.
#[test]
fn a_ping_carries_the_name_that_the_trunk_knows_us_by() {
    let trunk = trunk().seen_as("sbc.clinic.test");
    let scene = Scene::of(TrunkSetup::new(trunk, peer(FIRST)), None);
    let (_, _, options) = &scene.sent[0];
    let contact = options.contact().unwrap().unwrap();
    assert_eq!(contact.uri.as_str(), "sip:sbc.clinic.test:5060");
    assert_eq!(options.from().unwrap().uri.host(), "sbc.clinic.test");
}

#[test]
fn a_peer_that_falls_silent_is_down_within_a_minute_and_the_other_stays_up() {
    let mut scene = Scene::by_name(Some(vec![FIRST, SECOND_HOST]));
    scene.run(SECOND);
    scene.peer_does(FIRST, Does::Nothing);
    scene.run(60 * SECOND);
    let down = Health::Down(DownBecause::Silence);
    assert_eq!(
        scene.health(),
        [host(FIRST, down), host(SECOND_HOST, Health::Up)]
    );
    scene.peer_does(FIRST, Does::Answers(200));
    scene.run(30 * SECOND);
    assert_eq!(
        scene.health(),
        [host(FIRST, Health::Up), host(SECOND_HOST, Health::Up)]
    );
}

/// A call found the peer wanting: nobody waits for the next ping.
#[test]
fn a_suspect_is_found_down_within_twenty_seconds() {
    let mut scene = Scene::by_name(Some(vec![FIRST]));
    scene.run(SECOND);
    scene.peer_does(FIRST, Does::PortClosed);
    scene.minder.suspect(scene.now, peer(FIRST));
    scene.drain();
    scene.run(20 * SECOND);
    let down = Health::Down(DownBecause::Unreachable);
    assert_eq!(scene.health(), [host(FIRST, down)]);
    assert_eq!(scene.seen().broken[&peer(FIRST)], "the port is closed");
    scene.peer_does(FIRST, Does::Answers(200));
    scene.run(20 * SECOND);
    assert!(scene.seen().broken.is_empty());
}

/// The promise "DNS failure: error within 5 s", and back without anybody's help.
#[test]
fn without_name_servers_the_search_ends_within_five_seconds_and_goes_on_later() {
    let mut scene = Scene::by_name(None);
    scene.run(5 * SECOND);
    let away = Unresolved::Away {
        host: "carrier.test".to_owned(),
    };
    assert_eq!(scene.seen().search_failed, Some(away));
    assert!(!scene.seen().is_searching && scene.seen().peers.is_empty());
    scene.hosts = Some(vec![FIRST]);
    scene.run(60 * SECOND);
    assert_eq!(scene.health(), [host(FIRST, Health::Up)]);
    assert_eq!(scene.seen().search_failed, None);
}

/// A name server that never answers at all is given up after 4.5 s.
#[test]
fn a_question_that_nobody_answers_does_not_hold_up_the_search() {
    let mut minder = Minder::new(
        Instant::now(),
        Arc::new(TrunkSetup::new(trunk(), target())),
        MinderOptions {
            local: "192.0.2.100:5060".parse().unwrap(),
            seed: 1,
        },
    )
    .unwrap();
    let start = Instant::now();
    let mut seen = None;
    while seen.is_none() {
        let at = minder.poll_timeout().unwrap();
        assert!(at < start + 5 * SECOND);
        minder.handle_timeout(at);
        while let Some(output) = minder.poll_output() {
            if let Output::Seen(it) = output {
                seen = Some(it);
            }
        }
    }
    assert!(seen.unwrap().search_failed.is_some());
}

/// The promise "cached target used until TTL + grace".
#[test]
fn an_address_outlives_the_name_servers() {
    let mut scene = Scene::by_name(Some(vec![FIRST]));
    scene.run(SECOND);
    scene.hosts = None;
    scene.run(23 * 3600 * SECOND);
    assert_eq!(scene.health(), [host(FIRST, Health::Up)]);
    assert!(scene.seen().search_failed.is_some());
    scene.run(3600 * SECOND + TTL);
    assert!(
        scene.seen().peers.is_empty(),
        "after the grace nobody knows"
    );
}

/// RFC 3263 §4: the list is looked at anew when its time to live is over.
#[test]
fn a_trunk_that_moves_is_followed() {
    let mut scene = Scene::by_name(Some(vec![FIRST]));
    scene.run(SECOND);
    scene.hosts = Some(vec![SECOND_HOST]);
    scene.run(TTL + SECOND);
    assert_eq!(scene.health(), [host(SECOND_HOST, Health::Up)]);
    let last = scene.sent.len();
    scene.run(120 * SECOND);
    let later = &scene.sent[last..];
    assert!(!later.is_empty() && later.iter().all(|(_, to, _)| *to == peer(SECOND_HOST)));
}

/// RFC 3261 §10: registered, refreshed before it runs out, removed at the end.
#[test]
fn a_trunk_with_registration_knows_us_until_we_leave() {
    let setup = TrunkSetup {
        ping: None,
        ..TrunkSetup::new(trunk(), peer(FIRST)).with_registration("clinic")
    };
    let mut scene = Scene::of(setup, None);
    scene.run(SECOND);
    let registered = |scene: &Scene| match scene.seen().registration {
        Some(RegistrationState::Registered { until, .. }) => until > scene.now,
        _ => false,
    };
    assert!(registered(&scene), "{:?}", scene.seen());
    for _ in 0..50 {
        scene.run(60 * SECOND);
        assert!(registered(&scene), "{:?}", scene.seen());
    }
    assert!(
        scene
            .methods()
            .iter()
            .all(|method| *method == Method::Register)
    );
    assert!(
        (5..=8).contains(&scene.sent.len()),
        "{} in 50 minutes",
        scene.sent.len()
    );
    scene.minder.leave(scene.now);
    scene.drain();
    assert!(scene.minder.is_idle());
    let (_, _, last) = scene.sent.last().unwrap();
    assert_eq!(last.expires().unwrap(), Some(Duration::ZERO));
    let sent = scene.sent.len();
    scene.run(3600 * SECOND);
    assert_eq!(scene.sent.len(), sent, "nothing follows");
}

#[test]
fn a_registrar_that_refuses_us_is_seen_to() {
    let setup = TrunkSetup::new(trunk(), peer(FIRST)).with_registration("clinic");
    let mut scene = Scene::of(setup, None);
    scene.peer_does(FIRST, Does::Answers(403));
    scene.run(30 * SECOND);
    scene.minder.suspect(scene.now, peer(FIRST));
    scene.run(3600 * SECOND);
    let refused = Trouble::NotAccepted(StatusCode::FORBIDDEN);
    assert_eq!(
        scene.seen().registration,
        Some(RegistrationState::Failed(refused))
    );
}

/// Nobody learns or changes anything by responses that answer nothing.
#[test]
fn forged_responses_change_nothing() {
    let mut scene = Scene::by_name(Some(vec![FIRST]));
    scene.run(SECOND);
    let before = scene.seen().clone();
    let (_, _, options) = scene.sent[0].clone();
    let genuine = String::from_utf8(options.bytes().to_vec()).unwrap();
    let branch = options.via().unwrap().branch().unwrap().to_owned();
    let forged = genuine.replace(&branch, "z9hG4bKforged");
    let forged = Message::parse(forged.into()).unwrap();
    for status in [200, 401, 407, 503, 408] {
        let status = StatusCode::new(status).unwrap();
        let answer = ResponseBuilder::new(&forged, status).to_tag("x").build();
        scene.minder.hear(scene.now, peer("203.0.113.66"), answer);
        scene.drain();
    }
    assert_eq!(*scene.seen(), before);
    assert_eq!(scene.sent.len(), 1);
}
