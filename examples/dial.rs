//! Rings a number through a trunk, says what is in a WAV file, and writes what it hears into another one.
//!
//! ```text
//! cargo run -p housecall-examples --example dial -- TRUNK NUMBER SAY.wav HEARD.wav
//! cargo run -p housecall-examples --example dial -- 192.0.2.10:5060 "0491 570 006" hello.wav heard.wav
//! ```
//!
//! TRUNK is an address, or a TOML file (see `trunk.rs`). What is heard is written from the answer on, at 8 kHz; a second after the last word
//! the call is hung up. A [`Softphone`] does the work: SIP and sound on a thread of its own, one call at a time.
#![expect(clippy::print_stdout, reason = "an example speaks to its reader")]

mod trunk;

use std::error::Error;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use housecall::sip::Transport;
use housecall::softphone::{
    Dial, Event, Noted, SoftCall, SoftEvent, Softphone, SoftphoneOptions, Timers, Voice,
};
use housecall::{DestinationPolicy, Route, Sound, to_wav};
use housecall_media::SAMPLE_RATE;
use tokio::time::{Instant, interval, sleep_until, timeout};

use trunk::{Account, COUNTRY, address_towards};

/// How long we go on listening after our last word.
const TAIL: Duration = Duration::from_secs(1);
/// How long the other side's last word is waited for.
const LAST_WORD: Duration = Duration::from_secs(1);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [trunk, number, say, write_to] = arguments.as_slice() else {
        return Err("write: dial TRUNK NUMBER SAY.wav HEARD.wav".into());
    };
    let account = Account::read(trunk)?;
    let recording = Sound::read(&std::fs::read(say)?).map_err(|why| format!("{say}: {why}"))?;
    let says_ms = recording.samples().len() as u64 * 1000 / u64::from(SAMPLE_RATE);
    let (_phone, call) = dial(&account, number, recording).await?;
    let mut talk = Talk {
        call,
        says: Duration::from_millis(says_ms),
        hang_up_at: None,
        heard: Vec::new(),
    };
    talk.run().await;
    if talk.hang_up_at.is_none() {
        return Err("nobody answered".into());
    }
    std::fs::write(write_to, to_wav(&talk.heard))?;
    let seconds = talk.heard.len() as f32 / SAMPLE_RATE as f32;
    println!("wrote    {seconds:.1} s to {write_to}");
    Ok(())
}

async fn dial(
    account: &Account,
    number: &str,
    recording: Sound,
) -> Result<(Softphone, SoftCall), Box<dyn Error>> {
    // The policy is what keeps emergency, premium and foreign numbers from being rung.
    let to = DestinationPolicy::domestic(COUNTRY).read(number)?;
    let peers = account.peers().await?;
    let first = peers.first().ok_or("the trunk has no address")?;
    println!("dialing  {to} over {first}");
    let mut options = SoftphoneOptions {
        ip: address_towards(first)?,
        voice: Voice::Recording(recording),
        tells_sound: true,
        ..SoftphoneOptions::default()
    };
    let setup = account.setup(&peers);
    for peer in peers.iter().filter(|it| it.transport == Transport::Tls) {
        options.tls_names.push((*peer, setup.tls_name.parse()?));
    }
    let routes = peers
        .iter()
        .map(|peer| Route::new(Arc::clone(&setup.trunk), *peer));
    // The telephone puts its own addresses in the place of these.
    let nowhere = ([0, 0, 0, 0], 0).into();
    let seed = RandomState::new().hash_one(number);
    let dial = Dial {
        // The example ends soon after its BYE; a program that goes on takes the timers of RFC 3261.
        timers: Timers {
            t4: Duration::from_millis(100),
            ..Timers::default()
        },
        ..Dial::new(
            routes.collect(),
            account.from()?,
            to,
            nowhere,
            nowhere,
            seed,
        )
    };
    let phone = Softphone::bind(options).await?;
    let call = phone.dial(dial).await?;
    Ok((phone, call))
}

struct Talk {
    call: SoftCall,
    /// How long we speak.
    says: Duration,
    /// Set by the answer.
    hang_up_at: Option<Instant>,
    /// Since the answer, at 8 kHz.
    heard: Vec<i16>,
}

impl Talk {
    /// Until the call is over and the other side knows.
    async fn run(&mut self) {
        let mut meter = interval(Duration::from_secs(1));
        let never = Instant::now() + Duration::from_secs(24 * 3600);
        loop {
            tokio::select! {
                noted = self.call.next() => {
                    let Some(Noted { at, what }) = noted else { break };
                    if !self.note(at, what) {
                        break;
                    }
                }
                _ = meter.tick() => self.show_level(),
                () = sleep_until(self.hang_up_at.unwrap_or(never)) => {
                    self.hang_up_at = Some(never);
                    self.call.hang_up();
                }
            }
        }
        // The answer to our BYE, if it comes.
        let _ = timeout(LAST_WORD, async {
            while self.call.next().await.is_some() {}
        })
        .await;
    }

    /// Returns false when the call is over.
    fn note(&mut self, at: Duration, what: SoftEvent) -> bool {
        let said = match what {
            SoftEvent::Heard(samples) => {
                if self.hang_up_at.is_some() {
                    self.heard.extend(samples);
                }
                return true;
            }
            SoftEvent::Phone(Event::Ringing) => "ringing".to_owned(),
            SoftEvent::Phone(Event::EarlyMedia(_)) => "sound before the answer".to_owned(),
            SoftEvent::Phone(Event::Answered(target)) => {
                self.hang_up_at = Some(Instant::now() + self.says + TAIL);
                let secured = if target.srtp.is_some() { "SRTP" } else { "RTP" };
                format!(
                    "answered, {:?} over {secured} to {}",
                    target.codec, target.remote
                )
            }
            SoftEvent::Phone(Event::Ended(ended)) => {
                println!("{:>6.2} s {}", at.as_secs_f32(), ended.words);
                return false;
            }
            _ => return true,
        };
        println!("{:>6.2} s {said}", at.as_secs_f32());
        true
    }

    /// A bar from -60 to 0 dBFS, and how much has been heard.
    fn show_level(&self) {
        let Some(dbfs) = self.call.sound().level_dbfs else {
            return;
        };
        let full = ((dbfs + 60.0) / 3.0).clamp(0.0, 20.0) as usize;
        let seconds = self.heard.len() as f32 / SAMPLE_RATE as f32;
        println!(
            "{seconds:>6.0} s heard |{:<20}| {dbfs:.0} dBFS",
            "#".repeat(full)
        );
    }
}
