//! What a flood of hostile SIP does to a call in progress.
//!
//! ```text
//! cargo bench -p housecall-benches --bench sip_flood              a minute
//! cargo bench -p housecall-benches --bench sip_flood -- 10        ten seconds
//! ```
//!
//! A telephone of the engine (its SIP sockets, its limits, its answers to strangers) holds a call through a listed trunk. A second
//! thread sends it 10,000 messages a second from addresses that are not listed: what scanners send, and what fuzzers would. After
//! that, 10,000 connections come and go in every state of a TLS handshake. The bars are those of reliability §7: no call lost, no
//! stranger answered, at most 32 MiB more of memory.
#![expect(clippy::print_stdout, reason = "a benchmark says what it measured")]

use std::error::Error;
use std::fs;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use housecall::sip::{OwnCertificate, Peer};
use housecall::softphone::{Dial, SoftCall, Softphone, SoftphoneOptions};
use housecall::{Country, Number, Trunk};
use housecall_carrier::{Carrier, CarrierOptions};
use housecall_phone::Route;

/// Messages a second.
const RATE: usize = 10_000;
/// How often a portion of them is sent.
const PORTION: Duration = Duration::from_millis(10);
/// TLS connections that come and go.
const CHURN: usize = 10_000;
/// Addresses that the flood comes from.
const SCANNERS: u8 = 8;
/// What may be added to the memory in use.
const GROWTH_MIB_MAX: f64 = 32.0;
/// The subscriber that answers with a tone of this frequency.
const TONE: (&str, f32) = ("0491 570 157", 1004.0);
/// What else a scanner sends than whole requests, as a share of all.
const BROKEN_ONE_IN: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let seconds = seconds();
    let runtime = tokio::runtime::Runtime::new()?;
    let (_carrier, phone, call) = runtime.block_on(talk())?;
    goes_on(&call)?;
    let before = resident_mib()?;

    let flood = Flood::new(phone.local())?;
    let (sent, answered) = flood.run(Duration::from_secs(seconds))?;
    let lost = usize::from(goes_on(&call).is_err());
    let after_flood = resident_mib()?;
    println!(
        "{sent} hostile messages in {seconds} s: {answered} strangers answered, {lost} of 1 calls lost"
    );
    println!(
        "memory {before:.1} MiB before, {after_flood:.1} MiB after: {:+.1} MiB",
        after_flood - before
    );

    let opened = churn(
        phone.local(),
        if seconds < 10 { CHURN / 100 } else { CHURN },
    );
    let lost = lost.max(usize::from(goes_on(&call).is_err()));
    let after = resident_mib()?;
    println!(
        "{opened} connections came and went: {lost} of 1 calls lost, {:+.1} MiB in all",
        after - before
    );
    call.hang_up();
    if lost > 0 || answered > 0 || after - before > GROWTH_MIB_MAX {
        return Err("a bar of reliability §7 is missed".into());
    }
    Ok(())
}

/// A minute under `cargo bench`, a second where a test only wants to see that it runs, or what is asked for.
fn seconds() -> u64 {
    let asked = std::env::args().find_map(|argument| argument.parse().ok());
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    asked.unwrap_or(if is_bench { 60 } else { 1 })
}

/// A call from a telephone that lists its trunk and shows a certificate.
async fn talk() -> Result<(Carrier, Softphone, SoftCall), Box<dyn Error>> {
    let carrier = Carrier::start(CarrierOptions::default()).await?;
    let trunk = Trunk::new("Carrier", carrier.domain());
    let trunk = trunk.with_credentials(carrier.credentials().clone());
    let route = Route::new(trunk, Peer::udp(carrier.addr()));
    let mut options = SoftphoneOptions::default();
    options.sip.allowed = vec![IpAddr::V4(Ipv4Addr::LOCALHOST).into()];
    options.sip.tls.own = Some(certificate()?);
    let phone = Softphone::bind(options).await?;
    let anywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let number = |text: &str| Number::parse(text, Country::Au);
    let (from, to) = (number("02 5550 0142")?, number(TONE.0)?);
    let dial = Dial::new(vec![route], from, to, anywhere, anywhere, 7);
    let call = phone.dial(dial).await?;
    Ok((carrier, phone, call))
}

fn certificate() -> Result<OwnCertificate, rcgen::Error> {
    let own = rcgen::generate_simple_self_signed(vec!["us.example.com".to_owned()])?;
    Ok(OwnCertificate {
        chain_pem: own.cert.pem().into_bytes(),
        key_pem: own.signing_key.serialize_pem().into_bytes(),
    })
}

/// Scanners on loopback, none of which is listed.
struct Flood {
    scanners: Vec<UdpSocket>,
    target: SocketAddr,
}

