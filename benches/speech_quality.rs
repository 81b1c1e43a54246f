//! How a voice sounds behind a bad network and a server: PESQ and delay of Housecall, rtpengine and Janus in the same run.
//!
//! ```text
//! cargo bench -p housecall-benches --bench speech_quality
//!     -- --seeds 4                as it is without these words
//!     -- --only housecall         one server alone: housecall, rtpengine, janus
//! ```
//!
//! Needs Debian's `rtpengine-daemon`, `janus`, `espeak-ng`, `sox`, `iproute2`, `util-linux`, `python3-venv`, `python3-dev` and `gcc`, the
//! package `pesq` from PyPI (put into an environment of its own beside the build), and root for a network namespace. Without one of the two
//! servers it measures the other; without anything else it says what is missing and measures nothing.
//!
//! Espeak-ng reads two texts, the browser's at 48 kHz and the telephone's at 8 kHz. Both are said at once, through a network that loses
//! (Gilbert-Elliott, two packets a burst) and delays (each packet for itself, evenly up to the jitter, so that they overtake each
//! other) what goes *to* the server; what comes from it always arrives. Every server meets the same losses and delays at the same word.
//! Opus carries as much in-band FEC as a browser would put there at that loss.
//!
//! Whoever listens is the best receiver with a fixed delay: one that plays every 10 ms, waits as long as 99 of 100 packets need and conceals the
//! rest, by libopus at the browser, by repetition at the telephone. A server that passes loss on is thus heard as with an ordinary telephone or
//! browser behind it, not as silence. Delay is from mouth to ear, this wait included, the gathering of a packet not.
//!
//! Debian's Janus 1.1.2 mixes in its AudioBridge at 48 kHz with its own buffer; it is older than that plugin's concealment (1.2.4).
//! rtpengine transcodes as it does by default, without a jitter buffer.
#![expect(clippy::print_stdout, reason = "a benchmark says what it measured")]

use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use housecall_benches::codec::{Codec, HEARD_RATE, Width};
use housecall_benches::leg::{Coded, LegLog};
use housecall_benches::listen::listen;
use housecall_benches::load::{CallLog, Load, Sounds, Voice};
use housecall_benches::network::Impairment;
use housecall_benches::server::{Kind, Server};
use housecall_benches::{Result, housecall, inside, janus, program, rtpengine, sound};
use tokio::time::sleep;

/// Nothing here takes longer.
const LIMIT: Duration = Duration::from_secs(600);
/// How long buffers may get used to the network before it counts.
const WARM_UP: Duration = Duration::from_secs(4);
const LOSSES: [f64; 4] = [0.0, 0.01, 0.03, 0.1];
const JITTERS_MS: [u64; 3] = [0, 30, 80];
/// Seeds measured at once: more calls would ask more of rtpengine than one thread can do.
const AT_ONCE: u64 = 2;
/// At these losses and above, ours must be better by [`BETTER_BY`].
const BETTER_FROM: f64 = 0.03;
const BETTER_BY: f64 = 0.3;
/// The sounds by number.
const SPEECH: usize = 1;
/// After the last word, for what is on its way.
const TAIL: Duration = Duration::from_millis(1_000);
const SCORE: &str = include_str!("speech_quality/score.py");
const SAID: [(&str, &str); 2] = [
    (
        "en-us",
        "Good morning, this is the practice. I am calling about your appointment on Thursday. Would half past nine suit you? \
         Please bring the letter from the hospital.",
    ),
    (
        "en-gb",
        "Thank you for ringing me back. Thursday is fine, but half past nine is too early for the bus. Could it be a quarter \
         to eleven?",
    ),
];

