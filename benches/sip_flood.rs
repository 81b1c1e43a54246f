//! What a flood of hostile SIP does to a call in progress.
//!
//! ```text
//! cargo bench -p housecall-benches --bench sip_flood              a minute
//! cargo bench -p housecall-benches --bench sip_flood -- 10        ten seconds
//! ```
//!
//! A telephone of the engine (its SIP sockets, its limits, its answers to strangers) talks through a listed trunk: a tone each way. A
//! second thread sends it 10,000 messages a second from addresses that are not listed: what scanners send, and what fuzzers would. After
//! that, 10,000 connections from the trunk's own address come and go in every state of a TLS handshake, whole ones among them. The bars
//! are those of reliability §7: no call lost, no stranger answered, at most 32 MiB more of memory; and neither side hears any of it.
#![expect(clippy::print_stdout, reason = "a benchmark says what it measured")]

use std::error::Error;
use std::fs;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use housecall::sip::{OwnCertificate, Peer};
use housecall::softphone::{Dial, MediaStats, SoftCall, Softphone, SoftphoneOptions, Voice};
use housecall::{Country, Number, Trunk};
use housecall_carrier::{Carrier, CarrierOptions, stranger};
use housecall_phone::Route;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ClientConnection, RootCertStore};

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
/// What we say.
const VOICE_HZ: f32 = 440.0;
/// The name in our certificate.
const NAME: &str = "us.example.com";
/// How often is listened.
const LISTEN_EVERY: Duration = Duration::from_millis(250);

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let seconds = seconds();
    let certificate = certificate()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let talk = runtime.block_on(Talk::begin(certificate.clone()))?;
    let port = talk.phone.local();
    talk.until_both_hear()?;
    let before = resident_mib()?;
    let quiet = talk.listen(thread::spawn(|| thread::sleep(Duration::from_secs(5))))?;
    println!("quiet         {}", quiet.1);

    let flood = Flood::new(port)?;
    let unread = unread(port)?;
    let flooding = thread::spawn(move || flood.run(Duration::from_secs(seconds)));
    let ((sent, answered), heard) = talk.listen(flooding)?;
    let unread = self::unread(port)? - unread;
    println!("flood         {heard}");
    println!(
        "              {sent} messages in {seconds} s, {unread} of them dropped by the system, {answered} answered; {:+.1} MiB",
        resident_mib()? - before
    );

    let count = if seconds < 10 { CHURN / 100 } else { CHURN };
    let churning = thread::spawn(move || churn(port, count, &certificate));
    let (came, churned) = talk.listen(churning)?;
    let came = came.map_err(|error| format!("no churn: {error}"))?;
    let after = resident_mib()?;
    println!("tls churn     {churned}");
    println!("              {came}; {:+.1} MiB in all", after - before);
    let (_, calm) = talk.listen(thread::spawn(|| thread::sleep(Duration::from_secs(5))))?;
    println!("quiet again   {calm}");

    let bars = [
        ("a stranger was answered", answered > 0),
        ("memory has grown", after - before > GROWTH_MIB_MAX),
        (
            "the tone was not heard",
            heard.is_broken() || churned.is_broken() || calm.is_broken(),
        ),
    ];
    match bars.iter().find(|(_, is_missed)| *is_missed) {
        Some((what, _)) => Err((*what).into()),
        None => Ok(()),
    }
}

/// A minute under `cargo bench`, a second where a test only wants to see that it runs, or what is asked for.
fn seconds() -> u64 {
    let asked = std::env::args().find_map(|argument| argument.parse().ok());
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    asked.unwrap_or(if is_bench { 60 } else { 1 })
}

fn certificate() -> Result<OwnCertificate> {
    let own = rcgen::generate_simple_self_signed(vec![NAME.to_owned()])?;
    Ok(OwnCertificate {
        chain_pem: own.cert.pem().into_bytes(),
        key_pem: own.signing_key.serialize_pem().into_bytes(),
    })
}

/// A call with a tone each way, of a telephone that lists its trunk and shows a certificate.
struct Talk {
    carrier: Carrier,
    phone: Softphone,
    call: SoftCall,
}

