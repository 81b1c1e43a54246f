use std::net::{Ipv4Addr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use housecall_carrier::Stage;
use housecall_phone::Trunk;
use housecall_sip::digest::{Credentials, Guard};
use housecall_sip::{Message, Method, Name, Peer, Transport};

use super::browser::Offering;
use super::far::{Away, Far, Table, status};
use super::world::{World, shows, within};
use crate::dns::Srv;
use crate::sip::Target;
use crate::{
    CallPhase, DialLimits, DialRefused, Dialed, Dialing, EngineOptions, TooManyCalls, TrunkSetup,
    TrunkState,
};

const TONE: &str = "0491 570 157";
const NEVER_ANSWERS: &str = "0491 570 159";

/// The promise of the fault matrix: the next trunk within 5 s.
const NEXT_TRUNK: Duration = Duration::from_secs(5);

/// Puts a trunk at `peer` before the one that works.
fn first(options: &mut EngineOptions, peer: Peer, change: impl FnOnce(&mut Trunk)) {
    let mut trunk = Trunk::new("First", "first.test");
    change(&mut trunk);
    options.trunks.insert(0, TrunkSetup::new(trunk, peer));
}

async fn dial(world: &World, to: &str) -> Dialing {
    let offer = Offering::new().await.offer;
    world.dial(to, &offer).await.unwrap()
}

/// Waits until the phone rings or is answered, and says how long that took.
async fn reaches(dialing: &Dialing, since: Instant) -> Duration {
    let reached = |phase| !matches!(phase, CallPhase::Dialing | CallPhase::Ended);
    let mut view = dialing.view();
    shows(&mut view, "a phone that rings", |view| reached(view.phase)).await;
    since.elapsed()
}

#[tokio::test]
async fn a_trunk_that_says_nothing_gives_way_within_five_seconds() {
    let far = Far::silent().await;
    let world = World::new(100, |options| first(options, far.peer, |_| {})).await;
    let start = Instant::now();
    let dialing = dial(&world, NEVER_ANSWERS).await;
    let took = reaches(&dialing, start).await;
    assert!(took < NEXT_TRUNK, "{took:?}");
    assert!(far.heard(Method::Invite) > 1, "it was given several tries");
}

#[tokio::test]
async fn a_trunk_that_refuses_connections_gives_way_at_once() {
    let closed = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let closed = Peer::tcp(closed.local_addr().unwrap());
    let world = World::new(100, |options| first(options, closed, |_| {})).await;
    let start = Instant::now();
    let took = reaches(&dial(&world, NEVER_ANSWERS).await, start).await;
    assert!(took < NEXT_TRUNK / 2, "{took:?}");
}

/// RFC 3261 §21.5.4: the 503 is acknowledged, the next trunk is tried, and the first one is left alone for its Retry-After.
#[tokio::test]
async fn a_trunk_that_says_503_gives_way_at_once_and_is_left_alone() {
    let far = Far::new(|request| {
        let code = match request.method()? {
            Method::Invite => 503,
            _ => 200,
        };
        let answer = status(request, code);
        Some(answer.header(Name::RetryAfter, "60").build())
    })
    .await;
    let world = World::new(100, |options| first(options, far.peer, |_| {})).await;
    let start = Instant::now();
    let call = dial(&world, NEVER_ANSWERS).await;
    let took = reaches(&call, start).await;
    assert!(took < NEXT_TRUNK / 2, "{took:?}");
    super::world::until("an ACK", || (far.heard(Method::Ack) > 0).then_some(())).await;
    call.hang_up_handle().hang_up();
    assert_eq!(world.first_record().await.outcome, "cancelled");

    let again = dial(&world, TONE).await;
    reaches(&again, Instant::now()).await;
    assert_eq!(far.heard(Method::Invite), 1, "it asked to be left alone");
    again.hang_up_handle().hang_up();
    assert_eq!(world.engine.trunks().borrow().len(), 2);
}

/// RFC 3261 §10, §22: registered with the password, and only then does the trunk take calls.
#[tokio::test]
async fn a_trunk_that_demands_registration_gets_it() {
    let is_registered = Arc::new(AtomicBool::new(false));
    let registrar = registrar(is_registered.clone()).await;
    let world = World::new(100, |options| {
        let trunk = Trunk::new("Registrar", "first.test")
            .with_credentials(Credentials::new("clinic", "secret"));
        let setup = TrunkSetup::new(trunk, registrar.peer).with_registration("clinic");
        options.trunks = vec![setup];
    })
    .await;
    let mut trunks = world.engine.trunks();
    shows(&mut trunks, "a trunk that is up", |trunks| {
        trunks[0].state == TrunkState::Up && trunks[0].words == "registered"
    })
    .await;
    let dialing = dial(&world, TONE).await;
    let Some(Dialed::Unanswered(record)) = within(dialing.answered()).await else {
        panic!("answered");
    };
    assert_eq!(record.outcome, "busy");
    assert!(world.engine.end_all(super::world::PATIENCE).await);
    assert!(!is_registered.load(Ordering::SeqCst), "we left");
}

/// Takes calls of whoever is registered (they are busy), and registers who knows the password.
async fn registrar(is_registered: Arc<AtomicBool>) -> Far {
    let mut guard = Guard::new("first.test", 1);
    let clinic = Credentials::new("clinic", "secret");
    let mut register = move |request: &Message| {
        let mut answers = request.authorizations(Name::Authorization).into_iter();
        let asked = (request.method()?, request.request_uri()?);
        let now = Instant::now();
        let passed = answers.any(|answer| guard.check(now, &answer, asked, &clinic).is_ok());
        if !passed {
            let [first, second] = guard.challenge(now, false);
            let refused = status(request, 401).header(Name::WwwAuthenticate, first);
            return Some((false, refused.header(Name::WwwAuthenticate, second).build()));
        }
        let contact = request.header(Name::Contact).unwrap_or_default();
        let expires = request
            .expires()
            .ok()
            .flatten()
            .unwrap_or_default()
            .as_secs();
        let contact = format!("{contact};expires={expires}");
        let granted = status(request, 200).header(Name::Contact, contact);
        is_registered.store(expires > 0, Ordering::SeqCst);
        Some((expires > 0, granted.build()))
    };
    let mut knows_us = false;
    Far::new(move |request| match request.method()? {
        Method::Register => {
            let (now_known, answer) = register(request)?;
            knows_us |= now_known;
            Some(answer)
        }
        Method::Invite if !knows_us => Some(status(request, 403).build()),
        Method::Invite => Some(status(request, 486).build()),
        _ => Some(status(request, 200).build()),
    })
    .await
}

#[tokio::test]
async fn a_trunk_that_falls_silent_is_seen_down_and_up_again() {
    let is_awake = Arc::new(AtomicBool::new(true));
    let awake = is_awake.clone();
    let far = Far::new(move |request| {
        let is_awake = awake.load(Ordering::SeqCst);
        is_awake.then(|| status(request, 200).build())
    })
    .await;
    let world = World::new(0, |options| {
        let setup = TrunkSetup::new(Trunk::new("First", "first.test"), far.peer);
        let ping = Some(Duration::from_millis(100));
        options.trunks = vec![TrunkSetup { ping, ..setup }];
    })
    .await;
    let mut trunks = world.engine.trunks();
    for (is_up, state) in [
        (true, TrunkState::Up),
        (false, TrunkState::Down),
        (true, TrunkState::Up),
    ] {
        is_awake.store(is_up, Ordering::SeqCst);
        shows(&mut trunks, "its state", |trunks| trunks[0].state == state).await;
    }
}

/// An administrator reads why, not only that.
#[tokio::test]
async fn a_trunk_that_cannot_be_reached_says_why() {
    let closed = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let closed = Peer::tcp(closed.local_addr().unwrap());
    let world = World::new(0, |options| {
        let setup = TrunkSetup::new(Trunk::new("First", "first.test"), closed);
        let ping = Some(Duration::from_millis(100));
        options.trunks = vec![TrunkSetup { ping, ..setup }];
    })
    .await;
    let mut trunks = world.engine.trunks();
    shows(&mut trunks, "the reason", |trunks| {
        let trunk = &trunks[0];
        trunk.state == TrunkState::Down && trunk.words.to_lowercase().contains("refused")
    })
    .await;
}

/// RFC 3263 §4.2, §4.3: a trunk known by its domain; the first of its hosts is dead.
#[tokio::test]
async fn the_next_host_of_an_srv_list_is_tried() {
    let far = Far::silent().await;
    let world = World::new(100, |options| {
        let good = options.trunks.remove(0);
        let crate::Reach::Peers(peers) = &good.reach else {
            panic!("{good:?}");
        };
        let host = |priority, peer: Peer| Srv {
            priority,
            weight: 0,
            port: peer.addr.port(),
            target: format!("host{priority}.carrier.test."),
        };
        let list = vec![host(2, peers[0]), host(1, far.peer)];
        let lists = [("_sip._udp.carrier.test".to_owned(), list)].into();
        options.dns = Arc::new(Table { lists });
        let trunk = Trunk {
            answer_within: Duration::from_millis(600),
            ..(*good.trunk).clone()
        };
        let target = Target {
            transport: Some(Transport::Udp),
            ..Target::new("carrier.test")
        };
        options.trunks = vec![TrunkSetup::new(trunk, target)];
    })
    .await;
    let start = Instant::now();
    let dialing = dial(&world, TONE).await;
    let took = reaches(&dialing, start).await;
    assert!(took < NEXT_TRUNK, "{took:?}");
    assert!(far.heard(Method::Invite) > 0, "the first host comes first");
    world
        .far_end(TONE, "the call", |call| call.stage == Stage::Talking)
        .await;
}

/// The promise of the fault matrix: without name servers an error within 5 s; nothing is reserved.
#[tokio::test]
async fn a_trunk_that_cannot_be_found_is_refused_in_words_within_five_seconds() {
    let world = World::new(100, |options| {
        options.dns = Arc::new(Away);
        let trunk = Trunk::new("Harbour", "carrier.test");
        options.trunks = vec![TrunkSetup::new(trunk, Target::new("carrier.test"))];
    })
    .await;
    let offer = Offering::new().await.offer;
    let start = Instant::now();
    let refused = world.dial(TONE, &offer).await.unwrap_err();
    assert!(start.elapsed() < Duration::from_millis(5_500));
    let DialRefused::NoTrunkReached(words) = &refused else {
        panic!("{refused}");
    };
    assert!(
        words.contains("Harbour") && words.contains("carrier.test"),
        "{words}"
    );
    assert_eq!(world.settled().await, 100);
}

/// P6: lines of a trunk.
#[tokio::test]
async fn p6_a_trunk_with_one_line_takes_one_call() {
    let world = World::new(100, |options| options.trunks[0].calls_max = Some(1)).await;
    let first = dial(&world, NEVER_ANSWERS).await;
    let offer = Offering::new().await.offer;
    let second = world.dial(TONE, &offer).await.unwrap_err();
    let DialRefused::Limit(TooManyCalls::Trunk { limit: 1, .. }) = second else {
        panic!("{second}");
    };
    first.hang_up_handle().hang_up();
    world.first_record().await;
    dial(&world, TONE).await;
}

/// Incident row 35 (toll fraud, pumped traffic): closed lists of destinations and caps on everybody, decided before anything is
/// reserved and before any INVITE leaves.
#[tokio::test]
async fn row_35_toll_fraud_is_stopped_before_any_invite_leaves() {
    let far = Far::new(|request| {
        let code = if request.method()? == &Method::Invite {
            486
        } else {
            200
        };
        Some(status(request, code).build())
    })
    .await;
    let world = World::new(10_000, |options| {
        options.limits = DialLimits {
            per_second: 1_000,
            ..DialLimits::default()
        };
        options.trunks.clear();
        first(options, far.peer, |_| {});
    })
    .await;
    let offer = Offering::new().await.offer;
    // Satellite, a revenue-sharing island, premium, and a country nobody opened: closed unless opened.
    for number in [
        "+881 6 3123 4567",
        "+252 63 4123456",
        "1900 654 321",
        "+1 876 555 0100",
    ] {
        let refused = world.dial(number, &offer).await.unwrap_err();
        assert!(
            matches!(refused, DialRefused::Destination(_)),
            "{number}: {refused}"
        );
    }
    assert_eq!(far.heard(Method::Invite), 0);
    // A script with somebody's session: busy numbers, as fast as it can.
    let numbers: Vec<String> = (110..=160).map(|last| format!("0491 570 {last}")).collect();
    let mut refused = 0;
    for number in &numbers {
        match world.dial(number, &offer).await {
            Ok(dialing) => drop(within(dialing.answered()).await),
            Err(DialRefused::Limit(_)) => refused += 1,
            Err(other) => panic!("{other}"),
        }
    }
    let limit = DialLimits::default().per_caller_in_window;
    assert_eq!(refused, numbers.len() - limit);
    assert_eq!(world.settled().await, 10_000);
    assert_eq!(
        far.heard(Method::Invite),
        limit,
        "each refused before it was rung"
    );
}

/// A page that closes between Call and ringing leaves nothing reserved.
#[tokio::test]
async fn a_dial_that_nobody_waits_for_is_settled() {
    let world = World::with_credits(100).await;
    let offer = Offering::new().await.offer;
    let impatient = tokio::time::timeout(Duration::ZERO, world.dial(TONE, &offer)).await;
    drop(impatient);
    assert_eq!(world.settled().await, 100);
}