fn main() -> Result<()> {
    if housecall::serve_if_asked()? {
        return Ok(());
    }
    if !env::args().any(|argument| argument == "--bench") {
        println!("speech_quality: not measured outside `cargo bench`");
        return Ok(());
    }
    let missing = program::missing(&["espeak-ng", "sox", "ip", "taskset", "python3"]);
    if !missing.is_empty() {
        println!(
            "speech_quality: skipped, not installed: {}",
            missing.join(", ")
        );
        return Ok(());
    }
    // Before the network is left: what is missing comes from PyPI.
    let scorer = match Scorer::prepare() {
        Ok(scorer) => scorer,
        Err(reason) => {
            println!("speech_quality: skipped, no PESQ: {reason}");
            return Ok(());
        }
    };
    if let Err(reason) = inside::enter(LIMIT) {
        println!("speech_quality: skipped, {reason}");
        return Ok(());
    }
    program::take_second_processor()?;
    let settings = Settings::read()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let clips = runtime.block_on(record(&settings))?;
    report(&settings, &scorer.score(&clips)?);
    println!("again: cargo bench -p housecall-benches --bench speech_quality");
    Ok(())
}

struct Settings {
    servers: Vec<Kind>,
    seeds: u64,
    folder: PathBuf,
}

impl Settings {
    fn read() -> Result<Self> {
        let words: Vec<String> = env::args().skip(1).collect();
        let after = |name: &str| {
            let at = words.iter().position(|word| word == name)?;
            words.get(at + 1).map(String::as_str)
        };
        let all = [
            (Kind::Housecall, "housecall"),
            (Kind::Rtpengine, rtpengine::PROGRAM),
            (Kind::Janus, janus::PROGRAM),
        ];
        let mut servers = Vec::new();
        for (kind, name) in all {
            if after("--only").is_some_and(|only| only != name) {
                continue;
            }
            if kind != Kind::Housecall && program::find(name).is_none() {
                println!("speech_quality: without {kind}, which is not installed");
                continue;
            }
            servers.push(kind);
        }
        Ok(Self {
            servers,
            seeds: after("--seeds").map_or(Ok(4), str::parse)?,
            folder: env::temp_dir().join("housecall-speech-quality"),
        })
    }
}

