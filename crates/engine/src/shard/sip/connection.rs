use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use housecall_sip::{FramingError, Peer, StreamFramer, validate};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::sync::mpsc;
use tokio::time::{sleep_until, timeout};

use super::FromSip;
use super::options::SipLimits;
use super::pulse::{OpenedBy, PING, PONG, Pulse, TimedOut};
use super::tls::Tls;

/// Bytes read at a time.
const READ_BYTES: usize = 4 * 1024;

/// What all connections of one shard share.
pub(super) struct Surroundings {
    pub(super) inbox: mpsc::Sender<FromSip>,
    pub(super) limits: SipLimits,
    pub(super) tls: Tls,
    /// Bytes of unfinished messages in all connections.
    unfinished: Cell<usize>,
}

impl Surroundings {
    pub(super) fn new(inbox: mpsc::Sender<FromSip>, limits: SipLimits, tls: Tls) -> Self {
        Self {
            inbox,
            limits,
            tls,
            unfinished: Cell::new(0),
        }
    }
}

/// One connection for as long as it lasts: cuts what comes into messages, sends what is to go, and minds the time.
pub(super) struct Connection<S> {
    peer: Peer,
    reading: ReadHalf<S>,
    writing: WriteHalf<S>,
    buffer: BytesMut,
    framer: StreamFramer,
    unfinished: Unfinished,
    pulse: Pulse,
    /// Set once a valid message came.
    proved: Rc<Cell<bool>>,
    around: Rc<Surroundings>,
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum Closed {
    #[error("closed by the peer")]
    ByThem,
    #[error("closed by us")]
    ByUs,
    #[error(transparent)]
    Broken(#[from] io::Error),
    #[error("not sip: {0}")]
    NotSip(#[from] FramingError),
    #[error(transparent)]
    TimedOut(#[from] TimedOut),
    #[error("the peer reads nothing")]
    Unread,
    #[error("unfinished messages fill the {0} bytes there are for them")]
    Crowded(usize),
}

impl<S: AsyncRead + AsyncWrite> Connection<S> {
    pub(super) fn new(
        stream: S,
        peer: Peer,
        opened_by: OpenedBy,
        proved: Rc<Cell<bool>>,
        around: Rc<Surroundings>,
    ) -> Self {
        let (reading, writing) = split(stream);
        let random = rand::random_range(0.0..=1.0);
        Self {
            peer,
            reading,
            writing,
            buffer: BytesMut::with_capacity(READ_BYTES),
            framer: StreamFramer::new(),
            unfinished: Unfinished::new(around.clone()),
            pulse: Pulse::new(Instant::now(), opened_by, around.limits, random),
            proved,
            around,
        }
    }

    /// Runs until the connection ends or nobody wants to send through it any more.
    pub(super) async fn run(mut self, outbox: &mut mpsc::Receiver<Bytes>) -> Closed {
        loop {
            if let Err(closed) = self.step(outbox).await {
                return closed;
            }
        }
    }

    async fn step(&mut self, outbox: &mut mpsc::Receiver<Bytes>) -> Result<(), Closed> {
        let now = Instant::now();
        tokio::select! {
            read = self.reading.read_buf(&mut self.buffer), if self.pulse.may_read(now) => match read? {
                0 => Err(Closed::ByThem),
                _ => self.hear().await,
            },
            message = outbox.recv() => match message {
                Some(message) => self.write(&message).await,
                None => Err(Closed::ByUs),
            },
            () = sleep_until(self.pulse.next(now).into()) => match self.pulse.fire(Instant::now())? {
                true => self.write(PING).await,
                false => Ok(()),
            },
        }
    }

    async fn hear(&mut self) -> Result<(), Closed> {
        let now = Instant::now();
        self.framer.push(&self.buffer);
        self.buffer.clear();
        let mut pings = 0;
        loop {
            let message = self.framer.next_message()?;
            pings += self.pulse.heard_line_ends(self.framer.take_line_ends());
            let Some(message) = message else { break };
            let is_valid = validate(&message).is_ok();
            self.proved.set(self.proved.get() || is_valid);
            self.pulse.heard_message(now, is_valid);
            let from = self.peer;
            let heard = FromSip::Message { from, message };
            // The shard has ended: so has everything.
            let sent = self.around.inbox.send(heard).await;
            sent.map_err(|_| Closed::ByUs)?;
        }
        self.pulse.heard(now, self.framer.held());
        self.unfinished.hold(self.framer.held())?;
        match pings {
            0 => Ok(()),
            // One answer says as much as ten.
            _ => self.write(PONG).await,
        }
    }

    /// Writes all, or finds that the peer does not read.
    async fn write(&mut self, bytes: &[u8]) -> Result<(), Closed> {
        let write = async {
            self.writing.write_all(bytes).await?;
            self.writing.flush().await
        };
        match timeout(self.around.limits.unacknowledged, write).await {
            Ok(written) => written?,
            Err(_) => return Err(Closed::Unread),
        }
        self.pulse.sent(Instant::now());
        Ok(())
    }
}

/// One connection's part of the bytes of unfinished messages; given back when the connection ends.
struct Unfinished {
    around: Rc<Surroundings>,
    bytes: usize,
}

impl Unfinished {
    fn new(around: Rc<Surroundings>) -> Self {
        Self { around, bytes: 0 }
    }

    fn hold(&mut self, bytes: usize) -> Result<(), Closed> {
        let all = &self.around.unfinished;
        all.set(all.get().saturating_sub(self.bytes).saturating_add(bytes));
        self.bytes = bytes;
        let limit = self.around.limits.unfinished_bytes;
        match all.get() > limit {
            true => Err(Closed::Crowded(limit)),
            false => Ok(()),
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let all = &self.around.unfinished;
        all.set(all.get().saturating_sub(self.bytes));
    }
}
