use std::sync::Arc;
use std::time::{Duration, Instant};

use housecall_sip::target::{Families, Lookup, LookupOptions, Resolved, Target, Unresolved};
use tokio::task::JoinSet;
use tokio::time::timeout_at;

use super::{Answer, Dns, NoAnswer, Query, SEARCH_LIMIT};

/// What came of one search for a trunk.
#[derive(Clone, Debug)]
pub struct Found {
    /// Every question, in the order of the answers.
    pub asked: Vec<(Query, Result<Answer, NoAnswer>)>,
    /// Where it is.
    pub result: Result<Resolved, Unresolved>,
    /// How long it took.
    pub took: Duration,
}

/// Searches once for where `target` is, as an engine does for its trunks (RFC 3263): 4.5 s at most.
pub async fn find(dns: &Arc<dyn Dns>, target: &Target, families: Families) -> Found {
    find_within(dns, target, families, SEARCH_LIMIT).await
}

async fn find_within(
    dns: &Arc<dyn Dns>,
    target: &Target,
    families: Families,
    limit: Duration,
) -> Found {
    let start = Instant::now();
    let options = LookupOptions::new(families, rand::random());
    let mut lookup = Lookup::new(target.clone(), options);
    let mut open = JoinSet::new();
    let mut asked = Vec::new();
    let result = loop {
        if let Some(result) = lookup.result() {
            break result.clone();
        }
        while let Some(query) = lookup.poll_query() {
            let dns = Arc::clone(dns);
            open.spawn(async move {
                let heard = dns.ask(&query).await;
                (query, heard)
            });
        }
        match timeout_at((start + limit).into(), open.join_next()).await {
            Ok(Some(Ok((query, heard)))) => {
                lookup.answered(&query, heard.clone());
                asked.push((query, heard));
            }
            _ => lookup.give_up(),
        }
    };
    Found {
        asked,
        result,
        took: start.elapsed(),
    }
}

#[cfg(test)]
mod tests {
    use housecall_sip::{Peer, Transport};

    use super::*;
    use crate::dns::Srv;
    use crate::tests::far::{Away, Table};

    fn target() -> Target {
        Target {
            transport: Some(Transport::Udp),
            ..Target::new("carrier.test")
        }
    }

    #[tokio::test]
    async fn what_was_asked_is_told_with_what_was_found() {
        let srv = Srv {
            priority: 1,
            weight: 0,
            port: 5070,
            target: "edge.carrier.test.".to_owned(),
        };
        let lists = [("_sip._udp.carrier.test".to_owned(), vec![srv])].into();
        let dns: Arc<dyn Dns> = Arc::new(Table { lists });
        let found = find(&dns, &target(), Families::V4).await;
        let peer = Peer::udp(([127, 0, 0, 1], 5070).into());
        assert_eq!(found.result.unwrap().peers, [peer]);
        let asked: Vec<_> = found.asked.iter().map(|(query, _)| query.name()).collect();
        assert_eq!(asked, ["_sip._udp.carrier.test", "edge.carrier.test"]);
    }

    /// The promise "DNS failure: error within 5 s".
    #[tokio::test]
    async fn a_search_that_nobody_answers_ends() {
        let dns: Arc<dyn Dns> = Arc::new(Away);
        let limit = Duration::from_millis(10);
        let found = find_within(&dns, &target(), Families::V4, limit).await;
        let host = "carrier.test".to_owned();
        assert_eq!(found.result, Err(Unresolved::Away { host }));
    }
}