impl Flood {
    fn new(target: SocketAddr) -> Result<Self, std::io::Error> {
        let scanners = (1..=SCANNERS).map(|n| {
            let scanner = UdpSocket::bind((Ipv4Addr::new(127, 66, 0, n), 0))?;
            scanner.set_nonblocking(true)?;
            Ok(scanner)
        });
        let scanners = scanners.collect::<Result<_, std::io::Error>>()?;
        Ok(Self { scanners, target })
    }

    /// Sends for so long. Returns how many messages went and how many answers came.
    fn run(self, duration: Duration) -> Result<(usize, usize), Box<dyn Error>> {
        let flooding = thread::spawn(move || {
            let begun = Instant::now();
            let (mut sent, mut answered) = (0, 0);
            while begun.elapsed() < duration {
                let due = begun.elapsed().as_millis() as usize * RATE / 1_000;
                while sent < due {
                    self.send(sent);
                    sent += 1;
                }
                answered += self.answers();
                thread::sleep(PORTION);
            }
            thread::sleep(Duration::from_millis(500));
            (sent, answered + self.answers())
        });
        flooding
            .join()
            .map_err(|_| "the flood has ended in a panic".into())
    }

    fn send(&self, n: usize) {
        if let Some(scanner) = self.scanners.get(n % self.scanners.len()) {
            let from = scanner.local_addr().unwrap_or(self.target);
            // A full socket is the flood's loss.
            let _ = scanner.send_to(&message(n, from), self.target);
        }
    }

    fn answers(&self) -> usize {
        let heard = |scanner: &UdpSocket| {
            std::iter::from_fn(|| scanner.recv_from(&mut [0; 2_048]).ok()).count()
        };
        self.scanners.iter().map(heard).sum()
    }
}

/// What scanners and fuzzers send: requests of every method, answers to nothing, lies about lengths, and noise.
fn message(n: usize, from: SocketAddr) -> Vec<u8> {
    const METHODS: [&str; 9] = [
        "OPTIONS",
        "INVITE",
        "REGISTER",
        "MESSAGE",
        "SUBSCRIBE",
        "BYE",
        "CANCEL",
        "ACK",
        "NOVEL",
    ];
    let method = METHODS.get(n % METHODS.len()).unwrap_or(&"OPTIONS");
    let mut text = format!(
        "{method} sip:100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{n};rport\r\n\
         From: \"sipvicious\" <sip:100@1.1.1.1>;tag={n}\r\nTo: <sip:100@127.0.0.1>\r\nCall-ID: {n}@stranger\r\n\
         CSeq: 1 {method}\r\nContact: <sip:100@{from}>\r\nUser-Agent: friendly-scanner\r\nMax-Forwards: 70\r\n\
         Content-Length: 0\r\n\r\n"
    );
    if !n.is_multiple_of(BROKEN_ONE_IN) {
        return text.into_bytes();
    }
    match n / BROKEN_ONE_IN % 6 {
        0 => text = text.replace("Content-Length: 0", "Content-Length: 4294967328"),
        1 => {
            text = text.replacen(
                &format!("{method} sip:100@127.0.0.1 SIP/2.0"),
                "SIP/2.0 200 OK",
                1,
            )
        }
        2 => text = text.replace("Max-Forwards: 70", &"X-Long: ".repeat(1_000)),
        3 => text.truncate(n % 300),
        4 => text = "\0\u{7f}".repeat(200),
        _ => text = "\r\n\r\n".to_owned(),
    }
    text.into_bytes()
}

/// Opens connections and drops each somewhere in a TLS handshake. Returns how many were opened.
fn churn(target: SocketAddr, count: usize) -> usize {
    // The beginning of a ClientHello of 512 bytes that never comes whole.
    let hello = [&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3][..], &[7; 100]].concat();
    let opened = (0..count).filter(|n| {
        let stream = TcpStream::connect_timeout(&target, Duration::from_secs(5));
        let part = hello.get(..n % hello.len()).unwrap_or_default();
        // Whether it is let in, and how far, is what is tried.
        stream.is_ok_and(|mut stream| stream.write_all(part).is_ok() || part.is_empty())
    });
    opened.count()
}

/// Waits until half a second of the tone has come, from now on.
fn goes_on(call: &SoftCall) -> Result<(), &'static str> {
    let until = Instant::now() + Duration::from_secs(20);
    let before = call.sound().stats.from_phone.received;
    loop {
        let sound = call.sound();
        let is_tone = |hertz: f32| (hertz - TONE.1).abs() < 5.0;
        if sound.stats.from_phone.received > before + 25 && sound.frequency_hz.is_some_and(is_tone)
        {
            return Ok(());
        }
        if Instant::now() > until {
            return Err("the tone is not heard");
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Memory of this process, the flood and the carrier included.
fn resident_mib() -> Result<f64, Box<dyn Error>> {
    let statm = fs::read_to_string("/proc/self/statm")?;
    let pages: f64 = statm.split(' ').nth(1).ok_or("no statm")?.parse()?;
    Ok(pages * 4_096.0 / 1_048_576.0)
}
