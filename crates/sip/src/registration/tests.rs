use super::*;
use crate::ResponseBuilder;
use crate::user_agent::{Event, Input, Output, UserAgent};

const HOUR: Duration = Duration::from_secs(3600);

fn peer(number: u8) -> Peer {
    Peer::udp(([192, 0, 2, number], 5060).into())
}

/// A registration on a user agent of its own, in virtual time, and the registrars it speaks to.
struct Clinic {
    now: Instant,
    agent: UserAgent,
    registration: Registration,
    sent: Vec<(Peer, Message)>,
}

impl Clinic {
    fn with_peers(peers: &[Peer], seed: u64) -> Self {
        let now = Instant::now();
        let local = "[2001:db8::10]:5080".parse().unwrap();
        let agent = AgentOptions {
            contact_user: "clinic".to_owned(),
            ..AgentOptions::new(local, seed)
        };
        let address = Uri::parse("sip:clinic@sip.carrier.test").unwrap();
        let registrar = Uri::parse("sip:sip.carrier.test").unwrap();
        let options = RegistrationOptions::new(address, registrar, agent.clone());
        let mut clinic = Self {
            now,
            agent: UserAgent::new(agent),
            registration: Registration::new(now, options, seed),
            sent: Vec::new(),
        };
        clinic.registration.set_peers(now, peers.to_vec());
        clinic.wake();
        clinic
    }

    fn state(&self) -> RegistrationState {
        self.registration.state(self.now)
    }

    /// Wakes whoever is due.
    fn wake(&mut self) {
        let ask = self.registration.handle_timeout(self.now);
        self.follow(ask);
        self.agent.handle_timeout(self.now);
        self.drain();
    }

