//! Conversations with the pretend network over real sockets on loopback: what a person reads, and what the network saw.

mod tls;

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use housecall::dns::{Answer, NoAnswer, Query, Records, Srv};
use housecall::sip::Peer;
use housecall::softphone::{Asked, Question, Softphone};
use housecall_carrier::{Carrier, CarrierOptions, Stage};

use super::*;
use crate::db;

const TONE: &str = "0491 570 157";
const BUSY: &str = "0491 570 158";
const FROM: &str = "02 5550 0142";

/// A network, and a folder for what a check reads: both gone with this value.
struct World {
    carrier: Carrier,
    folder: PathBuf,
}

/// What came of a check.
struct Seen {
    failed: usize,
    text: String,
}

impl World {
    async fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("housecall-check-{}-{count}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let carrier = Carrier::start(CarrierOptions::default()).await.unwrap();
        let world = Self { carrier, folder };
        world.password(&world.carrier.credentials().password);
        world
    }

    fn password(&self, password: &str) {
        std::fs::write(self.folder.join("password"), password).unwrap();
    }

    /// A configuration whose one trunk is the network, with these further lines.
    fn config(&self, lines: &str) -> Config {
        let port = self.carrier.addr().port();
        let folder = self.folder.display();
        let text = format!(
            "[server]\ndata = \"{folder}\"\n[[trunks]]\nname = \"Carrier\"\nhost = \"127.0.0.1\"\nport = {port}\n\
             domain = \"sip.carrier.test\"\nusername = \"harbour\"\npassword_file = \"{folder}/password\"\n{lines}"
        );
        Config::from_toml("f", &text).unwrap()
    }