/// Every network that is measured.
fn points() -> impl Iterator<Item = Impairment> {
    LOSSES.into_iter().flat_map(|loss| {
        JITTERS_MS.map(|jitter| Impairment {
            loss,
            jitter: Duration::from_millis(jitter),
        })
    })
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Way {
    ToPhone,
    ToBrowser,
}

/// What was heard of one text behind one network.
struct Clip {
    kind: Kind,
    impairment: Impairment,
    way: Way,
    /// What was said and what was heard.
    files: [PathBuf; 2],
}

async fn record(settings: &Settings) -> Result<Vec<Clip>> {
    let texts = Texts::read_aloud(&settings.folder)?;
    let mut clips = Vec::new();
    let seeds: Vec<u64> = (1..=settings.seeds).collect();
    for seeds in seeds.chunks(AT_ONCE as usize) {
        for kind in &settings.servers {
            clips.extend(texts.through(*kind, seeds, settings).await?);
        }
    }
    Ok(clips)
}

/// The two texts as samples.
struct Texts {
    /// At each loss.
    coded: Vec<(f64, Sounds)>,
    /// As a telephone would hear it at best.
    browser_said: PathBuf,
    phone_said: PathBuf,
    length: Duration,
}

impl Texts {
    fn read_aloud(folder: &Path) -> Result<Self> {
        let [(ours, our_text), (theirs, their_text)] = SAID;
        let voice = |speaker, text, rate| sound::voice(folder, text, speaker, rate);
        let browser = voice(ours, our_text, Codec::Opus.rate())?;
        let browser_8k = voice(ours, our_text, HEARD_RATE)?;
        let phone = voice(theirs, their_text, HEARD_RATE)?;
        let longest = phone.len().max(browser_8k.len());
        let length = Duration::from_secs_f64(longest as f64 / f64::from(HEARD_RATE)) + TAIL;
        let coded = |loss| -> Result<(f64, Sounds)> {
            let sounds = Sounds {
                browser: Voice::new(|width| twice(Codec::Opus, &browser, length, loss, width))?,
                phone: twice(Codec::Pcmu, &phone, length, loss, Width::Narrow)?,
            };
            Ok((loss, sounds))
        };
        Ok(Self {
            coded: LOSSES.into_iter().map(coded).collect::<Result<_>>()?,
            browser_said: save(folder, "browser-said", &browser_8k)?,
            phone_said: save(folder, "phone-said", &phone)?,
            length,
        })
    }

    /// A call for every network and seed at once, all through one server.
    async fn through(&self, kind: Kind, seeds: &[u64], settings: &Settings) -> Result<Vec<Clip>> {
        let mut server = Server::start(kind, Codec::Opus, &settings.folder).await?;
        let mut load = Load::default();
        let mut calls = Vec::new();
        for (loss, sounds) in &self.coded {
            for impairment in points().filter(|point| point.loss == *loss) {
                for seed in seeds {
                    load.call(&mut server, Codec::Opus, sounds, impairment, *seed)
                        .await?;
                    calls.push((impairment, *seed));
                }
            }
        }
        load.until_connected().await?;
        sleep(WARM_UP).await;
        load.conductor.play(SPEECH);
        sleep(self.length).await;
        let logs = load.end().await?;
        let late: u64 = logs
            .iter()
            .map(|log| log.browser.late + log.phone.late)
            .sum();
        println!(
            "{kind}: {} calls, {late} packets sent more than 10 ms late",
            logs.len()
        );
        let mut clips = Vec::new();
        for (log, (impairment, seed)) in logs.iter().zip(calls) {
            for way in [Way::ToPhone, Way::ToBrowser] {
                let name = format!("{kind}-{way:?}-{impairment:?}-{seed}");
                let heard = self.heard(log, way)?;
                clips.push(Clip {
                    kind,
                    impairment,
                    way,
                    files: [
                        self.said(way).to_owned(),
                        save(&settings.folder, &name, &heard)?,
                    ],
                });
            }
        }
        Ok(clips)
    }

    fn said(&self, way: Way) -> &Path {
        match way {
            Way::ToPhone => &self.browser_said,
            Way::ToBrowser => &self.phone_said,
        }
    }

    fn heard(&self, log: &CallLog, way: Way) -> Result<Vec<i16>> {
        let (from, to, codec) = match way {
            Way::ToPhone => (&log.browser, &log.phone, Codec::Pcmu),
            Way::ToBrowser => (&log.phone, &log.browser, Codec::Opus),
        };
        Ok(listen(to, codec, began(from)?, self.length)?.0)
    }
}

/// A text once to warm up and then once for good, with silence after it until the longer one is over.
fn twice(
    codec: Codec,
    samples: &[i16],
    length: Duration,
    loss: f64,
    width: Width,
) -> Result<Arc<[Coded]>> {
    let mut whole = samples.to_vec();
    whole.resize((length.as_secs_f64() * f64::from(codec.rate())) as usize, 0);
    let coded = codec.encode(&whole, loss, width)?;
    Ok([coded.clone(), coded].into())
}

fn began(from: &LegLog) -> Result<Instant> {
    let first = from.sent.iter().find(|sent| sent.sound == SPEECH);
    Ok(first.ok_or("nothing was said")?.at)
}

fn save(folder: &Path, name: &str, samples: &[i16]) -> Result<PathBuf> {
    let file = folder.join(format!("{name}.raw"));
    let bytes: Vec<u8> = samples
        .iter()
        .flat_map(|sample| sample.to_le_bytes())
        .collect();
    fs::write(&file, bytes)?;
    Ok(file)
}

/// PESQ in an environment of Python's.
struct Scorer(PathBuf);

/// What was heard of a clip.
#[derive(Clone, Copy)]
struct Score {
    mos: f64,
    delay_ms: f64,
}

impl Scorer {
    /// Makes the environment beside the build, unless it is there.
    fn prepare() -> Result<Self> {
        let program = env::current_exe()?;
        // target/release/deps/program
        let target = program.ancestors().nth(3).ok_or("no target directory")?;
        let folder = target.join("pesq");
        let python = folder.join("bin/python");
        let has_pesq = || run(Command::new(&python).args(["-c", "import pesq"]));
        if has_pesq().is_err() {
            run(Command::new("python3")
                .args(["-m", "venv", "--clear"])
                .arg(&folder))?;
            run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "numpy", "pesq"]))?;
            has_pesq()?;
        }
        Ok(Self(python))
    }

    fn score<'a>(&self, clips: &'a [Clip]) -> Result<Vec<(&'a Clip, Score)>> {
        let mut python = Command::new(&self.0)
            .args(["-c", SCORE])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut input = python.stdin.take().ok_or("no pipe")?;
        for Clip {
            files: [said, heard],
            ..
        } in clips
        {
            writeln!(input, "{}\t{}", said.display(), heard.display())?;
        }
        drop(input);
        let output = python.wait_with_output()?;
        let text = String::from_utf8(output.stdout)?;
        let scores: Vec<Score> = text.lines().filter_map(Score::read).collect();
        if scores.len() != clips.len() {
            return Err(format!("{} scores of {} clips", scores.len(), clips.len()).into());
        }
        Ok(clips.iter().zip(scores).collect())
    }
}

