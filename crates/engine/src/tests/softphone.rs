use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use housecall_phone::{Country, Dial, Number, Route, Trunk};
use housecall_sip::digest::{Algorithm, Credentials, Guard};
use housecall_sip::{Message, Method, Name, Peer};
use tokio::net::TcpListener;

use super::far::{Far, status};
use super::world::within;
use crate::sip::{Obstacle, Secured};
use crate::softphone::{
    Asked, Connected, NoReply, NotConnected, Proof, Question, Reply, SoftEvent, Softphone,
    SoftphoneOptions, Way,
};
use crate::{TrunkMode, TrunkSetup};

fn setup(peer: Peer) -> TrunkSetup {
    let trunk =
        Trunk::new("Far", "far.test").with_credentials(Credentials::new("clinic", "secret"));
    TrunkSetup::new(trunk, peer)
}

fn registering(peer: Peer, seconds: u64) -> TrunkSetup {
    let user = "clinic".to_owned();
    let expires = Duration::from_secs(seconds);
    let mode = TrunkMode::Registration { user, expires };
    TrunkSetup {
        mode,
        ..setup(peer)
    }
}

async fn ask(
    phone: &Softphone,
    what: Asked,
    setup: TrunkSetup,
    peer: Peer,
) -> Result<Reply, NoReply> {
    let setup = Arc::new(setup);
    within(phone.ask(Question { what, peer, setup })).await
}

/// RFC 3261 §22: everything that was said is told, but for what must stay secret.
#[tokio::test]
async fn a_question_tells_what_was_asked_and_proved() {
    let mut guard = Guard::new("far.test", 1);
    let far = Far::new(move |request| {
        let known = Credentials::new("clinic", "secret");
        let place = (request.method()?, request.request_uri()?);
        let mut answers = request.authorizations(Name::Authorization).into_iter();
        let now = Instant::now();
        if answers.any(|answer| guard.check(now, &answer, place, &known).is_ok()) {
            return Some(status(request, 200).header(Name::Server, "far").build());
        }
        let [first, _] = guard.challenge(now, false);
        Some(
            status(request, 401)
                .header(Name::WwwAuthenticate, first)
                .build(),
        )
    })
    .await;
    let phone = Softphone::bind(SoftphoneOptions::default()).await.unwrap();
    let reply = ask(&phone, Asked::Registered, setup(far.peer), far.peer)
        .await
        .unwrap();
    assert_eq!(reply.message.header("Server"), Some("far"));
    assert_eq!(reply.granted, None);
    let told: Vec<_> = reply
        .trace
        .iter()
        .map(|message| (message.way, message.status()))
        .collect();
    assert_eq!(
        told,
        [
            (Way::Sent, None),
            (Way::Received, Some(401)),
            (Way::Sent, None),
            (Way::Received, Some(200))
        ]
    );
    let challenge = &reply.trace[1].challenges()[0];
    assert_eq!(
        (challenge.realm.as_str(), challenge.algorithm),
        ("far.test", Some(Algorithm::Sha256))
    );
    let proof = Proof {
        username: "clinic".to_owned(),
        realm: "far.test".to_owned(),
        algorithm: Algorithm::Sha256,
    };
    assert_eq!(reply.trace[2].proofs, [proof]);
    assert!(
        reply
            .trace
            .iter()
            .all(|message| message.header("Contact").is_none())
    );
    assert!(!format!("{reply:?}").contains("response="));
}

