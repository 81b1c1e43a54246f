//! Conversations of real sockets on loopback. Every wait is for a condition and has an end.

mod certificates;
mod hostile;
mod limits;
mod names;
mod transports;

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::task::LocalSet;
use tokio::time::timeout;

use super::*;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs a conversation where connections may be tasks beside it.
async fn converse(conversation: impl Future<Output = ()>) {
    let tasks = LocalSet::new();
    let within = timeout(PATIENCE, tasks.run_until(conversation));
    within.await.expect("out of patience");
}

/// One end of a conversation.
struct End {
    sockets: SipSockets,
    inbox: mpsc::Receiver<FromSip>,
}

impl End {
    async fn bind(ip: impl Into<IpAddr>, options: &SipOptions) -> Self {
        let (sender, inbox) = mpsc::channel(100);
        let address = SocketAddr::new(ip.into(), 0);
        let sockets = SipSockets::bind(address, options, sender).await.unwrap();
        Self { sockets, inbox }
    }

    async fn new() -> Self {
        Self::bind(Ipv4Addr::LOCALHOST, &SipOptions::default()).await
    }

    async fn with_limits(change: impl FnOnce(&mut SipLimits)) -> Self {
        let mut options = SipOptions::default();
        change(&mut options.limits);
        Self::bind(Ipv4Addr::LOCALHOST, &options).await
    }

    fn peer(&self, transport: Transport) -> Peer {
        let addr = self.sockets.local();
        Peer { transport, addr }
    }

    /// Waits for what comes next, over whatever transport.
    async fn hears(&mut self) -> FromSip {
        loop {
            if let Some(Ok(heard)) = self.sockets.read() {
                return heard;
            }
            tokio::select! {
                Some(heard) = self.inbox.recv() => return heard,
                readable = self.sockets.readable() => readable.unwrap(),
            }
        }
    }

    /// Waits until a connection of ours has come about.
    async fn connects(&mut self) -> (Peer, Option<Secured>) {
        match self.hears().await {
            FromSip::Connected { peer, secured } => (peer, secured),
            other => panic!("{other:?}"),
        }
    }

    async fn hears_message(&mut self) -> (Peer, Message) {
        loop {
            match self.hears().await {
                FromSip::Message { from, message } => return (from, message),
                FromSip::TransportFailed { peer, why } => panic!("{peer} failed: {why}"),
                FromSip::Connected { .. } => {}
            }
        }
    }

    async fn hears_failure(&mut self) -> (Peer, String) {
        let (peer, why) = self.is_kept_from().await;
        (peer, why.words)
    }

    async fn is_kept_from(&mut self) -> (Peer, Unreached) {
        loop {
            match self.hears().await {
                FromSip::TransportFailed { peer, why } => return (peer, why),
                FromSip::Message { from, .. } => panic!("a message of {from}"),
                FromSip::Connected { .. } => {}
            }
        }
    }
}

/// A request whose Via names `sent_by`.
fn request(transport: Transport, sent_by: SocketAddr) -> Bytes {
    Bytes::from(format!(
        "OPTIONS sip:trunk@example.com SIP/2.0\r\nVia: SIP/2.0/{transport} {sent_by};branch=z9hG4bKa;rport\r\n\
         From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n\
         Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    ))
}

fn response_to(from: Peer, request: &Message) -> Bytes {
    let builder = housecall_sip::ResponseBuilder::new(request, housecall_sip::StatusCode::OK);
    builder.source(from.addr).build().bytes().clone()
}