impl Talk {
    async fn begin(own: OwnCertificate) -> Result<Self> {
        let carrier = Carrier::start(CarrierOptions::default()).await?;
        let trunk = Trunk::new("Carrier", carrier.domain());
        let trunk = trunk.with_credentials(carrier.credentials().clone());
        let route = Route::new(trunk, Peer::udp(carrier.addr()));
        let mut options = SoftphoneOptions {
            voice: Voice::Tone { hertz: VOICE_HZ },
            ..SoftphoneOptions::default()
        };
        options.sip.allowed = vec![IpAddr::V4(Ipv4Addr::LOCALHOST).into()];
        options.sip.tls.own = Some(own);
        let phone = Softphone::bind(options).await?;
        let anywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let number = |text: &str| Number::parse(text, Country::Au);
        let (from, to) = (number("02 5550 0142")?, number(TONE.0)?);
        let dial = Dial::new(vec![route], from, to, anywhere, anywhere, 7);
        let call = phone.dial(dial).await?;
        Ok(Self {
            carrier,
            phone,
            call,
        })
    }

    /// What is heard now, here and there, in hertz.
    fn heard(&self) -> [Option<f32>; 2] {
        let report = self.carrier.report();
        let there = report.last_to(TONE.0);
        [
            self.call.sound().frequency_hz,
            there.and_then(|call| call.sound.frequency_hz),
        ]
    }

    fn until_both_hear(&self) -> Result<()> {
        let until = Instant::now() + Duration::from_secs(20);
        while !are_tones(self.heard()) {
            if Instant::now() > until {
                return Err("the tones are not heard".into());
            }
            thread::sleep(LISTEN_EVERY);
        }
        // What setting up has cost is behind us.
        thread::sleep(Duration::from_secs(2));
        Ok(())
    }

    /// Listens for as long as `attack` lasts.
    fn listen<T>(&self, attack: JoinHandle<T>) -> Result<(T, Heard)> {
        let (begun, before) = (Instant::now(), self.call.sound().stats);
        let there = self.packets_there();
        let mut listened = Vec::new();
        while !attack.is_finished() {
            thread::sleep(LISTEN_EVERY);
            listened.push(self.heard());
        }
        let attacked = attack
            .join()
            .map_err(|_| "the attack has ended in a panic")?;
        let heard = Heard {
            lasted: begun.elapsed(),
            listened,
            before,
            after: self.call.sound().stats,
            packets_there: self.packets_there() - there,
        };
        Ok((attacked, heard))
    }

    fn packets_there(&self) -> u64 {
        let report = self.carrier.report();
        report.last_to(TONE.0).map_or(0, |call| call.packets)
    }
}

/// Whether what is heard here and there is what the other side says.
fn are_tones([here, there]: [Option<f32>; 2]) -> bool {
    let is =
        |heard: Option<f32>, hertz: f32| heard.is_some_and(|heard| (heard - hertz).abs() < 5.0);
    is(here, TONE.1) && is(there, VOICE_HZ)
}

/// What was heard during something.
struct Heard {
    lasted: Duration,
    /// For each time that was listened, what was heard here and there, in hertz.
    listened: Vec<[Option<f32>; 2]>,
    before: MediaStats,
    after: MediaStats,
    packets_there: u64,
}

impl Heard {
    /// Packets were lost, or a tone was missing twice in a row: half a second. One gap of a frame that the machine made too late is enough
    /// to miss a tone once.
    fn is_broken(&self) -> bool {
        let is_silence = |pair: &[_]| pair.iter().all(|heard| !are_tones(*heard));
        self.rtp_lost() > 0 || self.listened.windows(2).any(is_silence)
    }

    fn rtp_lost(&self) -> u64 {
        self.after.rtp_lost - self.before.rtp_lost
    }

    /// What was heard whenever a tone was missing.
    fn in_vain(&self) -> Vec<&[Option<f32>; 2]> {
        let listened = self.listened.iter();
        listened.filter(|heard| !are_tones(**heard)).collect()
    }
}

impl std::fmt::Display for Heard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (before, after) = (&self.before.from_phone, &self.after.from_phone);
        let in_vain = self.in_vain();
        write!(
            f,
            "{:.1} s: tones missing {} times of {}; here {} packets, {} lost, {} late, {} frames made up, {} not made in time; there {}",
            self.lasted.as_secs_f32(),
            in_vain.len(),
            self.listened.len(),
            after.received - before.received,
            self.rtp_lost(),
            after.late - before.late,
            after.concealed - before.concealed,
            self.after.frames_missed - self.before.frames_missed,
            self.packets_there,
        )?;
        match in_vain.last() {
            Some([here, there]) => write!(f, "; last {here:?} Hz here, {there:?} Hz there"),
            None => Ok(()),
        }
    }
}

