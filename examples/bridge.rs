//! One page with a call button: what is said into the browser's microphone is heard on a telephone.
//!
//! ```text
//! cargo run -p housecall-examples --example bridge                      # over a pretend telephone network, on loopback
//! cargo run -p housecall-examples --example bridge -- 8090 TRUNK        # over a trunk: an address, or a TOML file (see `trunk.rs`)
//! cargo run -p housecall-examples --example bridge -- 8090 TRUNK g711   # the browser speaks the trunk's G.711, which is passed on as it is
//! ```
//!
//! An [`Engine`] does the work, with an in-memory ledger and memory. The page and this program speak in lines over one WebSocket a call:
//!
//! ```text
//!   page:  call NUMBER\nOFFER   hold   resume   mute   unmute   key 5   hang up
//!   here:  answer\nSDP   state talking 12   ended WORDS   refused WORDS
//! ```
#![expect(clippy::print_stdout, reason = "an example speaks to its reader")]

mod trunk;

use std::error::Error;
use std::net::Ipv4Addr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use housecall::memory::{MemoryLedger, MemoryRecords};
use housecall::ports::{Ports, SystemClock};
use housecall::record::CallRecord;
use housecall::sip::Peer;
use housecall::{
    AccountId, CallPhase, CallView, Controls, Credits, DialRequest, Dialed, Dialing, Engine,
    EngineOptions, HangUp, Number, Talking, Trunk, TrunkSetup,
};
use housecall_carrier::{Carrier, CarrierOptions};
use tokio::net::TcpListener;
use tokio::time::interval;

use trunk::{Account, COUNTRY, address_towards};

/// Minutes that may be talked before the program is started again.
const CREDITS: u64 = 100;
const PAYER: &str = "example";
const PORT: u16 = 8090;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let port = arguments.next().map_or(Ok(PORT), |port| port.parse())?;
    let way = match arguments.next() {
        Some(trunk) => Way::to(&trunk).await?,
        None => Way::pretend().await?,
    };
    let straight_g711 = arguments.next().is_some_and(|word| word == "g711");
    let desk = Arc::new(Desk {
        from: way.from.clone(),
        engine: way.engine(straight_g711).await?,
    });
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    println!("open http://{}/", listener.local_addr()?);
    axum::serve(listener, pages(desk)).await?;
    Ok(())
}

/// How calls leave.
struct Way {
    setup: TrunkSetup,
    first: Peer,
    from: Number,
    /// Lives as long as the way does.
    _carrier: Option<Carrier>,
}

impl Way {
    async fn to(text: &str) -> Result<Self, Box<dyn Error>> {
        let account = Account::read(text)?;
        let peers = account.peers().await?;
        Ok(Self {
            setup: account.setup(&peers),
            first: *peers.first().ok_or("the trunk has no address")?,
            from: account.from()?,
            _carrier: None,
        })
    }

    async fn pretend() -> Result<Self, Box<dyn Error>> {
        let carrier = Carrier::start(CarrierOptions::default()).await?;
        let trunk = Trunk::new("pretend", carrier.domain());
        let trunk = trunk.with_credentials(carrier.credentials().clone());
        let first = Peer::udp(carrier.addr());
        println!(
            "nobody's phone rings: 0491 570 157 is a tone, 0491 570 006 echoes, 0491 570 158 is busy"
        );
        Ok(Self {
            setup: TrunkSetup::new(trunk, first),
            first,
            from: Number::parse("02 5550 0142", COUNTRY)?,
            _carrier: Some(carrier),
        })
    }

    async fn engine(&self, straight_g711: bool) -> Result<Engine, Box<dyn Error>> {
        let mut options = EngineOptions::new(COUNTRY);
        options.ip = address_towards(&self.first)?;
        options.trunks = vec![self.setup.clone()];
        options.straight_g711 = straight_g711;
        let ledger = MemoryLedger::with_credits(AccountId::new(PAYER), Credits(CREDITS))?;
        let ports = Ports {
            ledger: Arc::new(ledger),
            records: Arc::new(MemoryRecords::default()),
            clock: Arc::new(SystemClock),
        };
        Ok(Engine::start(options, ports).await?)
    }
}

/// What every call needs.
struct Desk {
    engine: Engine,
    from: Number,
}

fn pages(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/", get(async || Html(include_str!("bridge.html"))))
        .route("/call", get(call))
        .with_state(desk)
}

/// Only our own page may ring anybody: a browser says whose page asks.
async fn call(State(desk): State<Arc<Desk>>, headers: HeaderMap, up: WebSocketUpgrade) -> Response {
    let word = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let own = word(header::HOST).map(|host| format!("http://{host}"));
    if own.is_none() || word(header::ORIGIN) != own.as_deref() {
        return StatusCode::FORBIDDEN.into_response();
    }
    up.on_upgrade(async move |mut socket| {
        let last = talk(&mut socket, &desk).await;
        // A page that is gone hears nothing.
        let _ = say(&mut socket, last).await;
    })
}

