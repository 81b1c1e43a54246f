//! The least that a relay can cost: a datagram read from one socket and sent on from another, and nothing else done.
//!
//! As the servers have it there is one socket for all browsers and one for each telephone, watched by epoll, in one thread on the first processor; the
//! load comes from the second, in the bursts of theirs, each at once, so that the relay is woken as seldom as can be. There is no ICE and no SRTP,
//! nothing is looked at and nothing counted: what it costs is the kernel's part.

use std::env;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};

use crate::load::stagger_ms;
use crate::program::Program;
use crate::{FRAME_MS, Result};

/// The argument that makes a program of this lab this server.
const SERVE: &str = "--serve-bare";
/// Ports of the server: for all browsers, and for the first telephone. Nobody else is in this network.
const FOR_BROWSERS: u16 = 20_000;
const FOR_PHONES: u16 = 21_000;
/// Ports of the first browser and telephone.
const BROWSERS: u16 = 22_000;
const PHONES: u16 = 23_000;
const CALLS_MAX: u16 = 1_000;
/// PCMU of 20 ms, as RTP and as SRTP.
const RTP_BYTES: usize = 172;
const SRTP_BYTES: usize = 188;
/// How long whoever listens may not notice that all is over.
const LOOK_UP_AFTER: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 100_000_000,
};
/// Before what is measured.
const WARM_UP: Duration = Duration::from_millis(500);

/// Relays until it is killed, if this process was started for that; returns false at once if not.
///
/// # Errors
/// The ports cannot be had.
pub fn serve_if_asked() -> Result<bool> {
    let mut arguments = env::args().skip_while(|argument| argument != SERVE);
    let (Some(_), Some(calls)) = (arguments.next(), arguments.next()) else {
        return Ok(false);
    };
    Relay::bind(calls.parse()?)?.run()?;
    Ok(true)
}

/// Processor time that a packet costs, with so many calls of two packets every 20 ms.
///
/// # Errors
/// It does not start, or packets are lost: then the figure would mean nothing.
pub fn cost(calls: usize, window: Duration, folder: &Path) -> Result<Duration> {
    let calls = u16::try_from(calls)?;
    if calls > CALLS_MAX {
        return Err(format!("{calls} calls, at most {CALLS_MAX}").into());
    }
    let mut command = Command::new(env::current_exe()?);
    command.arg(SERVE).arg(calls.to_string());
    let server = Program::start("bare", &command, folder)?;
    thread::sleep(WARM_UP);
    let load = Load::bind(calls)?;
    load.send(WARM_UP)?;
    let (cpu, heard) = (server.cpu(), load.heard());
    let sent = load.send(window)?;
    let cpu = server.cpu().saturating_sub(cpu);
    let heard = load.heard() - heard;
    // The last few may be on their way.
    if heard + u64::from(calls) < sent {
        return Err(format!("the bare relay lost {} of {sent} packets", sent - heard).into());
    }
    Ok(cpu / u32::try_from(sent)?)
}