impl Score {
    fn read(line: &str) -> Option<Self> {
        let (mos, delay) = line.split_once(' ')?;
        Some(Self {
            mos: mos.parse().ok()?,
            delay_ms: delay.parse().ok()?,
        })
    }

    fn mean(scores: &[Self]) -> Self {
        let mean =
            |figure: fn(&Self) -> f64| scores.iter().map(figure).sum::<f64>() / scores.len() as f64;
        Self {
            mos: mean(|score| score.mos),
            delay_ms: mean(|score| score.delay_ms),
        }
    }
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    let last = words.lines().last().unwrap_or_default();
    Err(format!("{:?}: {last}", command.get_program()).into())
}

fn report(settings: &Settings, scores: &[(&Clip, Score)]) {
    println!(
        "\nPESQ (P.862.1) and delay in ms, mean of {} seeds",
        settings.seeds
    );
    let names: String = settings
        .servers
        .iter()
        .map(|kind| format!("{kind:>16}"))
        .collect();
    for way in [Way::ToPhone, Way::ToBrowser] {
        let title = match way {
            Way::ToPhone => "browser to phone",
            Way::ToBrowser => "phone to browser",
        };
        println!("{title}\n  loss  jitter {names}   bar");
        for impairment in points() {
            let means: Vec<Score> = settings
                .servers
                .iter()
                .map(|kind| mean_of(scores, *kind, impairment, way))
                .collect();
            let figures: String = means
                .iter()
                .map(|score| format!("{:8.2} {:7.0}", score.mos, score.delay_ms))
                .collect();
            let Impairment { loss, jitter } = impairment;
            println!(
                "{:4.0} % {:4} ms  {figures}   {}",
                loss * 100.0,
                jitter.as_millis(),
                verdict(loss, &means)
            );
        }
    }
}

fn mean_of(scores: &[(&Clip, Score)], kind: Kind, impairment: Impairment, way: Way) -> Score {
    let is_of = |clip: &Clip| (clip.kind, clip.impairment, clip.way) == (kind, impairment, way);
    let of: Vec<Score> = scores
        .iter()
        .filter(|(clip, _)| is_of(clip))
        .map(|(_, score)| *score)
        .collect();
    Score::mean(&of)
}

/// Whether the first is good enough beside the best of the others.
fn verdict(loss: f64, means: &[Score]) -> String {
    let Some((ours, others)) = means.split_first().filter(|(_, others)| !others.is_empty()) else {
        return String::new();
    };
    let best = others.iter().map(|score| score.mos).fold(0.0, f64::max);
    let (better_by, asked) = (
        ours.mos - best,
        if loss >= BETTER_FROM { BETTER_BY } else { 0.0 },
    );
    let held = if better_by >= asked {
        "held"
    } else {
        "NOT held"
    };
    format!("{better_by:+.2}, at least {asked:+.1}: {held}")
}
