//! The port to the domain name system, and its implementation on the name servers of the machine.

mod find;

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolverConfig};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{RData, RecordType};
use tokio::sync::Mutex;

pub use find::{Found, find};
pub use housecall_sip::target::{
    Answer, Naptr, NoAnswer, Query, Records, Resolved, Srv, Unresolved,
};

/// A search that takes longer ends with what it has: a call waits 5 s for the first one.
pub(crate) const SEARCH_LIMIT: Duration = Duration::from_millis(4_500);

/// How long one name server has for one answer, and how often each is asked: three rounds of questions fit into 5 s.
const TIMEOUT: Duration = Duration::from_millis(1_200);
const ATTEMPTS: usize = 2;

/// Answers questions about names. A test answers from a table.
#[async_trait]
pub trait Dns: fmt::Debug + Send + Sync {
    /// Asks one question.
    ///
    /// # Errors
    /// [`NoAnswer::Nothing`] when there are no such records, [`NoAnswer::Away`] when nobody could say. It may take as long as it likes:
    /// whoever asks gives up by himself.
    async fn ask(&self, query: &Query) -> Result<Answer, NoAnswer>;
}

/// The name servers that the machine is set up with (`/etc/resolv.conf`), or others.
#[derive(Default)]
pub struct SystemDns {
    /// Those of the machine, if there are none here.
    servers: Vec<SocketAddr>,
    /// Made when first needed: an engine whose trunks have addresses needs no name server.
    resolver: Mutex<Option<TokioResolver>>,
}

impl fmt::Debug for SystemDns {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SystemDns")
    }
}

#[async_trait]
impl Dns for SystemDns {
    async fn ask(&self, query: &Query) -> Result<Answer, NoAnswer> {
        let resolver = self.resolver().await?;
        // A dot at the end: the search list of the machine is no part of RFC 3263.
        let name = format!("{}.", query.name().trim_end_matches('.'));
        match resolver.lookup(name, record_type(query)).await {
            Ok(lookup) => Ok(answer(query, &lookup)),
            Err(error) => Err(self.refused(query, &error).await),
        }
    }
}

impl SystemDns {
    /// These name servers instead of the machine's.
    pub fn with_servers(servers: Vec<SocketAddr>) -> Self {
        Self {
            servers,
            resolver: Mutex::default(),
        }
    }

    async fn resolver(&self) -> Result<TokioResolver, NoAnswer> {
        let mut resolver = self.resolver.lock().await;
        if let Some(resolver) = &*resolver {
            return Ok(resolver.clone());
        }
        let made = make(&self.servers).map_err(|error| {
            tracing::warn!(%error, "no name server is set up");
            NoAnswer::Away
        })?;
        Ok(resolver.insert(made).clone())
    }

    async fn refused(&self, query: &Query, error: &NetError) -> NoAnswer {
        let no_answer = no_answer(error);
        if no_answer == NoAnswer::Away {
            tracing::warn!(%query, %error, "name servers away");
            // The next question reads the machine's settings anew: it may have moved to another network.
            *self.resolver.lock().await = None;
        }
        no_answer
    }
}

fn make(servers: &[SocketAddr]) -> Result<TokioResolver, NetError> {
    let mut builder = match servers {
        [] => TokioResolver::builder_tokio()?,
        servers => {
            let servers = servers.iter().map(name_server).collect();
            let config = ResolverConfig::from_parts(None, Vec::new(), servers);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        }
    };
    let options = builder.options_mut();
    (options.timeout, options.attempts) = (TIMEOUT, ATTEMPTS);
    builder.build()
}

fn name_server(at: &SocketAddr) -> NameServerConfig {
    let mut server = NameServerConfig::udp_and_tcp(at.ip());
    for connection in &mut server.connections {
        connection.port = at.port();
    }
    server
}

fn record_type(query: &Query) -> RecordType {
    match query {
        Query::Naptr(_) => RecordType::NAPTR,
        Query::Srv(_) => RecordType::SRV,
        Query::A(_) => RecordType::A,
        Query::Aaaa(_) => RecordType::AAAA,
    }
}

/// A name server that fails or refuses is one that could not say; it must not pass for one that says no.
fn no_answer(error: &NetError) -> NoAnswer {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => match none.response_code {
            ResponseCode::NoError | ResponseCode::NXDomain => NoAnswer::Nothing,
            _ => NoAnswer::Away,
        },
        // A name that is none.
        NetError::Proto(_) => NoAnswer::Nothing,
        _ => NoAnswer::Away,
    }
}

fn answer(query: &Query, lookup: &Lookup) -> Answer {
    let data = lookup.answers().iter().map(|record| &record.data);
    let records = match query {
        Query::Naptr(_) => Records::Naptr(data.filter_map(naptr).collect()),
        Query::Srv(_) => Records::Srv(data.filter_map(srv).collect()),
        Query::A(_) | Query::Aaaa(_) => {
            Records::Addresses(data.filter_map(RData::ip_addr).collect())
        }
    };
    Answer {
        records,
        ttl: lookup
            .valid_until()
            .saturating_duration_since(Instant::now()),
    }
}

