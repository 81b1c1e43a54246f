//! What the sound of a call costs a server, beside rtpengine in the same run: processor time for each packet, memory, delay.
//!
//! ```text
//! cargo bench -p housecall-benches --bench bridge_cost              both cases
//! cargo bench -p housecall-benches --bench bridge_cost -- transcode one of them: transcode, relay
//!     -- --rounds 5 --calls 10 --seconds 5                          as it is without these words
//!     -- --only housecall --seconds 60                              one server alone, long enough to be profiled
//! ```
//!
//! Needs Debian's `rtpengine-daemon`, `espeak-ng`, `sox`, `iproute2`, `util-linux`, and root for a network namespace; without, it says
//! what is missing and measures nothing.
//!
//! - *transcode*: a browser's Opus (48 kHz, 32 kbit/s, as Chromium sends a voice) and a telephone's PCMU, both speaking all the time.
//! - *relay*: PCMU on both sides. Beside the servers there is a *bare* relay, which reads a datagram and sends it on, without ICE, SRTP or anything
//!   else: what the kernel takes of each packet, whoever relays it.
//!
//! The browser's side is ICE and DTLS-SRTP for both servers, with one client whose SRTP profile each server chooses; the telephone's is
//! plain RTP. A browser codes as wide a voice as the server's answer asks for (`maxplaybackrate`, RFC 7587 §6.1), as Chromium and Firefox do:
//! Housecall asks for no more than the telephone hears, rtpengine leaves it at all. The servers take turns, each newly started, with one thread for packets on the first processor; the load is on the
//! second. Both carry the same packets. What differs: Housecall is called by SIP and counts the call's cost, since that is what the
//! engine does; rtpengine is told by its control protocol, and its kernel module is not used.
//!
//! | figure | how |
//! |---|---|
//! | CPU per packet | `schedstat` of every thread of the server over the window, by packets sent into it meanwhile |
//! | memory per call | resident memory at twice the calls less that at once the calls, by the difference |
//! | delay | (to the browser, Opus's own look-ahead is in it) of a burst of tone, from where it is in a packet sent to where it is in a packet heard: holding, coding and framing by the server, not the 20 ms in which the sender gathers a packet |
//! | lost | packets of the window that came out fewer than went in, and gaps in the numbers |
//! | wrong | bursts that did not come out, or more than 2 % off their frequency |
#![expect(clippy::print_stdout, reason = "a benchmark says what it measured")]

use std::env;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use housecall_benches::codec::{Codec, Ear, Width};
use housecall_benches::leg::{Coded, Heard, LegLog};
use housecall_benches::load::{CallLog, Load, Sounds, Voice};
use housecall_benches::network::Impairment;
use housecall_benches::server::{Kind, Server};
use housecall_benches::sound::{self, Bursts, Passage};
use housecall_benches::{Result, bare, housecall, inside, program, rtpengine};
use tokio::time::sleep;

/// Nothing here takes longer.
const LIMIT: Duration = Duration::from_secs(600);
/// Between a step of the load and what is read after it.
const SETTLE: Duration = Duration::from_millis(1_500);
const BURSTS_FOR: Duration = Duration::from_secs(4);
/// The sounds by number.
const BURSTS: usize = 1;
const BROWSER: Bursts = Bursts { hertz: 440.0 };
const PHONE: Bursts = Bursts { hertz: 1_004.0 };
const SAID: [(&str, &str); 2] = [
    (
        "en-us",
        "Good morning, this is the practice. I am calling about your appointment on Thursday, which we would like to move to \
         half past nine. Does that suit you? Please bring the letter from the hospital with you.",
    ),
    (
        "en-gb",
        "Thank you for ringing me back. Thursday is fine, but half past nine is too early for the bus. Could it be a quarter \
         to eleven instead? I have the letter here, and the list of what I take.",
    ),
];

fn main() -> Result<()> {
    if housecall::serve_if_asked()? || bare::serve_if_asked()? {
        return Ok(());
    }
    if !env::args().any(|argument| argument == "--bench") {
        println!("bridge_cost: not measured outside `cargo bench`");
        return Ok(());
    }
    let needed = [rtpengine::PROGRAM, "espeak-ng", "sox", "ip", "taskset"];
    let missing = program::missing(&needed);
    if !missing.is_empty() {
        println!(
            "bridge_cost: skipped, not installed: {}",
            missing.join(", ")
        );
        return Ok(());
    }
    if let Err(reason) = inside::enter(LIMIT) {
        println!("bridge_cost: skipped, {reason}");
        return Ok(());
    }
    program::take_second_processor()?;
    let settings = Settings::read()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    for case in settings.cases.clone() {
        runtime.block_on(measure(case, &settings))?;
    }
    println!("again: cargo bench -p housecall-benches --bench bridge_cost");
    Ok(())
}

