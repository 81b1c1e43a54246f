//! What signalling costs: a call set up and torn down, a call in progress, and calls over UDP with SIPp at the other end.
//!
//! ```text
//! cargo bench -p housecall-benches --bench sip_calls
//! ```
//!
//! Time is virtual but for SIPp (Debian's `sip-tester`), which is left out where it is not installed.
#![expect(clippy::print_stdout, reason = "a benchmark says what it measured")]

mod rounds;

use std::collections::VecDeque;
use std::error::Error;
use std::fs;
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use housecall_sip::user_agent::{
    AgentOptions, Body, CallHandle, End, Event, Input, Invite, Output, Reply,
};
use housecall_sip::{Message, Name, NameAddr, Peer, ResponseBuilder, StatusCode, Uri, UserAgent};

const OURS: &str = "192.0.2.10:5060";
const THEIRS: &str = "198.51.100.7:5060";
const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\nm=audio 31264 RTP/AVP 8 0 101\r\n\
    a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n";

/// The argument that makes this program a child measuring memory: what one measurement frees the next would use again.
const MEMORY: &str = "--memory";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip_while(|argument| argument != MEMORY);
    if let (Some(_), Some(agents), Some(count)) =
        (arguments.next(), arguments.next(), arguments.next())
    {
        let each = memory(count.parse()?, Agents::from_text(&agents))?;
        println!("{each:.0}");
        return Ok(());
    }
    let mut pair = Pair::new()?;
    pair.call()?;
    let calls = rounds::scale(20_000);
    let mut unfinished = 0;
    let [nanos] = rounds::medians(
        calls,
        &mut [&mut |count| unfinished += (0..count).filter(|_| pair.call().is_err()).count()],
    );
    if unfinished > 0 {
        return Err(format!("{unfinished} calls came to nothing, so this is no measure").into());
    }
    println!(
        "one call set up and torn down, caller and answerer together, median of five, CPU time"
    );
    println!("  {:7.1} µs", nanos / 1_000.0);

    let many = rounds::scale(10_000);
    println!("{many} calls just answered, bytes of memory for each, INVITE and all");
    for (name, agents) in [
        ("an agent each", Agents::OneEach),
        ("one agent", Agents::One),
    ] {
        println!("  {name:<15} {}", memory_in_child(many, agents)?);
    }

    match sipp(rounds::scale(2_000))? {
        Some(Took { calls, passed, cpu }) => {
            let each = cpu.as_secs_f64() * 1_000.0 / f64::from(calls);
            println!(
                "{calls} calls to SIPp's uas over UDP in {:.1} s",
                passed.as_secs_f64()
            );
            println!("  {each:.3} ms of CPU a call, user and system");
        }
        None => println!("SIPp is not installed: nothing measured over UDP"),
    }
    println!("again: cargo bench -p housecall-benches --bench sip_calls");
    Ok(())
}

fn agent(at: &str, seed: u64) -> Result<UserAgent, Box<dyn Error>> {
    Ok(UserAgent::new(AgentOptions {
        contact_user: "housecall".to_owned(),
        accepts_calls: true,
        ..AgentOptions::new(at.parse()?, seed)
    }))
}

fn invite(to: SocketAddr) -> Result<Invite, Box<dyn Error>> {
    Ok(Invite {
        to_peer: Peer::udp(to),
        uri: Uri::parse(&format!("sip:+61491570006@{to};user=phone"))?,
        from: NameAddr::parse("<sip:+61255500142@sip.carrier.test>")?,
        to: NameAddr::parse("<sip:+61491570006@sip.carrier.test>")?,
        headers: Vec::new(),
        body: Some(Body::sdp(OFFER)),
        credentials: None,
    })
}

/// Two agents that hear each other at once.
struct Pair {
    now: Instant,
    caller: UserAgent,
    answerer: UserAgent,
    to: SocketAddr,
}

impl Pair {
    /// Virtual time between calls: 200 a second, so that some 6,400 are remembered at any time.
    const PAUSE: Duration = Duration::from_millis(5);

    fn new() -> Result<Self, Box<dyn Error>> {
        Ok(Self {
            now: Instant::now(),
            caller: agent(OURS, 1)?,
            answerer: agent(THEIRS, 2)?,
            to: THEIRS.parse()?,
        })
    }