/// Scanners on loopback, none of which is listed.
struct Flood {
    scanners: Vec<UdpSocket>,
    target: SocketAddr,
}

impl Flood {
    fn new(target: SocketAddr) -> Result<Self> {
        let scanners = (1..=SCANNERS).map(|n| {
            let scanner = UdpSocket::bind((Ipv4Addr::new(127, 66, 0, n), 0))?;
            scanner.set_nonblocking(true)?;
            Ok(scanner)
        });
        let scanners = scanners.collect::<std::io::Result<_>>()?;
        Ok(Self { scanners, target })
    }

    /// Sends for so long. Returns how many messages went and how many answers came.
    fn run(self, duration: Duration) -> (usize, usize) {
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
    }

    fn send(&self, n: usize) {
        if let Some(scanner) = self.scanners.get(n % self.scanners.len()) {
            let from = scanner.local_addr().unwrap_or(self.target);
            // A full socket is the flood's loss.
            let _ = scanner.send_to(&stranger(n, from), self.target);
        }
    }

    fn answers(&self) -> usize {
        let heard = |scanner: &UdpSocket| {
            std::iter::from_fn(|| scanner.recv_from(&mut [0; 2_048]).ok()).count()
        };
        self.scanners.iter().map(heard).sum()
    }
}

/// What became of connections.
#[derive(Debug, Default)]
struct Came {
    opened: usize,
    shaken: usize,
}

impl std::fmt::Display for Came {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { opened, shaken } = self;
        write!(
            f,
            "{opened} connections, {shaken} of them with a whole handshake"
        )
    }
}

/// Opens connections and drops each somewhere in a TLS handshake, every fourth at its end.
fn churn(
    target: SocketAddr,
    count: usize,
    shown: &OwnCertificate,
) -> std::result::Result<Came, String> {
    let config = trusting(shown).map_err(|error| error.to_string())?;
    let mut came = Came::default();
    for n in 0..count {
        let stream = TcpStream::connect_timeout(&target, Duration::from_secs(5));
        let Ok(mut stream) = stream else { continue };
        came.opened += 1;
        let tls = ClientConnection::new(config.clone(), NAME.try_into().map_err(|_| "no name")?);
        let mut tls = tls.map_err(|error| error.to_string())?;
        if n.is_multiple_of(4) {
            let shaken = shake(&mut tls, &mut stream);
            came.shaken += usize::from(shaken.is_ok());
        } else {
            let mut hello = Vec::new();
            tls.write_tls(&mut hello)
                .map_err(|error| error.to_string())?;
            // Cut after any byte, or after none missing. Whether it is let in at all is the limits' business.
            let part = hello.get(..n % (hello.len() + 1)).unwrap_or(&hello);
            let _ = stream.write_all(part);
        }
    }
    Ok(came)
}

fn shake(tls: &mut ClientConnection, stream: &mut TcpStream) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    while tls.is_handshaking() {
        tls.complete_io(stream)?;
    }
    Ok(())
}

fn trusting(shown: &OwnCertificate) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&shown.chain_pem)?)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let config = config.with_root_certificates(roots).with_no_client_auth();
    Ok(Arc::new(config))
}

/// Memory of this process, the flood and the carrier included.
fn resident_mib() -> Result<f64> {
    let statm = fs::read_to_string("/proc/self/statm")?;
    let pages: f64 = statm.split(' ').nth(1).ok_or("no statm")?.parse()?;
    Ok(pages * 4_096.0 / 1_048_576.0)
}

/// Datagrams for `port` that the system has dropped since nobody read them.
fn unread(port: SocketAddr) -> Result<u64> {
    let table = fs::read_to_string("/proc/net/udp")?;
    let local = format!(":{:04X}", port.port());
    let ours = table.lines().find(|line| {
        let address = line.split_whitespace().nth(1);
        address.is_some_and(|address| address.ends_with(&local))
    });
    let drops = ours.and_then(|line| line.split_whitespace().last());
    Ok(drops.ok_or("no such socket")?.parse()?)
}
