//! Rings a telephone and listens: two state machines, two sockets, one loop.
//!
//! ```text
//! cargo run -p housecall-examples --example ring
//! ```
//!
//! [`Call`] speaks SIP and [`MediaPath`] carries the sound. Neither has a socket or a clock, and both are driven alike:
//!
//! ```text
//!   handle_input(now, …)      the world spoke            poll_output()     what to do next
//!   hang_up(now), …           the user spoke             poll_timeout()    when to call handle_timeout(now)
//! ```
//!
//! The other end is the pretend network of `housecall-carrier`, on loopback: nobody's phone rings.
#![expect(clippy::print_stdout, reason = "an example speaks to its reader")]

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use housecall_bridge::{EarFrame, EarPacket, MediaPath, PathOptions, PathOutput};
use housecall_carrier::{Carrier, CarrierOptions};
use housecall_media::opus::OPUS_FRAME_TICKS;
use housecall_media::{OpusDecoder, OpusEncoder, Sine, dominant_frequency, level};
use housecall_phone::{Call, Country, DestinationPolicy, Dial, Event, Input, Number};
use housecall_phone::{Output, Route, Trunk};
use housecall_sip::{Message, Peer, Timers};
use tokio::net::UdpSocket;
use tokio::time::sleep_until;

/// How long we listen before we hang up.
const LISTEN: Duration = Duration::from_secs(3);
/// What we say, in hertz.
const VOICE_HZ: f32 = 440.0;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let carrier = Carrier::start(CarrierOptions::default()).await?;
    let mut ring = Ring::dial(&carrier, "0491 570 157").await?;
    ring.run().await?;

    println!("heard    {}", ring.ear.describe());
    if let Some(call) = carrier.report().last_to("0491 570 157") {
        let hertz = call.sound.frequency_hz.unwrap_or(0.0);
        println!(
            "they     {hertz:.0} Hz at {:.1} dBFS, from {}",
            call.sound.level_dbfs, call.caller_id
        );
    }
    carrier.shutdown().await;
    Ok(())
}

/// A call with its sockets.
struct Ring {
    call: Call,
    path: MediaPath,
    sip: UdpSocket,
    rtp: UdpSocket,
    begun: Instant,
    hang_up_at: Option<Instant>,
    mouth: Mouth,
    ear: Ear,
}

impl Ring {
    async fn dial(carrier: &Carrier, to: &str) -> Result<Self, Box<dyn Error>> {
        let sip = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let rtp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let trunk = Trunk::new("Carrier", carrier.domain());
        let trunk = trunk.with_credentials(carrier.credentials().clone());
        let route = Route::new(trunk, Peer::udp(carrier.addr()));
        let caller_id = Number::parse("02 5550 0142", Country::Au)?;
        // The policy is what keeps emergency, premium and foreign numbers from being rung.
        let to = DestinationPolicy::domestic(Country::Au).read(to)?;
        // A real program takes a random number: tags and the Call-ID follow from it.
        let seed = 1;
        let now = Instant::now();
        let dial = Dial {
            // A message stays no 5 s in this network, so that the call is over soon after its BYE.
            timers: Timers {
                t4: Duration::from_millis(100),
                ..Timers::default()
            },
            ..Dial::new(
                vec![route],
                caller_id,
                to,
                sip.local_addr()?,
                rtp.local_addr()?,
                seed,
            )
        };
        println!("dialing  {}", dial.to);
        Ok(Self {
            call: Call::dial(now, dial)?,
            path: MediaPath::new(now, PathOptions::new("AU", 2))?,
            sip,
            rtp,
            begun: now,
            hang_up_at: None,
            mouth: Mouth::new()?,
            ear: Ear::new()?,
        })
    }

    /// Feeds both machines until the call owes nobody anything.
    async fn run(&mut self) -> Result<(), Box<dyn Error>> {
        let (mut message, mut packet) = ([0; 65_535], [0; 2_048]);
        while !self.call.is_finished() {
            self.drain().await?;
            let wake = self.poll_timeout().into();
            tokio::select! {
                received = self.sip.recv_from(&mut message) => {
                    let (length, from) = received?;
                    self.hear_sip(from, message.get(..length).unwrap_or_default());
                }
                received = self.rtp.recv_from(&mut packet) => {
                    let (length, from) = received?;
                    let bytes = Bytes::copy_from_slice(packet.get(..length).unwrap_or_default());
                    self.path.rtp(Instant::now(), from, bytes);
                }
                () = sleep_until(wake) => self.handle_timeout(Instant::now())?,
            }
        }
        Ok(())
    }