/// What is measured.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Case {
    Transcode,
    Relay,
}

impl Case {
    fn name(self) -> &'static str {
        match self {
            Self::Transcode => "transcode: Opus over DTLS-SRTP ⇄ PCMU over RTP",
            Self::Relay => "relay: PCMU over DTLS-SRTP ⇄ PCMU over RTP",
        }
    }

    fn codec(self) -> Codec {
        match self {
            Self::Transcode => Codec::Opus,
            Self::Relay => Codec::Pcmu,
        }
    }

    /// Half of the calls of a window.
    fn calls(self) -> usize {
        match self {
            Self::Transcode => 10,
            Self::Relay => 40,
        }
    }

    /// How much of rtpengine's processor time is allowed to us.
    fn cpu_bar(self) -> f64 {
        match self {
            Self::Transcode => 0.30,
            Self::Relay => 0.60,
        }
    }

    fn delay_bar_ms(self) -> f64 {
        match self {
            Self::Transcode => 25.0,
            Self::Relay => 1.5,
        }
    }
}

const MEMORY_BAR_MB: f64 = 0.5;

struct Settings {
    cases: Vec<Case>,
    servers: Vec<Kind>,
    rounds: usize,
    calls: Option<usize>,
    window: Duration,
    folder: PathBuf,
}

impl Settings {
    fn read() -> Result<Self> {
        let words: Vec<String> = env::args().skip(1).collect();
        let has = |name: &str| words.iter().any(|word| word == name);
        let after = |name: &str| {
            let at = words.iter().position(|word| word == name)?;
            words.get(at + 1)
        };
        let number = |name: &str| after(name).map(|word| word.parse::<usize>()).transpose();
        let mut cases = vec![Case::Transcode, Case::Relay];
        match (has("transcode"), has("relay")) {
            (true, false) => cases.retain(|case| *case == Case::Transcode),
            (false, true) => cases.retain(|case| *case == Case::Relay),
            _ => {}
        }
        let (servers, rounds) = match after("--only").map(String::as_str) {
            None => (vec![Kind::Housecall, Kind::Rtpengine], 5),
            Some("housecall") => (vec![Kind::Housecall], 1),
            Some("rtpengine") => (vec![Kind::Rtpengine], 1),
            Some(other) => return Err(format!("no such server: {other}").into()),
        };
        let seconds = number("--seconds")?.unwrap_or(5);
        Ok(Self {
            cases,
            servers,
            rounds: number("--rounds")?.unwrap_or(rounds),
            calls: number("--calls")?,
            window: Duration::from_secs(u64::try_from(seconds)?),
            folder: env::temp_dir().join("housecall-bridge-cost"),
        })
    }
}

async fn measure(case: Case, settings: &Settings) -> Result<()> {
    let calls = settings.calls.unwrap_or(case.calls());
    let run = Run {
        case,
        calls,
        window: settings.window,
        folder: settings.folder.clone(),
        sounds: sounds(case, settings)?,
    };
    let mut columns: Vec<(Kind, Vec<Figures>)> = settings
        .servers
        .iter()
        .map(|kind| (*kind, Vec::new()))
        .collect();
    let mut floor = Vec::new();
    for _ in 0..settings.rounds {
        if case == Case::Relay {
            let cost = bare::cost(2 * calls, settings.window, &settings.folder)?;
            floor.push(cost.as_secs_f64() * 1e6);
        }
        for (kind, figures) in &mut columns {
            match run.once(*kind).await {
                Ok(measured) => figures.push(measured),
                Err(reason) => println!("{kind} does not do \"{}\": {reason}", case.name()),
            }
        }
    }
    let (seconds, rounds) = (settings.window.as_secs(), settings.rounds);
    println!("\n{}", case.name());
    println!(
        "{} calls, windows of {seconds} s, median of {rounds} rounds in turn",
        2 * calls
    );
    println!(
        "            CPU/packet  memory/call   to phone p50 p99   to browser p50 p99    lost  wrong  late"
    );
    let summaries: Vec<_> = columns
        .into_iter()
        .filter_map(|(kind, figures)| Some((kind, Summary::of(figures)?)))
        .collect();
    for (kind, summary) in &summaries {
        println!("  {kind:<9} {summary}");
    }
    let floor = percentile(floor, 0.5);
    if let Some(floor) = floor {
        println!("  bare      {floor:8.1} µs");
    }
    if let [(_, ours), (_, theirs)] = summaries.as_slice() {
        let ratio = ours.cpu_us / theirs.cpu_us;
        let worst = ours.to_phone.1.max(ours.to_browser.1);
        println!("  CPU {}", verdict(ratio, case.cpu_bar(), "× rtpengine's"));
        if let Some(floor) = floor {
            println!(
                "  CPU of a bare relay {:.2} × rtpengine's",
                floor / theirs.cpu_us
            );
        }
        println!(
            "  memory {}",
            verdict(ours.memory_mb, MEMORY_BAR_MB, "MB a call")
        );
        println!("  delay p99 {}", verdict(worst, case.delay_bar_ms(), "ms"));
    }
    Ok(())
}

