//! Housecall itself: an engine with one media thread in a process of its own, which dials what it is told to.
//!
//! The process reads offers from its input, one a line, and writes answers to its output likewise.

use std::env;
use std::io::{self, BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{ChildStdin, Command};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use housecall::memory::{MemoryLedger, MemoryRecords};
use housecall::ports::{Ports, SystemClock};
use housecall::sip::Peer;
use housecall::{
    AccountId, Country, Credits, DialLimits, DialRequest, Dialed, Engine, EngineOptions, Number,
    TrunkSetup,
};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::Result;
use crate::codec::Codec;
use crate::program::Program;
use crate::server::Joined;
use crate::trunk::Trunk;

/// The argument that makes a program of this lab the server.
const SERVE: &str = "--serve";
/// The argument that lets G.711 go straight through.
const STRAIGHT: &str = "--straight";
/// What stands for the end of a line within a line.
const LINE_END: char = '\u{1f}';
const REPLY_LIMIT: Duration = Duration::from_secs(5);
const ACCOUNT: &str = "practice:1";

/// A running engine.
#[derive(Debug)]
pub struct Housecall {
    /// The process.
    pub program: Program,
    orders: ChildStdin,
    replies: mpsc::Receiver<String>,
    trunk: Trunk,
}

impl Housecall {
    /// Starts this program again as the server of browsers that speak `codec`.
    ///
    /// # Errors
    /// It cannot be started.
    pub async fn start(folder: &Path, codec: Codec) -> Result<Self> {
        let trunk = Trunk::start().await?;
        let mut command = Command::new(env::current_exe()?);
        command.arg(SERVE).arg(trunk.addr.to_string());
        if codec == Codec::Pcmu {
            command.arg(STRAIGHT);
        }
        let mut program = Program::start("housecall", &command, folder)?;
        let (orders, output) = program.pipes().ok_or("no pipes")?;
        let (line, replies) = mpsc::channel(1);
        thread::spawn(move || {
            let lines = BufReader::new(output).lines().map_while(io::Result::ok);
            lines
                .map(|text| line.blocking_send(text))
                .all(|sent| sent.is_ok())
        });
        Ok(Self {
            program,
            orders,
            replies,
            trunk,
        })
    }

    /// Joins a browser that made this offer to a telephone.
    ///
    /// # Errors
    /// The engine refuses.
    pub async fn join(&mut self, offer: &str, phone: SocketAddr) -> Result<Joined> {
        let order = offer.replace("\r\n", &LINE_END.to_string());
        writeln!(self.orders, "{order}")?;
        let reply = timeout(REPLY_LIMIT, self.replies.recv()).await?;
        let reply = reply.ok_or_else(|| format!("it has ended: {}", self.program.last_words()))?;
        let answer = reply.strip_prefix("answer ").ok_or(reply.as_str())?;
        let answer = answer.replace(LINE_END, "\r\n");
        self.trunk.expect(phone).await?;
        Ok(Joined {
            answer,
            phone_peer: self.trunk.called().await?,
        })
    }
}

/// Serves until the input ends, if this process was started to be the server; returns false at once if not.
///
/// # Errors
/// The engine does not start.
pub fn serve_if_asked() -> Result<bool> {
    let mut arguments = env::args().skip_while(|argument| argument != SERVE);
    let (Some(_), Some(trunk)) = (arguments.next(), arguments.next()) else {
        return Ok(false);
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(serve(trunk.parse()?))?;
    Ok(true)
}

async fn serve(trunk: SocketAddr) -> Result<()> {
    let mut options = options(trunk);
    options.straight_g711 = env::args().any(|argument| argument == STRAIGHT);
    let engine = Engine::start(options, ports()?).await?;
    let (line, mut orders) = mpsc::channel(1);
    thread::spawn(move || {
        let lines = io::stdin().lines().map_while(io::Result::ok);
        lines
            .map(|text| line.blocking_send(text))
            .all(|sent| sent.is_ok())
    });
    let mut count = 0;
    while let Some(order) = orders.recv().await {
        count += 1;
        let offer = order.replace(LINE_END, "\r\n");
        let reply = dial(&engine, count, offer).await;
        let reply = reply.unwrap_or_else(|error| format!("refused: {error}"));
        let mut output = io::stdout().lock();
        writeln!(output, "{}", reply.replace("\r\n", &LINE_END.to_string()))?;
    }
    Ok(())
}

async fn dial(engine: &Engine, count: u32, offer: String) -> Result<String> {
    let request = DialRequest {
        account: AccountId::new(ACCOUNT),
        appointment: None,
        practitioner: "practitioner:1".to_owned(),
        caller: format!("user:{count}"),
        recipient: format!("patient:{count}"),
        from: number("02 5550 0142")?,
        to: number(&format!(
            "0491 {:03} {:03}",
            570 + count / 1_000,
            count % 1_000
        ))?,
        offer,
    };
    let dialing = engine.dial(request).await?;
    let reply = format!("answer {}", dialing.answer());
    // A call that nobody holds is hung up.
    tokio::spawn(async move {
        if let Some(Dialed::Answered(mut talking)) = dialing.answered().await {
            talking.ended().await;
        }
    });
    Ok(reply)
}

fn number(text: &str) -> Result<Number> {
    Number::parse(text, Country::Au).map_err(|error| format!("{text}: {error:?}").into())
}

fn options(trunk: SocketAddr) -> EngineOptions {
    let described = housecall::Trunk::new("far end", "trunk.test");
    let mut options = EngineOptions::new(Country::Au);
    options.shards = 1;
    options.trunks = vec![TrunkSetup::new(described, Peer::udp(trunk))];
    options.limits = DialLimits {
        per_account_at_once: usize::MAX,
        per_account_in_window: usize::MAX,
        at_once: usize::MAX,
        per_second: usize::MAX,
        ..DialLimits::default()
    };
    options
}

fn ports() -> Result<Ports> {
    let ledger = MemoryLedger::with_credits(AccountId::new(ACCOUNT), Credits(1_000_000));
    Ok(Ports {
        ledger: Arc::new(ledger.map_err(|refusal| format!("{refusal:?}"))?),
        records: Arc::new(MemoryRecords::default()),
        clock: Arc::new(SystemClock),
    })
}