    async fn check(&self, lines: &str, wish: &Wish) -> Seen {
        check(&self.config(lines), wish).await
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn manner() -> Manner {
    Manner {
        patience: Duration::from_secs(2),
        listen: Duration::from_millis(1_300),
        ..Manner::default()
    }
}

async fn check(config: &Config, wish: &Wish) -> Seen {
    check_in(config, wish, &manner()).await
}

async fn check_in(config: &Config, wish: &Wish, manner: &Manner) -> Seen {
    let mut out = Vec::new();
    let never = |question: &str| panic!("asked: {question}");
    let failed = run(config, wish, manner, never, &mut out).await.unwrap();
    let text = String::from_utf8(out).unwrap();
    Seen { failed, text }
}

async fn refusal(config: &Config, wish: &Wish) -> String {
    let mut out = Vec::new();
    let refused = run(config, wish, &manner(), |_| true, &mut out).await;
    assert!(out.is_empty(), "nothing was begun");
    refused.unwrap_err().to_string()
}

fn call(number: &str) -> Wish {
    Wish {
        call: Some(number.to_owned()),
        from: Some(FROM.to_owned()),
        yes: true,
        ..Wish::default()
    }
}

impl Seen {
    /// There is a line that begins with each of these, in this order.
    fn steps(&self, beginnings: &[&str]) {
        let in_one = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut lines = self.text.lines().map(in_one);
        for beginning in beginnings {
            let is_there = lines.any(|line| line.starts_with(beginning));
            assert!(is_there, "no {beginning:?} in its place in\n{}", self.text);
        }
    }

    fn says(&self, words: &[&str]) {
        for word in words {
            assert!(self.text.contains(word), "no {word:?} in\n{}", self.text);
        }
    }
}

/// RFC 3261 §10: registered with the password, and no more at the end.
#[tokio::test]
async fn a_trunk_that_registers_us() {
    let world = World::new().await;
    for transport in ["udp", "tcp"] {
        let lines = format!("registration = true\ntransport = \"{transport}\"\n");
        let seen = world.check(&lines, &Wish::default()).await;
        assert_eq!(seen.failed, 0, "{}", seen.text);
        seen.steps(&[
            "Trunk \"Carrier\": 127.0.0.1",
            "✓ ok find",
            "✓ ok us",
            "✓ ok sign in",
            "✓ ok register",
            "✓ ok ping",
            "✓ ok leave",
            "Carrier: all is well.",
        ]);
        seen.says(&[
            "for realm \"sip.carrier.test\" with SHA-256 or MD5; answered as harbour with SHA-256",
            "for 120 s",
            "it allows INVITE",
            "housecall-carrier",
        ]);
        assert_eq!(seen.text.contains("✓ ok       connect"), transport == "tcp");
        assert!(!seen.text.contains(&world.carrier.credentials().password));
        assert!(world.carrier.report().registered.is_empty(), "we left");
    }
}

#[tokio::test]
async fn a_wrong_password_is_told_and_not_shown() {
    let world = World::new().await;
    world.password("hunter2");
    let seen = world.check("registration = true\n", &Wish::default()).await;
    assert_eq!(seen.failed, 1, "{}", seen.text);
    seen.steps(&[
        "✗ failed sign in",
        "Meaning: The trunk refuses the password",
        "To do: Check `username`",
        "✓ ok ping",
    ]);
    seen.says(&["1 of 4 steps failed"]);
    assert!(!seen.text.contains("hunter2"), "{}", seen.text);
    assert!(world.carrier.report().registered.is_empty());
}

/// RFC 3261 §22.1: the password is for its realm alone.
#[tokio::test]
async fn a_foreign_realm_gets_no_password() {
    let world = World::new().await;
    let lines = "registration = true\nrealm = \"other.example\"\n";
    let seen = world.check(lines, &Wish::default()).await;
    assert_eq!(seen.failed, 1, "{}", seen.text);
    seen.says(&[
        "not answered",
        "realm \"other.example\"",
        "`realm = \"sip.carrier.test\"`",
    ]);
}

/// A check takes no registration away from a clinic that runs.
#[tokio::test]
async fn a_registration_of_somebody_else_is_left_alone() {
    let world = World::new().await;
    let config = world.config("registration = true\n");
    let setup = trunk::setup(&config.trunks[0], housecall::Country::Au).unwrap();
    let clinic = Softphone::bind(Default::default()).await.unwrap();
    let question = Question {
        what: Asked::Register,
        peer: Peer::udp(world.carrier.addr()),
        setup: Arc::new(setup),
    };
    assert!(clinic.ask(question).await.unwrap().granted.is_some());
    let before = world.carrier.report().registered;
    assert_eq!(before.len(), 1);
    let seen = check(&config, &Wish::default()).await;
    assert_eq!(seen.failed, 0, "{}", seen.text);
    seen.says(&[
        "registered already",
        &clinic.local().to_string(),
        "left as it is",
    ]);
    assert_eq!(world.carrier.report().registered, before);
}

/// RFC 3261 §11: who registers nowhere is asked by OPTIONS.
#[tokio::test]
async fn a_trunk_that_is_pinged() {
    let world = World::new().await;
    let seen = world.check("", &Wish::default()).await;
    assert_eq!(seen.failed, 0, "{}", seen.text);
    seen.steps(&["✓ ok find", "✓ ok us", "✓ ok ping", "Carrier: all is well."]);
    assert!(!seen.text.contains("register"), "{}", seen.text);
}

#[tokio::test]
async fn a_silent_trunk_has_words_of_its_own() {
    let world = World::new().await;
    let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut config = world.config("registration = true\n");
    config.trunks[0].port = Some(silent.local_addr().unwrap().port());
    let manner = Manner {
        patience: Duration::from_millis(150),
        ..manner()
    };
    let seen = check_in(&config, &Wish::default(), &manner).await;
    assert_eq!(seen.failed, 2, "{}", seen.text);
    seen.says(&[
        "did not answer within 150 ms",
        "firewalls",
        "list the address",
        "ping_seconds = 0",
    ]);
}

/// What the configuration says is not asked is not asked, and is no failure; that nothing is known then is said.
#[tokio::test]
async fn a_trunk_that_is_not_pinged() {
    let world = World::new().await;
    let seen = world.check("ping_seconds = 0\n", &Wish::default()).await;
    assert_eq!(seen.failed, 0, "{}", seen.text);
    seen.steps(&["! note ping", "Meaning: Nothing was sent"]);
    let lines = "ping_seconds = 0\nregistration = true\n";
    let seen = world.check(lines, &Wish::default()).await;
    assert_eq!(seen.failed, 0, "{}", seen.text);
    seen.steps(&["✓ ok register", "– skipped ping", "✓ ok leave"]);
}

#[tokio::test]
async fn a_closed_port_is_told_from_a_silent_one() {
    let world = World::new().await;
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut config = world.config("transport = \"tcp\"\n");
    config.trunks[0].port = Some(closed.local_addr().unwrap().port());
    drop(closed);
    let seen = check(&config, &call(TONE)).await;
    assert_eq!(seen.failed, 1, "{}", seen.text);
    seen.steps(&[
        "✗ failed connect",
        "Meaning: The machine is there",
        "– skipped dial",
    ]);
}

/// The whole way of a call: what is heard is a tone, and what is said is silence.
#[tokio::test]
async fn a_silent_call_is_heard() {
    let world = World::new().await;
    let seen = world.check("", &call(TONE)).await;
    assert_eq!(seen.failed, 0, "{}", seen.text);
    seen.steps(&[
        "✓ ok ping",
        "✓ ok dial",
        "✓ ok sign in",
        "✓ ok ring",
        "✓ ok answer",
        "✓ ok sound 1300 ms",
        "✓ ok hang up",
    ]);
    seen.says(&[
        "180 Ringing",
        "PCMA, not encrypted",
        " dBFS; 0 lost",
        "200 OK",
    ]);
    let report = world.carrier.report();
    let heard = report.last_to(TONE).unwrap();
    assert_eq!(heard.stage, Stage::Ended);
    assert_eq!(heard.caller_id, "+61255500142");
    assert!(heard.packets > 0 && heard.sound.is_silence(), "{heard:?}");
}

/// RFC 4568: over UDP everybody on the way can read the keys.
#[tokio::test]
async fn encryption_is_told_with_what_it_is_worth() {
    let world = World::new().await;
    let seen = world.check("srtp = \"required\"\n", &call(TONE)).await;
    assert_eq!(seen.failed, 0, "{}", seen.text);
    seen.steps(&["! note answer"]);
    seen.says(&[
        "encrypted (SRTP)",
        "readable for all",
        "transport = \"tls\"",
        " dBFS; 0 lost",
    ]);
    assert!(world.carrier.report().last_to(TONE).unwrap().encrypted);
}

#[tokio::test]
async fn a_call_that_is_not_answered_says_why() {
    let world = World::new().await;
    let seen = world.check("", &call(BUSY)).await;
    assert_eq!(seen.failed, 1, "{}", seen.text);
    seen.steps(&["✗ failed dial"]);
    seen.says(&["486 Busy Here", "engaged"]);
    world.password("hunter2");
    let seen = world.check("", &call(TONE)).await;
    assert_eq!(seen.failed, 1, "{}", seen.text);
    seen.says(&["403 Forbidden"]);
}

/// P6: before anything is sent.
#[tokio::test]
async fn p6_emergency_premium_and_foreign_numbers_are_not_rung() {
    let world = World::new().await;
    for (number, words) in [
        ("000", "Emergency services"),
        ("112", "Emergency services"),
        ("1900 654 321", "premium"),
        ("+64 21 555 0100", "abroad"),
        ("+881 6 3123 4567", "Satellite"),
        ("12", "too short"),
        ("hello", "cannot contain"),
    ] {
        let refused = refusal(&world.config(""), &call(number)).await;
        assert!(refused.contains(words), "{number}: {refused}");
    }
    assert!(world.carrier.report().calls.is_empty());
}

#[tokio::test]
async fn nobody_is_rung_whom_a_person_does_not_want_to() {
    let world = World::new().await;
    let wish = Wish {
        yes: false,
        ..call(TONE)
    };
    let mut asked = String::new();
    let mut out = Vec::new();
    let says_no = |question: &str| {
        asked = question.to_owned();
        false
    };
    let failed = run(&world.config(""), &wish, &manner(), says_no, &mut out).await;
    assert_eq!(failed.unwrap(), 0);
    assert!(asked.contains("+61491570157 from +61255500142"), "{asked}");
    let text = String::from_utf8(out).unwrap();
    Seen { failed: 0, text }.steps(&["✓ ok ping", "– skipped dial"]);
    assert!(world.carrier.report().calls.is_empty());
}

/// The practice's own number is rung from where nobody says another; the database is read as it is.
#[tokio::test]
async fn the_practice_says_which_number_is_rung_from() {
    let world = World::new().await;
    let config = world.config("");
    let wish = Wish {
        from: None,
        ..call(BUSY)
    };
    assert!(refusal(&config, &wish).await.contains("write --from"));
    assert!(db::read(&config.database()).await.unwrap().is_none());

    let store = db::open(&config.database()).await.unwrap();
    for insert in [
        "INSERT INTO practices (name, zone, country, created_ms) VALUES ('A', 'Australia/Sydney', 'AU', 0)",
        "INSERT INTO dedicated_numbers (practice_id, number, state) VALUES (1, '+61255500199', 'active')",
    ] {
        sqlx::query(insert).execute(store.pool()).await.unwrap();
    }
    check(&config, &wish).await;
    let wrong = Wish {
        from: Some("1".to_owned()),
        ..call(BUSY)
    };
    assert!(refusal(&config, &wrong).await.contains("--from \"1\""));
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_before_anything_is_sent() {
    let world = World::new().await;
    let config = world.config("");
    let named = |name: &str| Wish {
        trunk: Some(name.to_owned()),
        ..Wish::default()
    };
    let refused = refusal(&config, &named("Carier")).await;
    assert!(
        refused.contains("\"Carier\"; there is Carrier"),
        "{refused}"
    );
    let refused = refusal(&Config::demo(), &Wish::default()).await;
    assert!(refused.contains("[[trunks]]"), "{refused}");
    let alone = Wish {
        call: None,
        ..call(TONE)
    };
    assert!(
        refusal(&config, &alone)
            .await
            .contains("--from belongs to --call")
    );
    std::fs::remove_file(world.folder.join("password")).unwrap();
    let refused = refusal(&config, &Wish::default()).await;
    assert!(refused.contains("cannot read the password"), "{refused}");
}

/// SRV lists by name; every host is this machine.
#[derive(Debug)]
struct Table {
    ports: Vec<u16>,
}

#[async_trait]
impl Dns for Table {
    async fn ask(&self, query: &Query) -> Result<Answer, NoAnswer> {
        let srv = |(priority, port): (u16, &u16)| Srv {
            priority,
            weight: 0,
            port: *port,
            target: format!("edge{priority}.carrier.test."),
        };
        let records = match query {
            Query::Srv(name) if name == "_sip._udp.carrier.test" => {
                Records::Srv((1..).zip(&self.ports).map(srv).collect())
            }
            Query::A(name) if name.starts_with("edge") => {
                Records::Addresses(vec![Ipv4Addr::LOCALHOST.into()])
            }
            _ => return Err(NoAnswer::Nothing),
        };
        let ttl = Duration::from_secs(60);
        Ok(Answer { records, ttl })
    }
}

/// RFC 3263 §4: every address is tried, and one that is dead is told although calls would go to the next.
#[tokio::test]
async fn a_trunk_known_by_name_is_checked_at_each_of_its_addresses() {
    let world = World::new().await;
    let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let dead = silent.local_addr().unwrap().port();
    let text = "[[trunks]]\nname = \"Named\"\nhost = \"carrier.test\"\ntransport = \"udp\"\n";
    let mut config = Config::from_toml("f", text).unwrap();
    config.server.data.clone_from(&world.folder);
    let manner = Manner {
        dns: Arc::new(Table {
            ports: vec![dead, world.carrier.addr().port()],
        }),
        patience: Duration::from_millis(300),
        ..manner()
    };
    let seen = check_in(&config, &Wish::default(), &manner).await;
    assert_eq!(seen.failed, 1, "{}", seen.text);
    seen.steps(&[
        "✓ ok find",
        "✓ ok us",
        "✗ failed ping",
        "✓ ok ping",
        "Named: 1 of 4 steps failed.",
    ]);
    seen.says(&[&format!(
        "SRV _sip._udp.carrier.test: edge1.carrier.test:{dead}"
    )]);

    config.trunks[0].host = Some("nowhere.test".to_owned().try_into().unwrap());
    let seen = check_in(&config, &Wish::default(), &manner).await;
    assert_eq!(seen.failed, 1, "{}", seen.text);
    seen.says(&["nowhere.test has no address", "spelling"]);
}

/// Each of them is checked, and what fails of one is counted.
#[tokio::test]
async fn several_trunks_in_order() {
    let world = World::new().await;
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    let more = format!(
        "[[trunks]]\nname = \"B\"\nhost = \"127.0.0.1\"\nport = {port}\ntransport = \"tcp\"\n"
    );
    let seen = world.check(&more, &Wish::default()).await;
    assert_eq!(seen.failed, 1, "{}", seen.text);
    seen.steps(&[
        "Trunk \"Carrier\"",
        "Carrier: all is well.",
        "Trunk \"B\"",
        "B: 1 of 3 steps failed.",
    ]);
    let one = Wish {
        trunk: Some("Carrier".to_owned()),
        ..Wish::default()
    };
    let seen = world.check(&more, &one).await;
    assert!(!seen.text.contains("Trunk \"B\""), "{}", seen.text);
}