fn verdict(figure: f64, bar: f64, unit: &str) -> String {
    let held = if figure <= bar { "held" } else { "NOT held" };
    format!("{figure:.2} {unit}, at most {bar:.2}: {held}")
}

fn sounds(case: Case, settings: &Settings) -> Result<Sounds> {
    let [ours, theirs] = SAID;
    let said = |codec: Codec, (speaker, text): (&str, &str), bursts: Bursts| -> Result<_> {
        let voice = sound::voice(&settings.folder, text, speaker, codec.rate())?;
        let bursts = bursts.samples(codec.rate());
        Ok(move |width| -> Result<Arc<[Coded]>> {
            let coded = |samples: &[i16]| codec.encode(samples, 0.0, width);
            Ok([coded(&voice)?, coded(&bursts)?].into())
        })
    };
    Ok(Sounds {
        browser: Voice::new(said(case.codec(), ours, BROWSER)?)?,
        phone: said(Codec::Pcmu, theirs, PHONE)?(Width::Narrow)?,
    })
}

/// One server, once.
struct Run {
    case: Case,
    calls: usize,
    window: Duration,
    folder: PathBuf,
    sounds: Sounds,
}

impl Run {
    async fn once(&self, kind: Kind) -> Result<Figures> {
        let mut server = Server::start(kind, self.case.codec(), &self.folder).await?;
        let mut load = Load::default();
        self.more_calls(&mut server, &mut load).await?;
        let half = server.program().rss();
        self.more_calls(&mut server, &mut load).await?;
        let whole = server.program().rss();
        let window = self.window(&server).await;
        load.conductor.play(BURSTS);
        sleep(BURSTS_FOR).await;
        let logs = load.end().await?;
        drop(server);
        Ok(Figures {
            packets: window.packets(&logs),
            cpu: window.cpu,
            memory: whole.saturating_sub(half) / self.calls as u64,
            lost: logs.iter().map(|log| window.lost(log)).sum(),
            late: logs
                .iter()
                .map(|log| log.browser.late + log.phone.late)
                .sum(),
            to_phone: self.passages(&logs, Side::Phone)?,
            to_browser: self.passages(&logs, Side::Browser)?,
        })
    }

    async fn more_calls(&self, server: &mut Server, load: &mut Load) -> Result<()> {
        for _ in 0..self.calls {
            load.call(server, self.case.codec(), &self.sounds, Impairment::NONE, 0)
                .await?;
        }
        load.until_connected().await?;
        sleep(SETTLE).await;
        Ok(())
    }

    async fn window(&self, server: &Server) -> Window {
        let (from, cpu) = (Instant::now(), server.program().cpu());
        sleep(self.window).await;
        Window {
            from,
            until: Instant::now(),
            cpu: server.program().cpu().saturating_sub(cpu),
        }
    }

    fn passages(&self, logs: &[CallLog], to: Side) -> Result<Passage> {
        let mut all = Passage::default();
        for log in logs {
            let passage = self.passage(log, to)?;
            all.delays.extend(passage.delays);
            all.wrong += passage.wrong;
        }
        Ok(all)
    }

