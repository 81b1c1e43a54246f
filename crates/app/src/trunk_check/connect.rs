use std::time::Duration;

use housecall::sip::Unreached;
use housecall::softphone::Connected;

use super::step::Step;
use super::text::clean;
use super::words::{self, Place};

/// A connection over TCP or TLS.
pub(super) fn step(connected: &Connected, place: Place<'_>) -> Step {
    let addr = place.peer.addr;
    let said = match &connected.secured {
        None => format!("{addr} over TCP"),
        Some(secured) => {
            let names: Vec<String> = secured.names.iter().map(|name| clean(name)).collect();
            let names = match names.is_empty() {
                true => "no host name".to_owned(),
                false => names.join(", "),
            };
            let wanted = &place.setup.tls_name;
            let (version, cipher) = (secured.version, &secured.cipher);
            format!(
                "{addr} over {version} ({cipher}); its certificate is for {names}; {wanted} was wanted"
            )
        }
    };
    Step::ok("connect", said).took(connected.took)
}

pub(super) fn failed(why: &Unreached, took: Duration, place: Place<'_>) -> Step {
    let advice = words::unreached(why, place);
    Step::failed("connect", clean(&why.words), advice).took(took)
}

#[cfg(test)]
mod tests {
    use housecall::sip::{Obstacle, Peer, Secured, Target};
    use housecall::{Trunk, TrunkSetup};

    use super::*;
    use crate::trunk_check::step::Mark;

    #[test]
    fn what_was_agreed_and_what_was_not_names_both_names() {
        let target = Target::new("sip.carrier.test");
        let setup = TrunkSetup::new(Trunk::new("A", "carrier.test"), target);
        let place = Place {
            setup: &setup,
            peer: Peer::tls("203.0.113.5:5061".parse().unwrap()),
            ip: "192.0.2.7".parse().unwrap(),
            patience: Duration::from_secs(8),
        };
        let secured = |names: &[&str]| Secured {
            version: "TLS 1.3",
            cipher: "TLS13_AES_256_GCM_SHA384".to_owned(),
            names: names.iter().map(ToString::to_string).collect(),
        };
        let took = Duration::from_millis(84);
        for (secured, said) in [
            (None, "203.0.113.5:5061 over TCP"),
            (
                Some(secured(&["edge.carrier.test", "sip.carrier.test"])),
                "203.0.113.5:5061 over TLS 1.3 (TLS13_AES_256_GCM_SHA384); its certificate is for edge.carrier.test, sip.carrier.test; \
                 sip.carrier.test was wanted",
            ),
            (
                Some(secured(&[])),
                "203.0.113.5:5061 over TLS 1.3 (TLS13_AES_256_GCM_SHA384); its certificate is for no host name; \
                 sip.carrier.test was wanted",
            ),
        ] {
            let step = step(&Connected { took, secured }, place);
            assert_eq!((step.mark, step.said.as_str()), (Mark::Ok, said));
            assert_eq!(step.took, Some(took));
        }
        let why = Unreached {
            obstacle: Obstacle::OtherName,
            words: "expected sip.carrier.test, presented www.example.com".to_owned(),
        };
        let failed = failed(&why, took, place);
        assert_eq!(failed.mark, Mark::Failed);
        assert!(
            failed.said.contains("sip.carrier.test") && failed.said.contains("www.example.com")
        );
    }
}