    /// INVITE, 100, 180, 200, ACK, BYE, 200.
    fn call(&mut self) -> Result<(), Box<dyn Error>> {
        self.now += Self::PAUSE;
        self.caller.handle_timeout(self.now);
        self.answerer.handle_timeout(self.now);
        let call = self.caller.invite(self.now, invite(self.to)?);
        self.talk()?;
        self.caller.hang_up(self.now, call);
        match self.talk()? {
            Some(End::ByThem(_)) => Ok(()),
            other => Err(format!("ended with {other:?}").into()),
        }
    }

    /// Carries messages until nobody has any; how the answerer's call ended, if it did.
    fn talk(&mut self) -> Result<Option<End>, Box<dyn Error>> {
        let mut ended = None;
        loop {
            let mut is_quiet = true;
            while let Some(output) = self.caller.poll_output() {
                is_quiet = false;
                if let Output::Send { bytes, .. } = output {
                    hear(&mut self.answerer, self.now, OURS, bytes)?;
                }
            }
            while let Some(output) = self.answerer.poll_output() {
                is_quiet = false;
                match output {
                    Output::Send { bytes, .. } => hear(&mut self.caller, self.now, THEIRS, bytes)?,
                    Output::Event(Event::Invited { call, .. }) => {
                        let ok = Reply::new(StatusCode::OK).with_body(Body::sdp(OFFER));
                        self.answerer
                            .respond(self.now, call, Reply::new(StatusCode::RINGING))?;
                        self.answerer.respond(self.now, call, ok)?;
                    }
                    Output::Event(Event::Ended { end, .. }) => ended = Some(end),
                    Output::Event(_) => {}
                }
            }
            if is_quiet {
                return Ok(ended);
            }
        }
    }
}

fn hear(
    agent: &mut UserAgent,
    now: Instant,
    from: &str,
    bytes: Bytes,
) -> Result<(), Box<dyn Error>> {
    let from = Peer::udp(from.parse()?);
    let message = Message::parse(bytes)?;
    agent.handle_input(now, Input::Received { from, message });
    Ok(())
}

/// Who holds the calls.
#[derive(Clone, Copy)]
enum Agents {
    /// As the engine does it.
    OneEach,
    One,
}

impl Agents {
    fn text(self) -> &'static str {
        match self {
            Self::OneEach => "each",
            Self::One => "one",
        }
    }

    fn from_text(text: &str) -> Self {
        match text {
            "each" => Self::OneEach,
            _ => Self::One,
        }
    }
}

fn memory_in_child(count: u32, agents: Agents) -> Result<String, Box<dyn Error>> {
    let output = Command::new(std::env::current_exe()?)
        .args([MEMORY, agents.text(), &count.to_string()])
        .stderr(Stdio::inherit())
        .output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// Bytes that each of `count` answered calls adds to this process, while their INVITEs are still remembered.
fn memory(count: u32, agents: Agents) -> Result<f64, Box<dyn Error>> {
    let now = Instant::now();
    let mut held = VecDeque::new();
    let before = resident()?;
    for number in 0..count {
        if held.is_empty() || matches!(agents, Agents::OneEach) {
            held.push_back(agent(OURS, u64::from(number) + 3)?);
        }
        let agent = held.back_mut().ok_or("no agent")?;
        let call = agent.invite(now, invite(THEIRS.parse()?)?);
        answer(agent, now, call)?;
    }
    let bytes = resident()?.saturating_sub(before);
    Ok(bytes as f64 / f64::from(count.max(1)))
}

/// Rings and answers, as a trunk would, and keeps nothing itself.
fn answer(agent: &mut UserAgent, now: Instant, call: CallHandle) -> Result<(), Box<dyn Error>> {
    let Some(Output::Send { bytes, .. }) = agent.poll_output() else {
        return Err("no INVITE".into());
    };
    let request = Message::parse(bytes)?;
    for status in [StatusCode::RINGING, StatusCode::OK] {
        let response = ResponseBuilder::new(&request, status)
            .to_tag("8f2e61b0c4")
            .contact(&NameAddr::parse(
                "<sip:+61491570006@198.51.100.7:5060;transport=udp>",
            )?)
            .header(Name::RecordRoute, "<sip:198.51.100.7;lr;ftag=8f2e61b0c4>")
            .header(Name::RecordRoute, "<sip:203.0.113.20;lr;ftag=8f2e61b0c4>")
            .header(Name::Allow, "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE")
            .body("application/sdp", OFFER)
            .build();
        hear(agent, now, THEIRS, response.bytes().clone())?;
    }
    while agent.poll_output().is_some() {}
    agent
        .call_id(call)
        .map(drop)
        .ok_or("the call is over".into())
}

/// Bytes of this process in memory.
fn resident() -> Result<u64, Box<dyn Error>> {
    let pages = fs::read_to_string("/proc/self/statm")?;
    let pages: u64 = pages.split(' ').nth(1).ok_or("no figure")?.parse()?;
    Ok(pages * 4096)
}

/// What calls over UDP took.
struct Took {
    calls: u32,
    passed: Duration,
    cpu: Duration,
}

/// Calls SIPp 200 times a second; none where it is not installed.
fn sipp(calls: u32) -> Result<Option<Took>, Box<dyn Error>> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    let port = UdpSocket::bind("127.0.0.1:0")?.local_addr()?.port();
    let Some(mut sipp) = Sipp::start(port)? else {
        return Ok(None);
    };
    let mut caller = Caller {
        agent: UserAgent::new(AgentOptions::new(socket.local_addr()?, 77)),
        socket,
        to: SocketAddr::from(([127, 0, 0, 1], port)),
        ended: 0,
        refused: 0,
    };
    std::thread::sleep(Duration::from_millis(500));
    let start = Instant::now();
    let mut outcome = Ok(());
    let cpu = rounds::time(calls, &mut |calls| outcome = caller.run(calls));
    outcome?;
    sipp.0.kill()?;
    sipp.0.wait()?;
    if caller.refused > 0 {
        return Err(format!("{} calls were not answered", caller.refused).into());
    }
    let passed = start.elapsed();
    Ok(Some(Took { calls, passed, cpu }))
}