    fn follow(&mut self, ask: Option<Ask>) {
        if let Some(ask) = ask {
            self.agent.ask(self.now, ask);
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.agent.poll_output() {
            let ask = match output {
                Output::Send { to, bytes } => {
                    self.sent.push((to, Message::parse(bytes).unwrap()));
                    None
                }
                Output::Event(Event::Replied { message, .. }) => {
                    self.registration.replied(self.now, &message)
                }
                Output::Event(Event::AskFailed { end, .. }) => {
                    self.registration.failed(self.now, end)
                }
                Output::Event(other) => panic!("{other:?}"),
            };
            self.follow(ask);
        }
    }

    /// Lets time pass until the next REGISTER that is not a repetition, and says how much of it.
    fn next_register(&mut self) -> Duration {
        let start = self.now;
        let known = self.last().1.cseq().unwrap();
        while self.last().1.cseq().unwrap() == known {
            let next = self.agent.poll_timeout().into_iter();
            self.now = next.chain(self.registration.poll_timeout()).min().unwrap();
            self.wake();
        }
        self.now - start
    }

    fn last(&self) -> &(Peer, Message) {
        self.sent.last().unwrap()
    }

    /// The registrar answers the last REGISTER.
    fn hears(&mut self, status: u16, headers: &[(&str, &str)]) {
        let (from, request) = self.last().clone();
        let mut builder = ResponseBuilder::new(&request, StatusCode::new(status).unwrap());
        for (name, value) in headers {
            builder = builder.header(Name::from_text(name), value);
        }
        let message = builder.to_tag("r").build();
        let input = Input::Received { from, message };
        self.agent.handle_input(self.now, input);
        self.drain();
    }

    fn grant(&mut self, seconds: u32) {
        let contact = self.last().1.header(Name::Contact).unwrap();
        let contact = format!("{contact};expires={seconds}");
        self.hears(200, &[("Contact", &contact)]);
    }
}

/// RFC 3261 §10.2: no user in the request URI, To and From alike, the same Call-ID, a CSeq that rises.
#[test]
fn every_register_is_of_one_registration() {
    let mut clinic = Clinic::with_peers(&[peer(1)], 1);
    let (to, first) = clinic.last().clone();
    assert_eq!(to, peer(1));
    assert_eq!(first.method(), Some(&Method::Register));
    assert_eq!(first.request_uri(), Some("sip:sip.carrier.test"));
    assert_eq!(first.from().unwrap().uri, first.to().unwrap().uri);
    let contact = first.contact().unwrap().unwrap();
    assert_eq!(contact.uri.as_str(), "sip:clinic@[2001:db8::10]:5080");
    assert_eq!(first.expires().unwrap(), Some(HOUR));
    for _ in 0..5 {
        let before = clinic.last().1.clone();
        clinic.grant(60);
        clinic.next_register();
        let after = &clinic.last().1;
        assert_eq!(after.call_id(), before.call_id());
        assert!(after.cseq().unwrap().number > before.cseq().unwrap().number);
    }
}

/// RFC 3261 §10.2.4: the `expires` of our Contact among all of them, else the Expires header, else what we asked for.
#[test]
fn what_the_registrar_grants_is_what_counts() {
    let ours = "<sip:clinic@[2001:db8::10]:5080>";
    let theirs = "<sip:clinic@192.0.2.99>;expires=5";
    let both = format!("{theirs}, {ours};expires=120");
    for (headers, granted) in [
        (vec![("Contact", both.as_str())], 120),
        (vec![("Contact", ours), ("Expires", "240")], 240),
        (vec![("Expires", "300")], 300),
        (vec![], 3600),
        // A registrar that sees us behind a translator of addresses.
        (
            vec![("Contact", "<sip:clinic@203.0.113.5:1024>;expires=90")],
            90,
        ),
    ] {
        let mut clinic = Clinic::with_peers(&[peer(1)], 2);
        clinic.hears(200, &headers);
        let until = clinic.now + Duration::from_secs(granted);
        let peer = peer(1);
        assert_eq!(
            clinic.state(),
            RegistrationState::Registered { peer, until }
        );
        let pause = clinic.next_register().as_secs_f64() / granted as f64;
        assert!((0.75..=0.9).contains(&pause), "{headers:?}: after {pause}");
    }
    let mut clinic = Clinic::with_peers(&[peer(1)], 2);
    clinic.hears(200, &[("Contact", &format!("{ours};expires=0"))]);
    assert_eq!(clinic.state(), RegistrationState::Failed(Trouble::NotBound));
}

#[test]
fn refreshes_of_many_do_not_come_in_step() {
    let pause = |seed| {
        let mut clinic = Clinic::with_peers(&[peer(1)], seed);
        clinic.grant(3600);
        clinic.next_register()
    };
    let pauses: std::collections::BTreeSet<_> = (0..20).map(pause).collect();
    assert!(pauses.len() > 15, "{pauses:?}");
}

/// RFC 3261 §10.2.8: after a 423 it may be tried again with what Min-Expires names, or more.
#[test]
fn a_423_asks_for_longer_once() {
    let mut clinic = Clinic::with_peers(&[peer(1)], 3);
    clinic.hears(423, &[("Min-Expires", "7200")]);
    assert_eq!(clinic.sent.len(), 2);
    assert_eq!(clinic.last().1.expires().unwrap(), Some(2 * HOUR));
    // A registrar that is never content is not asked in a loop.
    clinic.hears(423, &[("Min-Expires", "7300")]);
    assert_eq!(clinic.sent.len(), 2);
    let refused = Trouble::Refused(StatusCode::INTERVAL_TOO_BRIEF);
    assert_eq!(clinic.state(), RegistrationState::Failed(refused));

    let mut clinic = Clinic::with_peers(&[peer(1)], 3);
    clinic.hears(423, &[("Min-Expires", "4294967295")]);
    assert_eq!(clinic.state(), RegistrationState::Failed(refused));
}

/// RFC 3263 §4.3: 503, silence and closed ports lead to the next peer; RFC 5626 §4.5 to a pause after the last.
#[test]
fn the_next_peer_is_tried_at_once() {
    let mut clinic = Clinic::with_peers(&[peer(1), peer(2), peer(3)], 4);
    clinic.hears(503, &[("Retry-After", "600")]);
    assert_eq!(clinic.last().0, peer(2));
    let peer2 = Input::TransportFailed { peer: peer(2) };
    clinic.agent.handle_input(clinic.now, peer2);
    clinic.drain();
    assert_eq!(clinic.last().0, peer(3));
    let silence = clinic.next_register();
    assert!(silence >= PATIENCE + Duration::from_secs(30), "{silence:?}");
    assert_eq!(clinic.last().0, peer(1));
    clinic.grant(60);
    let registered = matches!(clinic.state(), RegistrationState::Registered { peer, .. } if peer == self::peer(1));
    assert!(registered, "{:?}", clinic.state());
}

/// RFC 5626 §4.5: min(max, base * 2^failures), of that between half and all.
#[test]
fn pauses_grow_and_differ() {
    for seed in 0..30 {
        let mut clinic = Clinic::with_peers(&[peer(1)], seed);
        for longest in [60.0, 120.0, 240.0, 480.0, 960.0, 1800.0, 1800.0] {
            clinic.hears(500, &[]);
            let pause = clinic.next_register().as_secs_f64();
            assert!(
                (longest / 2.0..=longest).contains(&pause),
                "seed {seed}: {pause} of {longest}"
            );
        }
        clinic.grant(3600);
        clinic.next_register();
        clinic.hears(500, &[]);
        let pause = clinic.next_register().as_secs_f64();
        assert!(pause <= 60.0, "seed {seed}: a success forgets the failures");
    }
}

/// RFC 3261 §20.33.
#[test]
fn a_registrar_that_asks_for_time_gets_it() {
    for (asked, waited) in [("300", 300), ("4294967295", 3600)] {
        let mut clinic = Clinic::with_peers(&[peer(1)], 5);
        clinic.hears(503, &[("Retry-After", asked)]);
        assert_eq!(clinic.next_register().as_secs(), waited);
    }
}

/// A wrong password that is tried every minute locks the account.
#[test]
fn a_wrong_password_is_tried_rarely() {
    for status in [401, 403, 407] {
        let mut clinic = Clinic::with_peers(&[peer(1)], 6);
        clinic.hears(status, &[]);
        let trouble = Trouble::NotAccepted(StatusCode::new(status).unwrap());
        assert_eq!(clinic.state(), RegistrationState::Failed(trouble));
        assert!(clinic.next_register() >= Duration::from_secs(900));
    }
}

/// A binding holds until it runs out, even if its refresh finds nobody.
#[test]
fn a_binding_holds_until_it_runs_out() {
    let mut clinic = Clinic::with_peers(&[peer(1)], 7);
    clinic.grant(100);
    let until = clinic.now + Duration::from_secs(100);
    clinic.next_register();
    let registered = RegistrationState::Registered {
        peer: peer(1),
        until,
    };
    clinic.now = until - Duration::from_millis(1);
    clinic.wake();
    assert_eq!(clinic.state(), registered);
    assert!(clinic.registration.poll_timeout() <= Some(until));
    clinic.now = until;
    assert_eq!(clinic.state(), RegistrationState::Failed(Trouble::Silence));
}

/// RFC 3261 §10.2.2: an Expires of 0 removes; nothing follows.
#[test]
fn a_stop_removes_the_binding() {
    let mut clinic = Clinic::with_peers(&[peer(1)], 8);
    clinic.grant(3600);
    let ask = clinic.registration.stop(clinic.now);
    clinic.follow(ask);
    clinic.drain();
    assert_eq!(clinic.last().1.expires().unwrap(), Some(Duration::ZERO));
    clinic.hears(200, &[]);
    assert_eq!(clinic.state(), RegistrationState::Stopped);
    assert_eq!(clinic.registration.poll_timeout(), None);
    // What was never registered has nothing to remove.
    let mut clinic = Clinic::with_peers(&[peer(1)], 8);
    assert!(clinic.registration.stop(clinic.now).is_none());
}

#[test]
fn a_registrar_that_moves_is_followed() {
    let mut clinic = Clinic::with_peers(&[peer(1), peer(2)], 9);
    clinic.grant(3600);
    // The order changes with every lookup; the binding stays where it is.
    clinic
        .registration
        .set_peers(clinic.now, vec![peer(2), peer(1)]);
    clinic.wake();
    assert_eq!(clinic.sent.len(), 1);
    clinic.registration.set_peers(clinic.now, vec![peer(3)]);
    clinic.wake();
    assert_eq!((clinic.sent.len(), clinic.last().0), (2, peer(3)));
}

#[test]
fn nothing_is_asked_while_no_peer_is_known() {
    let mut clinic = Clinic::with_peers(&[], 10);
    assert!(clinic.sent.is_empty());
    assert_eq!(clinic.registration.poll_timeout(), None);
    clinic.registration.set_peers(clinic.now, vec![peer(1)]);
    clinic.wake();
    assert_eq!(clinic.sent.len(), 1);
}