    fn passage(&self, log: &CallLog, to: Side) -> Result<Passage> {
        let codec = self.case.codec();
        let (bursts, from, to, coded, said, heard) = match to {
            Side::Phone => (
                BROWSER,
                &log.browser,
                &log.phone,
                &log.browser_says,
                codec,
                Codec::Pcmu,
            ),
            Side::Browser => (
                PHONE,
                &log.phone,
                &log.browser,
                &self.sounds.phone,
                Codec::Pcmu,
                codec,
            ),
        };
        let coded = coded.get(BURSTS).ok_or("no bursts")?;
        bursts.passage(from, BURSTS, coded, Ear::new(said)?, to, Ear::new(heard)?)
    }
}

#[derive(Clone, Copy)]
enum Side {
    Browser,
    Phone,
}

/// The time in which a server was watched.
struct Window {
    from: Instant,
    until: Instant,
    cpu: Duration,
}

impl Window {
    fn packets(&self, logs: &[CallLog]) -> u64 {
        let legs = logs.iter().flat_map(|log| [&log.browser, &log.phone]);
        legs.map(|leg| self.sent(leg)).sum()
    }

    fn sent(&self, leg: &LegLog) -> u64 {
        let within = leg.sent.iter().filter(|sent| self.contains(sent.at));
        within.count() as u64
    }

    fn contains(&self, at: Instant) -> bool {
        (self.from..self.until).contains(&at)
    }

    fn lost(&self, log: &CallLog) -> u64 {
        self.lost_between(&log.browser, &log.phone) + self.lost_between(&log.phone, &log.browser)
    }

    /// At each end of the window two packets may be on their way.
    fn lost_between(&self, from: &LegLog, to: &LegLog) -> u64 {
        let within = to.heard.iter().filter(|heard| self.contains(heard.at));
        let heard: Vec<&Heard> = within.collect();
        let fewer = self.sent(from).saturating_sub(heard.len() as u64 + 2);
        let steps = heard.array_windows::<2>().map(|[before, after]| {
            u64::from(after.sequence.wrapping_sub(before.sequence).wrapping_sub(1))
        });
        fewer + steps.sum::<u64>()
    }
}

/// What one round measured.
struct Figures {
    packets: u64,
    cpu: Duration,
    memory: u64,
    lost: u64,
    late: u64,
    to_phone: Passage,
    to_browser: Passage,
}

/// What all rounds of one server say together.
struct Summary {
    cpu_us: f64,
    memory_mb: f64,
    to_phone: (f64, f64),
    to_browser: (f64, f64),
    lost: u64,
    wrong: usize,
    late: u64,
}

impl Summary {
    fn of(rounds: Vec<Figures>) -> Option<Self> {
        let cpu = |round: &Figures| round.cpu.as_secs_f64() * 1e6 / round.packets as f64;
        let memory = |round: &Figures| round.memory as f64 / 1e6;
        let wrong = |round: &Figures| round.to_phone.wrong + round.to_browser.wrong;
        Some(Self {
            cpu_us: percentile(rounds.iter().map(cpu).collect(), 0.5)?,
            memory_mb: percentile(rounds.iter().map(memory).collect(), 0.5)?,
            to_phone: p50_p99(rounds.iter().map(|round| &round.to_phone)),
            to_browser: p50_p99(rounds.iter().map(|round| &round.to_browser)),
            lost: rounds.iter().map(|round| round.lost).sum(),
            wrong: rounds.iter().map(wrong).sum(),
            late: rounds.iter().map(|round| round.late).sum(),
        })
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            cpu_us, memory_mb, ..
        } = self;
        let ((phone, phone_99), (browser, browser_99)) = (self.to_phone, self.to_browser);
        write!(
            f,
            "{cpu_us:8.1} µs {memory_mb:9.2} MB {phone:10.1} {phone_99:6.1} ms {browser:10.1} {browser_99:6.1} ms"
        )?;
        write!(f, " {:7} {:6} {:5}", self.lost, self.wrong, self.late)
    }
}

fn p50_p99<'a>(passages: impl Iterator<Item = &'a Passage>) -> (f64, f64) {
    let delays: Vec<f64> = passages
        .flat_map(|passage| &passage.delays)
        .map(|delay| delay.as_secs_f64() * 1e3)
        .collect();
    let at = |part| percentile(delays.clone(), part).unwrap_or(f64::NAN);
    (at(0.5), at(0.99))
}

fn percentile(mut figures: Vec<f64>, part: f64) -> Option<f64> {
    figures.sort_by(f64::total_cmp);
    let last = figures.len().checked_sub(1)?;
    figures.get((last as f64 * part).round() as usize).copied()
}
