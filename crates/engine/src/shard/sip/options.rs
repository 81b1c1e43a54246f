use std::fmt;
use std::time::Duration;

use super::range::AddressRange;

/// How the SIP sockets of an engine are set up, with the reason of each default.
#[derive(Clone, Debug, Default)]
pub struct SipOptions {
    /// Certificates. The roots of the browsers and none of our own unless said otherwise.
    pub tls: TlsOptions,
    /// The addresses of trunks. Where there are any, nobody else may connect, and what others send is dropped unread, except of
    /// whom we ourselves have sent requests to. So list every address that a trunk's requests come from, not only the one we
    /// dial. Without any, strangers are answered under a rate limit, as a first run needs no list.
    pub allowed: Vec<AddressRange>,
    /// What one peer, and all together, may take.
    pub limits: SipLimits,
}

/// Whose certificates are trusted, and which is shown.
#[derive(Clone, Debug)]
pub struct TlsOptions {
    /// Whether the roots that browsers trust are trusted. Yes: large trunks use them.
    pub public_roots: bool,
    /// Further roots, as the bytes of a PEM file. For a trunk with a certificate authority of its own.
    pub roots_pem: Vec<u8>,
    /// The certificate shown to a trunk that asks for one, and to whoever connects to us by TLS. Without it we accept no TLS.
    pub own: Option<OwnCertificate>,
}

impl Default for TlsOptions {
    fn default() -> Self {
        Self {
            public_roots: true,
            roots_pem: Vec::new(),
            own: None,
        }
    }
}

/// A certificate with its chain, and its private key. Debug shows no key.
#[derive(Clone)]
pub struct OwnCertificate {
    /// The certificate first, then those that lead to the root, as the bytes of a PEM file.
    pub chain_pem: Vec<u8>,
    /// The private key, as the bytes of a PEM file.
    pub key_pem: Vec<u8>,
}

impl fmt::Debug for OwnCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnCertificate")
            .field("chain_bytes", &self.chain_pem.len())
            .finish_non_exhaustive()
    }
}

/// What one SIP peer, and all together, may take.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SipLimits {
    /// How long connecting may take, name checks included. A trunk that needs longer is taken for dead, and the next is tried
    /// within the five seconds that a person waits.
    pub connect: Duration,
    /// Connections that others may hold at once. A trunk holds a handful.
    pub connections: usize,
    /// Connections that one address (IPv6: one /64) may hold at once.
    pub connections_per_source: usize,
    /// How long a connection may last on which no valid message ever came.
    pub silent: Duration,
    /// How long a connection of somebody else may rest, not even pinging.
    pub idle: Duration,
    /// How long a message may take from its first byte to its last.
    pub message_within: Duration,
    /// Bytes of unfinished messages that all connections together may hold.
    pub unfinished_bytes: usize,
    /// Messages a second that are read from a connection of somebody else; faster ones wait in its socket.
    pub messages_a_second: u32,
    /// The longest rest of a connection of ours before it is pinged; each rest is 80 to 100 % of it (RFC 5626 §4.4.1).
    pub ping_after: Duration,
    /// How long a peer that answers pings may take to answer one (RFC 5626 §4.4.1).
    pub pong_within: Duration,
    /// How long what was sent may stay unacknowledged by the peer's machine before the connection is given up.
    pub unacknowledged: Duration,
    /// Requests of one stranger that are answered a second, after a burst of five times as many.
    pub answers_a_second_per_source: u32,
    /// The same for all strangers together.
    pub answers_a_second: u32,
}

impl Default for SipLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(4),
            connections: 256,
            connections_per_source: 16,
            silent: Duration::from_secs(30),
            idle: Duration::from_secs(600),
            message_within: Duration::from_secs(5),
            unfinished_bytes: 4 * 1024 * 1024,
            messages_a_second: 200,
            ping_after: Duration::from_secs(30),
            pong_within: Duration::from_secs(10),
            unacknowledged: Duration::from_secs(10),
            answers_a_second_per_source: 2,
            answers_a_second: 50,
        }
    }
}