struct Sipp(Child);

impl Sipp {
    fn start(port: u16) -> Result<Option<Self>, Box<dyn Error>> {
        let child = Command::new("sipp")
            .args(["-sn", "uas", "-i", "127.0.0.1", "-nostdin", "-p"])
            .arg(port.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        match child {
            Ok(child) => Ok(Some(Self(child))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl Drop for Sipp {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.0.kill();
    }
}

/// One agent on one socket, as plain as can be.
struct Caller {
    agent: UserAgent,
    socket: UdpSocket,
    to: SocketAddr,
    ended: u32,
    refused: u32,
}

impl Caller {
    const PAUSE: Duration = Duration::from_millis(5);

    fn run(&mut self, calls: u32) -> Result<(), Box<dyn Error>> {
        let start = Instant::now();
        let mut made = 0;
        let mut buffer = vec![0; 65_536];
        while self.ended < calls {
            let now = Instant::now();
            if now.duration_since(start) > Duration::from_secs(60) {
                return Err(format!("{} of {calls} calls ended in a minute", self.ended).into());
            }
            while made < calls && start + Self::PAUSE * made <= now {
                self.agent.invite(now, invite(self.to)?);
                made += 1;
            }
            self.agent.handle_timeout(now);
            self.drain(now)?;
            let next_call = (made < calls).then(|| start + Self::PAUSE * made);
            let wake = [next_call, self.agent.poll_timeout()];
            let wake = wake.into_iter().flatten().min();
            let wait = wake.map_or(Self::PAUSE, |at| at.saturating_duration_since(now));
            self.socket
                .set_read_timeout(Some(wait.max(Duration::from_micros(100))))?;
            match self.socket.recv_from(&mut buffer) {
                Ok((length, from)) => {
                    let bytes = buffer.get(..length).unwrap_or_default();
                    let message = Message::parse(Bytes::copy_from_slice(bytes))?;
                    let from = Peer::udp(from);
                    self.agent
                        .handle_input(now, Input::Received { from, message });
                    self.drain(now)?;
                }
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn drain(&mut self, now: Instant) -> Result<(), Box<dyn Error>> {
        while let Some(output) = self.agent.poll_output() {
            match output {
                Output::Send { to, bytes } => drop(self.socket.send_to(&bytes, to.addr)?),
                Output::Event(Event::Answered { call, .. }) => self.agent.hang_up(now, call),
                Output::Event(Event::Ended { end, .. }) => {
                    self.ended += 1;
                    self.refused += u32::from(!matches!(end, End::ByUs));
                }
                Output::Event(_) => {}
            }
        }
        Ok(())
    }
}
