//! A media thread: one UDP port for all its browsers, one SIP port for all its calls, and the loop that feeds them.
//!
//! ```text
//!   browsers ──► udp ──► demux ──┬──► CallSlot (bridge) ──► rtp ──► trunk
//!                                └──► RoomSlot (room)  ──► udp ──► browsers
//!                                        ▲ │ sound, answered, ended
//!                                        │ ▼
//!   trunk ─────► sip, rtp ──┬────────► SeatSlot (a patient's phone) ──► rtp ──► trunk
//!                           └────────► CallSlot
//!   trunk ─────► sip ────────────────► TrunkSlot (minder), on the first shard
//!   engine ────► commands ───────────► any
//!   timers ──────────────────────────► any
//! ```
//!
//! A call or room lives wholly here, and the phone of somebody in a room on the room's shard. A panic in one ends that one, which takes its
//! leave if it still can; the rest goes on.

mod call_slot;
mod demux;
mod fault;
mod followed;
mod minding;
mod outbox;
mod quality;
mod room_phones;
mod room_slot;
pub(crate) mod rtp;
pub(crate) mod rtp_poller;
mod seat_slot;
mod seats;
pub(crate) mod sip;
pub(crate) mod stray;
mod timers;
mod trunk_slot;
mod turn;
mod udp;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::pin;
use tokio::sync::mpsc;
use tokio::time::sleep_until;

use crate::options::EngineOptions;
use crate::own_thread;
use call_slot::CallSlot;
use demux::Demux;
use room_slot::RoomSlot;
use rtp_poller::RtpPoller;
use seat_slot::SeatSlot;
use sip::{FromSip, SipSockets};
use timers::Timers;
use trunk_slot::TrunkSlot;
use turn::Turn;
use udp::{Datagram, MediaSocket};

pub(crate) use call_slot::CallEnd;
pub(crate) use room_slot::RoomEnd;
pub(crate) use seats::RingCommand;
pub use sip::{
    AddressRange, NameError, Obstacle, OwnCertificate, RangeError, Secured, ServerName, SipLimits,
    SipOptions, TlsOptions, TlsSetup, Unreached,
};
pub(crate) use trunk_slot::TrunkWord;
pub(crate) use turn::{Command, DialCommand, RoomAsk, RoomVerb};

/// Commands waiting for one shard; clicks are rare beside packets.
const COMMANDS_MAX: usize = 1024;
/// SIP messages from connections waiting for the loop.
const SIP_MESSAGES_MAX: usize = 1_000;
/// How often each source is read before the loop looks at anything else, so that none starves another.
const READS_A_TURN: usize = 8;
/// Timers fired before the loop looks at anything else.
const TIMERS_A_TURN: usize = 256;
/// The longest that a loop without timers sleeps.
const IDLE: Duration = Duration::from_secs(1);

/// A call on this engine.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct CallKey(pub(crate) u64);

/// A room on this engine.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct RoomKey(pub(crate) u64);

/// A trunk, by its place in the configured order.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct TrunkKey(pub(crate) usize);

/// Whose datagram, whose timer.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum Machine {
    Call(CallKey),
    Room(RoomKey),
    Trunk(TrunkKey),
}

/// A peer behind the media port.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Leg {
    Call(CallKey),
    Room(RoomKey, housecall_sfu::PeerId),
}

/// The engine's end of a shard.
#[derive(Clone, Debug)]
pub(crate) struct ShardHandle {
    pub(crate) commands: mpsc::Sender<Command>,
}

/// Starts a shard on its own thread and waits until its sockets are bound.
pub(crate) async fn start(index: u16, options: EngineOptions) -> io::Result<ShardHandle> {
    let (commands, inbox) = mpsc::channel(COMMANDS_MAX);
    let own = commands.downgrade();
    own_thread::start(
        format!("housecall-shard-{index}"),
        async move || Ok((Shard::bind(index, options, own).await?, ())),
        async move |shard: Shard| shard.run(inbox).await,
    )
    .await?;
    Ok(ShardHandle { commands })
}