fn naptr(data: &RData) -> Option<Naptr> {
    let RData::NAPTR(naptr) = data else {
        return None;
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some(Naptr {
        order: naptr.order,
        preference: naptr.preference,
        flags: text(&naptr.flags),
        services: text(&naptr.services),
        replacement: naptr.replacement.to_ascii(),
    })
}

fn srv(data: &RData) -> Option<Srv> {
    let RData::SRV(srv) = data else {
        return None;
    };
    Some(Srv {
        priority: srv.priority,
        weight: srv.weight,
        port: srv.port,
        target: srv.target.to_ascii(),
    })
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::str::FromStr;

    use hickory_resolver::proto::op::{Message, OpCode};
    use hickory_resolver::proto::rr::rdata::{A, AAAA, CNAME, NAPTR, SRV};
    use hickory_resolver::proto::rr::{Name, Record};
    use tokio::net::UdpSocket;
    use tokio::task::JoinHandle;

    use super::*;

    /// A name server on loopback that knows one domain. It ends with this value.
    struct NameServer {
        at: SocketAddr,
        task: JoinHandle<()>,
    }

    impl NameServer {
        async fn new() -> Self {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            let at = socket.local_addr().unwrap();
            let task = tokio::spawn(async move {
                let mut buffer = [0; 1_500];
                while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                    let request = Message::from_vec(&buffer[..length]).unwrap();
                    let answer = answer_to(&request).to_vec().unwrap();
                    socket.send_to(&answer, from).await.unwrap();
                }
            });
            Self { at, task }
        }

        fn dns(&self) -> SystemDns {
            SystemDns::with_servers(vec![self.at])
        }
    }

    impl Drop for NameServer {
        fn drop(&mut self) {
            self.task.abort();
        }
    }

    fn answer_to(request: &Message) -> Message {
        let query = request.queries[0].clone();
        let asked = query.name().to_ascii().to_lowercase();
        let mut answer = Message::response(request.metadata.id, OpCode::Query);
        let record = |name: &str, data| Record::from_rdata(domain(name), 120, data);
        let list = domain("_sip._udp.carrier.test.");
        let edge = "edge.carrier.test.";
        let records = match (asked.as_str(), query.query_type()) {
            ("carrier.test.", RecordType::NAPTR) => {
                let (flags, services) = (Box::from(*b"s"), Box::from(*b"SIP+D2U"));
                let naptr = NAPTR::new(10, 20, flags, services, Box::default(), list);
                vec![record(&asked, RData::NAPTR(naptr))]
            }
            ("_sip._udp.carrier.test.", RecordType::SRV) => {
                let srv = SRV::new(1, 2, 5070, domain(edge));
                vec![record(&asked, RData::SRV(srv))]
            }
            ("edge.carrier.test.", RecordType::A) => {
                let ip = Ipv4Addr::new(192, 0, 2, 9);
                vec![record(edge, RData::A(A(ip)))]
            }
            ("edge.carrier.test.", RecordType::AAAA) => {
                let ip = "2001:db8::9".parse().unwrap();
                vec![record(edge, RData::AAAA(AAAA(ip)))]
            }
            ("alias.carrier.test.", RecordType::A) => vec![
                record(&asked, RData::CNAME(CNAME(domain(edge)))),
                record(edge, RData::A(A(Ipv4Addr::new(192, 0, 2, 9)))),
            ],
            ("broken.test.", _) => {
                answer.metadata.response_code = ResponseCode::ServFail;
                Vec::new()
            }
            ("carrier.test.", _) => Vec::new(),
            _ => {
                answer.metadata.response_code = ResponseCode::NXDomain;
                Vec::new()
            }
        };
        answer.metadata.recursion_available = true;
        answer.add_query(query);
        answer.add_answers(records);
        answer
    }

    fn domain(name: &str) -> Name {
        Name::from_str(name).unwrap()
    }

    #[tokio::test]
    async fn records_of_each_kind_are_read() {
        let server = NameServer::new().await;
        let dns = server.dns();
        let naptr = Naptr {
            order: 10,
            preference: 20,
            flags: "s".to_owned(),
            services: "SIP+D2U".to_owned(),
            replacement: "_sip._udp.carrier.test.".to_owned(),
        };
        let srv = Srv {
            priority: 1,
            weight: 2,
            port: 5070,
            target: "edge.carrier.test.".to_owned(),
        };
        let v4: IpAddr = "192.0.2.9".parse().unwrap();
        let v6: IpAddr = "2001:db8::9".parse().unwrap();
        let name = |name: &str| name.to_owned();
        for (query, records) in [
            (
                Query::Naptr(name("carrier.test")),
                Records::Naptr(vec![naptr]),
            ),
            (
                Query::Srv(name("_sip._udp.carrier.test")),
                Records::Srv(vec![srv]),
            ),
            (
                Query::A(name("edge.carrier.test")),
                Records::Addresses(vec![v4]),
            ),
            (
                Query::Aaaa(name("edge.carrier.test")),
                Records::Addresses(vec![v6]),
            ),
            // RFC 1034 §3.6.2.
            (
                Query::A(name("alias.carrier.test")),
                Records::Addresses(vec![v4]),
            ),
        ] {
            let answer = dns.ask(&query).await.unwrap();
            assert_eq!(answer.records, records, "{query}");
            let seconds = answer.ttl.as_secs();
            assert!((60..=120).contains(&seconds), "{query}: {seconds} s");
        }
    }

    /// What does not exist and what nobody could say are two things: only the first lets the search go on.
    #[tokio::test]
    async fn no_is_another_answer_than_none() {
        let server = NameServer::new().await;
        let dns = server.dns();
        for (name, expected) in [
            ("carrier.test", NoAnswer::Nothing),
            ("nowhere.test", NoAnswer::Nothing),
            ("broken.test", NoAnswer::Away),
        ] {
            let query = Query::Srv(name.to_owned());
            assert_eq!(dns.ask(&query).await, Err(expected), "{name}");
        }
        let closed = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let closed = SystemDns::with_servers(vec![closed.local_addr().unwrap()]);
        let query = Query::A("carrier.test".to_owned());
        assert_eq!(closed.ask(&query).await, Err(NoAnswer::Away));
    }
}
