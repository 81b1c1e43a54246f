use std::net::IpAddr;
use std::sync::Arc;

use housecall::dns::{self, Answer, Dns, Found, NoAnswer, Query, Records};
use housecall::sip::{Families, Peer};
use housecall::{Reach, TrunkSetup};

use super::step::Step;
use super::text::clean;
use super::words;

/// Addresses that a line has room for.
const SHOWN_MAX: usize = 4;

/// Finds out where a trunk is, as an engine would.
pub(super) async fn find(dns: &Arc<dyn Dns>, setup: &TrunkSetup, ip: IpAddr) -> (Step, Vec<Peer>) {
    let target = match &setup.reach {
        Reach::Peers(peers) => return (configured(peers), peers.clone()),
        Reach::Target(target) => target,
    };
    let families = setup.families.unwrap_or(Families::of(ip));
    let found = dns::find(dns, target, families).await;
    let peers = found.result.as_ref().map(|it| it.peers.clone());
    (step(&found, ip), peers.unwrap_or_default())
}

fn step(found: &Found, ip: IpAddr) -> Step {
    match &found.result {
        Ok(resolved) if found.asked.is_empty() => configured(&resolved.peers),
        Ok(resolved) => {
            let asked = asked(&found.asked);
            let peers = listed(&resolved.peers);
            Step::ok("find", format!("{asked} → {peers}")).took(found.took)
        }
        Err(why) => {
            let advice = words::unresolved(why, ip);
            Step::failed("find", clean(&why.to_string()), advice).took(found.took)
        }
    }
}

fn configured(peers: &[Peer]) -> Step {
    Step::ok("find", format!("{}, as configured", listed(peers)))
}

/// Everything that DNS had an answer to: `SRV _sip._udp.carrier.test: edge.carrier.test:5070; A edge.carrier.test: 192.0.2.9`
fn asked(asked: &[(Query, Result<Answer, NoAnswer>)]) -> String {
    let answered = asked.iter().filter_map(|(query, heard)| {
        let records = records(&heard.as_ref().ok()?.records);
        (!records.is_empty()).then(|| format!("{}: {}", clean(&query.to_string()), few(&records)))
    });
    answered.collect::<Vec<_>>().join("; ")
}

fn records(records: &Records) -> Vec<String> {
    match records {
        Records::Naptr(all) => all.iter().map(|it| clean(&it.services)).collect(),
        Records::Srv(all) => {
            let host = |target: &str| clean(target.trim_end_matches('.'));
            let shown = all
                .iter()
                .map(|it| format!("{}:{}", host(&it.target), it.port));
            shown.collect()
        }
        Records::Addresses(all) => all.iter().map(ToString::to_string).collect(),
    }
}

/// `192.0.2.1:5061, 192.0.2.2:5061 over TLS`
fn listed(peers: &[Peer]) -> String {
    let addresses: Vec<String> = peers.iter().map(|peer| peer.addr.to_string()).collect();
    let transport = peers
        .first()
        .map(|peer| format!(" over {}", peer.transport));
    format!("{}{}", few(&addresses), transport.unwrap_or_default())
}

fn few(all: &[String]) -> String {
    let shown: Vec<&str> = all.iter().take(SHOWN_MAX).map(String::as_str).collect();
    match all.len().saturating_sub(SHOWN_MAX) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use housecall::dns::{Resolved, Srv, Unresolved};

    use super::*;
    use crate::trunk_check::step::Mark;

    fn found(result: Result<Resolved, Unresolved>) -> Found {
        let srv = |number: u16| Srv {
            priority: 1,
            weight: 0,
            port: 5070 + number,
            target: format!("edge{number}.carrier.test."),
        };
        let answer = |records| Answer {
            records,
            ttl: Duration::from_secs(60),
        };
        let list = Records::Srv((0..6).map(srv).collect());
        Found {
            asked: vec![
                (
                    Query::Naptr("carrier.test".to_owned()),
                    Err(NoAnswer::Nothing),
                ),
                (
                    Query::Srv("_sip._udp.carrier.test".to_owned()),
                    Ok(answer(list)),
                ),
            ],
            result,
            took: Duration::from_millis(12),
        }
    }

    #[test]
    fn the_way_through_dns_is_told() {
        let peers = vec![Peer::udp("192.0.2.1:5070".parse().unwrap())];
        let found = found(Ok(Resolved { peers, ttl: None }));
        let step = step(&found, "192.0.2.7".parse().unwrap());
        assert_eq!(step.mark, Mark::Ok);
        assert_eq!(
            step.said,
            "SRV _sip._udp.carrier.test: edge0.carrier.test:5070, edge1.carrier.test:5071, edge2.carrier.test:5072, \
             edge3.carrier.test:5073 and 2 more → 192.0.2.1:5070 over UDP"
        );
    }

    #[test]
    fn what_is_not_found_has_advice() {
        let host = "carrier.test".to_owned();
        let step = step(
            &found(Err(Unresolved::NoAddress { host })),
            "192.0.2.7".parse().unwrap(),
        );
        assert_eq!(
            (step.mark, step.said.as_str()),
            (Mark::Failed, "carrier.test has no address")
        );
        assert!(step.advice.unwrap().todo.contains("spelling"));
    }
}
