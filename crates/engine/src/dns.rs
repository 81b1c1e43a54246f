//! The port to the domain name system, and its implementation on the name servers of the machine.

use std::fmt;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use hickory_resolver::TokioResolver;
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{RData, RecordType};
use tokio::sync::Mutex;

pub use housecall_sip::target::{Answer, Naptr, NoAnswer, Query, Records, Srv};

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

/// The name servers that the machine is set up with (`/etc/resolv.conf`).
#[derive(Default)]
pub struct SystemDns {
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
    async fn resolver(&self) -> Result<TokioResolver, NoAnswer> {
        let mut resolver = self.resolver.lock().await;
        if let Some(resolver) = &*resolver {
            return Ok(resolver.clone());
        }
        let made = make().map_err(|error| {
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

fn make() -> Result<TokioResolver, NetError> {
    let mut builder = TokioResolver::builder_tokio()?;
    let options = builder.options_mut();
    (options.timeout, options.attempts) = (TIMEOUT, ATTEMPTS);
    builder.build()
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