/// Holds the call that the page asks for. Returns the last line.
async fn talk(socket: &mut WebSocket, desk: &Desk) -> String {
    let request = match asked(socket, desk).await {
        Ok(request) => request,
        Err(why) => return format!("refused {why}"),
    };
    match desk.engine.dial(request).await {
        Ok(dialing) => {
            let ended = carry(socket, dialing).await;
            let words = ended.map_or("the engine has stopped".to_owned(), |record| record.words);
            format!("ended {words}")
        }
        Err(why) => format!("refused {why}"),
    }
}

/// `call NUMBER`, and the offer on the lines after it.
async fn asked(socket: &mut WebSocket, desk: &Desk) -> Result<DialRequest, String> {
    let Some(Ok(Message::Text(text))) = socket.recv().await else {
        return Err("the page asked for nothing".to_owned());
    };
    let wish = text
        .strip_prefix("call ")
        .and_then(|it| it.split_once('\n'));
    let (number, offer) = wish.ok_or("the page asked for no call")?;
    let to = Number::parse(number, COUNTRY).map_err(|why| why.to_string())?;
    Ok(DialRequest {
        account: AccountId::new(PAYER),
        appointment: None,
        practitioner: PAYER.to_owned(),
        caller: PAYER.to_owned(),
        recipient: to.to_string(),
        from: desk.from.clone(),
        to,
        offer: offer.to_owned(),
    })
}

/// Tells the page what happens and does what it says, until the call is over.
async fn carry(socket: &mut WebSocket, dialing: Dialing) -> Option<CallRecord> {
    // Whether the page is still there shows when it is listened to.
    let _ = say(socket, format!("answer\n{}", dialing.answer())).await;
    let (mut view, hang_up) = (dialing.view(), dialing.hang_up_handle());
    let mut seconds = interval(Duration::from_secs(1));
    let mut answered = pin!(dialing.answered());
    let mut is_there = true;
    let talking = loop {
        tokio::select! {
            dialed = &mut answered => match dialed? {
                Dialed::Answered(talking) => break talking,
                Dialed::Unanswered(record) => return Some(*record),
            },
            said = socket.recv(), if is_there => is_there = obey(said, &hang_up, None),
            Ok(()) = view.changed() => {}
            _ = seconds.tick() => {}
        }
        let now = *view.borrow_and_update();
        let _ = say(socket, state(&now)).await;
    };
    in_talk(socket, talking, &hang_up).await
}

async fn in_talk(
    socket: &mut WebSocket,
    mut talking: Talking,
    hang_up: &HangUp,
) -> Option<CallRecord> {
    let (mut view, controls) = (talking.view(), talking.controls());
    let mut seconds = interval(Duration::from_secs(1));
    let mut is_there = true;
    loop {
        tokio::select! {
            record = talking.ended() => return record,
            said = socket.recv(), if is_there => is_there = obey(said, hang_up, Some(&controls)),
            Ok(()) = view.changed() => {}
            _ = seconds.tick() => {}
        }
        let now = *view.borrow_and_update();
        let _ = say(socket, state(&now)).await;
    }
}

/// Does what the page says. Returns false when the page is gone, which hangs up.
fn obey(
    said: Option<Result<Message, axum::Error>>,
    hang_up: &HangUp,
    controls: Option<&Controls>,
) -> bool {
    let text = match said {
        Some(Ok(Message::Text(text))) => text,
        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Binary(_))) => return true,
        Some(Ok(Message::Close(_)) | Err(_)) | None => {
            hang_up.hang_up();
            return false;
        }
    };
    match (text.as_str(), controls) {
        ("hang up", _) => hang_up.hang_up(),
        ("hold", Some(controls)) => controls.hold(),
        ("resume", Some(controls)) => controls.resume(),
        ("mute", Some(controls)) => controls.mute(true),
        ("unmute", Some(controls)) => controls.mute(false),
        (text, Some(controls)) => {
            let key = text.strip_prefix("key ").and_then(|it| it.chars().next());
            key.into_iter().for_each(|key| controls.digit(key));
        }
        // A button that was pressed before anybody answered.
        (_, None) => {}
    }
    true
}

/// `state talking 12`, with `held`, `muted` and `pressed=12#` (at the phone) after it where it is so.
fn state(view: &CallView) -> String {
    let word = match view.phase {
        CallPhase::Dialing => "dialing",
        CallPhase::Ringing => "ringing",
        CallPhase::EarlyAudio => "early",
        CallPhase::Talking => "talking",
        CallPhase::Ended => "ending",
    };
    let seconds = view.talk_ms(Instant::now()).unwrap_or(0) / 1000;
    let held = if view.held.is_on() { " held" } else { "" };
    let muted = if view.muted { " muted" } else { "" };
    let pressed = match view.keys_heard.names() {
        keys if keys.is_empty() => keys,
        keys => format!(" pressed={keys}"),
    };
    format!("state {word} {seconds}{held}{muted}{pressed}")
}

/// None when the page is gone.
async fn say(socket: &mut WebSocket, line: String) -> Option<()> {
    socket.send(Message::Text(line.into())).await.ok()
}