/// The sockets and machines of one media thread.
struct Shard {
    options: EngineOptions,
    /// The shard's own end of its command queue, for the tasks that it starts.
    commands: mpsc::WeakSender<Command>,
    media: MediaSocket,
    sip: SipSockets,
    from_sip: mpsc::Receiver<FromSip>,
    /// The ports of all phones; the slots have them.
    phones: RtpPoller,
    demux: Demux<Leg>,
    timers: Timers<Machine>,
    /// What a turn has to send; empty between turns.
    outgoing: Vec<Datagram>,
    /// Boxed, since they are kilobytes.
    calls: BTreeMap<CallKey, Box<CallSlot>>,
    /// The phones of people in rooms. These are boxed for the same reason, as are the rooms.
    seats: BTreeMap<CallKey, Box<SeatSlot>>,
    /// Of calls and of seats.
    calls_by_id: BTreeMap<String, CallKey>,
    rooms: BTreeMap<RoomKey, Box<RoomSlot>>,
    /// Minded by the first shard alone.
    trunks: BTreeMap<TrunkKey, TrunkSlot>,
    trunks_by_id: BTreeMap<String, TrunkKey>,
}

impl Shard {
    async fn bind(
        index: u16,
        options: EngineOptions,
        commands: mpsc::WeakSender<Command>,
    ) -> io::Result<Self> {
        let port = |first: u16| {
            if first == 0 {
                0
            } else {
                first.saturating_add(index)
            }
        };
        let media = MediaSocket::bind(SocketAddr::new(options.ip, port(options.media_port)))?;
        let (sip_inbox, from_sip) = mpsc::channel(SIP_MESSAGES_MAX);
        let sip = SipSockets::bind(
            SocketAddr::new(options.ip, port(options.sip_port)),
            &options.sip,
            sip_inbox,
        )
        .await?;
        Ok(Self {
            options,
            commands,
            media,
            sip,
            from_sip,
            phones: RtpPoller::new()?,
            demux: Demux::new(),
            timers: Timers::new(),
            outgoing: Vec::new(),
            calls: BTreeMap::new(),
            seats: BTreeMap::new(),
            calls_by_id: BTreeMap::new(),
            rooms: BTreeMap::new(),
            trunks: BTreeMap::new(),
            trunks_by_id: BTreeMap::new(),
        })
    }

    /// Runs until the engine drops its end.
    async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let alarm = sleep_until(Instant::now().into());
        pin!(alarm);
        loop {
            let deadline = self.timers.next().unwrap_or_else(|| Instant::now() + IDLE);
            if alarm.deadline() != deadline.into() {
                alarm.as_mut().reset(deadline.into());
            }
            tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => self.turn(|turn| turn.obey(command)),
                    None => return,
                },
                _ = self.media.readable() => {}
                _ = self.sip.readable() => {}
                Some(heard) = self.from_sip.recv() => self.turn(|turn| turn.hear_sip(heard)),
                _ = self.phones.readable() => {}
                () = &mut alarm => {}
            }
            self.read_sockets();
            self.fire_timers();
        }
    }

    /// Reads what has come, and lets all of it happen in one turn.
    fn read_sockets(&mut self) {
        let mut datagrams = Vec::new();
        for _ in 0..READS_A_TURN {
            match self.media.read(|from, bytes| datagrams.push((from, bytes))) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::warn!(%error, "media socket not read");
                    break;
                }
            }
        }
        let mut messages = Vec::new();
        for read in (0..READS_A_TURN).map_while(|_| self.sip.read()) {
            match read {
                Ok(heard) => messages.push(heard),
                Err(not_sip) => tracing::debug!(bytes = not_sip.length, "not sip"),
            }
        }
        self.turn(|turn| {
            datagrams
                .into_iter()
                .for_each(|(from, bytes)| turn.hear_browser(from, bytes));
            turn.hear_phones();
            messages.into_iter().for_each(|heard| turn.hear_sip(heard));
        });
    }

    fn fire_timers(&mut self) {
        let now = Instant::now();
        if !self.timers.is_due(now) {
            return;
        }
        self.turn(|turn| {
            for _ in 0..TIMERS_A_TURN {
                match turn.shard.timers.take_due(now) {
                    Some(machine) => turn.wake(machine),
                    None => break,
                }
            }
        });
    }

    /// Lets `work` happen and then sends all it produced, in few system calls.
    fn turn(&mut self, work: impl FnOnce(&mut Turn<'_>)) {
        let mut turn = Turn::new(self, Instant::now());
        work(&mut turn);
        let (mut media, sip) = turn.finish();
        self.media.write(&mut media);
        self.outgoing = media;
        for (to, message) in sip {
            self.sip.send(to, message);
        }
    }
}