/// RFC 3261 §10.2.8, §10.2.2: a 423 asks for longer; the end removes the binding under the same Call-ID.
#[tokio::test]
async fn a_registration_that_is_too_short_is_made_for_longer_and_removed() {
    let far = Far::new(|request| {
        let asked = request.expires().ok()??;
        let contact = request.header(Name::Contact)?;
        Some(match asked.as_secs() {
            60 => status(request, 423).header(Name::MinExpires, "300").build(),
            seconds => {
                let contact = format!("{contact};expires={seconds}");
                status(request, 200).header(Name::Contact, contact).build()
            }
        })
    })
    .await;
    let phone = Softphone::bind(SoftphoneOptions::default()).await.unwrap();
    let setup = registering(far.peer, 60);
    let none = ask(&phone, Asked::Leave, setup.clone(), far.peer).await;
    assert!(matches!(none, Err(NoReply::NoRegistration)), "{none:?}");
    let reply = ask(&phone, Asked::Register, setup.clone(), far.peer)
        .await
        .unwrap();
    let granted = reply.granted.unwrap().as_secs_f32();
    assert!((290.0..=300.0).contains(&granted), "{granted}");
    let left = ask(&phone, Asked::Leave, setup, far.peer).await.unwrap();
    let last = left.trace.first().unwrap();
    assert_eq!(last.header("Expires"), Some("0"));
    assert_eq!(last.header("Call-ID"), reply.trace[0].header("Call-ID"));
    assert_eq!(far.heard(Method::Register), 3);
}

/// RFC 3261 §10.3: a 200 that names no Contact of ours registers nothing.
#[tokio::test]
async fn a_registration_that_is_not_kept_is_none() {
    let far = Far::new(|request| {
        let contact = "<sip:clinic@192.0.2.99>;expires=0, <sip:clinic@192.0.2.98>;expires=0";
        Some(status(request, 200).header(Name::Contact, contact).build())
    })
    .await;
    let phone = Softphone::bind(SoftphoneOptions::default()).await.unwrap();
    let reply = ask(&phone, Asked::Register, registering(far.peer, 60), far.peer)
        .await
        .unwrap();
    assert_eq!((reply.message.status(), reply.granted), (Some(200), None));
    let refused = ask(&phone, Asked::Register, setup(far.peer), far.peer).await;
    assert!(
        matches!(refused, Err(NoReply::NoRegistration)),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_connection_is_made_once_and_a_closed_port_is_told() {
    let phone = Softphone::bind(SoftphoneOptions::default()).await.unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let peer = Peer::tcp(listener.local_addr().unwrap());
    let first = within(phone.connect(peer)).await.unwrap();
    assert_eq!(first.secured, None);
    let again = within(phone.connect(peer)).await.unwrap();
    let udp = within(phone.connect(Peer::udp(peer.addr))).await.unwrap();
    let at_once = Connected {
        took: Duration::ZERO,
        secured: None::<Secured>,
    };
    assert_eq!((again, udp), (at_once.clone(), at_once));
    let _held = listener.accept().await.unwrap();

    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let gone = Peer::tcp(closed.local_addr().unwrap());
    drop(closed);
    let refused = within(phone.connect(gone)).await;
    let Err(NotConnected::Unreached(why)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(why.obstacle, Obstacle::Refused);
    let refused = ask(&phone, Asked::Alive, setup(gone), gone).await;
    let Err(NoReply::Unreachable(why)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(why.obstacle, Obstacle::Refused);
}

/// Behind a NAT, Via, Contact and the session description name the address that the other side reaches.
#[tokio::test]
async fn a_telephone_behind_a_nat_says_its_outer_address() {
    let far = Far::new(|request: &Message| Some(status(request, 486).build())).await;
    let options = SoftphoneOptions {
        external_ip: Some("203.0.113.7".parse().unwrap()),
        ..SoftphoneOptions::default()
    };
    let phone = Softphone::bind(options).await.unwrap();
    let number = |text| Number::parse(text, Country::Au).unwrap();
    let nowhere = ([0, 0, 0, 0], 0).into();
    let route = Route::new(Trunk::new("Far", "far.test"), far.peer);
    let dial = Dial::new(
        vec![route],
        number("02 5550 0142"),
        number("0491 570 157"),
        nowhere,
        nowhere,
        7,
    );
    let mut call = phone.dial(dial).await.unwrap();
    let invite = within(async {
        loop {
            match call.next().await.unwrap().what {
                SoftEvent::Sip(message) if message.method() == Some("INVITE") => return message,
                _ => {}
            }
        }
    })
    .await;
    for part in [
        invite.header("Via").unwrap(),
        invite.header("Contact").unwrap(),
        invite.body(),
    ] {
        assert!(part.contains("203.0.113.7"), "{part}");
        assert!(!part.contains("127.0.0.1"), "{part}");
    }
}