fn bind(port: u16) -> Result<UdpSocket> {
    let socket = UdpSocket::bind(at(port))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn at(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// Sockets from the port `first` on.
fn bind_from(first: u16, count: u16) -> Result<Vec<UdpSocket>> {
    (first..first + count).map(bind).collect()
}

/// Sockets watched together, each under its place in the row.
struct Watched {
    set: std::os::fd::OwnedFd,
    events: Vec<epoll::Event>,
}

impl Watched {
    fn new<'a>(sockets: impl Iterator<Item = &'a UdpSocket>) -> io::Result<Self> {
        let set = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        for (socket, place) in sockets.zip(0..) {
            let place = epoll::EventData::new_u64(place);
            epoll::add(&set, socket, place, epoll::EventFlags::IN)?;
        }
        Ok(Self {
            set,
            events: Vec::with_capacity(64),
        })
    }

    /// Waits for some of them.
    fn ready(&mut self, wait: Option<&Timespec>) -> io::Result<impl Iterator<Item = usize>> {
        self.events.clear();
        epoll::wait(&self.set, spare_capacity(&mut self.events), wait)?;
        Ok(self.events.iter().map(|event| event.data.u64() as usize))
    }
}

struct Relay {
    browsers: UdpSocket,
    phones: Vec<UdpSocket>,
}

impl Relay {
    fn bind(calls: u16) -> Result<Self> {
        Ok(Self {
            browsers: bind(FOR_BROWSERS)?,
            phones: bind_from(FOR_PHONES, calls)?,
        })
    }

    fn run(&self) -> Result<()> {
        let mut watched = Watched::new(self.phones.iter().chain([&self.browsers]))?;
        let mut buffer = [0; 2048];
        loop {
            for place in watched.ready(None)? {
                match self.phones.get(place) {
                    Some(phone) => self.to_browser(place, phone, &mut buffer),
                    None => self.to_phone(&mut buffer),
                }
            }
        }
    }

    fn to_browser(&self, place: usize, phone: &UdpSocket, buffer: &mut [u8]) {
        let Ok((length, _)) = phone.recv_from(buffer) else {
            return;
        };
        let packet = buffer.get(..length).unwrap_or_default();
        // What cannot be sent is lost, and counted by the load.
        let _ = self.browsers.send_to(packet, at(BROWSERS + place as u16));
    }

    fn to_phone(&self, buffer: &mut [u8]) {
        let Ok((length, from)) = self.browsers.recv_from(buffer) else {
            return;
        };
        let packet = buffer.get(..length).unwrap_or_default();
        let place = from.port().wrapping_sub(BROWSERS);
        if let Some(phone) = self.phones.get(usize::from(place)) {
            let _ = phone.send_to(packet, at(PHONES + place));
        }
    }
}

/// Both ends of all calls.
struct Load {
    browsers: Arc<Vec<UdpSocket>>,
    phones: Arc<Vec<UdpSocket>>,
    heard: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
}

impl Load {
    fn bind(calls: u16) -> Result<Self> {
        let load = Self {
            browsers: Arc::new(bind_from(BROWSERS, calls)?),
            phones: Arc::new(bind_from(PHONES, calls)?),
            heard: Arc::default(),
            over: Arc::default(),
        };
        load.listen();
        Ok(load)
    }

    /// Counts what comes, in a thread of its own. Where it cannot, nothing is heard, and that is an error later.
    fn listen(&self) {
        let (browsers, phones) = (self.browsers.clone(), self.phones.clone());
        let (heard, over) = (self.heard.clone(), self.over.clone());
        thread::spawn(move || {
            let sockets: Vec<&UdpSocket> = browsers.iter().chain(phones.iter()).collect();
            let mut watched = Watched::new(sockets.iter().copied())?;
            let mut buffer = [0; 2048];
            while !over.load(Ordering::Relaxed) {
                for place in watched.ready(Some(&LOOK_UP_AFTER))? {
                    let socket = sockets.get(place);
                    let came = socket.is_some_and(|socket| socket.recv(&mut buffer).is_ok());
                    heard.fetch_add(came.into(), Ordering::Relaxed);
                }
            }
            io::Result::Ok(())
        });
    }

    fn heard(&self) -> u64 {
        self.heard.load(Ordering::Relaxed)
    }

    /// Sends both ways for so long, the packets of each millisecond at once; returns how many.
    fn send(&self, window: Duration) -> Result<u64> {
        let (begin, mut sent) = (Instant::now(), 0);
        for ms in (0..).take_while(|ms| Duration::from_millis(*ms) < window) {
            let due = begin + Duration::from_millis(ms);
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let calls = self.browsers.iter().zip(self.phones.iter()).zip(0..);
            for ((browser, phone), place) in calls {
                if stagger_ms(place.into()) == ms % FRAME_MS {
                    phone.send_to(&[0; RTP_BYTES], at(FOR_PHONES + place))?;
                    browser.send_to(&[0; SRTP_BYTES], at(FOR_BROWSERS))?;
                    sent += 2;
                }
            }
        }
        Ok(sent)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}