    /// The earliest moment at which either machine, or we, want to do something.
    fn poll_timeout(&self) -> Instant {
        let own = self.call.poll_timeout().into_iter().chain(self.hang_up_at);
        own.fold(self.path.poll_timeout(), Instant::min)
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), Box<dyn Error>> {
        if self.hang_up_at.is_some_and(|at| at <= now) {
            self.hang_up_at = None;
            self.say("hanging up");
            self.call.hang_up(now);
        }
        if self.path.poll_timeout() <= now {
            // A browser would have sent this: one packet of our voice for each that is due to the phone.
            self.path.ear(now, self.mouth.speak()?);
        }
        self.path.handle_timeout(now);
        self.call.handle_timeout(now);
        Ok(())
    }

    fn hear_sip(&mut self, from: SocketAddr, datagram: &[u8]) {
        // Anybody can send anything to a port; what is no SIP is dropped.
        let Ok(message) = Message::parse(Bytes::copy_from_slice(datagram)) else {
            return;
        };
        let from = Peer::udp(from);
        self.call
            .handle_input(Instant::now(), Input::Sip { from, message });
    }

    /// Does what the machines ask for. They are drained after everything that they are told.
    async fn drain(&mut self) -> Result<(), Box<dyn Error>> {
        while let Some(output) = self.call.poll_output() {
            match output {
                // One call on one socket: all that comes is its own.
                Output::CallId(_) => {}
                Output::SendSip { to, bytes } => drop(self.sip.send_to(&bytes, to.addr).await?),
                Output::Event(event) => self.note(event),
            }
        }
        while let Some(output) = self.path.poll_output() {
            match output {
                PathOutput::Rtp { to, bytes } => drop(self.rtp.send_to(&bytes, to).await?),
                PathOutput::Ear(frame) => self.ear.hear(&frame)?,
                // Reports need a socket of their own; a call of three seconds does without.
                PathOutput::Rtcp { .. } => {}
                PathOutput::KeyHeard(key) => self.say(&format!("they pressed {key}")),
                PathOutput::PhoneLost => self.call.hang_up(Instant::now()),
            }
        }
        Ok(())
    }

    /// SIP and sound meet here, and nowhere deeper.
    fn note(&mut self, event: Event) {
        let now = Instant::now();
        match event {
            Event::Ringing => {
                self.say("it rings");
                self.path.ring();
            }
            Event::EarlyMedia(target) | Event::MediaChanged(target) => {
                self.path.target(now, target)
            }
            Event::Answered(target) => {
                self.say(&format!(
                    "answered, {:?} to {}",
                    target.codec, target.remote
                ));
                self.path.target(now, target);
                self.path.answered(now);
                self.ear.begin();
                self.hang_up_at = Some(now + LISTEN);
            }
            Event::Ended(ended) => {
                self.say(ended.words);
                self.path.close(now);
            }
            Event::RouteFailed { .. }
            | Event::EncryptionRefused
            | Event::Redirected { .. }
            | Event::KeyRefused(_)
            | Event::KeyHeard(_)
            | Event::Held
            | Event::Resumed
            | Event::HoldRefused => {}
        }
    }

    fn say(&self, what: &str) {
        println!("{:>6.2} s {what}", self.begun.elapsed().as_secs_f32());
    }
}

/// Our voice, as a browser would send it.
struct Mouth {
    tone: Sine,
    encoder: OpusEncoder,
    sequence: u16,
}

impl Mouth {
    fn new() -> Result<Self, Box<dyn Error>> {
        Ok(Self {
            tone: Sine::new(VOICE_HZ, -12.0),
            encoder: OpusEncoder::new()?,
            sequence: 0,
        })
    }

    fn speak(&mut self) -> Result<EarPacket, Box<dyn Error>> {
        self.sequence = self.sequence.wrapping_add(1);
        Ok(EarPacket {
            ssrc: 1,
            sequence: self.sequence,
            timestamp: u32::from(self.sequence).wrapping_mul(OPUS_FRAME_TICKS),
            payload: self.encoder.encode(&self.tone.frame())?,
        })
    }
}

/// What we hear, as a browser would play it.
struct Ear {
    decoder: OpusDecoder,
    samples: Vec<i16>,
}

impl Ear {
    /// The last second is measured, at 8 kHz.
    const MEASURED: usize = 8_000;

    fn new() -> Result<Self, Box<dyn Error>> {
        Ok(Self {
            decoder: OpusDecoder::new()?,
            samples: Vec::new(),
        })
    }

    /// Forgets the ringing tone.
    fn begin(&mut self) {
        self.samples.clear();
    }

    fn hear(&mut self, frame: &EarFrame) -> Result<(), Box<dyn Error>> {
        // Once we have hung up there is only silence.
        if self.samples.len() < Self::MEASURED * 5 / 2 {
            self.decoder.decode(&frame.payload, &mut self.samples)?;
        }
        Ok(())
    }

    fn describe(&self) -> String {
        let from = self.samples.len().saturating_sub(Self::MEASURED);
        let last = self.samples.get(from..).unwrap_or_default();
        match dominant_frequency(last) {
            Some(hertz) => format!("{hertz:.0} Hz at {:.1} dBFS", level(last).0),
            None => "nothing".to_owned(),
        }
    }
}
