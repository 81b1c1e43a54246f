//! Finds where to send SIP for a domain (RFC 3263), without asking anybody itself.
//!
//! ```text
//!   address ─────────────────────────────────────────────► itself
//!   name with a port ────────────────────► A, AAAA ──────► peers
//!   name with a transport ──────► SRV ──┬► A, AAAA ──────► peers
//!   name alone ──────► NAPTR ──► SRV ───┘
//!                               no list ─► A, AAAA ──────► peers at 5060 or 5061
//! ```
//!
//! [`Lookup`] says which [`Query`] to make and is told what came back; [`Cached`] keeps the result for its time to live and, when the
//! domain name system is away, for a grace after it. The order of the peers is the order to try them in (RFC 3263 §4.3).
//!
//! The name that a TLS certificate must carry is the configured domain, never a name that DNS gave (RFC 5922 §4): that name is not
//! proved by anybody. It is therefore no part of the result.
//!
//! | RFC · section | what | file | test (`tests.rs` unless named) |
//! |---|---|---|---|
//! | 3263 §4.1 | an address, a port, or a transport decides by itself | `lookup.rs` | an_address_is_itself, a_port_leaves_only_addresses_to_ask, a_transport_asks_for_its_own_list |
//! | 3263 §4.1 | NAPTR by order and preference, what we cannot speak left out | `record.rs` | naptr_names_the_transport, only_tls_is_secure |
//! | 3263 §4.1 | without NAPTR the lists of all transports | `lookup.rs` | without_naptr_every_transport_is_asked |
//! | 3263 §4.2 | addresses only where no list was found | `lookup.rs` | without_lists_the_name_itself, a_list_without_addresses_is_not_a_reason_to_guess |
//! | 3263 §4.3 | several peers, in order | `lookup.rs` | a_list_by_priority_with_every_address |
//! | 2782 | priority, weight, the target `.` | `srv_order.rs` | a_service_that_is_decidedly_absent, `srv_order.rs` |
//! | 3263 §5, 5922 §4 | who must be trusted | `lookup.rs` | only_tls_is_secure |
//! | 3263 §4.3, 2308 §7.1 | a server that fails is not one that says no; a search ends at any moment | `lookup.rs` | a_server_that_fails_is_not_one_that_says_no, the_time_to_live_is_the_least_and_the_search_can_end_at_any_moment |
//! | 1035 §2.3.4 | whatever a name server says, little is asked | `lookup.rs` | a_hostile_name_server_gets_little, what_is_no_host_is_said_to_be_none |
//! | 1035 §3.2.1 | times to live, and what is known while DNS is away | `cached.rs` | a_result_is_looked_at_again_when_its_time_to_live_is_over, while_dns_is_away_the_last_result_serves_until_its_grace_is_over |

mod cached;
mod lookup;
mod record;
mod srv_order;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use crate::Transport;
use crate::host;

pub use cached::Cached;
pub use lookup::{Families, Lookup, LookupOptions, Resolved, Unresolved};
pub use record::{Answer, Naptr, NoAnswer, Query, Records, Srv};

/// Where an administrator says that SIP goes: the parts of a URI that RFC 3263 §4 calls TARGET, port, transport and scheme.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Target {
    /// A domain, or an address with or without IPv6 brackets.
    pub host: String,
    /// The port, where it is given; it turns off NAPTR and SRV.
    pub port: Option<u16>,
    /// The transport, where it is given; it turns off NAPTR.
    pub transport: Option<Transport>,
    /// True when nothing but TLS will do, as for a `sips` URI.
    pub secure: bool,
}

impl Target {
    /// A domain or address of which nothing else is known.
    pub fn new(host: &str) -> Self {
        Self {
            host: host.to_owned(),
            port: None,
            transport: None,
            secure: false,
        }
    }

    /// The address, where the host is one.
    pub fn ip(&self) -> Option<IpAddr> {
        host::ip(&self.host)
    }

    /// The transport where no record says one: RFC 3263 §4.1 takes UDP, and TLS for what is secure.
    fn default_transport(&self) -> Transport {
        match (self.secure, self.transport) {
            (true, _) => Transport::Tls,
            (false, Some(transport)) => transport,
            (false, None) => Transport::Udp,
        }
    }
}

/// The port where none is said (RFC 3261 §19.1.2).
fn default_port(transport: Transport) -> u16 {
    match transport {
        Transport::Udp | Transport::Tcp => 5060,
        Transport::Tls => 5061,
    }
}
